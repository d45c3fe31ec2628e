package store

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jmoiron/sqlx"
)

// What is kept of reviews, each under one name.
const (
	LastReview = "review" // when points were reviewed, and what came of it
	LastDrift  = "drift"  // how far contacts moved since, by month
)

// Note gives what was kept under a name; "" = nothing.
func (s *Store) Note(ctx context.Context, name string) (string, error) {
	var value string
	err := s.read.GetContext(ctx, &value, s.read.Rebind("SELECT value FROM meta WHERE name = ?"), name)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return value, storeError("read what is kept of reviews", err)
}

// SaveNote keeps a value under a name, in place of what stood there.
func (s *Store) SaveNote(ctx context.Context, name, value string) error {
	return s.tx(ctx, "keep what came of a review", func(tx *sqlx.Tx) error { return note(ctx, tx, name, value) })
}
