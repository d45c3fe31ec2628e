// Package expression is the small language of mapping files: columns,
// constants, operators and the functions a mapping offers, as in
//
//	status == "下書き" and minutes < 5
//	Who.Type == "Contact" ? WhoId : null
//
// expr-lang/expr parses a text; this package checks it and turns it into Go
// closures. There are no loops, no assignments, no clock and no randomness: the
// work of a run is bounded by the length of its text, and same values give the
// same result. Rules that differ from Go's:
//
//   - null and the empty text are equal; in a condition, null is false;
//   - an order comparison (<, <=, >, >=) with null is false, as are contains,
//     startsWith, endsWith and matches;
//   - texts and numbers are never mixed silently: that is an error of the record;
//   - arithmetic and joining texts with null give null;
//   - arithmetic is in float64 and ends in an error instead of ±Inf or NaN;
//   - true and false may come from a source as the numbers 1 and 0.
package expression

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Type is a set of value types; a value of a column may be of any.
type Type uint8

// The types, with the Go types of their values.
const (
	Text   Type = 1 << iota // string
	Number                  // int64, float64
	Bool                    // bool
	Date                    // Day
	Time                    // time.Time
	Any    = Text | Number | Bool | Date | Time
)

var typeNames = []struct {
	t    Type
	name string
}{{Text, "a text"}, {Number, "a number"}, {Bool, "true or false"}, {Date, "a date"}, {Time, "a time"}}

// String names the types for people: "a date or a time".
func (t Type) String() string {
	var names []string
	for _, n := range typeNames {
		if t&n.t != 0 {
			names = append(names, n.name)
		}
	}
	return strings.Join(names, " or ")
}

// Day is a date without time and zone: days since 1970-01-01.
type Day int32

// TypeOf gives the type of a value; 0 for null and for values of no type (lists of JSON sources).
func TypeOf(v any) Type {
	switch v.(type) {
	case string:
		return Text
	case int64, float64:
		return Number
	case bool:
		return Bool
	case Day:
		return Date
	case time.Time:
		return Time
	}
	return 0
}

// Call is a function's work for one record. env is Run.Env. args are valid
// during the call only.
type Call func(env any, args []any) (any, error)

// Function is a word that a mapping adds to the language.
type Function struct {
	Name     string
	Usage    string // for messages: `find("account", "code", value)`
	Params   []Type
	Optional int // how many of the last Params may be left out
	Returns  Type
	// Bind makes the Call of one use. consts are the arguments, nil where an
	// argument is not a constant. An *ArgumentError is placed at its argument.
	Bind func(consts []any) (Call, error)
}

// ArgumentError says that a constant argument is wrong.
type ArgumentError struct {
	Arg int // from 0
	Msg string
}

func (e *ArgumentError) Error() string { return e.Msg }

// Finding is one thing wrong in a text.
type Finding struct {
	Offset  int // in bytes
	Msg     string
	Snippet string // in whose text it is; "" = in the compiled text itself
}

// Findings are all that is wrong in a text, in the order of the text.
type Findings []Finding

func (fs Findings) Error() string {
	lines := make([]string, len(fs))
	for i, f := range fs {
		lines[i] = f.Msg
	}
	return strings.Join(lines, "\n")
}

// Scope says what texts may name, and gathers the columns they do name. It
// belongs to one compilation at a time.
type Scope struct {
	Columns   []string // nil: every name is a column
	Known     string   // says where Columns come from, after "unknown column"; "" when that is plain
	Functions []Function
	// Snippets are texts that stand for themselves wherever their name does.
	Snippets map[string]string
	// Element allows the word item, with fields as item.Name: the element of a
	// list column that the caller walks through (Run.Item). nil: there is none.
	Element *Element

	used  []string
	slots map[string]int
}

// Element is what is known of the elements of a list column.
type Element struct {
	Fields []string        // that they have; nil: any
	Used   map[string]bool // the fields that the compiled texts read; "" is the element itself
}

// Used are the columns that the compiled texts read, in slot order: Run.Values has a value for each.
func (s *Scope) Used() []string { return s.used }

// Slot gives a column's place in Run.Values, for a caller that reads it itself; false when there is no such column.
func (s *Scope) Slot(column string) (int, bool) {
	if !s.knows(column) {
		return 0, false
	}
	return s.slot(column), true
}

func (s *Scope) slot(column string) int {
	i, ok := s.slots[column]
	if !ok {
		if s.slots == nil {
			s.slots = map[string]int{}
		}
		i = len(s.used)
		s.slots[column] = i
		s.used = append(s.used, column)
	}
	return i
}

func (s *Scope) knows(column string) bool {
	return s.Columns == nil || slices.Contains(s.Columns, column)
}

func (s *Scope) function(name string) *Function {
	for i := range s.Functions {
		if s.Functions[i].Name == name {
			return &s.Functions[i]
		}
	}
	return nil
}

// Run is what a program works on. It is not for several goroutines at once;
// used again, it saves memory.
type Run struct {
	Values []any // of the columns Scope.Used
	Env    any   // for functions
	Item   any   // what the word item means: map[string]any for item.Name
	stack  []any
}

// Program is a compiled text. It may be used from several goroutines.
type Program struct {
	node    compiled
	results []Result
	columns []string
	fields  []string
}

// Result is a constant text that a program may give.
type Result struct {
	Offset int
	Text   string
}

// Eval computes the value: of the types asked for at Compile, or nil for null. For conditions there is Truth.
func (p *Program) Eval(r *Run) (any, error) { return p.node.eval(r) }

// Columns are those that the program reads, in the order of its text.
func (p *Program) Columns() []string { return p.columns }

// Fields are those of item that the program reads; "" is the element itself.
func (p *Program) Fields() []string { return p.fields }

// Results are the constant texts the program may give, for checking them beforehand.
func (p *Program) Results() []Result { return p.results }

// maxText bounds a text in bytes, and so the depth of its tree.
const maxText = 4096

// Compile makes a program of text that gives a value of the types want. The error is Findings.
func Compile(text string, scope *Scope, want Type) (*Program, error) {
	if strings.TrimSpace(text) == "" {
		return nil, Findings{{Msg: "empty expression"}}
	}
	if len(text) > maxText {
		return nil, Findings{{Msg: fmt.Sprintf("expression longer than %d bytes", maxText)}}
	}
	root, err := parse(text, scope)
	if err != nil {
		return nil, Findings{*err}
	}
	c := compiler{text: text, scope: scope, spread: new(int)}
	node := c.compile(root)
	if len(c.findings) == 0 && node.typ&want == 0 && !node.isNull() {
		c.fail(root, "needs %s, and this gives %s", want, node.typ)
	}
	if len(c.findings) > 0 {
		slices.SortStableFunc(c.findings, func(a, b Finding) int { return a.Offset - b.Offset })
		return nil, c.findings
	}
	p := &Program{results: c.results(root), columns: c.columns, fields: c.fields}
	p.node = node
	if node.typ&^want != 0 && want != Bool { // Truth checks by itself, and takes 1 and 0
		p.node.eval = checked(node.eval, want)
	}
	return p, nil
}

// checked tests at run time what could not be known before: that a column's value has the type.
func checked(f eval, want Type) eval {
	return func(r *Run) (any, error) {
		v, err := f(r)
		if err != nil || v == nil || TypeOf(v)&want != 0 {
			return v, err
		}
		return nil, fmt.Errorf("needs %s, and the value is %s", want, describe(v))
	}
}

// describe names a value in a message, cut to a length fit for a line.
func describe(v any) string {
	switch v := v.(type) {
	case nil:
		return "null"
	case string:
		if r := []rune(v); len(r) > 40 {
			v = string(r[:40]) + "…"
		}
		return fmt.Sprintf("the text %q", v)
	case int64, float64:
		return fmt.Sprintf("the number %v", v)
	case bool:
		return fmt.Sprintf("%v", v)
	}
	if t := TypeOf(v); t != 0 {
		return t.String()
	}
	return "a list or an object"
}

// Truth evaluates a condition: null is false, and a number is true unless 0.
func (p *Program) Truth(r *Run) (bool, error) { return truth(p.node.eval, r) }
