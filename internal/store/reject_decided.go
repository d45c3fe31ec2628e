package store

import (
	"context"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/cespare/xxhash/v2"
	"github.com/jmoiron/sqlx"

	"energyd/connectors"
	"energyd/sink"
)

// tryAgain stands in reject.tried for a reject that somebody wants to be tried
// again: below every change of the directory.
const tryAgain = -1

// RejectKey names a reject: a source and its record's key.
type RejectKey struct{ Source, Key string }

// DroppedRejects gives the rejects of all sources that somebody dropped, by source and key.
func (s *Store) DroppedRejects(ctx context.Context) iter.Seq2[Reject, error] {
	return s.rejects(ctx, "dropped = 1")
}

// RetryRejects lets rejects be tried again at the next pull, also dropped ones. A
// record of which not all is kept has its source read again from the beginning.
// The entries of the journal are kept in the same transaction.
func (s *Store) RetryRejects(ctx context.Context, keys []RejectKey, entries []JournalEntry) error {
	return s.decideRejects(ctx, keys, entries, func(tx *sqlx.Tx, k RejectKey) error {
		_, err := tx.ExecContext(ctx, tx.Rebind(`UPDATE reject SET dropped = 0, tried = ?, waits = CASE WHEN whole = 1 THEN 1 ELSE waits END
			WHERE source = ? AND key = ?`), tryAgain, k.Source, k.Key)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, tx.Rebind(`UPDATE cursor SET began_us = 0 WHERE source = ?
			AND EXISTS (SELECT 1 FROM reject r WHERE r.source = cursor.source AND r.key = ? AND r.whole = 0 AND r.waits = 0)`), k.Source, k.Key)
		return err
	})
}

// DropRejects keeps rejects from being counted and told, until their records are others or a time comes; zero = none does.
func (s *Store) DropRejects(ctx context.Context, keys []RejectKey, until time.Time, entries []JournalEntry) error {
	return s.decideRejects(ctx, keys, entries, func(tx *sqlx.Tx, k RejectKey) error {
		_, err := tx.ExecContext(ctx, tx.Rebind("UPDATE reject SET dropped = 1, until_us = ? WHERE source = ? AND key = ?"), microsOf(until), k.Source, k.Key)
		return err
	})
}

func (s *Store) decideRejects(ctx context.Context, keys []RejectKey, entries []JournalEntry, decide func(*sqlx.Tx, RejectKey) error) error {
	return s.tx(ctx, "decide on rejects", func(tx *sqlx.Tx) error {
		for _, k := range keys {
			if err := decide(tx, k); err != nil {
				return err
			}
		}
		return addEntries(ctx, tx, entries)
	})
}

// WakeRejects has the rejects told again whose snooze has ended.
func (s *Store) WakeRejects(ctx context.Context, now time.Time) error {
	return s.tx(ctx, "wake rejects", func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, tx.Rebind("UPDATE reject SET dropped = 0, until_us = 0 WHERE dropped = 1 AND until_us > 0 AND until_us <= ?"), now.UnixMicro())
		return err
	})
}

// NeedPeople counts the rejects of sources that no run heals by itself.
func (s *Store) NeedPeople(ctx context.Context) (n int, err error) {
	err = s.read.GetContext(ctx, &n, s.read.Rebind("SELECT COUNT(*) FROM reject WHERE dropped = 0 AND waits = 0 AND tried <> ?"), tryAgain)
	return n, storeError("count rejects", err)
}

// SayOfRefused keeps a person's word on refused changes of a plan, by their places.
// The entries of the journal are kept in the same transaction.
func (s *Store) SayOfRefused(ctx context.Context, run string, seqs []int64, said sink.Said, until time.Time, entries []JournalEntry) error {
	return s.tx(ctx, "decide on rejects", func(tx *sqlx.Tx) error {
		for some := range slices.Chunk(seqs, inChunk) {
			query, args, err := sqlx.In("UPDATE plan_change SET said = ?, until_us = ? WHERE run = ? AND seq IN (?)", string(said), microsOf(until), run, some)
			if err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, tx.Rebind(query), args...); err != nil {
				return err
			}
		}
		return addEntries(ctx, tx, entries)
	})
}

// Dropped tells of which records of a source somebody dropped the reject.
type Dropped map[string]uint64

// Has tells whether a reject was dropped as it is: its record has not changed since.
func (d Dropped) Has(r *connectors.Reject) bool {
	said, ok := d[plain(r.Key)]
	return ok && said == says(fieldsJSON(r.Fields), plain(r.Code), plain(r.Reason))
}

// Dropped gives what was dropped of a source.
func (s *Store) Dropped(ctx context.Context, source string) (Dropped, error) {
	rows, err := s.read.QueryxContext(ctx, s.read.Rebind("SELECT key, fields, code, reason FROM reject WHERE source = ? AND dropped = 1"), source)
	if err != nil {
		return nil, storeError("read rejects", err)
	}
	defer rows.Close()
	dropped := Dropped{}
	for rows.Next() {
		var key, fields, code, reason string
		if err := rows.Scan(&key, &fields, &code, &reason); err != nil {
			return nil, storeError("read rejects", err)
		}
		dropped[key] = says(fields, code, reason)
	}
	return dropped, storeError("read rejects", rows.Err())
}

// says stands for what was read of a record; where nothing could be, for what is wrong with it.
func says(fields, code, reason string) uint64 {
	if fields == noFields {
		return xxhash.Sum64String(code + "\x00" + reason)
	}
	return xxhash.Sum64String(fields)
}

// noFields is fieldsJSON of nothing.
const noFields = "null"

// stillDropped lets the dropped rejects of the batch's records belong to its reading.
func stillDropped(ctx context.Context, tx *sqlx.Tx, b Batch) error {
	for keys := range slices.Chunk(b.Dropped, inChunk) {
		args := []any{b.Run, b.Revision, b.Source}
		for _, key := range keys {
			args = append(args, plain(key))
		}
		_, err := tx.ExecContext(ctx, tx.Rebind("UPDATE reject SET run = ?, revision = ? WHERE source = ? AND key IN (?"+strings.Repeat(", ?", len(keys)-1)+")"), args...)
		if err != nil {
			return err
		}
	}
	return nil
}
