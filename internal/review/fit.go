package review

import (
	"math"
	"slices"
)

// model says how likely a row is won: intercept + Σ how·rank·value. A negative kind's how is 0 or more here, and is taken off.
type model struct {
	intercept float64
	how, rank []float64
	halfLife  float64
	tie       float64 // how strongly it was held to the table in use; +Inf = not fitted
}

// fitter fits one set of rows under one half-life.
type fitter struct {
	table    *Table
	rows     []row
	features *features
	weight   []float64
	freeHow  []bool
	freeRank []bool
	size     float64 // of a usual feature in these rows: what a tie of 1 is measured in
}

// unit finds the size of a usual feature, so that a tie means the same for many rows and few, long half-lives and short ones.
func (f *fitter) unit() {
	how := make([]float64, len(f.table.How))
	for i := range f.rows {
		clear(how)
		for _, c := range f.features.of(i) {
			how[c.how] += float64(c.value)
		}
		for _, v := range how {
			f.size += f.weight[i] * v * v / 4
		}
	}
	n := 0
	for _, free := range f.freeHow {
		if free {
			n++
		}
	}
	f.size /= float64(max(1, n))
}

// signed gives how the table in use counts each kind; negative kinds below 0.
func (t *Table) signed() (how, rank []float64) {
	for _, h := range t.How {
		if h.Negative {
			h.Points = -h.Points
		}
		how = append(how, h.Points)
	}
	for _, r := range t.Ranks {
		rank = append(rank, r.Points)
	}
	return how, rank
}

func (f *fitter) won() []bool { return wonOf(f.rows) }

func wonOf(rows []row) []bool {
	won := make([]bool, len(rows))
	for i, r := range rows {
		won[i] = r.won
	}
	return won
}

// scale fits the table in use as it is: how likely a point makes an order.
func (f *fitter) scale() (intercept, scale float64) {
	how, rank := f.table.signed()
	l := logistic{
		x: f.features.energy(how, rank), width: 1, won: f.won(), weight: f.weight,
		offset: make([]float64, len(f.rows)), anchor: []float64{0},
	}
	intercept, b := l.fit(0, []float64{0}, 30)
	return intercept, b[0]
}

// fit fits who × how by turns: how with who given, then who with how given. The penalty is tie·‖how·rank − scale·(how·rank
// of the table in use)‖², in both turns. start nil begins at the table in use.
func (f *fitter) fit(tie float64, start *model, turns int) *model {
	hows, ranks := f.table.signed()
	intercept, scale := f.scale()
	m := &model{intercept: intercept, how: make([]float64, len(hows)), rank: slices.Clone(ranks), tie: tie}
	for k, h := range hows {
		m.how[k] = math.Abs(h) * scale
	}
	if math.IsInf(tie, 1) {
		return m
	}
	anchorHow := slices.Clone(m.how)
	tie *= f.size
	if start != nil {
		m.intercept, m.how, m.rank = start.intercept, slices.Clone(start.how), slices.Clone(start.rank)
	}
	won := f.won()
	for range turns {
		f.turn(m, won, tie, true, anchorHow, ranks)
		f.turn(m, won, tie, false, anchorHow, ranks)
	}
	return m
}

// turn improves one side of the product with the other given.
func (f *fitter) turn(m *model, won []bool, tie float64, how bool, anchorHow, anchorRank []float64) {
	mine, other, anchorMine, anchorOther, free := m.how, m.rank, anchorHow, anchorRank, f.freeHow
	if !how {
		mine, other, anchorMine, anchorOther, free = m.rank, m.how, anchorRank, anchorHow, f.freeRank
	}
	square, cross := 0.0, 0.0
	for k, v := range other {
		square += v * v
		cross += v * anchorOther[k]
	}
	if square < 1e-12 {
		return
	}
	column := make([]int, len(mine)) // of the weights that are free; −1 = held to the table in use
	l := logistic{won: won, weight: f.weight, offset: make([]float64, len(f.rows)), penalty: tie * square}
	var b []float64
	for k := range mine {
		anchor := anchorMine[k] * cross / square
		if !free[k] {
			column[k], mine[k] = -1, anchor
			continue
		}
		column[k] = len(b)
		b, l.anchor = append(b, mine[k]), append(l.anchor, anchor)
	}
	l.width = len(b)
	l.x = make([]float64, len(f.rows)*l.width)
	for i := range f.rows {
		x := l.x[i*l.width : (i+1)*l.width]
		for _, c := range f.features.of(i) {
			v, k, with := float64(c.value), c.how, c.rank
			if f.table.How[c.how].Negative {
				v = -v
			}
			if !how {
				k, with = with, k
			}
			v *= other[with]
			if at := column[k]; at >= 0 {
				x[at] += v
			} else {
				l.offset[i] += v * mine[k]
			}
		}
	}
	m.intercept, b = l.fit(m.intercept, b, 25)
	for k, at := range column {
		if at >= 0 {
			mine[k] = b[at]
		}
	}
}

// loss is the mean loss on rows that the model has not seen.
func (m *model) loss(t *Table, rows []row, f *features, weight []float64) float64 {
	sum, all := 0.0, 0.0
	for i, z := range m.logits(t, f) {
		sum += weight[i] * loss(z, rows[i].won)
		all += weight[i]
	}
	return sum / all
}

// logits gives the log-odds of each row.
func (m *model) logits(t *Table, f *features) []float64 {
	how := slices.Clone(m.how)
	for k := range how {
		if t.How[k].Negative {
			how[k] = -how[k]
		}
	}
	z := f.energy(how, m.rank)
	for i := range z {
		z[i] += m.intercept
	}
	return z
}
