package explain_test

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/explain"
)

// shipped compiles the points table that energyd ships.
func shipped(t *testing.T) *engine.Points {
	t.Helper()
	table, err := config.LoadPoints("../../configs/points.yaml")
	if err != nil {
		t.Fatal(err)
	}
	points, err := engine.Compile(table)
	if err != nil {
		t.Fatal(err)
	}
	return points
}

// TestExplain: the sentences, the arithmetic and the sums, in both languages, with the shipped points table.
func TestExplain(t *testing.T) {
	points := shipped(t)
	day := engine.DateOf(2026, 5, 1)
	acts := []engine.Activity{
		{Source: "crm", ID: "1", Date: day, Kind: "visit", Account: "A", Mapping: "mappings/crm_event.yaml:16", Deals: []engine.Share{{ID: "D1"}, {ID: "D2"}},
			People: []engine.Participant{{Contact: "C1", Rank: "department_manager", Keyman: true}, {Contact: "C2", Rank: "staff"}, {Contact: "C3", Rank: "staff"}}},
		{Source: "日報", ID: "7", Date: day - 60, Kind: "phone", Direction: engine.Inbound, Account: "A", Cues: []string{"question"},
			People: []engine.Participant{{Contact: "C2", Rank: "staff"}}},
		{Source: "日報", ID: "8", Date: day - 1, Kind: "visit", Account: "A", Status: engine.Cancelled},
	}
	names := map[string]string{"A": "株式会社山田製作所", "C1": "山田 太郎", "C2": "佐藤 花子"}
	type line struct{ Sentence, Rule string }
	for language, want := range map[string]map[engine.Entity][]line{
		"ja": {
			{Kind: engine.Account, ID: "A"}: {
				{"2026-05-01 訪問 山田 太郎（部長・キーマン）、佐藤 花子（担当） ほか1名 30点",
					"役職 3 × キーマン 1.5 × 接触方法 6 = 27; 役職 1 × 接触方法 6 = 6; 役職 1 × 接触方法 6 = 6 → 30"},
				{"2026-03-02 電話（先方から） 佐藤 花子（担当） 4.8点", "役職 1 × 接触方法 4 × 資料に対して質問 1.2 = 4.8"},
			},
			{Kind: engine.Contact, ID: "C3"}: {{"2026-05-01 訪問 担当 6点", "役職 1 × 接触方法 6 = 6"}},
			{Kind: engine.Deal, ID: "D1"}: {{"2026-05-01 訪問 山田 太郎（部長・キーマン）、佐藤 花子（担当） ほか1名 15点",
				"役職 3 × キーマン 1.5 × 接触方法 6 = 27; 役職 1 × 接触方法 6 = 6; 役職 1 × 接触方法 6 = 6 → 30、按分 15"}},
		},
		"en": {
			{Kind: engine.Account, ID: "A"}: {
				{"2026-05-01 visit 山田 太郎 (department manager, keyman), 佐藤 花子 (staff) and 1 more 30 points",
					"rank 3 × keyman 1.5 × kind 6 = 27; rank 1 × kind 6 = 6; rank 1 × kind 6 = 6 → 30"},
				{"2026-03-02 phone call (from them) 佐藤 花子 (staff) 4.8 points", "rank 1 × kind 4 × question 1.2 = 4.8"},
			},
		},
	} {
		x := &explain.Explainer{Points: points, HalfLife: 60, Language: language, Names: func(e engine.Entity) (string, error) { return names[e.ID], nil }}
		for e, lines := range want {
			got, err := x.Explain(acts, e, engine.Score{AsOf: day})
			if err != nil {
				t.Fatal(err)
			}
			var gotLines []line
			for _, p := range got.Parts {
				gotLines = append(gotLines, line{p.Sentence, p.Rule})
			}
			if diff := cmp.Diff(lines, gotLines); diff != "" {
				t.Errorf("%s, %v (-want +got):\n%s", language, e, diff)
			}
		}
	}
	x := &explain.Explainer{Points: points, HalfLife: 60, Language: "ja", Names: func(engine.Entity) (string, error) { return "", nil }}
	e, err := x.Explain(acts, engine.Entity{Kind: engine.Account, ID: "A"}, engine.Score{AsOf: day})
	if err != nil {
		t.Fatal(err)
	}
	sum := 0.0
	for _, p := range e.Parts {
		sum += p.Share
	}
	if math.Abs(sum-(30+2.4)) > 1e-9 {
		t.Errorf("the parts add up to %g today, want 32.4", sum)
	}
	if e.Parts[1].Source != "日報" || e.Parts[1].Record != "7" || e.Parts[0].Mapping != "mappings/crm_event.yaml:16" {
		t.Errorf("the way back to the source is lost: %+v", e.Parts)
	}
}

// TestExplain_adds_up: the shares, rounded to the thousandth as they are shown, add up to the temperature as it is shown.
func TestExplain_adds_up(t *testing.T) {
	points := shipped(t)
	day := engine.DateOf(2026, 5, 1)
	e := engine.Entity{Kind: engine.Account, ID: "A"}
	var acts []engine.Activity
	for i := range 40 { // each leaves a part that no thousandth is
		acts = append(acts, engine.Activity{Source: "crm", ID: string(rune('a' + i)), Date: day - engine.Date(i*i/7), Kind: "visit", Account: "A"})
	}
	var cells []engine.Cell
	points.Contributions(acts, func(_ int, c engine.Contribution) {
		if c.Entity == e {
			cells = append(cells, c.Cell)
		}
	})
	score := points.Evaluate(engine.Account, engine.SortCells(cells), day)
	x := &explain.Explainer{Points: points, Language: "en", Names: func(engine.Entity) (string, error) { return "", nil }}
	got, err := x.Explain(acts, e, score)
	if err != nil {
		t.Fatal(err)
	}
	sum, plain := int64(0), int64(0)
	for _, p := range got.Parts {
		sum += int64(math.Round(p.Share * 1000))
		plain += int64(math.Round(p.Of.Share * 1000))
		if math.Abs(p.Share-p.Of.Share) >= 0.001 {
			t.Errorf("%v is shown as %v", p.Of.Share, p.Share)
		}
	}
	if want := int64(math.Round(score.Temperature * 1000)); sum != want || plain == want {
		t.Errorf("the parts add up to %d thousandths, each rounded by itself to %d; the temperature is %d", sum, plain, want)
	}
}
