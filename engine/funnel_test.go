package engine_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/engine"
)

func TestCase62_conversions_of_a_cohort(t *testing.T) {
	var passages []engine.Passage
	for step, n := range []int{120, 40, 20, 12, 8} { // that got so far and no further
		for range n {
			var entries []engine.Entry
			for s := 0; s <= step; s++ {
				entries = append(entries, engine.Entry{Step: s, Date: engine.Date(100 + s)})
			}
			passages = append(passages, engine.Pass(entries))
		}
	}
	reached, skipped := engine.Cohort(passages, 5)
	if diff := cmp.Diff([]int{200, 80, 40, 20, 8}, reached); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int{0, 0, 0, 0, 0}, skipped); diff != "" {
		t.Error(diff)
	}
}

// TestCase63: deals of older proposals raise a month's ratio above 100 %, and never a cohort's conversion.
func TestCase63_a_cohort_converts_no_more_than_it_has(t *testing.T) {
	var cohort []engine.Passage
	month := [2]int{} // entries of proposals and deals in the month
	for i := range 13 {
		proposal := engine.Entry{Step: 1, Date: 10} // of the month before
		if i >= 8 {
			proposal.Date = 40
			month[0]++
		}
		entries := []engine.Entry{{Step: 0, Date: 5}, proposal}
		if i < 8 {
			entries = append(entries, engine.Entry{Step: 2, Date: 45})
			month[1]++
		}
		cohort = append(cohort, engine.Pass(entries))
	}
	if month != [2]int{5, 8} {
		t.Fatal(month)
	}
	reached, _ := engine.Cohort(cohort, 3)
	for i := 1; i < len(reached); i++ {
		if reached[i] > reached[i-1] {
			t.Errorf("%v: step %d was reached more often than the one before", reached, i)
		}
	}
}

func TestPass_skipped_steps_take_no_time(t *testing.T) {
	for name, c := range map[string]struct {
		entries []engine.Entry
		want    engine.Passage
	}{
		"one step skipped":                 {steps(0, 10, 2, 30), engine.Passage{At: []engine.Date{10, 30, 30}, Imputed: []bool{false, true, false}}},
		"the first steps skipped":          {steps(2, 30), engine.Passage{At: []engine.Date{30, 30, 30}, Imputed: []bool{true, true, false}}},
		"a step twice":                     {steps(1, 20, 0, 10, 1, 15), engine.Passage{At: []engine.Date{10, 15}, Imputed: []bool{false, false}}},
		"a step entered after a later one": {steps(0, 10, 2, 20, 1, 25), engine.Passage{At: []engine.Date{10, 20, 20}, Imputed: []bool{false, false, false}}},
		"nothing":                          {nil, engine.Passage{At: []engine.Date{}, Imputed: []bool{}}},
	} {
		if diff := cmp.Diff(c.want, engine.Pass(c.entries)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestCase64_time_in_stage_with_open_cases(t *testing.T) {
	curve := engine.KaplanMeier(append(spells(false, 30, 5, 12, 20), spells(true, 8, 20)...))
	want := []engine.Survival{{Days: 5, Share: 0.8333}, {Days: 12, Share: 0.625}, {Days: 20, Share: 0.4167}, {Days: 30}}
	if diff := cmp.Diff(want, curve, within(0.001)); diff != "" {
		t.Error(diff)
	}
	if median, ok := engine.MedianDays(curve); !ok || median != 20 {
		t.Errorf("median %d, %v; want 20 (16 of the closed ones alone is wrong)", median, ok)
	}
}

func TestMedianDays_is_unknown_while_most_are_open(t *testing.T) {
	if _, ok := engine.MedianDays(engine.KaplanMeier(append(spells(false, 5), spells(true, 9, 9)...))); ok {
		t.Error("a median of what is not over")
	}
}

// steps makes entries of steps and dates, in turn.
func steps(pairs ...int) []engine.Entry {
	var entries []engine.Entry
	for i := 0; i < len(pairs); i += 2 {
		entries = append(entries, engine.Entry{Step: pairs[i], Date: engine.Date(pairs[i+1])})
	}
	return entries
}

func spells(open bool, days ...int) []engine.Spell {
	var list []engine.Spell
	for _, d := range days {
		list = append(list, engine.Spell{Days: d, Open: open})
	}
	return list
}
