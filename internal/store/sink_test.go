package store_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"energyd/internal/fault"
	"energyd/sink"
)

// TestPlan_Superseded: what a newer plan has replaced can neither be finished, sent nor moved on.
func TestPlan_Superseded(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		ctx := t.Context()
		s := open(t, fresh(t))
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		change := func(seq int64) []sink.Change {
			return []sink.Change{{Seq: seq, Writing: "crm.Account", ID: "001", State: sink.Planned, Fields: []sink.Delta{{Field: "Energy__c", New: 1.5}}}}
		}
		must(s.BeginPlan(ctx, "a"))
		must(s.AddChanges(ctx, "a", change(1), nil))
		must(s.BeginPlan(ctx, "b"))
		must(s.AddChanges(ctx, "b", change(1), nil))
		must(s.EndPlan(ctx, sink.Summary{Run: "b", Plan: "hash-b", State: sink.Open, Created: time.Unix(2, 0)}))
		for name, err := range map[string]error{
			"EndPlan":      s.EndPlan(ctx, sink.Summary{Run: "a", Plan: "hash-a", State: sink.Open, Created: time.Unix(3, 0)}),
			"MarkSending":  s.MarkSending(ctx, "a", []int64{1}),
			"SetPlanState": s.SetPlanState(ctx, "a", sink.Applying),
		} {
			if fault.KindOf(err) != fault.Conflict {
				t.Errorf("%s of a superseded plan gives %v, want a conflict", name, err)
			}
		}
		if p, ok, err := s.Plan(ctx, ""); err != nil || !ok || p.Plan != "hash-b" {
			t.Errorf("the open plan is %+v, %v, %v", p, ok, err)
		}
		must(s.MarkSending(ctx, "b", []int64{1}))
		answered := change(1)
		answered[0].State, answered[0].Error = sink.Rejected, "a text with a \x00"
		must(s.Keep(ctx, "b", answered, nil))
		n, err := s.CountChanges(ctx, "b", "")
		must(err)
		if n[sink.Rejected] != 1 || len(n) != 1 {
			t.Errorf("the changes are counted as %v", n)
		}
	})
}

// TestRefused: the rejects for people are those of the plan made last, however the runs' ids sort.
func TestRefused(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		ctx := t.Context()
		s := open(t, fresh(t))
		plan := func(run string, made int64, states ...sink.ChangeState) {
			t.Helper()
			err := s.BeginPlan(ctx, run)
			for i, state := range states {
				if err == nil {
					err = s.AddChanges(ctx, run, []sink.Change{{Seq: int64(i), Writing: "crm.Account", ID: fmt.Sprint(i), State: state}}, nil)
				}
			}
			if err == nil {
				err = s.EndPlan(ctx, sink.Summary{Run: run, Plan: "hash-" + run, State: sink.Open, Created: time.Unix(made, 0)})
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		want := func(run string, states ...sink.ChangeState) {
			t.Helper()
			got, changes, err := s.Refused(ctx, false, noon)
			var have []sink.ChangeState
			for _, c := range changes {
				have = append(have, c.State)
			}
			if err != nil || got != run || !slices.Equal(have, states) {
				t.Errorf("refused of %q: %v, %v; want of %q: %v", got, have, err, run, states)
			}
		}
		want("")
		plan("b", 2, sink.Rejected, sink.Deferred, sink.Written)
		want("b", sink.Rejected, sink.Deferred)
		plan("a", 3, sink.Refused, sink.Planned)
		want("a", sink.Rejected)
		// A person's word: dropped ones are told apart, and all are known to the next plan.
		before := func(want ...string) {
			t.Helper()
			changes, err := s.RefusedBefore(ctx, "new", "crm.Account", []string{"0", "1", "2"})
			if got := slices.Sorted(maps.Keys(changes)); err != nil || !slices.Equal(got, want) {
				t.Errorf("refused before: %v, %v; want %v", got, err, want)
			}
		}
		plan("d", 5, sink.Refused, sink.Rejected, sink.Deferred)
		before("0", "1", "2")
		for seq, said := range []sink.Said{sink.SendAgain, "", sink.Waive} {
			if err := s.SayOfRefused(ctx, "d", []int64{int64(seq)}, said, time.Time{}, nil); err != nil {
				t.Fatal(err)
			}
		}
		before("0", "1", "2")
		want("d", sink.Rejected, sink.Rejected)
		if _, dropped, err := s.Refused(ctx, true, noon); err != nil || len(dropped) != 1 || dropped[0].ID != "2" {
			t.Errorf("dropped are %+v, %v", dropped, err)
		}
		if err := s.SayOfRefused(ctx, "d", []int64{2}, sink.Waive, noon.Add(time.Hour), nil); err != nil {
			t.Fatal(err)
		}
		for at, told := range map[time.Time]int{noon: 2, noon.Add(time.Hour): 3} {
			if _, changes, err := s.Refused(ctx, false, at); err != nil || len(changes) != told {
				t.Errorf("at %s %d are told of, %v; want %d", at, len(changes), err, told)
			}
		}
		plan("c", 6) // all is right by now
		want("c")
	})
}
