package engine_test

import (
	"math"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"energyd/engine"
)

func TestCase50WhyTheTemperatureChanged(t *testing.T) {
	p := table(t)
	// 40 on day 20, of which 6 points of day 5 are deleted by day 25.
	six := stock(map[int]float64{5: 6})
	rest := stock(map[int]float64{20: 40 - temperature(p, six, day0+20)})
	news := stock(map[int]float64{25: 12})
	before := engine.Reading{Points: p, Cells: engine.MergeCells(six, rest), On: day0 + 20}
	after := engine.Reading{Points: p, Cells: engine.MergeCells(rest, news), On: day0 + 25}
	near(t, "before", temperature(p, before.Cells, before.On), 40)
	c := engine.Decompose(before, after, news, nil)
	near(t, "decay", float64(c.Decay)/1000, -2.245)
	near(t, "correction", float64(c.Corrections)/1000, -4.762)
	near(t, "new", float64(c.New)/1000, 12)
	near(t, "total", 40+float64(c.Total)/1000, 44.993)
	same(t, "table", c.Table, 0)

	double := table(t, func(c *engine.PointsConfig) { c.HalfLifeDays = 120 })
	slower := engine.Decompose(before, engine.Reading{Points: double, Cells: after.Cells, On: after.On}, news, after.Cells)
	same(t, "the table's part alone differs", slower.Decay == c.Decay && slower.Corrections == c.Corrections && slower.New == c.New && slower.Table > 0, true)
}

// Against a written value: of case 50 the correction shows at the value of its day.
func TestChangeSinceWritten(t *testing.T) {
	p := table(t)
	cells := stock(map[int]float64{20: 35, 25: 12})
	c := p.Since(cells, 40, day0+20, day0+25)
	near(t, "corrections", float64(c.Corrections)/1000, -5)
	near(t, "decay", float64(c.Decay)/1000, 35*math.Exp2(-5.0/60)-35)
	near(t, "new", float64(c.New)/1000, 12)
	same(t, "sum", c.Total, c.New+c.Decay+c.Corrections)
	same(t, "nothing changed", p.Since(cells[:1], 35, day0+20, day0+20), engine.Change{})
}

// The parts add up, whatever changed, of every kind of entity; and each part is
// there for its own reason alone: without news nothing is new, and so on.
func TestChangesAddUp(t *testing.T) {
	was, is := table(t, everything(shipped(t))), table(t)
	rapid.Check(t, func(t *rapid.T) {
		acts := rapid.SliceOfN(rapid.Custom(drawActivity), 1, 8)
		first, more := current(acts.Draw(t, "before")), acts.Draw(t, "more")
		later := current(slices.Concat(first, more))
		asOf := day0 + engine.Date(rapid.IntRange(0, 200).Draw(t, "as of"))
		end := asOf + engine.Date(rapid.IntRange(0, 30).Draw(t, "days"))
		then, now, restated := ledgerOf(was, first...), ledgerOf(is, later...), ledgerOf(was, later...)
		for e := range now {
			arrived := ledgerOf(was, more...)[e]
			before := engine.Reading{Points: was, Cells: then[e], On: asOf}
			after := engine.Reading{Points: is, Cells: now[e], On: end}
			c := engine.Decompose(before, after, arrived, restated[e])
			shown := func(p *engine.Points, cells []engine.Cell, on engine.Date) int64 {
				return int64(math.Round(p.Evaluate(e.Kind, cells, on).Temperature * 1000))
			}
			if total := shown(is, now[e], end) - shown(was, then[e], asOf); c.Total != total || c.Total != c.New+c.Decay+c.Corrections+c.Table {
				t.Fatalf("%v: %+v does not add up to %d", e, c, total)
			}
			if same := engine.Decompose(before, before, nil, nil); same != (engine.Change{}) {
				t.Fatalf("%v: nothing changed: %+v", e, same)
			}
			aged := engine.Reading{Points: was, Cells: then[e], On: end}
			if c := engine.Decompose(before, aged, nil, nil); c.New != 0 || c.Corrections != 0 || c.Table != 0 {
				t.Fatalf("%v: only time passed: %+v", e, c)
			}
			changed := engine.Reading{Points: was, Cells: restated[e], On: end}
			difference := engine.MergeCells(restated[e], negative(then[e]))
			if c := engine.Decompose(before, changed, difference, nil); c.Corrections != 0 || c.Table != 0 {
				t.Fatalf("%v: all that differs is new: %+v", e, c)
			}
			if c := engine.Decompose(before, changed, nil, nil); c.New != 0 || c.Table != 0 {
				t.Fatalf("%v: nothing is new: %+v", e, c)
			}
			if c := engine.Decompose(before, engine.Reading{Points: is, Cells: now[e], On: end}, difference, restated[e]); c.Corrections != 0 {
				t.Fatalf("%v: nothing was corrected: %+v", e, c)
			}
		}
	})
}

// What arrived may be told as more than what differs: then less than nothing
// was known before, and a limit per period has nothing to share out.
func TestDecompose_of_more_news_than_there_are(t *testing.T) {
	p := table(t, func(c *engine.PointsConfig) {
		c.Groups[0].PeriodCap = 5
	})
	cells := []engine.Cell{{Date: day0, Class: engine.ClassStaff, Milli: 6000, Count: 1}, {Date: day0 + 1, Class: engine.ClassStaff, Milli: 4000, Count: 1},
		{Date: day0 + 2, Class: engine.ClassStaff, Milli: 4000, Count: 1}}
	arrived := []engine.Cell{{Date: day0, Class: engine.ClassStaff, Milli: 7000, Count: 1}}
	r := engine.Reading{Points: p, Cells: cells, On: day0 + 2}
	c := engine.Decompose(engine.Reading{Points: p, On: day0 + 2}, r, arrived, nil)
	same(t, "total", c.Total, int64(math.Round(1000*temperature(p, cells, day0+2))))
	same(t, "sum", c.Total, c.New+c.Decay+c.Corrections+c.Table)
}
