package engine_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"energyd/engine"
)

// Of case 50 the correction shows at the value of the day on which the temperature was written.
func TestCase50WhyTheTemperatureChanged(t *testing.T) {
	p := table(t)
	// 40 were written on day 20, of which 6 points of day 5 are deleted by day 25.
	six := temperature(p, stock(map[int]float64{5: 6}), day0+20)
	cells := stock(map[int]float64{20: 40 - six, 25: 12})
	c := p.Since(cells, 40, day0+20, day0+25)
	near(t, "corrections", float64(c.Corrections)/1000, -six)
	near(t, "decay", float64(c.Decay)/1000, (40-six)*(math.Exp2(-5.0/60)-1))
	near(t, "new", float64(c.New)/1000, 12)
	near(t, "total", 40+float64(c.Total)/1000, 44.993)
	same(t, "sum", c.Total, c.New+c.Decay+c.Corrections)
	same(t, "nothing changed", p.Since(cells[:1], 40-six, day0+20, day0+20), engine.Change{})
}

// The parts add up, whatever changed, of every kind of entity; and each part is
// there for its own reason alone: without news nothing is new, and so on.
func TestChangesAddUp(t *testing.T) {
	p := table(t, everything(shipped(t)))
	shown := func(cells []engine.Cell, on engine.Date) float64 {
		return math.Round(p.Evaluate(engine.Account, cells, on).Temperature*1000) / 1000
	}
	rapid.Check(t, func(t *rapid.T) {
		acts := rapid.SliceOfN(rapid.Custom(drawActivity), 1, 8).Draw(t, "activities")
		on := day0 + engine.Date(rapid.IntRange(0, 200).Draw(t, "written on"))
		asOf := on + engine.Date(rapid.IntRange(0, 30).Draw(t, "days"))
		was := float64(rapid.IntRange(0, 100_000).Draw(t, "written")) / 1000
		for e, cells := range ledgerOf(p, current(acts)...) {
			c := p.Since(cells, was, on, asOf)
			if total := int64(math.Round(1000*shown(cells, asOf) - 1000*was)); c.Total != total || c.Total != c.New+c.Decay+c.Corrections {
				t.Fatalf("%v: %+v does not add up to %d", e, c, total)
			}
			if c := p.Since(cells, shown(cells, on), on, on); c.Decay != 0 || c.Corrections+c.New != 0 {
				t.Fatalf("%v: on the same day: %+v", e, c)
			}
			before := 0
			for before < len(cells) && cells[before].Date <= on {
				before++
			}
			if c := p.Since(cells[:before], shown(cells[:before], on), on, asOf); c.New != 0 || c.Corrections != 0 {
				t.Fatalf("%v: only time passed: %+v", e, c)
			}
			if c := p.Since(cells, shown(cells[:before], on), on, asOf); c.Corrections != 0 {
				t.Fatalf("%v: nothing was corrected: %+v", e, c)
			}
		}
	})
}
