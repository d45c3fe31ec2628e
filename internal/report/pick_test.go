package report_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/internal/report"
)

// TestTable_Pick: rows are chosen by whom they are about, and a row asked for by itself is that of the walk.
func TestTable_Pick(t *testing.T) {
	c := known(t)
	for _, name := range []string{"month", "rank", "attention", "deals", "past", "ranking", "crosssell"} {
		t.Run(name, func(t *testing.T) {
			s := settings()
			s.CrossSell.Owners = 1
			whole := c.make(name, s, report.Options{Months: 12})
			var walked [][]report.Value
			for row := range whole.Rows {
				walked = append(walked, slices.Clone(row))
			}
			if len(walked) != whole.Count {
				t.Fatalf("%d rows, and %d are told", len(walked), whole.Count)
			}
			var backwards []int32
			for i := range whole.Count {
				backwards = append(backwards, int32(whole.Count-1-i))
				if diff := cmp.Diff(walked[i], whole.Row(i, nil)); diff != "" {
					t.Error(diff)
				}
			}
			picked := whole.Pick(backwards)
			var got [][]report.Value
			for row := range picked.Rows {
				got = append(got, slices.Clone(row))
			}
			slices.Reverse(got)
			if diff := cmp.Diff(walked, got); diff != "" {
				t.Error(diff)
			}
			for i := range whole.Count {
				if about := whole.About(i); about != picked.About(whole.Count-1-i) || about.OwnerName != owner(whole, walked[i]) {
					t.Errorf("row %d is about %+v", i, about)
				}
			}
		})
	}
}

// owner is what a row shows as its sales person.
func owner(t *report.Table, row []report.Value) string {
	return row[slices.IndexFunc(t.Columns, func(c report.Column) bool { return c.Key == "owner" })].Text
}

// TestTable_About: customers are told by segment, importance and the lists that they are in.
func TestTable_About(t *testing.T) {
	table := known(t).make("month", settings(), report.Options{})
	got := map[string]report.Subject{}
	for i := range table.Count {
		about := table.About(i)
		about.Band = 0 // that of the score, held elsewhere
		got[about.Account] = about
	}
	want := map[string]report.Subject{
		"a1": {Account: "a1", Owner: "u1", OwnerName: "佐藤 健一", Segment: "製造", Important: true},
		"a2": {Account: "a2", Owner: "u2", OwnerName: "鈴木 美咲", Segment: "製造", Important: true},
		"a3": {Account: "a3", Owner: "u2", OwnerName: "鈴木 美咲", Segment: "物流", Low: true, Halved: true},
		"a4": {Account: "a4", Owner: "u3", OwnerName: "高橋 大輔", Segment: "物流", Low: true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
