package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jmoiron/sqlx"

	"energyd/connectors"
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
		insert, err := tx.PrepareContext(ctx, tx.Rebind("INSERT INTO plan_change (run, seq, writing, id, name, fields, state, error, class, hint, said, until_us, attempts, tried_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"))
		if err != nil {
			return err
		}
		defer insert.Close()
		for _, c := range changes {
			fields, err := json.Marshal(c.Fields)
			if err != nil {
				return err
			}
			if _, err := insert.ExecContext(ctx, run, c.Seq, c.Writing, c.ID, plain(c.Name), plain(string(fields)), string(c.State), plain(c.Error),
				string(c.Class), c.Hint, string(c.Said), microsOf(c.Until), c.Attempts, microsOf(c.Tried)); err != nil {
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
	undone, err := tx.PrepareContext(ctx, tx.Rebind("UPDATE written SET undone = ? WHERE writing = ? AND id = ?"))
	if err != nil {
		return err
	}
	defer undone.Close()
	var settled []engine.Entity
	for _, a := range accepted {
		if a.Settled {
			settled = append(settled, a.Entity)
		}
		if a.Values != nil {
			fields, err := json.Marshal(a.Values)
			if err != nil {
				return err
			}
			if _, err := upsert.ExecContext(ctx, a.Writing, a.Entity.ID, string(fields)); err != nil {
				return err
			}
		}
		if a.Undone != nil {
			text, err := undoneText(*a.Undone)
			if err != nil {
				return err
			}
			if _, err := undone.ExecContext(ctx, text, a.Writing, a.Entity.ID); err != nil {
				return err
			}
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
		return one(tx.ExecContext(ctx, tx.Rebind("UPDATE plan SET hash = ?, state = ?, created_us = ?, summary = ?, undoes = ? WHERE run = ? AND state = 'computing'"),
			sum.Plan, string(sum.State), sum.Created.UnixMicro(), plain(string(text)), sum.Undoes, sum.Run))
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
	return replaced("plan")
}

func replaced(op string) error {
	return fault.New(fault.Conflict, op, "another run has replaced this plan meanwhile", "run energyd plan again", nil)
}

// Plan finds a plan by hash; "" is the latest that was finished.
func (s *Store) Plan(ctx context.Context, hash string) (sink.Summary, bool, error) {
	query, args := "SELECT state, summary FROM plan WHERE hash = ? ORDER BY created_us DESC LIMIT 1", []any{hash}
	if hash == "" {
		query, args = "SELECT state, summary FROM plan WHERE state IN ('open', 'applying', 'done') ORDER BY created_us DESC LIMIT 1", nil
	}
	return s.plan(ctx, query, args...)
}

func (s *Store) plan(ctx context.Context, query string, args ...any) (sink.Summary, bool, error) {
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
	Seq                  int64
	Writing, ID, Name    string
	Fields, State, Error string
	Class, Hint, Said    string
	Until                int64 `db:"until_us"`
	Attempts             int
	Tried                int64 `db:"tried_us"`
}

func (r changeRow) change() (sink.Change, error) {
	c := sink.Change{Seq: r.Seq, Writing: r.Writing, ID: r.ID, Name: r.Name, State: sink.ChangeState(r.State), Error: r.Error,
		Refusal: sink.Refusal{Class: connectors.Class(r.Class), Hint: r.Hint, Said: sink.Said(r.Said), Until: micros(r.Until), Attempts: r.Attempts, Tried: micros(r.Tried)}}
	err := json.Unmarshal([]byte(r.Fields), &c.Fields)
	return c, err
}

const selectChange = "SELECT run, seq, writing, id, name, fields, state, error, class, hint, said, until_us, attempts, tried_us FROM plan_change "

func decodeChanges(rows []changeRow) ([]sink.Change, error) {
	changes := make([]sink.Change, len(rows))
	for i, r := range rows {
		var err error
		if changes[i], err = r.change(); err != nil {
			return nil, storeError("read plan", err)
		}
	}
	return changes, nil
}

// Changes gives up to limit changes of a plan in these states (none named: all), after place
// seq, in order; of one Writing, or of all for "".
func (s *Store) Changes(ctx context.Context, run, writing string, after int64, limit int, states ...sink.ChangeState) ([]sink.Change, error) {
	query, args := selectChange+"WHERE run = ? AND seq > ?", []any{run, after}
	if writing != "" {
		query, args = query+" AND writing = ?", append(args, writing)
	}
	if len(states) > 0 {
		query, args = query+" AND "+inStates(states), append(args, values(states)...)
	}
	var rows []changeRow
	if err := s.read.SelectContext(ctx, &rows, s.read.Rebind(query+" ORDER BY seq LIMIT ?"), append(args, limit)...); err != nil {
		return nil, storeError("read plan", err)
	}
	return decodeChanges(rows)
}

func inStates(states []sink.ChangeState) string {
	return "state IN (" + strings.Repeat(", ?", len(states))[2:] + ")"
}

func values(states []sink.ChangeState) []any {
	v := make([]any, len(states))
	for i, s := range states {
		v[i] = string(s)
	}
	return v
}

// ChangesOf gives those changes of one Writing that wait to be sent and are for these records.
func (s *Store) ChangesOf(ctx context.Context, run, writing string, ids []string) ([]sink.Change, error) {
	return s.changesOf(ctx, run, writing, ids, sink.Planned, sink.Deferred)
}

func (s *Store) changesOf(ctx context.Context, run, writing string, ids []string, states ...sink.ChangeState) ([]sink.Change, error) {
	var all []changeRow
	for some := range slices.Chunk(ids, inChunk) {
		query, args, err := sqlx.In(selectChange+"WHERE run = ? AND writing = ? AND id IN (?) AND state IN (?)", run, writing, some, values(states))
		if err != nil {
			return nil, storeError("read plan", err)
		}
		var rows []changeRow
		if err := s.read.SelectContext(ctx, &rows, s.read.Rebind(query), args...); err != nil {
			return nil, storeError("read plan", err)
		}
		all = append(all, rows...)
	}
	return decodeChanges(all)
}

// CountChanges counts a plan's changes by state; of one Writing, or of all for "".
func (s *Store) CountChanges(ctx context.Context, run, writing string) (map[sink.ChangeState]int, error) {
	var rows []struct {
		State string
		N     int
	}
	if err := s.read.SelectContext(ctx, &rows, s.read.Rebind("SELECT state, COUNT(*) AS n FROM plan_change WHERE run = ? AND (? = '' OR writing = ?) GROUP BY state"), run, writing, writing); err != nil {
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
func (s *Store) MarkSending(ctx context.Context, run string, seqs []int64) error {
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
		return replaced("journal")
	})
}

// Keep stores the answers to changes, and accepts the written ones, in one transaction.
func (s *Store) Keep(ctx context.Context, run string, answered []sink.Change, accepted []sink.Accepted) error {
	return s.ledgerTx(ctx, "journal", func(tx *sqlx.Tx) error {
		update, err := tx.PrepareContext(ctx, tx.Rebind("UPDATE plan_change SET state = ?, error = ?, class = ?, hint = ?, attempts = ?, tried_us = ? WHERE run = ? AND seq = ?"))
		if err != nil {
			return err
		}
		defer update.Close()
		for _, c := range answered {
			if _, err := update.ExecContext(ctx, string(c.State), plain(c.Error), string(c.Class), c.Hint, c.Attempts, microsOf(c.Tried), run, c.Seq); err != nil {
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

// Unanswered gives up to limit changes of one plan that were being sent when a
// run was killed, and that plan's run.
func (s *Store) Unanswered(ctx context.Context, limit int) (run string, changes []sink.Change, err error) {
	var rows []changeRow
	err = s.read.SelectContext(ctx, &rows, s.read.Rebind(selectChange+`WHERE state = 'sending'
		AND run = (SELECT MIN(run) FROM plan_change WHERE state = 'sending') ORDER BY seq LIMIT ?`), limit)
	if err != nil || len(rows) == 0 {
		return "", nil, storeError("read journal", err)
	}
	changes, err = decodeChanges(rows)
	return rows[0].Run, changes, err
}

// BeginJob journals that a job is about to be opened.
func (s *Store) BeginJob(ctx context.Context, job sink.Job) error {
	return s.tx(ctx, "journal", func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, tx.Rebind("INSERT INTO plan_job (run, writing, job, opened_us, state) VALUES (?, ?, '', ?, 'opening')"),
			job.Run, job.Writing, job.Opened.UnixMicro())
		return err
	})
}

// SendJob journals the id that the job got, and that all changes of its Writing
// in these states are about to be sent with it; it gives their number. It
// refuses when they were taken away meanwhile (conflict).
func (s *Store) SendJob(ctx context.Context, job sink.Job, states ...sink.ChangeState) (int, error) {
	var sent int64
	err := s.tx(ctx, "journal", func(tx *sqlx.Tx) error {
		if err := one(tx.ExecContext(ctx, tx.Rebind("UPDATE plan_job SET job = ?, state = 'sent' WHERE run = ? AND writing = ? AND state = 'opening'"),
			job.ID, job.Run, job.Writing)); err != nil {
			return err
		}
		done, err := tx.ExecContext(ctx, tx.Rebind("UPDATE plan_change SET state = 'sending' WHERE run = ? AND writing = ? AND "+inStates(states)),
			append([]any{job.Run, job.Writing}, values(states)...)...)
		if err != nil {
			return err
		}
		if sent, err = done.RowsAffected(); err != nil || sent > 0 {
			return err
		}
		return replaced("journal")
	})
	return int(sent), err
}

// SetJobAnswered journals that all answers of the job are kept.
func (s *Store) SetJobAnswered(ctx context.Context, job sink.Job) error {
	return s.tx(ctx, "journal", func(tx *sqlx.Tx) error {
		return one(tx.ExecContext(ctx, tx.Rebind("UPDATE plan_job SET state = 'answered' WHERE run = ? AND writing = ? AND job = ?"), job.Run, job.Writing, job.ID))
	})
}

// DropJob forgets a job that the CRM no longer holds.
func (s *Store) DropJob(ctx context.Context, job sink.Job) error {
	return s.tx(ctx, "journal", func(tx *sqlx.Tx) error {
		_, err := tx.ExecContext(ctx, tx.Rebind("DELETE FROM plan_job WHERE run = ? AND writing = ? AND (job = ? OR state = 'opening')"), job.Run, job.Writing, job.ID)
		return err
	})
}

// Jobs gives the jobs that the CRM may hold, the oldest first.
func (s *Store) Jobs(ctx context.Context) ([]sink.Job, error) {
	var rows []struct {
		Run, Writing, Job, State string
		OpenedUS                 int64 `db:"opened_us"`
	}
	if err := s.read.SelectContext(ctx, &rows, "SELECT run, writing, job, state, opened_us FROM plan_job ORDER BY opened_us, run, writing, job"); err != nil {
		return nil, storeError("read journal", err)
	}
	jobs := make([]sink.Job, len(rows))
	for i, r := range rows {
		jobs[i] = sink.Job{Run: r.Run, Writing: r.Writing, ID: r.Job, State: sink.JobState(r.State), Opened: time.UnixMicro(r.OpenedUS).UTC()}
	}
	return jobs, nil
}
