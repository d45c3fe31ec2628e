package file

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/connectors"
)

// TestSheet_totals_below_merged_dates: a date drawn over its rows also covers their subtotal.
func TestSheet_totals_below_merged_dates(t *testing.T) {
	f := newFolder(t)
	b := newBook(t)
	b.rows("日報", 1, []any{"日付", "顧客", "件数"}, []any{"3/2", "K1", 1}, []any{nil, "K2", 1}, []any{nil, "【小計】", 2}, []any{"3/3", "K3", 1}, []any{nil, "合　計：", 3}, []any{"※ 以上", nil, nil})
	b.must(b.MergeCell("日報", "A2", "A4"))
	b.must(b.MergeCell("日報", "A5", "A6"))
	b.save(f.path("3月.xlsx"))
	want := []string{
		"3月.xlsx/1 @3月.xlsx 日報!2 3/2|K1|1", "3月.xlsx/2 @3月.xlsx 日報!3 3/2|K2|1", "3月.xlsx/3 @3月.xlsx 日報!5 3/3|K3|1",
		"3月.xlsx/4 @3月.xlsx 日報!7 ※ 以上|<nil>|<nil>", "skipped totals row: 2",
	}
	if diff := cmp.Diff(want, f.read(func(s *Stream) { s.StopAt = []string{"※"} })); diff != "" {
		t.Error(diff)
	}
}

// TestPeriod_of_a_sheet: the year of the sheet 4月 stands in the file's name; 2026年度 goes on to March 2027.
func TestPeriod_of_a_sheet(t *testing.T) {
	for _, tt := range []struct{ file, sheet, period string }{
		{"2026年度日報.xlsx", "4月", "2026-04"},
		{"2026年度日報.xlsx", "1月度", "2027-01"},
		{"令和8年度_営業.xlsx", "３月", "2027-03"},
		{"日報2026.xlsx", "1月", "2026-01"},
		{"2026年3月まで.xlsx", "12月", "2026-12"},
		{"日報.xlsx", "4月", ""},
		{"日報.xlsx", "2026年4月", "2026-04"},
		{"2025年度.xlsx", "2026年4月", "2026-04"},
		{"2026年度.xlsx", "佐藤", "2026年度"},
	} {
		table := newTable(&Stream{Period: "sheet"}, "営業部/"+tt.file, tt.sheet, nil)
		if got := table.period.String(); got != tt.period {
			t.Errorf("sheet %s of %s: got %q, want %q", tt.sheet, tt.file, got, tt.period)
		}
	}
	for text, want := range map[string]string{"2026年度": "2026年度", "2026年度_4月分": "2026-04", "2026年度（2月）": "2027-02", "日報2026 3月": "2026-03", "2026年度 13月": "2026年度"} {
		if got := periodIn(text).String(); got != want {
			t.Errorf("%s: got %q, want %q", text, got, want)
		}
	}
}

// TestMonthOf_dates_as_columns_hold_them: with replaces: month they say which month a row replaces.
func TestMonthOf_dates_as_columns_hold_them(t *testing.T) {
	for _, tt := range []struct {
		value  any
		period period
		want   string // "" = not to be told
	}{
		{"2026/3/1", period{}, "2026-03"},
		{"46083", period{}, "2026-03"},
		{int64(46083), period{}, "2026-03"},
		{46083.604, period{}, "2026-03"},
		{int64(20260302), period{}, "2026-03"},
		{time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC), period{}, "2026-03"},
		{"3/2", period{year: 2026}, "2026-03"},
		{"３月２日（月）", period{year: 2026, month: 3}, "2026-03"},
		{"12/28", period{year: 2026, month: 1}, "2025-12"},
		{"1/4", period{year: 2026, month: 12}, "2027-01"},
		{"8/1", period{year: 2026, month: 1}, "2025-08"},
		{"6/30", period{year: 2026, month: 12}, "2026-06"},
		{"5/31", period{year: 2026, month: 12}, "2027-05"},
		{"2/3", period{year: 2026, fiscal: true}, "2027-02"},
		{"3/2", period{}, ""},
		{"14:30", period{year: 2026}, ""},
		{"13/2", period{year: 2026}, ""},
		{int64(17), period{year: 2026, month: 3}, ""},
		{"99999", period{}, ""},
		{true, period{}, ""},
	} {
		got, ok := monthOf(tt.value, tt.period)
		if ok != (tt.want != "") || ok && got.String() != tt.want {
			t.Errorf("monthOf(%v, %v) = %v, %v; want %q", tt.value, tt.period, got, ok, tt.want)
		}
	}
}

// TestSource_a_new_file_that_cannot_be_used does not say that it stands for anything.
func TestSource_a_new_file_that_cannot_be_used(t *testing.T) {
	f := newFolder(t)
	f.write("3月.csv", "日付,件\n3/1,1\n")
	for range 2 {
		got := f.read(func(s *Stream) { s.SelectColumns([]string{"日付", "内容"}) })
		if len(got) != 1 || !strings.Contains(got[0], `no column "内容"`) || strings.Contains(got[0], "stands") {
			t.Errorf("got %q", got)
		}
	}
}

// TestSource_a_file_of_nothing is told from one without a header.
func TestSource_a_file_of_nothing(t *testing.T) {
	for text, want := range map[string]string{"": "header: 3月.csv: the file is empty", "\n\n": "header: 3月.csv: there is no header"} {
		f := newFolder(t)
		f.write("3月.csv", text)
		if got := f.read(func(*Stream) {}); len(got) != 1 || !strings.Contains(got[0], want) {
			t.Errorf("%q gives %q, want %s", text, got, want)
		}
	}
}

// TestSource_a_renamed_file replaces what it said under its old name, where nothing else of it is known.
func TestSource_a_renamed_file(t *testing.T) {
	f := newFolder(t)
	f.write("日報.csv", lines30(3, "x"))
	f.write("other.csv", lines30(2, "y"))
	f.read(func(*Stream) {})
	if err := os.Rename(f.path("日報.csv"), f.path("日報(3月).csv")); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"日報(3月).csv/1 @日報(3月).csv:2 2026/3/1|x", "日報(3月).csv/2 @日報(3月).csv:3 2026/3/2|x", "日報(3月).csv/3 @日報(3月).csv:4 2026/3/3|x",
		"deleted 日報.csv/1", "deleted 日報.csv/2", "deleted 日報.csv/3",
	}
	if diff := cmp.Diff(want, f.read(func(*Stream) {})); diff != "" {
		t.Error(diff)
	}
	// A file that is gone, and another one that is new.
	f.write("4月.csv", lines30(1, "z"))
	if err := os.Remove(f.path("other.csv")); err != nil {
		t.Fatal(err)
	}
	if got := f.read(func(*Stream) {}); len(got) != 1 {
		t.Errorf("a new file gives %q", got)
	}
	f.write("other.csv", lines30(2, "y"))
	f.read(func(*Stream) {})
	// A copy is a file of its own: the old one is still there.
	f.write("copy of other.csv", lines30(2, "y"))
	if got := f.read(func(*Stream) {}); len(got) != 2 {
		t.Errorf("a copy gives %q", got)
	}
	if got := f.read(func(*Stream) {}); got != nil {
		t.Errorf("then %q", got)
	}
}

// TestStatement_each_row_follows_the_deletion_of_its_older_version, the last one too: it may become no activity now.
func TestStatement_each_row_follows_the_deletion_of_its_older_version(t *testing.T) {
	for replaces, unit := range map[string]string{replacesFile: "3月.csv", replacesMonth: "2026-03"} {
		f := newFolder(t)
		set := func(s *Stream) {
			s.Replaces, s.Header.Row, s.Columns = replaces, 0, []string{"日付", "件"}
			if replaces == replacesMonth {
				s.Month = "日付"
			}
		}
		f.write("3月.csv", "2026/3/1,a\n2026/3/2,b\n")
		f.read(set)
		f.write("3月.csv", "2026/3/1,a\n2026/3/2,c\n")
		want := []string{
			"deleted " + unit + "/1", unit + "/1 @3月.csv:1 2026/3/1|a", "deleted " + unit + "/2", unit + "/2 @3月.csv:2 2026/3/2|c",
		}
		if diff := cmp.Diff(want, f.read(set)); diff != "" {
			t.Errorf("%s: %s", replaces, diff)
		}
	}
}

// TestStatement_a_file_with_an_older_time is the later word all the same: a copy from a backup keeps its time.
func TestStatement_a_file_with_an_older_time(t *testing.T) {
	f := newFolder(t)
	records := map[string]connectors.Record{}
	for _, value := range []string{"x", "y", "z"} {
		writeFile(t, f.path("3月.csv"), lines30(2, value))
		f.now = f.now.Add(-time.Hour)
		if err := os.Chtimes(f.path("3月.csv"), f.now, f.now); err != nil {
			t.Fatal(err)
		}
		batches, err := f.batches(func(*Stream) {})
		if err != nil {
			t.Fatal(err)
		}
		stand(records, batches)
	}
	want := []string{"3月.csv/1 @3月.csv:2 2026/3/1|z", "3月.csv/2 @3月.csv:3 2026/3/2|z"}
	if diff := cmp.Diff(want, standing(records)); diff != "" {
		t.Error(diff)
	}
}

// TestFolder_times_in_the_future are of another clock: they say nothing of whether a file is still being written.
func TestFolder_times_in_the_future(t *testing.T) {
	now := time.Date(2026, 5, 1, 9, 0, 0, 0, time.UTC)
	for age, want := range map[time.Duration]bool{
		time.Hour: true, 10 * time.Second: true, 9 * time.Second: false, 0: false, -9 * time.Second: false, -time.Minute: true,
	} {
		if got := (found{mtime: now.Add(-age).UnixMicro()}).settled(now, 10*time.Second); got != want {
			t.Errorf("changed %v ago: settled is %v", age, got)
		}
	}
}
