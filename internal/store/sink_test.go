package store_test

import (
	"strings"
	"testing"
	"time"

	"energyd/internal/fault"
	"energyd/sink"
)

// TestLock: one run at a time; whoever comes meanwhile learns who is at work.
func TestLock(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		url := fresh(t)
		first, second := open(t, url), open(t, url)
		unlock, err := first.Lock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		run, err := first.BeginRun(t.Context(), "sync", time.Now())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := second.Lock(t.Context()); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), run) {
			t.Errorf("the second lock gives %v, want a conflict that names %s", err, run)
		}
		if err := unlock(); err != nil {
			t.Fatal(err)
		}
		unlock, err = second.Lock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := unlock(); err != nil {
			t.Fatal(err)
		}
	})
}

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
