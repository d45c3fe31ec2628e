// Package freetext reads what the free text of a report says: that somebody
// visited or phoned, whom they met, of what title, when, and what was said
// (a question, a budget, a boss introduced). It goes by word lists and a few
// rules of writing, in Japanese and English, never by guessing: what no list
// holds is not read. It is pure, and every finding tells the words it went by.
//
//   - config.go is the word lists' file as an admin edits it;
//   - words.go finds the words of all lists in a text;
//   - clauses.go cuts a text where one thought ends;
//   - people.go finds persons and their companies;
//   - freetext.go puts the findings of clauses together to contacts.
package freetext

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// Contact is one contact that a text speaks of.
type Contact struct {
	Kind      string // of the points table; "" where the text tells none
	Direction string // inbound or outbound; "" where the words tell none
	Status    Status
	Time      string // of the day, "10:00"; "" where the text tells none
	Company   string // as written, in NFKC; "" where the text tells none
	People    []Person
	Cues      []string // of the points table, sorted
	Hits      []Hit    // what the above goes by, in the order of the text
}

// Status says whether a contact took place.
type Status string

// The statuses, with the words that mappings use for them.
const (
	Held      Status = "held"
	Planned   Status = "planned"
	Cancelled Status = "cancelled" // or did not come about
)

// Person is somebody of the customer's side whom a text names.
type Person struct {
	Name    string // without title and honorific; "" where only the title is told
	Title   string // "" where none is told
	Company string // of a person who is named with it; "" else
}

// Hit is a place of the text that a finding goes by.
type Hit struct {
	List string // "kinds.visit", "cues.question", "planned" …: where in the word lists' file
	Word string // as that file has it
}

// maxText bounds what is read of one text, in bytes: a report is shorter.
const maxText = 16 << 10

// Read gives the contacts that a text speaks of, in its order: none when it
// speaks of none. What belongs to no contact (a question in a text that names
// no kind) comes as one contact without kind.
func (r *Reader) Read(text string) []Contact {
	if len(text) > maxText {
		text = text[:maxText]
		for !utf8.ValidString(text) && text != "" { // cut between characters
			text = text[:len(text)-1]
		}
	}
	g := gathering{reader: r}
	for _, s := range sentences(text) {
		g.sentence(s)
	}
	for i := range g.contacts {
		slices.Sort(g.contacts[i].Cues)
	}
	return g.contacts
}

// gathering is the work on one text.
type gathering struct {
	reader   *Reader
	contacts []Contact
	line     int    // the first contact of the line at hand
	clock    string // the last time of day in it, which holds for what follows
	internal bool   // the line speaks of ourselves
}

// sentence adds what one sentence says.
func (g *gathering) sentence(s sentence) {
	if s.first {
		g.line, g.clock, g.internal = len(g.contacts), "", false
	}
	from := len(g.contacts)
	open := Contact{Status: Held}   // what was said before the verb came
	missed := Contact{Status: Held} // who was not there
	for _, c := range s.clauses {
		f := g.reader.find(c)
		if f.internal {
			g.internal = true
			continue
		}
		g.collect(&open, c, f)
		switch {
		case f.ahead || f.kind == nil && f.status == Planned: // "next week" is said of all that follows
			open.Status = Planned
		case f.kind == nil && f.status == Cancelled && len(g.contacts) > from:
			g.contacts[len(g.contacts)-1].Status = Cancelled
		}
		switch {
		case f.kind != nil:
			status := open.Status
			if f.status != Held {
				open.Status = f.status
			}
			open.Kind, open.Direction = f.kind.Kind, f.kind.Direction
			if f.unreached && open.Status == Held {
				open.Kind, open.Direction = g.reader.attempt, "outbound"
			}
			g.add(open)
			open, g.internal = Contact{Status: status}, false
		case f.unreached && !open.tells() && len(g.contacts) > from: // "called, but no answer"
			last := &g.contacts[len(g.contacts)-1]
			last.Kind, last.Direction = g.reader.attempt, "outbound"
			last.join(open)
			open = Contact{Status: open.Status}
		case f.unreached:
			missed, open = open, Contact{Status: Held}
		}
	}
	if from == len(g.contacts) && missed.tells() && missed.Status == Held {
		missed.Kind, missed.Direction = g.reader.attempt, "outbound"
		g.add(missed)
	}
	g.rest(open, len(g.contacts) > from)
}

// collect adds what a clause says beside its kind.
func (g *gathering) collect(open *Contact, c clause, f finding) {
	if f.time != "" {
		g.clock = f.time
	}
	named := g.reader.people(c, f)
	if open.Company == "" {
		open.Company = named.company
	}
	open.People = union(open.People, named.persons)
	open.Cues = union(open.Cues, f.cues)
	open.Hits = append(open.Hits, f.hits...)
}

// tells that a contact without a kind says anything.
func (c *Contact) tells() bool { return len(c.People) > 0 || len(c.Cues) > 0 || c.Company != "" }

// add takes a contact that has its kind. What tells the kind of the contact
// before once more, and nothing else, is that contact.
func (g *gathering) add(c Contact) {
	c.Time = g.clock
	if n := len(g.contacts); n > g.line && len(c.People) == 0 && c.Company == "" {
		if last := &g.contacts[n-1]; last.Kind == c.Kind && last.Direction == c.Direction && last.Status == c.Status && last.Time == c.Time {
			last.join(c)
			return
		}
	}
	g.contacts = append(g.contacts, c)
}

// join adds what else was said of a contact.
func (c *Contact) join(more Contact) {
	c.People = union(c.People, more.People)
	c.Cues = union(c.Cues, more.Cues)
	c.Hits = append(c.Hits, more.Hits...)
	if c.Company == "" {
		c.Company = more.Company
	}
}

// rest finds a place for what a sentence says after its last kind, or without
// any: it belongs to the contact before, when that is of the same line or
// nobody is named. same tells that the sentence has a kind of its own.
func (g *gathering) rest(open Contact, same bool) {
	n := len(g.contacts)
	switch {
	case !open.tells() || g.internal || open.Status == Planned:
		return
	case n == 0 || n == g.line && len(open.People) > 0:
		open.Time = g.clock
		g.contacts = append(g.contacts, open)
		return
	}
	last := g.contacts[n-1]
	others := open.People[:0:0]
	for _, p := range open.People {
		// "Promising: A's Tanaka, B's Ito" behind "exhibition" are contacts of that kind, each with its company.
		if p.Company != "" && last.Company != "" && p.Company != last.Company && !same {
			others = append(others, p)
			continue
		}
		if g.contacts[n-1].Company == "" {
			g.contacts[n-1].Company, last.Company = p.Company, p.Company
		}
		g.contacts[n-1].People = union(g.contacts[n-1].People, []Person{p})
	}
	open.People = nil
	g.contacts[n-1].join(open)
	for _, p := range others {
		g.contacts = append(g.contacts, Contact{Kind: last.Kind, Direction: last.Direction, Status: last.Status, Time: last.Time,
			Company: p.Company, People: []Person{p}, Hits: slices.Clone(last.Hits)})
	}
}

// union adds to a those of b that it lacks.
func union[T comparable](a, b []T) []T {
	for _, v := range b {
		if !slices.Contains(a, v) {
			a = append(a, v)
		}
	}
	return a
}

// String tells what a finding goes by, for explanations: "question: 質問".
func (h Hit) String() string {
	_, name, dotted := strings.Cut(h.List, ".")
	if !dotted {
		name = h.List
	}
	return name + ": " + h.Word
}
