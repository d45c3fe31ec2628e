package survey

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"energyd/internal/fault"
	"energyd/mapping"
)

// Words is configs/survey.yaml: the words by which columns and their values are recognised.
type Words struct {
	Terms      map[string][]string `yaml:"terms"`      // concept → words of names
	Roles      map[string][]string `yaml:"roles"`      // role → concepts that a name holds: "account code"; ? behind = weak
	Kinds      map[string][]string `yaml:"kinds"`      // kind of the points table → words of values
	Directions map[string][]string `yaml:"directions"` // inbound, outbound, mutual → words of values
	Statuses   map[string][]string `yaml:"statuses"`   // held, planned, cancelled, draft → words of values
	Yes        []string            `yaml:"yes"`        // values of flags
	Surnames   []string            `yaml:"surnames"`
	GivenNames []string            `yaml:"given_names"`
	Companies  []string            `yaml:"companies"` // parts of companies' names
}

// Add puts the words of more behind w's own.
func (w *Words) Add(more *Words) {
	for _, pair := range [...]struct {
		to   *map[string][]string
		from map[string][]string
	}{{&w.Terms, more.Terms}, {&w.Roles, more.Roles}, {&w.Kinds, more.Kinds}, {&w.Directions, more.Directions}, {&w.Statuses, more.Statuses}} {
		if *pair.to == nil {
			*pair.to = map[string][]string{}
		}
		for name, words := range pair.from {
			(*pair.to)[name] = slices.Concat((*pair.to)[name], words)
		}
	}
	w.Yes = slices.Concat(w.Yes, more.Yes)
	w.Surnames = slices.Concat(w.Surnames, more.Surnames)
	w.GivenNames = slices.Concat(w.GivenNames, more.GivenNames)
	w.Companies = slices.Concat(w.Companies, more.Companies)
}

// Lexicon is Words made ready. It may be used from several goroutines.
type Lexicon struct {
	terms                       map[string]string // squeezed word of a name → concept
	longest                     int               // of them, in runes
	patterns                    map[Role][]pattern
	kinds, directions, statuses *meanings
	yes, surnames, givenNames   map[string]bool
	companies                   []string
}

// pattern is a set of concepts by which a name means a role.
type pattern struct {
	concepts []string // sorted
	weak     bool
}

// meanings finds what a value means: the whole of it, or the longest word in it.
type meanings struct {
	whole map[string]string
	parts []string // squeezed words, the longest first
}

// NewLexicon checks words. The error is fault.Problems.
func NewLexicon(words *Words) (*Lexicon, error) {
	var ps fault.Problems
	l := &Lexicon{terms: map[string]string{}, patterns: map[Role][]pattern{},
		yes: set(words.Yes), surnames: set(words.Surnames), givenNames: set(words.GivenNames)}
	for _, concept := range slices.Sorted(maps.Keys(words.Terms)) {
		for _, word := range words.Terms[concept] {
			word = mapping.Squeeze(word)
			l.terms[word] = concept
			l.longest = max(l.longest, len([]rune(word)))
		}
	}
	concepts, roles := slices.Sorted(maps.Keys(words.Terms)), roleNames()
	for _, role := range slices.Sorted(maps.Keys(words.Roles)) {
		if !slices.Contains(roles, role) {
			ps = append(ps, fault.Problem{Path: "roles." + role, Key: true, Msg: "unknown role " + role + fault.DidYouMean(role, roles)})
		}
		for i, text := range words.Roles[role] {
			text, weak := strings.CutSuffix(text, "?")
			p := pattern{concepts: strings.Fields(text), weak: weak}
			for _, c := range p.concepts {
				if !slices.Contains(concepts, c) {
					ps.Add(index("roles."+role, i), "there are no terms %q%s", c, fault.DidYouMean(c, concepts))
				}
			}
			slices.Sort(p.concepts)
			l.patterns[Role(role)] = append(l.patterns[Role(role)], p)
		}
	}
	l.kinds, l.directions, l.statuses = newMeanings(words.Kinds), newMeanings(words.Directions), newMeanings(words.Statuses)
	for _, c := range words.Companies {
		l.companies = append(l.companies, mapping.Squeeze(c))
	}
	return l, ps.Or()
}

func set(words []string) map[string]bool {
	s := make(map[string]bool, len(words))
	for _, w := range words {
		s[mapping.Squeeze(w)] = true
	}
	return s
}

func newMeanings(lists map[string][]string) *meanings {
	m := &meanings{whole: map[string]string{}}
	for _, meaning := range slices.Sorted(maps.Keys(lists)) {
		for _, w := range lists[meaning] {
			w = mapping.Squeeze(w)
			m.whole[w] = meaning
			if len([]rune(w)) > 1 {
				m.parts = append(m.parts, w)
			}
		}
	}
	slices.SortFunc(m.parts, func(a, b string) int {
		if d := len([]rune(b)) - len([]rune(a)); d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	return m
}

// of gives what a value means; exact when all of it is a known word.
func (m *meanings) of(value string) (meaning, word string, exact bool) {
	v := mapping.Squeeze(value)
	if meaning, ok := m.whole[v]; ok {
		return meaning, v, true
	}
	if len([]rune(v)) > 30 { // a sentence
		return "", "", false
	}
	for _, w := range m.parts {
		if i := strings.Index(v, w); i >= 0 && (!latin(w) || standsAlone(value, w)) {
			return m.whole[w], w, false
		}
	}
	return "", "", false
}

// latin tells that a word is of ASCII letters, which must stand as words of their own in a value.
func latin(w string) bool {
	return strings.IndexFunc(w, func(r rune) bool { return r > 0x7f }) < 0
}

// standsAlone tells that a Latin word is one or several whole words of value: "web" of "Web会議", not of "webster".
func standsAlone(value, word string) bool {
	letters := func(s string) []string {
		return strings.FieldsFunc(strings.ToLower(norm.NFKC.String(s)), func(r rune) bool { return !isLower(r) })
	}
	word = strings.Join(letters(word), "")
	tokens := letters(value)
	for i := range tokens {
		for run, j := "", i; j < len(tokens) && len(run) < len(word); j++ {
			if run += tokens[j]; run == word {
				return true
			}
		}
	}
	return false
}

// index names an element of a list in a problem's path.
func index(path string, i int) string { return fmt.Sprintf("%s[%d]", path, i) }
