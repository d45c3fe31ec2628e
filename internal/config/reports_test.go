package config

import (
	"cmp"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"energyd/mapping"
)

// TestExamples_reports: the example for free text has a test of each shared report, and expects what is expected of it.
func TestExamples_reports(t *testing.T) {
	text, err := os.ReadFile("../../../shared/data/daily_reports/reports.json")
	if err != nil {
		t.Fatal(err)
	}
	var reports []struct {
		ID, Date, Text string
		Expected       []struct{ Kind, Title string }
	}
	if err := json.Unmarshal(text, &reports); err != nil || len(reports) < 6 {
		t.Fatalf("%d reports, %v", len(reports), err)
	}
	var cfg mapping.Config
	if err := open(examples+"/mappings/daily_report_text.yaml").into(&cfg, func() error { return nil }); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]string{"訪問": "visit", "Web会議": "web_meeting", "電話(不在)": "attempt", "メール受信": "mail", "会食": "meal", "展示会": "exhibition"}
	for _, r := range reports {
		i := slices.IndexFunc(cfg.Tests, func(t mapping.Test) bool { return t.Record["report_id"] == r.ID })
		if i < 0 {
			t.Errorf("the example has no test of %s", r.ID)
			continue
		}
		test := cfg.Tests[i]
		if test.Record["memo"] != r.Text || test.Record["report_date"] != r.Date {
			t.Errorf("%s: the test has another text or day", r.ID)
		}
		var want, got []string
		for _, e := range r.Expected {
			want = append(want, kinds[e.Kind]+" "+e.Title)
		}
		contacts, _ := test.Expect.([]any)
		for _, c := range contacts {
			contact := c.(map[string]any)
			people, _ := contact["participants"].([]any)
			if len(people) == 0 {
				got = append(got, fmt.Sprint(contact["kind"], " "))
			}
			for _, p := range people {
				title, _ := p.(map[string]any)["title"].(string)
				got = append(got, fmt.Sprint(contact["kind"], " ", cmp.Or(title, "")))
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-expected of the report +expected of the mapping)\n%s", r.ID, diff)
		}
	}
}
