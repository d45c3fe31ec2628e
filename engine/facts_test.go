package engine_test

import (
	"slices"
	"testing"
	"time"

	"energyd/engine"
)

func TestFacts(t *testing.T) {
	p := table(t)
	f := engine.Facts{"amount": "1200000.5", "won": "true", "opened_on": "2026-03-31T15:30:00Z", "closes_on": "2026-03-31", "products": " 検査 ;保守;検査; "}
	if n, ok := f.Number("amount"); !ok || n != 1200000.5 {
		t.Errorf("amount %v, %v", n, ok)
	}
	if _, ok := f.Number("margin"); ok {
		t.Error("a margin that nobody told is a number")
	}
	if !f.True("won") || f.True("closed") {
		t.Error("won, and nothing of closed")
	}
	// Case 12: an instant is dated in the tenant's zone, a day stays what it is.
	if d := f.Day("opened_on", p); d != engine.DateOf(2026, time.April, 1) {
		t.Errorf("opened on %s", d)
	}
	if d := f.Day("closes_on", p); d != engine.DateOf(2026, time.March, 31) {
		t.Errorf("closes on %s", d)
	}
	if d := f.Day("reached_at", p); d != engine.NoDate {
		t.Errorf("reached on %s", d)
	}
	if l := f.List("products"); !slices.Equal(l, []string{"検査", "保守"}) {
		t.Errorf("products %q", l)
	}
}
