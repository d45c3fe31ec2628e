package survey

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"energyd/engine"
	"energyd/mapping"
	"energyd/mapping/matching"
)

// values is what a column's values are like. Shares are of the values that are filled.
type values struct {
	rows, filled int
	counts       map[string]int    // of each distinct text
	words        map[string]string // what the source says that values stand for; nil = nothing
	order        []string          // the distinct texts as they came
	length       float64           // characters, in the mean
	types        map[string]int    // Go's: text, number, bool, time, list

	date, clock, both float64 // share of days alone, of clock times alone, of days with clock times
	yearless          float64 // share of days without a year, 3/1; they are in date too
	zoned             bool    // some times name their zone
	even              float64 // share of clock times at a multiple of five minutes
	future            float64 // share of days after today
	from, to          time.Time
	number            float64
	low, high         float64
	zeros             bool    // some begin with a zero that matters: 0001
	repeats           bool    // some value comes twice
	title, manager    float64 // share of titles; of those above staff
	endsInTitle       float64 // share of names with a title behind, of any rank above staff
	kind, direction   float64 // share of words that mean a kind; that tell whose act it was
	kindWords         int     // distinct words with a kind
	status            float64
	mail, phone, url  float64
	company, person   float64
	honorific         float64
	code              float64 // share of short words with digits
	long              float64 // share of texts of several words
	flag              bool
	several           float64 // share of values with several people
	found             []hit   // the directory's keys that know some of the values, best first
	padded            float64 // share of codes that the directory knows with another number of zeros in front
	checked           int     // distinct values that were looked up
}

// hit is a key of the directory that knows values of a column.
type hit struct {
	Kind  engine.EntityKind
	Key   string
	Form  string  // function by which the value is looked up: "", "company", "person", "lower"
	Share float64 // of the distinct values
}

var (
	mailForm    = regexp.MustCompile(`^[^\s@<>]+@[^\s@<>]+\.[A-Za-z]{2,}$`)
	phoneForm   = regexp.MustCompile(`^\+?[0-9][0-9() \-‐−－]{7,18}[0-9]$`)
	codeForm    = regexp.MustCompile(`^[A-Za-z]{0,6}[-_]?[0-9][A-Za-z0-9_\-]{0,24}$`)
	idForm      = regexp.MustCompile(`^[A-Za-z0-9]{15}([A-Za-z0-9]{3})?$|^[0-9a-fA-F]{8}-[0-9a-fA-F\-]{27}$`)
	dayForm     = regexp.MustCompile(`^(1[0-2]|0?[1-9])(/|月)(3[01]|[12][0-9]|0?[1-9])日?(\([日月火水木金土]\))?$`)
	leadingZero = regexp.MustCompile(`^0[0-9]`)
	urlForm     = regexp.MustCompile(`^(https?://|www\.)`)
	latinName   = regexp.MustCompile(`^(Mr|Mrs|Ms|Dr|Prof)\.?\s|^\p{Lu}[\p{L}'\-]+([ ,]+\p{Lu}[\p{L}'.\-]*){1,2}$`)
	kanjiName   = regexp.MustCompile(`^[\p{Han}々ヶ]{1,4}[ 　]?[\p{Han}\p{Hiragana}\p{Katakana}ー]{0,4}$`)
	between     = regexp.MustCompile(`[、,，;；・/／\n]|\band\b|&|および|他[0-9一二三]名`)
)

const honorifics = "様殿氏"

// noNames end like people who are named politely, and are none; 本多様 and 健一様 are.
var noNames = regexp.MustCompile(`(仕|同|模|異)様$|^(多|有|一|両)様$`)

// textOf writes a value as a person would see it.
func textOf(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return strings.TrimSpace(v)
	case time.Time:
		if v.Equal(v.Truncate(24 * time.Hour)) {
			return v.Format(time.DateOnly)
		}
		return v.Format("2006-01-02 15:04:05")
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case int64:
		return strconv.FormatInt(v, 10)
	case bool:
		return strconv.FormatBool(v)
	case []any:
		texts := make([]string, len(v))
		for i, e := range v {
			texts[i] = textOf(e)
		}
		return strings.Join(texts, ", ")
	}
	return fmt.Sprint(v)
}

// look reads column i of the rows.
func (s *surveyor) look(rows [][]any, i int) *values {
	v := &values{rows: len(rows), counts: map[string]int{}, types: map[string]int{}, words: s.sample.Columns[i].Words}
	var first = map[string]any{} // a value of each distinct text
	for _, row := range rows {
		text := textOf(row[i])
		if text == "" {
			continue
		}
		v.filled++
		if v.counts[text]++; v.counts[text] == 1 {
			v.order = append(v.order, text)
			first[text] = row[i]
		} else {
			v.repeats = true
		}
	}
	if v.filled == 0 {
		return v
	}
	total := float64(v.filled)
	clocks, serials := 0.0, 0.0
	for _, text := range v.order {
		n := float64(v.counts[text])
		share := n / total
		v.length += share * float64(utf8.RuneCountInString(text))
		isNumber := false
		switch x := first[text].(type) {
		case int64, float64:
			isNumber = true
			v.types["number"] += int(n)
			if m, ok := mapping.ReadMoment(text); ok && digits(text, 8) && m.At.Year() > 1990 && m.At.Year() < 2100 {
				v.moment(m, share, &clocks, s.today)
			} else if f, _ := strconv.ParseFloat(text, 64); f >= firstSerial && f < lastSerial {
				serials += share
			}
		case bool:
			v.types["bool"] += int(n)
		case time.Time:
			v.types["time"] += int(n)
			v.moment(mapping.Moment{Date: true, Clock: !x.Equal(x.Truncate(24 * time.Hour)), Zoned: true, At: x}, share, &clocks, s.today)
			continue
		case []any, map[string]any:
			v.types["list"] += int(n)
			continue
		default:
			v.types["text"] += int(n)
			if m, ok := mapping.ReadMoment(text); ok && !digits(text, 8) {
				v.moment(m, share, &clocks, s.today)
				continue
			} else if dayForm.MatchString(norm.NFKC.String(text)) {
				v.date += share
				v.yearless += share
				continue
			} else if ok && m.At.Year() > 1990 && m.At.Year() < 2100 { // 20260930 may be a number too
				v.moment(m, share, &clocks, s.today)
			}
		}
		if f, err := strconv.ParseFloat(strings.ReplaceAll(norm.NFKC.String(text), ",", ""), 64); err == nil {
			if v.number == 0 {
				v.low, v.high = f, f
			}
			v.low, v.high = min(v.low, f), max(v.high, f)
			v.zeros = v.zeros || !isNumber && leadingZero.MatchString(norm.NFKC.String(text))
			v.number += share
		}
		s.judge(v, text, share, isNumber)
	}
	if v.date+v.both > serials { // among dates, numbers of that size are days as Excel counts them
		v.date += serials
	}
	if clocks > 0 {
		v.even /= clocks
	}
	v.flag = len(v.order) <= 2 && v.length <= 5 && (v.code < 0.9 || v.length < 4) && v.person < 0.5 // K0001 and K0002 are two customers
	if s.namesTime(i) && s.compactClock(v) {
		v.clock, v.even = 1, 1
	}
	s.lookUp(v)
	return v
}

// Days as Excel counts them: 2000-01-01, and the day after 2099-12-31.
const firstSerial, lastSerial = 36526, 73051

// digits tells that text is so many digits and nothing else.
func digits(text string, n int) bool {
	return len(text) == n && strings.Trim(text, "0123456789") == ""
}

func (v *values) moment(m mapping.Moment, share float64, clocks *float64, today time.Time) {
	switch {
	case m.Date && m.Clock:
		v.both += share
	case m.Date:
		v.date += share
	default:
		v.clock += share
	}
	if m.Clock {
		*clocks += share
		if m.At.Minute()%5 == 0 && m.At.Second() == 0 {
			v.even += share
		}
	}
	if !m.Date {
		return
	}
	v.zoned = v.zoned || m.Zoned
	if m.At.After(today.AddDate(0, 0, 1)) {
		v.future += share
	}
	if v.from.IsZero() || m.At.Before(v.from) {
		v.from = m.At
	}
	if m.At.After(v.to) {
		v.to = m.At
	}
}

// judge adds what one distinct text looks like.
func (s *surveyor) judge(v *values, text string, share float64, isNumber bool) {
	l := s.lexicon
	folded := norm.NFKC.String(text)
	runes := utf8.RuneCountInString(folded)
	switch {
	case mailForm.MatchString(folded):
		v.mail += share
		return
	case urlForm.MatchString(folded):
		v.url += share
		return
	case !isNumber && phoneForm.MatchString(folded) && strings.ContainsAny(folded, "-+()"):
		v.phone += share
		return
	case codeForm.MatchString(folded) || idForm.MatchString(folded) && strings.ContainsAny(folded, "0123456789"):
		v.code += share
	}
	if said := v.says(text); said != text {
		s.means(v, said, share)
		return
	}
	if isNumber || v.number == 1 {
		return
	}
	if runes <= 40 {
		if rank, ok := s.titles.Rank(text); ok && rank != "" {
			if v.title += share; s.titles.Above(rank) {
				v.manager += share
			}
		}
	}
	if runes > 20 && (strings.ContainsAny(folded, "。、.,!?:;") || strings.ContainsFunc(folded, unicode.IsSpace)) || runes > 40 {
		v.long += share
	}
	s.means(v, text, share)
	if runes > 30 {
		return
	}
	if between.MatchString(folded) && runes > 4 {
		v.several += share
	}
	if l.company(folded) {
		v.company += share
		return
	}
	name, polite := l.person(folded)
	if name {
		v.person += share
	}
	if polite {
		v.honorific += share
	}
	if before := s.nameBefore(folded); before {
		v.endsInTitle += share
	}
}

// means adds what a word says of how the customer was met.
func (s *surveyor) means(v *values, word string, share float64) {
	l := s.lexicon
	meaning, _, exact := l.kinds.of(word)
	if meaning != "" && (exact || utf8.RuneCountInString(word) <= 16) {
		v.kind += share
		v.kindWords++
	}
	if _, _, exact := l.directions.of(word); exact {
		v.direction += share
	}
	if _, _, exact := l.statuses.of(word); exact {
		v.status += share
	}
}

// company tells whether a text holds what companies' names hold.
func (l *Lexicon) company(text string) bool {
	squeezed, words := mapping.Squeeze(text), " "+strings.ToLower(text)+" "
	for _, c := range l.companies {
		if latin(c) {
			if strings.Contains(words, " "+c+" ") || strings.Contains(words, " "+c+".") {
				return true
			}
		} else if strings.Contains(squeezed, c) && len(squeezed) > len(c) {
			return true
		}
	}
	return false
}

// person tells whether a text is a person's name, and whether it is said politely.
func (l *Lexicon) person(text string) (name, polite bool) {
	plain := strings.TrimRight(strings.TrimSuffix(strings.TrimSpace(text), "さん"), honorifics+" 　")
	polite = plain != strings.TrimSpace(text)
	if plain == "" || noNames.MatchString(text) {
		return false, false
	}
	if latinName.MatchString(plain) {
		for _, w := range strings.FieldsFunc(strings.ToLower(plain), func(r rune) bool { return !unicode.IsLetter(r) }) {
			if l.givenNames[w] {
				return true, polite
			}
		}
		return polite, polite
	}
	runes := []rune(strings.ReplaceAll(strings.ReplaceAll(plain, " ", ""), "　", ""))
	for n := min(3, len(runes)); n >= 1; n-- {
		if l.surnames[string(runes[:n])] && (n > 1 || strings.ContainsAny(plain, " 　") || len(runes) == 1 || polite) && len(runes)-n <= 4 && kanjiName.MatchString(plain) {
			return true, polite
		}
	}
	return polite && len(runes) <= 8, polite
}

// nameBefore tells that a text is a family name with a title behind: 山田部長, 佐藤 課長様.
func (s *surveyor) nameBefore(text string) bool {
	squeezed := strings.TrimRight(mapping.Squeeze(strings.TrimSuffix(text, "さん")), honorifics)
	runes := []rune(squeezed)
	for n := min(3, len(runes)-1); n >= 1; n-- {
		if s.lexicon.surnames[string(runes[:n])] {
			if rank, ok := s.titles.Rank(string(runes[n:])); ok && s.titles.Above(rank) {
				return true
			}
		}
	}
	return false
}

const mostLookedUp = 500 // distinct values of a column that are looked up in the directory

// longestCode is the length up to which zeros are put in front of a code.
const longestCode = 12

// otherZeros is the share of codes that the directory has as accounts with another number of zeros in front: 0001 for 0000000001.
func (s *surveyor) otherZeros(codes []string) float64 {
	hits := 0
	for _, code := range codes {
		bare := strings.TrimLeft(norm.NFKC.String(code), "0")
		for n := len(bare); n > 0 && n <= longestCode; n++ {
			if other := strings.Repeat("0", n-len(bare)) + bare; other != code && slices.ContainsFunc(s.keys[engine.Account], func(key string) bool {
				return key != "name" && key != "domain" && s.find(engine.Account, key, other)
			}) {
				hits++
				break
			}
		}
	}
	return float64(hits) / float64(max(len(codes), 1))
}

// lookUp finds by which keys the directory knows the column's values.
func (s *surveyor) lookUp(v *values) {
	if s.find == nil || v.long > 0.3 || v.date+v.both+v.clock > 0.5 || v.flag {
		return
	}
	some := v.order
	if len(some) > mostLookedUp {
		some = spread(some, mostLookedUp)
	}
	v.checked = len(some)
	if v.zeros {
		v.padded = s.otherZeros(some)
	}
	for _, kind := range []engine.EntityKind{engine.Account, engine.Contact, engine.Deal, engine.Rep} {
		for _, key := range append([]string{"id"}, s.keys[kind]...) {
			form := formOf(kind, key)
			hits := 0
			for _, text := range some {
				value := inForm(form, text)
				if s.find(kind, key, value) || s.find(kind, key, norm.NFKC.String(value)) { // as the mapping's find does
					hits++
				}
			}
			if share := float64(hits) / float64(len(some)); hits > 0 && (share >= 0.05 || hits >= 5) {
				v.found = append(v.found, hit{kind, key, form, share})
			}
		}
	}
}

// formOf is the function that makes a value comparable with a key of that name, as the shipped mappings make them.
func formOf(kind engine.EntityKind, key string) string {
	switch {
	case key == "email":
		return "lower"
	case key == "domain":
		return "domain"
	case key == "name" && kind == engine.Account:
		return "company"
	case key == "name" && kind != engine.Deal:
		return "person"
	}
	return ""
}

func inForm(form, text string) string {
	switch form {
	case "lower":
		return strings.ToLower(text)
	case "company":
		return matching.PlainCompany(text)
	case "person":
		return matching.PlainPerson(text)
	}
	return text
}

func spread(list []string, n int) []string {
	out := make([]string, n)
	for i := range out {
		out[i] = list[i*len(list)/n]
	}
	return out
}
