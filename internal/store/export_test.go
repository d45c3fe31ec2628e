package store

import (
	"context"
	"errors"
	"strings"
	"time"
)

// Slice makes folds take small slices of what arrived.
func (s *Store) Slice(activities int, size int64) {
	s.slice = slice{size: size, activities: activities}
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
