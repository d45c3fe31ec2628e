package engine_test

import (
	"fmt"
	"math"
	"testing"

	"energyd/engine"
)

// TestCourse: case 20, 100 points that nothing follows: the days on which the band falls, and every day between is what that day's score is.
func TestCourse(t *testing.T) {
	p, start := table(t), date("2026-01-01")
	cells := []engine.Cell{
		{Date: start, Class: engine.ClassStaff, Count: 1, Milli: 100_000},
		{Date: start + 90, Class: engine.ClassStaff, Group: engine.Booked, Count: 1}, // what is booked warms nobody
	}
	var days []int
	for _, r := range p.Steps(engine.Account, cells, start, 10) {
		days = append(days, int(r.Date-start))
	}
	if fmt.Sprint(days) != "[64 124 219]" {
		t.Errorf("the band falls after %v days, want 64, 124 and 219", days)
	}
	if n := len(p.Steps(engine.Account, cells, start, 2)); n != 2 {
		t.Errorf("%d steps where 2 were wanted", n)
	}
	course := p.Course(engine.Account, cells, start-1, start+30, start+220)
	if len(course) != 222 || course[0].Temperature != 0 || course[1].Temperature != 100 {
		t.Fatalf("%d readings, the first %+v", len(course), course[:2])
	}
	band := course[1].Band
	for _, r := range course[1:] {
		if want := 100 * math.Exp2(-float64(r.Date-start)/60); math.Abs(r.Temperature-want) > 1e-9 {
			t.Fatalf("%v: %v, want %v", r.Date, r.Temperature, want)
		}
		if r.Band != band {
			days, band = days[1:], r.Band
		}
	}
	if len(days) != 0 || band != 0 {
		t.Errorf("the course ends in band %d, and %d steps are not in it", band, len(days))
	}
}

// TestCourse_later_contacts: what comes after the day asked for is not foretold by it, and earlier days do not know of it.
func TestCourse_later_contacts(t *testing.T) {
	p, start := table(t), date("2026-01-01")
	cells := []engine.Cell{{Date: start, Count: 1, Milli: 10_000}, {Date: start + 10, Count: 1, Milli: 10_000}}
	before := p.Course(engine.Account, cells, start, start+5, start+20)
	after := p.Course(engine.Account, cells, start, start+20, start+20)
	for i := range before {
		if (i < 10) != (before[i] == after[i]) {
			t.Errorf("day %d: %v as of day 5, %v as of day 20", i, before[i].Temperature, after[i].Temperature)
		}
	}
}

// TestWorth: what one person earns is what a contact with that person alone gives the account, in every mode.
func TestWorth(t *testing.T) {
	for _, mode := range []string{"multiply", "add", "flat"} {
		p := table(t, func(c *engine.PointsConfig) { c.Mode = mode })
		for _, k := range p.Kinds() {
			for _, rank := range p.Ranks() {
				for d := range engine.Direction(engine.NumDirections) {
					a := visit("2026-03-10", kind(k, d), people(person("C1", rank)))
					if got, want := p.Worth(k, d, rank, date("2026-03-10")), ledgerOf(p, a).total(engine.Account, "A"); got != want {
						t.Errorf("%s, %s %d with %s: %d, want %d", mode, k, d, rank, got, want)
					}
				}
			}
		}
	}
	if got := table(t).Worth("FAX", engine.Mutual, "staff", date("2026-03-10")); got != 0 {
		t.Errorf("a kind that the table lacks earns %d", got)
	}
}
