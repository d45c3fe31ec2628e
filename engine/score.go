package engine

import "sort"

// Score is what an entity's cells say on one date.
type Score struct {
	AsOf        Date
	Earned      []PeriodSum // oldest first; periods without energy are left out
	Stock       float64     // temperature on Last, in points
	Last        Date        // last date with energy up to AsOf; NoDate = none
	Temperature float64     // on AsOf, in points; never below 0
	Groups      []float64   // what counts of each group on AsOf, in points; nil in a table with one
	Band        int         // 0 = coldest
	Best        int         // warmest band it ever was in, as far back as the stocks are replayed
	BandUntil   Date        // first day on which the band changes without news; NoDate = never
	Trend       Trend       // by the table's trend section
	Recent      Recent      // earned lately, by the table's alarms.low and alarms.halved
	Stirred     Date        // last day on which the customer started a contact, where a surge is looked for; NoDate = none
	Alarms      []Alarm     // that stand on AsOf, by kind; of the kinds of entity that alarms.entities names
	Due         Date        // next day after AsOf on which anything shown changes without news; NoDate = never
}

// PeriodSum is the energy earned in one period, undecayed.
type PeriodSum struct {
	Period      Period
	Contacts    int32
	Milli       int64 // what negative groups take away is not in it
	Lost        int64 // that
	ByClass     [NumClasses]int64
	ByDirection [NumDirections]int64 // whose act it was
}

// Evaluate gives the score of an entity from its sorted cells. Cells after
// asOf wait: they only set Due. The stocks are replayed oldest to newest from
// the longest window of the groups before the last date with energy, and so is the band with its
// hysteresis; nothing is remembered between calls, so any two ways to the
// same cells give the same bits. Bands compare temperatures rounded to
// milli-points, as they are shown. All kinds of entity follow one rule.
func (p *Points) Evaluate(kind EntityKind, cells []Cell, asOf Date) Score {
	s := Score{AsOf: asOf, Last: NoDate, Stirred: NoDate, BandUntil: NoDate, Due: NoDate}
	n := sort.Search(len(cells), func(i int) bool { return cells[i].Date > asOf })
	ahead := cells[n:]
	for i := range ahead {
		if ahead[i].Group != Booked {
			s.Due = ahead[i].Date
			break
		}
	}
	if cells = withoutBooked(cells[:n]); len(cells) == 0 {
		p.watch(kind, &s, cells, ahead, fall{})
		return s
	}
	cells = p.limited(cells)
	s.Earned = p.earned(cells)
	s.Last = cells[len(cells)-1].Date
	held, b, best := p.replay(cells)
	last, now := p.clock.at(s.Last), p.clock.at(asOf)
	s.Stock, s.Temperature = held.temperature(last)/1000, held.temperature(now)/1000
	if len(p.groups) > 1 {
		s.Groups = make([]float64, len(p.groups))
		for g := range s.Groups {
			s.Groups[g] = held.counted(Group(g), now) / 1000
		}
	}
	fell := held.fallen(b, last, now)
	b = held.quiet(b, last, now)
	s.Band, s.Best = b.at, best
	s.BandUntil = held.until(b, now)
	s.sooner(s.BandUntil)
	p.watch(kind, &s, cells, ahead, fell)
	return s
}

// earned sums cells by period.
func (p *Points) earned(cells []Cell) []PeriodSum {
	span := int(cells[len(cells)-1].Date-cells[0].Date)/28 + 2 // no period is shorter than 28 days
	sums := make([]PeriodSum, 0, min(len(cells), span))
	end := NoDate
	for i := range cells {
		c := &cells[i]
		if len(sums) == 0 || c.Date > end {
			var m Period
			m, end = p.periodOf(c.Date)
			sums = append(sums, PeriodSum{Period: m})
		}
		sum := &sums[len(sums)-1]
		sum.Contacts += c.Count
		if p.negatives[c.Group] {
			sum.Lost += c.Milli
			continue
		}
		sum.Milli += c.Milli
		sum.ByClass[c.Class] += c.Milli
		sum.ByDirection[c.Direction] += c.Milli
	}
	return sums
}

// replay gives the stocks and the band on the date of the last cell, and the warmest band on the way.
func (p *Points) replay(cells []Cell) (s stocks, b band, best int) {
	s = stocks{p: p, cells: cells}
	if p.window != unlimited {
		oldest := p.clock.at(cells[len(cells)-1].Date) - p.window
		s.next = sort.Search(len(cells), func(i int) bool { return p.clock.at(cells[i].Date) >= oldest })
		s.cells, s.next = cells[s.next:], 0
	}
	for last := 0; s.next < len(s.cells); {
		date := s.cells[s.next].Date
		at := p.clock.at(date)
		if s.next > 0 {
			b = s.quiet(b, last, p.clock.at(date-1))
		}
		for s.next < len(s.cells) && s.cells[s.next].Date == date {
			s.add(at)
		}
		b = p.nextBand(b, s.temperature(at), at)
		best = max(best, b.at)
		last = at
	}
	return s, b, best
}
