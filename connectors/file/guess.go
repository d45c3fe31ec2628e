package file

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// guess is how a file is to be read, as far as it shows.
type guess struct {
	Encoding  string   // "" = none is needed
	Separator string   // "" = the usual one
	sheet     string   // one of Sheets
	Sheets    []string // pattern that the sheets of all months fit; nil = the first sheet
	Row       int      // of the header, from 1; 0 = there is none
	Rows      int      // lines of the header; 0 = one
	Find      []string // names by which the header is found, where it is not in the first row
	Columns   []string // names where there is no header
	StopAt    string   // the word below the last row; "" = none
	Period    string   // where the year of 3/1 stands: name, sheet or title
}

func (g *guess) stream() *Stream {
	s := Connector.NewStream().(*Stream)
	if g.Encoding != "" {
		s.Encoding = g.Encoding
	}
	s.Separator, s.Sheets = g.Separator, g.Sheets
	s.Header.Row, s.Header.Find, s.Columns = g.Row, g.Find, g.Columns
	if len(g.Find) > 0 {
		s.Header.Row = 1
	}
	if g.Rows > 1 {
		s.Header.Rows = g.Rows
	}
	return s
}

// guess looks at the beginning of a file.
func (c *conn) guess(ctx context.Context, root *os.Root, f found) (g *guess, notes []string, err error) {
	g = &guess{Row: 1}
	switch strings.ToLower(path.Ext(f.path)) {
	case ".jsonl", ".ndjson":
		return g, nil, nil
	case ".xlsx", ".xlsm":
		if notes, err = c.sheets(ctx, root, f, g); err != nil {
			return nil, nil, err
		}
	default:
		h, err := root.Open(f.real)
		if err != nil {
			return nil, nil, err
		}
		start := make([]byte, surveyBytes)
		n, err := io.ReadFull(h, start)
		h.Close()
		if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
			return nil, nil, err
		}
		g.Encoding = encodingOf(start[:n], int64(n) < f.size)
		if g.Encoding != "utf-8" {
			notes = append(notes, c.env.Say("the encoding looks like %s: check a name with rare characters before you rely on it", "文字コードは%sらしい。珍しい字のある名前で確かめること", g.Encoding))
		}
		if strings.ToLower(path.Ext(f.path)) != ".tsv" {
			g.Separator = separatorOf(start[:n])
		}
	}
	head, err := c.firstRows(ctx, root, f, g)
	if err != nil {
		return nil, nil, err
	}
	g.header(head)
	g.period(f, head)
	switch {
	case len(g.Find) > 0:
		notes = append(notes, c.env.Say("the header is in row %d, below others; it is found by its names", "見出しは%d行目にあり、名前で見つける", g.Row))
	case g.Row == 0:
		notes = append(notes, c.env.Say("there is no header; the columns have numbers for names", "見出しがなく、列名は番号とした"))
	}
	return g, notes, nil
}

// firstRows reads rows as if there were no header.
func (c *conn) firstRows(ctx context.Context, root *os.Root, f found, g *guess) ([]item, error) {
	raw := guess{Encoding: g.Encoding, Separator: g.Separator}
	for i := range surveyWidth {
		raw.Columns = append(raw.Columns, "column_"+strconv.Itoa(i+1))
	}
	cfg := raw.stream()
	cfg.Totals, cfg.FillMerged = nil, false
	var head []item
	err := c.walkRows(ctx, root, f, cfg, func(it item) bool {
		it.values = slices.Clone(it.values)
		if it.code == "" && it.skip == "" {
			head = append(head, it)
		}
		return len(head) < surveyHead
	})
	return head, err
}

// header finds the row of the columns' names: the first of short words that is
// about as wide as the rows below it, and unlike them.
func (g *guess) header(head []item) {
	width := 0 // of the rows below
	for _, it := range head[len(head)/2:] {
		width = max(width, len(filledCells(it.values, false)))
	}
	for i, it := range head {
		if i == len(head)-1 && i > 0 {
			break
		}
		names := filledCells(it.values, true)
		filled := filledCells(it.values, false)
		more := 0
		if i+2 < len(head) {
			more = secondLine(it.values, head[i+1].values)
		}
		if len(names) < 2 || len(names)*10 < len(filled)*9 || (len(names)+more)*10 < width*7 {
			continue
		}
		g.Row = it.row
		if it.row > 1 {
			g.Find = names[:min(3, len(names))]
		}
		if more > 0 {
			g.Rows = 2
		}
		return
	}
	g.Row = 0
	last := 0
	for _, it := range head {
		for i, v := range it.values {
			if v != nil && v != "" {
				last = max(last, i+1)
			}
		}
	}
	for i := range last {
		g.Columns = append(g.Columns, "column_"+strconv.Itoa(i+1))
	}
}

// secondLine tells how many columns a row names that the header above it leaves blank (顧客 stands over コード and
// 名称); 0 when it is no second line: that holds names alone, and is blank where the header needs no more.
func secondLine(header, below []any) (more int) {
	names := filledCells(below, true)
	if len(names) == 0 || len(names) != len(filledCells(below, false)) {
		return 0
	}
	blank := func(values []any, i int) bool {
		return i >= len(values) || values[i] == nil || strings.TrimSpace(fmt.Sprint(values[i])) == ""
	}
	ends := false
	for i := range max(len(header), len(below)) {
		switch above := blank(header, i); {
		case above && !blank(below, i):
			more++
		case !above && blank(below, i):
			ends = true
		}
	}
	if !ends {
		return 0
	}
	return more
}

// period finds where the year of dates such as 3/1 stands: in the names of monthly sheets, else in the file's name, else in a title.
func (g *guess) period(f found, head []item) {
	g.Period = "name"
	switch name := path.Base(f.path); {
	case g.sheet != "" && (periodIn(g.sheet).year > 0 || monthIn(g.sheet) > 0):
		g.Period = "sheet"
	case periodIn(strings.TrimSuffix(name, path.Ext(name))).year == 0:
		for _, it := range head {
			if it.row >= g.Row {
				return
			}
			for _, text := range filledCells(it.values, false) {
				if periodIn(text).year > 0 {
					g.Period = "title"
					return
				}
			}
		}
	}
}

// sheets finds whether a workbook has a sheet for each month, and tells which sheets are not read.
func (c *conn) sheets(ctx context.Context, root *os.Root, f found, g *guess) (notes []string, err error) {
	h, err := root.Open(f.real)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	book, err := openWorkbook(ctx, h, f.path, f.size)
	var unusable *fileError
	if errors.As(err, &unusable) {
		return nil, nil // reading it tells why
	}
	if err != nil {
		return nil, err
	}
	first, one, alike := "", "", 0
	var others []string
	for _, s := range book.sheets {
		switch p := sheetPattern(s.name); {
		case s.hidden:
		case first == "":
			first, one, alike = p, s.name, 1
		case p == first && strings.Contains(p, "*"):
			alike++
		default:
			others = append(others, s.name)
		}
	}
	if alike > 1 {
		g.Sheets, g.sheet = []string{first}, one
	}
	if len(others) > 0 {
		notes = append(notes, c.env.Say("sheets that are not read: %s", "読まないシート: %s", strings.Join(others[:min(len(others), 12)], ", ")))
	}
	return notes, nil
}

// sheetPattern is the pattern that a sheet's name and those of other months fit.
func sheetPattern(name string) string { return numbers.ReplaceAllString(literal.Replace(name), "*") }

// filledCells are the filled cells of a row; names alone are those that could be names of columns, each once.
func filledCells(values []any, names bool) []string {
	var out []string
	for _, v := range values {
		text, isText := v.(string)
		if !isText {
			if v != nil && !names {
				out = append(out, fmt.Sprint(v))
			}
			continue
		}
		text = strings.Join(strings.Fields(text), " ")
		if text == "" {
			continue
		}
		if names {
			letters := strings.ContainsFunc(text, unicode.IsLetter)
			digits := strings.ContainsFunc(norm.NFKC.String(text), unicode.IsDigit)
			if !letters || utf8.RuneCountInString(text) > 30 || digits && strings.ContainsAny(norm.NFKC.String(text), "/:年@") || strings.ContainsAny(text, "。、@") || slices.Contains(out, text) {
				continue
			}
		}
		out = append(out, text)
	}
	return out
}

// separatorOf finds the separator of a text file's first lines; "" = the comma. All encodings but UTF-16 show it as it is.
func separatorOf(start []byte) string {
	best, most := "", 0
	for _, sep := range []struct {
		char byte
		name string
	}{{',', ""}, {'\t', "tab"}, {';', ";"}, {'|', "|"}} {
		lines := 0
		for line := range bytes.Lines(start[:min(len(start), 1<<14)]) {
			if bytes.IndexByte(line, sep.char) >= 0 {
				lines += min(bytes.Count(line, []byte{sep.char}), 3)
			}
		}
		if lines > most {
			best, most = sep.name, lines
		}
	}
	return best
}

// encodingOf guesses the encoding of a Japanese or English text. cut says that the bytes may end inside a character.
func encodingOf(b []byte, cut bool) string {
	switch {
	case bytes.HasPrefix(b, []byte("\xef\xbb\xbf")):
		return "utf-8"
	case bytes.HasPrefix(b, []byte("\xff\xfe")), bytes.HasPrefix(b, []byte("\xfe\xff")):
		return "utf-16"
	case bytes.Contains(b, []byte("\x1b$")) && ascii(b):
		return "iso-2022-jp"
	}
	for n := 0; cut && n < 4 && len(b) > 0 && !utf8.Valid(b); n++ {
		if utf8.Valid(b[:len(b)-1-n]) {
			b = b[:len(b)-1-n]
		}
	}
	if utf8.Valid(b) {
		return "utf-8"
	}
	best, most := "cp932", -1<<30
	for _, name := range []string{"cp932", "euc-jp"} {
		text, _ := encodings[name].NewDecoder().Bytes(b) // what cannot be decoded comes as U+FFFD
		score := 0
		for _, r := range string(text) {
			switch {
			case r == utf8.RuneError:
				score -= 20
			case unicode.In(r, unicode.Hiragana), r >= 'ァ' && r <= 'ヶ':
				score += 3
			case unicode.Is(unicode.Han, r):
				score++
			case r >= '｡' && r <= 'ﾟ': // half-width kana: what EUC looks like as CP932
				score--
			}
		}
		if score > most {
			best, most = name, score
		}
	}
	return best
}
