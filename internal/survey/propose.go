package survey

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"energyd/connectors"
)

// Proposal is a mapping file and the source that it is for.
type Proposal struct {
	Name    string              `json:"name"`            // of the source: "daily_report"
	Known   bool                `json:"known,omitempty"` // energyd.yaml reads the item already, by the source of that name
	Lines   []Line              `json:"lines"`
	Words   []Word              `json:"kinds"`
	Options []connectors.Option `json:"options"` // of the source, but for connection and mapping
	Mapping string              `json:"mapping"` // the file's text

	connection string
	missing    bool // some row cannot become an activity before somebody changes the file
}

// Line is one line of the mapping, with how sure it is and why.
type Line struct {
	Field      string  `json:"field"`      // "activity.at"
	Expression string  `json:"expression"` // "" = left open
	Confidence float64 `json:"confidence"`
	Reason     string  `json:"reason"`
}

// Word is a value of the column of kinds and what it means.
type Word struct {
	Word    string `json:"word"`
	Says    string `json:"says,omitempty"` // what the source says that it stands for
	Count   int    `json:"count"`          // in the sample
	Kind    string `json:"kind,omitempty"`
	Act     string `json:"direction,omitempty"` // whose act it was, where the word tells
	Whole   bool   `json:"-"`                   // all of the word is known, not a part
	Attempt bool   `json:"-"`
}

// mostWords is how many words of a column a mapping lists; a column with more is no column of kinds.
const mostWords = 150

// proposing is the work on one proposal.
type proposing struct {
	*surveyor
	out     *Proposal
	columns []string        // that the mapping reads
	used    map[string]bool // the same
	words   []string        // lines of lookups.kinds
	acts    []string        // lines of lookups.directions
	states  []string        // lines of lookups.statuses
	skip    []string        // lines of skip
	fields  []string        // lines of activity
	people  []string        // lines of participants

	dateTime bool     // the column of the date tells the time of day too
	each     bool     // several contacts of one row, told by its text
	customer struct { // how the customer is found first
		column, key string
		text        bool // by the company that the text in column names
	}
}

// propose writes the mapping of an item that holds contacts.
func (s *surveyor) propose(from Source) *Proposal {
	name, known := s.sourceName(from)
	p := &proposing{surveyor: s, out: &Proposal{Name: name, Known: known, connection: from.Connection, Lines: []Line{}, Words: []Word{}}, used: map[string]bool{}}
	p.contacts()
	p.statuses()
	p.when()
	p.kind()
	p.account()
	p.deal()
	p.rep()
	p.cues()
	p.participants()
	p.out.Options = from.Surveyor.Stream(s.item.Item, s.reading(p.columns))
	p.out.Mapping = p.file()
	return p.out
}

// ofMonth is what a file's name says of its month: _202610, _2026年10月, 令和8年10月分.
var ofMonth = regexp.MustCompile(`[_\- ]*(令和|平成|[RH])?[0-9]+[0-9\-_.年月日度分]*$`)

// sourceName is the name of the source that reads the item already, else one that is free.
func (s *surveyor) sourceName(from Source) (name string, known bool) {
	if from.Same != nil {
		if name := from.Same(s.item.Item); name != "" {
			return name, true
		}
	}
	first := identifier(s.item.Item)
	name = first
	for n := 2; slices.Contains(from.Taken, name); n++ {
		name = fmt.Sprint(first, "_", n)
	}
	return name, false
}

// identifier makes a name for the source out of the item's: "sales.日報" and "日報_*.xlsx" are both 日報.
func identifier(item connectors.Item) string {
	name := item.Name
	if strings.HasPrefix(item.Kind, "file") {
		name = path.Base(name)
		name = ofMonth.ReplaceAllString(strings.TrimSuffix(name, path.Ext(name)), "")
	} else {
		name = strings.TrimSuffix(name[strings.LastIndexByte(name, '.')+1:], "__c")
	}
	name = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return '_'
	}, name)
	return cmp.Or(strings.Trim(name, "_"), "source")
}

// reading is how the item is best read by a mapping of these columns.
func (s *surveyor) reading(columns []string) connectors.Reading {
	by := connectors.Reading{Yearless: slices.Contains(columns, period)}
	declared := slices.ContainsFunc(s.sample.Columns, func(c connectors.SampleColumn) bool { return c.Key })
	if !declared {
		by.Key = s.key()
	}
	for _, c := range s.sample.Columns {
		if c.Zoneless {
			by.Zone = s.env.Zone
		}
		by.Columns = append(by.Columns, c.Name)
	}
	if i, ok := s.has(Changed); ok && s.sample.Columns[i].Tells {
		by.Changed = s.name(i)
		switch v := s.values[i]; { // a time that is kept as text
		case v.types["text"] > 0 && v.zoned:
			by.Zone = "UTC"
		case v.types["text"] > 0:
			by.Zone = s.env.Zone
		}
	}
	return by
}

// key gives columns that tell the sample's rows apart: one, or what makes two reports of a day different.
func (s *surveyor) key() []string {
	if i, ok := s.has(Key); ok && s.item.Columns[i].Unique {
		return []string{s.name(i)}
	}
	if pair := s.pair(); pair != nil {
		return pair
	}
	var together []int
	for _, r := range []Role{Date, Time, AccountCode, AccountName, RepCode, RepName, ContactCode, ContactName, Kind} {
		if i, ok := s.has(r); ok && s.item.Columns[i].Fill == 1 && !slices.Contains(together, i) {
			if together = append(together, i); s.apart(together) {
				names := make([]string, len(together))
				for n, i := range together {
					names[n] = s.name(i)
				}
				return names
			}
		}
	}
	return nil
}

// pair gives two columns of codes or numbers that tell the rows apart together, as a report's number and its line do.
func (s *surveyor) pair() []string {
	var numbered []int
	for i, v := range s.values {
		c := s.item.Columns[i]
		if c.Fill == 1 && (v.code > 0.7 || v.number == 1) && v.types["list"] == 0 && v.date+v.both+v.clock == 0 && len(v.order) > 1 &&
			(c.Guess == nil || c.Guess.Role == Key || c.Guess.Role == None) {
			numbered = append(numbered, i)
		}
	}
	for n, i := range numbered {
		for _, j := range numbered[n+1:] {
			if s.apart([]int{i, j}) {
				return []string{s.name(i), s.name(j)}
			}
		}
	}
	return nil
}

// apart tells whether no two rows of the sample are equal in these columns.
func (s *surveyor) apart(columns []int) bool {
	seen := map[string]bool{}
	for _, row := range s.sample.Rows {
		var key strings.Builder
		for _, i := range columns {
			key.WriteString(textOf(row[i]) + "\x00")
		}
		if seen[key.String()] {
			return false
		}
		seen[key.String()] = true
	}
	return len(s.sample.Rows) > 1
}

var plainName = regexp.MustCompile(`^[\p{L}_][\p{L}\p{N}_]*(\.[\p{L}_][\p{L}\p{N}_]*)*$`)

// reserved are the words of the language, and those that stand for themselves.
var reserved = []string{"in", "and", "or", "not", "contains", "matches", "startsWith", "endsWith", "let", "if", "else", "nil", "null", "true", "false", "item",
	"inbound", "outbound", "mutual", "held", "planned", "cancelled", "attended"}

// ref is how an expression names column i.
func (p *proposing) ref(i int) string {
	name := p.name(i)
	if !p.used[name] {
		p.used[name] = true
		p.columns = append(p.columns, name)
	}
	if plainName.MatchString(name) && !slices.Contains(reserved, name) && !slices.Contains(p.env.Kinds, name) {
		return name
	}
	return "$env[" + quoted(name) + "]"
}

// set adds a line of the activity.
func (p *proposing) set(field, expression string, confidence float64, reason string) {
	p.out.Lines = append(p.out.Lines, Line{"activity." + field, expression, confidence, reason})
	if expression != "" {
		p.fields = append(p.fields, fmt.Sprintf("  %s: %s %s", field, scalar(expression), p.because(confidence, reason)))
	} else {
		p.fields = append(p.fields, fmt.Sprintf("  # %s: %s", field, oneLine(reason)))
	}
}

func (s *surveyor) because(confidence float64, reason string) string {
	return fmt.Sprintf("# %s: %s", s.text.percent(confidence), oneLine(reason))
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// guessed is the guess of column i.
func (s *surveyor) guessed(i int) *Guess { return s.item.Columns[i].Guess }
