// Package survey looks at a sample of a source and tells what it is good for:
// what each column holds, what it is to a contact, how sure that is and why;
// what is missing for a good energy; and a mapping file that says all this. It
// is pure: who calls it has read the sample, and knows the directory.
//
//	words.go    the words by which things are recognised (configs/survey.yaml)
//	name.go     a column's name cut into them
//	values.go   what a column's values are like
//	codes.go    numbers that stand for words, and for times of day
//	role.go     name and values weighed: what the column is
//	profile.go  the column as people see it, personal data masked
//	list.go     columns that hold lists of people
//	prose.go    what the texts of reports tell
//	propose.go  the mapping file and the source
//	test.go     a test case for it
//	advice.go   what is missing
//	page.go     the page
package survey

import (
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"energyd/connectors"
	"energyd/engine"
	"energyd/mapping"
	"energyd/mapping/freetext"
)

// Env is what a survey knows besides the sample.
type Env struct {
	Lexicon  *Lexicon
	Titles   *mapping.Titles
	Texts    *freetext.Reader // reads the texts of reports; nil = they are not read
	Kinds    []string         // of the points table
	Language string           // "ja" or "en"
	Zone     string           // of times without one, as "Asia/Tokyo"
	Today    time.Time
	// Find looks into the directory; nil when nothing of the CRM was read yet.
	Find func(kind engine.EntityKind, key, value string) bool
	// Keys are the names of the keys that the mappings give their entities; nil = not known.
	Keys map[engine.EntityKind][]string
}

// Source is where an item is read from.
type Source struct {
	Connection string              // its name in energyd.yaml
	Surveyor   connectors.Surveyor // gives the source's options
	Taken      []string            // names of the sources that energyd.yaml has already
	// Same names the source of energyd.yaml that reads the item already; "" = there is none. nil = none of all.
	Same func(connectors.Item) string
}

// Item is what a survey found out of one item.
type Item struct {
	connectors.Item
	Looked   int       `json:"rows_looked_at"`
	Whole    bool      `json:"whole"`
	How      string    `json:"how,omitempty"`
	Notes    []string  `json:"notes,omitempty"`
	Purpose  Purpose   `json:"purpose"`
	Sure     float64   `json:"confidence"`      // of Purpose
	Newest   time.Time `json:"newest,omitzero"` // contact in the sample
	Known    float64   `json:"known_customers"` // share that the CRM knows
	Columns  []Column  `json:"columns"`
	Advice   []Advice  `json:"advice"`
	Proposal *Proposal `json:"proposal,omitempty"` // of an item with contacts
	Err      string    `json:"error,omitempty"`    // why it could not be looked at
}

// Purpose is what an item holds.
type Purpose string

// The purposes.
const (
	Contacts Purpose = "contacts"    // one row per contact with a customer
	Master   Purpose = "master_data" // customers, people, deals or staff
	Other    Purpose = "other"
)

// surveyor is the work on one item.
type surveyor struct {
	text    text
	lexicon *Lexicon
	titles  *mapping.Titles
	find    func(kind engine.EntityKind, key, value string) bool
	keys    map[engine.EntityKind][]string
	today   time.Time
	env     *Env

	sample *connectors.Sample
	values []*values
	item   *Item
	role   map[Role]int // role → position of its column
	prose  *prose       // nil = no text tells of contacts
	list   *people      // nil = no column lists people
}

// Look surveys one item by its sample.
func Look(env *Env, from Source, sample *connectors.Sample) *Item {
	s := &surveyor{text: text(env.Language), lexicon: env.Lexicon, titles: env.Titles, find: env.Find, keys: env.Keys, today: env.Today, env: env,
		sample: sample, role: map[Role]int{}}
	s.item = &Item{Item: sample.Item, Looked: len(sample.Rows), Whole: sample.Whole, How: sample.How, Notes: sample.Notes, Advice: []Advice{}}
	guesses := make([][]Guess, len(sample.Columns))
	for i := range sample.Columns {
		v := s.look(sample.Rows, i)
		s.values = append(s.values, v)
		if entity, ok := refers(sample.Columns[i].Type); ok {
			v.found = slices.Insert(v.found, 0, hit{Kind: entity, Key: "id", Share: 1})
		}
		if v.types["list"] == 0 { // a list is none of the roles
			guesses[i] = s.guess(&sample.Columns[i], v)
		}
	}
	for i, g := range assign(guesses) {
		if g != nil && g.Role != None {
			s.role[g.Role] = i
		}
		s.item.Columns = append(s.item.Columns, s.column(i, g, guesses[i]))
	}
	if sample.Item.Kind == "folder" { // of mails nothing is guessed
		for i := range s.item.Columns {
			s.item.Columns[i].Guess, s.item.Columns[i].Others = nil, nil
		}
	}
	s.lateDate()
	s.list, s.prose = s.readLists(), s.readProse()
	s.item.Purpose, s.item.Sure = s.purpose()
	if i, ok := s.role[Date]; ok && s.item.Purpose == Contacts {
		s.item.Newest = s.values[i].to
	}
	switch {
	case sample.Item.Mapping != "":
		if s.item.Purpose, s.item.Sure = Contacts, 0.99; sample.Item.Master {
			s.item.Purpose = Master
		}
		s.item.Notes = append(slices.Clone(s.item.Notes), s.text.f("%s reads it as it is; energyd init writes that file.", "%s がそのまま読む。energyd init がこのファイルを作る。", sample.Item.Mapping))
	case s.item.Purpose == Contacts:
		s.item.Proposal = s.propose(from)
		s.advise()
	}
	return s.item
}

// refers tells by a declared type as "reference(Account)" whose ids a column holds.
func refers(declared string) (engine.EntityKind, bool) {
	if !strings.HasPrefix(declared, "reference(") {
		return 0, false
	}
	for object, kind := range map[string]engine.EntityKind{"Account": engine.Account, "Contact": engine.Contact, "Opportunity": engine.Deal, "User": engine.Rep} {
		if slices.Contains(strings.FieldsFunc(declared, func(r rune) bool { return !unicode.IsLetter(r) }), object) {
			return kind, true
		}
	}
	return 0, false
}

// lateDate takes the day on which a row was entered where no other is told.
func (s *surveyor) lateDate() {
	if _, ok := s.role[Date]; ok {
		return
	}
	for _, instead := range []Role{Created, Changed, NextDate} {
		i, ok := s.role[instead]
		if !ok || s.values[i].date+s.values[i].both < 0.6 {
			continue
		}
		c := &s.item.Columns[i]
		s.role[Date] = i
		if instead != Changed { // a change time serves both
			delete(s.role, instead)
		}
		c.Guess = &Guess{Role: Date, Confidence: 0.4, Reason: s.text.of("no other column tells when it was; this is when it was entered", "他に日付の列がないため、入力された日を使う")}
		return
	}
}

// purpose tells what the rows are, by the roles that were found.
func (s *surveyor) purpose() (Purpose, float64) {
	sure := func(role Role) float64 {
		if i, ok := s.role[role]; ok && s.values[i].filled > 0 {
			return s.item.Columns[i].Guess.Confidence
		}
		return 0
	}
	best := func(roles ...Role) (most float64) {
		for _, r := range roles {
			most = max(most, sure(r))
		}
		return most
	}
	if len(s.sample.Rows) == 0 {
		return Other, 0.5
	}
	account, how := best(AccountCode, AccountName, ContactMail), best(Kind, Direction)
	if s.byText() {
		how = max(how, sureOf(s.prose.kind))
		if s.prose.firm >= textsTellKinds {
			account = max(account, sureOf(s.prose.firm))
		}
	}
	told := best(Memo, Title, ContactName, ContactCode, Time, Minutes)
	score := 0.3*sure(Date) + 0.3*how + 0.25*account + 0.15*told + 0.1*best(RepCode, RepName, RepMail)
	// Customers and people come once each in their own tables, many times in reports.
	once := false
	for _, r := range []Role{AccountCode, AccountName, ContactCode, ContactMail, RepCode, DealCode} {
		if i, ok := s.role[r]; ok && s.values[i].filled == s.values[i].rows && !s.values[i].repeats && s.values[i].rows > 5 {
			once = true
		}
	}
	switch {
	case once && how < enough && score < 0.85:
		return Master, max(account, best(ContactCode, ContactName, RepCode, RepName, DealCode))
	case max(account, best(ContactCode, ContactName, Memo)) < enough: // of nobody
		return Other, 1 - score
	case score >= 0.45 && (sure(Date) >= enough || how > 0.7):
		return Contacts, min(0.99, score)
	case account > 0.7 && once:
		return Master, account
	}
	return Other, 1 - score
}

// Weight is how much an item speaks for being the one that is looked for: that
// its customers are the CRM's, and that its words are known, decides between
// two that look alike.
func (i *Item) Weight() float64 { return i.Sure + 0.1*i.Known - 0.1*i.open() }

// open is the share of rows that would be rejected for a kind that is not known.
func (i *Item) open() float64 {
	if i.Proposal == nil {
		return 0
	}
	rows := 0
	for _, w := range i.Proposal.Words {
		if w.Kind == "" {
			rows += w.Count
		}
	}
	return float64(rows) / float64(max(i.Looked, 1))
}

// has gives the column of a role.
func (s *surveyor) has(role Role) (int, bool) {
	i, ok := s.role[role]
	return i, ok
}

// name is the column's name.
func (s *surveyor) name(i int) string { return s.sample.Columns[i].Name }

// Best is the item that most likely holds contacts; nil when none does.
func Best(items []*Item) *Item {
	var best *Item
	for _, i := range items {
		if i.Proposal != nil && (best == nil || i.Weight() > best.Weight()) {
			best = i
		}
	}
	return best
}

// percent writes a share as the language does: "94 %", 94%.
func (t text) percent(f float64) string { return fmt.Sprintf(t.of("%.0f %%", "%.0f%%"), 100*f) }

// hasKey tells whether the mappings give entities of that kind the key.
func (s *surveyor) hasKey(kind engine.EntityKind, key string) bool {
	return s.keys == nil || key == "id" || slices.Contains(s.keys[kind], key)
}
