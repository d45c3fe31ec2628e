// Package soql parses the query language of Salesforce-style CRMs into a
// syntax tree with positions. It knows no schema: whether a name exists and a
// literal fits its field is decided by whoever evaluates the tree.
//
// The grammar is the documented one, and as strict: AND and OR do not mix
// without parentheses, and NOT stands at the beginning of a condition.
package soql

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Query is a parsed SELECT statement.
type Query struct {
	Text    string // the statement as it came, which positions point into
	Count   bool   // SELECT COUNT(); Columns is empty then
	Columns []Column
	From    Path // one name
	Where   Expr // nil without a WHERE
	Order   []Order
	Limit   int // -1 without a LIMIT
	Offset  int
}

// Path is a field name, with the relationships that lead to it before it.
type Path struct {
	Names []string // "Account", "Owner", "Name"
	Pos   int      // byte offset in Query.Text
}

func (p Path) String() string { return strings.Join(p.Names, ".") }

// Column is a path, or FIELDS(ALL), FIELDS(STANDARD), FIELDS(CUSTOM), or a
// statement about the rows below each row.
type Column struct {
	Path   Path
	Fields string // "ALL", "STANDARD", "CUSTOM", or "" for a path
	Sub    *Query // its From names a relationship; nil for the others
}

// Order is one key of ORDER BY.
type Order struct {
	Path      Path
	Desc      bool
	NullsLast bool
}

// Expr is a condition: And, Or, Not, Compare, In or Like.
type Expr interface{ condition() }

type (
	// And holds when all its conditions do.
	And []Expr
	// Or holds when one of its conditions does.
	Or []Expr
	// Not holds when its condition does not.
	Not struct{ Expr Expr }
	// Compare is "path op value"; Op is one of = != < <= > >=.
	Compare struct {
		Path  Path
		Op    string
		Value Value
	}
	// In is "path IN (values)" or "path NOT IN (values)".
	In struct {
		Path    Path
		Negated bool
		Values  []Value
	}
	// Like is "path LIKE 'pattern'".
	Like struct {
		Path    Path
		Pattern []Glyph
	}
)

func (And) condition()     {}
func (Or) condition()      {}
func (Not) condition()     {}
func (Compare) condition() {}
func (In) condition()      {}
func (Like) condition()    {}

// Glyph is one character of a LIKE pattern; a Wild one is % or _.
type Glyph struct {
	Rune rune
	Wild bool
}

// Kind is the type of a literal.
type Kind string

// The kinds of literals.
const (
	Null     Kind = "null"
	String   Kind = "string"
	Number   Kind = "number"
	Boolean  Kind = "boolean"
	Date     Kind = "date"
	DateTime Kind = "datetime"
)

// Value is a literal.
type Value struct {
	Kind   Kind
	Text   string // of a String, unescaped; of a Date, "2006-01-02"
	Number float64
	Bool   bool
	Time   time.Time // of a DateTime, UTC
	Pos    int
}

// Malformed is the error code of statements that do not follow the grammar.
const Malformed = "MALFORMED_QUERY"

// Error is a refused statement. Its text shows the place, as the CRM does.
type Error struct {
	Code string
	Msg  string
	Text string // the statement
	Pos  int    // byte offset in Text
}

// Errorf makes an Error at a byte offset of the statement.
func (q *Query) Errorf(code string, pos int, format string, args ...any) *Error {
	return &Error{Code: code, Msg: fmt.Sprintf(format, args...), Text: q.Text, Pos: pos}
}

// excerpt is how many characters the message shows on either side of the error.
const excerpt = 40

func (e *Error) Error() string {
	pos := min(e.Pos, len(e.Text))
	row := 1 + strings.Count(e.Text[:pos], "\n")
	start := strings.LastIndexByte(e.Text[:pos], '\n') + 1
	end := len(e.Text)
	if i := strings.IndexByte(e.Text[pos:], '\n'); i >= 0 {
		end = pos + i
	}
	column := utf8.RuneCountInString(e.Text[start:pos])
	line := []rune(e.Text[start:end])
	from, to := max(0, column-excerpt), min(len(line), column+excerpt)
	return fmt.Sprintf("\n%s\n%s^\nERROR at Row:%d:Column:%d\n%s",
		string(line[from:to]), strings.Repeat(" ", column-from), row, column+1, e.Msg)
}
