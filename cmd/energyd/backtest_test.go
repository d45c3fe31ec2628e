package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"energyd/internal/config"
	"energyd/internal/pipeline"
)

// made is a made-up company of the shared data: the hand-made table, and what really drove its outcomes.
type made struct {
	Naive  madeTable            `json:"naive"`
	Tables map[string]madeTable `json:"tables"`
	Truth  string               `json:"truth"`
}

type madeTable struct {
	Half   float64            `json:"half"`
	Points map[string]float64 `json:"points"`
	Rank   map[string]float64 `json:"rank"`
}

// points writes the table as a points file, and gives its name.
func (m madeTable) points(t *testing.T) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "version: hand\ntimezone: Asia/Tokyo\nhalf_life_days: %g\nmode: multiply\nkeyman_factor: 1\ncc_factor: 0.2\ncue_limit: 2\nkinds:\n", m.Half)
	for kind, points := range m.Points {
		fmt.Fprintf(&b, "  %s: {points: %g} # %s\n", kind, max(0, points), kind)
	}
	b.WriteString("ranks:\n  unknown: {points: 1}\n")
	for i, rank := range []string{"staff", "chief", "section_manager", "department_manager", "executive", "president"} {
		fmt.Fprintf(&b, "  %s: {points: %g, class: staff}\n", rank, m.Rank[fmt.Sprint(i+1)])
	}
	b.WriteString("additional_participants: {share: 0.25, limit: 2}\nbands:\n  - {name: cold}\n")
	file := filepath.Join(t.TempDir(), "points.yaml")
	write(t, file, b.String())
	return file
}

func backtested(t *testing.T, dir, points string, more ...string) pipeline.Reviewed {
	t.Helper()
	args := append([]string{"backtest", "--json", "--activities", dir + "/events.csv", "--deals", dir + "/deals.csv", "--points", points, "--train-until", "2025-03-31"}, more...)
	var r pipeline.Reviewed
	if err := json.Unmarshal([]byte(mustRun(t, 0, args...)), &r); err != nil {
		t.Fatal(err)
	}
	return r
}

// The samples of shared/data: a good table is left alone or loses nothing, a poor one is repaired.
func TestBacktest_samples(t *testing.T) {
	for _, c := range []struct {
		name   string
		change bool
	}{{"selfmade_a", false}, {"selfmade_b", true}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := "../../../shared/data/" + c.name
			text, err := os.ReadFile(dir + "/truth.json")
			if err != nil {
				t.Fatal(err)
			}
			var company made
			if err := json.Unmarshal(text, &company); err != nil {
				t.Fatal(err)
			}
			truth := backtested(t, dir, company.Tables[company.Truth].points(t)).Present.AUC.Value
			next := filepath.Join(t.TempDir(), "next.yaml")
			hand := company.Naive.points(t)
			r := backtested(t, dir, hand, "--review", "--out", next)
			t.Logf("hand %.3f, fitted %.3f, truth %.3f, half-life %g → %g; %s", r.Present.AUC.Value, r.Proposed.AUC.Value, truth, r.HalfLife.Present, r.HalfLife.Proposed, r.Verdict.Reason)
			if r.Verdict.Change != c.change {
				t.Errorf("change is %v", r.Verdict.Change)
			}
			after := r.Present.AUC.Value
			if r.Verdict.Change {
				after = r.Proposed.AUC.Value
			}
			if after < r.Present.AUC.Value-0.015 {
				t.Errorf("AUC %.3f, the hand-made table has %.3f", after, r.Present.AUC.Value)
			}
			if !c.change && after < truth-0.01 {
				t.Errorf("AUC %.3f, the truth has %.3f", after, truth)
			}
			if c.change {
				if before := r.Present.AUC.Value; after < before+0.7*(truth-before) {
					t.Errorf("AUC %.3f → %.3f, the truth has %.3f", before, after, truth)
				}
				if half := company.Tables[company.Truth].Half; r.HalfLife.Proposed < half/2 || r.HalfLife.Proposed > half*2 {
					t.Errorf("half-life %g, the truth has %g", r.HalfLife.Proposed, half)
				}
			}
			// The table that was written does what was told of it.
			if again := backtested(t, dir, next).Present.AUC.Value; again < r.Proposed.AUC.Value-1e-9 || again > r.Proposed.AUC.Value+1e-9 {
				t.Errorf("the fitted table has AUC %.6f, %.6f was told", again, r.Proposed.AUC.Value)
			}
			was, err := config.LoadPoints(hand)
			if err != nil {
				t.Fatal(err)
			}
			now, err := config.LoadPoints(next)
			if err != nil {
				t.Fatal(err)
			}
			if now.Version == was.Version || len(now.Kinds) != len(was.Kinds) || strings.Count(r.Table, "#") != len(was.Kinds) {
				t.Errorf("the table that was written:\n%s", r.Table)
			}
		})
	}
}

func TestBacktest_wrongFiles(t *testing.T) {
	dir := "../../../shared/data/selfmade_a"
	points := madeTable{Half: 30, Points: map[string]float64{"訪問": 5}, Rank: map[string]float64{}}.points(t)
	file := filepath.Join(t.TempDir(), "deals.csv")
	for _, c := range []struct{ deals, says string }{
		{"deal_id,account_id\n", "has no column opened_at"},
		{"deal_id,account_id,opened_at,closed_at,outcome\nD1,A1,2025-01-01,2025-02-01,maybe\n", `the outcome "maybe" is none of won, lost, open`},
		{"deal_id,account_id,opened_at,closed_at,outcome\nD1,A1,1.4.2025,2025-02-01,won\n", `opened_at "1.4.2025" is neither a date`},
		{"deal_id,account_id,opened_at,closed_at,outcome\nD1,A1,2025-01-01,,won\n", "was won, but has no closed_at"},
	} {
		write(t, file, c.deals)
		var out, errs strings.Builder
		code := run(t.Context(), []string{"backtest", "--activities", dir + "/events.csv", "--deals", file, "--points", points}, &out, &errs)
		if code != exitUsage || !strings.Contains(errs.String(), c.says) {
			t.Errorf("exit code %d: %s", code, errs.String())
		}
	}
	// 39 won and 60 lost: case 71.
	var b strings.Builder
	b.WriteString("deal_id,account_id,opened_at,closed_at,outcome\n")
	for i, outcome := range slices.Concat(slices.Repeat([]string{"won"}, 39), slices.Repeat([]string{"lost"}, 60)) {
		fmt.Fprintf(&b, "D%05d,A%04d,2025-01-01,2025-03-01,%s\n", i+1, i%80+1, outcome)
	}
	write(t, file, b.String())
	var out, errs strings.Builder
	code := run(t.Context(), []string{"backtest", "--review", "--activities", dir + "/events.csv", "--deals", file, "--points", points}, &out, &errs)
	if code != exitFailed || !strings.Contains(out.String(), "1 more won deal") {
		t.Errorf("exit code %d: %s%s", code, out.String(), errs.String())
	}
}
