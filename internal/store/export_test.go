package store

import (
	"context"
	"errors"
	"math"
	"strings"
	"time"
)

// Slice makes folds take small slices of what arrived.
func (s *Store) Slice(activities int, size int64) {
	s.slice = slice{size: size, activities: activities}
}

// Share makes folds into PostgreSQL jobs, however little there is to do.
func (s *Store) Share() { s.slice.portion, s.slice.rows = 1, 1 }

// ShareNothing makes them none, however much.
func (s *Store) ShareNothing() { s.slice.portion, s.slice.rows = math.MaxInt, math.MaxInt }

// Counted gives what a run, which need not have begun, counted of its one source.
func (s *Store) Counted(ctx context.Context, run string) (r RunSource, err error) {
	err = s.read.GetContext(ctx, &r, s.read.Rebind("SELECT source, read, stored, unchanged, skipped, rejected FROM run_source WHERE run = ?"), run)
	return r, err
}

// WatchEvery makes holds look that often whether they have their lanes still.
func (s *Store) WatchEvery(d time.Duration) { s.watchEvery = d }

// EndSessions ends all sessions with the PostgreSQL database that hold lanes.
func (s *Store) EndSessions(ctx context.Context) error {
	_, err := s.write.ExecContext(ctx, "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())")
	return err
}

// MakeAt makes an empty store as the energyd of an earlier version of its tables did.
func MakeAt(ctx context.Context, address string, version int64) error {
	s, err := openPostgres(address)
	if path, ok := strings.CutPrefix(address, "sqlite:"); ok {
		s, err = openSQLite(path)
	}
	if err != nil {
		return err
	}
	return errors.Join(s.migrateTo(ctx, version), s.Close())
}

// Versions are those that the tables had.
func Versions() (versions []int64, err error) {
	all, err := steps("migrations/sqlite")
	for _, m := range all {
		versions = append(versions, m.Version)
	}
	return versions, err
}
