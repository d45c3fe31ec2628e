package crmsim

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// csvForm is how the lines of a job's files are written.
type csvForm struct {
	comma byte // 0 is ','
	crlf  bool
}

// delimiters by the names that jobs give them.
var delimiters = map[string]byte{"BACKQUOTE": '`', "CARET": '^', "COMMA": ',', "PIPE": '|', "SEMICOLON": ';', "TAB": '\t'}

// newForm reads the two options of a job; empty ones have their defaults.
func newForm(delimiter, lineEnding string) (csvForm, *Error) {
	f := csvForm{comma: ',', crlf: lineEnding == "CRLF"}
	if delimiter != "" {
		f.comma = delimiters[delimiter]
	}
	if f.comma == 0 {
		return f, refuse("INVALIDJOB", nil, "Invalid columnDelimiter: %s", delimiter)
	}
	if !slices.Contains([]string{"", "LF", "CRLF"}, lineEnding) {
		return f, refuse("INVALIDJOB", nil, "Invalid lineEnding: %s", lineEnding)
	}
	return f, nil
}

func (f csvForm) delimiter() string {
	for name, comma := range delimiters {
		if comma == f.comma {
			return name
		}
	}
	return ""
}

func (f csvForm) ending() string {
	if f.crlf {
		return "CRLF"
	}
	return "LF"
}

// checkEnding refuses a file whose lines, or whose cells, have the other line ending.
func (f csvForm) checkEnding(b []byte) error {
	wrong := !f.crlf && bytes.Contains(b, []byte("\r\n")) ||
		f.crlf && bytes.Count(b, []byte("\n")) != bytes.Count(b, []byte("\r\n"))
	if wrong {
		return fmt.Errorf("LineEnding is invalid on user data. Current LineEnding setting is %s", f.ending())
	}
	return nil
}

// Limits of a row of an upload.
const (
	maxCell    = 32_000  // characters
	maxColumns = 5_000   // cells
	maxRow     = 400_000 // characters
)

// row reads the row that begins at b[at], and tells where the next one begins.
// The cells go into the memory of cells. The line endings have been checked.
func (f csvForm) row(b []byte, at int, cells []string) (_ []string, next int, err error) {
	ending := []byte("\n")
	if f.crlf {
		ending = []byte("\r\n")
	}
	cells = cells[:0]
	for start := at; ; at++ {
		var cell string
		if at < len(b) && b[at] == '"' {
			cell, at, err = quoted(b, at+1)
		} else {
			end := at
			for end < len(b) && b[end] != f.comma && b[end] != '\n' {
				end++
			}
			if end < len(b) && b[end] == '\n' {
				end -= len(ending) - 1
			}
			cell, at = string(b[at:end]), end
		}
		switch {
		case err != nil:
			return nil, 0, err
		case utf8.RuneCountInString(cell) > maxCell:
			return nil, 0, fmt.Errorf("maximum field length is %d characters", maxCell)
		case len(cells) == maxColumns:
			return nil, 0, fmt.Errorf("maximum number of fields is %d", maxColumns)
		case at-start > maxRow && utf8.RuneCount(b[start:at]) > maxRow:
			return nil, 0, fmt.Errorf("maximum row length is %d characters", maxRow)
		}
		cells = append(cells, cell)
		switch {
		case at == len(b):
			return cells, at, nil
		case bytes.HasPrefix(b[at:], ending):
			return cells, at + len(ending), nil
		case b[at] != f.comma:
			return nil, 0, fmt.Errorf("a quoted field is followed by %q", b[at])
		}
	}
}

// quoted reads a cell from behind its first quote to behind its last.
func quoted(b []byte, at int) (string, int, error) {
	var cell []byte
	for {
		end := bytes.IndexByte(b[at:], '"')
		if end < 0 {
			return "", 0, errors.New("a quoted field has no end")
		}
		cell = append(cell, b[at:at+end]...)
		at += end + 1
		if at == len(b) || b[at] != '"' {
			return string(cell), at, nil
		}
		cell = append(cell, '"')
		at++
	}
}

// csvWriter appends rows to a buffer and hands it on piece by piece. Its first
// error stays, and spares the rest of the work.
type csvWriter struct {
	to   io.Writer
	form csvForm
	b    []byte
	err  error
}

const csvPiece = 128 << 10 // bytes

func newCSVWriter(to io.Writer, form csvForm) *csvWriter {
	return &csvWriter{to: to, form: form, b: make([]byte, 0, csvPiece+csvPiece/4)}
}

// endRow finishes a row that was appended cell by cell, with a delimiter behind each.
func (w *csvWriter) endRow() {
	w.b = w.b[:len(w.b)-1]
	if w.form.crlf {
		w.b = append(w.b, '\r')
	}
	w.b = append(w.b, '\n')
}

// end is endRow for who leaves it to the writer when to hand rows on.
func (w *csvWriter) end() {
	w.endRow()
	if len(w.b) >= csvPiece {
		w.flush()
	}
}

// flush hands the buffer on, and gives the first error there was.
func (w *csvWriter) flush() error {
	if w.err == nil && len(w.b) > 0 {
		_, w.err = w.to.Write(w.b)
	}
	w.b = w.b[:0]
	return w.err
}

func (w *csvWriter) cell(text string) {
	w.b = append(appendQuoted(w.b, text), w.form.comma)
}

func (w *csvWriter) row(cells []string) {
	for _, cell := range cells {
		w.cell(cell)
	}
	w.end()
}

func appendQuoted(b []byte, text string) []byte {
	b = append(b, '"')
	for {
		i := strings.IndexByte(text, '"')
		if i < 0 {
			return append(append(b, text...), '"')
		}
		b = append(append(b, text[:i]...), '"', '"')
		text = text[i+1:]
	}
}

// appendCSV writes a stored value as Bulk results show it: all in quotes, null
// as nothing between them, stamps with Z.
func appendCSV(b []byte, f *Field, v any) []byte {
	switch v := v.(type) {
	case string:
		return appendQuoted(b, v)
	case nil:
		if f.Type == Checkbox {
			return append(b, `"false"`...)
		}
		return append(b, '"', '"')
	}
	b = append(b, '"')
	switch v := v.(type) {
	case bool:
		b = strconv.AppendBool(b, v)
	case int64:
		b = appendStamp(b, v)
	case float64:
		if whole := int64(v); float64(whole) == v {
			b = strconv.AppendInt(b, whole, 10)
			if f.Type != Integer {
				b = append(b, '.', '0') // whole doubles are printed 23.0
			}
		} else {
			b = strconv.AppendFloat(b, v, 'f', -1, 64)
		}
	}
	return append(b, '"')
}

// appendStamp writes Unix seconds as 2006-01-02T15:04:05.000Z.
func appendStamp(b []byte, unix int64) []byte {
	t := time.Unix(unix, 0).UTC()
	year, month, day := t.Date()
	if year < 1000 || year > 9999 {
		return t.AppendFormat(b, "2006-01-02T15:04:05.000Z")
	}
	hour, minute, second := t.Clock()
	two := func(b []byte, n int) []byte { return append(b, byte('0'+n/10), byte('0'+n%10)) }
	b = two(two(b, year/100), year%100)
	b = two(append(b, '-'), int(month))
	b = two(append(b, '-'), day)
	b = two(append(b, 'T'), hour)
	b = two(append(b, ':'), minute)
	b = two(append(b, ':'), second)
	return append(b, ".000Z"...)
}
