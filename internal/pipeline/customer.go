package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/explain"
	"energyd/internal/fault"
)

// Customer is what is known of one account, for who looks at it.
type Customer struct {
	engine.Profile
	OwnerName, ParentName string
	Link                  string // the address of its record in the CRM; "" = not known
	Score                 engine.Score
	Why                   explain.Explanation // without parts where no activity of it is stored
	Course                []engine.Warmth     // every day of the year before today, and those after it until nothing changes, a year at most
	Steps                 []engine.Warmth     // the days on which the band changes if nothing happens any more
	Met                   []Met               // last met first
	Deals                 []Opportunity       // open ones first, the warmest of them first
	Planned               []Planned           // contacts that are still to come, the next one first
}

// Met is a person who was met.
type Met struct {
	ID, Name string
	Rank     string // of the points table, as of the last contact that tells one; "" = not known
	Keyman   bool
	Last     engine.Date
	Contacts int
}

// Opportunity is a deal with its score.
type Opportunity struct {
	engine.Profile
	Link   string
	Closed bool
	engine.Score
}

// Planned is a contact that is still to come.
type Planned struct {
	Date engine.Date
	Kind string
}

// Around the present, in days: how much of a course is shown.
const (
	courseBefore = 365
	courseAfter  = 365
	mostSteps    = 12
)

// Customer tells of an account, by its id; of one that went into another, of that one. Faults: config (there is none).
func (p *Pipeline) Customer(ctx context.Context, id string) (*Customer, error) {
	e, err := p.present(ctx, engine.Entity{Kind: engine.Account, ID: id})
	if err != nil {
		return nil, err
	}
	profile, known, err := p.store.Profile(ctx, e)
	if err != nil {
		return nil, err
	}
	entry, scored, err := p.store.LedgerEntry(ctx, e)
	switch {
	case err != nil:
		return nil, err
	case !known && !scored:
		return nil, NoCustomer(id)
	}
	acts, err := p.store.AccountActivities(ctx, e.ID)
	if err != nil {
		return nil, err
	}
	c := &Customer{Profile: profile, Link: p.link(profile.Source, e.ID), Score: p.points.Evaluate(e.Kind, entry.Cells, p.AsOf())}
	c.Entity = e
	if c.Why, err = p.why(ctx, e, entry.Cells, acts); err != nil {
		return nil, err
	}
	c.Steps = p.points.Steps(e.Kind, entry.Cells, p.AsOf(), mostSteps)
	c.Course = p.points.Course(e.Kind, entry.Cells, p.AsOf()-courseBefore, p.AsOf(), p.until(c.Steps))
	c.Planned = p.planned(acts)
	for to, of := range map[*string]engine.Entity{&c.OwnerName: {Kind: engine.Rep, ID: c.Owner}, &c.ParentName: {Kind: engine.Account, ID: c.Parent}} {
		named, _, err := p.store.Profile(ctx, of)
		if err != nil {
			return nil, err
		}
		*to = named.Name
	}
	if c.Met, err = p.met(ctx, c.Why.Parts); err != nil {
		return nil, err
	}
	c.Deals, err = p.dealsOf(ctx, e.ID)
	return c, err
}

// NoCustomer says that there is no customer of an id.
func NoCustomer(id string) error {
	return fault.New(fault.Config, "", fmt.Sprintf("there is no customer with the id %q", id), "look for it by its name", nil)
}

// until is how far a course is shown: some days beyond the last step, so that it is seen where it leads.
func (p *Pipeline) until(steps []engine.Warmth) engine.Date {
	const beyond = 14
	if len(steps) == 0 {
		return p.AsOf() + 2*beyond
	}
	return min(steps[len(steps)-1].Date+beyond, p.AsOf()+courseAfter)
}

// link is where a record stands in the system that told of it.
func (p *Pipeline) link(source, id string) string {
	for _, s := range p.cfg.Sources {
		if s.Name != source {
			continue
		}
		for _, c := range p.cfg.Connections {
			if linker, can := c.Config.(connectors.RecordLinker); can && c.Name == s.Connection {
				return linker.RecordLink(id)
			}
		}
	}
	return ""
}

// met lists the people of an account's parts.
func (p *Pipeline) met(ctx context.Context, parts []explain.Part) ([]Met, error) {
	found := map[string]*Met{}
	ranked := map[string]engine.Date{} // of the contact that told the rank
	var ids []string
	for _, part := range parts {
		for i, t := range part.Of.Terms {
			if t.Contact == "" || t.Role == engine.Declined || slices.ContainsFunc(part.Of.Terms[:i], func(o engine.Term) bool { return o.Contact == t.Contact }) {
				continue
			}
			m := found[t.Contact]
			if m == nil {
				m = &Met{ID: t.Contact, Last: engine.NoDate}
				found[t.Contact], ranked[t.Contact] = m, engine.NoDate
				ids = append(ids, t.Contact)
			}
			m.Contacts++
			m.Keyman = m.Keyman || t.Keyman
			m.Last = max(m.Last, part.Of.Date)
			if t.RankName != engine.UnknownRank && part.Of.Date >= ranked[t.Contact] {
				m.Rank, ranked[t.Contact] = t.RankName, part.Of.Date
			}
		}
	}
	profiles, err := p.store.ProfilesOf(ctx, engine.Contact, ids)
	if err != nil {
		return nil, err
	}
	list := make([]Met, 0, len(ids))
	for _, id := range ids {
		found[id].Name = profiles[id].Name
		list = append(list, *found[id])
	}
	slices.SortFunc(list, func(a, b Met) int {
		return cmp.Or(cmp.Compare(b.Last, a.Last), cmp.Compare(b.Contacts, a.Contacts), cmp.Compare(a.ID, b.ID))
	})
	return list, nil
}

// dealsOf lists the deals of an account.
func (p *Pipeline) dealsOf(ctx context.Context, account string) ([]Opportunity, error) {
	profiles, err := p.store.ProfilesUnder(ctx, engine.Deal, account)
	if err != nil {
		return nil, err
	}
	list := make([]Opportunity, len(profiles))
	for i, d := range profiles {
		entry, _, err := p.store.LedgerEntry(ctx, d.Entity)
		if err != nil {
			return nil, err
		}
		list[i] = Opportunity{d, p.link(d.Source, d.ID), d.Facts.True("closed") || d.Facts.True("won"), p.points.Evaluate(engine.Deal, entry.Cells, p.AsOf())}
	}
	slices.SortStableFunc(list, func(a, b Opportunity) int {
		if a.Closed != b.Closed {
			if a.Closed {
				return 1
			}
			return -1
		}
		return cmp.Or(cmp.Compare(b.Temperature, a.Temperature), cmp.Compare(b.Last, a.Last))
	})
	return list, nil
}

// planned lists what is booked, each day and kind once.
func (p *Pipeline) planned(acts []engine.Activity) []Planned {
	var list []Planned
	for i := range acts {
		a := &acts[i]
		next := Planned{p.points.DateOf(a), a.Kind}
		if a.Status == engine.Planned && !a.Deleted && next.Date >= p.AsOf() && !slices.Contains(list, next) {
			list = append(list, next)
		}
	}
	slices.SortFunc(list, func(a, b Planned) int {
		return cmp.Or(cmp.Compare(a.Date, b.Date), cmp.Compare(a.Kind, b.Kind))
	})
	return list
}
