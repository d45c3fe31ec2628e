package store

import (
	"context"
	"errors"
	"fmt"
	"math"

	"github.com/jmoiron/sqlx"
	"modernc.org/sqlite"

	"energyd/internal/fault"
)

// Lock takes the store's one place for runs that change it or the CRM, and
// gives what leaves it again. A process that dies leaves it too: it is an open
// transaction on a file beside the SQLite file, or a session's advisory lock in
// PostgreSQL. Faults: conflict (another run has it), unavailable.
func (s *Store) Lock(ctx context.Context) (unlock func() error, err error) {
	take := s.lockSQLite
	if s.postgres {
		take = s.lockPostgres
	}
	unlock, err = take(ctx)
	if err == nil && unlock == nil {
		return nil, s.occupied(ctx)
	}
	return unlock, storeError("lock", err)
}

// Locked tells whether a run is at work. It takes nothing.
func (s *Store) Locked(ctx context.Context) (held bool, err error) {
	if s.postgres {
		err = s.read.GetContext(ctx, &held, `SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1
			AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
			AND classid::bigint = $1 AND objid::bigint = $2)`, lockRun>>32, lockRun&math.MaxUint32)
		return held, storeError("look for a run", err)
	}
	db, err := sqlx.Open("sqlite", s.lockFile)
	if err != nil {
		return false, storeError("look for a run", err)
	}
	var tables int
	err = db.GetContext(ctx, &tables, "SELECT COUNT(*) FROM sqlite_master")
	if busy(err) {
		return true, db.Close()
	}
	return false, storeError("look for a run", errors.Join(err, db.Close()))
}

// busy tells that another process has the file.
func busy(err error) bool {
	var lite *sqlite.Error
	return errors.As(err, &lite) && lite.Code()&0xff == 5 // SQLITE_BUSY
}

// lockPostgres gives nil when the lock is taken.
func (s *Store) lockPostgres(ctx context.Context) (func() error, error) {
	conn, err := s.write.Connx(ctx)
	if err != nil {
		return nil, err
	}
	var taken bool
	if err := conn.GetContext(ctx, &taken, "SELECT pg_try_advisory_lock($1)", lockRun); err != nil || !taken {
		return nil, errors.Join(err, conn.Close())
	}
	return func() error {
		// The run may have been told to stop: its lock goes all the same.
		_, err := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", lockRun)
		return errors.Join(err, conn.Close())
	}, nil
}

// lockSQLite gives nil when the lock is taken.
func (s *Store) lockSQLite(ctx context.Context) (func() error, error) {
	db, err := sqlx.Open("sqlite", s.lockFile)
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(1) // the transaction and its end need the same connection
	// Whoever only looks (Locked) has the file for a moment.
	if _, err := db.ExecContext(ctx, "PRAGMA busy_timeout = 200"); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if _, err := db.ExecContext(ctx, "BEGIN EXCLUSIVE"); err != nil {
		if busy(err) {
			return nil, db.Close()
		}
		return nil, errors.Join(err, db.Close())
	}
	return db.Close, nil
}

// occupied names the run that has the lock.
func (s *Store) occupied(ctx context.Context) error {
	who := "another run of energyd is at work on this store"
	if runs, err := s.Runs(ctx, 1); err == nil && len(runs) > 0 && runs[0].State == Running {
		who = fmt.Sprintf("another run is at work on this store: %s %s, since %s", runs[0].Kind, runs[0].ID, runs[0].Started.Local().Format("15:04:05"))
	}
	return fault.New(fault.Conflict, "", who, "wait until it ends; energyd status shows it", nil)
}
