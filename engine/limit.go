package engine

import "slices"

// limited gives the cells with what counts of them where a group has earned
// more than its limit in a period: each day and class a share of the limit, the
// largest remainder deciding the last thousandths. It looks at the sum, so that
// it does not matter what came first.
func (p *Points) limited(cells []Cell) []Cell {
	if !p.periodCaps || !slices.ContainsFunc(cells, func(c Cell) bool { return p.groups[p.groupOf(&c)].periodCap > 0 }) {
		return cells
	}
	cells = slices.Clone(cells)
	for g := range p.groups {
		if p.groups[g].periodCap > 0 {
			p.limit(cells, Group(g))
		}
	}
	return cells
}

func (p *Points) limit(cells []Cell, g Group) {
	var s scratch
	var weights, parts []int64
	for len(cells) > 0 {
		end := p.limitEnd(g, cells[0].Date)
		weights = weights[:0]
		var sum int64
		n := 0
		for ; n < len(cells) && cells[n].Date <= end; n++ {
			if p.groupOf(&cells[n]) == g {
				weights = append(weights, cells[n].Milli)
				sum += cells[n].Milli
			}
		}
		if most := p.groups[g].periodCap; sum > most {
			parts = slices.Grow(parts[:0], len(weights))[:len(weights)]
			s.split(most, weights, parts)
			k := 0
			for i := range cells[:n] {
				if p.groupOf(&cells[i]) == g {
					cells[i].Milli = parts[k]
					k++
				}
			}
		}
		cells = cells[n:]
	}
}

// limitEnd gives the last day of the period, or of the days, that a group's limit holds for on d.
// Days are counted off from 1970-01-01, so that what a day belongs to never moves.
func (p *Points) limitEnd(g Group, d Date) Date {
	if n := int64(p.groups[g].capDays); n > 0 {
		return Date((floorDiv(int64(d), n)+1)*n - 1)
	}
	_, end := p.periodOf(d)
	return end
}
