package mapping

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	notUnderstood = "?"
	maxTitleDepth = 4 // of titles inside titles
	maxGap        = 3 // words that the * of a phrase stands for at most
)

// rank works on folded text. The order of its rules is written down at the top of titles.yaml.
func (t *Titles) rank(s string, depth int) string {
	tight := strings.ReplaceAll(s, " ", "")
	for _, honorific := range [...]string{"様", "殿", "さん", "氏", "先生"} {
		tight = strings.TrimSuffix(tight, honorific)
	}
	if rank, ok := t.whole(tight); ok {
		return rank
	}
	s, tight = strings.TrimRight(s, ".!。"), strings.TrimRight(tight, ".!。") // not "?": who wrote it did not know
	if rank, ok := t.whole(tight); ok {
		return rank
	}
	if depth == maxTitleDepth || utf8.RuneCountInString(tight) > 100 {
		return notUnderstood
	}
	depth++
	if before, inside, after, ok := brackets(s); ok {
		return t.bracketed(before+after, inside, after == "", depth)
	}
	latin := isLatin(s)
	if latin {
		s = own(s)
	}
	if t.isFormer(tight, depth) {
		return ""
	}
	if parts := separated(s); len(parts) > 1 {
		return t.highest(parts, depth)
	}
	if latin {
		return t.english(s)
	}
	if parts := t.blanks(s); len(parts) > 1 { // 部長 営業本部付
		if rank := t.highest(parts, depth); rank != notUnderstood {
			return rank
		}
	}
	return t.japanese(s, tight, depth)
}

// whole finds a title that is written in the lists as it is.
func (t *Titles) whole(tight string) (rank string, ok bool) {
	if tight == "" {
		return "", true
	}
	if rank, ok = t.exact[tight]; !ok {
		rank, ok = t.suffixes[tight]
	}
	return rank, ok
}

// bracketed ranks "課長(営業)", "部長(兼 課長)", "元専務(現顧問)" and "部長(元)".
// Of 営業(課長) the inside counts when nothing is known of the outside, and it stands at the end.
func (t *Titles) bracketed(outside, inside string, atEnd bool, depth int) string {
	inside = strings.TrimSpace(inside)
	outer := t.rank(outside, depth)
	switch {
	case slices.Contains(t.former, inside) || t.formerWords[inside]:
		return ""
	case strings.HasPrefix(inside, "兼"):
		return t.highest([]string{outside, strings.TrimPrefix(inside, "兼")}, depth)
	case strings.TrimSpace(outside) == "", outer == "" && strings.HasPrefix(inside, "現"), outer == notUnderstood && atEnd:
		return t.rank(inside, depth)
	}
	return outer
}

// isFormer tells of a title that it was one once: 元部長, 前・支店長; and not of 前橋支店長.
func (t *Titles) isFormer(tight string, depth int) bool {
	if slices.ContainsFunc(t.notFormer, func(n string) bool { return strings.HasPrefix(tight, n) }) {
		return false
	}
	return slices.ContainsFunc(t.former, func(f string) bool {
		rest, ok := strings.CutPrefix(tight, f)
		if !ok || strings.HasPrefix(rest, "・") {
			return ok
		}
		parts := separated(rest) // 元部長兼課長 was both; 名誉会長兼社長 is one of them
		return len(parts) == 1 && t.rank(rest, depth) != notUnderstood
	})
}

func (t *Titles) highest(parts []string, depth int) string {
	best := notUnderstood
	for _, p := range parts {
		rank := t.rank(strings.TrimSpace(p), depth)
		if rank != notUnderstood && (best == notUnderstood || t.height[rank] > t.height[best]) {
			best = rank
		}
	}
	return best
}

// japanese ranks a title without separators by its beginnings and endings.
func (t *Titles) japanese(s, tight string, depth int) string {
	ending, at, found := t.ending(tight)
	for _, d := range t.deputy {
		rest, ok := strings.CutSuffix(tight, d)
		if !ok || rest == "" || found && len(tight)-at > len(d) { // the lists know this one: 支店長代理
			continue
		}
		if rank := t.rank(rest, depth); rank != notUnderstood {
			return t.lower(rank)
		}
	}
	if found && slices.ContainsFunc(t.attached, func(a string) bool { return strings.HasSuffix(tight, a) && len(tight)-at <= len(a) }) {
		return ending // 専務秘書 is no 専務
	}
	for i := range tight {
		if raise, ok := t.prefixes[tight[:i]]; ok && !t.isBody(tight[i:]) {
			if rank := t.rank(tight[i:], depth); rank != notUnderstood && t.height[rank] < t.height[raise] {
				return raise
			}
		}
	}
	if found {
		return ending
	}
	return t.words(latinWords(s)) // 営業Manager
}

// ending finds the longest ending of the lists and where it begins. One in
// Latin letters begins no earlier than a word does.
func (t *Titles) ending(tight string) (rank string, at int, ok bool) {
	before := ' '
	for i, r := range tight { // the longest comes first
		if rank, ok := t.suffixes[tight[i:]]; ok && !(unicode.Is(unicode.Latin, r) && unicode.Is(unicode.Latin, before)) {
			if slices.ContainsFunc(t.vice, func(v string) bool { return strings.HasSuffix(tight[:i], v) }) {
				rank = t.lower(rank)
			}
			return rank, i, true
		}
		before = r
	}
	return "", 0, false
}

// lower makes the highest rank one lower, and leaves the others: 副社長 and 社長補佐 are no president, 副部長 is a 部長.
func (t *Titles) lower(rank string) string {
	if n := len(t.ranks); n > 1 && rank == t.ranks[n-1] {
		return t.ranks[n-2]
	}
	return rank
}

// isBody tells of what follows a prefix that both name a department, 会事務局 of 取締役会事務局, and no title: 会長.
func (t *Titles) isBody(rest string) bool {
	return slices.ContainsFunc(t.bodies, func(b string) bool {
		if !strings.HasPrefix(rest, b) {
			return false
		}
		for end := range rest + " " {
			if _, title := t.suffixes[rest[:end]]; title && end > len(b) {
				return false
			}
		}
		return true
	})
}

// english ranks a title in Latin letters alone: of "Director, Member of the Board" the higher of the two.
func (t *Titles) english(s string) string {
	best := notUnderstood
	for part := range strings.SplitSeq(strings.NewReplacer(" - ", ",", " – ", ",", "|", ",").Replace(s), ",") {
		words := latinWords(part)
		for i, w := range words {
			if long, ok := t.abbreviations[w]; ok {
				words[i] = long
			}
		}
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

// words finds the longest known phrase, the first of equals, of those that
// begin no later than the first "of": the CEO of "friend of CEO" is another.
func (t *Titles) words(words []string) string {
	last := len(words) - 1
	if i := slices.IndexFunc(words, func(w string) bool { return w == "of" || w == "for" || w == "at" }); i >= 0 {
		last = i
	}
	for n := min(t.longestPhrase, len(words)); n > 0; n-- {
		for i := 0; i+n <= len(words) && i <= last; i++ {
			if rank, ok := t.phrases[strings.Join(words[i:i+n], " ")]; ok {
				return rank
			}
			if n > 2 && n <= maxGap+2 {
				if rank, ok := t.phrases[words[i]+" * "+words[i+n-1]]; ok {
					return rank
				}
			}
		}
	}
	return notUnderstood
}

// own is what an English title says of its bearer: "assistant" of "assistant
// to the president", "secretary" of "president's secretary".
func own(s string) string {
	s, _, _ = strings.Cut(s, " to ")
	return strings.Join(slices.DeleteFunc(strings.Fields(s), func(w string) bool {
		return strings.HasSuffix(w, "'s") || strings.HasSuffix(w, "’s")
	}), " ")
}

// brackets splits "課長(営業)" into "課長" and "営業".
func brackets(s string) (before, inside, after string, ok bool) {
	before, rest, ok := strings.Cut(s, "(")
	inside, after, closed := strings.Cut(rest, ")")
	return before, inside, after, ok && closed
}

// separated splits 会長兼CEO, President & CEO.
func separated(s string) []string {
	return strings.FieldsFunc(strings.ReplaceAll(s, " and ", " & "), func(r rune) bool { return strings.ContainsRune("兼、・&/;", r) })
}

// blanks splits at blanks, but not 部　長, 部長 代理 and 社長 秘書, which are one title each.
func (t *Titles) blanks(s string) []string {
	parts := strings.Fields(s)
	if slices.ContainsFunc(parts, func(p string) bool {
		return utf8.RuneCountInString(p) == 1 || slices.Contains(t.deputy, p) || slices.Contains(t.attached, p)
	}) {
		return nil
	}
	return parts
}

// latinWords are the runs of Latin letters in s.
func latinWords(s string) []string {
	return strings.FieldsFunc(s, func(r rune) bool { return !unicode.Is(unicode.Latin, r) })
}

// phrase is the form in which English words are compared; * stays.
func phrase(s string) string {
	return strings.Join(strings.FieldsFunc(fold(s), func(r rune) bool { return r != '*' && !unicode.Is(unicode.Latin, r) }), " ")
}

// isLatin tells that all letters of s are Latin ones.
func isLatin(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) && !unicode.Is(unicode.Latin, r) })
}
