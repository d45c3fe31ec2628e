package store

import (
	"context"
	"slices"

	"github.com/jmoiron/sqlx"

	"energyd/internal/fault"
)

// rereadName begins the names under which sources stand that are read again
// for an erasure; the value is the revision of that reading.
const rereadName = "erased in "

// ReadAgainErased makes the next readings of sources complete ones, and notes
// that what they take back is an erased person's.
func (s *Store) ReadAgainErased(ctx context.Context, sources []string) error {
	return s.tx(ctx, "read again", func(tx *sqlx.Tx) error {
		for _, source := range sources {
			if _, err := tx.ExecContext(ctx, tx.Rebind("UPDATE cursor SET began_us = 0 WHERE source = ?"), source); err != nil {
				return err
			}
			_, err := tx.ExecContext(ctx, tx.Rebind(`INSERT INTO meta (name, value) SELECT ?, CAST(revision + 1 AS TEXT) FROM cursor WHERE source = ?
				ON CONFLICT (name) DO UPDATE SET value = excluded.value`), rereadName+source, source)
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// Erasing tells whether a source's reading of this revision is the one that follows an erasure.
func (s *Store) Erasing(ctx context.Context, source string, revision uint32) (bool, error) {
	of, err := number(ctx, s.read, rereadName+source)
	return of == int64(revision), storeError("read who was erased", err)
}

// ErasedMapping is the Mapping of tombstones that take back an erased person's activities; DropErased drops them.
const ErasedMapping = "erased"

// DropErased removes what complete readings left of erased people: the
// tombstones of what was taken back hold ids of records, such as a mail's and
// its conversation's. Purge is due afterwards. It does nothing until the reading is settled.
func (s *Store) DropErased(ctx context.Context) error {
	var sources []string
	err := s.read.SelectContext(ctx, &sources, s.read.Rebind(`SELECT source FROM cursor JOIN meta ON name = ? || source
		WHERE finished >= CAST(meta.value AS BIGINT) AND settled >= CAST(meta.value AS BIGINT) ORDER BY source`), rereadName)
	if err != nil || len(sources) == 0 {
		return storeError("drop what was erased", err)
	}
	return s.ledgerTx(ctx, "drop what was erased", func(tx *sqlx.Tx) error {
		if err := s.alone(ctx, tx); err != nil {
			return err
		}
		for _, source := range sources {
			if err := dropWithdrawn(ctx, tx, source); err != nil {
				return err
			}
			if _, err := tx.ExecContext(ctx, tx.Rebind("DELETE FROM meta WHERE name = ?"), rereadName+source); err != nil {
				return err
			}
		}
		return purgeDue(ctx, tx)
	})
}

// dropWithdrawn removes the tombstones that complete readings made for a source. They have done their work when the reading is settled.
func dropWithdrawn(ctx context.Context, tx *sqlx.Tx, source string) error {
	t := activityTable()
	firsts, err := t.firsts(ctx, tx)
	if err != nil {
		return err
	}
	w, err := t.writer(ctx, tx)
	if err != nil {
		return err
	}
	defer w.close()
	for _, first := range firsts {
		var data []byte
		if err := tx.GetContext(ctx, &data, tx.Rebind("SELECT data FROM activity_block WHERE first = ?"), first); err != nil {
			return err
		}
		acts, err := new(decoder).decode(data)
		if err != nil {
			return err
		}
		kept := slices.DeleteFunc(slices.Clone(acts), func(a act) bool {
			return a.Source == source && a.Deleted && (a.Version == 0 || a.Mapping == ErasedMapping)
		})
		if len(kept) == len(acts) {
			continue
		}
		if err := w.write(first, kept); err != nil {
			return err
		}
	}
	return w.drain()
}

// purgeName is set while files may still hold what was erased.
const purgeName = "purge"

func purgeDue(ctx context.Context, tx *sqlx.Tx) error {
	_, err := tx.ExecContext(ctx, tx.Rebind("INSERT INTO meta (name, value) VALUES (?, '1') ON CONFLICT (name) DO NOTHING"), purgeName)
	return err
}

// PurgeDue tells that an erasure was not followed by a Purge, since its run was killed or somebody read the store.
func (s *Store) PurgeDue(ctx context.Context) (bool, error) {
	due, err := number(ctx, s.read, purgeName)
	return due != 0, storeError("purge the store", err)
}

// Purge makes sure that the files hold nothing any more of what was erased:
// SQLite writes its file anew without free pages, and empties its log. In
// PostgreSQL the dead rows go with its own vacuum.
// Faults: conflict (another process reads the store just now).
func (s *Store) Purge(ctx context.Context) error {
	if !s.postgres {
		if err := s.rewrite(ctx); err != nil {
			return err
		}
	}
	_, err := s.write.ExecContext(ctx, s.write.Rebind("DELETE FROM meta WHERE name = ?"), purgeName)
	return storeError("purge the store", err)
}

func (s *Store) rewrite(ctx context.Context) error {
	if _, err := s.write.ExecContext(ctx, "VACUUM"); err != nil {
		return storeError("purge the store", err)
	}
	var busy, log, moved int
	if err := s.write.QueryRowxContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &log, &moved); err != nil {
		return storeError("purge the store", err)
	}
	if busy == 0 {
		return nil
	}
	return fault.New(fault.Conflict, "purge the store", "the person is erased, but another process reads the store and keeps its log from being emptied",
		"let that process end; the next run of energyd empties the log", nil)
}
