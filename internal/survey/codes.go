package survey

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/text/unicode/norm"
)

// says gives the word that a value stands for, where the source says so; else the value. Zeros in front do not count.
func (v *values) says(text string) string {
	if len(v.words) == 0 {
		return text
	}
	if word, ok := v.words[text]; ok {
		return word
	}
	bare := strings.TrimLeft(text, "0")
	for code, word := range v.words {
		if bare != "" && strings.TrimLeft(code, "0") == bare {
			return word
		}
	}
	return text
}

// codes are the values of a column, the commonest first, and behind them those that the source tells of and no row looked at has.
func (v *values) codes() []string {
	all := commonest(v.counts, mostWords)
	seen := map[string]bool{}
	for _, text := range all {
		seen[v.says(text)] = true
	}
	for _, code := range slices.Sorted(maps.Keys(v.words)) {
		if !seen[v.words[code]] && len(all) < mostWords {
			all = append(all, code)
		}
	}
	return all
}

// said is a word before a remark: "訪問; ".
func said(word string) string {
	if word == "" {
		return ""
	}
	return oneLine(word) + "; "
}

// compactClock tells that all values are times of day without a mark between: 930, 1430.
func (s *surveyor) compactClock(v *values) bool {
	for _, text := range v.order {
		n, err := strconv.Atoi(norm.NFKC.String(text))
		if err != nil || n < 100 || n >= 2400 || n%100 > 59 {
			return false
		}
	}
	return true
}

// namesTime tells that a column's name, or its label, is one of times of day.
func (s *surveyor) namesTime(i int) bool {
	c := &s.sample.Columns[i]
	for _, name := range []string{c.Name, c.Label} {
		by := s.lexicon.byName(s.lexicon.read(name))
		if by[Time] > enough || by[EndTime] > enough {
			return true
		}
	}
	return false
}
