package mapping

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// initials are abbreviations of single letters with stops: C.E.O., Sr. V.P.
var initials = regexp.MustCompile(`\b\p{Latin}(?:\.\p{Latin})+\b\.?`)

// english ranks a title in Latin letters alone: of "Director, Member of the Board" the higher of the two.
func (t *Titles) english(s string) string {
	best := notUnderstood
	for part := range strings.SplitSeq(strings.NewReplacer(" - ", ",", " – ", ",", "|", ",").Replace(s), ",") {
		words := t.englishWords(part)
		now := slices.DeleteFunc(slices.Clone(words), func(w string) bool { return t.formerWords[w] })
		rank := t.words(now)
		if rank != notUnderstood && len(now) < len(words) {
			rank = ""
		}
		if rank != notUnderstood && (best == notUnderstood || t.height[rank] > t.height[best]) {
			best = rank
		}
	}
	return best
}

// englishWords are the words of a title, written in full.
func (t *Titles) englishWords(s string) []string {
	words := latinWords(s)
	for i, w := range words {
		words[i] = cmp.Or(t.abbreviations[w], w)
	}
	return words
}

// words finds the longest known phrase, the last of equals (the manager of "partner sales manager"), of those that begin
// no later than the first "of": the CEO of "friend of CEO" is another.
func (t *Titles) words(words []string) string {
	last := len(words) - 1
	if i := slices.IndexFunc(words, func(w string) bool { return w == "of" || w == "for" || w == "at" }); i >= 0 {
		last = i
	}
	if n := len(words); n > 1 && slices.Contains(t.attached, words[n-1]) { // Managing Director Assistant
		words = words[t.behind(words):]
		last = 0
	}
	rank := t.longest(words, last)
	if rank == notUnderstood || len(words) < 2 {
		return rank
	}
	raise := t.prefixes[words[0]] // Lead Designer
	if first, ok := t.phrases[words[0]]; ok && t.isTop(first) && !slices.Contains(t.attached, words[len(words)-1]) {
		raise = first // Owner-Operator
	}
	if t.height[raise] > t.height[rank] {
		return raise
	}
	return rank
}

// behind gives where the longest phrase begins that ends with the last word.
func (t *Titles) behind(words []string) int {
	for i := max(0, len(words)-t.longestPhrase); i < len(words); i++ {
		if _, ok := t.phrases[strings.Join(words[i:], " ")]; ok {
			return i
		}
	}
	return 0
}

func (t *Titles) longest(words []string, last int) string {
	for n := min(t.longestPhrase, len(words)); n > 0; n-- {
		for i := min(last, len(words)-n); i >= 0; i-- {
			if rank, ok := t.phrases[strings.Join(words[i:i+n], " ")]; ok {
				if i > 0 && slices.Contains(t.vice, words[i-1]) {
					rank = t.lower(rank)
				}
				return rank
			}
		}
		for i := min(last, len(words)-n); i >= 0 && n > 2 && n <= maxGap+2; i-- {
			if rank, ok := t.phrases[words[i]+" * "+words[i+n-1]]; ok {
				return rank
			}
		}
	}
	return notUnderstood
}

// spanning ranks a title that one phrase with a gap holds from its first word to its last, whatever stands between: Chief Data & Analytics Officer.
func (t *Titles) spanning(s string) (rank string, ok bool) {
	if !strings.ContainsAny(s, "&") && !strings.Contains(s, " and ") {
		return "", false
	}
	if words := t.englishWords(s); len(words) > 2 && len(words) <= maxGap+3 && !strings.Contains(s, ",") {
		rank, ok = t.phrases[words[0]+" * "+words[len(words)-1]]
	}
	return rank, ok
}

// isTop tells the highest rank.
func (t *Titles) isTop(rank string) bool { return rank == t.ranks[len(t.ranks)-1] }

// own is what an English title says of its bearer: "assistant" of "assistant
// to the president", "secretary" of "president's secretary".
func own(s string) string {
	s, _, _ = strings.Cut(s, " to ")
	return strings.Join(slices.DeleteFunc(strings.Fields(s), func(w string) bool {
		return strings.HasSuffix(w, "'s") || strings.HasSuffix(w, "’s")
	}), " ")
}

// latinWords are the runs of Latin letters in s.
func latinWords(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return !unicode.Is(unicode.Latin, r) })
}

// phrase is the form in which English words are compared; * stays.
func phrase(s string) string {
	return strings.Join(strings.FieldsFunc(fold(s), func(r rune) bool { return r != '*' && !unicode.Is(unicode.Latin, r) }), " ")
}
