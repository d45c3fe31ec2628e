package engine

import (
	"cmp"
	"slices"
)

// Part is one activity's part of an entity's temperature.
type Part struct {
	Activity  int // index into the activities given
	Date      Date
	Kind      string
	Direction Direction
	Milli     int64   // what the entity earned by it
	Whole     int64   // what the account earned by it; for deals and reps Milli is a share of it
	Now       float64 // what is left of Milli on the date asked for, in points
	Terms     []Term  // the participants, most points first; a contact's part holds its own alone
}

// Term is what one participant earned, with the numbers of the rule. In mode
// multiply Milli/1000 = Rank × Keyman × Kind × Cue × Source × Role + Bonus; in
// mode add Rank + Keyman + Kind stands for the first product, in mode flat
// Rank and Keyman are 1. A Term of 0 milli-points declined, has a rank that
// the table lacks, or is listed twice.
type Term struct {
	Who    Participant
	Rank   float64
	Keyman float64
	Kind   float64
	Cue    float64  // all cue factors together, cut at the table's limit
	Cues   []string // those that the table has; RepeatCue too where it was found
	Source float64
	Role   float64
	Bonus  float64
	Milli  int64
}

// Explain lists what made an entity's temperature on a date, largest part of
// today's first. The parts' Now add up to Score.Temperature. acts may be of
// several accounts (for a contact, deal or rep), each with all its activities.
func (p *Points) Explain(acts []Activity, e Entity, asOf Date) []Part {
	var parts []Part
	for _, indexes := range byAccount(acts) {
		parts = append(parts, p.partsOf(acts, indexes, e, asOf)...)
	}
	last := NoDate
	for i := range parts {
		last = max(last, parts[i].Date)
	}
	for i := range parts {
		part := &parts[i]
		if p.clock.at(last)-p.clock.at(part.Date) <= p.decay.window() {
			part.Now = p.cooled(float64(part.Milli), part.Date, asOf) / 1000
		}
	}
	slices.SortFunc(parts, func(a, b Part) int {
		return cmp.Or(cmp.Compare(b.Now, a.Now), cmp.Compare(b.Date, a.Date),
			compareIdentity(&acts[a.Activity], &acts[b.Activity]))
	})
	return parts
}

// partsOf explains what e earned up to asOf by the activities of one account, acts[indexes...].
func (p *Points) partsOf(acts []Activity, indexes []int, e Entity, asOf Date) []Part {
	own := make([]Activity, len(indexes))
	for i, at := range indexes {
		own[i] = acts[at]
	}
	earned := make([]int64, len(own))
	p.Contributions(own, func(i int, c Contribution) {
		if c.Entity == e && c.Date <= asOf {
			earned[i] += c.Milli
		}
	})
	s := new(scratch)
	s.findRepeats(p, own)
	var parts []Part
	for i := range own {
		if earned[i] == 0 {
			continue
		}
		a, date := &own[i], p.DateOf(&own[i])
		whole := s.weigh(p, a, date)
		part := Part{Activity: indexes[i], Date: date, Kind: a.Kind, Direction: a.Direction,
			Milli: earned[i], Whole: whole, Terms: p.terms(s, a, date)}
		if e.Kind == Contact {
			part.Terms = slices.DeleteFunc(part.Terms, func(t Term) bool { return t.Who.Contact != e.ID })
		}
		parts = append(parts, part)
	}
	return parts
}

// terms lists what s.weigh found for an activity.
func (p *Points) terms(s *scratch, a *Activity, date Date) []Term {
	base, _ := p.rule(a)
	people := a.People
	if len(people) == 0 {
		people = nobody
	}
	terms := make([]Term, len(people))
	for i := range people {
		f, _ := p.factors(base, a, &people[i], s.repeats.is(people[i].Contact, date))
		t := Term{
			Who: people[i], Rank: f.rank, Keyman: f.keyman, Kind: f.kind, Cue: f.cue,
			Source: f.source, Role: f.role, Bonus: f.bonus, Milli: s.people[i].milli,
		}
		for j, name := range a.Cues {
			if _, ok := p.cues[name]; ok && !slices.Contains(a.Cues[:j], name) {
				t.Cues = append(t.Cues, name)
			}
		}
		if f.repeat {
			t.Cues = append(t.Cues, RepeatCue)
		}
		terms[i] = t
	}
	slices.SortStableFunc(terms, func(a, b Term) int { return cmp.Compare(b.Milli, a.Milli) })
	return terms
}
