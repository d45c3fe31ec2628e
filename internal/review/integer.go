package review

import (
	"math"
	"slices"
)

// The largest number of points that a review proposes for a kind, and the smallest that the largest kind gets.
const (
	mostPoints  = 20
	leastAnchor = 5
)

// Rounded gives whole points for weights when the largest of them gets anchor points.
func Rounded(weights []float64, anchor int) []int {
	top := 0.0
	for _, w := range weights {
		top = max(top, w)
	}
	points := make([]int, len(weights))
	for i, w := range weights {
		if top > 0 {
			points[i] = int(math.Round(w / top * float64(anchor)))
		}
	}
	return points
}

// integers turns a model into a table that people can read: whole points for how, factors to a tenth for who. Of the
// possible sizes it takes the one whose probabilities differ least from the model's (Kullback–Leibler); the outcomes
// themselves are not looked at, so that rounding learns no chance of theirs.
func (m *model) integers(f *fitter) (how, rank []float64) {
	t := f.table
	// Factors of who are brought to the size of those in use, so that 1 stays about 1.
	was, is := 0.0, 0.0
	for _, c := range f.features.cells {
		was += t.Ranks[c.rank].Points * float64(c.value)
		is += m.rank[c.rank] * float64(c.value)
	}
	size := 1.0
	if was > 0 && is > 0 {
		size = was / is
	}
	rank = make([]float64, len(m.rank))
	for r, v := range m.rank {
		rank[r] = math.Round(v*size*10) / 10
		if !slices.Contains(f.freeRank, true) {
			rank[r] = t.Ranks[r].Points
		}
	}
	fitted := make([]float64, len(m.how)) // of kinds that were fitted
	top := 0.0
	for k, v := range m.how {
		if f.freeHow[k] {
			fitted[k] = v / size
			top = max(top, fitted[k])
		}
	}
	how = make([]float64, len(m.how))
	if top == 0 {
		return how, rank
	}
	z := m.logits(t, f.features)
	best := math.Inf(1)
	for anchor := leastAnchor; anchor <= mostPoints; anchor++ {
		step := top / float64(anchor)
		points := make([]float64, len(m.how))
		whole := Rounded(fitted, anchor)
		for k := range points {
			points[k] = float64(whole[k])
			if !f.freeHow[k] {
				points[k] = readable(m.how[k] / size / step)
			}
		}
		try := model{intercept: m.intercept, how: scaled(points, step), rank: rank}
		sum := 0.0
		for i, q := range try.logits(t, f.features) {
			sum += f.weight[i] * divergence(z[i], q)
		}
		if sum < best-1e-12 {
			best, how = sum, points
		}
	}
	return how, rank
}

func scaled(list []float64, by float64) []float64 {
	out := make([]float64, len(list))
	for i, v := range list {
		out[i] = v * by
	}
	return out
}

// readable rounds the points of a kind that was not fitted: whole from 1 on, below to a tenth.
func readable(v float64) float64 {
	if v < 1 {
		return math.Round(v*10) / 10
	}
	return min(math.Round(v), 1000)
}

// divergence is the Kullback–Leibler divergence of the probability with log-odds q from that with log-odds z.
func divergence(z, q float64) float64 {
	p := sigmoid(z)
	return p*(loss(q, true)-loss(z, true)) + (1-p)*(loss(q, false)-loss(z, false))
}
