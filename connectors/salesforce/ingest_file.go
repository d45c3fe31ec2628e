package salesforce

import (
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"energyd/connectors"
)

// ingestFile is a job's CSV file: one row an update, the columns of all of them.
// An empty cell keeps a field and #N/A clears it (C47, C49).
type ingestFile struct {
	updates iter.Seq2[connectors.Update, error]
	most    int

	columns []string
	rows    int                          // that the file shall hold
	answers map[string]connectors.Result // rows that must not leave, by id
	aside   map[string]bool              // rows that a file cannot express, by id
	sent    atomic.Int64                 // rows that the file held, once it was read to its end
}

const (
	clearCell = "#N/A"
	noCell    = "\r" // a value with it would break the file's line ending
)

// survey reads the updates once: for the header, and for what is not for the file.
func (f *ingestFile) survey(object string) error {
	columns := map[string]bool{}
	f.aside = map[string]bool{}
	for u, err := range f.updates {
		if err != nil {
			return err
		}
		id := longID(u.ID)
		switch reason := unfit(id, u); {
		case reason != "":
			f.answers[cmpID(u.ID)] = neverSent(object, reason)
			continue
		case !expressible(u):
			f.aside[id] = true
			continue
		}
		f.rows++
		for name := range u.Values {
			columns[name] = true
		}
	}
	for name := range columns {
		f.columns = append(f.columns, name)
	}
	slices.Sort(f.columns)
	return nil
}

// cmpID is the id under which results are kept; a text that is no id stands for itself.
func cmpID(text string) string {
	if long := longID(text); long != "" {
		return long
	}
	return text
}

// expressible tells whether a file holds the update's values unchanged.
func expressible(u connectors.Update) bool {
	for _, v := range u.Values {
		if text, ok := v.(string); ok && (text == clearCell || strings.Contains(text, noCell)) {
			return false
		}
	}
	return true
}

// open gives the file from its beginning. It is written as it is read: memory stays flat.
func (f *ingestFile) open() io.ReadCloser {
	next, stop := iter.Pull2(f.updates)
	r := &ingestReader{file: f, next: next, stop: stop}
	r.row = appendRow(nil, "Id", func(i int) any { return f.columns[i] }, len(f.columns))
	return r
}

type ingestReader struct {
	file  *ingestFile
	next  func() (connectors.Update, error, bool)
	stop  func()
	row   []byte // bytes that are not read yet
	space []byte
	rows  int
	bytes int
	end   error // io.EOF, or what went wrong; nil: there may be more
}

func (r *ingestReader) Read(p []byte) (int, error) {
	for len(r.row) == 0 {
		if r.end != nil {
			return 0, r.end
		}
		r.advance()
	}
	n := copy(p, r.row)
	r.row, r.bytes = r.row[n:], r.bytes+n
	return n, nil
}

// advance makes the next row, or finds the end: all are there, or the file is full.
func (r *ingestReader) advance() {
	u, err, ok := r.next()
	id := longID(u.ID)
	_, never := r.file.answers[cmpID(u.ID)]
	switch {
	case err != nil:
		r.end = err
		return
	case ok && (never || r.file.aside[id]):
		return
	case ok:
		r.space = appendRow(r.space[:0], id, func(i int) any {
			v, present := u.Values[r.file.columns[i]]
			if !present {
				return absent{}
			}
			return v
		}, len(r.file.columns))
	}
	if !ok || r.rows > 0 && r.bytes+len(r.space) > r.file.most {
		r.file.sent.Store(int64(r.rows))
		r.end = io.EOF
		return
	}
	r.row, r.rows = r.space, r.rows+1
}

func (r *ingestReader) Close() error {
	r.stop()
	return nil
}

// absent is the value of a column that an update does not set.
type absent struct{}

// appendRow writes one line as RFC 4180 says, with line feeds.
func appendRow(b []byte, id string, value func(i int) any, n int) []byte {
	b = append(b, id...)
	for i := range n {
		b = append(b, ',')
		switch v := value(i).(type) {
		case absent:
		case nil:
			b = append(b, clearCell...)
		case string:
			if v == "" { // as by collections: a field holds no empty text
				v = clearCell
			}
			b = appendText(b, v)
		case float64:
			b = strconv.AppendFloat(b, v, 'f', -1, 64)
		case time.Time:
			b = append(b, instant(v)...)
		default: // bool, int64, int
			b = appendText(b, fmt.Sprint(v))
		}
	}
	return append(b, '\n')
}

// appendText quotes what needs it; blanks at the ends too, which some readers drop.
func appendText(b []byte, text string) []byte {
	if !strings.ContainsAny(text, ",\"\n") && strings.TrimSpace(text) == text {
		return append(b, text...)
	}
	b = append(b, '"')
	for {
		i := strings.IndexByte(text, '"')
		if i < 0 {
			return append(append(b, text...), '"')
		}
		b = append(append(b, text[:i+1]...), '"')
		text = text[i+1:]
	}
}
