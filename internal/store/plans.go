package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"time"

	"github.com/jmoiron/sqlx"

	"energyd/sink"
)

// CountWritten counts the records of a Writing that hold values of ours. Those that a plan
// found equal to what it wanted count too.
func (s *Store) CountWritten(ctx context.Context, writing string) (n int, err error) {
	err = s.read.GetContext(ctx, &n, s.read.Rebind("SELECT COUNT(*) FROM written WHERE writing = ? AND fields <> '{}'"), writing)
	return n, storeError("count what was written", err)
}

// EverWrote tells whether the CRM took any change of a Writing whose journal is still kept.
func (s *Store) EverWrote(ctx context.Context, writing string) (bool, error) {
	var one int
	err := s.read.GetContext(ctx, &one, s.read.Rebind("SELECT 1 FROM plan_change WHERE writing = ? AND state = 'written' LIMIT 1"), writing)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, storeError("read journal", err)
}

// Reads tells of each of these sources when it was last read, and the records
// read and rejected by runs that began after the last write-back.
func (s *Store) Reads(ctx context.Context, sources []string) ([]sink.Read, error) {
	var since int64
	err := s.read.GetContext(ctx, &since, `SELECT created_us FROM plan WHERE hash <> '' AND undoes = ''
		AND EXISTS (SELECT 1 FROM plan_change c WHERE c.run = plan.run AND c.state = 'written') ORDER BY created_us DESC LIMIT 1`)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return nil, storeError("read plans", err)
	}
	var rows []struct {
		Source         string
		LastUS         int64 `db:"last_us"`
		Read, Rejected int
	}
	if err := s.read.SelectContext(ctx, &rows, s.read.Rebind(`SELECT source, MAX(started_us) AS last_us,
		SUM(CASE WHEN started_us > ? THEN read ELSE 0 END) AS read, SUM(CASE WHEN started_us > ? THEN rejected ELSE 0 END) AS rejected
		FROM run_source JOIN run ON run.id = run_source.run GROUP BY source`), since, since); err != nil {
		return nil, storeError("read runs", err)
	}
	reads := make([]sink.Read, len(sources))
	for i, source := range sources {
		reads[i] = sink.Read{Source: source, First: since == 0}
		for _, r := range rows {
			if r.Source == source {
				reads[i].Last, reads[i].Read, reads[i].Rejected = time.UnixMicro(r.LastUS).UTC(), r.Read, r.Rejected
			}
		}
	}
	return reads, nil
}

// PurgePlans deletes records' changes that nobody needs any more: all of plans made
// before kept, and those that were never sent of plans made before expired. The plans themselves
// stay with their counts, as does the journal; so do the last plan, whose refusals the next
// one takes over, and what may still be with the CRM.
func (s *Store) PurgePlans(ctx context.Context, kept, expired time.Time) error {
	last, err := s.lastPlan(ctx, "")
	if err != nil {
		return err
	}
	var plans []struct {
		Run, Summary string
		CreatedUS    int64 `db:"created_us"`
	}
	if err := s.read.SelectContext(ctx, &plans, s.read.Rebind(`SELECT run, summary, created_us FROM plan WHERE created_us < ? AND run <> ?
		AND (state IN ('done', 'superseded') AND created_us < ? AND EXISTS (SELECT 1 FROM plan_change c WHERE c.run = plan.run)
			OR state = 'superseded' AND EXISTS (SELECT 1 FROM plan_change c WHERE c.run = plan.run AND c.state = 'dropped'))`),
		max(kept.UnixMicro(), expired.UnixMicro()), last, kept.UnixMicro()); err != nil {
		return storeError("purge plans", err)
	}
	for _, plan := range plans { // one by one: others may want to write meanwhile
		old := plan.CreatedUS < kept.UnixMicro()
		if err := s.tx(ctx, "purge plans", func(tx *sqlx.Tx) error { return purgePlan(ctx, tx, plan.Run, plan.Summary, old) }); err != nil {
			return err
		}
	}
	return nil
}

func purgePlan(ctx context.Context, tx *sqlx.Tx, run, summary string, old bool) error {
	which := "state = 'dropped'"
	if old {
		which = "state <> 'sending'"
	}
	if _, err := tx.ExecContext(ctx, tx.Rebind("DELETE FROM plan_change WHERE run = ? AND "+which), run); err != nil || !old {
		return err
	}
	var sum sink.Summary
	if err := json.Unmarshal([]byte(summary), &sum); err != nil {
		return err
	}
	text, err := json.Marshal(sum.Counts())
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, tx.Rebind("UPDATE plan SET summary = ? WHERE run = ?"), plain(string(text)), run)
	return err
}
