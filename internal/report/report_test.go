package report_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/xuri/excelize/v2"

	"energyd/internal/report"
)

// settings are those that all golden reports have.
func settings() report.Settings {
	s := report.Defaults()
	step := func(ja, en string, stages ...string) report.Step {
		return report.Step{Label: report.Label{Ja: ja, En: en}, Stages: stages}
	}
	s.Funnel = []report.Step{step("リスト", "list", "Prospecting"), step("提案", "proposal", "Proposal"), step("見積", "quote", "Negotiation"), step("受注", "order", "Closed Won")}
	return s
}

// TestReports holds every report, in both languages, to what is on file.
func TestReports(t *testing.T) {
	c := known(t)
	for _, name := range report.Names() {
		t.Run(name, func(t *testing.T) { golden(t, name, c.make(name, settings(), report.Options{})) })
	}
}

// TestReports_without_facts: where the mapping tells nothing, a report says which line would, in place of an empty table.
func TestReports_without_facts(t *testing.T) {
	c := newCompany(t)
	c.save()
	for _, name := range report.Names() {
		t.Run(name, func(t *testing.T) {
			golden(t, "empty_"+name, c.make(name, report.Defaults(), report.Options{Important: true}))
		})
	}
}

func TestTable_Limit_says_how_many_rows_there_are(t *testing.T) {
	table := known(t).make("month", settings(), report.Options{})
	table.Limit(1)
	var b strings.Builder
	if err := table.WriteText(&b, "en"); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(b.String(), "The first 1 of 4 rows") || strings.Contains(b.String(), "青葉") {
		t.Error(b.String())
	}
}

func TestWriteCSV(t *testing.T) {
	var b bytes.Buffer
	if err := known(t).make("month", settings(), report.Options{}).WriteCSV(&b, "ja"); err != nil {
		t.Fatal(err)
	}
	plain, marked := bytes.CutPrefix(b.Bytes(), []byte("\uFEFF"))
	if !marked {
		t.Error("Excel takes it for Shift_JIS")
	}
	rows, err := csv.NewReader(bytes.NewReader(plain)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := [][]string{
		{"顧客企業", "営業担当", "2026-02", "2026-03", "2026-04", "2026-05", "合計"},
		{"株式会社山田製作所", "佐藤 健一", "6", "19.5", "87.5", "27", "140"},
		{"㈱青葉精機", "鈴木 美咲", "0", "0", "10", "8", "18"},
		{"東和物流（株）", "鈴木 美咲", "1", "0", "0", "0", "1"},
		{"'=若松商店", "高橋 大輔", "0", "0", "0", "0", "0"}, // no formula
	}
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
}

func TestWriteJSON(t *testing.T) {
	var b bytes.Buffer
	if err := known(t).make("month", settings(), report.Options{}).WriteJSON(&b, "en"); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Report string
		AsOf   string `json:"as_of"`
		Rows   []map[string]any
	}
	if err := json.Unmarshal(b.Bytes(), &got); err != nil {
		t.Fatalf("%v\n%s", err, &b)
	}
	if got.Report != "month" || got.AsOf != "2026-05-31" || len(got.Rows) != 4 || got.Rows[0]["2026-05"] != 27. || got.Rows[3]["account"] != "=若松商店" {
		t.Errorf("%+v", got)
	}
}

func TestWriteXLSX(t *testing.T) {
	var b bytes.Buffer
	if err := known(t).make("month", settings(), report.Options{}).WriteXLSX(&b, "ja"); err != nil {
		t.Fatal(err)
	}
	f, err := excelize.OpenReader(&b)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cell := func(at, want string) {
		t.Helper()
		if got, err := f.GetCellValue("表", at); err != nil || got != want {
			t.Errorf("%s is %q, %v; want %q", at, got, err, want)
		}
	}
	cell("A2", "株式会社山田製作所")
	cell("E2", "87.5")
	cell("A5", "=若松商店")
	if formula, err := f.GetCellFormula("表", "A5"); err != nil || formula != "" {
		t.Errorf("a company's name is the formula %q, %v", formula, err)
	}
	// A21: the more energy, the deeper the orange; none is white.
	fill := func(at string) string {
		t.Helper()
		id, err := f.GetCellStyle("表", at)
		if err != nil {
			t.Fatal(err)
		}
		style, err := f.GetStyle(id)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Join(style.Fill.Color, "")
	}
	for at, want := range map[string]string{"E2": "FF9A3C", "D2": "FFD9AD", "F3": "FFF1E0", "C5": ""} {
		if got := fill(at); got != want {
			t.Errorf("%s has the colour %q, want %q", at, got, want)
		}
	}
	tables, err := f.GetTables("表")
	if err != nil || len(tables) != 1 || tables[0].Range != "A1:G5" {
		t.Errorf("filters: %+v, %v", tables, err)
	}
}

func TestWriteHTML(t *testing.T) {
	table := known(t).make("month", settings(), report.Options{})
	rows := table.Rows
	table.Rows = func(yield func([]report.Value) bool) {
		for r := range rows {
			if r[0].Text == "=若松商店" {
				r[0].Text = "<script>alert(1)</script>"
			}
			if !yield(r) {
				return
			}
		}
	}
	var b bytes.Buffer
	if err := table.WriteHTML(&b, "ja"); err != nil {
		t.Fatal(err)
	}
	page := b.String()
	for _, want := range []string{`<html lang="ja">`, `<th scope="row" class="">株式会社山田製作所</th>`, `<td class="n h4">87.5</td>`, "&lt;script&gt;", "default-src &#39;none&#39;"} {
		if !strings.Contains(page, want) && !strings.Contains(page, strings.ReplaceAll(want, "&#39;", "'")) {
			t.Errorf("%s is not in the page", want)
		}
	}
	for _, not := range []string{"<script", "http://", "https://", "src="} {
		if strings.Contains(page, not) {
			t.Errorf("%s is in the page", not)
		}
	}
}

// TestWrite_tells_when_nothing_more_can_be_written: a full disk is an error in every format.
func TestWrite_tells_when_nothing_more_can_be_written(t *testing.T) {
	table := known(t).make("month", settings(), report.Options{})
	for name, write := range map[string]func(io.Writer, string) error{"text": table.WriteText, "csv": table.WriteCSV, "json": table.WriteJSON, "xlsx": table.WriteXLSX, "html": table.WriteHTML} {
		if err := write(full{}, "ja"); err == nil {
			t.Errorf("%s says nothing", name)
		}
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, io.ErrShortWrite }
