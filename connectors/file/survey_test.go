package file

import (
	"bytes"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/xuri/excelize/v2"

	"energyd/connectors"
)

// surveyed puts files into a folder and gives the sample of one item.
func surveyed(t *testing.T, files map[string][]byte, name string, most int) (connectors.Sample, []connectors.Option) {
	t.Helper()
	return surveyedBy(t, files, name, most, connectors.Reading{})
}

func surveyedBy(t *testing.T, files map[string][]byte, name string, most int, by connectors.Reading) (connectors.Sample, []connectors.Option) {
	t.Helper()
	dir := t.TempDir()
	for file, text := range files {
		to := filepath.Join(dir, file)
		if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(to, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	conn, err := Connector.Open(t.Context(), &Config{Dir: dir}, connectors.Env{Log: slog.New(slog.DiscardHandler), Name: "files", Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	sv := conn.(connectors.Surveyor)
	items, err := sv.Items(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range items {
		if i.Name == name {
			sample, err := sv.Sample(t.Context(), i, most)
			if err != nil {
				t.Fatal(err)
			}
			return sample, sv.Stream(sample.Item, by)
		}
	}
	t.Fatalf("no item %q in %v", name, items)
	return connectors.Sample{}, nil
}

func encoded(t *testing.T, name, text string) []byte {
	t.Helper()
	if encodings[name] == nil {
		return []byte(text)
	}
	b, err := encodings[name].NewEncoder().Bytes([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const reportText = "日付,顧客名,訪問者,内容\r\n2026/9/1,株式会社青葉製作所,佐藤,新製品のご案内。ｶﾀﾛｸﾞ送付\r\n2026/9/2,若松商店,鈴木,見積の件でお電話\r\n"

func TestSurvey_EncodingIsOffered(t *testing.T) {
	for _, enc := range []string{"utf-8", "cp932", "euc-jp", "iso-2022-jp"} {
		text := reportText
		if enc == "iso-2022-jp" {
			text = strings.ReplaceAll(text, "ｶﾀﾛｸﾞ", "カタログ") // it has no half-width kana
		}
		sample, options := surveyed(t, map[string][]byte{"日報.csv": encoded(t, enc, text)}, "日報.csv", 100)
		if !sample.Whole || len(sample.Rows) != 2 || sample.Columns[1].Name != "顧客名" || sample.Rows[0][1] != "株式会社青葉製作所" {
			t.Errorf("%s: %v %v", enc, sample.Columns, sample.Rows)
		}
		if told := fmt.Sprint(options); enc != "utf-8" && !strings.Contains(told, enc) {
			t.Errorf("%s: options %s", enc, told)
		}
	}
}

func TestSurvey_HeaderBelowTitles(t *testing.T) {
	text := "営業日報 2026年9月分,,,\r\n部署：第一営業部,,,\r\n,,,\r\n" + reportText
	sample, options := surveyed(t, map[string][]byte{"日報.csv": []byte(text)}, "日報.csv", 100)
	if len(sample.Rows) != 2 || sample.Columns[0].Name != "日付" {
		t.Errorf("columns %v, rows %v", sample.Columns, sample.Rows)
	}
	if fmt.Sprint(options) != "[{files 日報.csv } {header [{find [日付 顧客名 訪問者] }] the first row that holds these names}]" {
		t.Errorf("options %v", options)
	}
}

func TestSurvey_NoHeader(t *testing.T) {
	sample, _ := surveyed(t, map[string][]byte{"a.csv": []byte("2026/9/1,K0001,60\n2026/9/2,K0002,30\n2026/9/3,K0003,30\n")}, "a.csv", 100)
	if len(sample.Rows) != 3 || sample.Columns[1].Name != "column_2" {
		t.Errorf("columns %v, rows %v", sample.Columns, sample.Rows)
	}
}

func TestSurvey_FilesOfAllMonthsAreOneItem(t *testing.T) {
	files := map[string][]byte{"other.csv": []byte("a,b\n1,2\n")}
	for m := 1; m <= 12; m++ {
		var b bytes.Buffer
		b.WriteString("日付;顧客名;内容\n")
		for d := 1; d <= 28; d++ {
			fmt.Fprintf(&b, "2026/%d/%d;顧客%d;訪問した\n", m, d, d)
		}
		files[fmt.Sprintf("日報/営業日報_2026-%02d.csv", m)] = b.Bytes()
	}
	sample, options := surveyed(t, files, "日報/営業日報_*.csv", 60)
	if sample.Whole || len(sample.Rows) != 60 || sample.Item.Rows != 12*28 || !sample.Item.Estimated {
		t.Errorf("whole %v, %d rows of %+v", sample.Whole, len(sample.Rows), sample.Item)
	}
	if fmt.Sprint(options) != "[{files 日報/営業日報_*.csv } {separator ; }]" {
		t.Errorf("options %v", options)
	}
}

func TestSurvey_Workbook(t *testing.T) {
	book := excelize.NewFile()
	defer book.Close()
	for i, row := range [][]any{{"営業日報"}, {}, {"No", "訪問日", "得意先", "面談者", "区分"}, {1, "R8.9.1", "青葉製作所", "佐藤部長", "訪問"}, {2, "R8.9.2", "若松商店", "鈴木様", "電話"}, {"合計", nil, nil, nil, 2}} {
		if err := book.SetSheetRow("Sheet1", fmt.Sprintf("A%d", i+1), &row); err != nil {
			t.Fatal(err)
		}
	}
	var b bytes.Buffer
	if err := book.Write(&b); err != nil {
		t.Fatal(err)
	}
	sample, options := surveyed(t, map[string][]byte{"9月.xlsx": b.Bytes()}, "9月.xlsx", 100)
	if len(sample.Rows) != 2 || sample.Columns[2].Name != "得意先" || sample.Rows[1][3] != "鈴木様" {
		t.Errorf("columns %v, rows %v, notes %v", sample.Columns, sample.Rows, sample.Notes)
	}
	if !strings.Contains(fmt.Sprint(options), "find [No 訪問日 得意先]") {
		t.Errorf("options %v", options)
	}
}

// A workbook with a sheet for each month, a header of two lines and merged customers: all months are read, and the
// second line is no report.
func TestSurvey_WorkbookOfMonths(t *testing.T) {
	book := excelize.NewFile()
	defer book.Close()
	for m := 9; m <= 10; m++ {
		sheet := fmt.Sprintf("令和8年%d月", m)
		if _, err := book.NewSheet(sheet); err != nil {
			t.Fatal(err)
		}
		for i, row := range [][]any{
			{"営業日報"}, {"日付", "訪問先", nil, "面談相手", nil, "方法"}, {nil, "コード", "名称", "役職", "氏名"},
			{fmt.Sprintf("R8.%d.1", m), "0001", "青葉製作所", "部長", "山田", "訪問"}, {nil, nil, nil, "課長", "佐藤", "電話"}, {fmt.Sprintf("R8.%d.2", m), "0002", "若松商店", "主任", "林", "来社"},
		} {
			if err := book.SetSheetRow(sheet, fmt.Sprintf("A%d", i+1), &row); err != nil {
				t.Fatal(err)
			}
		}
		for _, merged := range [][2]string{{"B2", "C2"}, {"D2", "E2"}, {"A2", "A3"}, {"F2", "F3"}, {"A4", "A5"}, {"B4", "B5"}, {"C4", "C5"}} {
			if err := book.MergeCell(sheet, merged[0], merged[1]); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := book.DeleteSheet("Sheet1"); err != nil {
		t.Fatal(err)
	}
	if _, err := book.NewSheet("集計"); err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := book.Write(&b); err != nil {
		t.Fatal(err)
	}
	sample, options := surveyed(t, map[string][]byte{"日報.xlsx": b.Bytes()}, "日報.xlsx", 100)
	if len(sample.Rows) != 6 || sample.Columns[2].Name != "訪問先/名称" || sample.Rows[1][2] != "青葉製作所" {
		t.Errorf("columns %v, rows %v, notes %v", sample.Columns, sample.Rows, sample.Notes)
	}
	for _, want := range []string{"{sheets [令和*] ", "{find [日付 訪問先 面談相手] } {rows 2 }"} {
		if !strings.Contains(fmt.Sprint(options), want) {
			t.Errorf("options %v lack %s", options, want)
		}
	}
	if !strings.Contains(fmt.Sprint(sample.Notes), "集計") {
		t.Errorf("the notes %v do not tell of the sheet that is not read", sample.Notes)
	}
}

// A header of one line stays one, though the first row below it is all words.
func TestSurvey_HeaderOfOneLine(t *testing.T) {
	_, options := surveyed(t, map[string][]byte{"a.csv": []byte("日付,顧客名,方法,備考\n本日,青葉製作所,訪問,\n2026/9/2,若松商店,電話,済\n2026/9/3,花菱,電話,済\n")}, "a.csv", 100)
	if strings.Contains(fmt.Sprint(options), "rows") {
		t.Errorf("options %v", options)
	}
}

// Where a file's name tells a month, the source reads those that will follow it.
func TestSurvey_AMonthsFileIsFollowed(t *testing.T) {
	for name, want := range map[string]string{"営業活動一覧_202610.csv": "営業活動一覧_*.csv", "customers2.csv": "customers2.csv", "令和８年[控].csv": "令和*[[]控].csv"} {
		_, options := surveyed(t, map[string][]byte{name: []byte(reportText)}, name, 100)
		if options[0].Value != want {
			t.Errorf("%s: files %v, want %s", name, options[0].Value, want)
		}
		s := &Stream{Files: want}
		if !s.Reads(connectors.Item{Name: name, Kind: "file"}) || s.Reads(connectors.Item{Name: "other.csv"}) {
			t.Errorf("%s: the source is not known again", name)
		}
	}
}

// The year of 3/1 is looked for where it stands: in the names of monthly sheets, in the file's name, in the title.
func TestSurvey_WhereTheYearStands(t *testing.T) {
	months := excelize.NewFile()
	defer months.Close()
	for _, sheet := range []string{"令和8年12月", "令和9年1月"} {
		if _, err := months.NewSheet(sheet); err != nil {
			t.Fatal(err)
		}
		for i, row := range [][]any{{"日付", "顧客名", "内容"}, {"1/5", "青葉製作所", "訪問"}, {"1/6", "若松商店", "電話"}} {
			if err := months.SetSheetRow(sheet, fmt.Sprintf("A%d", i+1), &row); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := months.DeleteSheet("Sheet1"); err != nil {
		t.Fatal(err)
	}
	var book bytes.Buffer
	if err := months.Write(&book); err != nil {
		t.Fatal(err)
	}
	rows := "日付,顧客名,内容\n1/5,青葉製作所,訪問\n1/6,若松商店,電話\n"
	for _, c := range []struct {
		name, want string
		text       []byte
	}{
		{"訪問記録2026.xlsx", "sheet", book.Bytes()},
		{"日報_202701.csv", "name", []byte("令和8年12月分,,\n" + rows)},
		{"日報.csv", "title", []byte("営業日報　令和9年1月分,,\n" + rows)},
		{"日報.csv", "name", []byte(rows)},
	} {
		_, options := surveyedBy(t, map[string][]byte{c.name: c.text}, c.name, 100, connectors.Reading{Yearless: true})
		got := ""
		for _, o := range options {
			if o.Name == "period" {
				got = fmt.Sprint(o.Value)
			}
		}
		if got != c.want {
			t.Errorf("%s: period %q, want %q", c.name, got, c.want)
		}
	}
}

// An object leaves out what it has nothing for: all names count, and that is no fault of the file.
func TestSurvey_JSONLinesNameWhatTheyHave(t *testing.T) {
	text := `{"日付":"2026-09-01","区分":"訪問"}` + "\n" + `{"日付":"2026-09-02","役職":"部長"}` + "\n"
	sample, _ := surveyed(t, map[string][]byte{"a.jsonl": []byte(text)}, "a.jsonl", 100)
	var names []string
	for _, c := range sample.Columns {
		names = append(names, c.Name)
	}
	if got := fmt.Sprint(names, sample.Rows, sample.Notes); got != "[区分 日付 役職] [[訪問 2026-09-01 <nil>] [<nil> 2026-09-02 部長]] []" {
		t.Error(got)
	}
}

// 以上 below the rows ends the table: the proposal says so, and it is no row with a bad date.
func TestSurvey_WordBelowTheRowsEndsThem(t *testing.T) {
	sample, options := surveyed(t, map[string][]byte{"日報.csv": []byte(reportText + ",,,\r\n以　上,,,\r\n")}, "日報.csv", 100)
	if len(sample.Rows) != 2 || !strings.Contains(fmt.Sprint(options), "{stop_at [以上]") {
		t.Errorf("rows %v, options %v", sample.Rows, options)
	}
}
