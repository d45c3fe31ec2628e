package file

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"energyd/connectors"
	"energyd/internal/fault"
)

// position is how far a file was read.
type position struct {
	Sheet  int   `json:"s,omitempty"` // index of the sheet
	Row    int   `json:"r,omitempty"` // the last row, from 1
	Offset int64 `json:"o,omitempty"` // in bytes, of text files: behind that row
}

// item is what stands in a row that is not empty: values, or why there are none.
type item struct {
	row          int
	place        string // where an admin finds it: "3月.xlsx 日報!17", "3月.csv:17"
	columns      *connectors.Columns
	values       []any
	code, reason string // it cannot be read
	skip         string // it is left out, for this reason
	period       period // of its file
}

// reader reads the rows of one file.
type reader interface {
	// next gives the next row that is not empty, valid until the one after; io.EOF after the last.
	// A fileError says that the file as a whole cannot be used.
	next(ctx context.Context) (item, error)
	// at is the position behind what next gave last.
	at() position
	Close() error
}

// fileError says why a file cannot be used, and what to do.
type fileError struct{ code, reason string }

func (e *fileError) Error() string { return e.reason }

func unusable(code, format string, args ...any) error {
	return &fileError{code, fmt.Sprintf(format, args...)}
}

// cellRow is a row of cells as a text file or a sheet gives it: either texts or values.
type cellRow struct {
	number    int
	texts     []string
	values    []any // nil is an empty cell; a cellError one that holds an error
	lead      int   // the first cell of a sheet that holds a value of its own, not that of merged cells; -1 = none
	code, bad string
}

// cellError is what a cell holds whose formula fails: "#REF!".
type cellError string

func (r *cellRow) width() int { return max(len(r.texts), len(r.values)) }

func (r *cellRow) cell(i int) any {
	switch {
	case i < len(r.texts):
		return r.texts[i]
	case i < len(r.values):
		return r.values[i]
	}
	return nil
}

// text is a cell as a word of a header or a rule.
func (r *cellRow) text(i int) string {
	switch v := r.cell(i).(type) {
	case nil:
		return ""
	case string:
		return strings.TrimSpace(v)
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64)
	default:
		return fmt.Sprint(v)
	}
}

// first is the first cell that holds something; -1 when none does.
func (r *cellRow) first() int {
	for i := range r.width() {
		if r.text(i) != "" {
			return i
		}
	}
	return -1
}

// squeezed makes words comparable: width, case and blanks do not count.
func squeezed(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKC.String(s))
}

// bare is squeezed without all that cannot stand in a column's name in a mapping: "担当(営業)" is 担当営業.
func bare(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.Mn, r) {
			return r
		}
		return -1
	}, squeezed(s))
}

// mark makes words of totals and stop_at comparable: 【合計】 is 合計; of ※ nothing would be left.
func mark(s string) string {
	if b := bare(s); b != "" {
		return b
	}
	return squeezed(s)
}

// The columns that the connector adds; a column of the file's own with such a name comes first.
var added = []string{"_file", "_sheet", "_row", "_period"}

// table makes items of the rows of a text file or a sheet: it finds the header,
// and leaves out what is above it, empty rows and totals.
type table struct {
	cfg    *Stream
	file   string // as messages name it
	sheet  string // "" of a text file
	need   []string
	period period

	header  []string // names by cell
	columns *connectors.Columns
	pick    []int // the cell of each column; -1-i is added[i]
	headRow int   // of the header's first line
	titles  []string
	heads   []cellRow // lines that may be the header's

	totals, stops map[string]bool
	free          []any
}

func newTable(cfg *Stream, file, sheet string, need []string) *table {
	t := &table{cfg: cfg, file: file, sheet: sheet, need: need, totals: words(cfg.Totals), stops: words(cfg.StopAt)}
	switch cfg.Period {
	case "name":
		t.period = periodIn(path.Base(file))
	case "sheet":
		t.period = periodBy(sheet, path.Base(file))
	}
	return t
}

func words(list []string) map[string]bool {
	set := map[string]bool{}
	for _, w := range list {
		set[mark(w)] = true
	}
	return set
}

// where names a row for people.
func (t *table) where(row int) string {
	if t.sheet == "" {
		return t.file + ":" + strconv.Itoa(row)
	}
	return t.file + " " + t.sheet + "!" + strconv.Itoa(row)
}

// headed tells that the header was found, or that there is none.
func (t *table) headed() bool { return t.columns != nil }

// maxTitles bounds the rows above a header.
const maxTitles = 1000

// head takes a row that may be of the header, or above it.
func (t *table) head(row cellRow) error {
	h := t.cfg.Header
	if row.bad != "" {
		return unusable(row.code, "%s, above or in the header: %s", t.where(row.number), row.bad)
	}
	begun := len(t.heads) > 0
	switch {
	case begun:
	case len(h.Find) > 0:
		begun = t.holds(row)
	default:
		begun = row.number >= h.Row && row.first() >= 0
	}
	if !begun {
		if t.cfg.Period == "title" {
			for i := range row.width() {
				t.titles = append(t.titles, row.text(i))
			}
		}
		if row.number > maxTitles {
			return t.noHeader()
		}
		return nil
	}
	// The row's cells are used again for the next one.
	row.texts, row.values = slices.Clone(row.texts), slices.Clone(row.values)
	t.heads = append(t.heads, row)
	if len(t.heads) < h.Rows {
		return nil
	}
	t.headRow = t.heads[0].number
	return t.name(t.names())
}

func (t *table) noHeader() error {
	if len(t.cfg.Header.Find) > 0 {
		return unusable("header", "%s: no row holds all of %s; check header.find, and encoding where the names look different there",
			strings.TrimSpace(t.file+" "+t.sheet), strings.Join(t.cfg.Header.Find, ", "))
	}
	return unusable("header", "%s: there is no header in row %d or below", strings.TrimSpace(t.file+" "+t.sheet), t.cfg.Header.Row)
}

// holds tells that a row has all names of header.find.
func (t *table) holds(row cellRow) bool {
	there := map[string]bool{}
	for i := range row.width() {
		there[bare(row.text(i))] = true
	}
	return !slices.ContainsFunc(t.cfg.Header.Find, func(name string) bool { return !there[bare(name)] })
}

// names makes one name of each column of the header's lines, "親/子". Where a
// text file has a parent once for several children, it is carried on; a sheet's merged cells say so themselves.
func (t *table) names() []string {
	width := 0
	for _, row := range t.heads {
		width = max(width, row.width())
	}
	parts := make([][]string, width)
	for i, row := range t.heads {
		last := ""
		for c := range width {
			name := oneLine(row.text(c))
			if name == "" && i < len(t.heads)-1 && t.sheet == "" && t.heads[i+1].text(c) != "" {
				name = last
			} else {
				last = name
			}
			if name != "" && (len(parts[c]) == 0 || parts[c][len(parts[c])-1] != name) {
				parts[c] = append(parts[c], name)
			}
		}
	}
	names := make([]string, width)
	seen := map[string]int{}
	for c, p := range parts {
		name := strings.Join(p, "/")
		if seen[name]++; name == "" || seen[name] > 1 {
			name = "column_" + strconv.Itoa(c+1)
		}
		names[c] = name
	}
	for width > 0 && len(parts[width-1]) == 0 { // trailing separators
		width--
	}
	return names[:width]
}

// oneLine joins the lines of a header's cell; texts of Latin words keep a blank between them.
func oneLine(s string) string {
	var b strings.Builder
	for _, word := range strings.Fields(norm.NFC.String(s)) {
		if text := b.String(); text != "" && (text[len(text)-1] < 0x80 || word[0] < 0x80) {
			b.WriteByte(' ')
		}
		b.WriteString(word)
	}
	return b.String()
}

// name fixes the columns by the names of the file's own.
func (t *table) name(header []string) error {
	t.header, t.heads = header, nil
	if t.cfg.Period == "title" {
		t.period = periodBy(strings.Join(t.titles, " "), path.Base(t.file))
	}
	names := t.need
	if names == nil {
		names = header
	}
	pick := make([]int, len(names))
	for i, name := range names {
		if pick[i] = i; t.need == nil {
			continue
		}
		var err error
		if pick[i], err = t.find(name); err != nil {
			return err
		}
	}
	t.columns, t.pick = connectors.NewColumns(slices.Clone(names)), pick
	t.columns.Cell, t.columns.UTF8 = t.cellName, true
	return nil
}

// find gives the cell of a column: by its name, else without regard to width,
// case and blanks, else by its letters and digits alone.
func (t *table) find(name string) (int, error) {
	if i := slices.Index(t.header, name); i >= 0 {
		return i, nil
	}
	for _, loose := range []func(string) string{squeezed, bare} {
		found := -1
		for i, h := range t.header {
			if loose(h) != loose(name) || loose(name) == "" {
				continue
			}
			if found >= 0 {
				return 0, unusable("header", "%s: the columns %q and %q both fit %q; rename one in the file", t.where(t.headRow), t.header[found], h, name)
			}
			found = i
		}
		if found >= 0 {
			return found, nil
		}
	}
	if i := slices.Index(added, name); i >= 0 {
		return -1 - i, nil
	}
	shown := t.header
	if len(shown) > 30 {
		shown = shown[:30]
	}
	hint := fault.DidYouMean(name, t.header)
	return 0, unusable("column", "%s: the header has no column %q%s; it has %s", t.where(t.headRow), name, hint, strings.Join(shown, ", "))
}

// cellName names the cell of a column in the row of that origin: "3月.xlsx 日報!D17", "3月.csv:17 column 4".
func (t *table) cellName(origin string, column int) string {
	if column < 0 || column >= len(t.pick) || t.pick[column] < 0 {
		return origin
	}
	if t.sheet == "" {
		return origin + " column " + strconv.Itoa(t.pick[column]+1)
	}
	sheet, row, ok := cutLast(origin, "!")
	if !ok {
		return origin
	}
	return sheet + "!" + letters(t.pick[column]) + row
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// letters names a column of a sheet: A to Z, then AA.
func letters(column int) string {
	var b []byte
	for n := column + 1; n > 0; n = (n - 1) / 26 {
		b = append(b, byte('A'+(n-1)%26))
	}
	slices.Reverse(b)
	return string(b)
}

// The reasons for which a row is left out.
const (
	skipTotals   = "totals row"
	skipStop     = "end of the table"
	skipRepeated = "header repeated"
)

// row makes an item of a row below the header. ok is false when it is empty; stop ends the sheet.
func (t *table) row(row cellRow) (it item, ok, stop bool) {
	it = item{row: row.number, period: t.period}
	if row.bad != "" {
		it.place, it.code, it.reason = t.where(row.number), row.code, row.bad
		return it, true, false
	}
	first := row.first()
	if first < 0 {
		return it, false, false
	}
	it.place, it.columns = t.where(row.number), t.columns
	word := ""
	if row.texts != nil {
		word = mark(row.text(first))
	} else if row.lead >= 0 {
		word = mark(row.text(row.lead))
	}
	switch {
	case t.stops[word]:
		it.skip = skipStop
		return it, true, true
	case t.totals[word]:
		it.skip = skipTotals
		return it, true, false
	case first < len(t.header) && row.text(first) == t.header[first] && t.repeated(row):
		it.skip = skipRepeated
		return it, true, false
	}
	if row.texts != nil {
		for i := len(t.header); i < len(row.texts); i++ {
			if strings.TrimSpace(row.texts[i]) != "" {
				it.code, it.reason = "csv", fmt.Sprintf("the row has %d cells and the header %d: a separator in a cell that is not quoted, or a quote that is not closed; repair the line", len(row.texts), len(t.header))
				return it, true, false
			}
		}
	}
	if len(t.free) < len(t.pick) {
		t.free = make([]any, 256*max(len(t.pick), 1))
	}
	it.values, t.free = t.free[:len(t.pick):len(t.pick)], t.free[len(t.pick):]
	for i, c := range t.pick {
		if c < 0 {
			it.values[i] = t.addedValue(-1-c, row.number)
			continue
		}
		v := row.cell(c)
		if e, is := v.(cellError); is {
			v = nil
			if it.code == "" {
				it.place = t.cellName(it.place, i)
				it.code, it.reason = "cell", "the cell holds "+string(e)
			}
		}
		it.values[i] = v
	}
	return it, true, false
}

func (t *table) repeated(row cellRow) bool {
	if t.headRow == 0 {
		return false
	}
	for i, name := range t.header {
		if text := row.text(i); text != name && !strings.HasPrefix(name, "column_") {
			return false
		}
	}
	return true
}

func (t *table) addedValue(which, row int) any {
	switch added[which] {
	case "_file":
		return t.file
	case "_sheet":
		return t.sheet
	case "_row":
		return int64(row)
	}
	return t.period.String()
}
