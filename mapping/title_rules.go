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
	for _, honorific := range [...]string{"様", "さま", "殿", "さん", "氏", "先生"} {
		s = strings.TrimSpace(strings.TrimSuffix(s, honorific))
	}
	if rank, ok := t.whole(strings.ReplaceAll(s, " ", "")); ok {
		return rank
	}
	s = strings.TrimRight(s, ".!。")
	tight := strings.ReplaceAll(s, " ", "")
	if rank, ok := t.whole(tight); ok {
		return rank
	}
	switch {
	case strings.Contains(tight, "?"): // who wrote it did not know
		return notUnderstood
	case !strings.ContainsFunc(tight, func(r rune) bool { return r != 'ー' && !unicode.IsPunct(r) }): // ――
		return ""
	case depth == maxTitleDepth || utf8.RuneCountInString(tight) > 100:
		return notUnderstood
	}
	depth++
	if before, inside, after, ok := brackets(s); ok {
		return t.bracketed(before, inside, after, depth)
	}
	latin := isLatin(s)
	if latin {
		s = own(initials.ReplaceAllStringFunc(s, func(run string) string { return strings.ReplaceAll(run, ".", "") + " " }))
	}
	if t.isOpen(s, tight) {
		return notUnderstood
	}
	if t.isFormer(tight, depth) {
		return ""
	}
	if rank, ok := t.spanning(s); latin && ok {
		return rank
	}
	if one := t.joined(s, depth); one != s {
		s, tight = one, strings.ReplaceAll(one, " ", "")
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
func (t *Titles) bracketed(before, inside, after string, depth int) string {
	inside = strings.TrimSpace(inside)
	outside := before + after
	outer := t.rank(outside, depth)
	switch {
	case t.exact[strings.ReplaceAll(inside, " ", "")] == notUnderstood: // 部長(空席)
		return notUnderstood
	case inside == "兼": // 部長(兼)人事課長
		return t.highest([]string{before, after}, depth)
	case slices.Contains(t.former, inside) || t.formerWords[inside]:
		return ""
	case strings.HasPrefix(inside, "兼"):
		return t.highest([]string{outside, strings.TrimPrefix(inside, "兼")}, depth)
	case strings.TrimSpace(outside) == "", outer == "" && strings.HasPrefix(inside, "現"), outer == notUnderstood && after == "":
		return t.rank(inside, depth)
	}
	return outer
}

// isOpen tells of a title that its bearer does not have yet, or that is one of two: 次期社長, CEO candidate, 課長または係長.
func (t *Titles) isOpen(s, tight string) bool {
	starts := func(c string) bool { return strings.HasPrefix(tight, c) }
	holds := func(or string) bool { return strings.Contains(s, or) }
	if slices.ContainsFunc(t.coming, starts) || slices.ContainsFunc([]string{"または", "又は", "もしくは", " or "}, holds) {
		return true
	}
	words := latinWords(s)
	n := len(words)
	return n > 1 && (t.comingWords[words[n-1]] || // not the Candidate Experience Manager, nor that of Incoming Goods
		t.comingWords[words[0]] && t.phrases[words[1]] != "")
}

// joined writes アシスタント・マネージャー as one word where the lists have it, and so what has a part that
// they do not have, and leaves マネージャー・エンジニア two.
func (t *Titles) joined(s string, depth int) string {
	i := strings.LastIndex(s, "・")
	if last, _ := utf8.DecodeLastRuneInString(s[:max(i, 0)]); !unicode.Is(unicode.Katakana, last) {
		return s
	}
	word, rest, _ := strings.Cut(s[i+len("・"):], " ")
	whole := strings.ReplaceAll(s[:i], "・", "") + word
	strange := func(part string) bool { return t.rank(part, depth) == notUnderstood }
	if _, at, ok := t.ending(whole); ok && at < len(whole)-len(word) || slices.ContainsFunc(strings.Split(s[:i]+"・"+word, "・"), strange) {
		return strings.TrimSpace(whole + " " + rest)
	}
	return s
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
	if found && t.height[ending] >= len(t.ranks)-2 { // 社長執行役員, 代表理事専務: a title in front of an executive's is the same person's
		if rank := t.rank(tight[:at], depth); rank != notUnderstood && t.height[rank] > t.height[ending] {
			return rank
		}
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

// isLatin tells that all letters of s are Latin ones.
func isLatin(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return unicode.IsLetter(r) && !unicode.Is(unicode.Latin, r) })
}
