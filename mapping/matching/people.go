package matching

import (
	"cmp"
	"slices"
	"strings"
)

// Person is a contact as one system knows it.
type Person struct {
	ID      string // "" of one that is looked for; two may have the same, as after a merge
	Account string // id of the company: names are looked for in it alone
	Name    string
	Reading string // of the name, in Kana or Latin letters; "" where none is known
	Email   string
}

// People finds contacts within their accounts. It may be read from several goroutines.
type People struct {
	accounts map[string][]indexedPerson
	emails   map[string][]indexedPerson
}

type indexedPerson struct {
	id    string
	name  PersonName
	email string
}

// NewPeople makes an index of contacts.
func NewPeople(people []Person) *People {
	x := &People{accounts: map[string][]indexedPerson{}, emails: map[string][]indexedPerson{}}
	for _, p := range people {
		e := indexedPerson{p.ID, ParsePerson(p.Name, p.Reading), address(p.Email)}
		x.accounts[p.Account] = append(x.accounts[p.Account], e)
		if e.email != "" {
			x.emails[e.email] = append(x.emails[e.email], e)
		}
	}
	return x
}

func address(s string) string {
	if s = strings.ToLower(strings.TrimSpace(s)); !strings.Contains(s, "@") {
		return ""
	}
	return s
}

// colleagues tells two addresses at one domain, as two people of a company have.
func colleagues(a, b string) bool {
	_, x, known := strings.Cut(a, "@")
	_, y, _ := strings.Cut(b, "@")
	return known && a != b && x == y
}

// personEvidence is what speaks for one contact.
type personEvidence struct {
	id    string
	name  Comparison
	email bool
	other bool // another address at the same domain, which namesakes have
}

// strength orders what may be linked: 0 may not. An address that came with
// somebody else's name may be a shared one.
func (e *personEvidence) strength() int {
	switch {
	case e.email && e.name.Verdict == Same:
		return 4
	case e.email && (e.name.Verdict == Likely || e.name.Reason == noName):
		return 3
	case e.name.Verdict == Same && !e.other:
		return 2
	}
	return 0
}

func (e *personEvidence) score() float64 {
	if e.email {
		return min(max(e.name.Score, 0.75)+0.1, 1)
	}
	return e.name.Score
}

func (e *personEvidence) reason() string {
	switch {
	case e.email && e.name.Reason == noName:
		return "the same mail address"
	case e.email:
		return e.name.Reason + "; the same mail address"
	case e.other && e.name.Verdict == Same:
		return e.name.Reason + "; another mail address of the company"
	}
	return e.name.Reason
}

// Find looks for a contact by mail address, and by name within the account. Of
// several that are equally right none is linked.
func (x *People) Find(want Person) Match { return x.find(want, nil) }

// find is Find without those that were decided not to be meant.
func (x *People) find(want Person, not map[string]bool) Match {
	name := ParsePerson(want.Name, want.Reading)
	mail := address(want.Email)
	var all []personEvidence
	look := func(p indexedPerson, email bool) {
		e := personEvidence{p.id, ComparePeople(name, p.name), email, !email && colleagues(mail, p.email)}
		if not[p.id] || e.name.Verdict == Different && !email {
			return
		}
		i := slices.IndexFunc(all, func(other personEvidence) bool { return other.id == e.id })
		switch {
		case i < 0:
			all = append(all, e)
		default: // another name of the same person, or the same one found again
			all[i].email = all[i].email || email
			all[i].other = all[i].other && e.other
			if e.name.Verdict > all[i].name.Verdict || e.name.Verdict == all[i].name.Verdict && e.name.Score > all[i].name.Score {
				all[i].name = e.name
			}
		}
	}
	if mail != "" {
		for _, p := range x.emails[mail] {
			look(p, true)
		}
	}
	if want.Account != "" {
		for _, p := range x.accounts[want.Account] {
			look(p, false)
		}
	}
	slices.SortFunc(all, func(a, b personEvidence) int {
		return cmp.Or(cmp.Compare(b.strength(), a.strength()), cmp.Compare(b.score(), a.score()), cmp.Compare(a.id, b.id))
	})
	switch {
	case len(all) == 0:
		return Match{}
	case all[0].strength() > 0 && (len(all) == 1 || all[1].strength() < all[0].strength()):
		return Match{Outcome: Linked, ID: all[0].id, Reason: all[0].reason()}
	}
	m := Match{Outcome: Proposed}
	for _, e := range all[:min(len(all), maxProposals)] {
		m.Proposals = append(m.Proposals, Proposal{e.id, e.score(), e.reason()})
	}
	return m
}
