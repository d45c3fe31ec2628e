package engine

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// apart is how far two sources' times of one contact may differ.
const apart = 30 * time.Minute

// item is a contact on its way into a cluster.
type item struct {
	at      int32 // the record that stands for it
	contact *Activity
	sources []string // that have it, each once
	rank    int      // of the first of them, in the order in which times are believed
}

// joinDay joins the contacts of one day that different sources tell of. Source
// by source, those whose times are believed first, each contact goes to one
// that stands already, by the assignment that joins most, and of those the one in which they agree best.
func (c *clusters) joinDay(p *Points, acts []Activity, messages *conversations, spots []spot) {
	c.items = c.items[:0]
	for _, s := range spots {
		c.items = append(c.items, c.item(p, acts, messages, s.at))
	}
	earlier := func(x, y item) int {
		return cmp.Or(x.contact.At.Compare(y.contact.At), compareIdentity(&acts[x.at], &acts[y.at]))
	}
	layer := func(x, y item) int {
		return cmp.Or(cmp.Compare(p.kinds[x.contact.Kind].family, p.kinds[y.contact.Kind].family),
			cmp.Compare(x.rank, y.rank), cmp.Compare(x.sources[0], y.sources[0]))
	}
	slices.SortFunc(c.items, func(x, y item) int { return cmp.Or(layer(x, y), earlier(x, y)) })
	var standing []item
	for rest := c.items; len(rest) > 0; {
		n := 1
		for n < len(rest) && layer(rest[0], rest[n]) == 0 {
			n++
		}
		come := rest[:n]
		rest = rest[n:]
		if len(standing) > 0 && p.kinds[standing[0].contact.Kind].family != p.kinds[come[0].contact.Kind].family {
			standing = standing[:0]
		}
		for j, i := range assign(len(standing), n, func(i, j int) (int, bool) { return p.distance(&standing[i], &come[j]) }) {
			if i < 0 {
				standing = append(standing, come[j])
				continue
			}
			c.join(acts, standing[i].at, come[j].at)
			at := c.first(come[j].at)
			c.unite(p, acts, messages, at, c.members[at])
			standing[i] = c.item(p, acts, messages, at)
		}
		slices.SortFunc(standing, earlier)
	}
}

func (c *clusters) item(p *Points, acts []Activity, messages *conversations, at int32) item {
	it := item{at: at, contact: c.contact(acts, messages, int(at)), rank: math.MaxInt}
	for _, i := range c.of(at) {
		a := &acts[i]
		rank := p.precedence.rank(p.precedence.time, a)
		if rank < it.rank || rank == it.rank && a.Source < it.sources[0] {
			it.rank = rank
			it.sources = slices.Insert(it.sources, 0, a.Source)
		} else if !slices.Contains(it.sources, a.Source) {
			it.sources = append(it.sources, a.Source)
		}
	}
	return it
}

// distance tells whether two contacts of one family and day may be one, and how well they agree: 0 = in all.
func (p *Points) distance(x, y *item) (far int, ok bool) {
	if slices.ContainsFunc(x.sources, func(s string) bool { return slices.Contains(y.sources, s) }) {
		return 0, false
	}
	return p.alike(x.contact, y.contact)
}

// alike tells the same of two contacts, whatever their sources. It is
// symmetric. They are not the same when they name different calls or messages, or
// when one was the customer's act and the other ours; a meeting is both sides' whoever asked for it.
func (p *Points) alike(a, b *Activity) (far int, ok bool) {
	k, l := p.kinds[a.Kind], p.kinds[b.Kind]
	if k.family != l.family || k.family == "" || p.DateOf(a) != p.DateOf(b) || a.otherThan(b) {
		return 0, false
	}
	if a.Direction != b.Direction && a.Direction != Mutual && b.Direction != Mutual && !(k.meeting && l.meeting) {
		return 0, false
	}
	const half = int(apart / time.Second) // of what may lie between two that are one, in seconds
	far = half                            // of one side only the day is known
	if !a.At.IsZero() && !b.At.IsZero() {
		between := a.At.Sub(b.At).Abs()
		if between > apart {
			return 0, false
		}
		far = int(between / time.Second)
	}
	both, either, known := overlap(a.People, b.People)
	switch {
	case !known:
		far += half / 2
	case 2*both < either:
		return 0, false
	default:
		far += half * (either - both) / either
	}
	if a.Kind != b.Kind {
		far += half
	}
	return far, true
}

// otherThan tells that two records name different calls, or different messages.
func (a *Activity) otherThan(b *Activity) bool {
	differ := func(x, y string) bool { return x != "" && y != "" && x != y }
	return a.Same != nil && b.Same != nil && differ(a.Same.Call, b.Same.Call) ||
		a.Link != nil && b.Link != nil && differ(a.Link.Message, b.Link.Message)
}

// overlap counts the contacts who took part in both, and in either; known is false when one side knows none.
func overlap(these, those []Participant) (both, either int, known bool) {
	took := func(people []Participant, i int) bool {
		who := &people[i]
		return who.Contact != "" && who.Role != Declined &&
			!slices.ContainsFunc(people[:i], func(w Participant) bool { return w.Contact == who.Contact && w.Role != Declined })
	}
	n, m := 0, 0
	for i := range these {
		if !took(these, i) {
			continue
		}
		n++
		if slices.ContainsFunc(those, func(w Participant) bool { return w.Contact == these[i].Contact && w.Role != Declined }) {
			both++
		}
	}
	for i := range those {
		if took(those, i) {
			m++
		}
	}
	return both, n + m - both, n > 0 && m > 0
}
