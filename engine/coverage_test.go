package engine_test

import (
	"math"
	"testing"

	"energyd/engine"
)

func spread(contacts ...int64) *engine.Spread {
	s := new(engine.Spread)
	for _, m := range contacts {
		s.Add(m)
	}
	return s
}

func TestCase61_concentration_on_few_contacts(t *testing.T) {
	for _, c := range []struct {
		name     string
		contacts []int64
		hhi      float64
		active   int
		warn     bool
	}{
		{"60/30/10", []int64{60_000, 30_000, 10_000}, 0.46, 3, false},
		{"one contact only", []int64{25_000}, 1, 1, true},
		{"one active contact, however many are known", []int64{25_000, 0, 0}, 1, 1, true},
		{"two, one of them nearly alone", []int64{90_000, 10_000}, 0.82, 2, true},
		{"nobody", nil, 0, 0, false},
	} {
		got := spread(c.contacts...).Coverage([engine.NumClasses]int64{}, 0)
		if math.Abs(got.HHI-c.hhi) > 0.001 || got.Active != c.active || got.SingleThread(0.6) != c.warn {
			t.Errorf("%s: HHI %.3f, %d active, warning %v; want %.3f, %d, %v", c.name, got.HHI, got.Active, got.SingleThread(0.6), c.hhi, c.active, c.warn)
		}
	}
}

func TestCoverage_counts_the_three_classes_from_enough_energy_on(t *testing.T) {
	byClass := [engine.NumClasses]int64{engine.ClassUnknown: 50_000, engine.ClassStaff: 10_000, engine.ClassManager: 9_999, engine.ClassExecutive: 0}
	for enough, want := range map[int64]float64{0: 2. / 3, 10_000: 1. / 3, 10_001: 0} {
		if got := spread(1).Coverage(byClass, enough); got.Classes != want {
			t.Errorf("from %d on: %.3f, want %.3f", enough, got.Classes, want)
		}
	}
}
