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
			return sample, sv.Stream(sample.Item, connectors.Reading{})
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
