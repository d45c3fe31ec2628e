// Package chance tells how likely it is that what a customer did is chance: that
// somebody who goes on as ever has so many contacts in two weeks, or none for
// two months. It is pure statistics over counts and days (energy-model.md §4.7).
package chance

import "math"

// Rate is what is known of how often something happens: Contacts in Days, the
// prior's part included. The true rate has then a gamma distribution of shape
// Contacts and rate Days; one contact in 45 days stands for knowing nothing.
type Rate struct {
	Contacts, Days float64 // both above 0; days of any clock
}

// Expected gives how many contacts to expect in so many days.
func (r Rate) Expected(days float64) float64 { return r.Contacts * days / r.Days }

// AtLeast gives the chance of n contacts or more in the next days, if nothing
// has changed: the upper tail of a negative binomial law.
func (r Rate) AtLeast(n int, days float64) float64 {
	if float64(n) <= r.Expected(days) {
		return 1 - r.below(n, days)
	}
	return r.from(n, days)
}

// AtMost gives the chance of n contacts or fewer in the next days.
func (r Rate) AtMost(n int, days float64) float64 {
	if float64(n) < r.Expected(days) {
		return r.below(n+1, days)
	}
	return 1 - r.from(n+1, days)
}

// from sums the upper tail, from n above the expected number on, where each
// term is smaller than the one before: so small chances keep all their digits.
func (r Rate) from(n int, days float64) float64 {
	const enough = 1e-17 // of the sum: below its last bit
	again := days / (r.Days + days)
	term := r.exactly(n, days)
	sum := term
	for k := float64(n); term > enough*sum; k++ {
		term *= (r.Contacts + k) / (k + 1) * again
		sum += term
	}
	return math.Min(1, sum)
}

// below sums the lower tail, of all that is less than n; n is not far above the expected number.
func (r Rate) below(n int, days float64) float64 {
	if n <= 0 {
		return 0
	}
	again := days / (r.Days + days)
	term := r.exactly(n-1, days)
	sum := term
	for k := float64(n - 1); k > 0; k-- {
		term *= k / ((r.Contacts + k - 1) * again)
		sum += term
	}
	return math.Min(1, sum)
}

// exactly gives the chance of n contacts in the next days.
func (r Rate) exactly(n int, days float64) float64 {
	k := float64(n)
	ways, _ := math.Lgamma(r.Contacts + k)
	of, _ := math.Lgamma(r.Contacts)
	orders, _ := math.Lgamma(k + 1)
	return math.Exp(ways - of - orders + r.Contacts*math.Log(r.Days/(r.Days+days)) + k*math.Log(days/(r.Days+days)))
}

// Silent gives the chance of no contact for so many days: a constant hazard,
// mixed over the customers, so that it falls the longer a silence lasts.
func (r Rate) Silent(days float64) float64 {
	return math.Pow(r.Days/(r.Days+days), r.Contacts)
}

// SilentFor gives the days after which Silent has fallen to p, above 0 and below 1.
func (r Rate) SilentFor(p float64) float64 {
	return r.Days * math.Expm1(-math.Log(p)/r.Contacts)
}
