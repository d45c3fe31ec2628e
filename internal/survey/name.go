package survey

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"energyd/mapping"
)

// named is a column's name cut into the concepts of the terms.
type named struct {
	concepts []string // sorted, each once, without neutral ones
	words    []string // as they stand in the name: "顧客"
	means    []string // the concept of each of words
	unknown  int      // pieces that are no terms
}

// read cuts a name.
func (l *Lexicon) read(name string) named {
	var n named
	add := func(word, concept string) {
		if concept == "neutral" {
			return
		}
		n.words, n.means = append(n.words, word), append(n.means, concept)
		if !slices.Contains(n.concepts, concept) {
			n.concepts = append(n.concepts, concept)
		}
	}
	for _, piece := range pieces(name) {
		if c, ok := l.terms[piece]; ok {
			add(piece, c)
			continue
		}
		found, missed := l.cut(piece)
		if missed > 0 && latin(piece) { // parts of a foreign word mean nothing
			n.unknown++
			continue
		}
		for _, w := range found {
			add(w, l.terms[w])
		}
		if missed > 0 {
			n.unknown++
		}
	}
	slices.Sort(n.concepts)
	return n
}

// told says what a name is made of, for a reason: "顧客 = account".
func (n named) told(t text) []string {
	out := make([]string, len(n.words))
	for i, word := range n.words {
		if out[i] = word; t != "ja" && word != n.means[i] {
			out[i] += " = " + n.means[i]
		}
	}
	return out
}

// pieces parts a name where scripts, cases and signs change: "custName_2" is cust, name; "顧客CD" is 顧客, cd.
func pieces(name string) []string {
	name = norm.NFKC.String(strings.TrimSuffix(name, "__c"))
	var out []string
	var piece []rune
	flush := func() {
		if p := mapping.Squeeze(string(piece)); p != "" {
			out = append(out, p)
		}
		piece = nil
	}
	runes := []rune(name)
	for i, r := range runes {
		switch {
		case !unicode.IsLetter(r) && r != 'ー':
			flush()
			continue
		case i > 0 && len(piece) > 0 && isASCII(r) != isASCII(piece[len(piece)-1]):
			flush()
		case len(piece) > 0 && isUpper(r) && (!isUpper(piece[len(piece)-1]) || i+1 < len(runes) && isLower(runes[i+1]) && len(piece) > 1):
			flush()
		}
		piece = append(piece, r)
	}
	flush()
	return out
}

func isASCII(r rune) bool { return r < 0x80 }
func isUpper(r rune) bool { return r >= 'A' && r <= 'Z' }
func isLower(r rune) bool { return r >= 'a' && r <= 'z' }

// cut parts a piece into terms so that the least is left over, then into the fewest terms.
func (l *Lexicon) cut(piece string) (words []string, missed int) {
	runes := []rune(piece)
	type step struct{ missed, count, from int }
	best := make([]step, len(runes)+1)
	for i := 1; i <= len(runes); i++ {
		best[i] = step{best[i-1].missed + 1, best[i-1].count, -1}
		for n := min(i, l.longest); n >= 1; n-- {
			w := string(runes[i-n : i])
			if latin(w) && n < 2 {
				continue
			}
			if _, ok := l.terms[w]; !ok {
				continue
			}
			if s := best[i-n]; s.missed < best[i].missed || s.missed == best[i].missed && s.count+1 < best[i].count {
				best[i] = step{s.missed, s.count + 1, i - n}
			}
		}
	}
	for i := len(runes); i > 0; {
		if best[i].from < 0 {
			i--
			continue
		}
		words = append(words, string(runes[best[i].from:i]))
		i = best[i].from
	}
	slices.Reverse(words)
	return words, best[len(runes)].missed
}

// byName tells how much a name speaks for each role, 0 to 1.
func (l *Lexicon) byName(n named) map[Role]float64 {
	scores := map[Role]float64{}
	all := float64(len(n.concepts) + n.unknown)
	for role, patterns := range l.patterns {
		for _, p := range patterns {
			hits := 0
			for _, c := range p.concepts {
				if slices.Contains(n.concepts, c) {
					hits++
				}
			}
			if hits < len(p.concepts) || hits == 0 {
				continue
			}
			base := 0.9
			if p.weak {
				base = 0.45
			}
			share := float64(hits) / all
			scores[role] = max(scores[role], base*(0.25+0.75*share))
		}
	}
	return scores
}
