package mapping_test

import (
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/config"
	"energyd/mapping"
)

// readCSV gives the records of a CSV file as a database would: empty fields are null.
func readCSV(t testing.TB, file string) []connectors.Record {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	columns := connectors.NewColumns(rows[0])
	records := make([]connectors.Record, len(rows)-1)
	for i, row := range rows[1:] {
		values := make([]any, len(row))
		for j, v := range row {
			if v != "" {
				values[j] = v
			}
		}
		records[i] = connectors.Record{Key: row[0], Columns: columns, Values: values, Origin: "daily_report/" + row[0]}
	}
	return records
}

func sampleMapping(t testing.TB) *mapping.Mapping {
	t.Helper()
	titles, err := config.LoadTitles("", nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := config.LoadMapping("testdata/gen.yaml", mapping.Env{Source: "gen", File: "gen.yaml", Titles: titles})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range m.RunTests() {
		if r.Err != nil {
			t.Fatalf("%s: %v", r.Name, r.Err)
		}
	}
	return m
}

// TestApply_generated maps a generated sample (crmgen -events 500 -accounts 50
// -contacts 120 -deals 40 -reps 20) and compares each row with the generator's
// truth. MAPPING_SAMPLE names the folder of a larger one.
func TestApply_generated(t *testing.T) {
	dir := os.Getenv("MAPPING_SAMPLE")
	if dir == "" {
		dir = "testdata"
	}
	m := sampleMapping(t)
	records, truth := readCSV(t, filepath.Join(dir, "daily_report.csv")), readCSV(t, filepath.Join(dir, "events.csv"))
	unknownTitles := map[string]int{}
	for i, r := range records {
		result, err := m.Apply(r, nil)
		if err != nil {
			t.Fatalf("row %s: %v", r.Key, err)
		}
		want := func(name string) string { s, _ := truth[i].Value(name).(string); return s }
		unix := func(name string) int64 { n, _ := strconv.ParseInt(want(name), 10, 64); return n }
		a := result.Activity
		if a.Kind != want("kind") || a.At.Unix() != unix("ts") || a.Version != unix("updated_at")*1e6 ||
			a.Account != want("account_id") || firstID(a.Deals) != want("deal_id") || firstID(a.Reps) != want("rep_id") ||
			a.ID != want("source")+"/"+want("ext_key") {
			t.Fatalf("row %s: got %+v, want %v", r.Key, a, truth[i].Fields())
		}
		if code, _ := r.Value("contact_code").(string); code != "" && (len(a.People) != 1 || a.People[0].Contact != want("contact_id")) {
			t.Fatalf("row %s: got people %+v, want %s", r.Key, a.People, want("contact_id"))
		}
		if result.UnknownTitle != "" {
			unknownTitles[result.UnknownTitle]++
		}
	}
	if len(unknownTitles) > 0 {
		t.Errorf("titles not understood: %v", unknownTitles)
	}
}

func firstID(shares []engine.Share) string {
	if len(shares) == 0 {
		return ""
	}
	return shares[0].ID
}

// BenchmarkApply maps 16-column daily reports; the budget of one is 3 µs.
func BenchmarkApply(b *testing.B) {
	m := sampleMapping(b)
	records := readCSV(b, "testdata/daily_report.csv")
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		if _, err := m.Apply(records[i%len(records)], nil); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

func TestApply_rejects(t *testing.T) {
	m := sampleMapping(t)
	columns := connectors.NewColumns(m.Columns())
	apply := func(change map[string]any) (mapping.Result, error) {
		values := map[string]any{"report_date": "2026-09-30", "start_time": "08:30", "activity": "訪問", "account_code": "A1",
			"source": "sfa", "ext_key": "7", "updated_at": "2026-09-30T10:00:00Z"}
		for k, v := range change {
			values[k] = v
		}
		r := connectors.Record{Key: "1", Columns: columns}
		for _, name := range columns.Names {
			r.Values = append(r.Values, values[name])
		}
		return m.Apply(r, nil)
	}
	if _, err := apply(nil); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		change       map[string]any
		code, reason string
	}{
		{map[string]any{"activity": "訪門"}, "kind", `activity.kind: lookups.kinds does not know "訪門"; the nearest it knows is "訪問"; add a line for it to the mapping; the next pull reads the source again`},
		{map[string]any{"activity": int64(9)}, "kind", `activity.kind: lookups.kinds does not know "9"; add a line for it to the mapping; the next pull reads the source again`},
		{map[string]any{"activity": nil}, "kind", `activity.kind: the value is empty, and lookups.kinds has no line "" for that; add it or a skip rule to the mapping; the next pull reads the source again`},
		{map[string]any{"report_date": "2026-02-30"}, "date", `activity.at: "2026-02-30" is impossible: month 2 of 2026 has 28 days`},
		{map[string]any{"report_date": nil}, "date", `activity.at gives no date for this record`},
		{map[string]any{"account_code": ""}, "account", `the record names no account; skip such records by a rule if they are no contacts`},
		{map[string]any{"memo": "\x8e\xbf"}, "encoding", `the column "memo" is not UTF-8 ("\x8e\xbf"); repair it at its source; the record is read again when it changes`},
		{map[string]any{"updated_at": nil}, "value", `activity.version gives no time and no whole number, so versions of the record cannot be told apart`},
		{map[string]any{"source": int64(3)}, "value", `activity.id: cannot add the number 3 and the text "/"; text(…) makes a text of a number`},
		{map[string]any{"account_code": []any{"A"}}, "value", `activity.account: needs a text or a number, and the value is a list or an object`},
	} {
		t.Run(c.code, func(t *testing.T) {
			_, err := apply(c.change)
			reject, ok := err.(*mapping.RejectError)
			if !ok || reject.Code != c.code || reject.Reason != c.reason {
				t.Errorf("got %#v\nwant %s: %s", err, c.code, c.reason)
			}
		})
	}
	_, err := m.Apply(connectors.Record{Key: "1", Columns: connectors.NewColumns([]string{"memo"}), Values: []any{"x"}}, nil)
	if reject, ok := err.(*mapping.RejectError); !ok || reject.Code != "column" {
		t.Errorf("a record without the columns gives %#v", err)
	}
}

func TestApply_deleted(t *testing.T) {
	m := sampleMapping(t)
	deletedAt := time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC)
	r := connectors.Record{Key: "1", Deleted: true, ChangedAt: deletedAt,
		Columns: connectors.NewColumns([]string{"source", "ext_key"}), Values: []any{"sfa", "7"}}
	got, err := m.Apply(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	if a := got.Activity; !a.Deleted || a.ID != "sfa/7" || a.Source != "gen" || a.Version != deletedAt.UnixMicro() {
		t.Errorf("got %+v", a)
	}
	r.Columns, r.Values = nil, nil // a delete feed that gives the key alone
	if _, err := m.Apply(r, nil); err == nil {
		t.Error("a deletion whose id cannot be computed is not a reject")
	}
}
