package store

import (
	"context"
	"encoding/json"
	"time"

	"github.com/jmoiron/sqlx"

	"energyd/connectors"
)

// AddCalls adds n calls that a connection made in the hour of at, and keeps how
// it then stands with its budget. Hours older than two days are forgotten.
func (s *Store) AddCalls(ctx context.Context, connection string, at time.Time, n int, u connectors.Usage) error {
	usage, err := json.Marshal(u)
	if err != nil {
		return err
	}
	return s.tx(ctx, "count calls", func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, tx.Rebind("INSERT INTO api_call (connection, hour_us, calls) VALUES (?, ?, ?) ON CONFLICT (connection, hour_us) "+
			"DO UPDATE SET calls = api_call.calls + excluded.calls"), connection, at.Truncate(time.Hour).UnixMicro(), n)
		if err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, tx.Rebind("DELETE FROM api_call WHERE hour_us < ?"), at.Add(-48*time.Hour).UnixMicro()); err != nil {
			return err
		}
		if u.Limit == 0 {
			return nil // it tells nothing
		}
		_, err = tx.ExecContext(ctx, tx.Rebind("INSERT INTO api_usage (connection, seen_us, usage) VALUES (?, ?, ?) ON CONFLICT (connection) "+
			"DO UPDATE SET seen_us = excluded.seen_us, usage = excluded.usage"), connection, at.UnixMicro(), string(usage))
		return err
	})
}

// Calls gives a connection's calls since then, by the hour; the hour of since counts whole.
func (s *Store) Calls(ctx context.Context, connection string, since time.Time) ([]connectors.Calls, error) {
	var rows []struct {
		Hour  int64 `db:"hour_us"`
		Calls int
	}
	err := s.read.SelectContext(ctx, &rows, s.read.Rebind("SELECT hour_us, calls FROM api_call WHERE connection = ? AND hour_us >= ? ORDER BY hour_us"),
		connection, since.Truncate(time.Hour).UnixMicro())
	calls := make([]connectors.Calls, len(rows))
	for i, r := range rows {
		calls[i] = connectors.Calls{Hour: time.UnixMicro(r.Hour).UTC(), N: r.Calls}
	}
	return calls, storeError("read calls", err)
}

// SeenUsage is how a connection stood with its budget of calls when it was last seen.
type SeenUsage struct {
	Connection string    `json:"connection"`
	Seen       time.Time `json:"seen"` // UTC
	connectors.Usage
}

// Usages gives what was last seen of the connections that count their calls, by name.
func (s *Store) Usages(ctx context.Context) ([]SeenUsage, error) {
	var rows []struct {
		Connection string
		Seen       int64 `db:"seen_us"`
		Usage      string
	}
	if err := s.read.SelectContext(ctx, &rows, "SELECT connection, seen_us, usage FROM api_usage ORDER BY connection"); err != nil {
		return nil, storeError("read usage", err)
	}
	all := make([]SeenUsage, len(rows))
	for i, r := range rows {
		all[i] = SeenUsage{Connection: r.Connection, Seen: time.UnixMicro(r.Seen).UTC()}
		if err := json.Unmarshal([]byte(r.Usage), &all[i].Usage); err != nil {
			return nil, storeError("read usage", err)
		}
	}
	return all, nil
}
