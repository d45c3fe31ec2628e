package pipeline_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"energyd/engine"
	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/store"
	"energyd/sink"
)

// override sends a plan that brakes hold.
func (c company) override(sum sink.Summary, reason string) {
	c.Helper()
	p := openWith(c.T, c.world.Config, pipeline.Options{AsOf: engine.NoDate, Override: reason, Who: "tester"})
	defer func() {
		if err := p.Close(); err != nil {
			c.Error(err)
		}
	}()
	if _, out, err := p.Apply(c.Context(), sum.Plan); err != nil || out.Written == 0 {
		c.Errorf("plan %s, sent with a reason: %+v, %v", sum.Plan, out, err)
	}
}

// A braked sync writes nothing and is parked, the next one too; status says why, and an override is journaled.
func TestSync_parks_what_brakes_hold(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.sync()
	before := c.account("K0001")["Energy__c"]
	points := filepath.Join(c.dir, "points.yaml")
	text, err := os.ReadFile(points)
	if err != nil {
		t.Fatal(err)
	}
	tenfold := strings.Replace(string(text), "executive, points: 5", "executive, points: 500", 1)
	tenfold = strings.ReplaceAll(tenfold, "{points: 6,", "{points: 600,")
	if tenfold == string(text) {
		t.Fatal("the points table has no such line")
	}
	if err := os.WriteFile(points, []byte(strings.Replace(tenfold, `version: "`, `version: "x`, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
	c = c.reopened(engine.NoDate)
	var sum sink.Summary
	for range 2 {
		var r pipeline.Report
		var out sink.Outcome
		r, sum, out = c.sync()
		if r.State != store.Parked || out.Planned != 0 || sum.Records == 0 || !strings.Contains(strings.Join(r.Notes, "\n"), `--override "the reason"`) {
			t.Fatalf("the run is %s: %q; %+v, %+v", r.State, r.Notes, sum, out)
		}
	}
	if now := c.account("K0001")["Energy__c"]; now != before {
		t.Errorf("the account holds %v, want %v as before", now, before)
	}
	s, err := c.Status(t.Context())
	if err != nil || s.Plan == nil || s.Plan.Plan != sum.Plan || len(s.Plan.Brakes) == 0 || s.Runs[0].State != store.Parked {
		t.Errorf("status shows %+v, %v", s.Plan, err)
	}
	if r, _, err := c.Apply(t.Context(), sum.Plan); fault.KindOf(err) != fault.Braked || r.State != store.Parked {
		t.Errorf("without a reason the apply is %s: %v", r.State, err)
	}
	c.override(sum, "the new table is right")
	journal, err := c.Store().Journal(t.Context(), store.JournalFilter{})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(journal, func(e store.JournalEntry) bool {
		return e.Act == store.Overrode && e.Who == "tester" && e.Reason == "the new table is right" && e.Subject == sum.Run
	}) {
		t.Errorf("the journal has %+v", journal)
	}
	if n := len(slices.DeleteFunc(journal, func(e store.JournalEntry) bool { return e.Act != store.Applied })); n != 2 {
		t.Errorf("%d applies are journaled, want 2: what was refused is none", n)
	}
	if r, again, _ := c.sync(); again.Records != 0 || r.State == store.Parked {
		t.Errorf("the night after is %s and plans %d", r.State, again.Records)
	}
}

// A source that was not read for days, or most of whose records were rejected, brakes the write-back until it is well again.
func TestSync_brakes_by_sources(t *testing.T) {
	t.Parallel()
	n := newNights(t)
	n.night()
	db := n.reports()
	defer db.Close()
	must := func(statement string) {
		t.Helper()
		if _, err := db.Exec(statement); err != nil {
			t.Fatal(err)
		}
	}
	braked := func(after time.Duration, want string) {
		t.Helper()
		n.later(after)
		r, _ := n.night()
		if got := strings.Join(r.Notes, "\n"); strings.Contains(got, "brake ") != (want != "") || !strings.Contains(got, want) {
			t.Errorf("the run is %s: %q, want %q", r.State, r.Notes, want)
		}
	}
	must("ALTER TABLE daily_report RENAME TO moved")
	braked(day, "")
	braked(3*day, "brake stale: daily_report: it was last read 4 days ago")
	must("ALTER TABLE moved RENAME TO daily_report")
	braked(day, "")
	must("UPDATE daily_report SET account_code = 'nobody' WHERE report_id > 20")
	braked(7*day, "brake rejects: daily_report") // it is read completely
	braked(day, "brake rejects: daily_report")   // nothing new is read, and what was rejected still is
}

// A plan reads as a page in both languages, with what its fields are called and why they are written.
func TestPlanTable_languages(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	sum := c.planned()
	table, broken := c.PlanTable(t.Context(), sum)
	for language, want := range map[string][]string{
		"ja": {`<html lang="ja">`, "反映の計画 " + sum.Plan, "温度（Energy__c）", "<td class=\"\">初回</td>"},
		"en": {`<html lang="en">`, "Plan " + sum.Plan, "Energy (Energy__c)", "<td class=\"\">first values</td>"},
	} {
		var page strings.Builder
		if err := errors.Join(table.WriteHTML(&page, language), broken()); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(page.String(), w) {
				t.Errorf("%s: the page lacks %q", language, w)
			}
		}
	}
}
