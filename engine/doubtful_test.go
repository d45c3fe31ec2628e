package engine_test

import (
	"slices"
	"testing"

	"energyd/engine"
)

// TestDoubtful: records that may be one contact and are two; the order in which they come changes nothing.
func TestDoubtful(t *testing.T) {
	p := table(t)
	a, b := in("events"), in("daily_report")
	one, two := person("C1", "staff"), person("C2", "staff")
	for _, test := range []struct {
		name string
		acts []engine.Activity
		want int
	}{
		{"hours apart", []engine.Activity{visit(day, a, at("10:00")), visit(day, b, at("15:00"))}, 2},
		{"one contact", []engine.Activity{visit(day, a, at("10:00")), visit(day, b, at("10:10"))}, 0},
		{"two visits, each in both", []engine.Activity{
			visit(day, a, id("1"), at("10:00")), visit(day, a, id("2"), at("15:00")), visit(day, b, id("1")), visit(day, b, id("2"))}, 0},
		{"other people", []engine.Activity{visit(day, a, at("10:00"), people(one)), visit(day, b, at("15:00"), people(two))}, 0},
		{"another day", []engine.Activity{visit(day, a), visit("2026-03-11", b)}, 0},
		{"another family", []engine.Activity{visit(day, a, at("10:00")), visit(day, b, at("15:00"), kind("phone"))}, 0},
		{"one source", []engine.Activity{visit(day, a, id("1"), at("10:00")), visit(day, a, id("2"), at("15:00"))}, 0},
		{"cancelled", []engine.Activity{visit(day, a, at("10:00")), visit(day, b, at("15:00"), func(a *engine.Activity) { a.Status = engine.Cancelled })}, 0},
		{"a pair and a third", []engine.Activity{visit(day, a, at("10:00")), visit(day, b, at("10:10")), visit(day, in("tasks"), at("15:00"))}, 3},
	} {
		if got := p.Doubtful(test.acts); len(got) != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
		slices.Reverse(test.acts)
		if got := p.Doubtful(test.acts); len(got) != test.want {
			t.Errorf("%s, reversed: %v", test.name, got)
		}
	}
}
