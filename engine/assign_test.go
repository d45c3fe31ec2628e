package engine

import (
	"math"
	"testing"

	"pgregory.net/rapid"
)

// best tries all ways: the most pairs, and of those the least sum.
func best(n, m int, cost func(i, j int) (int, bool)) (pairs, sum int) {
	var try func(j, taken, pairs, sum int)
	most, least := 0, math.MaxInt
	try = func(j, taken, pairs, sum int) {
		if j == m {
			if pairs > most || pairs == most && sum < least {
				most, least = pairs, sum
			}
			return
		}
		try(j+1, taken, pairs, sum)
		for i := range n {
			if x, ok := cost(i, j); ok && taken&(1<<i) == 0 {
				try(j+1, taken|1<<i, pairs+1, sum+x)
			}
		}
	}
	try(0, 0, 0, 0)
	return most, least
}

// check counts the pairs of an assignment, which must be allowed and one to one.
func check(t *rapid.T, n int, partner []int, cost func(i, j int) (int, bool)) (pairs, sum int) {
	taken := map[int]bool{}
	for j, i := range partner {
		if i < 0 {
			continue
		}
		x, ok := cost(i, j)
		if i >= n || !ok || taken[i] {
			t.Fatalf("%v: %d of %d is not allowed, or taken twice", partner, i, n)
		}
		taken[i] = true
		pairs, sum = pairs+1, sum+x
	}
	return pairs, sum
}

// No assignment has more pairs, and none of as many agrees better.
func TestAssignIsTheBest(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n, m := rapid.IntRange(0, 5).Draw(t, "n"), rapid.IntRange(0, 5).Draw(t, "m")
		costs := rapid.SliceOfN(rapid.IntRange(-3, 6), n*m, n*m).Draw(t, "costs") // below 0: not allowed
		cost := func(i, j int) (int, bool) { return costs[i*m+j], costs[i*m+j] >= 0 }
		pairs, sum := check(t, n, assign(n, m, cost), cost)
		if wantPairs, wantSum := best(n, m, cost); pairs != wantPairs || sum != wantSum {
			t.Fatalf("%d pairs of sum %d, want %d of %d", pairs, sum, wantPairs, wantSum)
		}
	})
}

// A day with thousands of contacts is paired one to one all the same, without looking at all pairs.
func TestAssignOfACrowdedDay(t *testing.T) {
	const n = 5000
	looked := 0
	cost := func(i, j int) (int, bool) {
		looked++
		return max(i-j, j-i), i%2 == 0 || i == j
	}
	rapid.Check(t, func(t *rapid.T) {
		looked = 0
		m := rapid.IntRange(1, n).Draw(t, "m")
		partner := assign(n, m, cost)
		if pairs, _ := check(t, n, partner, cost); pairs != m {
			t.Fatalf("%d of %d are paired", pairs, m)
		}
		if looked > 65*m+assignLimit {
			t.Fatalf("looked at %d pairs", looked)
		}
	})
}
