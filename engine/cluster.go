package engine

import (
	"cmp"
	"slices"
)

// clusters finds which records of one account, as different sources wrote
// them, are one contact with the customer (energy-model 4.3). Records that name
// the same are; of the others those that different sources wrote of one day and
// that agree well enough, each with one of another source at most, so that two
// visits of a day stay two. As conversations it looks at a set: the order of
// arrival changes nothing, nothing is remembered, and a member that changes or
// leaves leaves no trace.
type clusters struct {
	above   []int32             // of each activity another one of its cluster, or itself
	members map[int32][]int32   // of clusters of several records, by the one that stands for it
	united  map[int32]*Activity // their contacts; nil of the records that another one stands for
	spots   []spot
	items   []item
}

// spot is where a contact may meet one of another source.
type spot struct {
	date Date
	at   int32
}

// find looks at all activities of an account. It costs next to nothing where
// all come from one source and name nothing.
func (c *clusters) find(p *Points, acts []Activity, messages *conversations) {
	c.above, c.spots = c.above[:0], c.spots[:0]
	clear(c.members)
	clear(c.united)
	several, named := bonds(acts)
	if !named && !(several && p.families) {
		return
	}
	if c.members == nil {
		c.members, c.united = map[int32][]int32{}, map[int32]*Activity{}
	}
	for i := range acts {
		c.above = append(c.above, int32(i))
	}
	if named {
		c.joinNamed(acts, messages)
	}
	for at, members := range c.members {
		c.unite(p, acts, messages, at, members)
	}
	if several && p.families {
		c.joinAlike(p, acts, messages)
	}
	for at, members := range c.members {
		for _, i := range members {
			if i != at {
				c.united[i] = nil
			}
		}
	}
}

// bonds tells whether several sources wrote the records of an account, and
// whether some name what others may name too.
func bonds(acts []Activity) (several, named bool) {
	if len(acts) < 2 || acts[0].Account == "" {
		return false, false
	}
	linked := false
	for i := range acts {
		a := &acts[i]
		several, linked, named = several || a.Source != acts[0].Source, linked || a.Link != nil, named || a.Same != nil
	}
	return several, named || several && linked // the messages of one source are joined already
}

// first gives the record that stands for the cluster of i: that of the smallest key, so that others join without renaming it.
func (c *clusters) first(i int32) int32 {
	for c.above[i] != i {
		c.above[i] = c.above[c.above[i]]
		i = c.above[i]
	}
	return i
}

// join makes one cluster of two.
func (c *clusters) join(acts []Activity, i, j int32) {
	i, j = c.first(i), c.first(j)
	if i == j {
		return
	}
	if compareIdentity(&acts[i], &acts[j]) > 0 {
		i, j = j, i
	}
	more, less := c.of(i), c.of(j)
	if len(more) < len(less) {
		more, less = less, more
	}
	delete(c.members, j)
	c.members[i] = append(more, less...)
	c.above[j] = i
}

// of lists the members of the cluster that i stands for.
func (c *clusters) of(i int32) []int32 {
	if members := c.members[i]; members != nil {
		return members
	}
	return []int32{i}
}

// joinNamed joins the records that name the same, of whatever source: an id is
// certain. Messages have been joined within their source; here those of one
// conversation, kind, direction and day are in all sources.
func (c *clusters) joinNamed(acts []Activity, messages *conversations) {
	calls, records, events := map[string]int32{}, map[string]int32{}, map[occurrence]int32{}
	exchanges := map[exchange]int32{}
	ids := map[string][]int32{} // of records that others name
	for i := range acts {
		if s := acts[i].Same; s != nil && s.Record != "" && acts[i].counts() {
			ids[s.Record] = nil
		}
	}
	each := func(i, contact int32) {
		a := &acts[i]
		if named, ok := ids[a.ID]; ok {
			ids[a.ID] = append(named, i)
		}
		if a.Same == nil {
			return
		}
		c.joinBy(acts, contact, calls, a.Same.Call)
		c.joinBy(acts, contact, records, a.Same.Record)
		if a.Same.Event != "" {
			joinAt(c, acts, contact, events, a.occurrence())
		}
	}
	standsFor := map[int32]int32{} // message → the one that stands for its contact
	for key, group := range messages.groups {
		key.source = ""
		contact := int32(-1)
		for _, i := range group {
			if messages.stands[i] != nil {
				contact = int32(i)
			}
		}
		if contact < 0 {
			continue // it reached nobody
		}
		joinAt(c, acts, contact, exchanges, key)
		for _, i := range group {
			standsFor[int32(i)] = contact
			each(int32(i), contact)
		}
	}
	for i := range acts {
		if acts[i].Link == nil && acts[i].counts() {
			each(int32(i), int32(i))
		}
	}
	for i := range acts {
		a := &acts[i]
		if a.Same == nil || a.Same.Record == "" || !a.counts() {
			continue
		}
		for _, j := range ids[a.Same.Record] {
			from, of := contactOf(standsFor, acts, int32(i)), contactOf(standsFor, acts, j)
			if acts[j].Source != a.Source && from >= 0 && of >= 0 {
				c.join(acts, from, of)
			}
		}
	}
}

// contactOf gives the record that stands for the contact of record i; -1 = it is none.
func contactOf(standsFor map[int32]int32, acts []Activity, i int32) int32 {
	if acts[i].Link == nil {
		return i
	}
	if at, ok := standsFor[i]; ok {
		return at
	}
	return -1
}

func (c *clusters) joinBy(acts []Activity, i int32, named map[string]int32, name string) {
	if name != "" {
		joinAt(c, acts, i, named, name)
	}
}

// joinAt joins i with the first record that named the same.
func joinAt[K comparable](c *clusters, acts []Activity, i int32, named map[K]int32, name K) {
	if j, ok := named[name]; ok {
		c.join(acts, i, j)
	} else {
		named[name] = i
	}
}

// unite makes the contact of a cluster.
func (c *clusters) unite(p *Points, acts []Activity, messages *conversations, at int32, members []int32) *Activity {
	contact := p.unite(c.records(acts, messages, members))
	contact.ID = acts[at].ID
	c.united[at] = &contact
	return &contact
}

// records gives what each member tells, by the smallest key first.
func (c *clusters) records(acts []Activity, messages *conversations, members []int32) []*Activity {
	slices.SortFunc(members, func(i, j int32) int { return compareIdentity(&acts[i], &acts[j]) })
	records := make([]*Activity, len(members))
	for k, i := range members {
		records[k] = messages.contact(acts, int(i))
	}
	return records
}

// joinAlike joins contacts of different sources that agree, day by day.
func (c *clusters) joinAlike(p *Points, acts []Activity, messages *conversations) {
	for i := range acts {
		if c.above[i] != int32(i) {
			continue
		}
		a := c.contact(acts, messages, i)
		if a == nil || !a.counts() || p.kinds[a.Kind].family == "" {
			continue
		}
		c.spots = append(c.spots, spot{p.DateOf(a), int32(i)})
	}
	byDate := func(x, y spot) int { return cmp.Compare(x.date, y.date) }
	if !slices.IsSortedFunc(c.spots, byDate) { // as the store keeps them they are, nearly always
		slices.SortFunc(c.spots, byDate)
	}
	for rest := c.spots; len(rest) > 0; {
		n, several := 1, c.members[rest[0].at] != nil
		for ; n < len(rest) && rest[n].date == rest[0].date; n++ {
			several = several || acts[rest[n].at].Source != acts[rest[0].at].Source || c.members[rest[n].at] != nil
		}
		if several && n > 1 {
			c.joinDay(p, acts, messages, rest[:n])
		}
		rest = rest[n:]
	}
}

// contact gives the contact that activity i stands for; nil = none.
func (c *clusters) contact(acts []Activity, messages *conversations, i int) *Activity {
	if len(c.united) > 0 {
		if a, ok := c.united[int32(i)]; ok {
			return a
		}
	}
	return messages.contact(acts, i)
}
