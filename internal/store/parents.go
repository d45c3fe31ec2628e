package store

import (
	"context"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"energyd/engine"
)

// Placed is what the CRM said of the account that one stands under.
type Placed struct {
	Account string
	Since   time.Time // UTC
	Parent  string    // "" = none
}

// rolledName tells by which links accounts are rolled up into groups.
const rolledName = "groups"

// tellParents notes under which accounts some accounts stand now, where that was not said last.
func tellParents(ctx context.Context, tx *sqlx.Tx, ids []any, read time.Time) error {
	if len(ids) == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, tx.Rebind(`INSERT INTO parent (account, since_us, parent) SELECT id, `+since+`, parent FROM entity
		WHERE kind = ? AND deleted = 0 AND id IN (?`+strings.Repeat(", ?", len(ids)-1)+`) AND NOT EXISTS (SELECT 1 FROM parent p
			WHERE p.account = entity.id AND p.parent = entity.parent
			AND p.since_us = (SELECT MAX(since_us) FROM parent last WHERE last.account = entity.id))
		ON CONFLICT (account, since_us) DO UPDATE SET parent = excluded.parent`),
		append(append(sinceArgs(read), engine.Account), ids...)...)
	return err
}

// Placements gives what was said of the accounts that ever stood under others, by account and time.
func (s *Store) Placements(ctx context.Context) ([]Placed, error) {
	var rows []struct {
		Account, Parent string
		Since           int64 `db:"since_us"`
	}
	err := s.read.SelectContext(ctx, &rows, `SELECT account, since_us, parent FROM parent
		WHERE account IN (SELECT account FROM parent WHERE parent <> '') ORDER BY account, since_us`)
	placed := make([]Placed, len(rows))
	for i, r := range rows {
		placed[i] = Placed{r.Account, time.UnixMicro(r.Since).UTC(), r.Parent}
	}
	return placed, storeError("read the groups", err)
}

// RollUp makes the groups' entries of the ledger anew, out of those of the
// accounts, unless they were made by the same links. by tells the links.
// above gives the groups for which an account's cells count.
func (s *Store) RollUp(ctx context.Context, sc Scorer, asOf engine.Date, by string, above func(engine.Contribution, func(engine.Contribution))) error {
	var last []string
	if err := s.read.SelectContext(ctx, &last, s.read.Rebind("SELECT value FROM meta WHERE name = ?"), rolledName); err != nil {
		return storeError("read the groups", err)
	}
	if append(last, "")[0] == by {
		return nil
	}
	return s.ledgerTx(ctx, "roll up", func(tx *sqlx.Tx) error {
		f, err := s.newFold(ctx, tx, sc, asOf)
		if err != nil {
			return err
		}
		if err := f.rollUp(above); err != nil {
			return err
		}
		return note(ctx, tx, rolledName, by)
	})
}

// rollUp takes away what the groups had, and gives what they have.
func (f *fold) rollUp(above func(engine.Contribution, func(engine.Contribution))) error {
	for data, err := range scan(f.ctx, f.tx, ledgerTable.name, "TRUE", signed(0), signed(1<<kindShift-1)) {
		if err != nil {
			return err
		}
		entries, err := decodeLedger(data)
		if err != nil {
			return err
		}
		for _, e := range entries {
			if e.kind != engine.Account && e.kind != engine.CompanyGroup {
				continue
			}
			entry, err := e.open()
			if err != nil {
				return err
			}
			for _, cell := range entry.Cells {
				c := engine.Contribution{Entity: entry.Entity, Cell: cell}
				if e.kind == engine.CompanyGroup {
					c.Cell = c.Minus()
					f.tally.put(c)
				} else {
					above(c, f.tally.put)
				}
			}
		}
		if f.tally.cells >= tallyCells {
			f.tally.pack()
		}
	}
	return f.tally.flush()
}
