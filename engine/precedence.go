package engine

import (
	"cmp"
	"slices"
)

// What a source is: whose word counts depends on it.
const (
	reportSource   = "report"
	calendarSource = "calendar"
	mailSource     = "mail"
	phoneSource    = "phone"
	crmSource      = "crm"
)

// sourceWords are what a source may be.
var sourceWords = []string{reportSource, calendarSource, mailSource, phoneSource, crmSource}

// SourceWords are the words for what a source is: report, calendar …
func SourceWords() []string { return slices.Clone(sourceWords) }

// precedence says whose word counts first where several sources tell of one contact.
type precedence struct {
	sources            map[string]string // source → what it is
	kind, time, people []string          // sources, or what they are
}

func newPrecedence(c *PointsConfig) precedence {
	or := func(list []string, usual ...string) []string {
		if len(list) > 0 {
			return list
		}
		return usual
	}
	return precedence{
		sources: c.Sources,
		kind:    or(c.Precedence.Kind, reportSource, crmSource, phoneSource, calendarSource, mailSource),
		time:    or(c.Precedence.Time, phoneSource, calendarSource, mailSource, crmSource, reportSource),
		people:  or(c.Precedence.People, calendarSource, mailSource, reportSource, crmSource, phoneSource),
	}
}

// is tells what the source of an activity is: as the table says, else as the activity shows.
func (q *precedence) is(a *Activity) string {
	word, ok := q.sources[a.Source]
	switch {
	case ok:
		return word
	case a.Link != nil:
		return mailSource
	case a.Same != nil && a.Same.Event != "":
		return calendarSource
	case a.Same != nil && a.Same.Call != "":
		return phoneSource
	}
	return crmSource
}

// rank gives an activity's place in one of the lists: the source's own, else that of what it is.
func (q *precedence) rank(list []string, a *Activity) int {
	if i := slices.Index(list, a.Source); i >= 0 {
		return i
	}
	if i := slices.Index(list, q.is(a)); i >= 0 {
		return i
	}
	return len(list)
}

// told says which of a contact's records gave what only one can give.
type told struct{ kind, time, people int }

// told chooses: a kind that the table has before one that it lacks, a time before
// a mere day, people whom the CRM knows before strangers and those before nobody.
// Among equals precedence decides, then the smallest key.
func (p *Points) told(records []*Activity) told {
	q := &p.precedence
	best := func(list []string, worse func(a *Activity) int) int {
		at := 0
		for i, a := range records {
			if b := records[at]; cmp.Or(cmp.Compare(worse(a), worse(b)), cmp.Compare(q.rank(list, a), q.rank(list, b))) < 0 {
				at = i
			}
		}
		return at
	}
	return told{
		kind: best(q.kind, func(a *Activity) int {
			if _, ok := p.kinds[a.Kind]; ok {
				return 0
			}
			return 1
		}),
		time: best(q.time, func(a *Activity) int {
			if a.At.IsZero() {
				return 1
			}
			return 0
		}),
		people: best(q.people, func(a *Activity) int {
			switch {
			case slices.ContainsFunc(a.People, func(w Participant) bool { return w.Contact != "" }):
				return 0
			case len(a.People) > 0:
				return 1
			}
			return 2
		}),
	}
}

// unite makes one contact of records, which are sorted by key. It is worth the
// best source's trust: what a hand-typed record tells is confirmed by a machine's.
func (p *Points) unite(records []*Activity) Activity {
	t := p.told(records)
	byKind := slices.Clone(records)
	slices.SortStableFunc(byKind, func(a, b *Activity) int {
		return cmp.Compare(p.precedence.rank(p.precedence.kind, a), p.precedence.rank(p.precedence.kind, b))
	})
	contact := *records[0]
	contact.Kind, contact.Direction = records[t.kind].Kind, records[t.kind].Direction
	contact.At, contact.Date = records[t.time].At, records[t.time].Date
	contact.People = slices.Clone(records[t.people].People)
	contact.Deals, contact.Reps, contact.Cues, contact.Same = nil, nil, nil, nil
	contact.Product, contact.Segment = "", ""
	for _, a := range byKind {
		contact.Deals, contact.Reps = withParts(contact.Deals, a.Deals), withParts(contact.Reps, a.Reps)
		for _, name := range a.Cues {
			if !slices.Contains(contact.Cues, name) {
				contact.Cues = append(contact.Cues, name)
			}
		}
		for i := range contact.People {
			p.complete(&contact.People[i], a.People)
		}
		contact.Link = cmp.Or(contact.Link, a.Link)
		contact.Product, contact.Segment = cmp.Or(contact.Product, a.Product), cmp.Or(contact.Segment, a.Segment)
		if a.Same != nil && a.Same.Call != "" {
			contact.Same = cmp.Or(contact.Same, a.Same)
		}
		if p.factorOf(a.Source) > p.factorOf(contact.Source) {
			contact.Source = a.Source
		}
	}
	return contact
}

// complete adds what another record knows of a person: that it is the keyman, and a rank where none is known.
func (p *Points) complete(who *Participant, people []Participant) {
	if who.Contact == "" {
		return
	}
	for i := range people {
		other := &people[i]
		if other.Contact != who.Contact {
			continue
		}
		who.Keyman = who.Keyman || other.Keyman
		if p.noRank(who.Rank) && !p.noRank(other.Rank) {
			who.Rank, who.Title = other.Rank, other.Title
		}
	}
}

// noRank tells that a rank says nothing.
func (p *Points) noRank(rank string) bool {
	_, ok := p.editions[0].ranks[rank]
	return !ok || rank == "" || rank == UnknownRank
}

// factorOf gives the factor of a source; 1 when the table names none.
func (p *Points) factorOf(source string) float64 {
	if factor, ok := p.editions[0].sources[source]; ok {
		return factor
	}
	return 1
}

// withParts adds another record's shares. Weights that only one of the two has cannot be compared: then all have equal parts.
func withParts(shares, more []Share) []Share {
	if len(shares) == 0 {
		return slices.Clone(more)
	}
	weighted := func(s Share) bool { return s.usable() != 0 }
	differ := len(more) > 0 && slices.ContainsFunc(shares, weighted) != slices.ContainsFunc(more, weighted)
	shares = withShares(shares, more)
	if differ {
		for i := range shares {
			shares[i].Weight = 0
		}
	}
	return shares
}
