package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"

	"energyd/internal/fault"
)

// CopyTo writes all that the store holds at one moment into another, empty
// store, of whichever kind, and reads it back: either all of it is there
// afterwards, by counts and hashes, or nothing. Others may use this store
// meanwhile; what they write then is not in the copy.
// Faults: config (the other store is not empty), conflict (a run is at work on it), unavailable.
func (s *Store) CopyTo(ctx context.Context, to *Store) (sums []TableSum, err error) {
	const op = "copy the store"
	tables, err := layout(ctx)
	if err != nil {
		return nil, storeError(op, err)
	}
	hold, err := to.Lock(ctx, Scores)
	if err != nil {
		return nil, err
	}
	err = s.snapshot(ctx, op, func(from *sqlx.Tx) error {
		return to.tx(ctx, op, func(into *sqlx.Tx) error {
			if err := empty(ctx, into, tables); err != nil {
				return err
			}
			var written []TableSum
			for _, t := range tables {
				sum, err := to.fill(ctx, into, t, from)
				if err != nil {
					return fmt.Errorf("table %s: %w", t.Name, err)
				}
				sums = append(sums, sum)
				if sum, err = t.read(ctx, into, nil); err != nil {
					return err
				}
				written = append(written, sum)
			}
			return differing(sums, written)
		})
	})
	return sums, errors.Join(err, hold.Leave())
}

// snapshot runs f in a transaction that sees the store as it is now, whatever others write meanwhile.
func (s *Store) snapshot(ctx context.Context, op string, f func(*sqlx.Tx) error) error {
	var opt *sql.TxOptions // SQLite's transactions are snapshots
	if s.postgres {
		opt = &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true}
	}
	tx, err := s.read.BeginTxx(ctx, opt)
	if err != nil {
		return storeError(op, err)
	}
	return storeError(op, errors.Join(f(tx), rollback(tx)))
}

// empty refuses a store that holds anything.
func empty(ctx context.Context, tx *sqlx.Tx, tables []relation) error {
	for _, t := range tables {
		var found bool
		if err := tx.GetContext(ctx, &found, "SELECT EXISTS (SELECT 1 FROM "+quoted([]string{t.Name})+")"); err != nil {
			return err
		}
		if found {
			return fault.New(fault.Config, "", "the other store is not empty: its table "+t.Name+" holds something",
				"name a file that is not there yet, or a new database; nothing was changed", nil)
		}
	}
	return nil
}

// fill copies a table's rows into an empty one.
func (s *Store) fill(ctx context.Context, into *sqlx.Tx, t relation, from *sqlx.Tx) (TableSum, error) {
	where := quoted([]string{t.Name}) + " (" + quoted(t.names()) + ")"
	statement := "INSERT INTO " + where + " VALUES (?" + strings.Repeat(", ?", len(t.columns)-1) + ")"
	if s.postgres {
		statement = "COPY " + where + " FROM STDIN"
	}
	insert, err := into.PrepareContext(ctx, statement)
	if err != nil {
		return TableSum{}, err
	}
	defer insert.Close()
	sum, err := t.read(ctx, from, func(row []any) error {
		_, err := insert.ExecContext(ctx, row...)
		return err
	})
	if err != nil || !s.postgres {
		return sum, err
	}
	if _, err := insert.ExecContext(ctx); err != nil { // the end of COPY
		return sum, err
	}
	return sum, continueNumbers(ctx, into, t)
}

// continueNumbers lets PostgreSQL's numbers go on after the largest that was copied, as SQLite's do by themselves.
func continueNumbers(ctx context.Context, tx *sqlx.Tx, t relation) error {
	var numbered []string
	err := tx.SelectContext(ctx, &numbered, `SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1
		AND pg_get_serial_sequence(quote_ident(table_name), column_name) IS NOT NULL`, t.Name)
	if err != nil {
		return err
	}
	for _, c := range numbered {
		last := fmt.Sprintf("SELECT setval(pg_get_serial_sequence($1, $2), MAX(%s)) FROM %s", quoted([]string{c}), quoted([]string{t.Name}))
		if _, err := tx.ExecContext(ctx, last, t.Name, c); err != nil {
			return err
		}
	}
	return nil
}
