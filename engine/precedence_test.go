package engine_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/engine"
	"energyd/internal/fault"
)

// TestPrecedence: of one contact in three sources the report says how it was, the
// calendar when and who, and everybody's cues, deals and sales people count.
func TestPrecedence(t *testing.T) {
	p := table(t, func(c *engine.PointsConfig) {
		c.Sources["calendar"] = "calendar"
		c.SourceFactors = map[string]float64{"daily_report": 0.5, "tasks": 0.8}
	})
	report := visit("2026-03-11", in("daily_report"), kind("visit_by_customer"), cues("question"), people(keyman("C1", "department_manager"), person("C3", "president")), reps("R1"))
	calendar := visit(day, in("calendar"), id("e1"), at("10:00"), kind("web_meeting"), people(person("C1", ""), person("C2", "staff")), reps("R1", "R2"))
	crm := visit(day, in("tasks"), at("11:00"), cues("budget", "question"), people(person("C1", "president")))
	report.Same, crm.Same = &engine.Same{Record: calendar.ID}, &engine.Same{Record: calendar.ID}
	crm.Deals = []engine.Share{{ID: "D1"}}
	acts := []engine.Activity{report, calendar, crm}
	for range 2 {
		parts := p.Explain(acts, engine.Entity{Kind: engine.Account, ID: "A"}, date("2026-03-31"))
		same(t, "parts", len(parts), 1)
		part := parts[0]
		same(t, "stands by the smallest key", acts[part.Activity].Source, "calendar")
		same(t, "kind", part.Kind, "visit_by_customer")
		same(t, "date", part.Date.String(), day)
		// Rank 3 × keyman 1.5 × 10 × question and budget 1.44, confirmed by the calendar; and a quarter of the other's 14.4.
		same(t, "account", part.Milli, 64800+3600)
		var who []string
		for _, term := range part.Terms {
			who = append(who, term.Contact)
		}
		same(t, "the calendar's people", slices.Equal(who, []string{"C1", "C2"}), true)
		gave := map[string][]engine.Given{}
		for _, m := range part.Members {
			gave[acts[m.Activity].Source] = m.Gave
		}
		want := map[string][]engine.Given{
			"daily_report": {engine.GaveKind, engine.GaveRank, engine.GaveKeyman, engine.GaveCues, engine.GaveReps},
			"calendar":     {engine.GaveTime, engine.GavePeople, engine.GaveReps},
			"tasks":        {engine.GaveCues, engine.GaveDeals},
		}
		if diff := cmp.Diff(want, gave); diff != "" {
			t.Errorf("gave (-want +got):\n%s", diff)
		}
		l := ledgerOf(p, acts...)
		same(t, "deal", l.total(engine.Deal, "D1"), 68400)
		same(t, "reps", l.total(engine.Rep, "R1"), l.total(engine.Rep, "R2"))
		same(t, "who was not in the calendar", l.total(engine.Contact, "C3"), 0)
		slices.Reverse(acts)
	}
	if len(calendar.Reps) != 2 || calendar.People[0].Keyman {
		t.Error("the activities themselves were changed")
	}
}

// TestPrecedence_ofTheTable: a table may believe others, a source by its own name too.
func TestPrecedence_ofTheTable(t *testing.T) {
	report, calendar := visit(day, in("daily_report"), kind("visit_by_customer")), visit(day, in("events"), id("e1"), at("10:00"))
	for name, test := range map[string]struct {
		precedence engine.PrecedenceConfig
		want       int64
	}{
		"as shipped":           {engine.PrecedenceConfig{}, 10000},
		"calendars":            {engine.PrecedenceConfig{Kind: []string{"calendar", "report"}}, 6000},
		"a source by name":     {engine.PrecedenceConfig{Kind: []string{"events", "report"}}, 6000},
		"nobody in particular": {engine.PrecedenceConfig{Kind: []string{"phone"}}, 10000}, // the smallest key
	} {
		p := table(t, func(c *engine.PointsConfig) { c.Precedence = test.precedence })
		same(t, name, ledgerOf(p, calendar, report).total(engine.Account, "A"), test.want)
	}
	unknown := visit(day, in("daily_report"), kind("FAX"), same3(engine.Same{Record: calendar.ID}))
	same(t, "a kind that the table lacks", ledgerOf(table(t), calendar, unknown).total(engine.Account, "A"), 6000)
}

// TestSharesOfSeveralSources: weights that only one source tells cannot be compared.
func TestSharesOfSeveralSources(t *testing.T) {
	p := table(t)
	calendar, report := visit(day, in("events")), visit(day, in("daily_report"))
	calendar.Reps, report.Reps = []engine.Share{{ID: "R1"}, {ID: "R2"}}, []engine.Share{{ID: "R1", Weight: 5}}
	l := ledgerOf(p, calendar, report)
	same(t, "R1", l.total(engine.Rep, "R1"), 3000)
	same(t, "R2", l.total(engine.Rep, "R2"), 3000)
	calendar.Reps = []engine.Share{{ID: "R2", Weight: 1}}
	same(t, "weighed", ledgerOf(p, calendar, report).total(engine.Rep, "R1"), 5000)
}

// TestRepeat_onceInTwoSources: one meeting in two records is no second one, also where they tell different days.
func TestRepeat_onceInTwoSources(t *testing.T) {
	p := table(t, repeat20)
	calendar, report := visit(day, in("events"), id("e1"), at("10:00")), visit("2026-03-12", in("daily_report"))
	same(t, "two meetings", ledgerOf(p, calendar, report).total(engine.Account, "A"), 13200)
	report.Same = &engine.Same{Record: calendar.ID}
	same(t, "one", ledgerOf(p, calendar, report).total(engine.Account, "A"), 6000)
}

// TestValidate_sources: what a source is, and who is believed, are checked.
func TestValidate_sources(t *testing.T) {
	c := shipped(t)
	c.Sources["pbx"] = "telephone"
	c.Precedence.Time = []string{"phone", "phone"}
	var problems fault.Problems
	errors.As(c.Validate(), &problems)
	var paths []string
	for _, problem := range problems {
		paths = append(paths, problem.Path)
	}
	if diff := cmp.Diff([]string{"sources.pbx", "precedence.time[1]"}, paths); diff != "" {
		t.Error(diff)
	}
}
