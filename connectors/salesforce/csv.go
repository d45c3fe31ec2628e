package salesforce

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"time"
)

// csvReader reads a bulk file: RFC 4180 with commas and line feeds. It is our
// own since encoding/csv turns the CR LF inside a text into LF, which REST does
// not, and since a cell is seen as bytes before it becomes a value. NUL bytes,
// which the org leaks into its files and no text of it holds, are dropped (C33).
type csvReader struct {
	from     io.Reader
	err      error // of from
	buf      []byte
	pos, end int
	cells    [][]byte // of the row at hand
	doubled  []int    // cells with doubled quotes
}

// The buffer of a csvReader grows up to a row of the most that an org has:
// some dozen texts of 131,072 characters.
const (
	csvBuffer  = 64 << 10
	csvLongest = 64 << 20
)

var (
	errCSVRow   = errors.New("a row of the file is longer than 64 MiB")
	errCSVQuote = errors.New("text follows a closing quote in the file")
	errCSVCut   = errors.New("the file ends inside a quoted text")
)

func newCSVReader(from io.Reader) *csvReader {
	return &csvReader{from: from, buf: make([]byte, csvBuffer)}
}

// next gives the cells of the next row; they are valid until the next call. io.EOF is the end.
func (r *csvReader) next() ([][]byte, error) {
	for {
		switch n, err := r.scan(); {
		case err != nil:
			return nil, err
		case n > 0:
			for _, i := range r.doubled {
				r.cells[i] = undouble(r.cells[i])
			}
			r.pos += n
			return r.cells, nil
		case r.err == io.EOF && r.pos == r.end:
			return nil, io.EOF
		case r.err == io.EOF:
			return nil, errCSVCut
		case r.err != nil:
			return nil, r.err
		}
		if err := r.fill(); err != nil {
			return nil, err
		}
	}
}

// fill gets more bytes behind those of a row that is not whole yet.
func (r *csvReader) fill() error {
	if r.pos > 0 {
		copy(r.buf, r.buf[r.pos:r.end])
		r.pos, r.end = 0, r.end-r.pos
	}
	if r.end == len(r.buf) {
		if r.end >= csvLongest {
			return errCSVRow
		}
		r.buf = append(r.buf, make([]byte, len(r.buf))...)
	}
	n, err := r.from.Read(r.buf[r.end:])
	r.err = err
	r.end += len(withoutNUL(r.buf[r.end : r.end+n]))
	return nil
}

// withoutNUL drops the NUL bytes of b, in place.
func withoutNUL(b []byte) []byte {
	i := bytes.IndexByte(b, 0)
	if i < 0 {
		return b
	}
	kept := b[:i]
	for _, c := range b[i:] {
		if c != 0 {
			kept = append(kept, c)
		}
	}
	return kept
}

// scan finds the cells of the row at pos and tells how long it is with its end
// of line; 0 when it is not whole yet.
func (r *csvReader) scan() (int, error) {
	r.cells, r.doubled = r.cells[:0], r.doubled[:0]
	b := r.buf[r.pos:r.end]
	last := r.err == io.EOF
	for i := 0; ; i++ {
		if i < len(b) && b[i] == '"' {
			end, doubled := i+1, false
			for {
				q := bytes.IndexByte(b[end:], '"')
				if q < 0 {
					return 0, nil
				}
				end += q
				if end+1 == len(b) && !last {
					return 0, nil
				}
				if end+1 == len(b) || b[end+1] != '"' {
					break
				}
				doubled = true
				end += 2
			}
			if doubled {
				r.doubled = append(r.doubled, len(r.cells))
			}
			r.cells = append(r.cells, b[i+1:end])
			i = end + 1
			if i < len(b) && b[i] == '\r' {
				i++
			}
			if i < len(b) && b[i] != ',' && b[i] != '\n' {
				return 0, errCSVQuote
			}
		} else {
			start := i
			for i < len(b) && b[i] != ',' && b[i] != '\n' {
				i++
			}
			cell := b[start:i]
			if i < len(b) && b[i] == '\n' && len(cell) > 0 && cell[len(cell)-1] == '\r' {
				cell = cell[:len(cell)-1]
			}
			r.cells = append(r.cells, cell)
		}
		switch {
		case i < len(b) && b[i] == ',':
		case i < len(b):
			return i + 1, nil
		case last && len(b) > 0:
			return len(b), nil
		default:
			return 0, nil
		}
	}
}

// undouble turns each "" into ", in place.
func undouble(cell []byte) []byte {
	kept := cell[:0]
	for i := 0; i < len(cell); i++ {
		kept = append(kept, cell[i])
		if cell[i] == '"' {
			i++
		}
	}
	return kept
}

// cellReader turns the cells of one column into values, as convert does for
// REST. Texts that come again and again (ids of owners, picklists) are made once.
type cellReader struct {
	typ          string
	known        map[string]any
	hits, misses int
}

const (
	mostKnown  = 512 // texts of a column that are kept for the next row
	longestKey = 64  // bytes of such a text
)

// value gives the value of a cell; the empty cell is null. What is none of the
// column's type stays text, as by REST.
func (c *cellReader) value(cell []byte) any {
	if len(cell) == 0 {
		return nil
	}
	switch c.typ {
	case "boolean":
		switch string(cell) {
		case "true":
			return true
		case "false":
			return false
		}
		return string(cell)
	case "int", "long":
		if n, err := strconv.ParseInt(string(cell), 10, 64); err == nil {
			return n
		}
		if f, err := strconv.ParseFloat(string(cell), 64); err == nil { // "0.0" does occur
			return int64(f)
		}
		return string(cell)
	case "double", "currency", "percent":
		if f, err := strconv.ParseFloat(string(cell), 64); err == nil {
			return f
		}
		return string(cell)
	}
	if len(cell) > longestKey || c.known == nil {
		return c.fresh(cell)
	}
	if v, ok := c.known[string(cell)]; ok {
		c.hits++
		return v
	}
	c.misses++
	v := c.fresh(cell)
	if len(c.known) < mostKnown {
		c.known[string(cell)] = v
	} else if c.misses > 2*c.hits+4*mostKnown {
		c.known = nil // each row has its own
	}
	return v
}

func (c *cellReader) fresh(cell []byte) any {
	if c.typ == "datetime" {
		if t, ok := bulkStamp(cell); ok {
			return t
		}
	}
	return string(cell)
}

// bulkStamp reads "2026-11-21T09:30:05.000Z", and what parseStamp reads.
func bulkStamp(cell []byte) (time.Time, bool) {
	if len(cell) == 24 && cell[4] == '-' && cell[7] == '-' && cell[10] == 'T' && cell[13] == ':' && cell[16] == ':' && cell[19] == '.' && cell[23] == 'Z' {
		year, month, day := digits(cell[:4]), digits(cell[5:7]), digits(cell[8:10])
		hour, minute, second, milli := digits(cell[11:13]), digits(cell[14:16]), digits(cell[17:19]), digits(cell[20:23])
		t := time.Date(year, time.Month(month), day, hour, minute, second, milli*1e6, time.UTC)
		// What is no date comes out as another one.
		return t, year >= 0 && milli >= 0 && t.Month() == time.Month(month) && t.Day() == day &&
			t.Hour() == hour && t.Minute() == minute && t.Second() == second
	}
	t, err := parseStamp(string(cell))
	return t, err == nil
}

// digits reads a number of digits alone; negative when it is none.
func digits(text []byte) int {
	n := 0
	for _, c := range text {
		if c < '0' || c > '9' {
			return -1
		}
		n = 10*n + int(c-'0')
	}
	return n
}
