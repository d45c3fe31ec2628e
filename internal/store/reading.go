package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"energyd/connectors"
	"energyd/engine"
)

// Reading is a complete reading of a source, and what is read after it until the next one.
type Reading struct {
	Revision uint32 // counts a source's complete readings, from 1
	Again    Again  // set when a reading begins with this call, and the source had been read before
}

// Again says why a source is read from its beginning again.
type Again string

// The reasons.
const (
	OtherMapping Again = "mapping" // its mapping says something else
	Periodic     Again = "period"  // the last complete reading is long ago, or somebody asked for a new one
)

// BeginReading tells by which mapping (its fingerprint) a source is read from
// now on, and gives the reading that its records belong to. The cursor goes
// back to the beginning when the mapping is another one than before; also when
// the source was read to its end, and that reading began longer than every
// before at (0 = never), or ReadAgain was called. See decisions/0005 and 0006.
func (s *Store) BeginReading(ctx context.Context, source, fingerprint string, at time.Time, every time.Duration) (r Reading, err error) {
	err = s.tx(ctx, "read cursor", func(tx *sqlx.Tx) error {
		begins := false
		if r, _, begins, err = nextReading(ctx, tx, source, fingerprint, at, every); err != nil || !begins {
			return err
		}
		_, err = tx.ExecContext(ctx, tx.Rebind(`INSERT INTO cursor (source, value, mapping, revision, began_us) VALUES (?, '', ?, ?, ?) ON CONFLICT (source)
			DO UPDATE SET value = '', mapping = excluded.mapping, revision = excluded.revision, began_us = excluded.began_us`),
			source, fingerprint, r.Revision, at.UnixMicro())
		return err
	})
	return r, err
}

// NextReading tells what BeginReading would give, and where the source would be read from. It changes nothing.
func (s *Store) NextReading(ctx context.Context, source, fingerprint string, at time.Time, every time.Duration) (Reading, connectors.Cursor, error) {
	r, after, _, err := nextReading(ctx, s.read, source, fingerprint, at, every)
	return r, after, storeError("read cursor", err)
}

func nextReading(ctx context.Context, q sqlx.ExtContext, source, fingerprint string, at time.Time, every time.Duration) (r Reading, after connectors.Cursor, begins bool, err error) {
	var now struct {
		Value              connectors.Cursor
		Mapping            string
		Revision, Finished uint32
		Began              int64 `db:"began_us"`
	}
	err = sqlx.GetContext(ctx, q, &now, q.Rebind("SELECT value, mapping, revision, finished, began_us FROM cursor WHERE source = ?"), source)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return r, "", false, err
	}
	r.Revision = now.Revision + 1
	// A run that starts each night at the same time starts a little earlier on some: a reading need not be due to the second.
	// One that began long after now was begun by a clock that was wrong.
	slack := every / 24
	switch {
	case now.Revision == 0:
	case now.Mapping != fingerprint:
		r.Again = OtherMapping
	case now.Finished == now.Revision && (now.Began == 0 || every > 0 && at.Sub(time.UnixMicro(now.Began)).Abs() >= every-slack):
		r.Again = Periodic
	default:
		return Reading{Revision: now.Revision}, now.Value, false, nil
	}
	return r, "", true, nil
}

// ReadAgain makes the next reading of a source a complete one.
func (s *Store) ReadAgain(ctx context.Context, source string) error {
	return s.tx(ctx, "read "+source+" again", func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, tx.Rebind("UPDATE cursor SET began_us = 0 WHERE source = ?"), source)
		return err
	})
}

// Withdrawal is what a complete reading did not find again.
type Withdrawal struct {
	Activities, Profiles int // taken back
	// Kept did not come again either, but stay: the reading found so few, Came, that it is no proof.
	Kept, Came int
	Rejected   int // records that came and could not be used, when Kept is not 0
}

// fewRecords may vanish without much ado: a small table can lose most of its rows.
const fewRecords = 20

// Unsettled tells that a complete reading of a source, not its first, came to its end, and that what it
// did not find was not withdrawn yet.
func (s *Store) Unsettled(ctx context.Context, source string, revision uint32) (bool, error) {
	var is bool
	err := s.read.GetContext(ctx, &is, s.read.Rebind("SELECT EXISTS (SELECT 1 FROM cursor WHERE source = ? AND revision = ? AND revision > 1 AND finished = revision AND settled < revision)"), source, revision)
	return is, storeError("read cursor", err)
}

// doubtful tells that a reading does not prove that what it did not find is
// gone: it found nothing, or less than half of what was there. A right that was
// lost looks like that, or a filter that somebody set.
func doubtful(came, gone int) bool { return gone > 0 && came == 0 || gone >= fewRecords && came < gone }

// WithdrawOlder takes back what a source gave before its reading of this
// revision and not again since: what was deleted without a trace, and what an
// older mapping made and the present one does not. It waits until the source
// was read to its end, and does its work once for each reading; it reads all
// activities. A reading that found less than half keeps everything (Kept), also
// at later calls, since what changes afterwards proves nothing of the rest;
// gone says that the rest is gone all the same. The caller folds before and after.
func (s *Store) WithdrawOlder(ctx context.Context, source string, revision uint32, gone bool) (w Withdrawal, err error) {
	var state struct{ Finished, Settled, Doubted uint32 }
	err = s.read.GetContext(ctx, &state, s.read.Rebind("SELECT finished, settled, doubted FROM cursor WHERE source = ?"), source)
	if err != nil || state.Finished < revision || state.Settled >= revision && !gone {
		return w, storeError("withdraw "+source, err)
	}
	var old, came int
	if revision > 1 {
		if old, came, err = s.cameAgain(ctx, source, revision); err != nil {
			return w, err
		}
	}
	if old > 0 && !gone && (state.Doubted == revision || doubtful(came, old)) {
		err := s.tx(ctx, "withdraw "+source, func(tx *sqlx.Tx) error {
			_, err := tx.ExecContext(ctx, tx.Rebind("UPDATE cursor SET doubted = ? WHERE source = ?"), revision, source)
			return err
		})
		if err != nil {
			return w, err
		}
		w.Kept, w.Came = old, came
		err = s.read.GetContext(ctx, &w.Rejected, s.read.Rebind("SELECT COUNT(*) FROM reject WHERE source = ? AND revision = ? AND dropped = 0"), source, revision)
		return w, storeError("withdraw "+source, err)
	}
	err = s.tx(ctx, "withdraw "+source, func(tx *sqlx.Tx) error {
		w = Withdrawal{}
		if old > 0 {
			if w.Activities, err = s.withdrawActivities(ctx, tx, source, revision); err != nil {
				return err
			}
			if w.Profiles, err = withdrawProfiles(ctx, tx, source, revision); err != nil {
				return err
			}
		}
		for _, table := range []string{"reject", "part"} {
			if _, err := tx.ExecContext(ctx, tx.Rebind("DELETE FROM "+table+" WHERE source = ? AND revision < ?"), source, revision); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, tx.Rebind("UPDATE cursor SET settled = ? WHERE source = ? AND revision = ?"), revision, source, revision)
		return err
	})
	return w, err
}

// EndReading ends a complete reading without taking anything back: of a source whose
// records may go while what they told stays true. Older rejects are forgotten.
func (s *Store) EndReading(ctx context.Context, source string, revision uint32) error {
	return s.tx(ctx, "settle "+source, func(tx *sqlx.Tx) error {
		done, err := tx.ExecContext(ctx, tx.Rebind("UPDATE cursor SET settled = ? WHERE source = ? AND revision = ? AND finished = ? AND settled < ?"), revision, source, revision, revision, revision)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || n == 0 {
			return err
		}
		_, err = tx.ExecContext(ctx, tx.Rebind("DELETE FROM reject WHERE source = ? AND revision < ?"), source, revision)
		return err
	})
}

// cameAgain counts what of a source is older than the revision, and what is of it.
func (s *Store) cameAgain(ctx context.Context, source string, revision uint32) (old, came int, err error) {
	var profiles struct{ Old, Came int }
	err = s.read.GetContext(ctx, &profiles, s.read.Rebind(`SELECT COUNT(CASE WHEN revision < ? AND deleted = 0 THEN 1 END) AS old,
		COUNT(CASE WHEN revision = ? THEN 1 END) AS came FROM entity WHERE source = ?`), revision, revision, source)
	if err != nil {
		return 0, 0, storeError("withdraw "+source, err)
	}
	old, came = profiles.Old, profiles.Came
	for a, err := range s.Activities(ctx) {
		switch {
		case err != nil:
			return 0, 0, err
		case a.Source != source:
		case a.Revision == revision:
			came++
		case !a.Deleted:
			old++
		}
	}
	return old, came, nil
}

// withdrawActivities makes tombstones of what is older than the revision: they arrive some at a time.
func (s *Store) withdrawActivities(ctx context.Context, tx *sqlx.Tx, source string, revision uint32) (withdrawn int, err error) {
	var some []engine.Activity
	save := func() error {
		withdrawn += len(some)
		err := arrive(ctx, tx, uncounted, source, packArrival(some))
		some = some[:0]
		return err
	}
	for a, err := range s.Activities(ctx) {
		if err != nil {
			return 0, err
		}
		if a.Source != source || a.Revision == revision || a.Deleted {
			continue
		}
		// Of no version: whatever comes of it later in this reading stands.
		some = append(some, engine.Activity{Source: source, ID: a.ID, Revision: revision, Mapping: a.Mapping, Deleted: true, Date: engine.NoDate})
		if len(some) == 20_000 {
			if err := save(); err != nil {
				return 0, err
			}
		}
	}
	if len(some) > 0 {
		err = save()
	}
	return withdrawn, err
}

func withdrawProfiles(ctx context.Context, tx *sqlx.Tx, source string, revision uint32) (int, error) {
	change, err := increase(ctx, tx, "change")
	if err != nil {
		return 0, err
	}
	done, err := tx.ExecContext(ctx, tx.Rebind("UPDATE entity SET deleted = 1, change = ?, revision = ? WHERE source = ? AND revision < ? AND deleted = 0"),
		change, revision, source, revision)
	if err != nil {
		return 0, err
	}
	n, err := done.RowsAffected()
	return int(n), err
}

// Rereads names the sources whose next reading is a complete one because somebody or something asked for it, sorted.
func (s *Store) Rereads(ctx context.Context) ([]string, error) {
	var names []string
	err := s.read.SelectContext(ctx, &names, "SELECT source FROM cursor WHERE began_us = 0 AND finished = revision AND revision > 0 ORDER BY source")
	return names, storeError("read cursor", err)
}
