package engine

import (
	"cmp"
	"slices"
)

// Link is the place of a message in its conversation. The ids are those by
// which messages name each other: of a mail its Message-ID.
type Link struct {
	Message string // the message's own id
	Thread  string // of an early message of the conversation, the first one where it is known; "" = not told
	Answers string // of the message that this one answers or reports on; "" = none
}

// Undelivered is a contact whom a message did not reach, and who sent none since.
type Undelivered struct {
	Contact  string
	Date     Date
	Activity int // index of the report
}

// conversations finds which messages of one account are one contact with the
// customer: those of one conversation, kind, direction and date. What is told
// about them depends on all messages together, so that neither the order in which
// they arrive matters, nor in whose mailbox they lie.
type conversations struct {
	above  map[string]string // message id → another one of its conversation
	undone map[delivery]bool
	groups map[exchange][]int
	stands map[int]*Activity // the contact that message i stands for; messages that are not here stand for none
}

// delivery is a message to one person; the person is "" when not known.
type delivery struct{ message, contact string }

// exchange is what messages of one contact have in common.
type exchange struct {
	conversation string
	source, kind string
	direction    Direction
	date         Date
}

func (c *conversations) reset() {
	clear(c.above)
	clear(c.undone)
	clear(c.groups)
	clear(c.stands)
}

// find looks at all activities of an account. Accounts without messages cost nothing.
func (c *conversations) find(p *Points, acts []Activity) {
	c.reset()
	i := 0
	for i < len(acts) && acts[i].Link == nil {
		i++
	}
	if i == len(acts) {
		return
	}
	if c.above == nil {
		c.above, c.undone = map[string]string{}, map[delivery]bool{}
		c.groups, c.stands = map[exchange][]int{}, map[int]*Activity{}
	}
	for i := range acts {
		a := &acts[i]
		if a.Link == nil || !a.counts() {
			continue
		}
		c.join(a.Link.Message, a.Link.Thread)
		c.join(a.Link.Message, a.Link.Answers)
		if p.kinds[a.Kind].undoes && a.Link.Answers != "" {
			for _, who := range named(a.People) {
				c.undone[delivery{a.Link.Answers, who.Contact}] = true
			}
		}
	}
	for i := range acts {
		a := &acts[i]
		if a.Link == nil || !a.counts() {
			continue
		}
		key := exchange{c.first(cmp.Or(a.Link.Message, a.Link.Thread, a.ID)), a.Source, a.Kind, a.Direction, p.DateOf(a)}
		c.groups[key] = append(c.groups[key], i)
	}
	for _, members := range c.groups {
		slices.SortFunc(members, func(i, j int) int {
			return cmp.Or(acts[i].At.Compare(acts[j].At), compareIdentity(&acts[i], &acts[j]))
		})
		if at, contact := c.unite(acts, members); contact != nil {
			c.stands[at] = contact
		}
	}
}

// contact gives the contact that activity i stands for: of messages that are one contact, one stands for all; nil = none.
func (c *conversations) contact(acts []Activity, i int) *Activity {
	if acts[i].Link == nil {
		return &acts[i]
	}
	return c.stands[i]
}

// join notes that two messages are of one conversation.
func (c *conversations) join(a, b string) {
	if a == "" || b == "" {
		return
	}
	a, b = c.first(a), c.first(b)
	if a != b {
		c.above[max(a, b)] = min(a, b)
	}
}

// first gives the message that names the conversation of id: the least of all ids.
func (c *conversations) first(id string) string {
	root := id
	for up, ok := c.above[root]; ok; up, ok = c.above[root] {
		root = up
	}
	for id != root { // the next one finds it at once
		id, c.above[id] = c.above[id], root
	}
	return root
}

// unite makes one contact of messages in their order, and gives the first one
// that reached anybody; nil when none did.
func (c *conversations) unite(acts []Activity, members []int) (at int, contact *Activity) {
	if len(members) == 1 && len(c.undone) == 0 {
		return members[0], &acts[members[0]]
	}
	for _, i := range members {
		a := &acts[i]
		if c.lost(a) {
			continue
		}
		people := c.reached(a)
		if contact == nil {
			own := *a
			own.People, own.Deals, own.Reps, own.Cues = people, slices.Clone(a.Deals), slices.Clone(a.Reps), slices.Clone(a.Cues)
			at, contact = i, &own
			continue
		}
		known := contact.People // a stranger is the same one again in the next message, and somebody else in the same
		for _, who := range people {
			if !slices.Contains(known, who) {
				contact.People = append(contact.People, who)
			}
		}
		contact.Deals, contact.Reps = withShares(contact.Deals, a.Deals), withShares(contact.Reps, a.Reps)
		for _, name := range a.Cues {
			if !slices.Contains(contact.Cues, name) {
				contact.Cues = append(contact.Cues, name)
			}
		}
	}
	return at, contact
}

// reached gives the people of a message without those to whom it could not be delivered.
func (c *conversations) reached(a *Activity) []Participant {
	return slices.DeleteFunc(slices.Clone(a.People), func(who Participant) bool { return c.missed(a, who) })
}

// lost tells whether a message reached nobody.
func (c *conversations) lost(a *Activity) bool {
	return !slices.ContainsFunc(named(a.People), func(who Participant) bool { return !c.missed(a, who) })
}

// missed tells whether a message of ours did not reach somebody.
func (c *conversations) missed(a *Activity, who Participant) bool {
	return a.Direction == Outbound && c.undone[delivery{a.Link.Message, who.Contact}]
}

// named gives people, or the nobody who stands for them.
func named(people []Participant) []Participant {
	if len(people) == 0 {
		return nobody
	}
	return people
}

func withShares(shares, more []Share) []Share {
	for _, s := range more {
		if !slices.ContainsFunc(shares, func(t Share) bool { return t.ID == s.ID }) {
			shares = append(shares, s)
		}
	}
	return shares
}

// Undelivered lists the contacts among the people of one account's activities
// to whom messages up to asOf could not be delivered, latest first, each once.
// Who sent a message later has an address that works.
func (p *Points) Undelivered(acts []Activity, asOf Date) []Undelivered {
	reports, wrote := map[string]Undelivered{}, map[string]Date{}
	for i := range acts {
		a := &acts[i]
		if a.Link == nil || !a.counts() || p.DateOf(a) > asOf {
			continue
		}
		date := p.DateOf(a)
		for _, who := range a.People {
			switch known, ok := reports[who.Contact]; {
			case who.Contact == "":
			case p.kinds[a.Kind].undoes && (!ok || date > known.Date || date == known.Date && compareIdentity(a, &acts[known.Activity]) < 0):
				reports[who.Contact] = Undelivered{who.Contact, date, i}
			case !p.kinds[a.Kind].undoes && a.Direction == Inbound && who.Role == Sender:
				wrote[who.Contact] = max(wrote[who.Contact], date)
			}
		}
	}
	var list []Undelivered
	for contact, report := range reports {
		if date, ok := wrote[contact]; !ok || date <= report.Date {
			list = append(list, report)
		}
	}
	slices.SortFunc(list, func(a, b Undelivered) int {
		return cmp.Or(cmp.Compare(b.Date, a.Date), cmp.Compare(a.Contact, b.Contact))
	})
	return list
}
