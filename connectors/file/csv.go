package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

// The limits of a row.
const (
	maxCells     = 16_384 // as many as a sheet of Excel has columns
	maxCellLines = 1_000  // lines of a row with line ends in its cells
)

// csvRows reads rows of delimited text. What it takes is wider than RFC 4180:
// a quote inside an unquoted cell is a character like any other. A quote that is
// not closed costs its own line and not the rest of the file: the row is a
// reject, and reading goes on at the next line.
type csvRows struct {
	lines    *lines
	split    splitter
	wide     int    // cells of the header; 0 = not known yet
	again    []line // lines that were looked at for the end of a row, and are rows of their own
	ends     []int64
	position position
}

func newCSV(r io.ReadSeeker, s *Stream, format string) (*csvRows, error) {
	l, err := newLines(r, s.Encoding)
	if err != nil {
		return nil, err
	}
	c := &csvRows{lines: l, split: splitter{separator: ',', quote: quotes[s.Quote]}}
	if format == "tsv" {
		c.split.separator = '\t'
	}
	if sep, ok := separator(s.Separator); ok {
		c.split.separator = sep
	}
	return c, nil
}

func (c *csvRows) at() position { return c.position }

func (c *csvRows) seek(p position) error {
	c.again, c.ends, c.position = nil, nil, p
	return c.lines.seek(p.Offset, p.Row)
}

// line gives the next line, one that was given back first.
func (c *csvRows) line(ctx context.Context) (line, int64, error) {
	if len(c.again) > 0 {
		l, end := c.again[0], c.ends[0]
		c.again, c.ends = c.again[1:], c.ends[1:]
		return l, end, nil
	}
	l, err := c.lines.next(ctx)
	return l, c.lines.offset, err
}

// next gives the next row; io.EOF after the last.
func (c *csvRows) next(ctx context.Context) (cellRow, error) {
	first, end, err := c.line(ctx)
	if err != nil {
		return cellRow{}, err
	}
	if first.number == 1 && c.wide == 0 && len(first.text) == len("sep=,") && strings.EqualFold(first.text[:4], "sep=") {
		c.split.separator = first.text[4] // Excel's own line, which says how the others are separated
		c.position = position{Offset: end, Row: first.number}
		return cellRow{number: first.number}, nil
	}
	row := cellRow{number: first.number}
	c.position = position{Offset: end, Row: first.number}
	if first.bad != "" {
		row.code, row.bad = "encoding", first.bad
		if strings.Contains(first.bad, "bytes") && strings.Contains(first.bad, "more than") {
			row.code = "csv"
		}
		return row, nil
	}
	c.split.begin()
	var more []line
	var ends []int64
	size, done, bad := len(first.text), c.split.add(first.text), ""
	for !done && c.split.bad == "" {
		l, lineEnd, err := c.line(ctx)
		if errors.Is(err, io.EOF) {
			bad = "a quote is not closed"
			break
		}
		if err != nil {
			return cellRow{}, err
		}
		more, ends = append(more, l), append(ends, lineEnd)
		size += len(l.text)
		if l.bad != "" || size > maxLine || len(more) >= maxCellLines {
			bad = "a quote is not closed"
			break
		}
		done = c.split.add(l.text)
	}
	switch {
	case c.split.bad != "":
		bad = c.split.bad
	case bad == "" && len(more) > 0 && c.wide > 0 && c.split.filled() != c.wide && len(c.split.cells) != c.wide:
		// The quote was closed by one that opens a cell further down.
		bad = fmt.Sprintf("a quote is not closed, or the row of %d lines has %d cells and the header %d", len(more)+1, len(c.split.cells), c.wide)
	}
	if bad != "" {
		row.code, row.bad = "csv", bad+"; repair the line, or set quote: none where quotes mean nothing"
		c.again, c.ends = append(more, c.again...), append(ends, c.ends...)
		return row, nil
	}
	if len(ends) > 0 {
		c.position = position{Offset: ends[len(ends)-1], Row: more[len(more)-1].number}
	}
	row.texts = c.split.cells
	return row, nil
}

// splitter cuts lines into cells. A cell in quotes may go on in the next line.
type splitter struct {
	separator, quote byte
	cells            []string
	open             bool   // inside quotes at the end of the line
	part             []byte // of the cell that is open
	bad              string // what is wrong with the row
}

func (s *splitter) begin() { s.cells, s.open, s.part, s.bad = s.cells[:0], false, s.part[:0], "" }

// filled is the number of cells up to the last that holds something.
func (s *splitter) filled() int {
	n := len(s.cells)
	for n > 0 && s.cells[n-1] == "" {
		n--
	}
	return n
}

// add takes a line, and tells whether the row ends with it.
func (s *splitter) add(text string) (done bool) {
	i := 0
	if s.open {
		s.part = append(s.part, '\n')
		if i = s.quoted(text, 0); i < 0 {
			return false
		}
	}
	for s.bad == "" {
		if i > len(text) {
			return true
		}
		if len(s.cells) >= maxCells {
			s.bad = fmt.Sprintf("the row has more than %d cells", maxCells)
			return false
		}
		if s.quote != 0 && i < len(text) && text[i] == s.quote {
			if i = s.quoted(text, i+1); i < 0 {
				return false
			}
			continue
		}
		end := strings.IndexByte(text[i:], s.separator)
		if end < 0 {
			s.cells = append(s.cells, text[i:])
			return true
		}
		s.cells = append(s.cells, text[i:i+end])
		i += end + 1
	}
	return false
}

// quoted takes a cell in quotes from behind its quote on, and gives where the
// next cell begins: behind the text when there is none, -1 when the cell goes on in the next line.
func (s *splitter) quoted(text string, i int) int {
	copied := s.open || len(s.part) > 0
	for {
		end := strings.IndexByte(text[i:], s.quote)
		if end < 0 {
			s.part = append(s.part, text[i:]...)
			s.open = true
			return -1
		}
		after := i + end + 1
		if after < len(text) && text[after] == s.quote {
			s.part = append(append(s.part, text[i:i+end]...), s.quote)
			i, copied = after+1, true
			continue
		}
		cell := text[i : i+end]
		if copied {
			cell = string(append(s.part, cell...))
		}
		s.open, s.part = false, s.part[:0]
		s.cells = append(s.cells, cell)
		switch {
		case after == len(text):
			return len(text) + 1
		case text[after] == s.separator:
			return after + 1
		}
		s.bad = fmt.Sprintf("behind the quoted cell %d stands something else than a separator: a quote inside it is not doubled, or one before it not closed", len(s.cells))
		return -1
	}
}
