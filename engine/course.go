package engine

import "sort"

// Warmth is how warm an entity was, or will be, on a date.
type Warmth struct {
	Date        Date
	Temperature float64 // points
	Band        int
}

// Course gives an entity's warmth on every day from one to another. Those up
// to asOf are of what counted on that day, by all that is known today; those
// after it are what comes if nothing happens any more.
func (p *Points) Course(kind EntityKind, cells []Cell, from, asOf, to Date) []Warmth {
	known := cellsUpTo(cells, asOf)
	list := make([]Warmth, 0, max(0, int(to-from)+1))
	for day := from; day <= to; day++ {
		list = append(list, warmthOf(p.Evaluate(kind, known, day)))
	}
	return list
}

// Steps gives the days after asOf on which the band changes if nothing happens any more, the next one first,
// no more than most: negative groups may let it rise and fall again and again.
func (p *Points) Steps(kind EntityKind, cells []Cell, asOf Date, most int) []Warmth {
	known := cellsUpTo(cells, asOf)
	var list []Warmth
	for s := p.Evaluate(kind, known, asOf); s.BandUntil != NoDate && len(list) < most; {
		s = p.Evaluate(kind, known, s.BandUntil)
		list = append(list, warmthOf(s))
	}
	return list
}

func cellsUpTo(cells []Cell, asOf Date) []Cell {
	return cells[:sort.Search(len(cells), func(i int) bool { return cells[i].Date > asOf })]
}

func warmthOf(s Score) Warmth { return Warmth{s.AsOf, s.Temperature, s.Band} }

// Worth gives what a contact of a kind earns with one person of a rank on a date, in milli-points: without
// cues, not the keyman, from a source that counts in full, about no product or segment with a table of its own.
func (p *Points) Worth(kind string, d Direction, rank string, on Date) int64 {
	a := Activity{Kind: kind, Direction: d}
	r := p.rulesOf(&a, on)
	base, ok := r.rule(&a, 1)
	if !ok {
		return 0
	}
	f, _ := r.factors(base, &a, &Participant{Rank: rank}, 0)
	return f.milli(r.mode)
}
