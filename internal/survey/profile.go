package survey

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"energyd/connectors"
)

// Column is a column as people see it.
type Column struct {
	connectors.SampleColumn
	Holds    string   `json:"holds"` // what the values are: text, number, date, date and time, time, yes/no, address, nothing
	Fill     float64  `json:"fill"`  // share of rows with a value
	Distinct int      `json:"distinct"`
	Unique   bool     `json:"unique"`             // no value twice among the rows looked at, and none empty
	From     string   `json:"from,omitempty"`     // least date or number
	To       string   `json:"to,omitempty"`       // greatest
	Personal bool     `json:"personal,omitempty"` // values tell of a person, and are masked
	Samples  []string `json:"samples"`            // the commonest values
	Guess    *Guess   `json:"guess,omitempty"`
	Others   []Guess  `json:"others,omitempty"` // what else it may be
	Refers   []string `json:"refers,omitempty"` // what of the CRM its values name: "account code: 93 %"
}

const shownSamples = 4

// column describes column i.
func (s *surveyor) column(i int, guess *Guess, all []Guess) Column {
	v := s.values[i]
	c := Column{SampleColumn: s.sample.Columns[i], Distinct: len(v.order), Guess: guess, Samples: []string{}}
	if v.rows > 0 {
		c.Fill = float64(v.filled) / float64(v.rows)
	}
	c.Unique = v.rows > 1 && v.filled == v.rows && !v.repeats
	switch {
	case v.filled == 0:
		c.Holds = s.text.of("nothing", "空")
	case v.both > 0.5:
		c.Holds = s.text.of("date and time", "日時")
	case v.date > 0.5:
		c.Holds = s.text.of("date", "日付")
	case v.clock > 0.5:
		c.Holds = s.text.of("time", "時刻")
	case v.mail > 0.5:
		c.Holds = s.text.of("address", "メール")
	case v.types["list"] > 0:
		c.Holds = s.text.of("list", "一覧")
	case v.types["bool"] > 0:
		c.Holds = s.text.of("yes/no", "有無")
	case v.number > 0.8 && !v.zeros:
		c.Holds = s.text.of("number", "数")
	case v.code > 0.7:
		c.Holds = s.text.of("code", "コード")
	case v.long > 0.3 || v.length > 18:
		c.Holds = s.text.of("prose", "文章")
	case len(v.order) <= 30 && v.repeats:
		c.Holds = s.text.f("one of %d words", "%d種の語", len(v.order))
	default:
		c.Holds = s.text.of("text", "文字")
	}
	switch {
	case v.yearless == 0 && !v.from.IsZero() && v.date+v.both > 0.5:
		c.From, c.To = v.from.Format(time.DateOnly), v.to.Format(time.DateOnly)
	case v.number > 0.8 && !v.zeros: // of codes with zeros in front a range would hide them
		c.From, c.To = strconv.FormatFloat(v.low, 'f', -1, 64), strconv.FormatFloat(v.high, 'f', -1, 64)
	}
	for _, h := range v.found {
		c.Refers = append(c.Refers, fmt.Sprintf("%s %s: %s", s.text.entity(h.Kind), h.Key, s.text.percent(h.Share)))
	}
	for _, g := range all {
		if guess == nil || g.Role != guess.Role {
			c.Others = append(c.Others, g)
		}
	}
	mask := s.masks(v, guess)
	c.Personal = mask != nil
	for _, text := range commonest(v.counts, shownSamples) {
		switch {
		case mask != nil:
			text = mask(text)
		case strings.ContainsAny(text, "。\n"): // a sentence, whatever the column is
			text, c.Personal = s.lengthOnly(text), true
		}
		c.Samples = append(c.Samples, cut(text, 40))
	}
	return c
}

// masks is how a column's values are made unreadable; nil when they tell of nobody.
func (s *surveyor) masks(v *values, guess *Guess) func(string) string {
	role := None
	if guess != nil {
		role = guess.Role
	}
	switch {
	case v.types["list"] > 0: // of whatever, people mostly
		return s.lengthOnly
	case v.mail > 0.05 || role == ContactMail || role == RepMail:
		return maskAddress
	case v.phone > 0.05:
		return maskDigits
	case v.date+v.both+v.clock > 0.5 || v.number > 0.8 || v.code > 0.7:
		return nil
	case role == Memo || role == Subject || v.long > 0.1:
		return s.lengthOnly
	case role == ContactName || role == RepName || v.person > 0.15 || v.honorific > 0.1 || v.endsInTitle > 0.15:
		return maskName
	case role == AccountName || role == Title || role == Kind || role == Status || role == Department:
		return nil
	case len(v.order) > 30 && v.length > 10 && v.company < 0.3: // who knows what people write there
		return maskName
	}
	return nil
}

// lengthOnly tells of a report's text how long it is.
func (s *surveyor) lengthOnly(t string) string {
	return s.text.f("(%d characters)", "(%d文字)", utf8.RuneCountInString(t))
}

// maskName keeps the first letter of each word: 山田太郎 is 山○○○, Anna Berg is A○○○ B○○○.
func maskName(s string) string {
	words := strings.Fields(s)
	for i, w := range words {
		r := []rune(w)
		for j := min(1, len(r)-1); j < len(r); j++ { // 森 is a whole name
			if unicode.IsLetter(r[j]) || unicode.IsDigit(r[j]) {
				r[j] = '○'
			}
		}
		words[i] = string(r)
	}
	return strings.Join(words, " ")
}

// maskAddress keeps the first letter and the domain: a***@example.co.jp.
func maskAddress(s string) string {
	at := strings.LastIndexByte(s, '@')
	if at < 1 {
		return maskName(s)
	}
	first, _ := utf8.DecodeRuneInString(s)
	return string(first) + "***" + s[at:]
}

// maskDigits keeps the last two digits.
func maskDigits(s string) string {
	r := []rune(s)
	left := 2
	for i := len(r) - 1; i >= 0; i-- {
		if unicode.IsDigit(r[i]) {
			if left > 0 {
				left--
				continue
			}
			r[i] = '*'
		}
	}
	return string(r)
}

// commonest gives the n texts that came most often.
func commonest(counts map[string]int, n int) []string {
	all := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(counts[b]-counts[a], strings.Compare(a, b))
	})
	return all[:min(n, len(all))]
}

func cut(s string, n int) string {
	s = strings.Join(strings.Fields(s), " ")
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}
