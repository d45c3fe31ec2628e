package file

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"
)

// book writes a workbook as Excel would.
type book struct {
	*excelize.File
	t testing.TB
}

func newBook(t testing.TB) *book {
	b := &book{excelize.NewFile(), t}
	t.Cleanup(func() { b.Close() })
	b.must(b.SetSheetName("Sheet1", "日報"))
	return b
}

func (b *book) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// rows writes rows from a cell on.
func (b *book) rows(sheet string, from int, rows ...[]any) {
	b.t.Helper()
	for i, row := range rows {
		cell, err := excelize.CoordinatesToCellName(1, from+i)
		b.must(err)
		b.must(b.SetSheetRow(sheet, cell, &row))
	}
}

// number writes a number in a format.
func (b *book) number(sheet, cell string, v float64, format string) {
	b.t.Helper()
	style, err := b.NewStyle(&excelize.Style{CustomNumFmt: &format})
	b.must(err)
	b.must(b.SetCellStyle(sheet, cell, cell, style))
	b.must(b.SetCellFloat(sheet, cell, v, -1, 64))
}

func (b *book) save(path string) {
	b.t.Helper()
	b.must(os.MkdirAll(filepath.Dir(path), 0o700))
	b.must(b.SaveAs(path))
	long := time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)
	b.must(os.Chtimes(path, long, long))
}

// writeBook is the format xlsx of the acceptance suite.
func writeBook(t *testing.T, path string, rows [][]string) {
	b := newBook(t)
	for i, row := range append([][]string{reportHeader}, rows...) {
		b.rows("日報", 1+i, []any{row[0], row[1], row[2]})
	}
	b.save(path)
}

// TestSheet_a_daily_report_as_it_is_drawn: a title above a header of two lines,
// merged cells, a totals row, a hidden row, dates, times, percentages and errors.
func TestSheet_a_daily_report_as_it_is_drawn(t *testing.T) {
	f := newFolder(t)
	b := newBook(t)
	s := "日報"
	b.must(b.SetCellStr(s, "A1", "営業日報　令和8年3月度"))
	b.must(b.MergeCell(s, "A1", "G1"))
	b.rows(s, 3, []any{"日付", "顧客", nil, "時刻", "内容", "確度", "件数"}, []any{nil, "コード", "名称"})
	b.must(b.MergeCell(s, "B3", "C3"))
	for _, c := range []string{"A", "D", "E", "F", "G"} {
		b.must(b.MergeCell(s, c+"3", c+"4"))
	}
	b.rows(s, 5,
		[]any{nil, "K0001", "青葉製作所", nil, "訪問", nil, 3},
		[]any{nil, "K0002", "北斗システムズ㈱", "午後2時半", "電話", nil, 2},
		[]any{nil, nil, nil, nil, nil, nil, nil},
		[]any{"3/4", "０００３", "若松商店", "１０：００", true, nil, 1.5},
		[]any{"小計", nil, nil, nil, nil, nil, 6.5},
		[]any{"3/5", "K0004", "髙砂電機", nil, "来社", nil, nil},
		[]any{"3/6", "K0005", "桜井物産", nil, "来社", nil, nil},
	)
	b.number(s, "A5", 46083, `[$-411]ggge"年"m"月"d"日";@`)
	b.must(b.MergeCell(s, "A5", "A6"))
	b.number(s, "D5", 0.4375, "h:mm;@")
	b.number(s, "F5", 0.85, "0%")
	b.must(b.SetRowVisible(s, 10, false))
	b.must(b.SetCellFormula(s, "G11", "SUM(G5:G6)"))
	_, err := b.NewSheet("メモ")
	b.must(err)
	b.save(f.path("2026年3月.xlsx"))

	got := f.read(func(s *Stream) {
		s.Files, s.Period = "*.xlsx", "title"
		s.Header = Header{Find: []string{"日付", "顧客"}, Rows: 2}
		s.SelectColumns([]string{"日付", "顧客コード", "時刻", "内容", "確度", "_period", "_sheet"})
	})
	want := []string{
		"2026年3月.xlsx/1 @2026年3月.xlsx 日報!5 2026-03-02|K0001|10:30:00|訪問|0.85|2026-03|日報",
		"2026年3月.xlsx/2 @2026年3月.xlsx 日報!6 2026-03-02|K0002|午後2時半|電話|<nil>|2026-03|日報",
		"2026年3月.xlsx/3 @2026年3月.xlsx 日報!8 3/4|０００３|１０：００|true|<nil>|2026-03|日報",
		"2026年3月.xlsx/4 @2026年3月.xlsx 日報!10 3/5|K0004|<nil>|来社|<nil>|2026-03|日報",
		"2026年3月.xlsx/5 @2026年3月.xlsx 日報!11 3/6|K0005|<nil>|来社|<nil>|2026-03|日報",
		"skipped totals row: 1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if got := f.columns.Cell("2026年3月.xlsx 日報!8", f.columns.Index("時刻")); got != "2026年3月.xlsx 日報!D8" {
		t.Errorf("the cell is called %q", got)
	}
}

// TestSheet_errors_name_their_cell: of the columns that are used; others do not matter.
func TestSheet_errors_name_their_cell(t *testing.T) {
	f := newFolder(t)
	b := newBook(t)
	b.rows("日報", 1, []any{"日付", "顧客コード", "合計"}, []any{"2026/3/1", "K1", nil}, []any{"2026/3/2", "K2", nil}, []any{nil, "K3", nil})
	b.must(b.SetCellFormula("日報", "C2", "1/0"))
	b.must(b.SetCellFormula("日報", "A4", "TODAY()"))
	b.save(f.path("x.xlsx"))
	got := f.read(func(s *Stream) { s.Files = "*.xlsx"; s.SelectColumns([]string{"日付", "顧客コード"}) })
	want := []string{
		"x.xlsx/1 @x.xlsx 日報!2 2026/3/1|K1",
		"x.xlsx/2 @x.xlsx 日報!3 2026/3/2|K2",
		"reject x.xlsx/3 @x.xlsx 日報!A4 cell: the cell holds no result of its formula: the program that wrote the file has not calculated it; open it in Excel and save it",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestSheet_sheets_are_chosen: by patterns, a hidden one by its name alone, and by itself the first that can be seen.
func TestSheet_sheets_are_chosen(t *testing.T) {
	f := newFolder(t)
	b := newBook(t)
	for i, name := range []string{"3月", "4月", "原本"} {
		_, err := b.NewSheet(name)
		b.must(err)
		b.rows(name, 1, []any{"顧客"}, []any{"K" + string(rune('1'+i))})
	}
	b.rows("日報", 1, []any{"顧客"}, []any{"K0"})
	b.SetActiveSheet(1)
	b.must(b.SetSheetVisible("日報", false))
	b.must(b.SetSheetVisible("原本", false))
	b.save(f.path("x.xlsx"))
	for sheets, want := range map[string]string{"": "K1", "*月": "K1 K2", "?月 日報": "K0 K1 K2", "*": "K1 K2", "原本": "K3", "４月": "x.xlsx: no sheet fits"} {
		f := f.again(t)
		got := strings.Join(f.read(func(s *Stream) {
			s.Files, s.Sheets = "*.xlsx", strings.Fields(sheets)
			s.Header.Find = []string{"顧客"}
		}), " ")
		for _, k := range []string{"K0", "K1", "K2", "K3"} {
			if strings.Contains(want, k) != strings.Contains(got, k) {
				t.Errorf("sheets %q give %s; want %s", sheets, got, want)
			}
		}
		if !strings.HasPrefix(want, "K") && !strings.Contains(got, want) {
			t.Errorf("sheets %q give %s; want %s", sheets, got, want)
		}
	}
}

func TestSheet_epoch_of_1904(t *testing.T) {
	f := newFolder(t)
	b := newBook(t)
	yes := true
	b.must(b.SetWorkbookProps(&excelize.WorkbookPropsOptions{Date1904: &yes}))
	b.rows("日報", 1, []any{"日付"})
	b.number("日報", "A2", 44621, "yyyy/m/d")
	b.save(f.path("x.xlsx"))
	if got := f.read(func(s *Stream) { s.Files = "*.xlsx" }); !strings.HasSuffix(got[0], " 2026-03-02") {
		t.Errorf("got %v", got)
	}
}

// TestSheet_what_is_no_workbook says what to do.
func TestSheet_what_is_no_workbook(t *testing.T) {
	var protected, whole bytes.Buffer
	b := newBook(t)
	b.rows("日報", 1, []any{"日付"}, []any{"2026/3/1"})
	b.must(b.Write(&whole))
	b.must(b.Write(&protected, excelize.Options{Password: "ひみつ"}))
	for name, tt := range map[string]struct{ content, want string }{
		"old.xls":       {"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1 and so on", "old format of Excel (.xls); open it in Excel and save it as .xlsx"},
		"sealed.xlsx":   {protected.String(), "protected by a password; save it without one"},
		"web.xls":       {"<html><table><tr><td>日付</td></tr></table></html>", "is no Excel workbook, whatever its name says"},
		"empty.xlsx":    {"", "the file is empty"},
		"half.xlsx":     {whole.String()[:whole.Len()/2], "damaged or not whole"},
		"spoilt.xlsx":   {whole.String()[:200] + strings.Repeat("\x00", 40) + whole.String()[240:], "open it in Excel and save it"},
		"document.xlsx": {"PK\x03\x04", "damaged or not whole"},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFolder(t)
			f.write(name, tt.content)
			got := f.read(func(s *Stream) { s.Files = "*.xls*" })
			if len(got) != 1 || !strings.HasPrefix(got[0], "reject "+name+" @"+name+" file: ") || !strings.Contains(got[0], tt.want) {
				t.Errorf("got %q, want the reject %q", got, tt.want)
			}
		})
	}
}

func TestLookOf(t *testing.T) {
	for code, want := range map[string]look{
		"yyyy/m/d": asMoment, `[$-411]ggge"年"m"月"d"日";@`: asMoment, "h:mm": asMoment, "[$-F800]dddd, mmmm dd, yyyy": asMoment, "[赤]m/d": asMoment,
		"aaa": asMoment, "[Red]yyyy/m/d;@": asMoment, `[$-ja-JP-x-gannen]ggge"年"m"月"d"日";@`: asMoment, "rr.mm.dd": asMoment,
		`"合計"#,##0`: asNumber, "[<=999]000;[<=9999]000-00": asNumber, "0_d": asNumber, strings.Repeat("0", 300) + "d": asNumber,
		"[h]:mm": asDuration, "[mm]:ss": asDuration,
		"General": asNumber, "0.00E+00": asNumber, "#,##0": asNumber, `0"日"`: asNumber, `0\d`: asNumber, "0%": asNumber, "@": asNumber, `"`: asNumber, "[h": asNumber, "": asNumber,
	} {
		if got := lookOf(code); got != want {
			t.Errorf("lookOf(%q) = %d, want %d", code, got, want)
		}
	}
}

// FuzzLookOf: any format has a look.
func FuzzLookOf(f *testing.F) {
	for _, code := range []string{"yyyy/m/d", `[$-411]ggge"年"m"月"d"日";@`, "[h]:mm", "0.00E+00", `0\d`, "[<=999]000;[<=9999]000-00", "General;", `"`} {
		f.Add(code)
	}
	f.Fuzz(func(t *testing.T, code string) {
		if got := lookOf(code); got > asDuration {
			t.Errorf("lookOf(%q) = %d", code, got)
		}
	})
}

func TestMoment(t *testing.T) {
	for _, tt := range []struct {
		serial float64
		epoch  bool
		want   string
	}{
		{46082, false, "2026-03-01"}, {46082.604166666664, false, "2026-03-01 14:30:00"}, {0.5, false, "12:00:00"}, {0, false, "00:00:00"},
		{1, false, "1900-01-01"}, {59, false, "1900-02-28"}, {60, false, ""}, {61, false, "1900-03-01"}, {2958465, false, "9999-12-31"},
		{2958466, false, ""}, {-1, false, ""}, {0, true, "1904-01-01"}, {44620, true, "2026-03-01"}, {0.25, true, "06:00:00"}, {46082.9999999, false, "2026-03-02"},
	} {
		if got, _ := moment(tt.serial, tt.epoch); got != tt.want {
			t.Errorf("moment(%v, %v) = %q, want %q", tt.serial, tt.epoch, got, tt.want)
		}
	}
}

// FuzzWorkbook: whatever is in the parts of a workbook, it is read or refused.
func FuzzWorkbook(f *testing.F) {
	f.Add(`<worksheet><sheetData><row r="1"><c r="A1" t="inlineStr"><is><t>a</t></is></c></row><row><c s="1"><v>46082.5</v></c></row></sheetData><mergeCells><mergeCell ref="A1:B2"/></mergeCells></worksheet>`,
		`<styleSheet><numFmts><numFmt numFmtId="164" formatCode="[h]:mm"/></numFmts><cellXfs><xf/><xf numFmtId="164"/></cellXfs></styleSheet>`, `<sst><si><t>x</t><rPh><t>y</t></rPh></si></sst>`)
	f.Add(`<x:worksheet><x:sheetData/></x:worksheet>`, `<styleSheet/>`, `<sst><si><r><t>&amp;&#12354;_x000D_</t></r></si><!-- --><![CDATA[x]]></sst>`)
	f.Fuzz(func(t *testing.T, sheet, styles, texts string) {
		var packed bytes.Buffer
		z := zip.NewWriter(&packed)
		for _, part := range [][2]string{ // in one order, so that the same input takes the same way
			{"_rels/.rels", `<Relationships><Relationship Id="r" Type="x/officeDocument" Target="xl/workbook.xml"/></Relationships>`},
			{"xl/workbook.xml", `<workbook><sheets><sheet name="日報" r:id="r1"/></sheets></workbook>`},
			{"xl/_rels/workbook.xml.rels", `<Relationships><Relationship Id="r1" Type="x/worksheet" Target="s.xml"/>` +
				`<Relationship Id="r2" Type="x/styles" Target="t.xml"/><Relationship Id="r3" Type="x/sharedStrings" Target="/xl/u.xml"/></Relationships>`},
			{"xl/s.xml", sheet}, {"xl/t.xml", styles}, {"xl/u.xml", texts},
		} {
			w, err := z.CreateHeader(&zip.FileHeader{Name: part[0], Method: zip.Store})
			if err == nil {
				_, err = w.Write([]byte(part[1]))
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		s := Connector.NewStream().(*Stream)
		r, err := openSheets(context.Background(), handle{strings.NewReader(packed.String())}, s, "x.xlsx", int64(packed.Len()), nil, position{})
		last := 0
		for n := 0; err == nil; n++ {
			var it item
			if it, err = r.next(context.Background()); err == nil && it.row <= last || n > maxRows {
				t.Fatalf("row %d comes after %d", it.row, last)
			}
			last = it.row
		}
		var unfit *fileError
		if !errors.Is(err, io.EOF) && !errors.As(err, &unfit) {
			t.Fatal(err)
		}
	})
}

// TestWorkbook_bomb: a part that unpacks to far more than it is.
func TestWorkbook_bomb(t *testing.T) {
	var packed bytes.Buffer
	z := zip.NewWriter(&packed)
	for name, text := range map[string]string{
		"_rels/.rels":                `<Relationships><Relationship Id="r" Type="x/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
		"xl/workbook.xml":            `<workbook><sheets><sheet name="日報" r:id="r1"/></sheets></workbook>`,
		"xl/_rels/workbook.xml.rels": `<Relationships><Relationship Id="r1" Type="x/worksheet" Target="s.xml"/></Relationships>`,
		"xl/s.xml":                   `<worksheet><sheetData>` + strings.Repeat("<row></row>", 8<<20),
	} {
		w, err := z.Create(name)
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	f := newFolder(t)
	f.write("x.xlsx", packed.String())
	if got := f.read(func(*Stream) {}); len(got) != 1 || !strings.Contains(got[0], "unpacks to far more than its size") {
		t.Errorf("got %q", got)
	}
}
