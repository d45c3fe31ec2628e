package sink_test

import (
	"testing"
	"time"

	"energyd/connectors"
	"energyd/internal/crmsim"
	"energyd/sink"
)

// TestChange_Next: each class is tried again after its own pauses, and given up in the end.
func TestChange_Next(t *testing.T) {
	const day = 24 * time.Hour
	tried := time.Date(2026, 11, 20, 17, 0, 0, 0, time.UTC)
	for class, pauses := range map[connectors.Class][]time.Duration{
		connectors.NoRight:    {day, 2 * day, 4 * day, 8 * day},
		connectors.GoneRecord: {day, 2 * day, 4 * day, 8 * day},
		connectors.Ambiguous:  {7 * day, 14 * day},
		connectors.BadData:    {7 * day, 14 * day},
		"":                    {7 * day, 14 * day}, // refused before classes were kept
	} {
		c := sink.Change{State: sink.Rejected, Refusal: sink.Refusal{Class: class, Tried: tried}}
		for i, pause := range pauses {
			c.Attempts = i + 1
			if at, more := c.Next(); !more || !at.Equal(tried.Add(pause)) {
				t.Errorf("%s, refused %d times: %v, %t; want after %s", class, c.Attempts, at, more, pause)
			}
		}
		c.Attempts++
		if at, more := c.Next(); more {
			t.Errorf("%s, refused %d times: once more at %s", class, c.Attempts, at)
		}
	}
	for _, class := range []connectors.Class{connectors.Locked, connectors.NoQuota} {
		for attempts, want := range map[int]bool{1: true, 9: true, 10: false} {
			c := sink.Change{State: sink.Deferred, Refusal: sink.Refusal{Class: class, Attempts: attempts, Tried: tried}}
			if at, more := c.Next(); more != want || !at.IsZero() {
				t.Errorf("%s, refused %d times: %v, %t", class, attempts, at, more)
			}
		}
	}
}

// TestPlan_patience: what a rule refuses is sent again after a week and after two more, then it needs a
// person; a person's word or another value begins anew.
func TestPlan_patience(t *testing.T) {
	o := newOffice(t, 10, 0)
	o.inject(crmsim.Fault{Name: "validation", Object: "Account", Field: "Energy__c", Bound: 104, Message: "x"})
	const day = 24 * time.Hour
	for _, step := range []struct {
		at            time.Duration
		send, refused int
	}{
		{0, 10, 0}, {6 * day, 0, 5}, {8 * day, 5, 0}, {20 * day, 0, 5}, {23 * day, 5, 0}, {60 * day, 0, 5}, {365 * day, 0, 5},
	} {
		o.later = step.at
		sum := o.plan(10, 1)
		if sum.Records != step.send || sum.Refused != step.refused {
			t.Fatalf("after %s: %d are sent and %d refused, want %d and %d", step.at, sum.Records, sum.Refused, step.send, step.refused)
		}
		if sum.Records == 5 { // a plan that nobody sends forgets nothing
			sum = o.plan(10, 1)
		}
		if sum.Records == 0 {
			continue
		}
		if out, err := o.Apply(t.Context(), sum.Plan, time.Now().Add(o.later)); err != nil || out.Rejected != 5 {
			t.Fatalf("after %s: %+v, %v", step.at, out, err)
		}
	}
	if moved := o.plan(10, 2); moved.Records != 10 {
		t.Errorf("when the values have moved: %+v", moved)
	}
}

// TestPlan_patience_locked: a record that somebody holds is sent by each plan, until it was refused ten times.
func TestPlan_patience_locked(t *testing.T) {
	o := newOffice(t, 1, 0)
	for _, step := range []struct{ attempts, send int }{{1, 1}, {9, 1}, {10, 0}} {
		sum := o.plan(1, 1)
		changes, err := o.Store.Changes(t.Context(), sum.Run, "", -1, 1)
		if err != nil || len(changes) != 1 {
			t.Fatal(changes, err)
		}
		c := changes[0]
		c.State, c.Refusal = sink.Deferred, sink.Refusal{Class: connectors.Locked, Attempts: step.attempts, Tried: time.Now()}
		if err := o.Store.Keep(t.Context(), sum.Run, []sink.Change{c}, nil); err != nil {
			t.Fatal(err)
		}
		if err := o.Store.SetPlanState(t.Context(), sum.Run, sink.Done); err != nil {
			t.Fatal(err)
		}
		if next := o.plan(1, 1); next.Records != step.send || next.Refused != 1-step.send {
			t.Fatalf("after %d times: %+v", step.attempts, next)
		}
	}
}
