package matching

import (
	"cmp"
	"maps"
	"slices"
)

// Account is a company as one system knows it.
type Account struct {
	ID      string // "" of one that is looked for
	Name    string
	Number  string   // 法人番号; "" where none is known
	Domains []string // of its own, lower case; never those of free mail
	Phones  []string
}

// Outcome says what became of a search.
type Outcome int

// The outcomes.
const (
	Unknown  Outcome = iota // nobody like it
	Proposed                // a person decides
	Linked                  // one account, and no other may be meant
)

// Match is the answer to a search.
type Match struct {
	Outcome   Outcome
	ID        string     // of the account when Linked
	Reason    string     // why it is linked
	Proposals []Proposal // when Proposed: the likeliest first, five at most
}

// Proposal is an account that may be meant.
type Proposal struct {
	ID     string
	Score  float64 // 0 to 1
	Reason string
}

// Index finds accounts among many: exact keys first, then those that share rare
// letters. It may be read from several goroutines.
type Index struct {
	region   string
	accounts []indexed
	keys     map[string][]int32 // "n"+number, "d"+domain, "p"+phone, "c"+core, "s"+strong
	pairs    map[[2]rune][]int32
}

type indexed struct {
	id, number string
	company    Company
	domains    []string
	phones     []string
}

// NewIndex makes an index. region is as Phone takes it.
func NewIndex(accounts []Account, region string) *Index {
	x := &Index{region: region, keys: map[string][]int32{}, pairs: map[[2]rune][]int32{}}
	for _, a := range accounts {
		n := int32(len(x.accounts))
		e := x.prepare(a)
		x.accounts = append(x.accounts, e)
		for key := range e.keys() {
			x.keys[key] = append(x.keys[key], n)
		}
		for p := range pairsOf(e.company.strong) {
			x.pairs[p] = append(x.pairs[p], n)
		}
	}
	return x
}

func (x *Index) prepare(a Account) indexed {
	e := indexed{id: a.ID, number: CorporateNumber(a.Number), company: ParseCompany(a.Name), domains: a.Domains}
	for _, p := range a.Phones {
		if n := Phone(p, x.region); n != "" {
			e.phones = append(e.phones, n)
		}
	}
	return e
}

func (e *indexed) keys() map[string]bool {
	keys := map[string]bool{}
	add := func(kind, value string) {
		if value != "" {
			keys[kind+value] = true
		}
	}
	add("n", e.number)
	for _, c := range append([]Company{e.company}, e.company.Others...) {
		add("c", longVowels(c.Core))
		add("s", c.strong)
	}
	for _, d := range e.domains {
		add("d", d)
	}
	for _, p := range e.phones {
		add("p", p)
	}
	return keys
}

// pairsOf are the neighbouring letters of a name.
func pairsOf(name string) map[[2]rune]bool {
	out := map[[2]rune]bool{}
	last := '^'
	for _, r := range name {
		out[[2]rune{last, r}] = true
		last = r
	}
	return out
}

const (
	maxPostings  = 300 // of a pair of letters that still tells anything
	maxProposals = 5
)

// evidence is what speaks for one candidate.
type evidence struct {
	n      int32
	name   Comparison
	number bool
	domain bool
	phone  bool
}

// strength orders what may be linked: 0 may not.
func (e *evidence) strength() int {
	second := 0
	if e.domain || e.phone {
		second = 1
	}
	switch {
	case e.number:
		return 4 + second
	case e.name.Verdict == Same:
		return 2 + second
	case e.name.Verdict == Likely && second > 0:
		return 1
	}
	return 0
}

func (e *evidence) score() float64 {
	s := e.name.Score
	if e.domain || e.phone {
		s = max(s, 0.6) + 0.02
	}
	if e.number {
		s = 1
	}
	return min(s, 1)
}

func (e *evidence) reason() string {
	switch {
	case e.number:
		return "the same corporate number"
	case e.domain && e.phone:
		return e.name.Reason + "; the same domain and phone"
	case e.domain:
		return e.name.Reason + "; the same domain"
	case e.phone:
		return e.name.Reason + "; the same phone"
	}
	return e.name.Reason
}

// Find looks for an account. Of several that are equally right none is linked:
// they are proposed. What another corporate number rules out is not even that.
func (x *Index) Find(want Account) Match {
	q := x.prepare(want)
	found := map[int32]*evidence{}
	at := func(n int32) *evidence {
		e := found[n]
		if e == nil {
			e = &evidence{n: n}
			found[n] = e
		}
		return e
	}
	for key := range q.keys() {
		for _, n := range x.keys[key] {
			e := at(n)
			switch key[0] {
			case 'n':
				e.number = true
			case 'd':
				e.domain = true
			case 'p':
				e.phone = true
			}
		}
	}
	if len(found) == 0 {
		x.near(q.company.strong, at)
	}
	var all []*evidence
	for _, n := range slices.Sorted(maps.Keys(found)) {
		e, a := found[n], &x.accounts[n]
		if q.number != "" && a.number != "" && q.number != a.number {
			continue
		}
		if e.name = Compare(q.company, a.company); q.company.Core == "" && (e.domain || e.phone) {
			e.name = Comparison{Likely, 0.7, "no name is given"}
		}
		if e.name.Verdict != Different || e.number || e.domain || e.phone {
			all = append(all, e)
		}
	}
	return x.decide(all)
}

// near adds accounts that share the rarest letters of a name.
func (x *Index) near(name string, at func(int32) *evidence) {
	pairs := slices.Collect(maps.Keys(pairsOf(name)))
	slices.SortFunc(pairs, func(a, b [2]rune) int {
		return cmp.Or(cmp.Compare(len(x.pairs[a]), len(x.pairs[b])), cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
	})
	used := 0
	for _, p := range pairs {
		if n := len(x.pairs[p]); n == 0 || n > maxPostings {
			continue
		}
		for _, n := range x.pairs[p] {
			at(n)
		}
		if used++; used == 3 {
			return
		}
	}
}

// decide links the one account of the greatest strength, or proposes.
func (x *Index) decide(all []*evidence) Match {
	slices.SortStableFunc(all, func(a, b *evidence) int {
		return cmp.Or(cmp.Compare(b.strength(), a.strength()), cmp.Compare(b.score(), a.score()), cmp.Compare(x.accounts[a.n].id, x.accounts[b.n].id))
	})
	switch {
	case len(all) == 0:
		return Match{}
	case all[0].strength() > 0 && (len(all) == 1 || all[1].strength() < all[0].strength()):
		return Match{Outcome: Linked, ID: x.accounts[all[0].n].id, Reason: all[0].reason()}
	}
	m := Match{Outcome: Proposed}
	for _, e := range all[:min(len(all), maxProposals)] {
		m.Proposals = append(m.Proposals, Proposal{x.accounts[e.n].id, e.score(), e.reason()})
	}
	return m
}
