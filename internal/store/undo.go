package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"

	"energyd/internal/fault"
	"energyd/sink"
)

func undoneText(u sink.Undone) (string, error) {
	if len(u.Fields) == 0 {
		return "", nil
	}
	text, err := json.Marshal(u)
	return plain(string(text)), err
}

// Undone gives what undos took out of these records, of those that hold something back.
func (s *Store) Undone(ctx context.Context, writing string, ids []string) (map[string]sink.Undone, error) {
	out := map[string]sink.Undone{}
	for some := range slices.Chunk(ids, inChunk) {
		query, args, err := sqlx.In("SELECT id, undone FROM written WHERE writing = ? AND undone <> '' AND id IN (?)", writing, some)
		if err != nil {
			return nil, storeError("read what was undone", err)
		}
		var rows []undoneRow
		if err := s.read.SelectContext(ctx, &rows, s.read.Rebind(query), args...); err != nil {
			return nil, storeError("read what was undone", err)
		}
		for _, r := range rows {
			if out[r.ID], err = r.undone(); err != nil {
				return nil, storeError("read what was undone", err)
			}
		}
	}
	return out, nil
}

type undoneRow struct{ ID, Undone string }

func (r undoneRow) undone() (u sink.Undone, err error) {
	if err := json.Unmarshal([]byte(r.Undone), &u); err != nil {
		return u, fmt.Errorf("%s: %w", r.ID, err)
	}
	return u, nil
}

// HeldBack counts the records of a Writing that hold something back and are not
// in a run's plan, and gives up to limit of them.
func (s *Store) HeldBack(ctx context.Context, run, writing string, limit int) (n int, some []sink.HeldBack, err error) {
	const which = ` FROM written WHERE writing = ? AND undone <> '' AND NOT EXISTS
		(SELECT 1 FROM plan_change c WHERE c.run = ? AND c.writing = written.writing AND c.id = written.id AND c.state = 'planned')`
	if err := s.read.GetContext(ctx, &n, s.read.Rebind("SELECT COUNT(*)"+which), writing, run); err != nil || n == 0 {
		return 0, nil, storeError("read what was undone", err)
	}
	var rows []undoneRow
	if err := s.read.SelectContext(ctx, &rows, s.read.Rebind("SELECT id, undone"+which+" ORDER BY id LIMIT ?"), writing, run, limit); err != nil {
		return 0, nil, storeError("read what was undone", err)
	}
	for _, r := range rows {
		u, err := r.undone()
		if err != nil {
			return 0, nil, storeError("read what was undone", err)
		}
		some = append(some, sink.HeldBack{Writing: writing, ID: r.ID, Name: u.Name, Undo: u.Run})
	}
	return n, some, nil
}

// Sent gives up to limit changes of a plan that the CRM took, or may have taken
// (their run was killed), after place seq; of one record, or of all for "".
func (s *Store) Sent(ctx context.Context, run, record string, after int64, limit int) ([]sink.Change, error) {
	var rows []changeRow
	err := s.read.SelectContext(ctx, &rows, s.read.Rebind(selectChange+`WHERE run = ? AND seq > ? AND (? = '' OR id = ?)
		AND state IN ('written', 'sending') ORDER BY seq LIMIT ?`), run, after, record, record, limit)
	if err != nil {
		return nil, storeError("read journal", err)
	}
	return decodeChanges(rows)
}

// IsUndo tells whether a run's plan takes back another.
func (s *Store) IsUndo(ctx context.Context, run string) (bool, error) {
	var undoes string
	err := s.read.GetContext(ctx, &undoes, s.read.Rebind("SELECT undoes FROM plan WHERE run = ?"), run)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return undoes != "", storeError("read plan", err)
}

// PlanOf finds the plan that a run made or sent; name may also be the plan's
// hash. Faults: config (there is no such run, or it had no plan).
func (s *Store) PlanOf(ctx context.Context, name string) (sink.Summary, error) {
	for _, which := range []string{
		"run = ?",
		"run IN (SELECT subject FROM journal WHERE run = ? AND act = '" + Applied + "')",
		"hash = ?",
	} {
		sum, ok, err := s.plan(ctx, "SELECT state, summary FROM plan WHERE "+which+" ORDER BY created_us DESC LIMIT 1", name)
		if err != nil || ok {
			if sum.Run == "" { // it was killed before its plan was whole
				sum.Run = name
			}
			return sum, err
		}
	}
	run, err := s.Run(ctx, name)
	if err != nil {
		return sink.Summary{}, err
	}
	return sink.Summary{}, fault.New(fault.Config, "undo", fmt.Sprintf("run %s (%s) wrote nothing to the CRM", run.ID, run.Kind), "energyd export journal lists the runs that did", nil)
}
