package chance_test

import (
	"math"
	"math/rand/v2"
	"testing"

	"energyd/engine/chance"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if !(math.Abs(got-want) <= tolerance) {
		t.Errorf("%s = %.7g, want %.7g", what, got, want)
	}
}

// known is the default prior with n contacts in 90 days.
func known(n float64) chance.Rate { return chance.Rate{Contacts: 1 + n, Days: 45 + 90} }

func TestCases52To54ChanceOfASurge(t *testing.T) {
	near(t, "52 expected", known(3).Expected(14), 0.415, 0.0005)
	for _, test := range []struct {
		name string
		had  float64
		n    int
		want float64
		tol  float64
	}{
		{"52 five", 3, 5, 0.000321, 5e-7},
		{"52 three", 3, 3, 0.01334, 5e-6},
		{"53 nothing known", 0, 3, math.Pow(14./149, 3), 1e-15},
		{"53 in figures", 0, 3, 0.000830, 5e-7},
		{"54 eight", 30, 8, 0.0229, 5e-5},
		{"54 nine", 30, 9, 0.0089, 5e-5},
		{"54 twelve", 30, 12, 0.00035, 5e-6},
	} {
		near(t, test.name, known(test.had).AtLeast(test.n, 14), test.want, test.tol)
	}
}

func TestTailsAreSoundEverywhere(t *testing.T) {
	for _, r := range []chance.Rate{{1, 45}, {4, 135}, {31, 225}, {2000, 225}, {0.5, 1}} {
		before := 1.0
		for n := range 500 {
			up, down := r.AtLeast(n, 14), r.AtMost(n-1, 14)
			if math.Abs(up+down-1) > 1e-9 {
				t.Fatalf("%v: P(≥%d) + P(<%d) = %g + %g", r, n, n, up, down)
			}
			if up > before || up < 0 || up == 0 && before > 1e-300 {
				t.Fatalf("%v: P(≥%d) = %g after %g", r, n, up, before)
			}
			before = up
		}
	}
	// With one prior contact the law is geometric: the tail is a plain power, to the last of its digits.
	if got, want := (chance.Rate{Contacts: 1, Days: 135}).AtLeast(100, 14), math.Pow(14./149, 100); math.Abs(got/want-1) > 1e-11 {
		t.Errorf("P(≥100) = %g, want %g", got, want)
	}
}

func TestATailIsWhatSimulationGives(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	rate := chance.Rate{Contacts: 4, Days: 135}
	const runs = 200_000
	hits := 0
	for range runs {
		daily := 0.0
		for range int(rate.Contacts) { // a gamma distribution of whole shape
			daily += r.ExpFloat64() / rate.Days
		}
		n := 0
		for at := r.ExpFloat64() / daily; at < 14; at += r.ExpFloat64() / daily {
			n++
		}
		if n >= 3 {
			hits++
		}
	}
	near(t, "P(≥3)", float64(hits)/runs, rate.AtLeast(3, 14), 0.001)
}

func TestCase57SilenceAgainstOwnRhythm(t *testing.T) {
	for _, test := range []struct{ n, days float64 }{{12, 58.31}, {6, 120.18}} {
		r := chance.Rate{Contacts: 1 + test.n, Days: 45 + 180}
		days := r.SilentFor(0.05)
		near(t, "57 days", days, test.days, 0.005)
		near(t, "57 and back", r.Silent(days), 0.05, 1e-12)
	}
}

func TestCase55Discoveries(t *testing.T) {
	for _, test := range []struct {
		name string
		ps   []float64
		want float64
	}{
		{"55 the first four", []float64{.2, .0003, .03, .004, .012}, .03},
		{"none", []float64{.2, .3}, 0},
		{"no tests", nil, 0},
		{"one alone", []float64{.05}, .05},
		{"one of many", []float64{.05, .9, .8, .7}, 0},
		{"a later one carries the earlier", []float64{.03, .031, .0314}, .0314},
	} {
		if got := chance.Discoveries(test.ps, .05); got != test.want {
			t.Errorf("%s: %g, want %g", test.name, got, test.want)
		}
	}
}

func TestCase58ProbabilityOfStillBeingACustomer(t *testing.T) {
	buyers := chance.Buyers{R: 0.243, Alpha: 4.414, A: 0.793, B: 2.426}
	for _, test := range []struct {
		x               int
		last, age, want float64
	}{
		{2, 30.43, 38.86, 0.72658},
		{23, 39, 39, 0.96856},
		{5, 30, 39, 0.70563},
		{20, 30, 39, 0.19682},
		{1, 1.71, 38.86, 0.21210},
	} {
		p, ok := buyers.Alive(test.x, test.last, test.age)
		near(t, "58 P(alive)", p, test.want, 5e-6)
		age, _ := buyers.AliveUntil(test.x, test.last, p)
		near(t, "58 the age of that P(alive)", age, test.age, 1e-9)
		if !ok {
			t.Errorf("58: %d repeat purchases and not told", test.x)
		}
	}
	if p, ok := buyers.Alive(0, 0, 39); p != 1 || ok {
		t.Errorf("58 without a repeat: %g %t, want 1 and not told", p, ok)
	}
	if p, _ := buyers.Alive(5000, 100, 200); !(p >= 0 && p < 1e-300) {
		t.Errorf("5,000 purchases, then silence: %g", p)
	}
}
