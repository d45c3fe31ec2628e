// Package support packs what somebody needs to help from outside, and nothing
// that names anybody: bundle.go gathers, cover.go takes names, addresses and secrets out of texts.
package support

import (
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// Cover takes out of texts what names somebody or opens something: secrets,
// names that the store knows, mail addresses, and whatever stands in quotes, which
// is how messages show what a record or a system said.
type Cover struct {
	secrets []string
	known   map[[2]rune][][]rune // by how they begin, in lower case
}

// Hide has a secret covered from now on, wherever it stands.
func (c *Cover) Hide(secret string) {
	if len(secret) > 3 {
		c.secrets = append(c.secrets, secret)
	}
}

// common are texts that stand everywhere and name nobody: days, small numbers, pieces of words.
var common = regexp.MustCompile(`^(?:[ -~]{0,2}|\d{4}[-/.]\d.*|[\d.,:/ -]{0,5})$`)

// Add has a name covered from now on, in upper and lower case.
func (c *Cover) Add(name string) {
	name = strings.TrimSpace(name)
	runes := lower(name)
	if len(runes) < 2 || common.MatchString(name) {
		return
	}
	if c.known == nil {
		c.known = map[[2]rune][][]rune{}
	}
	head := [2]rune(runes[:2])
	if !slices.ContainsFunc(c.known[head], func(other []rune) bool { return slices.Equal(other, runes) }) {
		c.known[head] = append(c.known[head], runes)
	}
}

func lower(s string) []rune {
	runes := []rune(s)
	for i, r := range runes {
		runes[i] = unicode.ToLower(r)
	}
	return runes
}

// covered stands for what was taken out.
const covered = "[covered]"

var (
	address  = regexp.MustCompile(`[^\s<>"'(),;:\[\]=]+@[^\s<>"'(),;:\[\]]+`)
	inQuotes = regexp.MustCompile(`"(?:[^"\\]|\\.)*"|“[^”]*”|「[^」]*」|『[^』]*』`)
)

// Message covers a text that people read.
func (c *Cover) Message(text string) string {
	return c.Lines(inQuotes.ReplaceAllString(text, `"…"`))
}

// Lines covers a log, or another text of which the quotes belong to its form.
func (c *Cover) Lines(text string) string {
	for _, secret := range c.secrets {
		text = strings.ReplaceAll(text, secret, covered)
	}
	return c.names(address.ReplaceAllString(text, covered))
}

// names covers what is known, the longest of what begins at a place.
func (c *Cover) names(text string) string {
	runes, small := []rune(text), lower(text)
	var out strings.Builder
	for i := 0; i < len(runes); {
		longest := 0
		if i+1 < len(small) {
			for _, name := range c.known[[2]rune(small[i:i+2])] {
				if len(name) > longest && len(name) <= len(small)-i && slices.Equal(small[i:i+len(name)], name) && whole(small, i, i+len(name)) {
					longest = len(name)
				}
			}
		}
		if longest == 0 {
			out.WriteRune(runes[i])
			i++
			continue
		}
		out.WriteString(covered)
		i += longest
	}
	return out.String()
}

// whole tells whether a part of a text is no piece of a longer word of Latin letters or digits: "or" is a name, and in "error" is none.
func whole(text []rune, from, to int) bool {
	word := func(r rune) bool { return r < 0x250 && (unicode.IsLetter(r) || unicode.IsDigit(r)) }
	return (from == 0 || !word(text[from-1]) || !word(text[from])) && (to == len(text) || !word(text[to]) || !word(text[to-1]))
}
