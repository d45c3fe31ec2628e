package file

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/unicode"
)

// reads gives what a file of that text gives: values of the records, and rejects by place and code.
func reads(t *testing.T, name, text string, set func(*Stream)) []string {
	t.Helper()
	f := newFolder(t)
	f.write(name, text)
	var got []string
	for _, line := range f.read(set) {
		if rest, ok := strings.CutPrefix(line, "reject "); ok {
			_, rest, _ = strings.Cut(rest, "@")
			place, rest, _ := strings.Cut(rest, " ")
			code, _, _ := strings.Cut(rest, ":")
			got = append(got, "reject "+place+" "+code)
		} else if _, values, ok := strings.Cut(line, "@"); ok {
			got = append(got, values)
		} else {
			got = append(got, line)
		}
	}
	return got
}

// TestCSV_as_it_comes: one bad row is one reject, and the others go on.
func TestCSV_as_it_comes(t *testing.T) {
	none := func(*Stream) {}
	for name, tt := range map[string]struct {
		text string
		set  func(*Stream)
		want []string
	}{
		"line ends mixed":                {"a,b\r\n1,2\r3,4\n5,6", none, []string{"x.csv:2 1|2", "x.csv:3 3|4", "x.csv:4 5|6"}},
		"a line end in quotes":           {"a,b\n\"1\r\n1\",\"2\"\"2\"\n3,4\n", none, []string{"x.csv:2 1\n1|2\"2", "x.csv:4 3|4"}},
		"a quote not closed at the end":  {"a,b\n1,2\n3,\"4\n5,6\n", none, []string{"x.csv:2 1|2", "x.csv:4 5|6", "reject x.csv:3 csv"}},
		"a quote closed by another":      {"a,b\n1,\"2\n3,4\n5,\"6\"\n7,8\n", none, []string{"x.csv:3 3|4", "x.csv:4 5|6", "x.csv:5 7|8", "reject x.csv:2 csv"}},
		"a quote that swallows a row":    {"a,b,c\n1,\"2\n3,\"\n5,6,7\n", none, []string{"x.csv:4 5|6|7", "reject x.csv:2 csv", "reject x.csv:3 csv"}},
		"text behind a quoted cell":      {"a,b\n\"1\"x,2\n3,4\n", none, []string{"x.csv:3 3|4", "reject x.csv:2 csv"}},
		"quotes that mean nothing":       {"a,b\n\"1,2\n5\" pipe,4\n", func(s *Stream) { s.Quote = "none" }, []string{"x.csv:2 \"1|2", "x.csv:3 5\" pipe|4"}},
		"a quote inside a cell":          {"a,b\n5\" pipe,4\n", none, []string{"x.csv:2 5\" pipe|4"}},
		"ragged rows":                    {"a,b,c\n1\n1,2,3,,\n1,2,3,4\n", none, []string{"x.csv:2 1|<nil>|<nil>", "x.csv:3 1|2|3", "reject x.csv:4 csv"}},
		"trailing separators":            {"a,b,,\n1,2,,\n", none, []string{"x.csv:2 1|2"}},
		"names twice and missing":        {"a,,a\n1,2,3\n", none, []string{"x.csv:2 1|2|3"}},
		"empty rows":                     {"a,b\n\n,\n 　,\n1,2\n", none, []string{"x.csv:5 1|2"}},
		"zero bytes":                     {"a,b\n1,\x002\n3,4\n", none, []string{"x.csv:3 3|4", "reject x.csv:2 encoding"}},
		"bytes that are not UTF-8":       {"a,b\n1,\x93\xfa\n3,4\n", none, []string{"x.csv:3 3|4", "reject x.csv:2 encoding"}},
		"Excel's line of the separator":  {"sep=;\na;b\n1,0;2\n", none, []string{"x.csv:3 1,0|2"}},
		"another separator":              {"a|b\n1|2\n", func(s *Stream) { s.Separator = "|" }, []string{"x.csv:2 1|2"}},
		"a tab":                          {"a\tb\n1\t2\n", func(s *Stream) { s.Format = "tsv" }, []string{"x.csv:2 1|2"}},
		"a byte order mark":              {"\ufeffa,b\n1,2\n", func(s *Stream) { s.Encoding = "cp932" }, []string{"x.csv:2 1|2"}},
		"titles above the header":        {"営業日報\n2026年3月\n\n番号,顧 客\n1,2\n", func(s *Stream) { s.Header.Find = []string{"顧客", "番号"} }, []string{"x.csv:5 1|2"}},
		"a header lower down":            {"営業日報,\n,\na,b\n1,2\n", func(s *Stream) { s.Header.Row = 2 }, []string{"x.csv:4 1|2"}},
		"a header of two lines":          {"日付,顧客,\n,コード,名称\n1,2,3\n", func(s *Stream) { s.Header.Rows = 2; s.SelectColumns([]string{"顧客名称", "日付"}) }, []string{"x.csv:3 3|1"}},
		"no header":                      {"1,2\n3,4\n", func(s *Stream) { s.Header.Row, s.Columns = 0, []string{"a", "b"} }, []string{"x.csv:1 1|2", "x.csv:2 3|4"}},
		"the header again":               {"a,b\n1,2\na,b\n3,4\n", none, []string{"x.csv:2 1|2", "x.csv:4 3|4", "skipped header repeated: 1"}},
		"totals":                         {"a,b\n1,2\n小　計,2\n,合計：\n3,4\nＴｏｔａｌ,6\n", none, []string{"x.csv:2 1|2", "x.csv:5 3|4", "skipped totals row: 3"}},
		"the end of the table":           {"a,b\n1,2\n以上,\n3,4\n", func(s *Stream) { s.StopAt = []string{"以上"} }, []string{"x.csv:2 1|2", "skipped end of the table: 1"}},
		"names by letters and width":     {"担当(営業),ＴＥＬ No.\nA,B\n", func(s *Stream) { s.SelectColumns([]string{"TELNo", "担当営業", "_row", "_file"}) }, []string{"x.csv:2 B|A|2|x.csv"}},
		"a column that is not there":     {"日付,顧客名\n1,2\n", func(s *Stream) { s.SelectColumns([]string{"日付", "顧客"}) }, []string{"reject x.csv column"}},
		"a name that two columns fit":    {"顧客・名,顧客 名\n1,2\n", func(s *Stream) { s.SelectColumns([]string{"顧客_名"}) }, []string{"reject x.csv header"}},
		"an empty file":                  {"", none, []string{"reject x.csv header"}},
		"no row with the header's names": {"a,b\n1,2\n", func(s *Stream) { s.Header.Find = []string{"日付"} }, []string{"reject x.csv header"}},
		"a long line":                    {"a,b\n1," + strings.Repeat("x", 3<<20) + "\n3,4\n", none, []string{"x.csv:3 3|4", "reject x.csv:2 csv"}},
		"a million columns":              {"a,b\n1" + strings.Repeat(",", 900_000) + "\n3,4\n", none, []string{"x.csv:3 3|4", "reject x.csv:2 csv"}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, reads(t, "x.csv", tt.text, tt.set)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestCSV_encodings: as configured; what is written otherwise is a reject, and never a guess.
func TestCSV_encodings(t *testing.T) {
	const text = "日付,顧客名\r\n令和8年3月1日,①髙砂電機㈱ ｱｵﾊﾞ\r\n"
	const plain = "日付,顧客名\r\n令和8年3月1日,若松商店ソ十\r\n"
	write := map[string]func(string) (string, error){
		"cp932":       japanese.ShiftJIS.NewEncoder().String,
		"euc-jp":      japanese.EUCJP.NewEncoder().String,
		"iso-2022-jp": japanese.ISO2022JP.NewEncoder().String,
		"utf-16le":    unicode.UTF16(unicode.LittleEndian, unicode.IgnoreBOM).NewEncoder().String,
		"utf-16be":    unicode.UTF16(unicode.BigEndian, unicode.IgnoreBOM).NewEncoder().String,
		"utf-16":      unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewEncoder().String,
		"utf-8":       func(s string) (string, error) { return s, nil },
	}
	for enc, encode := range write {
		for _, text := range []string{text, plain} {
			raw, err := encode(text)
			if err != nil {
				if text == plain {
					t.Fatal(err)
				}
				continue // JIS X 0208 alone has no ① and ㈱
			}
			_, want, _ := strings.Cut(text, "\r\n")
			got := reads(t, "x.csv", raw, func(s *Stream) { s.Encoding = enc })
			if len(got) != 1 || got[0] != "x.csv:2 "+strings.TrimSpace(strings.Replace(want, ",", "|", 1)) {
				t.Errorf("%s: got %q", enc, got)
			}
		}
	}
	raw, err := japanese.ShiftJIS.NewEncoder().String(plain)
	if err != nil {
		t.Fatal(err)
	}
	for _, enc := range []string{"utf-8", "euc-jp"} {
		f := newFolder(t)
		f.write("x.csv", raw)
		if got := f.read(func(s *Stream) { s.Encoding = enc }); len(got) != 1 || !strings.Contains(got[0], "is not in the encoding "+enc+"; set encoding") {
			t.Errorf("CP932 read as %s: %q", enc, got)
		}
	}
}

func TestJSONLines_values(t *testing.T) {
	got := reads(t, "x.jsonl", `{"id": 12345678901234567890, "n": 9007199254740993, "x": 1.50, "customer": {"name": "青葉", "tags": ["a", 1]}, "ok": true, "none": null}

not json
{"id": 1} {"id": 2}
[1]
{"id": 3, "customer": {"name": "若松"}}
`, func(s *Stream) {
		s.SelectColumns([]string{"id", "n", "x", "customer.name", "customer", "ok", "none", "_row"})
	})
	want := []string{
		"x.jsonl:1 12345678901234567890|9007199254740993|1.5|青葉|map[name:青葉 tags:[a 1]]|true|<nil>|1",
		"x.jsonl:6 3|<nil>|<nil>|若松|map[name:若松]|<nil>|<nil>|6",
		"reject x.jsonl:3 json", "reject x.jsonl:4 json", "reject x.jsonl:5 json",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestPeriodIn(t *testing.T) {
	for text, want := range map[string]string{
		"日報_2026年3月.xlsx": "2026-03", "令和8年3月度": "2026-03", "Ｒ８．３": "2026-03", "nippou202603.csv": "2026-03", "20260331_日報": "2026-03",
		"2026-03": "2026-03", "2026_12_v2": "2026-12", "令和元年5月": "2019-05", "2026年度": "2026年度", "日報2026.xlsx": "2026", "3月": "", "": "",
		"電話0312345678": "", "K0001": "", "report8.3": "", "2026年13月": "2026", "営業部 2026年 3月 (案)": "2026-03", "H31.4": "2019-04",
	} {
		if got := periodIn(text).String(); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// FuzzCSV: whatever the bytes, each line is in one row, or in one reject; and reading
// on from any row gives what reading at one go gives.
func FuzzCSV(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a,\"b\n\"\"c\"\r1", "\"", "sep=;\n;", "\xff\xfea\x00\n\x00", "a\r\r\n\n", "\"a\"\"\n\"b\"x,\n"} {
		for _, enc := range []string{"utf-8", "cp932", "iso-2022-jp", "utf-16le"} {
			f.Add(s, enc)
		}
	}
	f.Fuzz(func(t *testing.T, text, enc string) {
		if _, ok := encodings[enc]; !ok {
			return
		}
		s := Connector.NewStream().(*Stream)
		s.Encoding = enc
		rows := func(from position) (all []string, ends []position) {
			c, err := newCSV(strings.NewReader(text), s, "csv")
			if err != nil {
				t.Fatal(err)
			}
			c.wide = 2
			if from.Row > 0 {
				if err := c.seek(from); err != nil {
					t.Fatal(err)
				}
			}
			last := from.Row
			for {
				row, err := c.next(context.Background())
				if errors.Is(err, io.EOF) {
					return all, ends
				}
				if err != nil {
					t.Fatal(err)
				}
				if row.number != last+1 {
					t.Fatalf("row %d comes after %d", row.number, last)
				}
				last = c.at().Row
				all, ends = append(all, fmt.Sprintf("%d %q %s", row.number, row.texts, row.bad)), append(ends, c.at())
			}
		}
		all, ends := rows(position{})
		for i, end := range ends[:min(len(ends), 5)] {
			if rest, _ := rows(end); !slices.Equal(rest, all[i+1:]) {
				t.Fatalf("from row %d on: %q; at one go %q", i+2, rest, all[i+1:])
			}
		}
	})
}

// FuzzHeader: a header is found or not, and its columns are never the same cell under two names that are equal.
func FuzzHeader(f *testing.F) {
	f.Add("営業日報\n日付,顧客\n1,2\n", "日付", 1)
	f.Add("日付,顧客,\n,コード,名称\n", "日付", 2)
	f.Fuzz(func(t *testing.T, text, name string, lines int) {
		s := Connector.NewStream().(*Stream)
		s.Header = Header{Row: 1, Find: []string{name}, Rows: lines}
		s.Files = "x"
		if s.Validate() != nil {
			return
		}
		r, err := openCSV(context.Background(), handle{strings.NewReader(text)}, newTable(s, "x.csv", "", nil), "csv", position{})
		if err != nil {
			var unfit *fileError
			if !errors.As(err, &unfit) {
				t.Fatal(err)
			}
			return
		}
		names := r.(*csvReader).table.columns.Names
		if slices.Sort(names); len(slices.Compact(slices.Clone(names))) != len(names) {
			t.Fatalf("names twice: %q", names)
		}
	})
}

// handle is a file in memory.
type handle struct{ *strings.Reader }

func (handle) Close() error { return nil }
