package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"energyd/engine"
)

// Alert is how something that people are told of stands: "sync", "source tasks".
type Alert struct {
	What    string    `json:"of"`
	State   string    `json:"state"` // a RunState, or refused, unreachable; ok is as it should be
	Since   time.Time `json:"since"` // UTC
	Because string    `json:"because,omitempty"`
	ToDo    string    `json:"what_to_do,omitempty"`
}

type alertRow struct {
	What, State, Because string
	Since                int64  `db:"since_us"`
	ToDo                 string `db:"what_to_do"`
	Was                  string
}

func (r alertRow) open() Alert {
	return Alert{What: r.What, State: r.State, Since: micros(r.Since), Because: r.Because, ToDo: r.ToDo}
}

const alertColumns = "what, state, since_us, because, what_to_do"

// Alerts gives how everything stands that ever changed its state, by name.
func (s *Store) Alerts(ctx context.Context) ([]Alert, error) {
	var rows []alertRow
	err := s.read.SelectContext(ctx, &rows, "SELECT "+alertColumns+", '' AS was FROM alert ORDER BY what")
	alerts := make([]Alert, len(rows))
	for i, r := range rows {
		alerts[i] = r.open()
	}
	return alerts, storeError("read alerts", err)
}

// SetAlert keeps how something stands from now on.
func (s *Store) SetAlert(ctx context.Context, a Alert) error {
	return s.tx(ctx, "keep an alert", func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, tx.Rebind(`INSERT INTO alert (`+alertColumns+`) VALUES (?, ?, ?, ?, ?) ON CONFLICT (what) DO UPDATE
			SET state = excluded.state, since_us = excluded.since_us, because = excluded.because, what_to_do = excluded.what_to_do`),
			plain(a.What), plain(a.State), a.Since.UnixMicro(), plain(a.Because), plain(a.ToDo))
		return err
	})
}

// AlertChange is an alert that a channel is to be told of.
type AlertChange struct {
	Alert
	Was string // as the channel knows it
}

// Untold gives what stands otherwise than a channel knows, and may be tried at now.
func (s *Store) Untold(ctx context.Context, channel string, now time.Time) ([]AlertChange, error) {
	var rows []alertRow
	err := s.read.SelectContext(ctx, &rows, s.read.Rebind(`SELECT a.what, a.state, a.since_us, a.because, a.what_to_do, COALESCE(t.state, 'ok') AS was
		FROM alert a LEFT JOIN alert_told t ON t.what = a.what AND t.channel = ?
		WHERE a.state <> COALESCE(t.state, 'ok') AND COALESCE(t.next_us, 0) <= ? ORDER BY a.since_us, a.what`), channel, now.UnixMicro())
	changes := make([]AlertChange, len(rows))
	for i, r := range rows {
		changes[i] = AlertChange{r.open(), r.Was}
	}
	return changes, storeError("read alerts", err)
}

// ClaimAlert takes a channel's next attempt at something, and puts off the one
// after it, longer each time. Of several daemons one gets it.
func (s *Store) ClaimAlert(ctx context.Context, channel, what string, now time.Time) (won bool, err error) {
	err = s.tx(ctx, "tell of an alert", func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, tx.Rebind(`INSERT INTO alert_told (channel, what, state, attempts, next_us) VALUES (?, ?, 'ok', 0, 0)
			ON CONFLICT (channel, what) DO NOTHING`), channel, what)
		if err != nil {
			return err
		}
		var row struct {
			Attempts int
			Next     int64 `db:"next_us"`
		}
		if err := tx.GetContext(ctx, &row, tx.Rebind("SELECT attempts, next_us FROM alert_told WHERE channel = ? AND what = ?"), channel, what); err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, tx.Rebind("UPDATE alert_told SET attempts = ?, next_us = ? WHERE channel = ? AND what = ? AND next_us = ? AND next_us <= ?"),
			row.Attempts+1, now.Add(backoff(row.Attempts)).UnixMicro(), channel, what, row.Next, now.UnixMicro())
		if err != nil {
			return err
		}
		n, err := done.RowsAffected()
		won = n == 1
		return err
	})
	return won, err
}

// ToldAlert keeps that a channel was told of a state.
func (s *Store) ToldAlert(ctx context.Context, channel, what, state string) error {
	return s.tx(ctx, "tell of an alert", func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, tx.Rebind("UPDATE alert_told SET state = ?, attempts = 0, next_us = 0 WHERE channel = ? AND what = ?"), state, channel, what)
		return err
	})
}

// backoff is the pause before what was tried n times is tried again: 1, 2, 4 minutes, and at most an hour.
func backoff(n int) time.Duration { return min(time.Minute<<min(n, 10), time.Hour) }

// Digest is the last list of alarms that was sent, or tried, to a reader of a channel.
type Digest struct {
	Channel  string
	Reader   string // a sales person's CRM id; "" = all who read the channel
	Day      engine.Date
	State    DigestState
	Attempts int
	Next     time.Time // not before, while it waits
	Told     []string  // the alarms that the reader knows of and that may still stand, by hash
}

// DigestState follows a digest.
type DigestState string

// The states of a digest. One that was being sent when energyd was killed may
// have arrived: it is not sent again, and the next day's has the same alarms.
const (
	DigestSending DigestState = "sending"
	DigestSent    DigestState = "sent"
	DigestWaits   DigestState = "waits" // it did not leave, and is tried again
)

// DigestOf gives a reader's digest; its State is "" when there was none yet.
func (s *Store) DigestOf(ctx context.Context, channel, reader string) (Digest, error) {
	d := Digest{Channel: channel, Reader: reader, Day: engine.NoDate}
	row, err := digestRowOf(ctx, s.read, channel, reader)
	if row != nil {
		d = row.open()
	}
	return d, storeError("read digests", err)
}

type digestRow struct {
	Channel, Reader, State, Told string
	Day                          int64
	Attempts                     int
	Next                         int64 `db:"next_us"`
}

func digestRowOf(ctx context.Context, q sqlx.ExtContext, channel, reader string) (*digestRow, error) {
	var r digestRow
	err := sqlx.GetContext(ctx, q, &r, q.Rebind("SELECT channel, reader, day, state, attempts, next_us, told FROM digest WHERE channel = ? AND reader = ?"), channel, reader)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	return &r, err
}

func (r *digestRow) open() Digest {
	return Digest{Channel: r.Channel, Reader: r.Reader, Day: engine.Date(r.Day), State: DigestState(r.State), Attempts: r.Attempts, Next: micros(r.Next), Told: strings.Fields(r.Told)}
}

// Due tells whether a digest of a day may be sent: none was sent, or may have been, on it.
func (d Digest) Due(day engine.Date, now time.Time) bool {
	return d.State == "" || d.Day < day || d.Day == day && d.State == DigestWaits && !d.Next.After(now)
}

// ClaimDigest marks that a reader's digest of a day is about to be sent. Of
// several daemons one gets it, and after a kill nobody does, on that day.
func (s *Store) ClaimDigest(ctx context.Context, channel, reader string, day engine.Date, now time.Time) (won bool, err error) {
	err = s.tx(ctx, "send a digest", func(tx *sqlx.Tx) error {
		// The row is written first, so that others wait for this transaction.
		_, err := tx.ExecContext(ctx, tx.Rebind(`INSERT INTO digest (channel, reader, day, state, attempts, next_us, told) VALUES (?, ?, ?, '', 0, 0, '')
			ON CONFLICT (channel, reader) DO UPDATE SET channel = excluded.channel`), channel, reader, int64(day)-1)
		if err != nil {
			return err
		}
		row, err := digestRowOf(ctx, tx, channel, reader)
		if err != nil || row == nil || !row.open().Due(day, now) {
			return err
		}
		attempts := row.Attempts + 1
		if engine.Date(row.Day) < day {
			attempts = 1
		}
		won = true
		_, err = tx.ExecContext(ctx, tx.Rebind("UPDATE digest SET day = ?, state = ?, attempts = ?, next_us = ? WHERE channel = ? AND reader = ?"),
			int64(day), string(DigestSending), attempts, now.Add(backoff(attempts-1)).UnixMicro(), channel, reader)
		return err
	})
	return won && err == nil, err
}

// EndDigest keeps what became of a digest that was claimed: sent, with all the
// alarms that its reader knows of now, or not sent for sure, so that it waits.
func (s *Store) EndDigest(ctx context.Context, channel, reader string, state DigestState, told []string) error {
	return s.tx(ctx, "send a digest", func(tx *sqlx.Tx) error {
		if state != DigestSent {
			_, err := tx.ExecContext(ctx, tx.Rebind("UPDATE digest SET state = ? WHERE channel = ? AND reader = ?"), string(state), channel, reader)
			return err
		}
		_, err := tx.ExecContext(ctx, tx.Rebind("UPDATE digest SET state = ?, told = ? WHERE channel = ? AND reader = ?"), string(state), strings.Join(told, " "), channel, reader)
		return err
	})
}
