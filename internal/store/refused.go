package store

import (
	"context"
	"database/sql"
	"errors"
	"math"
	"slices"
	"time"

	"energyd/sink"
)

// lastPlan gives the run of the plan that was finished last, but for run and for undos, which know nothing of refusals; "" when there is none.
func (s *Store) lastPlan(ctx context.Context, run string) (last string, err error) {
	err = s.read.GetContext(ctx, &last, s.read.Rebind("SELECT run FROM plan WHERE run <> ? AND hash <> '' AND undoes = '' ORDER BY created_us DESC LIMIT 1"), run)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return last, storeError("read journal", err)
}

// RefusedBefore gives those changes of these records that the CRM refused in the
// last plan before run, or that this plan took over from one before it.
func (s *Store) RefusedBefore(ctx context.Context, run, writing string, ids []string) (map[string]sink.Change, error) {
	last, err := s.lastPlan(ctx, run)
	if err != nil {
		return nil, err
	}
	changes, err := s.changesOf(ctx, last, writing, ids, sink.Rejected, sink.Refused, sink.Deferred, sink.Dropped)
	refused := make(map[string]sink.Change, len(changes))
	for _, c := range changes {
		if c.State != sink.Dropped || c.Attempts > 0 { // it was to be sent again, and the plan was not
			refused[c.ID] = c
		}
	}
	return refused, err
}

// Refused gives the changes of the last plan which the CRM refused, in it or
// before, and that plan's run. They are planned again when their values move.
// Those that a person dropped, for ever or until after now, are left out, or are all that it gives.
func (s *Store) Refused(ctx context.Context, dropped bool, now time.Time) (run string, changes []sink.Change, err error) {
	if run, err = s.lastPlan(ctx, ""); err != nil || run == "" {
		return "", nil, err
	}
	changes, err = s.Changes(ctx, run, "", -1, math.MaxInt32, sink.Rejected, sink.Refused, sink.Deferred)
	for i := range changes {
		changes[i].Refusal = changes[i].Awake(now)
	}
	changes = slices.DeleteFunc(changes, func(c sink.Change) bool { return (c.Said == sink.Waive) != dropped })
	for i, c := range changes {
		if c.State == sink.Refused { // it was rejected, in a plan before
			changes[i].State = sink.Rejected
		}
	}
	return run, changes, err
}
