package freetext

import (
	"slices"
	"strconv"
)

// match is a word at its place in a clause, in characters.
type match struct {
	*word
	from, to int
}

// finding is what the words of one clause say; who is named is people's part.
type finding struct {
	matches   []match
	kind      *kind
	status    Status
	unreached bool
	ahead     bool
	internal  bool
	cues      []string
	time      string
	hits      []Hit
}

// find reads the words of a clause.
func (r *Reader) find(c clause) finding {
	f := finding{status: Held, matches: r.matches(c), time: clockTime(c.low)}
	best := -1
	for i, m := range f.matches {
		switch m.role {
		case isKind:
			if r.spokenOf(f.matches, i) {
				continue
			}
			if r.negated(f.matches, i) {
				f.status = Cancelled
			}
			if best < 0 || m.kind.place < f.matches[best].kind.place {
				best = i
			}
		case isCue:
			if r.negated(f.matches, i) {
				continue
			}
			if !slices.Contains(f.cues, m.name) {
				f.cues = append(f.cues, m.name)
			}
			f.hits = append(f.hits, m.hit)
		case isUnreached:
			f.unreached = true
			f.hits = append(f.hits, m.hit)
		case isPlanned:
			if f.status == Held {
				f.status = Planned
			}
			f.hits = append(f.hits, m.hit)
		case isAhead:
			f.ahead = true
			f.hits = append(f.hits, m.hit)
		case isCancelled:
			f.status = Cancelled
			f.hits = append(f.hits, m.hit)
		case isInternal:
			f.internal = true
		}
	}
	if best >= 0 {
		f.kind = f.matches[best].kind
		f.hits = append(f.hits, f.matches[best].hit)
	}
	return f
}

// negated tells that a word behind match i, or an English one before it, takes it back: 質問なし, no questions.
func (r *Reader) negated(ms []match, i int) bool {
	const near = 4 // は特に, には
	if i+1 < len(ms) && ms[i+1].role == isNegated && ms[i+1].from-ms[i].to <= near {
		return true
	}
	return i > 0 && ms[i-1].role == isNot && ms[i].from-ms[i-1].to <= 1+near
}

// spokenOf tells that match i is a subject, and did not take place here: 打合せの件.
func (r *Reader) spokenOf(ms []match, i int) bool {
	return i+1 < len(ms) && ms[i+1].role == isAbout && ms[i+1].from == ms[i].to
}

// matches finds the words of a clause, the longest at each place, without overlaps.
func (r *Reader) matches(c clause) []match {
	var out []match
	for i := 0; i < len(c.low); {
		m, ok := r.at(c.low, i)
		if !ok {
			i++
			continue
		}
		out = append(out, m)
		i = m.to
	}
	return out
}

// at finds the longest word that begins at i.
func (r *Reader) at(text []rune, i int) (match, bool) {
	words := r.words[text[i]]
	for k := range words {
		w := &words[k]
		end := i + len(w.text)
		if end > len(text) || !slices.Equal(text[i:end], w.text) {
			continue
		}
		if w.role == isSection && end < len(text) && text[end] == '長' { // 営業部長 is 営業 and 部長
			continue
		}
		if w.latin {
			if i > 0 && isLatin(text[i-1]) && isLatin(text[i]) {
				continue
			}
			for w.stem && end < len(text) && isLatin(text[end]) {
				end++
			}
			if end < len(text) && isLatin(text[end]) {
				continue
			}
		}
		return match{w, i, end}, true
	}
	return match{}, false
}

// clockTime gives the first time of day in a text, as "10:00"; "" when there is none.
func clockTime(s []rune) string {
	for i := 0; i < len(s); i++ {
		if !digit(s[i]) || i > 0 && (digit(s[i-1]) || s[i-1] == '/' || s[i-1] == ':' || s[i-1] == '.') {
			continue
		}
		n, hour := digits(s, i, 2)
		if n == 0 || hour > 24 {
			continue
		}
		minute, end := -1, i+n
		switch {
		case end < len(s) && s[end] == ':':
			if k, v := digits(s, end+1, 2); k == 2 && v < 60 {
				minute, end = v, end+3
			}
		case end < len(s) && s[end] == '時':
			if end+1 < len(s) && s[end+1] == '間' { // three hours long
				continue
			}
			minute, end = 0, end+1
			if end < len(s) && s[end] == '半' {
				minute, end = 30, end+1
			} else if k, v := digits(s, end, 2); k > 0 && end+k < len(s) && s[end+k] == '分' && v < 60 {
				minute, end = v, end+k+1
			}
		}
		afternoon, said := half(s, i, end)
		if minute < 0 {
			if !said || hour > 12 {
				continue
			}
			minute = 0
		}
		if afternoon && hour < 12 {
			hour += 12
		} else if said && !afternoon && hour == 12 {
			hour = 0
		}
		if hour > 23 {
			continue
		}
		return pad(hour) + ":" + pad(minute)
	}
	return ""
}

// half tells whether 午前, 午後, am or pm stands at a time of day.
func half(s []rune, from, to int) (afternoon, said bool) {
	if from >= 2 {
		switch string(s[from-2 : from]) {
		case "午後":
			return true, true
		case "午前":
			return false, true
		}
	}
	for to < len(s) && s[to] == ' ' {
		to++
	}
	if to+2 <= len(s) && (to+2 == len(s) || !isLatin(s[to+2])) {
		switch string(s[to : to+2]) {
		case "pm":
			return true, true
		case "am":
			return false, true
		}
	}
	return false, false
}

func digit(r rune) bool { return r >= '0' && r <= '9' }

// digits reads up to most digits at i; a longer number is none.
func digits(s []rune, i, most int) (n, value int) {
	for i+n < len(s) && digit(s[i+n]) {
		value = value*10 + int(s[i+n]-'0')
		if n++; n > most {
			return 0, 0
		}
	}
	return n, value
}

func pad(n int) string {
	if n < 10 {
		return "0" + strconv.Itoa(n)
	}
	return strconv.Itoa(n)
}

// at gives the path of a list's item.
func at(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }
