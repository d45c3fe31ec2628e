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
	Milli     int64    // what the entity earned by it; less than 0 in a negative group
	Unlimited int64    // Milli before the group's limit per period
	Whole     int64    // what the account earned by it; Milli is a share of it, or one participant's own points
	Share     float64  // what is left of Milli on the date asked for, in points
	Terms     []Term   // the participants, most points first; a contact's part holds its own alone
	Members   []Member // the records of this one contact, where there are several; the first stands for it
}

// Term is what one participant earned, with the numbers of the rule. In mode
// multiply Milli/1000 = RankPoints × KeymanFactor × KindPoints × CueFactor ×
// SourceFactor × RoleFactor + Bonus; in mode add the first three are added
// up, in mode flat rank and keyman are 1. A Term of 0 milli-points declined,
// has a rank that the table lacks, or is listed twice.
type Term struct {
	Contact  string
	RankName string // UnknownRank when not known
	Keyman   bool
	Role     Role

	RankPoints, KeymanFactor, KindPoints float64
	CueFactor                            float64 // of all Cues together, cut at the table's limit
	SourceFactor, RoleFactor             float64
	Bonus                                float64
	Cues                                 []CueTerm // those that the table has; RepeatCue too where it was found
	Milli                                int64
}

// CueTerm is one cue's part in a Term.
type CueTerm struct {
	Name   string
	Factor float64
	Bonus  float64
}

// Explain lists what made an entity's temperature on a date, largest part of
// today's first. The shares add up to Score.Temperature. acts may be of
// several accounts (for a contact, deal or rep), each with all its activities.
func (p *Points) Explain(acts []Activity, e Entity, asOf Date) []Part {
	return p.explain(acts, e, asOf, func(c Contribution) bool { return c.Entity == e })
}

// ExplainGroup is Explain for a group; acts are those of all accounts that h.Below names.
func (p *Points) ExplainGroup(acts []Activity, h *Hierarchy, group string, asOf Date) []Part {
	return p.explain(acts, Entity{CompanyGroup, group}, asOf, func(c Contribution) (counts bool) {
		h.RollUp(c, func(up Contribution) { counts = counts || up.Entity.ID == group })
		return counts
	})
}

// explain is Explain of e, for which the contributions count that its last argument names.
func (p *Points) explain(acts []Activity, e Entity, asOf Date, counts func(Contribution) bool) []Part {
	var parts []Part
	var cells entityCells
	all := make([]int32, len(acts))
	for i := range all {
		all[i] = int32(i)
	}
	for _, indexes := range byAccount(acts, all) {
		parts = p.partsOf(parts, &cells, acts, indexes, e, asOf, counts)
	}
	cells.share(p, parts, asOf)
	slices.SortFunc(parts, func(a, b Part) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(b.Date, a.Date),
			compareIdentity(&acts[a.Activity], &acts[b.Activity]))
	})
	return parts
}

// partsOf adds what e earned up to asOf by the activities of one account, acts[indexes...], to parts and cells.
func (p *Points) partsOf(parts []Part, cells *entityCells, acts []Activity, indexes []int32, e Entity, asOf Date, counts func(Contribution) bool) []Part {
	own := make([]Activity, len(indexes))
	for i, at := range indexes {
		own[i] = acts[at]
	}
	earned := make([][]Cell, len(own))
	p.Contributions(own, func(i int, c Contribution) {
		if c.Date <= asOf && counts(c) {
			earned[i] = append(earned[i], c.Cell)
		}
	})
	s := new(scratch)
	s.look(p, own)
	members := s.members(p, own)
	for i := range own {
		if len(earned[i]) == 0 {
			continue
		}
		for _, c := range earned[i] {
			cells.add(len(parts), c)
		}
		a, date := s.contact(own, i), p.DateOf(&own[i])
		trust := s.trust(p, own, i)
		whole := s.weigh(p, a, date, trust)
		part := Part{Activity: int(indexes[i]), Date: date, Kind: a.Kind, Direction: a.Direction,
			Whole: whole, Terms: p.terms(s, a, date, trust)}
		for _, m := range members[int32(i)] {
			m.Activity = int(indexes[m.Activity])
			part.Members = append(part.Members, m)
		}
		if e.Kind == Contact {
			part.Terms = slices.DeleteFunc(part.Terms, func(t Term) bool { return t.Contact != e.ID })
		}
		parts = append(parts, part)
	}
	return parts
}

// terms lists what s.weigh found for an activity.
func (p *Points) terms(s *scratch, a *Activity, date Date, trust float64) []Term {
	r := p.rulesOf(a, date)
	base, _ := r.rule(a, trust)
	people := a.People
	if len(people) == 0 {
		people = nobody
	}
	terms := make([]Term, len(people))
	for i := range people {
		who := &people[i]
		f, _ := r.factors(base, a, who, s.signs.of(p, a, who.Contact, date))
		terms[i] = Term{
			Contact: who.Contact, RankName: cmp.Or(who.Rank, UnknownRank), Keyman: who.Keyman, Role: who.Role,
			RankPoints: f.rank, KeymanFactor: f.keyman, KindPoints: f.kind,
			CueFactor: f.cue, SourceFactor: f.source, RoleFactor: f.role, Bonus: f.bonus,
			Cues: r.cueTerms(a, f.found), Milli: s.people[i].milli,
		}
	}
	slices.SortStableFunc(terms, func(a, b Term) int { return cmp.Compare(b.Milli, a.Milli) })
	return terms
}

// cueTerms lists the cues of an activity that the table has, each once, and those that were found.
func (r *rules) cueTerms(a *Activity, found found) []CueTerm {
	var terms []CueTerm
	for i, name := range a.Cues {
		if q, ok := r.cues[name]; ok && !slices.Contains(a.Cues[:i], name) {
			terms = append(terms, CueTerm{name, q.factor, q.bonus})
		}
	}
	for i, name := range signNames {
		if found.has(i) {
			terms = append(terms, CueTerm{name, r.signs[i].factor, r.signs[i].bonus})
		}
	}
	return terms
}
