package freetext

import (
	"slices"
	"strings"
	"unicode"
)

// named is who and which company a clause names.
type named struct {
	persons []Person
	company string // of the clause, when it names one without a person
}

// firm is a company at its place in a clause.
type firm struct {
	name     string
	from, to int
}

// people finds the persons of a clause: a name before a title or an honorific
// (山田部長, 佐藤様), a title alone (部長と面談), an English name beside its
// title (John Smith, VP; Ms. Doe), each with the company named before it.
func (r *Reader) people(c clause, f finding) named {
	firms := r.firms(c, f.matches)
	var out named
	var places []int // where each person's name ends
	add := func(p Person, at int) {
		out.persons = append(out.persons, p)
		places = append(places, at)
	}
	for i, m := range f.matches {
		if m.role != isTitle && m.role != isHonorific || ours(c, f.matches, i) {
			continue
		}
		if isLatin(c.low[m.from]) {
			continue // englishPeople's part
		}
		if m.role == isHonorific && i > 0 && f.matches[i-1].role == isTitle && f.matches[i-1].to == m.from {
			continue // 部長様
		}
		if m.to < len(c.low) && strings.ContainsRune("会室級職宛席制", c.low[m.to]) && m.role == isTitle {
			continue // 部長会, 社長室
		}
		name, title, from := r.nameBefore(c, f.matches, firms, m)
		last := len(out.persons) - 1
		switch {
		case m.role == isTitle && name == "" && last >= 0 && out.persons[last].Title == "" && bracketed(c.low, places[last], from):
			out.persons[last].Title = title // 佐藤様(営業部長)
		case m.role == isTitle:
			add(Person{Name: name, Title: title}, m.to)
		case name == "":
		case last >= 0 && out.persons[last].Name == "" && joined(c.low, places[last], from):
			out.persons[last].Name, places[last] = name, m.to // 営業部長の佐藤様
		default:
			add(Person{Name: name}, m.to)
		}
	}
	r.englishPeople(c, f.matches, add)
	for i := range out.persons {
		for _, firm := range firms {
			if firm.from < places[i] || len(firms) == 1 {
				out.persons[i].Company = firm.name
			}
		}
	}
	if len(firms) > 0 {
		out.company = firms[0].name
	}
	return out
}

// ours tells that match i is one of our own people: 当社 営業部長.
func ours(c clause, ms []match, i int) bool {
	for j := i - 1; j >= 0; j-- {
		if slices.Contains(c.low[ms[j].to:ms[i].from], ')') {
			return false
		}
		switch ms[j].role {
		case isOurs:
			return true
		case isHonorific, isTitle, isCorporate, isTrade:
			return false
		}
	}
	return false
}

// nameBefore gives the name that ends where match m begins, the title with its
// section (営業部長), and where both begin.
func (r *Reader) nameBefore(c clause, ms []match, firms []firm, m match) (name, title string, from int) {
	to := m.from
	if m.role == isTitle {
		for again := true; again; { // 営業 of 営業部長
			again = false
			for _, s := range ms {
				if s.role == isSection && s.to == to {
					to, again = s.from, true
				}
			}
		}
		title = string(c.text[to:m.to])
	}
	end := to
	if end > 0 && c.low[end-1] == ' ' {
		end--
	}
	from = nameRun(c.low, end)
	for _, s := range ms { // a name begins behind a section, a kind or another title
		if s.from < end && s.to > from && s.role != isLookalike {
			from = max(from, min(s.to, end))
		}
		if s.role == isLookalike && s.to > from && s.from < m.to {
			return "", title, to
		}
	}
	for _, f := range firms {
		if f.from < end && f.to > from {
			from = max(from, min(f.to, end))
		}
	}
	for i := end - 1; i > from; i-- { // トヨタ山田: a company in Katakana before a name in Kanji
		if unicode.Is(unicode.Han, c.low[i]) && katakana(c.low[i-1]) {
			from = i
			break
		}
	}
	if from == end {
		return "", title, to
	}
	if first := nameRun(c.low, max(from-1, 0)); from > 0 && c.low[from-1] == ' ' && from-1-first > 0 && from-1-first <= 3 && end-from <= 3 &&
		allHan(c.low[first:from-1]) && allHan(c.low[from:end]) && (first == 0 || !digit(c.low[first-1])) && !overlaps(ms, firms, first, from-1) { // 山田 太郎
		from = first
	}
	return string(c.text[from:end]), title, from
}

func overlaps(ms []match, firms []firm, from, to int) bool {
	return slices.ContainsFunc(ms, func(m match) bool { return m.from < to && m.to > from }) ||
		slices.ContainsFunc(firms, func(f firm) bool { return f.from < to && f.to > from })
}

// maxName bounds a name, in characters.
const maxName = 10

// nameRun gives where the run of name characters begins that ends at end.
func nameRun(s []rune, end int) int {
	from := end
	for from > 0 && end-from < maxName && (unicode.Is(unicode.Han, s[from-1]) || katakana(s[from-1]) || s[from-1] == '々') {
		from--
	}
	return from
}

func katakana(r rune) bool { return unicode.Is(unicode.Katakana, r) || r == 'ー' }

func allHan(s []rune) bool {
	return !slices.ContainsFunc(s, func(r rune) bool { return !unicode.Is(unicode.Han, r) && r != '々' })
}

// bracketed tells that what begins at to stands in a bracket directly behind from.
func bracketed(s []rune, from, to int) bool {
	return strings.TrimSpace(string(s[from:max(from, to)])) == "("
}

// joined tells that nothing but の stands between.
func joined(s []rune, from, to int) bool {
	between := strings.TrimSpace(string(s[from:max(from, to)]))
	return between == "の" || between == ""
}

// firms finds the companies of a clause, by legal forms and endings.
func (r *Reader) firms(c clause, ms []match) []firm {
	var out []firm
	add := func(from, to int) {
		name := strings.TrimSpace(string(c.text[from:to]))
		if n := len(out); n > 0 && out[n-1].to > from { // the legal form and the ending of one name
			out[n-1].to = max(to, out[n-1].to)
			out[n-1].name = strings.TrimSpace(string(c.text[out[n-1].from:out[n-1].to]))
		} else if name != "" {
			out = append(out, firm{name, from, to})
		}
	}
	for _, m := range ms {
		if m.role != isCorporate && m.role != isTrade {
			continue
		}
		from, to := m.from, m.to
		if isLatin(c.low[m.from]) { // Beta Inc.
			from = capitals(c.text, ms, m.from)
			if from == m.from {
				continue
			}
			if to < len(c.low) && c.low[to] == '.' {
				to++
			}
			add(from, to)
			continue
		}
		for from > 0 && firmRune(c.low[from-1]) && !inside(ms, from-1, m) {
			from--
		}
		if m.role == isCorporate && from == m.from { // in front
			for to < len(c.low) && firmRune(c.low[to]) && !inside(ms, to, m) {
				to++
			}
			for _, t := range ms { // (株)青葉製作所山田: the name ends with its trade
				if t.role == isTrade && t.from > m.to && t.to <= to {
					to = t.to
				}
			}
		}
		if to-from > len(m.text) {
			add(from, to)
		}
	}
	return append(out, r.bareFirms(c, ms, out)...)
}

// bareFirms finds a company without legal form and ending, by its place: before
// の or a blank that a person follows (ソラリス 田中部長).
func (r *Reader) bareFirms(c clause, ms []match, known []firm) []firm {
	for i, m := range ms {
		if m.role != isTitle && m.role != isHonorific || isLatin(c.low[m.from]) || ours(c, ms, i) {
			continue
		}
		_, _, from := r.nameBefore(c, ms, known, m)
		end := from
		switch {
		case end == 0:
			continue
		case c.low[end-1] == ' ' || c.low[end-1] == 'の':
			end--
		case !katakana(c.low[end-1]): // トヨタ山田部長
			continue
		}
		begin := end
		for begin > 0 && firmRune(c.low[begin-1]) {
			begin--
		}
		s := c.low[begin:end]
		if len(s) < 3 || overlaps(ms, known, begin, end) || digit(s[0]) ||
			!slices.ContainsFunc(s, func(r rune) bool { return katakana(r) || isLatin(r) && !digit(r) }) && len(s) < 4 {
			continue
		}
		return []firm{{string(c.text[begin:end]), begin, end}}
	}
	return nil
}

// inside tells that the character at i belongs to a word that is no part of a company's name.
func inside(ms []match, i int, of match) bool {
	return slices.ContainsFunc(ms, func(m match) bool {
		return m.from <= i && i < m.to && m.from != of.from && m.role != isTrade && m.role != isSection && m.role != isCorporate
	})
}

// firmRune may stand in a company's name.
func firmRune(r rune) bool {
	return unicode.Is(unicode.Han, r) || katakana(r) || isLatin(r) || r == '&' || r == '々' || r == '・'
}

// englishPeople finds names in Latin letters beside a title, a Mr or Ms, or the verb of meeting.
func (r *Reader) englishPeople(c clause, ms []match, add func(Person, int)) {
	taken := 0
	for i, m := range ms {
		if !isLatin(c.low[m.from]) || ours(c, ms, i) {
			continue
		}
		switch m.role {
		case isMister:
			from := m.to
			for from < len(c.text) && (c.text[from] == '.' || c.text[from] == ' ') {
				from++
			}
			if to := capitalsFrom(c.text, ms, from); to > from {
				title, end := titleBehind(c, ms, to)
				add(Person{Name: string(c.text[from:to]), Title: title}, end)
				taken = end
			}
		case isKind:
			from := m.to
			for _, with := range []string{" with ", " "} {
				if strings.HasPrefix(string(c.low[from:]), with) {
					from += len(with)
					break
				}
			}
			if to := capitalsFrom(c.text, ms, from); to > from && strings.ContainsRune(string(c.text[from:to]), ' ') {
				title, end := titleBehind(c, ms, to)
				add(Person{Name: string(c.text[from:to]), Title: title}, end)
				taken = end
			}
		case isTitle:
			if m.from < taken {
				continue
			}
			end := m.from
			for end > 0 && strings.ContainsRune(" ,(", c.text[end-1]) {
				end--
			}
			if from := capitals(c.text, ms, end); end < m.from && from < end && strings.ContainsRune(string(c.text[from:end]), ' ') && !within(ms, from, end) {
				title, to := titleBehind(c, ms, end) // John Smith, VP of Sales
				add(Person{Name: string(c.text[from:end]), Title: title}, to)
				taken = to
				continue
			}
			if m.to < len(c.text) && c.text[m.to] == ' ' {
				if to := capitalsFrom(c.text, ms, m.to+1); to > m.to+1 { // CEO Jane Doe
					add(Person{Name: string(c.text[m.to+1 : to]), Title: string(c.text[m.from:m.to])}, to)
					taken = to
					continue
				}
			}
			add(Person{Title: string(c.text[m.from:m.to])}, m.to)
			taken = m.to
		}
	}
}

// titleBehind gives the title in a bracket or behind a comma after a name.
func titleBehind(c clause, ms []match, at int) (title string, end int) {
	for _, m := range ms {
		if m.role == isTitle && m.from >= at && strings.Trim(string(c.text[at:m.from]), " ,(") == "" && m.from > at {
			return string(c.text[m.from:m.to]), m.to
		}
	}
	return "", at
}

func within(ms []match, from, to int) bool {
	return slices.ContainsFunc(ms, func(m match) bool { return m.from >= from && m.to <= to })
}

// capitals gives where the run of capitalised words begins that ends at end, none of them in a list, or end.
func capitals(s []rune, ms []match, end int) int {
	begin := end
	for i := end; i > 0; {
		for i > 0 && s[i-1] == ' ' {
			i--
		}
		word := i
		for word > 0 && (unicode.Is(unicode.Latin, s[word-1]) || s[word-1] == '\'' || s[word-1] == '-' || s[word-1] == '&') {
			word--
		}
		if word == i || !unicode.IsUpper(s[word]) || slices.ContainsFunc(ms, func(m match) bool { return m.from < i && m.to > word }) {
			break
		}
		begin, i = word, word
	}
	return begin
}

// capitalsFrom gives where the run of capitalised words ends that begins at from: up to three, none of them in a list.
func capitalsFrom(s []rune, ms []match, from int) int {
	end := from
	for n, i := 0, from; n < 3; n++ {
		word := i
		for i < len(s) && (unicode.Is(unicode.Latin, s[i]) || s[i] == '\'' || s[i] == '-') {
			i++
		}
		if i == word || !unicode.IsUpper(s[word]) || slices.ContainsFunc(ms, func(m match) bool { return m.from < i && m.to > word }) {
			break
		}
		end = i
		if i >= len(s) || s[i] != ' ' {
			break
		}
		i++
	}
	return end
}
