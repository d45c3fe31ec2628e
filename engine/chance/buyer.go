package chance

import "math"

// Buyers are the parameters of the BG/NBD law of a company's customers
// (Fader, Hardie and Lee, 2005): buying rates have a gamma distribution R,
// Alpha; after each purchase a customer leaves for good with a probability of
// beta distribution A, B. Alpha has the unit of all times, such as weeks.
type Buyers struct {
	R, Alpha, A, B float64 // all above 0
}

// Alive gives the probability that a customer still is one, who bought again
// repeats times after the first purchase, the last time at age last, and whose
// first purchase was age ago. Without a repeat purchase the law says 1
// whatever the silence: not told, ok is false.
func (b Buyers) Alive(repeats int, last, age float64) (p float64, ok bool) {
	if repeats <= 0 {
		return 1, false
	}
	x := float64(repeats)
	// In logarithms, because the power overflows with a few hundred purchases.
	left := math.Log(b.A/(b.B+x-1)) + (b.R+x)*math.Log((b.Alpha+age)/(b.Alpha+last))
	return 1 / (1 + math.Exp(left)), true
}

// AliveUntil gives the age at which Alive falls to p, above 0 and below 1, if
// nothing more is bought; it may lie before last, who has bought so often that
// one is suspected at once. ok is false without a repeat purchase.
func (b Buyers) AliveUntil(repeats int, last, p float64) (age float64, ok bool) {
	if repeats <= 0 {
		return math.Inf(1), false
	}
	x := float64(repeats)
	grown := (math.Log((1-p)/p) + math.Log((b.B+x-1)/b.A)) / (b.R + x)
	return (b.Alpha+last)*math.Exp(grown) - b.Alpha, true
}
