package salesforce

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"
)

// readCSV gives all rows of a file, which comes in pieces as from gives them.
func readCSV(from io.Reader) (rows [][]string, err error) {
	r := newCSVReader(from)
	for {
		cells, err := r.next()
		if err == io.EOF {
			return rows, nil
		} else if err != nil {
			return rows, err
		}
		row := make([]string, len(cells))
		for i, c := range cells {
			row[i] = string(c)
		}
		rows = append(rows, row)
	}
}

func TestC33_what_stands_in_bulk_files(t *testing.T) {
	long := strings.Repeat("熱", 131_072)
	for name, tt := range map[string]struct {
		file string
		want [][]string
	}{
		"nothing":             {"", nil},
		"one row":             {"a,b\n", [][]string{{"a", "b"}}},
		"no line feed at end": {"a,b\nc,d", [][]string{{"a", "b"}, {"c", "d"}}},
		"empty cells":         {",\n,\n\"\",\"\"", [][]string{{"", ""}, {"", ""}, {"", ""}}},
		"quotes":              {`"a ""b""","""",c` + "\n", [][]string{{`a "b"`, `"`, "c"}}},
		"lines in a text":     {"\"a\nb\",\"c\r\nd\"\n", [][]string{{"a\nb", "c\r\nd"}}},
		"CR LF between rows":  {"a,\"b\"\r\nc,d\r\n", [][]string{{"a", "b"}, {"c", "d"}}},
		"blanks":              {" a ,b \n", [][]string{{" a ", "b "}}},
		"NUL bytes":           {"a\x00b,\"\x00c\"\x00\n\x00d,e\n", [][]string{{"ab", "c"}, {"d", "e"}}},
		"a long text":         {"a,\"" + long + "\"\n" + long + ",b\n", [][]string{{"a", long}, {long, "b"}}},
	} {
		for pieces, from := range map[string]io.Reader{
			"whole":    strings.NewReader(tt.file),
			"halves":   iotest.HalfReader(strings.NewReader(tt.file)),
			"with EOF": iotest.DataErrReader(strings.NewReader(tt.file)),
		} {
			if got, err := readCSV(from); err != nil || !cmp.Equal(got, tt.want) {
				t.Errorf("%s, %s: %.200q, %v", name, pieces, got, err)
			}
		}
	}
	for name, tt := range map[string]struct {
		from io.Reader
		want error
	}{
		"cut in a text":      {strings.NewReader("a,\"b\nc"), errCSVCut},
		"behind a quote":     {strings.NewReader("\"a\"b,c\n"), errCSVQuote},
		"a row without end":  {io.MultiReader(strings.NewReader(`"`), endless{}), errCSVRow},
		"a broken line":      {iotest.TimeoutReader(iotest.OneByteReader(strings.NewReader("a,b"))), iotest.ErrTimeout},
		"broken in the rows": {io.MultiReader(strings.NewReader("a,b\nc"), iotest.ErrReader(io.ErrUnexpectedEOF)), io.ErrUnexpectedEOF},
	} {
		if _, err := readCSV(tt.from); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v; want %v", name, err, tt.want)
		}
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// The standard library reads the same from any file that both take, but for
// what is ours on purpose: CR inside texts, and empty lines.
func FuzzCSV(f *testing.F) {
	for _, text := range []string{"a,b\n1,\"2\"\"3\"\n", "\"\n\"\n", ",,\n,,", "\"a", "\"a\"b\n", "日,報\n"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.ContainsAny(text, "\r\x00") || strings.Contains("\n"+text, "\n\n") {
			return
		}
		std := csv.NewReader(strings.NewReader(text))
		std.FieldsPerRecord = -1
		want, wantErr := std.ReadAll()
		got, err := readCSV(iotest.HalfReader(strings.NewReader(text)))
		if wantErr == nil && (err != nil || !cmp.Equal(got, want)) {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
		if again, againErr := readCSV(strings.NewReader(text)); !cmp.Equal(again, got) || (err == nil) != (againErr == nil) {
			t.Errorf("%q: in one piece %q, %v; in pieces %q, %v", text, again, againErr, got, err)
		}
	})
}

func TestCellReader_values(t *testing.T) {
	at := time.Date(2026, 11, 21, 9, 30, 5, 120e6, time.UTC)
	for _, tt := range []struct {
		typ, cell string
		want      any
	}{
		{"string", "", nil}, {"boolean", "", nil}, {"datetime", "", nil},
		{"string", "N/A", "N/A"}, {"string", "NULL", "NULL"}, {"string", "#N/A", "#N/A"}, {"textarea", "true", "true"},
		{"boolean", "true", true}, {"boolean", "false", false}, {"boolean", "perhaps", "perhaps"},
		{"int", "42", int64(42)}, {"int", "0.0", int64(0)}, {"long", "9007199254740993", int64(9007199254740993)}, {"int", "many", "many"},
		{"double", "0.25", 0.25}, {"currency", "1200.0", 1200.0}, {"percent", "-3", -3.0}, {"double", "?", "?"},
		{"date", "2026-11-21", "2026-11-21"}, {"time", "10:00:00.000Z", "10:00:00.000Z"},
		{"datetime", "2026-11-21T09:30:05.120Z", at}, {"datetime", "2026-11-21T09:30:05.120+0000", at},
		{"datetime", "2026-02-30T09:30:05.120Z", "2026-02-30T09:30:05.120Z"}, {"datetime", "2026-x2-30T09:30:05.120Z", "2026-x2-30T09:30:05.120Z"},
	} {
		c := cellReader{typ: tt.typ, known: map[string]any{}}
		for range 2 { // made, and known
			if got := c.value([]byte(tt.cell)); !cmp.Equal(got, tt.want) {
				t.Errorf("%s %q: %T %v; want %T %v", tt.typ, tt.cell, got, got, tt.want, tt.want)
			}
		}
	}
	// Values do not live in the reader's buffer, and a column of ever new texts is not kept.
	c, cell := cellReader{typ: "string", known: map[string]any{}}, []byte("00000")
	first := c.value(cell)
	for i := range 10 * mostKnown {
		copy(cell, []byte{byte('a' + i/676%26), byte('a' + i/26%26), byte('a' + i%26)})
		if got := c.value(cell); got != string(cell) {
			t.Fatalf("%s gives %v", cell, got)
		}
	}
	if first != "00000" || c.known != nil {
		t.Errorf("the first value became %v; %d texts are kept", first, len(c.known))
	}
}

func BenchmarkCSV(b *testing.B) {
	file := bytes.Repeat([]byte("00T4C00000VaYfKQAV,\"訪問 \"\"A\"\"\",Completed,2026-11-21T09:30:05.000Z,2026-11-21,60,true,0034C00000VaYfKQAV,,,0014C00000VaYfKQAV\n"), 10_000)
	b.SetBytes(int64(len(file)))
	for b.Loop() {
		r := newCSVReader(bytes.NewReader(file))
		n := 0
		for ; ; n++ {
			if _, err := r.next(); err != nil {
				break
			}
		}
		if n != 10_000 {
			b.Fatal(n)
		}
	}
}
