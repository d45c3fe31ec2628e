package review

import (
	"math/rand/v2"
	"slices"

	"energyd/engine"
)

// weigh says of each weight what the outcomes say of it. Its interval comes of fits to deals drawn anew, with
// replacement: the weeks of a deal stay together.
func (r *run) weigh(f *fitter, m *model, how, rank []float64, only []bool) {
	samples := r.resample(f, m)
	use, useRank := make([]float64, len(how)), make([]float64, len(rank))
	deals, dealsRank := make([]map[int32]bool, len(how)), make([]map[int32]bool, len(rank))
	for i, row := range f.rows {
		for _, c := range f.features.of(i) {
			use[c.how] += float64(c.value)
			useRank[c.rank] += float64(c.value)
			note(deals, c.how, row.deal)
			note(dealsRank, c.rank, row.deal)
		}
	}
	var was, wasRank []float64
	for _, h := range r.table.How {
		was = append(was, h.Points)
	}
	for _, x := range r.table.Ranks {
		wasRank = append(wasRank, x.Points)
	}
	weighed := func(now, was, use []float64, free []bool, list [][]float64) []Weight {
		var out []Weight
		size := onScale(now, was, use, free)
		for k := range now {
			w := Weight{Present: was[k], Compared: was[k] * size, Proposed: now[k], Verdict: TooFew}
			if free[k] {
				var values []float64
				for _, b := range list {
					values = append(values, b[k]*onScale(now, b, use, free))
				}
				slices.Sort(values)
				w.Low, w.High = values[len(values)*25/1000], values[len(values)*975/1000]
				switch {
				case w.Compared > w.High:
					w.Verdict = Lower
				case w.Compared < w.Low:
					w.Verdict = Raise
				default:
					w.Verdict = Keep
				}
			}
			out = append(out, w)
		}
		return out
	}
	hows := make([][]float64, len(samples))
	ranks := make([][]float64, len(samples))
	for i, s := range samples {
		hows[i], ranks[i] = s.how, s.rank
	}
	seen := map[string]int{} // directions of a kind that have contacts
	for k, h := range r.table.How {
		if len(deals[k]) > 0 {
			seen[h.Kind]++
		}
	}
	for k, w := range weighed(how, was, use, f.freeHow, hows) {
		h := r.table.How[k]
		w.All = !h.own && seen[h.Kind] < 2
		w.Name, w.Kind, w.Direction, w.Deals = h.name(), h.Kind, h.Direction.String(), len(deals[k])
		if w.Deals > 0 || h.own || seen[h.Kind] == 0 && h.Direction == engine.Mutual {
			r.result.How = append(r.result.How, w)
		}
	}
	for k, w := range weighed(rank, wasRank, useRank, f.freeRank, ranks) {
		w.Name, w.Deals = r.table.Ranks[k].Name, len(dealsRank[k])
		if w.Verdict == TooFew && w.Proposed != w.Present {
			w.Verdict = AsAll
		}
		r.result.Ranks = append(r.result.Ranks, w)
	}
}

// onScale is the factor by which numbers must be taken so that the free ones give as much energy as now.
func onScale(now, numbers, use []float64, free []bool) float64 {
	a, b := 0.0, 0.0
	for k := range now {
		if free[k] {
			a += now[k] * use[k]
			b += numbers[k] * use[k]
		}
	}
	if a == 0 || b == 0 {
		return 1
	}
	return a / b
}

func note(sets []map[int32]bool, at uint16, deal int32) {
	if sets[at] == nil {
		sets[at] = map[int32]bool{}
	}
	sets[at][deal] = true
}

// resample fits again to deals drawn with replacement, from where the fit ended.
func (r *run) resample(f *fitter, m *model) []*model {
	index := make([]int32, len(r.deals)) // place of a deal in a draw
	n := int32(0)
	for i := range index {
		index[i] = -1
	}
	for _, row := range f.rows {
		if index[row.deal] < 0 {
			index[row.deal] = n
			n++
		}
	}
	models := make([]*model, r.opt.Resamples)
	times := make([]float64, n)
	own := *f
	own.weight = make([]float64, len(f.rows))
	for k := range models {
		rng := rand.New(rand.NewPCG(r.opt.Seed, uint64(k)))
		clear(times)
		for range n {
			times[rng.IntN(int(n))]++
		}
		for i, row := range f.rows {
			own.weight[i] = f.weight[i] * times[index[row.deal]]
		}
		models[k] = own.fit(m.tie, m, 1)
	}
	return models
}
