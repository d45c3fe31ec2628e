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
	return p.Reasons(acts, e, nil, asOf, len(acts))
}

// ExplainGroup is Explain for a group; acts are those of all accounts that h.Below names.
func (p *Points) ExplainGroup(acts []Activity, h *Hierarchy, group string, asOf Date) []Part {
	return p.Reasons(acts, Entity{CompanyGroup, group}, h, asOf, len(acts))
}

// Reasons gives the first parts of Explain, or of ExplainGroup, no more than
// most. It costs little more than scoring the activities when they are few. h is for groups alone.
func (p *Points) Reasons(acts []Activity, e Entity, h *Hierarchy, asOf Date, most int) []Part {
	counts := func(c Contribution) bool { return c.Entity == e }
	if e.Kind == CompanyGroup {
		counts = func(c Contribution) (counts bool) {
			h.RollUp(c, func(up Contribution) { counts = counts || up.Entity.ID == e.ID })
			return counts
		}
	}
	of := kindsOf(1) << Account // what groups have too
	if e.Kind != CompanyGroup {
		of = 1 << e.Kind
	}
	own := accountsOf(acts)
	parts := make([]Part, 0, len(acts))
	cells := entityCells{make([]Cell, 0, len(acts)), make([]int, 0, len(acts))}
	for i := range own {
		parts = p.partsOf(parts, &cells, &own[i], of, asOf, counts)
	}
	cells.share(p, parts, asOf)
	parts = leading(parts, most, func(a, b *Part) int {
		return cmp.Or(cmp.Compare(b.Share, a.Share), cmp.Compare(b.Date, a.Date),
			compareIdentity(&acts[a.Activity], &acts[b.Activity]))
	})
	for i := range own {
		p.detail(parts, &own[i], e)
	}
	return parts
}

// accountActs are the activities of one account.
type accountActs struct {
	acts []Activity
	at   []int32 // of each, the index among all
}

// accountsOf sorts activities by account, those of an account in their order.
func accountsOf(acts []Activity) []accountActs {
	all := make([]int32, len(acts))
	several := false
	for i := range acts {
		all[i] = int32(i)
		several = several || acts[i].Account != acts[0].Account
	}
	if !several { // nearly always: then nothing is copied
		return []accountActs{{acts, all}}
	}
	var list []accountActs
	for _, at := range byAccount(acts, all) {
		own := make([]Activity, len(at))
		for i, j := range at {
			own[i] = acts[j]
		}
		list = append(list, accountActs{own, at})
	}
	return list
}

// partsOf adds what an entity earned up to asOf by the activities of one account to parts and cells.
func (p *Points) partsOf(parts []Part, cells *entityCells, own *accountActs, of kindsOf, asOf Date, counts func(Contribution) bool) []Part {
	last := -1
	p.contributions(own.acts, of, func(i int, c Contribution) {
		if c.Date > asOf || c.Group == Booked || !counts(c) { // what was only planned made nothing
			return
		}
		if i != last { // those of one activity come together
			parts, last = append(parts, Part{Activity: int(own.at[i]), Date: c.Date}), i
		}
		cells.add(len(parts)-1, c.Cell)
	})
	return parts
}

// detail fills in of those parts that are one account's what each participant
// earned, and which records tell of the contact.
func (p *Points) detail(parts []Part, own *accountActs, e Entity) {
	var s *scratch
	var members map[int32][]Member
	for k := range parts {
		i, is := slices.BinarySearch(own.at, int32(parts[k].Activity))
		if !is {
			continue
		}
		if s == nil {
			s = p.scratch.Get().(*scratch)
			defer p.scratch.Put(s)
			s.look(p, own.acts)
			members = s.members(p, own.acts)
		}
		part := &parts[k]
		a, trust := s.contact(own.acts, i), s.trust(p, own.acts, i)
		part.Kind, part.Direction = a.Kind, a.Direction
		part.Whole = s.weigh(p, a, part.Date, trust)
		part.Terms = p.terms(s, a, part.Date, trust)
		for _, m := range members[int32(i)] {
			m.Activity = int(own.at[m.Activity])
			part.Members = append(part.Members, m)
		}
		if e.Kind == Contact {
			part.Terms = slices.DeleteFunc(part.Terms, func(t Term) bool { return t.Contact != e.ID })
		}
	}
}

// leading gives the first items in an order, no more than most, sorted.
func leading[T any](items []T, most int, compare func(a, b *T) int) []T {
	byOrder := func(a, b T) int { return compare(&a, &b) }
	if most >= len(items) {
		slices.SortFunc(items, byOrder)
		return items
	}
	slices.SortFunc(items[:most], byOrder)
	for i := most; i < len(items) && most > 0; i++ {
		if compare(&items[i], &items[most-1]) < 0 {
			items[most-1] = items[i]
			for k := most - 1; k > 0 && compare(&items[k], &items[k-1]) < 0; k-- {
				items[k], items[k-1] = items[k-1], items[k]
			}
		}
	}
	return items[:most:most]
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
