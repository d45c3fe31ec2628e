package engine

import (
	"fmt"
	"math"
	"testing"
)

// The closed forms of the days until a threshold, to the thousandth of a day that the model gives.
func TestCases19To24Crossings(t *testing.T) {
	exp := func(h float64) GroupConfig { return GroupConfig{HalfLifeDays: h} }
	for _, test := range []struct {
		name             string
		group            GroupConfig
		stock, threshold float64
		want             float64
	}{
		{"19", exp(60), 30*math.Exp2(-0.5) + 10, 10, 98.529}, // after day 30: 128.529
		{"20 hot", exp(60), 100, 48, 63.534},
		{"20 warm", exp(60), 100, 24, 123.534},
		{"20 lukewarm", exp(60), 100, 8, 218.631},
		{"21 after a grace", GroupConfig{Decay: "grace_exp", GraceDays: 30, HalfLifeDays: 60}, 30, 10, 125.098},
		{"22 step", GroupConfig{Decay: "step", StepPoints: 5, StepDays: 30}, 30, 22, 60},
		{"22 step, equal to the threshold is not below it", GroupConfig{Decay: "step", StepPoints: 5, StepDays: 30}, 30, 20, 90},
		{"24 the limit stops binding", exp(14), 16, 10, 9.493},
		{"none", GroupConfig{Decay: "none"}, 30, 10, math.Inf(1)},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDecay(&test.group, 60)
			got, ok := d.crossing(test.stock*1000, test.threshold*1000)
			if !ok || fmt.Sprintf("%.3f", got) != fmt.Sprintf("%.3f", test.want) {
				t.Errorf("after %.4f days, %v; want %.3f", got, ok, test.want)
			}
		})
	}
	if _, ok := (&decay{kind: "linear", fade: 60}).crossing(10_000, 5_000); ok {
		t.Error("linear decay has no closed form")
	}
}
