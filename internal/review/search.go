package review

import (
	"math"
	"slices"
)

// halfLives, ties and powers are what a search tries. A tie of +Inf is the table in use itself. A power is of its factors of
// who: 0 = everybody counts the same, half way in between, 1 = as they are. It is one weight, where a factor for each rank needs many deals.
var (
	powers    = []float64{1, 0.5, 0}
	halfLives = []float64{3, 5, 7, 10, 14, 20, 30, 45, 60, 90, 120, 180, 365}
	ties      = []float64{math.Inf(1), 3, 1, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001}
)

// blocks is into how many later parts of the training period a search looks ahead.
const blocks = 3

// learning is what a search works on: the rows of the training period.
type learning struct {
	sample *Sample
	rows   []row
}

// weights gives each row what it counts in a fit. The weeks of one deal are no independent witnesses; a deal that was drawn stands for others.
func weights(rows []row) []float64 {
	n := map[int32]float64{}
	for _, r := range rows {
		n[r.deal]++
	}
	w := make([]float64, len(rows))
	for i, r := range rows {
		w[i] = float64(max(1, r.standsFor)) / n[r.deal]
	}
	return w
}

// free says which weights the outcomes can tell anything of: ten of the rarer outcome for each, those that most deals have first.
func (l *learning) free(rows []row, features *features) (how, rank []bool) {
	t := l.sample.table
	how, rank = make([]bool, len(t.How)), make([]bool, len(t.Ranks))
	howDeals, rankDeals := make([]map[int32]bool, len(t.How)), make([]map[int32]bool, len(t.Ranks))
	won, lost := map[int32]bool{}, map[int32]bool{}
	for i, r := range rows {
		if r.won {
			won[r.deal] = true
		} else {
			lost[r.deal] = true
		}
		for _, c := range features.of(i) {
			note(howDeals, c.how, r.deal)
			note(rankDeals, c.rank, r.deal)
		}
	}
	budget := min(len(won), len(lost)) / 10
	choose := func(sets []map[int32]bool, free []bool, budget int, skip func(int) bool) int {
		order := make([]int, 0, len(sets))
		for i := range sets {
			if len(sets[i]) >= 10 && !skip(i) {
				order = append(order, i)
			}
		}
		slices.SortStableFunc(order, func(a, b int) int { return len(sets[b]) - len(sets[a]) })
		order = order[:min(len(order), max(0, budget))]
		for _, i := range order {
			free[i] = true
		}
		return len(order)
	}
	only, _ := l.sample.onlyWon(rows, features)
	used := choose(howDeals, how, budget, func(k int) bool { return only[k] })
	if l.sample.table.config.Mode != "flat" {
		choose(rankDeals, rank, budget-used, func(int) bool { return false })
	}
	return how, rank
}

func (l *learning) fitter(rows []row, features *features, power float64) *fitter {
	f := &fitter{table: l.sample.table.flattened(power), rows: rows, features: features, weight: weights(rows)}
	f.freeHow, f.freeRank = l.free(rows, features)
	f.unit()
	return f
}

// choice is what a search chose.
type choice struct{ halfLife, tie, power float64 }

// search chooses half-life and tie, and then the power, by how well rows of later blocks are foretold by what was known before them.
func (l *learning) search() choice {
	candidates := slices.Clone(halfLives)
	if own := l.sample.table.HalfLife; !slices.Contains(candidates, own) {
		candidates = append(candidates, own)
		slices.Sort(candidates)
	}
	best, least := choice{power: 1}, math.Inf(1)
	try := func(halfLife, power float64) {
		for i, loss := range l.losses(halfLife, power) {
			if loss < least {
				best, least = choice{halfLife, ties[i], power}, loss
			}
		}
	}
	for _, h := range candidates {
		try(h, 1)
	}
	if l.sample.table.config.Mode != "flat" {
		halfLife := best.halfLife
		for _, power := range powers[1:] {
			try(halfLife, power)
		}
	}
	return best
}

// losses gives, for each tie, the loss in the later blocks.
func (l *learning) losses(halfLife, power float64) []float64 {
	sums, n := make([]float64, len(ties)), len(l.rows)
	for b := range blocks {
		from, to := n*(blocks+1+b)/(2*blocks+1), n*(blocks+2+b)/(2*blocks+1)
		border := l.rows[from].cut
		var past []row
		for _, r := range l.rows[:from] {
			if r.cut < border && r.known <= border {
				past = append(past, r)
			}
		}
		if len(past) == 0 {
			continue
		}
		future := l.rows[from:to]
		f := l.fitter(past, l.sample.cool(past, halfLife), power)
		ahead, w := l.sample.cool(future, halfLife), weights(future)
		var m *model
		for i, t := range ties {
			m = f.fit(t, m, 2)
			sums[i] += m.loss(f.table, future, ahead, w)
		}
	}
	return sums
}
