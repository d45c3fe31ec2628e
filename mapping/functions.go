package mapping

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
	"golang.org/x/text/unicode/norm"

	"energyd/engine"
	"energyd/internal/expression"
	"energyd/internal/fault"
	"energyd/mapping/matching"
)

// entityKinds are the words for find and profiles.
var entityKinds = map[string]engine.EntityKind{
	"account": engine.Account, "contact": engine.Contact, "deal": engine.Deal, "rep": engine.Rep,
}

var entityWords = []string{"account", "contact", "deal", "rep"}

// functions are the words that mappings add to the language.
func (c *compiler) functions() []expression.Function {
	const anything, moment = expression.Any, expression.Text | expression.Date | expression.Time | expression.Number
	return []expression.Function{
		{
			Name: "date", Usage: "date(column) or date(column, period)",
			Params:   []expression.Type{expression.Text | expression.Date | expression.Time | expression.Number, expression.Text | expression.Number | expression.Date | expression.Time},
			Optional: 1, Returns: expression.Date, Bind: c.plain(date),
		},
		{
			Name: "seconds_between", Usage: "seconds_between(earlier, later)", Params: []expression.Type{moment, moment},
			Returns: expression.Number, Bind: c.plain(secondsBetween),
		},
		{Name: "minutes", Usage: "minutes(column)", Params: []expression.Type{expression.Text | expression.Time}, Returns: expression.Number, Bind: c.plain(minutes)},
		{
			Name: "datetime", Usage: `datetime(column), datetime(date, time) or datetime(date, time, "Asia/Tokyo")`,
			Params:   []expression.Type{expression.Text | expression.Date | expression.Time | expression.Number, expression.Text | expression.Time | expression.Number, expression.Text},
			Optional: 2, Returns: expression.Date | expression.Time, Bind: c.bindDatetime,
		},
		{
			Name: "extract", Usage: `extract(column, "pattern")`,
			Params: []expression.Type{expression.Text, expression.Text}, Returns: expression.Text, Bind: bindExtract,
		},
		{
			Name: "lookup", Usage: `lookup("list", column) or lookup("list", column, "otherwise")`,
			Params: []expression.Type{expression.Text, anything, expression.Text}, Optional: 1, Returns: expression.Text, Bind: c.bindLookup,
		},
		{
			Name: "find", Usage: `find("account", "code", column) or find("contact", "email", column, "account")`,
			Params:   []expression.Type{expression.Text, expression.Text, expression.Text | expression.Number, expression.Text},
			Optional: 1, Returns: expression.Text, Bind: c.bindFind,
		},
		c.matchFunction(),
		{Name: "domain", Usage: "domain(column)", Params: []expression.Type{expression.Text}, Returns: expression.Text, Bind: c.plain(textOnly(remembered(domain)))},
		{Name: "company", Usage: "company(column)", Params: []expression.Type{expression.Text}, Returns: expression.Text, Bind: c.named(matching.PlainCompany)},
		{Name: "person", Usage: "person(column)", Params: []expression.Type{expression.Text}, Returns: expression.Text, Bind: c.named(matching.PlainPerson)},
		{Name: "text", Usage: "text(column)", Params: []expression.Type{anything}, Returns: expression.Text, Bind: c.plain(text)},
		{Name: "number", Usage: "number(column)", Params: []expression.Type{expression.Text | expression.Number | expression.Bool}, Returns: expression.Number, Bind: c.plain(number)},
		{Name: "lower", Usage: "lower(column)", Params: []expression.Type{expression.Text}, Returns: expression.Text, Bind: c.plain(textOnly(strings.ToLower))},
		{Name: "trim", Usage: "trim(column)", Params: []expression.Type{expression.Text}, Returns: expression.Text, Bind: c.plain(textOnly(strings.TrimSpace))},
	}
}

// plain binds a function whose work does not depend on constants. It works in the mapping's zone.
func (c *compiler) plain(f func(zone *time.Location, args []any) (any, error)) func([]any) (expression.Call, error) {
	return func([]any) (expression.Call, error) {
		return func(_ any, args []any) (any, error) { return f(c.zone, args) }, nil
	}
}

// named binds a function that brings names into one form.
func (c *compiler) named(f func(string) string) func([]any) (expression.Call, error) {
	call := c.plain(textOnly(f))
	return func(args []any) (expression.Call, error) {
		c.names = true
		return call(args)
	}
}

func textOnly(f func(string) string) func(*time.Location, []any) (any, error) {
	return func(_ *time.Location, args []any) (any, error) {
		if s, ok := args[0].(string); ok {
			return f(s), nil
		}
		return nil, nil
	}
}

// remembered is f with a memory of what it gave.
func remembered(f func(string) string) func(string) string {
	var seen cache[string]
	return func(s string) string {
		v, ok := seen.get(s)
		if !ok {
			v = f(s)
			seen.put(s, v)
		}
		return v
	}
}

// dateError is a reject of class "date".
func dateError(err error) error { return &RejectError{Code: "date", Reason: err.Error()} }

// days remembers the texts that name a day by themselves; as any, so that a hit allocates nothing.
var days cache[any]

// date gives the calendar day of a text, a day or a time; blank gives null. A
// date without a year takes it from the period beside it.
func date(zone *time.Location, args []any) (any, error) {
	switch v := args[0].(type) {
	case int64:
		return dayNumber(float64(v), args[1:])
	case float64:
		return dayNumber(v, args[1:])
	case expression.Day:
		return v, nil
	case time.Time:
		return dayOf(v, zone), nil
	case string:
		if day, known := days.get(v); known {
			return day, nil
		}
		if strings.TrimSpace(v) == "" {
			return nil, nil
		}
		if n, ok := serialText(v); ok {
			return dayNumber(n, nil)
		}
		m, err := parsePartial(v)
		whole := !m.yearless
		if err == nil && m.yearless {
			err = m.completeBy(v, args[1:])
		}
		switch {
		case err != nil:
			return nil, dateError(err)
		case !m.hasDate:
			return nil, dateError(fmt.Errorf("%q is a time without a date", short(v)))
		case m.hasZone:
			return dayOf(m.in(zone), zone), nil
		}
		var day any = expression.Day(m.date())
		if whole && len(v) <= shortMoment {
			days.put(v, day)
		}
		return day, nil
	}
	return nil, nil
}

// completeBy takes the year from a period: "2026-03", "2026", "2026年度", 2026, or a date of it.
func (m *moment) completeBy(text string, args []any) error {
	if len(args) == 0 || blank(args[0]) {
		return fmt.Errorf("%q %w", short(text), errYearless)
	}
	year, month, err := periodOf(args[0])
	if err != nil {
		return err
	}
	if s, ok := args[0].(string); ok && strings.HasSuffix(strings.TrimSpace(s), fiscal) && m.month > 0 && m.month < 4 {
		year++ // of the Japanese fiscal year 2026, January lies in 2027
	}
	if err := m.complete(year, month); err != nil {
		return fmt.Errorf("%q %w", short(text), err)
	}
	return nil
}

// fiscal marks a year that begins in April, as a file's period.
const fiscal = "年度"

func periodOf(v any) (year, month int, err error) {
	switch v := v.(type) {
	case int64:
		year = int(v)
	case float64:
		year = int(v)
	case expression.Day:
		year, month, _ = civil(v)
	case time.Time:
		year, month = v.Year(), int(v.Month())
	case string:
		text := strings.TrimSuffix(strings.TrimSpace(v), fiscal)
		if len(text) == len("2026-03") && text[4] == '-' {
			if month, err = strconv.Atoi(text[5:]); err != nil || month < 1 || month > 12 {
				return 0, 0, fmt.Errorf("%q is no period; known are 2026-03 and 2026", short(v))
			}
			text = text[:4]
		}
		if year, err = strconv.Atoi(text); err == nil {
			break
		}
		m, err := parseMoment(text)
		if err != nil || !m.hasDate {
			return 0, 0, fmt.Errorf("%q is no period; known are 2026-03 and 2026", short(v))
		}
		year, month = m.year, m.month
	}
	return year, month, checkYear(year)
}

// The numbers that date() takes for days of Excel: 1954 to 2119.
const firstSerial, lastSerial = 20_000, 80_000

// dayNumber reads a date that came as a number: 20260301; 46082, which a cell
// of Excel without a date's format shows; 1 to 31 with the period's month.
func dayNumber(v float64, args []any) (any, error) {
	n := int(v)
	m := moment{year: n / 10000, month: n / 100 % 100, day: n % 100, hasDate: true}
	var err error
	switch {
	case v >= 1 && v <= 31 && v == math.Trunc(v):
		m = moment{day: n, hasDate: true}
		err = m.completeBy(strconv.Itoa(n), args)
	case v >= firstSerial && v < lastSerial:
		return expression.Day(engine.DateOf(1899, 12, 30) + engine.Date(n)), nil
	case v == math.Trunc(v) && v >= 1900_00_00 && v < 2200_00_00:
		if err = m.checkDate(engine.NoDate); err != nil {
			err = fmt.Errorf("%d %w", n, err)
		}
	default:
		err = fmt.Errorf("%v is no date", v)
	}
	if err != nil {
		return nil, dateError(err)
	}
	return expression.Day(m.date()), nil
}

// serialText reads the number of a day that Excel wrote into a text file: "46082", "46082.604".
func serialText(text string) (float64, bool) {
	text = norm.NFKC.String(strings.TrimSpace(text))
	whole, _, _ := strings.Cut(text, ".")
	if len(whole) != 5 || strings.Trim(text, ".0123456789") != "" {
		return 0, false
	}
	v, err := strconv.ParseFloat(text, 64)
	return v, err == nil && v >= firstSerial && v < lastSerial
}

// secondsBetween gives how much later the second time is, below 0 when it is
// earlier; null where one of them is not given, or is a day alone.
func secondsBetween(zone *time.Location, args []any) (any, error) {
	var times [2]time.Time
	for i := range times {
		if blank(args[i]) {
			return nil, nil
		}
		v, err := datetime(zone, args[i:i+1])
		if err != nil {
			return nil, err
		}
		t, ok := v.(time.Time)
		if !ok {
			return nil, nil
		}
		times[i] = t
	}
	return int64(times[1].Sub(times[0]) / time.Second), nil
}

// minutes gives how long a time lasts that has an end, as 14:30〜15:00; null without one.
func minutes(_ *time.Location, args []any) (any, error) {
	text, ok := args[0].(string)
	if !ok || strings.TrimSpace(text) == "" {
		return nil, nil
	}
	m, err := parsePartial(text)
	if err != nil {
		return nil, dateError(err)
	}
	if !m.hasEnd {
		return nil, nil
	}
	return int64(m.minutes), nil
}

// dayOf is the local day of t. Connectors give a plain DATE as text, so that a
// time at midnight UTC (09:00 in Japan) is a time like any other.
func dayOf(t time.Time, zone *time.Location) expression.Day {
	y, month, d := t.In(zone).Date()
	return expression.Day(engine.DateOf(y, month, d))
}

// datetime gives a time, or a date when no time of day is known; blank gives null.
func datetime(zone *time.Location, args []any) (any, error) {
	if len(args) == 2 && !blank(args[1]) {
		return dateAndTime(zone, args[0], args[1])
	}
	switch v := args[0].(type) {
	case time.Time:
		if len(args) == 2 {
			return dayOf(v, zone), nil
		}
		return v.UTC(), nil
	case expression.Day:
		return v, nil
	case int64:
		return dayNumber(float64(v), nil)
	case float64:
		return serialTime(zone, v)
	case string:
		if strings.TrimSpace(v) == "" {
			return nil, nil
		}
		if n, ok := serialText(v); ok {
			return serialTime(zone, n)
		}
		m, err := parseMoment(v)
		switch {
		case err != nil:
			return nil, dateError(err)
		case !m.hasDate:
			return nil, dateError(fmt.Errorf("%q is a time without a date", short(v)))
		case !m.hasTime:
			return expression.Day(m.date()), nil
		}
		return m.in(zone), nil
	}
	return nil, nil
}

// blank tells that a column says nothing; a CHAR column says it with blanks.
func blank(v any) bool {
	s, isText := v.(string)
	return v == nil || isText && strings.TrimSpace(s) == ""
}

func dateAndTime(zone *time.Location, on, clock any) (any, error) {
	var m moment
	var err error
	switch v := clock.(type) {
	case time.Time: // databases give a TIME as a time on some day
		m.hour, m.minute, m.second = v.Clock()
	case int64:
		m, err = clockNumber(float64(v))
	case float64:
		m, err = clockNumber(v)
	case string:
		switch m, err = timeOfDay(v); {
		case err != nil:
		case !m.hasTime:
			return date(zone, []any{on})
		case m.hasDate && !m.yearless: // the time column holds both
			return m.in(zone), nil
		}
	}
	if err != nil {
		return nil, &RejectError{Code: "date", Reason: err.Error(), Culprit: clock}
	}
	day, err := date(zone, []any{on})
	if err != nil || day == nil {
		return nil, blame(err, on)
	}
	m.year, m.month, m.day = civil(day.(expression.Day))
	return m.in(zone), nil
}

// blame says in a reject which of several values is at fault.
func blame(err error, value any) error {
	var reject *RejectError
	if !errors.As(err, &reject) {
		return err
	}
	blamed := *reject
	blamed.Culprit = value
	return &blamed
}

func civil(d expression.Day) (year, month, day int) {
	y, m, day := engine.Date(d).Time().Date()
	return y, int(m), day
}

func text(_ *time.Location, args []any) (any, error) {
	if args[0] == nil {
		return nil, nil
	}
	s, err := textOf(args[0])
	return s, err
}

// textOf writes a value as an id or a code: 4711.0 is "4711", as JSON and Excel give whole numbers.
func textOf(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "", nil
	case string:
		return strings.TrimSpace(v), nil
	case int64:
		return strconv.FormatInt(v, 10), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case bool:
		return strconv.FormatBool(v), nil
	case expression.Day:
		return engine.Date(v).String(), nil
	case time.Time:
		return v.UTC().Format(time.RFC3339Nano), nil
	}
	return "", fmt.Errorf("a list or an object is no text")
}

// number reads "１，２３４" and "1,234.5"; blank gives null.
func number(_ *time.Location, args []any) (any, error) {
	switch v := args[0].(type) {
	case bool:
		if v {
			return int64(1), nil
		}
		return int64(0), nil
	case string:
		s := strings.ReplaceAll(strings.TrimSpace(norm.NFKC.String(v)), ",", "")
		if s == "" {
			return nil, nil
		}
		if i, err := strconv.ParseInt(s, 10, 64); err == nil {
			return i, nil
		}
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			return nil, fmt.Errorf("%q is no number", short(v))
		}
		return f, nil
	}
	return args[0], nil
}

// wordList is a compiled lookup.
type wordList struct {
	name     string
	meanings map[string]any // squeezed word → meaning, as any so that a hit allocates nothing
	words    []string       // as written, sorted, for suggestions
	seen     cache[any]     // word of the source → meaning; nil = unknown
}

func newWordList(path, name string, words map[string]string, ps *fault.Problems) *wordList {
	l := &wordList{name: name, meanings: map[string]any{}, words: slices.Sorted(maps.Keys(words))}
	if len(words) == 0 {
		ps.Add(path, "the list is empty; write one line per word of the source, as 訪問: visit")
	}
	for _, w := range l.words {
		k := Squeeze(w)
		if other, twice := l.meanings[k]; twice && other != words[w] {
			*ps = append(*ps, fault.Problem{Path: path + "." + w, Key: true,
				Msg: fmt.Sprintf("%q is in the list already with the meaning %q (width, case and blanks do not count)", w, other)})
		}
		l.meanings[k] = words[w]
	}
	return l
}

func (l *wordList) meaning(word string) (any, bool) {
	v, ok := l.seen.get(word)
	if !ok {
		v = l.meanings[Squeeze(word)]
		l.seen.put(word, v)
	}
	return v, v != nil
}

// missError says that a word list does not know a word.
type missError struct {
	list *wordList
	word string
}

func (e *missError) Error() string {
	if e.word == "" {
		return fmt.Sprintf(`the value is empty, and lookups.%s has no line "" for that; add it or a skip rule to the mapping%s`, e.list.name, readAgain)
	}
	nearest := ""
	if n := fault.Nearest(e.word, e.list.words); n != "" && strings.Trim(e.word, "0123456789") != "" { // 9 is no slip of 1
		nearest = fmt.Sprintf("; the nearest it knows is %q", n)
	}
	return fmt.Sprintf("lookups.%s does not know %q%s; add a line for it to the mapping%s", e.list.name, short(e.word), nearest, readAgain)
}

func (c *compiler) bindLookup(consts []any) (expression.Call, error) {
	name, ok := consts[0].(string)
	if !ok {
		return nil, &expression.ArgumentError{Arg: 0, Msg: `the name of the list is a constant, as in lookup("kinds", activity)`}
	}
	list, ok := c.lists[name]
	if !ok {
		return nil, &expression.ArgumentError{Arg: 0, Msg: fmt.Sprintf("there is no list %q under lookups%s", name, fault.DidYouMean(name, slices.Sorted(maps.Keys(c.lists))))}
	}
	c.used = append(c.used, name)
	if len(consts) == 3 {
		if s, ok := consts[2].(string); ok && c.words != nil && !slices.Contains(c.words, s) {
			return nil, &expression.ArgumentError{Arg: 2, Msg: unknownWord(c.what, s, c.words)}
		}
	}
	return func(env any, args []any) (any, error) {
		word, err := textOf(args[1])
		if err != nil {
			return nil, err
		}
		if v, ok := list.meaning(word); ok {
			return v, nil
		}
		if w := env.(*run); w.misses != nil {
			w.misses(name, word)
		}
		if len(args) == 3 {
			return args[2], nil
		}
		return nil, &missError{list, word}
	}, nil
}

func (c *compiler) bindFind(consts []any) (expression.Call, error) {
	word, _ := consts[0].(string)
	kind, ok := entityKinds[word]
	if !ok {
		return nil, &expression.ArgumentError{Arg: 0, Msg: unknownWord("entity", word, entityWords)}
	}
	name, ok := consts[1].(string)
	if !ok || name == "" {
		return nil, &expression.ArgumentError{Arg: 1, Msg: `the name of the key is a constant, as in find("account", "code", account_code)`}
	}
	if known := c.env.Keys[kind]; c.env.Keys != nil && name != "id" && !slices.Contains(known, name) {
		return nil, &expression.ArgumentError{Arg: 1, Msg: noSuchKey(word, name, known)}
	}
	of := ""
	if len(consts) == 4 {
		if of, _ = consts[3].(string); word != "contact" || !slices.Contains(contactWords, of) {
			return nil, &expression.ArgumentError{Arg: 3, Msg: `what can be told of a contact is its "account" and its "title", as in find("contact", "email", column, "account"); of others, the id alone`}
		}
	}
	c.finds = true
	return func(env any, args []any) (any, error) {
		r := env.(*run)
		value, err := textOf(args[2])
		if err != nil || value == "" || r.dir == nil {
			return nil, err
		}
		id, ok := r.dir.Find(kind, name, value)
		if !ok { // ０００１ is 0001 to people
			if plain := norm.NFKC.String(value); plain != value {
				id, ok = r.dir.Find(kind, name, plain)
			}
		}
		if ok {
			if of == "" {
				return id, nil
			}
			account, title := r.contact(id)
			if of == "title" {
				return title, nil
			}
			return account, nil
		}
		r.missed = key{word, name, value}
		return nil, nil
	}, nil
}

// contactWords are what find tells of a contact.
var contactWords = []string{"account", "title"}

// domain gives the domain of an organisation from an address or a web address:
// "taro@eigyo.yamada.co.jp" and "https://www.yamada.co.jp/" are both of
// yamada.co.jp. "" when there is none.
func domain(s string) string {
	s = strings.ToLower(strings.TrimSpace(norm.NFKC.String(s)))
	if _, rest, ok := strings.Cut(s, "://"); ok {
		s = rest
	}
	if end := strings.IndexAny(s, "/?#"); end >= 0 {
		s = s[:end]
	}
	s = s[strings.LastIndexByte(s, '@')+1:]
	s, _, _ = strings.Cut(s, ":")
	s, err := idna.Lookup.ToASCII(strings.Trim(s, "."))
	if err != nil || net.ParseIP(s) != nil || !strings.Contains(s, ".") {
		return ""
	}
	own, err := publicsuffix.EffectiveTLDPlusOne(s)
	if err != nil { // co.jp itself
		return ""
	}
	return own
}

func noSuchKey(entity, name string, known []string) string {
	if len(known) == 0 {
		return fmt.Sprintf(`no mapping gives %ss a key %q, and none gives them any; add it under profile.keys of the mapping that reads them, or find them by "id"`, entity, name)
	}
	return fmt.Sprintf(`no mapping gives %ss a key %q; known are %s, id`, entity, name, strings.Join(known, ", "))
}

func unknownWord(what, word string, words []string) string {
	if n := fault.DidYouMean(word, words); n != "" {
		return fmt.Sprintf("unknown %s %q%s", what, word, n)
	}
	return fmt.Sprintf("unknown %s %q; known are %s", what, word, strings.Join(words, ", "))
}
