package freetext

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// clause is a piece of a sentence, up to a comma: the same characters as
// written (in NFKC) and in small letters.
type clause struct{ text, low []rune }

// sentence is what one thought says.
type sentence struct {
	first   bool // of its line
	clauses []clause
}

// abbreviations end in a full stop that ends no sentence.
var abbreviations = []string{"mr", "mrs", "ms", "dr", "prof", "inc", "co", "ltd", "corp", "vs", "no", "dept", "approx", "st", "a.m", "p.m"}

// sentences cuts a text where a thought ends: at line ends, full stops and
// semicolons, and inside them at commas, but not inside brackets.
func sentences(text string) []sentence {
	var out []sentence
	for line := range strings.Lines(text) {
		s := []rune(strings.TrimLeft(norm.NFKC.String(strings.TrimSpace(line)), "・-*●○■□◆◇▼▶>→ "))
		first := true
		for len(s) > 0 {
			n := 0
			for n < len(s) && !ends(s, n) {
				n++
			}
			if clauses := cut(s[:n]); len(clauses) > 0 {
				out = append(out, sentence{first, clauses})
				first = false
			}
			s = s[min(n+1, len(s)):]
		}
	}
	return out
}

// ends tells that the character at i ends a sentence.
func ends(s []rune, i int) bool {
	switch s[i] {
	case '。', '!', '?', ';':
		return true
	case '.':
		if i+1 < len(s) && s[i+1] != ' ' {
			return false
		}
		from := i
		for from > 0 && s[from-1] != ' ' && s[from-1] != '(' && s[from-1] != ',' {
			from--
		}
		return !slices.Contains(abbreviations, strings.ToLower(string(s[from:i])))
	}
	return false
}

// turns join two thoughts without a comma: 不在のため…, 見学のあと….
var turns = [][]rune{[]rune("のため"), []rune("につき"), []rune("のあと"), []rune("の後"), []rune("その後")}

// maxClause bounds a clause, in characters; what has no comma for longer is no sentence of a person.
const maxClause = 400

// cut splits a sentence at its commas and turns.
func cut(s []rune) []clause {
	var out []clause
	depth, from := 0, 0
	add := func(to int) {
		if piece := []rune(strings.TrimSpace(string(s[from:to]))); len(piece) > 0 {
			low := make([]rune, len(piece))
			for i, r := range piece {
				low[i] = lower(r)
			}
			out = append(out, clause{piece, low})
		}
		from = to + 1
	}
	for i, r := range s {
		if i-from == maxClause {
			add(i)
			from, depth = i, 0
		}
		for _, word := range turns {
			if depth <= 0 && i >= from && i+len(word) <= len(s) && slices.Equal(s[i:i+len(word)], word) {
				add(i)
				from = i + len(word)
			}
		}
		switch r {
		case '(', '「', '[', '【':
			depth++
		case ')', '」', ']', '】':
			depth--
		case '、':
			if depth <= 0 {
				add(i)
			}
		case ',': // a Japanese comma in full width; an English one joins a name and its title
			if depth <= 0 && i > 0 && !isLatin(s[i-1]) && !unicode.IsSpace(s[i-1]) {
				add(i)
			}
		}
	}
	add(len(s))
	return out
}
