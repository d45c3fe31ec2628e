package engine

import "slices"

// Doubtful lists activities, by their index in acts, that may tell of another
// source's contact once more and count beside it: of one day, family and, as far as
// known, people, but not recognised as one contact, as where their times lie hours
// apart. acts are all of one account and of whatever days.
func (p *Points) Doubtful(acts []Activity) []int {
	if several, _ := bonds(acts); !several {
		return nil
	}
	s := p.scratch.Get().(*scratch)
	defer p.scratch.Put(s)
	s.conversations.find(p, acts)
	c := &s.clusters
	c.find(p, acts, &s.conversations)
	var items []item
	for i := range c.above { // none where no kind has a family
		if a := c.contact(acts, &s.conversations, i); a != nil && a.counts() && p.kinds[a.Kind].family != "" {
			items = append(items, c.item(p, acts, &s.conversations, int32(i)))
		}
	}
	var found []int
	for i := range items {
		if slices.ContainsFunc(items, func(other item) bool { return p.doubtful(&items[i], &other) }) {
			for _, at := range c.of(items[i].at) {
				found = append(found, int(at))
			}
		}
	}
	slices.Sort(found)
	return found
}

func (p *Points) doubtful(x, y *item) bool {
	a, b := x.contact, y.contact
	if p.kinds[a.Kind].family != p.kinds[b.Kind].family || p.DateOf(a) != p.DateOf(b) ||
		slices.ContainsFunc(x.sources, func(s string) bool { return slices.Contains(y.sources, s) }) {
		return false
	}
	both, either, known := overlap(a.People, b.People)
	return !known || 2*both >= either
}
