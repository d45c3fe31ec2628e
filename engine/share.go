package engine

import "slices"

// entityCells are the cells of an entity with the parts that gave them, to say what became of each.
type entityCells struct {
	cells []Cell
	part  []int // of each cell
}

func (l *entityCells) add(part int, c Cell) {
	l.cells, l.part = append(l.cells, c), append(l.part, part)
}

// share fills what of each part counts, and what is left of it on asOf.
func (l *entityCells) share(p *Points, parts []Part, asOf Date) {
	if len(l.cells) == 0 {
		return
	}
	sums := SortCells(slices.Clone(l.cells))
	counted := p.limited(sums)
	left := p.remaining(counted, asOf)
	order := make([]int, len(l.cells))
	for i := range order {
		order[i] = i
	}
	if !slices.IsSortedFunc(l.cells, compareCells) { // those of an account's activities in time are
		slices.SortStableFunc(order, func(i, j int) int { return compareCells(l.cells[i], l.cells[j]) })
	}
	var s scratch
	var weights, given []int64
	for at := range sums {
		n := 0
		for n < len(order) && l.cells[order[n]].key() == sums[at].key() {
			n++
		}
		weights, given = slices.Grow(weights[:0], n)[:n], slices.Grow(given[:0], n)[:n]
		for k, i := range order[:n] {
			weights[k] = l.cells[i].Milli
		}
		s.split(counted[at].Milli, weights, given)
		sign := int64(1)
		if p.groups[p.groupOf(&sums[at])].negative {
			sign = -1
		}
		for k, i := range order[:n] {
			part := &parts[l.part[i]]
			part.Milli += sign * given[k]
			part.Unlimited += sign * weights[k]
			part.Share += float64(sign*given[k]) * left[at] / 1000
		}
		order = order[n:]
	}
}

// remaining gives for each cell what part of it still counts on asOf, between 0 and 1.
func (p *Points) remaining(cells []Cell, asOf Date) []float64 {
	now, s := p.clock.at(asOf), stocks{p: p, cells: cells}
	remaining := make([]float64, len(cells))
	last := p.clock.at(cells[len(cells)-1].Date)
	var chain [maxGroups][]int // cells of a group, where what is left of one day hangs on the days after it
	for i := range cells {
		at, g := p.clock.at(cells[i].Date), p.groupOf(&cells[i])
		if last-at > p.window {
			s.cells, s.next = cells[i+1:], 0
			continue
		}
		rule := &p.groups[g]
		switch rule.kind {
		case "step", "grace_exp":
			if st := s.of[g]; at > st.last && st.milli > 0 {
				kept := s.left(g, at) / st.milli
				for _, j := range chain[g] {
					remaining[j] *= kept
				}
			}
			remaining[i] = 1
			chain[g] = append(chain[g], i)
		case "linear":
			remaining[i] = max(0, float64(rule.fade-(now-at))/float64(rule.fade))
		default:
			remaining[i] = rule.left(1, now-at)
		}
		s.add(at)
	}
	for g := range p.groups {
		st, left := s.of[g], s.left(Group(g), now)
		kept := 1.0
		if left > 0 {
			kept = s.counted(Group(g), now) / left
		}
		for _, j := range chain[g] {
			if st.milli > 0 {
				remaining[j] *= left / st.milli
			}
		}
		for i := range cells {
			if kept != 1 && p.groupOf(&cells[i]) == Group(g) {
				remaining[i] *= kept
			}
		}
	}
	return remaining
}
