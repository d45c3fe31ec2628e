package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"time"

	"github.com/jmoiron/sqlx"

	"energyd/connectors"
)

// Counted is a window of a source's change times, and how many records it had
// when all of them had been read.
type Counted struct {
	connectors.Interval
	Records int
	At      time.Time // of the last look at which no more were there, UTC; zero = not yet
}

// CountedWindows gives a source's windows, oldest first.
func (s *Store) CountedWindows(ctx context.Context, source string) ([]Counted, error) {
	var rows []struct {
		From    int64 `db:"from_us"`
		To      int64 `db:"to_us"`
		At      int64 `db:"at_us"`
		Records int
	}
	err := s.read.SelectContext(ctx, &rows, s.read.Rebind("SELECT from_us, to_us, records, at_us FROM counted WHERE source = ? ORDER BY to_us"), source)
	if err != nil {
		return nil, storeError("read what was counted", err)
	}
	windows := make([]Counted, len(rows))
	for i, r := range rows {
		windows[i] = Counted{Interval: connectors.Interval{From: micros(r.From), To: micros(r.To)}, Records: r.Records, At: micros(r.At)}
	}
	return windows, nil
}

// SetCounted keeps a window of a source.
func (s *Store) SetCounted(ctx context.Context, source string, w Counted) error {
	return s.tx(ctx, "keep what was counted", func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, tx.Rebind(`INSERT INTO counted (source, from_us, to_us, records, at_us) VALUES (?, ?, ?, ?, ?)
			ON CONFLICT (source, to_us) DO UPDATE SET from_us = excluded.from_us, records = excluded.records, at_us = excluded.at_us`),
			source, microsOf(w.From), microsOf(w.To), w.Records, microsOf(w.At))
		return err
	})
}

// SplitCounted adds windows of a source of which nothing is known yet, in place of the one that covers them, if there is one.
func (s *Store) SplitCounted(ctx context.Context, source string, whole Counted, parts []connectors.Interval) error {
	return s.tx(ctx, "keep what was counted", func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, tx.Rebind("DELETE FROM counted WHERE source = ? AND to_us = ?"), source, microsOf(whole.To)); err != nil {
			return err
		}
		for _, w := range parts {
			_, err := tx.ExecContext(ctx, tx.Rebind("INSERT INTO counted (source, from_us, to_us, records, at_us) VALUES (?, ?, ?, 0, 0)"),
				source, microsOf(w.From), microsOf(w.To))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// micros is a time of the store; 0 is none.
func micros(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

func microsOf(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

// ReadToEnd gives the revision of a source's complete reading, and when it began;
// revision 0 while it is on its way.
func (s *Store) ReadToEnd(ctx context.Context, source string) (revision uint32, began time.Time, err error) {
	var c struct {
		Revision, Finished uint32
		Began              int64 `db:"began_us"`
	}
	err = s.read.GetContext(ctx, &c, s.read.Rebind("SELECT revision, finished, began_us FROM cursor WHERE source = ?"), source)
	if errors.Is(err, sql.ErrNoRows) || err == nil && c.Finished != c.Revision {
		return 0, time.Time{}, nil
	}
	return c.Revision, micros(c.Began), storeError("read cursor", err)
}

// recountedName stands for when the sources were last counted, in seconds since 1970.
const recountedName = "recounted"

// Recounted tells when the sources were last counted at night.
func (s *Store) Recounted(ctx context.Context) (time.Time, error) {
	at, err := number(ctx, s.read, recountedName)
	if err != nil || at == 0 {
		return time.Time{}, storeError("read what was counted", err)
	}
	return time.Unix(at, 0).UTC(), nil
}

// SetRecounted notes when the sources were counted at night.
func (s *Store) SetRecounted(ctx context.Context, at time.Time) error {
	return s.tx(ctx, "keep what was counted", func(tx *sqlx.Tx) error {
		return note(ctx, tx, recountedName, strconv.FormatInt(at.Unix(), 10))
	})
}
