package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/jmoiron/sqlx"

	"energyd/engine"
	"energyd/internal/fault"
	"energyd/sink"
)

// The Store keeps plans, their journal and what the CRM last accepted, for the sink.
var _ sink.Store = (*Store)(nil)

// inChunk is how many values one IN list carries: well below SQLite's and PostgreSQL's limits.
const inChunk = 500

// LastWritten gives the values that the CRM last accepted from us, by record id and field.
func (s *Store) LastWritten(ctx context.Context, writing string, ids []string) (map[string]map[string]any, error) {
	out := make(map[string]map[string]any, len(ids))
	for len(ids) > 0 {
		n := min(inChunk, len(ids))
		query, args, err := sqlx.In("SELECT id, fields FROM written WHERE writing = ? AND id IN (?)", writing, ids[:n])
		if err != nil {
			return nil, storeError("read what was written", err)
		}
		ids = ids[n:]
		var rows []struct{ ID, Fields string }
		if err := s.read.SelectContext(ctx, &rows, s.read.Rebind(query), args...); err != nil {
			return nil, storeError("read what was written", err)
		}
		for _, r := range rows {
			var fields map[string]any
			if err := json.Unmarshal([]byte(r.Fields), &fields); err != nil {
				return nil, storeError("read what was written", fmt.Errorf("%s %s: %w", writing, r.ID, err))
			}
			out[r.ID] = fields
		}
	}
	return out, nil
}

// BeginPlan drops unsent changes of older plans and opens one under the run's id.
func (s *Store) BeginPlan(ctx context.Context, run string) error {
	return s.tx(ctx, "begin plan", func(tx *sqlx.Tx) error {
		for _, q := range []string{
			"UPDATE plan_change SET state = 'dropped' WHERE state IN ('planned', 'deferred') AND run IN (SELECT run FROM plan WHERE state IN ('computing', 'open', 'applying'))",
			"UPDATE plan SET state = 'superseded' WHERE state IN ('computing', 'open', 'applying')",
		} {
			if _, err := tx.ExecContext(ctx, q); err != nil {
				return err
			}
		}
		// What changes in the ledger from here on is not in the plan, and must stay for the next one.
		generation, err := number(ctx, tx, "generation")
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, tx.Rebind("INSERT INTO plan (run, hash, state, created_us, generation, summary) VALUES (?, '', 'computing', 0, ?, '{}')"), run, generation)
		return err
	})
}

// AddChanges appends to the run's plan, and accepts records that need no write, in one transaction.
func (s *Store) AddChanges(ctx context.Context, run string, changes []sink.Change, accepted []sink.Accepted) error {
	return s.ledgerTx(ctx, "keep plan", func(tx *sqlx.Tx) error {
		insert, err := tx.PrepareContext(ctx, tx.Rebind("INSERT INTO plan_change (run, seq, writing, id, name, fields, state, error) VALUES (?, ?, ?, ?, ?, ?, ?, '')"))
		if err != nil {
			return err
		}
		defer insert.Close()
		for _, c := range changes {
			fields, err := json.Marshal(c.Fields)
			if err != nil {
				return err
			}
			if _, err := insert.ExecContext(ctx, run, c.Seq, c.Writing, c.ID, plain(c.Name), plain(string(fields)), string(c.State)); err != nil {
				return err
			}
		}
		return accept(ctx, tx, run, accepted)
	})
}

// accept keeps the values of accepted records, and settles in the ledger those
// that are as we want them, as of the plan's generation.
func accept(ctx context.Context, tx *sqlx.Tx, run string, accepted []sink.Accepted) error {
	if len(accepted) == 0 {
		return nil
	}
	var generation int64
	if err := tx.GetContext(ctx, &generation, tx.Rebind("SELECT generation FROM plan WHERE run = ?"), run); err != nil {
		return err
	}
	upsert, err := tx.PrepareContext(ctx, tx.Rebind("INSERT INTO written (writing, id, fields) VALUES (?, ?, ?) ON CONFLICT (writing, id) DO UPDATE SET fields = excluded.fields"))
	if err != nil {
		return err
	}
	defer upsert.Close()
	var settled []engine.Entity
	for _, a := range accepted {
		if a.Settled {
			settled = append(settled, a.Entity)
		}
		if a.Values == nil {
			continue
		}
		fields, err := json.Marshal(a.Values)
		if err != nil {
			return err
		}
		if _, err := upsert.ExecContext(ctx, a.Writing, a.Entity.ID, string(fields)); err != nil {
			return err
		}
	}
	return settle(ctx, tx, generation, settled)
}

// EndPlan keeps the summary; from then on the plan can be applied by its hash.
func (s *Store) EndPlan(ctx context.Context, sum sink.Summary) error {
	text, err := json.Marshal(sum)
	if err != nil {
		return err
	}
	return s.tx(ctx, "keep plan", func(tx *sqlx.Tx) error {
		return one(tx.ExecContext(ctx, tx.Rebind("UPDATE plan SET hash = ?, state = ?, created_us = ?, summary = ? WHERE run = ? AND state = 'computing'"),
			sum.Plan, string(sum.State), sum.Created.UnixMicro(), plain(string(text)), sum.Run))
	})
}

// one makes a conflict of an update that did not hit exactly one row: another run has moved the plan on.
func one(done sql.Result, err error) error {
	if err != nil {
		return err
	}
	if n, err := done.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return fault.New(fault.Conflict, "plan", "another run has replaced this plan meanwhile", "run energyd plan again", nil)
}

// Plan finds a plan by hash; "" is the latest that was finished.
func (s *Store) Plan(ctx context.Context, hash string) (sink.Summary, bool, error) {
	query, args := "SELECT state, summary FROM plan WHERE hash = ? ORDER BY created_us DESC LIMIT 1", []any{hash}
	if hash == "" {
		query, args = "SELECT state, summary FROM plan WHERE state IN ('open', 'applying', 'done') ORDER BY created_us DESC LIMIT 1", nil
	}
	var row struct{ State, Summary string }
	err := s.read.GetContext(ctx, &row, s.read.Rebind(query), args...)
	if errors.Is(err, sql.ErrNoRows) {
		return sink.Summary{}, false, nil
	}
	if err != nil {
		return sink.Summary{}, false, storeError("read plan", err)
	}
	var sum sink.Summary
	if err := json.Unmarshal([]byte(row.Summary), &sum); err != nil {
		return sum, false, storeError("read plan", err)
	}
	sum.State = sink.PlanState(row.State)
	return sum, true, nil
}

type changeRow struct {
	Run                  string
	Seq                  int
	Writing, ID, Name    string
	Fields, State, Error string
}

func (r changeRow) change() (sink.Change, error) {
	c := sink.Change{Seq: r.Seq, Writing: r.Writing, ID: r.ID, Name: r.Name, State: sink.ChangeState(r.State), Error: r.Error}
	err := json.Unmarshal([]byte(r.Fields), &c.Fields)
	return c, err
}

// Changes gives up to limit changes of a plan in these states (none named: all), after place seq, in order.
func (s *Store) Changes(ctx context.Context, run string, after, limit int, states ...sink.ChangeState) ([]sink.Change, error) {
	query, args := "SELECT run, seq, writing, id, name, fields, state, error FROM plan_change WHERE run = ? AND seq > ?", []any{run, after}
	if len(states) > 0 {
		marks := make([]string, len(states))
		for i, st := range states {
			marks[i] = "?"
			args = append(args, string(st))
		}
		query += " AND state IN (" + strings.Join(marks, ", ") + ")"
	}
	var rows []changeRow
	if err := s.read.SelectContext(ctx, &rows, s.read.Rebind(query+" ORDER BY seq LIMIT ?"), append(args, limit)...); err != nil {
		return nil, storeError("read plan", err)
	}
	changes := make([]sink.Change, len(rows))
	for i, r := range rows {
		var err error
		if changes[i], err = r.change(); err != nil {
			return nil, storeError("read plan", err)
		}
	}
	return changes, nil
}

// CountChanges counts a plan's changes by state.
func (s *Store) CountChanges(ctx context.Context, run string) (map[sink.ChangeState]int, error) {
	var rows []struct {
		State string
		N     int
	}
	if err := s.read.SelectContext(ctx, &rows, s.read.Rebind("SELECT state, COUNT(*) AS n FROM plan_change WHERE run = ? GROUP BY state"), run); err != nil {
		return nil, storeError("read plan", err)
	}
	counts := make(map[sink.ChangeState]int, len(rows))
	for _, r := range rows {
		counts[sink.ChangeState(r.State)] = r.N
	}
	return counts, nil
}

// MarkSending journals that these changes are about to be sent. It refuses
// changes that were taken away meanwhile (conflict).
func (s *Store) MarkSending(ctx context.Context, run string, seqs []int) error {
	return s.tx(ctx, "journal", func(tx *sqlx.Tx) error {
		query, args, err := sqlx.In("UPDATE plan_change SET state = 'sending' WHERE run = ? AND state IN ('planned', 'deferred') AND seq IN (?)", run, seqs)
		if err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, tx.Rebind(query), args...)
		if err != nil {
			return err
		}
		if n, err := done.RowsAffected(); err != nil || int(n) == len(seqs) {
			return err
		}
		return fault.New(fault.Conflict, "journal", "another run has replaced this plan meanwhile", "run energyd plan again", nil)
	})
}

// Keep stores the answers to changes, and accepts the written ones, in one transaction.
func (s *Store) Keep(ctx context.Context, run string, answered []sink.Change, accepted []sink.Accepted) error {
	return s.ledgerTx(ctx, "journal", func(tx *sqlx.Tx) error {
		update, err := tx.PrepareContext(ctx, tx.Rebind("UPDATE plan_change SET state = ?, error = ? WHERE run = ? AND seq = ?"))
		if err != nil {
			return err
		}
		defer update.Close()
		for _, c := range answered {
			if _, err := update.ExecContext(ctx, string(c.State), plain(c.Error), run, c.Seq); err != nil {
				return err
			}
		}
		return accept(ctx, tx, run, accepted)
	})
}

// SetPlanState moves an open plan on. Faults: conflict (it was replaced).
func (s *Store) SetPlanState(ctx context.Context, run string, state sink.PlanState) error {
	return s.tx(ctx, "journal", func(tx *sqlx.Tx) error {
		return one(tx.ExecContext(ctx, tx.Rebind("UPDATE plan SET state = ? WHERE run = ? AND state IN ('open', 'applying')"), string(state), run))
	})
}

// Unanswered gives changes of any plan that were being sent when a run was killed, by the plan's run.
func (s *Store) Unanswered(ctx context.Context) (map[string][]sink.Change, error) {
	var rows []changeRow
	if err := s.read.SelectContext(ctx, &rows, "SELECT run, seq, writing, id, name, fields, state, error FROM plan_change WHERE state = 'sending' ORDER BY run, seq"); err != nil {
		return nil, storeError("read journal", err)
	}
	out := map[string][]sink.Change{}
	for _, r := range rows {
		c, err := r.change()
		if err != nil {
			return nil, storeError("read journal", err)
		}
		out[r.Run] = append(out[r.Run], c)
	}
	return out, nil
}

// Refused gives the changes of the plan that was applied last which the CRM
// refused, and that plan's run. They are planned again until the CRM takes them.
func (s *Store) Refused(ctx context.Context) (run string, changes []sink.Change, err error) {
	var rows []changeRow
	err = s.read.SelectContext(ctx, &rows, `SELECT run, seq, writing, id, name, fields, state, error FROM plan_change
		WHERE state IN ('rejected', 'deferred') AND run = (SELECT MAX(run) FROM plan_change WHERE state NOT IN ('planned', 'dropped')) ORDER BY seq`)
	if err != nil {
		return "", nil, storeError("read journal", err)
	}
	for _, r := range rows {
		c, err := r.change()
		if err != nil {
			return "", nil, storeError("read journal", err)
		}
		run, changes = r.Run, append(changes, c)
	}
	return run, changes, nil
}
