package engine

import (
	"math"
	"slices"
)

// decay says what is left of a stock after days of the clock without contact (energy-model 4.5).
type decay struct {
	kind     string
	halfLife float64 // of exp and grace_exp
	grace    float64
	step     float64 // milli-points lost after each stepDays
	stepDays int
	fade     int       // days until a contact has faded, of linear
	table    []float64 // of exp and grace_exp: what is left of 1 after so many days, up to 40 half-lives
}

func newDecay(g *GroupConfig, halfLife float64) decay {
	d := decay{kind: g.Decay, grace: float64(g.GraceDays), step: g.StepPoints * 1000, stepDays: g.StepDays, fade: g.FadeDays}
	switch d.kind {
	case "", "exp", "grace_exp":
		if d.halfLife = g.HalfLifeDays; d.halfLife == 0 {
			d.halfLife = halfLife
		}
		d.table = make([]float64, int(d.grace+40*d.halfLife)+1)
		for k := range d.table {
			d.table[k] = d.power(k)
		}
	}
	return d
}

func (d *decay) power(k int) float64 { return math.Exp2(-max(0, float64(k)-d.grace) / d.halfLife) }

// factor gives what is left of 1 after k days of exp or grace_exp; k is not negative.
func (d *decay) factor(k int) float64 {
	if k < len(d.table) {
		return d.table[k]
	}
	return d.power(k)
}

// left gives what k days without contact leave of a stock of milli-points. Of linear decay it is
// no matter of the stock alone: see stocks.faded. The conversion keeps the product from being
// fused with a later sum, which would give other last bits on some machines.
func (d *decay) left(stock float64, k int) float64 {
	switch {
	case d.table != nil:
		return float64(stock * d.factor(k))
	case d.stepDays > 0:
		return max(0, stock-float64(d.step*float64(k/d.stepDays)))
	}
	return stock
}

// crossing gives the days without contact after which a stock is below a
// threshold, +Inf for never; ok is false where only a search tells. The first
// day that is below is the next whole one, or of step the day itself.
func (d *decay) crossing(stock, threshold float64) (days float64, ok bool) {
	switch d.kind {
	case "linear":
		return 0, false
	case "none":
		return math.Inf(1), true
	case "step":
		return float64(d.stepDays) * (math.Floor((stock-threshold)/d.step) + 1), true
	}
	return d.grace + d.halfLife*math.Log2(stock/threshold), true
}

// unlimited is the window of a decay under which the oldest contact may still count.
const unlimited = math.MaxInt32

// window gives the days after which a contact no longer counts at all. Grace
// begins anew with each contact, and a step may be missed, so that there the oldest still may.
func (d *decay) window() int {
	switch {
	case d.kind == "linear":
		return d.fade
	case slices.Contains([]string{"", "exp"}, d.kind):
		return len(d.table) - 1
	}
	return unlimited
}
