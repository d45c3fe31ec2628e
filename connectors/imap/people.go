package imap

import (
	"strings"
	"sync"

	"energyd/connectors/imap/message"
)

// person is what a record says of an address with the name that was written beside it.
type person struct {
	message.Address
	key         string // the address by which the person is found; "" = there is none
	name, title string
	inside      bool   // one of our own
	out         bool   // asked not to be stored
	as          [3]any // the participant in each role; records share it, and nobody changes it
}

type role int

// The roles of a participant.
const (
	sender role = iota
	to
	cc
)

// people remembers persons: the same ones write again and again, and to take a
// name apart is the dearest step of a record.
type people struct {
	mu    sync.RWMutex
	known map[message.Address]*person
	out   map[string]bool // addresses and keys of people who are never stored
}

const (
	maxPeople     = 4096
	maxRemembered = 512 // bytes of name and address
)

func (c *conn) person(a message.Address) *person {
	c.people.mu.RLock()
	p := c.people.known[a]
	c.people.mu.RUnlock()
	if p == nil {
		if p = c.newPerson(a); len(a.Name)+len(a.Addr) > maxRemembered {
			return p
		}
		c.people.mu.Lock()
		defer c.people.mu.Unlock()
		if len(c.people.known) >= maxPeople || c.people.known == nil {
			c.people.known = map[message.Address]*person{}
		}
		c.people.known[p.Address] = p
	}
	return p
}

// address is the person of an address without a name.
func (c *conn) address(addr string) *person { return c.person(message.Address{Addr: addr}) }

func (c *conn) newPerson(a message.Address) *person {
	a = message.Address{Name: strings.Clone(a.Name), Addr: strings.Clone(a.Addr)} // without the header that it was cut out of
	p := &person{Address: a, key: c.key(a), inside: c.ours(a.Domain())}
	p.out = c.people.out[a.Addr] || c.people.out[p.key]
	if a.Name != "" {
		p.name, p.title = a.Person()
	}
	for as, word := range [...]string{sender: "sender", to: "to", cc: "cc"} {
		p.as[as] = map[string]any{"Address": p.key, "Name": p.name, "Title": p.title, "Role": word, "Internal": p.inside}
	}
	return p
}

// leaveOut notes who is never stored.
func (c *conn) leaveOut(addresses []string) {
	c.people.out = map[string]bool{}
	for _, text := range addresses {
		if a, ok := message.ParseAddress(text); ok {
			c.people.out[a.Addr], c.people.out[c.key(a)] = true, true
		}
	}
}
