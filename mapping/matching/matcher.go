package matching

import (
	"cmp"
	"slices"
	"strings"
	"sync"
)

// Decision is what a person decided once: whoever has all that the key says is
// the one with this id, or is not.
type Decision struct {
	Key string // as AccountKey and PersonKey make them
	ID  string // CRM id of the account or contact
	Not bool
}

// Decided is the reason of a link that a person made.
const Decided = "decided by a person"

// Matcher answers what records ask, by decisions first and then by evidence. It
// may be used from several goroutines. A nil Matcher knows nobody.
type Matcher struct {
	accounts *Index
	people   *People
	region   string
	present  func(person bool, id string) (string, bool)
	is       map[string][]string // by key
	not      map[string][]string

	mu         sync.RWMutex
	ofAccounts map[askedAccount]Match // what was answered: sources name the same few customers all day
	ofPeople   map[Person]Match
}

type askedAccount struct{ name, number, domain, phone string }

// maxAnswers bounds what a matcher remembers of each kind.
const maxAnswers = 1 << 16

// NewMatcher makes a matcher. region is as Phone takes it. present gives the id
// that an entity has now, which may have gone into another one; false when it is
// gone. Accounts and people stand under their present ids.
func NewMatcher(accounts []Account, people []Person, decisions []Decision, region string, present func(person bool, id string) (string, bool)) *Matcher {
	m := &Matcher{accounts: NewIndex(accounts, region), people: NewPeople(people), region: region, present: present,
		is: map[string][]string{}, not: map[string][]string{}, ofAccounts: map[askedAccount]Match{}, ofPeople: map[Person]Match{}}
	for _, d := range decisions {
		key := cmp.Or(ParseKey(d.Key, region), d.Key) // of the form that names have now
		person := IsPersonKey(key)
		id, there := present(person, d.ID)
		if !there {
			continue // of an account that is gone: it is asked again
		}
		if person {
			key = m.moved(key)
		}
		to := m.is
		if d.Not {
			to = m.not
		}
		if !slices.Contains(to[key], id) {
			to[key] = append(to[key], id)
		}
	}
	return m
}

// moved gives the key of a person whose account went into another one.
func (m *Matcher) moved(key string) string {
	_, name, _ := strings.Cut(key, "/")
	return m.AccountOf(key) + "/" + name
}

// MatchAccount finds the account that a record means.
func (m *Matcher) MatchAccount(want Account) Match {
	if m == nil {
		return Match{}
	}
	asked := askedAccount{name: want.Name, number: want.Number}
	if len(want.Domains) > 0 {
		asked.domain = want.Domains[0]
	}
	if len(want.Phones) > 0 {
		asked.phone = want.Phones[0]
	}
	m.mu.RLock()
	match, ok := m.ofAccounts[asked]
	m.mu.RUnlock()
	if ok {
		return match
	}
	if match = m.findAccount(want); match.Outcome == Proposed {
		match.Key = AccountKey(want, m.region)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.ofAccounts) >= maxAnswers {
		clear(m.ofAccounts)
	}
	m.ofAccounts[asked] = match
	return match
}

func (m *Matcher) findAccount(want Account) Match {
	if len(m.is)+len(m.not) == 0 {
		return m.accounts.Find(want)
	}
	is, not := m.decided(partsOf(want, m.region).subsets())
	if is.Outcome != Unknown {
		return is
	}
	return m.accounts.find(want, not)
}

// MatchContact finds the contact that a record means.
func (m *Matcher) MatchContact(want Person) Match {
	if m == nil {
		return Match{}
	}
	m.mu.RLock()
	match, ok := m.ofPeople[want]
	m.mu.RUnlock()
	if ok {
		return match
	}
	key := PersonKey(want)
	is, not := m.decided([][]string{{key}})
	if match = is; match.Outcome == Unknown {
		match = m.people.find(want, not)
	}
	if match.Outcome == Proposed {
		match.Key = key
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.ofPeople) >= maxAnswers {
		clear(m.ofPeople)
	}
	m.ofPeople[want] = match
	return match
}

// decided gives what was decided of a record, by the decisions that say the
// most of it, and who was ruled out by any. Decisions that contradict each other are put before a person again.
func (m *Matcher) decided(levels [][]string) (is Match, not map[string]bool) {
	for _, keys := range levels {
		var ids []string
		for _, key := range keys {
			for _, id := range m.is[key] {
				if !slices.Contains(ids, id) {
					ids = append(ids, id)
				}
			}
			for _, id := range m.not[key] {
				if not == nil {
					not = map[string]bool{}
				}
				not[id] = true
			}
		}
		switch {
		case is.Outcome != Unknown || len(ids) == 0:
		case len(ids) == 1:
			is = Match{Outcome: Linked, ID: ids[0], Reason: Decided}
		default:
			is = Match{Outcome: Proposed}
			slices.Sort(ids)
			for _, id := range ids[:min(len(ids), maxProposals)] {
				is.Proposals = append(is.Proposals, Proposal{id, 1, "decided by a person, and decided otherwise too"})
			}
		}
	}
	return is, not
}

// AccountKey is the key under which a decision on such records is kept; "" when
// they say nothing. It is a text that people can read and type:
// "株式会社青葉製作所 @aoba.example +81332345678", or a corporate number alone.
func AccountKey(want Account, region string) string {
	for _, keys := range partsOf(want, region).subsets() {
		return keys[0]
	}
	return ""
}

// PersonKey is the key under which a decision on such records is kept:
// "001xx0000012345/山田 太郎"; "" when there is no name or no account.
func PersonKey(want Person) string {
	name := ParsePerson(want.Name, want.Reading)
	if key := name.Key(); key != "" && want.Account != "" {
		return want.Account + "/" + key
	}
	return ""
}

// IsPersonKey tells the key of a person from one of an account.
func IsPersonKey(key string) bool { return strings.Contains(key, "/") }

// ParseKey reads a key as people type it, and gives it as it is kept; "" when it says nothing.
func ParseKey(text, region string) string {
	if account, name, ok := strings.Cut(text, "/"); ok {
		return PersonKey(Person{Account: strings.TrimSpace(account), Name: name})
	}
	return AccountKey(accountOf(text, region), region)
}

// accountOf reads the key of an account.
func accountOf(text, region string) (want Account) {
	var name []string
	for _, w := range strings.Fields(text) {
		switch {
		case strings.HasPrefix(w, "@") && len(w) > 1:
			want.Domains = []string{strings.ToLower(w[1:])}
		case strings.HasPrefix(w, "+") && Phone(w, region) != "":
			want.Phones = []string{w}
		case CorporateNumber(w) != "":
			want.Number = w
		default:
			name = append(name, w)
		}
	}
	want.Name = strings.Join(name, " ")
	return want
}

// MatchKey finds whom records mean that say what a key says.
func (m *Matcher) MatchKey(key string) Match {
	if _, name, ok := strings.Cut(key, "/"); ok {
		return m.MatchContact(Person{Account: m.AccountOf(key), Name: name})
	}
	return m.MatchAccount(accountOf(key, m.region))
}

// AccountOf gives the account of a person's key, or what it went into.
func (m *Matcher) AccountOf(key string) string {
	account, _, _ := strings.Cut(key, "/")
	if now, ok := m.present(false, account); ok {
		return now
	}
	return account
}

// parts are what a record says of an account, in the form in which it is the same however it was written.
type parts struct{ name, number, domain, phone string }

func partsOf(want Account, region string) parts {
	p := parts{name: nameKey(want.Name), number: CorporateNumber(want.Number)}
	if len(want.Domains) > 0 {
		p.domain = want.Domains[0]
	}
	if len(want.Phones) > 0 {
		p.phone = Phone(want.Phones[0], region)
	}
	return p
}

// subsets are the keys of all that a record says, and of ever less of it. Of a
// record with a corporate number it is that alone: it says which company is meant.
func (p parts) subsets() [][]string {
	if p.number != "" {
		return [][]string{{p.number}}
	}
	var said []string
	for _, s := range [...]struct{ sign, text string }{{"", p.name}, {"@", p.domain}, {"", p.phone}} {
		if s.text != "" {
			said = append(said, s.sign+s.text)
		}
	}
	switch len(said) {
	case 0:
		return nil
	case 1:
		return [][]string{said}
	case 2:
		return [][]string{{said[0] + " " + said[1]}, said}
	}
	a, b, c := said[0], said[1], said[2]
	return [][]string{{a + " " + b + " " + c}, {a + " " + b, a + " " + c, b + " " + c}, said}
}

// nameKey is a company's name however it was written: "株式会社青葉製作所 大阪支店" of
// "㈱ 青葉製作所 大阪支店 御中". A name that would not be read back the same stays as it is folded.
func nameKey(name string) string {
	c := ParseCompany(name)
	if key := c.key(); len(c.Others) == 0 {
		if again := ParseCompany(key); again.key() == key {
			return key
		}
	}
	return strings.Join(strings.Fields(strings.NewReplacer("/", " ", "@", " ", "+", " ").Replace(c.text)), " ")
}

func (c *Company) key() string {
	words := []string{c.Core, c.Form, c.Site}
	switch {
	case c.Place == Front:
		words = []string{c.Form + c.Core, c.Site}
	case c.Place == Behind:
		words = []string{c.Core + c.Form, c.Site}
	case !c.foreign && c.Form != "":
		words = []string{c.Core + "(" + c.Form + ")", c.Site}
	}
	return strings.Join(strings.Fields(strings.Join(words, " ")), " ")
}
