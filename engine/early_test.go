package engine_test

import (
	"testing"

	"energyd/engine"
)

// A date that was mistyped, or a spreadsheet's 1900-01-01, lies before the day from which the clock counts.
func TestEvaluateContactBefore1970(t *testing.T) {
	day := date("1900-01-01")
	for _, clock := range []string{"calendar", "business"} {
		t.Run(clock, func(t *testing.T) {
			p := table(t, func(c *engine.PointsConfig) { c.Clock = clock })
			cells := []engine.Cell{{Date: day, Milli: 40_000, Count: 1}}
			s := p.Evaluate(engine.Account, cells, day)
			if s.Temperature != 40 || s.Band != 2 {
				t.Errorf("temperature %v in band %d, want 40 in band 2", s.Temperature, s.Band)
			}
		})
	}
}
