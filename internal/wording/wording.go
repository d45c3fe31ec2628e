package wording

import (
	"cmp"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// In gives a text of the program in a language: "ja"; any other gives it as it is. Of a chain as
// "op: sentence: cause; what to do: hint" each part is translated; words of libraries and of other systems stay.
func In(language, text string) string {
	if language != "ja" || text == "" {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		about, do, advised := strings.Cut(line, whatToDo)
		lines[i] = in(about, 0)
		if advised {
			lines[i] = phrases()[0].fill([]string{lines[i], in(do, 0)})
		}
	}
	return strings.Join(lines, "\n")
}

// whatToDo stands between a fault and its hint where both are kept as one text.
const whatToDo = "; what to do: "

// longest text that is looked at, in bytes: more is a dump of another system.
const longest = 4000

// deepest is how often values of sentences are sentences themselves.
const deepest = 4

// most parts of a chain that are told apart.
const most = 64

var parts = regexp.MustCompile(`: |; |\. |, or `)

func in(text string, depth int) string {
	if depth > deepest || len(text) > longest || depth > 0 && !strings.Contains(text, " ") {
		return text
	}
	known := within(text)
	if len(known) == 0 {
		return text
	}
	seams := parts.FindAllStringIndex(text, most)
	var b strings.Builder
	said := false // the words before are Japanese
	for at := 0; at < len(text); {
		best, values, end := find(known, text, at, seams)
		if best != nil {
			for i, v := range values {
				values[i] = in(v, depth+1)
			}
			if before := b.String(); best.joins && strings.HasSuffix(before, " ") {
				b.Reset()
				b.WriteString(strings.TrimSuffix(before, " "))
			}
			b.WriteString(best.fill(values))
			at, said = end, true
			continue
		}
		if said && strings.HasPrefix(text[at:], "; ") {
			b.WriteString("。")
			at, said = at+2, false
			continue
		}
		next := len(text)
		for _, s := range seams {
			if s[1] > at {
				next = s[1]
				break
			}
		}
		if i := strings.IndexByte(text[at:next], ' '); i >= 0 && slices.ContainsFunc(known, func(p *phrase) bool { return p.joins }) {
			next = at + i + 1
		}
		b.WriteString(text[at:next])
		at = next
	}
	return b.String()
}

// clue is how many of the last bytes of a phrase's mark it is looked up by.
const clue = 8

// clues are the phrases by those bytes; "" has those with a shorter mark.
var clues = sync.OnceValue(func() map[string][]*phrase {
	all := map[string][]*phrase{}
	for _, p := range phrases() {
		key := ""
		if n := len(p.mark); n >= clue {
			key = p.mark[n-clue:]
		}
		all[key] = append(all[key], p)
	}
	return all
})

// within gives the phrases that may be in a text.
func within(text string) (known []*phrase) {
	add := func(some []*phrase) {
		for _, p := range some {
			if p.may(text) && !slices.Contains(known, p) {
				known = append(known, p)
			}
		}
	}
	all := clues()
	add(all[""])
	for i := clue; i <= len(text); i++ {
		add(all[text[i-clue:i]])
	}
	slices.SortStableFunc(known, func(a, b *phrase) int { return b.weight - a.weight })
	return known
}

// find gives the phrase that says most of text from at on, up to the end or a seam; of equals the one that ends first.
func find(known []*phrase, text string, at int, seams [][]int) (best *phrase, values []string, end int) {
	begins := at == 0 || slices.ContainsFunc(seams, func(s []int) bool { return s[0] == at || s[1] == at })
	for _, p := range known {
		if best != nil && p.weight <= best.weight || !begins && !p.joins || !strings.HasPrefix(text[at:], p.begin) {
			continue
		}
		for i := 0; i <= len(seams); i++ {
			to := len(text)
			if i < len(seams) {
				to = seams[i][0]
			}
			if to <= at || !strings.HasSuffix(text[at:to], p.ending) || !p.may(text[at:to]) {
				continue
			}
			if m := p.form().FindStringSubmatch(text[at:to]); m != nil {
				best, values, end = p, m[1:], to
				break
			}
		}
	}
	return best, values, end
}

// phrase is a format of the program with what it is in Japanese.
type phrase struct {
	japanese      string
	form          func() *regexp.Regexp
	begin, ending string   // literally
	words         []string // all of it between its holes
	mark          string   // the longest of them
	weight        int      // how many bytes of it are no holes
	joins         bool     // it goes on from the word before it
}

// may tells quickly whether a text can be, or hold, the sentence.
func (p *phrase) may(text string) bool {
	if !strings.Contains(text, p.mark) {
		return false
	}
	for _, w := range p.words {
		i := strings.Index(text, w)
		if i < 0 {
			return false
		}
		text = text[i+len(w):]
	}
	return true
}

var (
	verb   = regexp.MustCompile(`%[-+# 0]*(?:\[(\d+)\])?\d*(?:\.\d+)?([a-zA-Z%])`)
	joined = regexp.MustCompile(`^(?:is|has) `)
	filled = regexp.MustCompile(`%\[(\d+)\][sk]|%%`)
)

// phrases are all of the catalogue, that of whatToDo first, then the longer ones before the shorter.
var phrases = sync.OnceValue(func() []*phrase {
	all := []*phrase{newPhrase("%s"+whatToDo+"%s", catalogue["%s"+whatToDo+"%s"])}
	for _, english := range slices.Sorted(maps.Keys(catalogue)) {
		all = append(all, newPhrase(english, catalogue[english]))
	}
	slices.SortStableFunc(all[1:], func(a, b *phrase) int { return b.weight - a.weight })
	return all
})

func newPhrase(english, japanese string) *phrase {
	p := &phrase{japanese: japanese}
	expression := `(?s)\A`
	seen := map[string]bool{}
	holes, at, last := 0, 0, -1
	literal := func(words string) {
		expression += regexp.QuoteMeta(words)
		p.weight += len(words)
		p.words = append(p.words, words)
		if len(words) > len(p.mark) {
			p.mark = words
		}
		p.ending = words
		if at == 0 {
			p.begin = words
		}
	}
	english = strings.ReplaceAll(english, "%%", "\x00")
	plain := func(words string) { literal(strings.ReplaceAll(words, "\x00", "%")) }
	for _, m := range verb.FindAllStringSubmatchIndex(english, -1) {
		plain(english[at:m[0]])
		at = m[1]
		var nth string
		if m[2] >= 0 {
			nth = english[m[2]:m[3]]
		} else {
			holes++
			nth = strconv.Itoa(holes)
		}
		kind := english[m[4]:m[5]]
		form := takes(kind)
		if m[0] == last && form == anything { // directly after another hole: "; did you mean …", or nothing
			form = `(?:[;( ].*)?`
		}
		if last = m[1]; seen[nth] {
			form = `?:` + form
		}
		expression += `(` + form + `)`
		seen[nth] = true
	}
	plain(english[at:])
	expression += `\z`
	p.form = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(expression) })
	p.joins = joined.MatchString(english) && strings.ContainsAny(japanese[:min(3, len(japanese))], "はにが")
	return p
}

// takes is what a verb of a format prints.
func takes(verb string) string {
	switch verb {
	case "d":
		return `[-+]?\d+`
	case "q":
		return "\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`"
	case "f", "g":
		return `\S+`
	}
	return anything
}

const anything = `.*?`

// kinds are what %[1]k takes: of what a thing is, when that is a value.
var kinds = map[string]string{"account": "顧客企業", "contact": "担当者", "deal": "案件", "rep": "営業担当", "group": "グループ"}

// fill puts values into the Japanese sentence.
func (p *phrase) fill(values []string) string {
	return filled.ReplaceAllStringFunc(p.japanese, func(hole string) string {
		if hole == "%%" {
			return "%"
		}
		n, _ := strconv.Atoi(hole[2 : len(hole)-2])
		if n > len(values) {
			return hole
		}
		if strings.HasSuffix(hole, "k") {
			return cmp.Or(kinds[values[n-1]], values[n-1])
		}
		return values[n-1]
	})
}
