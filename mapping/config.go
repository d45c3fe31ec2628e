package mapping

// Config is a mapping file as users write it. Texts in the positions marked
// "expression" are in the language of internal/expression; everything else is literal.
type Config struct {
	// Timezone of dates and times that carry none, as "Asia/Tokyo"; the default is UTC.
	Timezone string `yaml:"timezone"`
	// Columns that the source has. Without them, the columns of the tests'
	// records are the known ones; without tests too, every name is taken for a column.
	Columns []string `yaml:"columns"`
	// Lookups are word lists: name → word as the source writes it → meaning.
	// Words are compared without regard to width, case and blanks.
	Lookups map[string]map[string]string `yaml:"lookups"`
	// Snippets are expressions that others use by their names.
	Snippets map[string]string `yaml:"snippets"`
	Skip     []SkipRule        `yaml:"skip"`
	Activity *ActivityRule     `yaml:"activity"`
	Profile  *ProfileRule      `yaml:"profile"`
	Tests    []Test            `yaml:"tests"`
}

// SkipRule leaves records out that are no contacts at all (drafts, templates).
type SkipRule struct {
	When   string `yaml:"when"`   // expression: true or false
	Reason string `yaml:"reason"` // a short word for counting: "draft"
}

// ActivityRule says how a record becomes an activity. All fields but Cues'
// names are expressions; a bare word of the field's own list ("visit",
// "inbound", "held", "attended") stands for itself unless it is a column.
type ActivityRule struct {
	Line int `yaml:",line"`
	// Each makes an activity of each element of a list that the record holds: a
	// column, or the contacts of a text, contacts_in(column). The others see the element as item.
	Each         string            `yaml:"each"`
	When         string            `yaml:"when"`      // which elements of Each are contacts; default: all
	ID           string            `yaml:"id"`        // default: the record's key; with Each followed by "/1", "/2" …, unless it names item
	Version      string            `yaml:"version"`   // default: the time of the last change
	At           string            `yaml:"at"`        // a time, or a date when no time is known
	Kind         string            `yaml:"kind"`      // of the points table
	Direction    string            `yaml:"direction"` // mutual (default), inbound, outbound
	Status       string            `yaml:"status"`    // held (default), planned, cancelled
	Account      string            `yaml:"account"`
	Deals        []ShareRule       `yaml:"deals"`
	Reps         []ShareRule       `yaml:"reps"`
	Participants []ParticipantRule `yaml:"participants"`
	Cues         map[string]string `yaml:"cues"` // cue of the points table → condition
	// What the contact was about, and what sort of customer it was with: "tables" of the points table go by them.
	Product string `yaml:"product" json:",omitempty"`
	Segment string `yaml:"segment" json:",omitempty"`
	// Of a message: its own id, that of an early message of its conversation, and
	// that of the message that it answers or reports on. Messages of one
	// conversation, kind, direction and day are one contact.
	Message string `yaml:"message"`
	Thread  string `yaml:"thread"`
	Answers string `yaml:"answers"`
	// What records of other sources may name too: those that name the same are one contact.
	Same *SameRule `yaml:"same" json:",omitempty"`
}

// SameRule names what a record is about, by expressions.
type SameRule struct {
	Call   string `yaml:"call"`   // the telephone system's id of the call
	Event  string `yaml:"event"`  // the appointment's UID in its calendar
	Start  string `yaml:"start"`  // of a meeting of a series that was moved: when it was to begin; default: at
	Record string `yaml:"record"` // the key of another source's record
}

// ShareRule names a deal or rep: an expression that gives its id, or with each
// one for every element of a list column.
type ShareRule struct {
	Each string `yaml:"each"` // a column that holds a list; When and ID see its element as item
	When string `yaml:"when"` // default: whenever there is an id
	ID   string `yaml:"id"`
}

// UnmarshalText reads a rule that is written as its id alone, which most are.
func (r *ShareRule) UnmarshalText(text []byte) error {
	*r = ShareRule{ID: string(text)}
	return nil
}

// ParticipantRule is one person on the customer's side, or with Each one for
// every element of a list column. Without When the person counts if a contact or a title is given.
type ParticipantRule struct {
	Each    string `yaml:"each"` // a list: a column, people_in(column) or item.people; the others see its element as item
	When    string `yaml:"when"`
	Contact string `yaml:"contact"`
	Title   string `yaml:"title"`
	Keyman  string `yaml:"keyman"`
	Role    string `yaml:"role"` // attended (default), sender, to, cc, declined
}

// ProfileRule says how a record becomes a directory entry.
type ProfileRule struct {
	Kind    string            `yaml:"kind"` // account, contact, deal, rep or stage: a word, no expression
	ID      string            `yaml:"id"`   // default: the record's key
	Version string            `yaml:"version"`
	Name    string            `yaml:"name"`
	Account string            `yaml:"account"`
	Title   string            `yaml:"title"`
	Owner   string            `yaml:"owner"`
	Parent  string            `yaml:"parent" json:",omitempty"` // of an account: the one that it stands under
	Into    string            `yaml:"into"`                     // the entity that this one was merged into; read of deleted records too
	Keys    map[string]string `yaml:"keys"`                     // name of the key → expression
	// Facts are what reports ask for: name of engine.FactsOf → expression.
	Facts map[string]string `yaml:"facts" json:",omitempty"`
}

// Test is a test case that lives in the mapping file. Exactly one of Expect,
// Skip and Reject is given; where a record becomes several activities, Reject may stand beside Expect.
type Test struct {
	Name      string         `yaml:"name"`
	Line      int            `yaml:",line"`
	Key       string         `yaml:"key"` // of the record; "test" when not given
	Deleted   bool           `yaml:"deleted"`
	Record    map[string]any `yaml:"record"`
	Directory []Entry        `yaml:"directory"`
	Expect    any            `yaml:"expect"` // only the fields named here are compared; a list of such where a record becomes several activities
	Skip      string         `yaml:"skip"`   // the reason expected
	Reject    string         `yaml:"reject"` // the code expected
}

// Entry is what find() finds in a test.
type Entry struct {
	Kind    string            `yaml:"kind"`
	ID      string            `yaml:"id"`
	Name    string            `yaml:"name"`
	Keys    map[string]string `yaml:"keys"`
	Account string            `yaml:"account"` // of a contact
	Title   string            `yaml:"title"`   // of a contact
}
