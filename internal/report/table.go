// Package report makes the tables that people read: customer × month, deals,
// lists of customers to act on. A report is a Table in Japanese and English,
// and every Table can be written as text, CSV, JSON, Excel workbook and web page.
//
//   - table.go is the Table; text.go, csv.go, json.go, xlsx.go and html.go write it;
//   - data.go reads what reports are made of; each other file is one report.
//
// Figures are held, texts are made when they are written: a report of 100,000
// customers takes some tens of megabytes.
package report

import (
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"

	"energyd/engine"
)

// Label is a text in Japanese and English.
type Label = engine.Label

// Table is a report.
type Table struct {
	Name    string // "month", as the command has it
	Title   Label
	AsOf    engine.Date
	Columns []Column
	// Rows may be walked through again and again. Their cells are those of Columns, and are valid until the next row.
	Rows  iter.Seq[[]Value]
	Count int // of rows
	// Row appends the cells of one row; nil for a table that can only be walked through.
	Row func(i int, cells []Value) []Value
	// About says whom a row is about; nil where rows are about no customers. As Row, many may ask at the same time.
	About  func(i int) Subject
	Notes  []Label // what to know when reading it, and what is missing
	Legend []Label // of the colours, from step 0 on; nil for a table without

	customers int // whose names it keeps, whatever its rows are
}

// Size is how many bytes it takes, about, by what 10,000 customers took: 210 for each, also of a
// table without a row, and 140 for a row of a year of months.
func (t *Table) Size() int { return 210*t.customers + t.Count*(50+8*len(t.Columns)) }

// Type says what a column holds, and so how it is written.
type Type uint8

// The types of columns.
const (
	Text   Type = iota
	Day         // Number is an engine.Date
	Points      // energy, in points
	Count       // a whole number
	Money
	Share  // 0 to 1, shown as percent
	Figure // any other number, with two decimals
	Place  // in a ranking, with a half where two share one
)

// Column is one column of a table.
type Column struct {
	Key   string // the same in both languages: names the column in JSON
	Label Label
	Type  Type
	Unit  string // beside the label: "JPY"; "" = none
	Adds  bool   // its sum over rows says something
}

// Subject is whom a row is about, for who chooses among rows.
type Subject struct {
	Account   string // id
	Deal      string // id; "" = none
	Owner     string // id of the sales person
	OwnerName string
	Segment   string
	Band      int  // of the account or the deal, an index of the points table's bands
	Important bool // as far as the report had to find out
	Low       bool // A18
	Halved    bool // A19
}

// Value is one cell. Its zero value is a text without a character.
type Value struct {
	Text   string
	Label  Label // instead of Text, where the languages differ
	Number float64
	Heat   uint8 // step of the table's colours, 0 = none
	None   bool  // there is no value here
	NA     bool  // the value cannot be told: a division by zero, too little data
	Warn   bool  // a value to look at
	As     Type  // another type than the column's; 0 = the column's
}

func text(s string) Value              { return Value{Text: s} }
func number(n float64) Value           { return Value{Number: n} }
func count[N ~int | ~int32](n N) Value { return Value{Number: float64(n)} }
func milli(m int64) Value              { return Value{Number: float64(m) / 1000} }

func day(d engine.Date) Value {
	if d == engine.NoDate {
		return none
	}
	return Value{Number: float64(d)}
}

var (
	none         = Value{None: true}
	notAvailable = Value{NA: true}
)

// ratio divides; what cannot be divided is not available (C8).
func ratio(a, b float64) Value {
	if b == 0 {
		return notAvailable
	}
	return number(a / b)
}

// warning marks a row that somebody has to look at.
func warning(is bool) Value {
	if is {
		return Value{Label: Label{Ja: "要注意", En: "warning"}, Warn: true}
	}
	return none
}

// String gives a cell as people read it.
func (v Value) String(t Type, language string) string {
	t = v.as(t)
	switch {
	case v.NA:
		return "n/a"
	case v.None:
		return "-"
	}
	switch t {
	case Text:
		return v.words(language)
	case Day:
		return engine.Date(v.Number).String()
	case Points:
		if v.Number == 0 { // a table of 0.0 hides the figures
			return "-"
		}
		return grouped(v.Number, 1)
	case Count, Money:
		return grouped(v.Number, 0)
	case Share:
		return strconv.FormatFloat(100*v.Number, 'f', 1, 64) + " %"
	}
	if t == Place {
		return strconv.FormatFloat(v.Number, 'f', -1, 64)
	}
	return grouped(v.Number, 2)
}

// as gives the type of a cell of a column.
func (v Value) as(column Type) Type {
	if v.As != Text {
		return v.As
	}
	return column
}

// words is the text of a cell.
func (v Value) words(language string) string {
	if v.Label != (Label{}) {
		return v.Label.In(language)
	}
	return v.Text
}

// grouped writes a number with commas between thousands.
func grouped(n float64, decimals int) string {
	unit := math.Pow10(decimals)
	s := strconv.FormatFloat(math.Round(n*unit)/unit, 'f', decimals, 64) // a half goes up, as in Excel
	sign, whole, rest := "", s, ""
	if s[0] == '-' {
		sign, whole = "-", s[1:]
	}
	if i := strings.IndexByte(whole, '.'); i >= 0 {
		whole, rest = whole[:i], whole[i:]
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return sign + whole + rest
}

// heads gives the columns' labels in a language, with their units.
func (t *Table) heads(language string) []string {
	heads := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		heads[i] = c.Label.In(language)
		if c.Unit != "" {
			heads[i] += " (" + c.Unit + ")"
		}
	}
	return heads
}

// Note adds a note in both languages, made of the same values.
func (t *Table) Note(ja, en string, values ...any) {
	t.Notes = append(t.Notes, Label{Ja: fmt.Sprintf(ja, values...), En: fmt.Sprintf(en, values...)})
}

// of gives a table its rows: n of them, each made when somebody asks for it.
func (t *Table) of(n int, row func(i int, cells []Value) []Value) {
	t.Count, t.Row = n, row
	t.Rows = func(yield func([]Value) bool) {
		cells := make([]Value, 0, len(t.Columns))
		for i := range n {
			if cells = row(i, cells[:0]); !yield(cells) {
				return
			}
		}
	}
}

// Pick gives a table of some of the rows of one that has Row, in this order.
func (t *Table) Pick(rows []int32) *Table {
	picked := *t
	picked.Notes = slices.Clone(t.Notes)
	if t.About != nil {
		picked.About = func(i int) Subject { return t.About(int(rows[i])) }
	}
	picked.of(len(rows), func(i int, cells []Value) []Value { return t.Row(int(rows[i]), cells) })
	return &picked
}

// without takes a column out.
func (t *Table) without(key string) {
	at := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Key == key })
	t.Columns = slices.Delete(t.Columns, at, at+1)
	row := t.Row
	t.of(t.Count, func(i int, cells []Value) []Value { return slices.Delete(row(i, cells), at, at+1) })
}

// Limit cuts the table to its first rows, and says so in a note; 0 cuts nothing.
func (t *Table) Limit(most int) {
	if most <= 0 || t.Count <= most {
		return
	}
	rows, all := t.Rows, t.Count
	t.Count = most
	t.Rows = func(yield func([]Value) bool) {
		n := 0
		for r := range rows {
			if n++; n > most || !yield(r) {
				return
			}
		}
	}
	t.Note("全 %[1]d 行のうち先頭の %[2]d 行です。--limit 0 で全行を表示します。", "The first %[2]d of %[1]d rows; --limit 0 shows all.", all, most)
}
