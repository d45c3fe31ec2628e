package review

import (
	"fmt"
	"testing"

	"energyd/engine"
)

// habitsOf counts two years of 60 accounts with two visits and four mails a month each, until something changes.
func habitsOf(t *testing.T, asOf, reviewed engine.Date, accounts int, mails func(m engine.Period) int) []Drift {
	t.Helper()
	p := compiled(t, madeTable(30))
	h := NewHabits(p, asOf, reviewed)
	for a := range accounts {
		for m := p.Period(asOf) - 24; m <= p.Period(asOf); m++ {
			add := func(kind string, n int) {
				for i := range n {
					h.Add(&engine.Activity{Account: fmt.Sprint(a), Kind: kind, Date: p.PeriodStart(m) + engine.Date(i%28)})
				}
			}
			add("visit", 1+a%3)
			add("mail_sent", mails(m)+a%4)
		}
	}
	return h.Drifts()
}

func TestDrift(t *testing.T) {
	p := compiled(t, madeTable(30))
	asOf := engine.DateOf(2026, 1, 10)
	steady := func(engine.Period) int { return 2 }
	none := engine.NoDate
	for _, d := range habitsOf(t, asOf, none, 60, steady) {
		for _, m := range d.Months {
			if m.Index > 0.001 {
				t.Errorf("nothing changed, and %s has %.3f in %s", d.Kind, m.Index, m.Month)
			}
		}
	}
	changed := func(m engine.Period) int { // a tool that writes mails came in November
		if m >= p.Period(engine.DateOf(2025, 11, 1)) {
			return 8
		}
		return 2
	}
	got := habitsOf(t, asOf, none, 60, changed)
	if len(got) != 2 || got[0].Kind != "mail_sent" || got[0].Latest() <= DriftLimit || got[1].Latest() > 0.001 {
		t.Errorf("drifts are %+v", got)
	}
	months := ""
	for _, m := range got[0].Months {
		months += fmt.Sprintf("%s %v ", m.Month, m.Index > DriftLimit)
	}
	if months != "2025-07 false 2025-08 false 2025-09 false 2025-10 false 2025-11 true 2025-12 true " {
		t.Errorf("months are %s", months)
	}
	// After a review its own time is what later months are compared with.
	got = habitsOf(t, asOf, engine.DateOf(2025, 11, 20), 60, steady)
	if len(got[0].Months) != 1 || got[0].Months[0].Month != "2025-12" {
		t.Errorf("after the review %+v", got[0].Months)
	}
	if got := habitsOf(t, asOf, none, 20, changed); len(got) != 0 {
		t.Errorf("of twenty customers an index is told: %+v", got)
	}
}
