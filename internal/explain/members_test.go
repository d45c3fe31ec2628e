package explain_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/engine"
	"energyd/internal/explain"
)

// TestExplain_members: of one visit in two sources both records are shown, and what the contact has of which.
func TestExplain_members(t *testing.T) {
	points := shipped(t)
	day := engine.DateOf(2026, 5, 1)
	acts := []engine.Activity{
		{Source: "events", ID: "00U1", At: day.Time(), Date: engine.NoDate, Kind: "visit", Account: "A", Mapping: "mappings/crm_event.yaml:16",
			People: []engine.Participant{{Contact: "C1"}}},
		{Source: "tasks", ID: "00T1", Date: day - 1, Kind: "phone", Account: "A"},
		{Source: "daily_report", ID: "42", Date: day, Kind: "visit_by_customer", Account: "A", Cues: []string{"question"}, Mapping: "mappings/daily_report.yaml:14",
			People: []engine.Participant{{Contact: "C1", Rank: "department_manager", Keyman: true}}},
	}
	x := &explain.Explainer{Points: points, HalfLife: 60, Language: "en", Names: func(engine.Entity) (string, error) { return "", nil }}
	e, err := x.Explain(acts, engine.Entity{Kind: engine.Account, ID: "A"}, engine.Score{AsOf: day})
	if err != nil {
		t.Fatal(err)
	}
	want := []explain.Member{
		{Source: "daily_report", Record: "42", Mapping: "mappings/daily_report.yaml:14", Gave: []engine.Given{engine.GaveKind, engine.GaveRank, engine.GaveKeyman, engine.GaveCues}},
		{Source: "events", Record: "00U1", Mapping: "mappings/crm_event.yaml:16", Gave: []engine.Given{engine.GaveTime, engine.GavePeople}},
	}
	if len(e.Parts) != 2 {
		t.Fatalf("parts: %+v", e.Parts)
	}
	if diff := cmp.Diff(want, e.Parts[0].Members); diff != "" || e.Parts[0].Points != 54 || e.Parts[0].Record != "42" {
		t.Errorf("the visit: %+v (-want +got):\n%s", e.Parts[0], diff)
	}
	if e.Parts[1].Members != nil {
		t.Errorf("the call has members: %+v", e.Parts[1].Members)
	}
}
