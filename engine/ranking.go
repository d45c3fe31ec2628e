package engine

import (
	"cmp"
	"slices"
	"sort"
)

// RankOf gives each value's place, the largest first; values that are equal
// share the mean of their places.
func RankOf(values []float64) []float64 {
	order := make([]int, len(values))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int { return cmp.Compare(values[b], values[a]) })
	ranks := make([]float64, len(values))
	for i := 0; i < len(order); {
		j := i
		for j < len(order) && values[order[j]] == values[order[i]] {
			j++
		}
		for _, k := range order[i:j] {
			ranks[k] = float64(i+j+1) / 2
		}
		i = j
	}
	return ranks
}

// Borda adds up each item's places in several rankings: the least is the best.
// rankings[r][i] is the place of item i in ranking r.
func Borda(rankings [][]float64) []float64 {
	var sums []float64
	for _, ranks := range rankings {
		if sums == nil {
			sums = make([]float64, len(ranks))
		}
		for i, r := range ranks {
			sums[i] += r
		}
	}
	return sums
}

// Concordance is Kendall's W: how far several rankings agree, 1 = wholly, 0 =
// not at all, corrected for ties. false where fewer than two rankings or items, or
// nothing but ties, leave nothing to agree on.
func Concordance(rankings [][]float64) (w float64, ok bool) {
	m := float64(len(rankings))
	if len(rankings) < 2 || len(rankings[0]) < 2 {
		return 0, false
	}
	n := float64(len(rankings[0]))
	mean, squares := m*(n+1)/2, 0.0
	for _, r := range Borda(rankings) {
		squares += (r - mean) * (r - mean)
	}
	ties := 0.0
	for _, ranks := range rankings {
		sorted := slices.Sorted(slices.Values(ranks))
		for i := 0; i < len(sorted); {
			j := i
			for j < len(sorted) && sorted[j] == sorted[i] {
				j++
			}
			t := float64(j - i)
			ties += t*t*t - t
			i = j
		}
	}
	most := m*m*(n*n*n-n) - m*ties
	if most <= 0 {
		return 0, false
	}
	return 12 * squares / most, true
}

// Grade gives the score of a value by fixed edges that go up: 1 below the
// first, and one more for each edge that it reaches. Edges do not depend on
// who else is there, so a new customer moves nobody, and equal values share a score.
func Grade(value float64, edges []float64) int {
	return 1 + sort.Search(len(edges), func(i int) bool { return edges[i] > value })
}

// Edges proposes n-1 edges that cut values into n grades of about equal size:
// what a review freezes. Fewer where many values are equal.
func Edges(values []float64, n int) []float64 {
	sorted := slices.Sorted(slices.Values(values))
	var edges []float64
	for i := 1; i < n && len(sorted) > 0; i++ {
		edge := sorted[min(len(sorted)*i/n, len(sorted)-1)]
		if edge > sorted[0] && (len(edges) == 0 || edge > edges[len(edges)-1]) {
			edges = append(edges, edge)
		}
	}
	return edges
}

// Lift tells how much more often those who own X own Y than all do: P(Y|X)/P(Y).
// false where nobody owns X or Y.
func Lift(both, ownX, ownY, all int) (lift float64, ok bool) {
	if ownX == 0 || ownY == 0 {
		return 0, false
	}
	return float64(both) / float64(ownX) * float64(all) / float64(ownY), true
}
