package store

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"time"

	"github.com/jmoiron/sqlx"
)

// Session gives what is kept under the hash of a reader's token; false when
// there is nothing, or its time is over (decisions/0123).
func (s *Store) Session(ctx context.Context, token string, now time.Time) (data []byte, ok bool, err error) {
	db, err := s.readers(ctx)
	if err != nil {
		return nil, false, storeError("read a session", err)
	}
	err = db.GetContext(ctx, &data, db.Rebind("SELECT data FROM session WHERE token = ? AND until_us > ?"), token, now.UnixMicro())
	if errors.Is(err, sql.ErrNoRows) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, storeError("read a session", err)
	}
	return data, true, nil
}

// SaveSession keeps a session until then, and forgets those whose time is over. It waits for no run (decisions/0148).
func (s *Store) SaveSession(ctx context.Context, token string, data []byte, until, now time.Time) error {
	db, err := s.readers(ctx)
	if err != nil {
		return storeError("keep a session", err)
	}
	if _, err := db.ExecContext(ctx, db.Rebind("DELETE FROM session WHERE until_us <= ?"), now.UnixMicro()); err != nil {
		return storeError("keep a session", err)
	}
	_, err = db.ExecContext(ctx, db.Rebind(`INSERT INTO session (token, data, until_us) VALUES (?, ?, ?)
		ON CONFLICT (token) DO UPDATE SET data = excluded.data, until_us = excluded.until_us`), token, data, until.UnixMicro())
	return storeError("keep a session", err)
}

// DropSession ends a session. It waits for no run.
func (s *Store) DropSession(ctx context.Context, token string) error {
	db, err := s.readers(ctx)
	if err == nil {
		_, err = db.ExecContext(ctx, db.Rebind("DELETE FROM session WHERE token = ?"), token)
	}
	return storeError("end a session", err)
}

// readers is where sessions are kept: in PostgreSQL beside everything else; with SQLite, which has one writer
// and a fold at it for minutes, in a file of their own, which is made when somebody signs on.
func (s *Store) readers(ctx context.Context) (*sqlx.DB, error) {
	if s.postgres {
		return s.write, nil
	}
	s.door.Lock()
	defer s.door.Unlock()
	if s.signedOn != nil {
		return s.signedOn, nil
	}
	f, err := os.OpenFile(s.sessionFile, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	_ = f.Close()
	db, err := sqlx.Open("sqlite", "file:"+escaped(s.sessionFile)+"?_pragma=busy_timeout(5000)")
	if err != nil {
		return nil, err
	}
	if _, err := db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS session (token TEXT PRIMARY KEY, data BLOB NOT NULL, until_us INTEGER NOT NULL)"); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s.signedOn = db
	return db, nil
}
