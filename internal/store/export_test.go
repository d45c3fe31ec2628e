package store

import (
	"context"
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
