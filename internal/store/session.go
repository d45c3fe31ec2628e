package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"
)

// Session gives what is kept under the hash of a reader's token; false when
// there is nothing, or its time is over (decisions/0123).
func (s *Store) Session(ctx context.Context, token string, now time.Time) (data []byte, ok bool, err error) {
	err = s.read.GetContext(ctx, &data, s.read.Rebind("SELECT data FROM session WHERE token = ? AND until_us > ?"), token, now.UnixMicro())
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, storeError("read a session", err)
	}
	return data, true, nil
}

// SaveSession keeps a session until then, and forgets those whose time is over.
func (s *Store) SaveSession(ctx context.Context, token string, data []byte, until, now time.Time) error {
	return s.tx(ctx, "keep a session", func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, tx.Rebind("DELETE FROM session WHERE until_us <= ?"), now.UnixMicro()); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, tx.Rebind(`INSERT INTO session (token, data, until_us) VALUES (?, ?, ?)
			ON CONFLICT (token) DO UPDATE SET data = excluded.data, until_us = excluded.until_us`), token, data, until.UnixMicro())
		return err
	})
}

// DropSession ends a session.
func (s *Store) DropSession(ctx context.Context, token string) error {
	return s.tx(ctx, "end a session", func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, tx.Rebind("DELETE FROM session WHERE token = ?"), token)
		return err
	})
}
