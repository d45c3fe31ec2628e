package engine_test

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"energyd/engine"
)

func TestCase51Trend(t *testing.T) {
	// One day's 45 points and what came of them: S₁₄ 20 and S₉₀ 45 today.
	// A bucket of x points k days ago leaves x·2^(−k/14) and x·2^(−k/90).
	k := 14 * 90 * math.Log2(45./20) / (90 - 14)
	day := int(math.Round(k))
	x := 45 * math.Exp2(float64(day)/90)
	p := watching(t, alarms())
	withTrend := watching(t, func(c *engine.PointsConfig) { c.Alarms = nil })
	cells := func(n int) []engine.Cell {
		c := stock(map[int]float64{0: x})
		c[0].Count = int32(n)
		return c
	}
	s := withTrend.Evaluate(engine.Account, cells(6), day0+engine.Date(day))
	same(t, "51 trend", s.Trend, engine.Improving)
	same(t, "51 trend of two contacts", withTrend.Evaluate(engine.Account, cells(2), day0+engine.Date(day)).Trend, engine.TooFew)
	same(t, "trend of a table without", p.Evaluate(engine.Account, cells(6), day0+engine.Date(day)).Trend, engine.NoTrend)

	// Until 180 days have passed it goes down by itself, each step on a due day.
	var seen []engine.Trend
	for d := day0; d != engine.NoDate; {
		s := withTrend.Evaluate(engine.Account, cells(6), d)
		if n := len(seen); n == 0 || seen[n-1] != s.Trend {
			seen = append(seen, s.Trend)
		}
		d = s.Due
	}
	want := []engine.Trend{engine.Improving, engine.Steady, engine.Declining, engine.TooFew}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Error(diff)
	}
}

// Until Due nothing changes but the temperature, and on Due something does: so
// whoever looks on due days alone sees all that whoever looks daily does.
func TestNothingChangesBeforeDue(t *testing.T) {
	for name, p := range map[string]*engine.Points{
		"calendar": watching(t),
		"business": watching(t, businessClock(40), func(c *engine.PointsConfig) {
			c.Alarms.Low.Complete, c.Alarms.Halved.Periods, c.ClosingDay = true, 3, 20
		}),
	} {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				cells := drawContacts(t)
				asOf := day0 + engine.Date(rapid.IntRange(0, 250).Draw(t, "as of"))
				s := p.Evaluate(engine.Account, cells, asOf)
				for d := asOf + 1; d < asOf+400 && (s.Due == engine.NoDate || d <= s.Due); d++ {
					next := p.Evaluate(engine.Account, cells, d)
					if changed := !showsSame(s, next); changed != (d == s.Due) {
						t.Fatalf("on %v changed: %t; due %v\nwas %+v\nis %+v", d, changed, s.Due, s, next)
					}
				}
			})
		})
	}
}

// drawContacts draws an entity's cells: contacts of any direction, some of them planned.
func drawContacts(t *rapid.T) []engine.Cell {
	var cells []engine.Cell
	for range rapid.IntRange(1, 25).Draw(t, "contacts") {
		c := engine.Cell{
			Date:      day0 + engine.Date(rapid.IntRange(0, 250).Draw(t, "day")),
			Direction: engine.Direction(rapid.IntRange(0, 2).Draw(t, "direction")), Count: 1,
			Milli: int64(rapid.IntRange(1, 40000).Draw(t, "milli")),
		}
		if rapid.IntRange(0, 9).Draw(t, "booked") == 0 {
			c.Group, c.Milli = engine.Booked, 0
		}
		cells = append(cells, c)
	}
	return engine.SortCells(cells)
}

// showsSame compares scores, but for what moves every day or month by itself.
func showsSame(a, b engine.Score) bool {
	a.Recent.Period, b.Recent.Period = 0, 0
	return a.Band == b.Band && a.BandUntil == b.BandUntil && a.Last == b.Last && a.Trend == b.Trend && a.Recent == b.Recent &&
		a.Stirred == b.Stirred && slices.Equal(a.Earned, b.Earned) && slices.Equal(a.Alarms, b.Alarms)
}
