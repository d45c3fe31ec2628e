package engine_test

import (
	"math"
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

// The parts add up, whatever changed, and a reading of the same moment has no change.
func TestChangesAddUp(t *testing.T) {
	was, is := table(t, everything(shipped(t))), table(t)
	rapid.Check(t, func(t *rapid.T) {
		acts := rapid.SliceOfN(rapid.Custom(drawActivity), 1, 8)
		first, later := current(acts.Draw(t, "before")), current(acts.Draw(t, "after"))
		asOf := day0 + engine.Date(rapid.IntRange(0, 200).Draw(t, "as of"))
		before := engine.Reading{Points: was, Cells: ledgerOf(was, first...).account(), On: asOf}
		after := engine.Reading{Points: is, Cells: ledgerOf(is, later...).account(), On: asOf + engine.Date(rapid.IntRange(0, 30).Draw(t, "days"))}
		arrived := ledgerOf(was, later[0]).account()
		c := engine.Decompose(before, after, arrived, ledgerOf(was, later...).account())
		if c.Total != c.New+c.Decay+c.Corrections+c.Table {
			t.Fatalf("%+v does not add up", c)
		}
		if same := engine.Decompose(before, before, nil, nil); same != (engine.Change{}) {
			t.Fatalf("nothing changed: %+v", same)
		}
	})
}
