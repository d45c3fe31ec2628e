package matching

import (
	"cmp"
	"maps"
	"slices"
	"unicode/utf8"
)

// Account is a company as one system knows it.
type Account struct {
	ID      string // "" of one that is looked for; two may have the same: names of one account, as after a merge
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
	Key       string     // when Proposed by a Matcher: under which the decision is kept; "" when there is no name to keep it by
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
	keys     map[indexKey][]int32
	pairs    map[[2]rune][]int32
}

// indexKey is something by which candidates are found exactly.
type indexKey struct {
	kind  keyKind
	value string
}

type keyKind byte

const (
	byNumber keyKind = iota
	byDomain
	byPhone
	byCore
	byStrong // what the core is folded to furthest
	bySound
	byUnvoiced
)

type indexed struct {
	id, number string
	company    Company
	letters    int // of the strong core
	domains    []string
	phones     []string
}

// NewIndex makes an index. region is as Phone takes it.
func NewIndex(accounts []Account, region string) *Index {
	x := &Index{region: region, keys: map[indexKey][]int32{}, pairs: map[[2]rune][]int32{}}
	for _, a := range accounts {
		n := int32(len(x.accounts))
		e := x.prepare(a)
		x.accounts = append(x.accounts, e)
		add := func(key indexKey) {
			if at := x.keys[key]; len(at) == 0 || at[len(at)-1] != n {
				x.keys[key] = append(at, n)
			}
		}
		e.eachKey(add)
		e.eachSound(add)
		for p := range pairsOf(e.company.strong) {
			x.pairs[p] = append(x.pairs[p], n)
		}
	}
	return x
}

func (x *Index) prepare(a Account) indexed {
	e := indexed{id: a.ID, number: CorporateNumber(a.Number), company: ParseCompany(a.Name), domains: a.Domains}
	e.letters = utf8.RuneCountInString(e.company.strong)
	for _, p := range a.Phones {
		if n := Phone(p, x.region); n != "" {
			e.phones = append(e.phones, n)
		}
	}
	return e
}

// eachKey gives the keys of an account; one may come twice.
func (e *indexed) eachKey(do func(indexKey)) {
	give := func(kind keyKind, value string) {
		if value != "" {
			do(indexKey{kind, value})
		}
	}
	give(byNumber, e.number)
	give(byCore, longVowels(e.company.Core))
	give(byStrong, e.company.strong)
	if e.company.Site != "" {
		give(byCore, longVowels(e.company.Core+e.company.Site))
	}
	give(byCore, longVowels(e.company.head))
	for _, stem := range e.company.stems {
		give(byCore, longVowels(stem))
	}
	for _, c := range e.company.Others {
		give(byCore, longVowels(c.Core))
		give(byStrong, c.strong)
	}
	for _, d := range e.domains {
		give(byDomain, d)
	}
	for _, p := range e.phones {
		give(byPhone, p)
	}
}

// eachSound gives the keys by which a name is looked for that no other key finds.
func (e *indexed) eachSound(do func(indexKey)) {
	if e.company.sound != "" {
		do(indexKey{bySound, e.company.sound})
	}
	if e.company.unvoiced != "" {
		do(indexKey{byUnvoiced, e.company.unvoiced})
	}
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
	other  bool // both its domain and its phone are other ones, as of a namesake elsewhere
}

// enough is the score of a likely name from which a domain or phone of its own makes it certain.
// Companies of one group share them, and the beginnings of their names.
const enough = 0.65

// strength orders what may be linked: 0 may not.
func (e *evidence) strength() int {
	second := 0
	if e.domain || e.phone {
		second = 1
	}
	switch {
	case e.number:
		return 4 + second
	case e.name.Verdict == Same && !e.other:
		return 2 + second
	case e.name.Verdict == Likely && second > 0 && e.name.Score >= enough:
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
	case e.other && e.name.Verdict == Same:
		return e.name.Reason + "; another domain and phone"
	}
	return e.name.Reason
}

// Find looks for an account. Of several that are equally right none is linked:
// they are proposed. What another corporate number rules out is not even that.
func (x *Index) Find(want Account) Match { return x.find(want, nil) }

// find is Find without those that were decided not to be meant.
func (x *Index) find(want Account, not map[string]bool) Match {
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
	q.eachKey(func(key indexKey) {
		for _, n := range x.keys[key] {
			e := at(n)
			switch key.kind {
			case byNumber:
				e.number = true
			case byDomain:
				e.domain = true
			case byPhone:
				e.phone = true
			}
		}
	})
	if len(found) == 0 {
		q.eachSound(func(key indexKey) {
			for _, n := range x.keys[key] {
				at(n)
			}
		})
		x.near(&q, at)
	}
	var all []*evidence
	for _, n := range slices.Sorted(maps.Keys(found)) {
		e, a := found[n], &x.accounts[n]
		if not[a.id] || q.number != "" && a.number != "" && q.number != a.number {
			continue
		}
		if e.name = Compare(q.company, a.company); q.company.Core == "" && (e.domain || e.phone) {
			e.name = Comparison{Likely, 0.7, "no name is given"}
		}
		e.other = !e.domain && !e.phone && len(q.domains) > 0 && len(a.domains) > 0 && len(q.phones) > 0 && len(a.phones) > 0
		if e.name.Verdict != Different || e.number || e.domain || e.phone {
			all = append(all, e)
		}
	}
	return x.decide(all)
}

// near adds accounts that share the rarest letters of a name and may be nearly
// the same: of a name so short that one other letter makes it another one there are none.
func (x *Index) near(q *indexed, at func(int32) *evidence) {
	if maxEdits(q.letters+1) == 0 {
		return
	}
	pairs := slices.Collect(maps.Keys(pairsOf(q.company.strong)))
	slices.SortFunc(pairs, func(a, b [2]rune) int {
		return cmp.Or(cmp.Compare(len(x.pairs[a]), len(x.pairs[b])), cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1]))
	})
	used := 0
	for _, p := range pairs {
		if n := len(x.pairs[p]); n == 0 || n > maxPostings {
			continue
		}
		for _, n := range x.pairs[p] {
			most, least := max(q.letters, x.accounts[n].letters), min(q.letters, x.accounts[n].letters)
			if most-least <= maxEdits(most) {
				at(n)
			}
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
	told := map[string]bool{} // an account that went into another one speaks for that one
	all = slices.DeleteFunc(all, func(e *evidence) bool {
		id := x.accounts[e.n].id
		again := told[id]
		told[id] = true
		return again
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
