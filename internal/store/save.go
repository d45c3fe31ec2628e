package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/jmoiron/sqlx"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/fault"
)

// Batch is what became of one connectors.Batch.
type Batch struct {
	Run, Source string
	Revision    uint32            // of the source's reading (Reading.Revision)
	At          time.Time         // when it was read
	After, Next connectors.Cursor // the batch was read after After; Next is where the source goes on
	Last        bool              // the source is at its end for now
	Retried     bool              // it holds records that were rejected before: the source was not read, so its cursor stays
	Interval    connectors.Interval
	Read        int // records, rejects included
	Skipped     int // records that the mapping leaves out
	Activities  []engine.Activity
	Parts       []Parts // of a source whose records become several activities each
	Profiles    []engine.Profile
	Rejects     []connectors.Reject
	Dropped     []string          // keys of records that are rejected as when somebody dropped them; counted as skipped
	Withdrawn   []engine.Activity // tombstones of skipped records, which may have been activities before; not counted
	Through     []string          // keys of the records that were not rejected
}

// uncounted is the run of arrivals that appear in no sums: their records are counted already.
const uncounted = ""

// SaveBatch saves a batch and moves the source's cursor, in one transaction.
// Activities wait for the next Fold. Of several versions of a profile the
// highest stands, among equal ones the last. A reject of a record that came
// through now is taken back.
// Faults: conflict (the cursor is no longer at After: another run reads this source), unavailable.
func (s *Store) SaveBatch(ctx context.Context, b Batch) error {
	op := "save " + b.Source
	sums := RunSource{Source: b.Source, Read: b.Read, Skipped: b.Skipped, Rejected: len(b.Rejects)}
	arrivals := []struct {
		run        string
		activities []engine.Activity
		packed     []packed
	}{{run: b.Run, activities: b.Activities}, {run: uncounted, activities: b.Withdrawn}}
	for i := range arrivals {
		arrivals[i].packed = packArrival(arrivals[i].activities)
	}
	return s.tx(ctx, op, func(tx *sqlx.Tx) error {
		if !b.Retried {
			if err := moveCursor(ctx, tx, b); err != nil {
				return err
			}
		}
		for _, a := range arrivals {
			if err := arrive(ctx, tx, a.run, b.Source, a.packed); err != nil {
				return err
			}
		}
		// Records are counted here, and not their parts when these are folded.
		parts, stored, unchanged, err := saveParts(ctx, tx, b)
		if err != nil {
			return err
		}
		if len(parts) > 0 {
			if err := arrive(ctx, tx, uncounted, b.Source, packArrival(parts)); err != nil {
				return err
			}
		}
		profiles, err := saveProfiles(ctx, tx, b.Profiles, b.Revision, b.At)
		if err != nil {
			return err
		}
		sums.Stored, sums.Unchanged = stored+profiles, unchanged+len(b.Profiles)-profiles
		if err := saveRejects(ctx, tx, b); err != nil {
			return err
		}
		if err := saveInterval(ctx, tx, b.Source, b.Interval); err != nil {
			return err
		}
		return addRunSource(ctx, tx, b.Run, sums)
	})
}

// arrive keeps packed activities for the next fold.
func arrive(ctx context.Context, tx *sqlx.Tx, run, source string, rows []packed) error {
	for _, p := range rows {
		_, err := tx.ExecContext(ctx, tx.Rebind("INSERT INTO arrival (run, source, part, last_part, activities, keys, data) VALUES (?, ?, ?, ?, ?, ?, ?)"),
			run, source, p.part, p.last, p.activities, p.keys, p.data)
		if err != nil {
			return err
		}
	}
	return nil
}

// moveCursor sets the cursor to b.Next if it is at b.After.
func moveCursor(ctx context.Context, tx *sqlx.Tx, b Batch) error {
	if b.After == "" {
		if _, err := tx.ExecContext(ctx, tx.Rebind("INSERT INTO cursor (source, value) VALUES (?, '') ON CONFLICT (source) DO NOTHING"), b.Source); err != nil {
			return err
		}
	}
	end := ""
	if b.Last {
		end = ", finished = revision"
	}
	done, err := tx.ExecContext(ctx, tx.Rebind("UPDATE cursor SET value = ?"+end+" WHERE source = ? AND value = ?"), string(b.Next), b.Source, string(b.After))
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return fault.New(fault.Conflict, "save "+b.Source, "another run has read this source meanwhile",
		"nothing is lost: let the other run end, and start this one again", nil)
}

// Cursor tells how far a source was read; "" is the beginning.
func (s *Store) Cursor(ctx context.Context, source string) (connectors.Cursor, error) {
	var c connectors.Cursor
	err := s.read.GetContext(ctx, &c, s.read.Rebind("SELECT value FROM cursor WHERE source = ?"), source)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return c, storeError("read cursor", err)
}

// Sources names the sources that were ever read, sorted.
func (s *Store) Sources(ctx context.Context) ([]string, error) {
	var names []string
	err := s.read.SelectContext(ctx, &names, "SELECT source FROM cursor ORDER BY source")
	return names, storeError("read cursor", err)
}

// saveInterval adds an interval to those that were read, and joins it with all that it touches.
func saveInterval(ctx context.Context, tx *sqlx.Tx, source string, i connectors.Interval) error {
	if i.IsZero() {
		return nil
	}
	from, to := i.From.UnixMicro(), i.To.UnixMicro()
	var joined struct{ From, To sql.NullInt64 }
	err := tx.GetContext(ctx, &joined, tx.Rebind(`SELECT MIN(from_us) AS "from", MAX(to_us) AS "to" FROM interval
		WHERE source = ? AND from_us <= ? AND to_us >= ?`), source, to, from)
	if err != nil {
		return err
	}
	if joined.From.Valid {
		_, err := tx.ExecContext(ctx, tx.Rebind("DELETE FROM interval WHERE source = ? AND from_us <= ? AND to_us >= ?"), source, to, from)
		if err != nil {
			return err
		}
		from, to = min(from, joined.From.Int64), max(to, joined.To.Int64)
	}
	_, err = tx.ExecContext(ctx, tx.Rebind("INSERT INTO interval (source, from_us, to_us) VALUES (?, ?, ?)"), source, from, to)
	return err
}

// Intervals gives the windows of change times that were really read of a source: apart, oldest first, UTC.
func (s *Store) Intervals(ctx context.Context, source string) ([]connectors.Interval, error) {
	var rows []struct {
		From int64 `db:"from_us"`
		To   int64 `db:"to_us"`
	}
	err := s.read.SelectContext(ctx, &rows, s.read.Rebind("SELECT from_us, to_us FROM interval WHERE source = ? ORDER BY from_us"), source)
	intervals := make([]connectors.Interval, len(rows))
	for i, r := range rows {
		intervals[i] = connectors.Interval{From: time.UnixMicro(r.From).UTC(), To: time.UnixMicro(r.To).UTC()}
	}
	return intervals, storeError(fmt.Sprintf("read intervals of %s", source), err)
}
