package store_test

import (
	"fmt"
	"testing"
	"time"

	"energyd/sink"
)

// What a plan's age takes away: what was never sent after its expiry, the rest when it is kept no longer. A plan that is
// open stays, as do the counts of all.
func TestPurgePlans(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		ctx := t.Context()
		s := open(t, fresh(t))
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		now := time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC)
		day := 24 * time.Hour
		plan := func(run string, age time.Duration, states ...sink.ChangeState) {
			t.Helper()
			must(s.BeginPlan(ctx, run))
			var changes []sink.Change
			for i, state := range states {
				changes = append(changes, sink.Change{Seq: int64(i + 1), Writing: "crm.Account", ID: fmt.Sprint(i), Name: "顧客", State: state, Fields: []sink.Delta{{Field: "Energy__c", New: 1.5}}})
			}
			must(s.AddChanges(ctx, run, changes, nil))
			must(s.EndPlan(ctx, sink.Summary{Run: run, Plan: "hash" + run, State: sink.Open, Created: now.Add(-age), Records: len(states), Kept: []sink.Kept{{Name: "顧客"}}}))
		}
		left := func(run string) (n int) {
			t.Helper()
			changes, err := s.Changes(ctx, run, "", -1, 100)
			must(err)
			return len(changes)
		}
		plan("old", 100*day, sink.Written, sink.Planned, sink.Sending)
		plan("parked", 3*day, sink.Written, sink.Planned, sink.Planned)
		plan("yesterday", day, sink.Planned)
		plan("open", 200*day, sink.Written, sink.Refused) // made by a clock that was wrong

		must(s.PurgePlans(ctx, time.Time{}, now.Add(-2*day)))
		for run, want := range map[string]int{"old": 2, "parked": 1, "yesterday": 1, "open": 2} {
			if got := left(run); got != want {
				t.Errorf("kept for ever: %s has %d changes, want %d", run, got, want)
			}
		}
		must(s.PurgePlans(ctx, now.Add(-90*day), now.Add(-2*day)))
		for run, want := range map[string]int{"old": 1, "parked": 1, "yesterday": 1} {
			if got := left(run); got != want {
				t.Errorf("kept for 90 days: %s has %d changes, want %d", run, got, want)
			}
		}
		if wrote, err := s.EverWrote(ctx, "crm.Account"); err != nil || !wrote {
			t.Errorf("ever wrote: %v, %v", wrote, err)
		}
		if wrote, err := s.EverWrote(ctx, "crm.Contact"); err != nil || wrote {
			t.Errorf("ever wrote contacts: %v, %v", wrote, err)
		}
		sum, ok, err := s.Plan(ctx, "hashold")
		if err != nil || !ok || sum.Records != 3 || len(sum.Kept) != 0 {
			t.Errorf("the old plan is %+v, %v, %v; want its counts without names", sum, ok, err)
		}
	})
}
