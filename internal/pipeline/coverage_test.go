package pipeline_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"energyd/internal/pipeline"
)

// TestCoverage: what falls through a mapping is counted, and nothing is stored.
func TestCoverage(t *testing.T) {
	h := newHistory(t, 0, "sqlite:"+filepath.Join(t.TempDir(), "energyd.db"))
	h.tables["accounts"].set("a0", map[string]any{"Id": "a0", "Code": "K0"})
	h.night(0, false)
	reports := h.tables["reports"]
	for id, values := range map[string]map[string]any{
		"r0": {"Code": "K0", "Kind": "訪問"}, "r1": {"Code": "K0", "Kind": "来訪"}, "r2": {"Code": "K0", "Kind": "来訪"}, "r3": {"Code": "K9", "Kind": "訪問"},
		"r4": {"Draft": "yes"}, "r5": {"Code": "K0", "Kind": "訪問", "Contact": "P7"},
	} {
		values["Id"] = id
		reports.set(id, values)
	}
	p := h.open(h.file, pipeline.Options{})
	defer p.Close()
	got, err := p.Coverage(context.Background(), "reports", 0)
	if err != nil {
		t.Fatal(err)
	}
	if r := got.Rejects["kind"]; !strings.Contains(r.Example, `does not know "来訪"`) || r.Where != "r1" {
		t.Errorf("%+v", r)
	}
	for code, r := range got.Rejects {
		got.Rejects[code] = pipeline.RejectedAs{Count: r.Count}
	}
	want := pipeline.Coverage{Source: "reports", Read: 6, Used: 2, Skips: map[string]int{"draft": 1}, Words: map[string]map[string]pipeline.Seen{"kinds": {"来訪": {Records: 2, Example: "r1"}}},
		Titles: map[string]pipeline.Seen{}, Unfound: map[string]int{"contact P7": 1}, Rejects: map[string]pipeline.RejectedAs{"kind": {Count: 2}, "account": {Count: 1}}}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if s := h.state(p); len(s.Activities) != 0 || len(s.Rejects) != 0 {
		t.Errorf("stored: %+v", s)
	}
	if few, err := p.Coverage(context.Background(), "reports", 3); err != nil || few.Read != 3 || !few.More {
		t.Errorf("limited: %+v, %v", few, err)
	}
	if _, err := p.Coverage(context.Background(), "report", 0); err == nil || !strings.Contains(err.Error(), `did you mean "reports"?`) {
		t.Errorf("an unknown source gives %v", err)
	}
}

// TestDryRun_severalContacts: a dry run shows each contact of a record, and those that it tells of no more.
func TestDryRun_severalContacts(t *testing.T) {
	h := newHistory(t, 0, "sqlite:"+filepath.Join(t.TempDir(), "energyd.db"))
	h.tables["accounts"].set("a0", map[string]any{"Id": "a0", "Code": "K0"})
	contact := func(kind string) any { return map[string]any{"Code": "K0", "Kind": kind, "Draft": nil} }
	h.tables["days"].set("d0", map[string]any{"Id": "d0", "Contacts": []any{contact("訪問"), contact("電話"), contact("訪問")}})
	h.night(0, false)
	h.tables["days"].set("d0", map[string]any{"Contacts": []any{contact("訪問"), contact("訪問")}})
	p := h.open(h.file, pipeline.Options{})
	defer p.Close()
	var got []string
	_, errs, err := p.DryRun(context.Background(), pipeline.DryRunOptions{}, func(s pipeline.Shown) error {
		if s.Activity.Deleted {
			got = append(got, s.Activity.ID+" gone")
		} else {
			got = append(got, s.Activity.ID+" "+string(s.Fate))
		}
		return nil
	}, "days")
	if want := "d0/1 unchanged, d0/2 changed, d0/3 gone"; err != nil || len(errs) > 0 || strings.Join(got, ", ") != want {
		t.Errorf("%q, %v, %v; want %s", got, errs, err, want)
	}
}
