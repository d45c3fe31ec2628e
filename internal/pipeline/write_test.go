package pipeline_test

import (
	"bytes"
	"database/sql"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"energyd/engine"
	"energyd/internal/crmsim"
	"energyd/internal/demo"
	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/store"
	"energyd/sink"
)

// company is the demo's company with a pipeline over it.
type company struct {
	*testing.T
	*pipeline.Pipeline
	world *demo.World
	dir   string
}

func newCompany(t *testing.T) company {
	t.Helper()
	return newCompanyWith(t, func(config []byte) []byte { return config })
}

// newCompanyWith is newCompany with an edited configuration.
func newCompanyWith(t *testing.T, edit func(config []byte) []byte) company {
	t.Helper()
	dir := t.TempDir()
	w, err := demo.Start(t.Context(), dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(w.Config)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(w.Config, edit(text), 0o600); err != nil {
		t.Fatal(err)
	}
	p := open(t, w.Config, engine.NoDate)
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return company{t, p, w, dir}
}

// planned pulls and plans.
func (c company) planned() sink.Summary {
	c.Helper()
	if _, err := c.Pull(c.Context()); err != nil {
		c.Fatal(err)
	}
	_, sum, err := c.Plan(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	return sum
}

func (c company) sync() (pipeline.Report, sink.Summary, sink.Outcome) {
	c.Helper()
	r, sum, out, err := c.Sync(c.Context())
	if err != nil {
		c.Fatal(err)
	}
	return r, sum, out
}

// account gives the CRM's row of the account with this number.
func (c company) account(number string) map[string]any {
	c.Helper()
	rows, err := c.world.CRM().Rows("Account")
	if err != nil {
		c.Fatal(err)
	}
	for _, r := range rows {
		if r["AccountNumber"] == number {
			return r
		}
	}
	c.Fatalf("no account %s", number)
	return nil
}

// reports opens the daily-report database.
func (c company) reports() *sql.DB {
	c.Helper()
	db, err := sql.Open("sqlite", filepath.Join(c.dir, "daily_report.db"))
	if err != nil {
		c.Fatal(err)
	}
	return db
}

// report types one more daily report, changed so long ago.
func (c company) report(account, contact, activity string, changed time.Duration) {
	c.Helper()
	db := c.reports()
	defer db.Close()
	at := time.Now().UTC().Add(-changed)
	if _, err := db.Exec(`INSERT INTO daily_report (report_date, account_code, contact_code, contact_title, activity, source, ext_key, updated_at)
		VALUES (?, ?, ?, '部長', ?, 'nippo', 'late/' || ?, ?)`, c.AsOf().String(), account, contact, activity, at.UnixNano(), at.Format(time.RFC3339)); err != nil {
		c.Fatal(err)
	}
}

func (c company) inject(f crmsim.Fault) {
	c.Helper()
	if err := c.world.CRM().Inject(f); err != nil {
		c.Fatal(err)
	}
}

// TestCase49_a_band_typed_into_the_CRM_stays: what a person typed into our field is kept and reported (rule 5).
func TestCase49_a_band_typed_into_the_CRM_stays(t *testing.T) {
	c := newCompany(t)
	c.sync()
	before := c.account("K0001")
	if err := c.world.CRM().Update("Account", before["Id"].(string), map[string]any{"Energy_Band__c": "重要"}); err != nil {
		t.Fatal(err)
	}
	c.report("K0001", "T0001", "予算申請", 2*time.Minute)
	_, sum, out := c.sync()
	after := c.account("K0001")
	if after["Energy_Band__c"] != "重要" {
		t.Errorf("the person's value was overwritten by %v", after["Energy_Band__c"])
	}
	if after["Energy__c"] == before["Energy__c"] || out.Written == 0 {
		t.Errorf("the other fields were not written: %v, %+v", after, out)
	}
	// The band itself may not have moved; then there is nothing to keep from.
	if len(sum.Kept) != 1 || sum.Kept[0].Theirs != "重要" || sum.Kept[0].Field != "Energy_Band__c" {
		t.Errorf("kept fields are %+v, want the band", sum.Kept)
	}
}

// TestSync_RefusedRows: a row that the CRM refuses stops nobody, is counted, and is sent again when its values move or somebody says so.
func TestSync_RefusedRows(t *testing.T) {
	c := newCompany(t)
	c.inject(crmsim.Fault{Name: "validation", Object: "Account", Field: "Energy__c", Bound: 100, Message: "温度は100以下です"})
	r, sum, out := c.sync()
	if out.Rejected == 0 || out.Written == 0 || out.Planned != out.Written+out.Rejected+out.Deferred+out.Parked {
		t.Fatalf("the outcome is %+v", out)
	}
	if r.State != store.Partial {
		t.Errorf("the run is %s, want partial", r.State)
	}
	if !strings.Contains(strings.Join(out.Problems, "\n"), "温度は100以下です") {
		t.Errorf("the CRM's own words are missing: %v", out.Problems)
	}
	// C42: the same values are not sent again, whether or not the rule still stands.
	c.inject(crmsim.Fault{Name: "validation", Object: "Account", Field: "Energy__c", Bound: 1e9, Message: "x"})
	for range 2 {
		if _, again, _ := c.sync(); again.Records != 0 || again.Refused != out.Rejected {
			t.Errorf("the next plan has %d changes and %d refused ones, want none and %d of %d", again.Records, again.Refused, out.Rejected, sum.Records)
		}
	}
	_, refused, err := c.Store().Refused(t.Context(), false, time.Now())
	if err != nil || len(refused) != out.Rejected || !strings.Contains(refused[0].Error, "温度は100以下です") {
		t.Errorf("what is refused is forgotten: %+v, %v", refused, err)
	}
	p := openWith(t, c.world.Config, pipeline.Options{Resend: true})
	defer p.Close()
	_, again, out2, err := p.Sync(t.Context())
	if err != nil || again.Records != out.Rejected || !out2.Whole() {
		t.Errorf("told to send them again, the plan has %d changes: %+v, %v", again.Records, out2, err)
	}
}

// TestSync_AnswerLost: the CRM wrote, but the answer got lost on the way. Sending again is harmless.
func TestSync_AnswerLost(t *testing.T) {
	c := newCompany(t)
	c.inject(crmsim.Fault{Name: "status", Match: "PATCH /services/data/.*", Times: 1, Cut: "after"})
	_, sum, out, err := c.Sync(t.Context())
	if err != nil { // given up: the next run finds out what arrived
		_, sum, out = c.sync()
	}
	if sum.Records > 0 && out.Written != out.Planned {
		t.Errorf("the outcome is %+v", out)
	}
	if got := c.account("K0001")["Energy__c"]; got == nil {
		t.Error("the account has no energy")
	}
	if _, again, _ := c.sync(); again.Records != 0 {
		t.Errorf("a further sync still plans %d changes", again.Records)
	}
}

// TestSync_Quota: the day's calls are gone in the middle of an apply. The run parks, and the same plan goes on later.
func TestSync_Quota(t *testing.T) {
	c := newCompany(t)
	sum := c.planned()
	c.inject(crmsim.Fault{Name: "quota", Used: 698, Max: 1000}) // 30 % are the people's
	r, out, err := c.Apply(t.Context(), sum.Plan)
	if fault.KindOf(err) != fault.Quota || r.State != store.Parked {
		t.Fatalf("apply gives %v and a run that is %s, want a quota fault and parked", err, r.State)
	}
	if out.Written == 0 || out.Parked == 0 || out.Written+out.Parked != out.Planned {
		t.Errorf("the outcome is %+v, want a part written and the rest parked", out)
	}
	c.inject(crmsim.Fault{Name: "quota", Used: 0, Max: 1000})
	c = c.reopened(engine.NoDate)
	_, out, err = c.Apply(t.Context(), sum.Plan)
	if err != nil || out.Written != sum.Records {
		t.Errorf("the resumed apply gives %+v, %v; want all %d written", out, err, sum.Records)
	}
}

// TestApply_Refuses plans that must not be sent: unknown, applied, replaced, too old.
func TestApply_Refuses(t *testing.T) {
	c := newCompany(t)
	if _, _, err := c.Apply(t.Context(), ""); fault.KindOf(err) != fault.Conflict {
		t.Errorf("without a plan: %v", err)
	}
	first := c.planned()
	c.report("K0001", "T0001", "予算申請", 2*time.Minute)
	second := c.planned()
	if first.Plan == second.Plan {
		t.Fatal("two different plans have the same hash")
	}
	if _, _, err := c.Apply(t.Context(), first.Plan); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "replaced") {
		t.Errorf("a replaced plan: %v", err)
	}
	if _, _, err := c.Apply(t.Context(), "0123456789ab"); fault.KindOf(err) != fault.Conflict {
		t.Errorf("an unknown plan: %v", err)
	}
	if _, _, err := c.Apply(t.Context(), second.Plan); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Apply(t.Context(), second.Plan); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), "already") {
		t.Errorf("an applied plan: %v", err)
	}
}

// TestSync_SourceDown: a source that fails makes the run failed, but what the others gave is scored and written.
func TestSync_SourceDown(t *testing.T) {
	c := newCompanyWith(t, func(config []byte) []byte {
		return bytes.Replace(config, []byte("stale: 72h "), []byte("stale: 0 "), 1)
	})
	db, err := sql.Open("sqlite", filepath.Join(c.dir, "daily_report.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("ALTER TABLE daily_report RENAME TO moved"); err != nil {
		t.Fatal(err)
	}
	r, _, out := c.sync()
	if r.State != store.Failed || len(r.Errors) != 1 || !strings.Contains(r.Errors[0].Error(), "daily_report") {
		t.Errorf("the run is %s with %v, want failed for daily_report", r.State, r.Errors)
	}
	if out.Written == 0 {
		t.Error("nothing was written of what the CRM's own events gave")
	}
	if _, err := db.Exec("ALTER TABLE moved RENAME TO daily_report"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if r, _, _ := c.sync(); r.State != store.Partial || r.Fold.Stored == 0 {
		t.Errorf("after the repair the run is %s with %+v", r.State, r.Fold)
	}
}

// TestSync_CorrectedAndDeleted: a corrected report and a deleted event change the scores as if they had come so at first.
func TestSync_CorrectedAndDeleted(t *testing.T) {
	c := newCompany(t)
	c.sync()
	id := c.account("K0001")["Id"].(string)
	before, err := c.Explain(t.Context(), "K0001")
	if err != nil {
		t.Fatal(err)
	}
	rows, err := c.world.CRM().Rows("Event")
	if err != nil {
		t.Fatal(err)
	}
	// The CRM's clock goes on, so that the deletion is no longer too young to be read.
	for _, r := range rows {
		if r["WhatId"] == id {
			if err := c.world.CRM().Delete("Event", r["Id"].(string)); err != nil {
				t.Fatal(err)
			}
		}
	}
	c.inject(crmsim.Fault{Name: "clock", AdvanceS: 600})
	r, _, _ := c.sync()
	after, err := c.Explain(t.Context(), "account:"+id)
	if err != nil {
		t.Fatal(err)
	}
	if len(after.Parts) != len(before.Parts)-1 || after.Temperature >= before.Temperature {
		t.Errorf("after the deletion %d parts and %g points, before %d and %g (%+v)", len(after.Parts), after.Temperature, len(before.Parts), before.Temperature, r.Sources)
	}
	for _, p := range after.Parts {
		if p.Source == "events" {
			t.Errorf("the deleted event still counts: %+v", p)
		}
	}
	sum := 0.0
	for _, p := range after.Parts {
		sum += p.Share
	}
	if math.Round(sum*1000) != math.Round(after.Temperature*1000) { // as both are shown
		t.Errorf("the parts add up to %g, the temperature is %g", sum, after.Temperature)
	}
}

// TestSync_WithdrawsSkipped: a report that becomes a draft again takes its energy back, and is counted as skipped.
func TestSync_WithdrawsSkipped(t *testing.T) {
	c := newCompany(t)
	c.report("K0014", "", "来社", 3*time.Minute)
	c.sync()
	before, err := c.Explain(t.Context(), "K0014")
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", filepath.Join(c.dir, "daily_report.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("UPDATE daily_report SET result = '下書き', updated_at = ? WHERE ext_key LIKE 'late/%'", time.Now().UTC().Add(-2*time.Minute).Format(time.RFC3339)); err != nil {
		t.Fatal(err)
	}
	r, sum, _ := c.sync()
	after, err := c.Explain(t.Context(), "K0014")
	if err != nil {
		t.Fatal(err)
	}
	if len(after.Parts) != len(before.Parts)-1 || sum.Records == 0 {
		t.Errorf("%d parts before, %d after; %d changes", len(before.Parts), len(after.Parts), sum.Records)
	}
	for _, s := range r.Sources {
		if s.Source == "daily_report" && (s.Skipped != 1 || s.Skips["draft"] != 1) {
			t.Errorf("the draft is counted as %+v", s)
		}
	}
}

// TestPull_MappingChanged: an admin mends the mapping. The source is read again, and what the old mapping made is replaced.
func TestPull_MappingChanged(t *testing.T) {
	c := newCompany(t)
	if _, err := c.Pull(t.Context()); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(c.dir, "mappings", "daily_report.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	kinds := func(p *pipeline.Pipeline) map[string]int {
		t.Helper()
		n := map[string]int{}
		for a, err := range p.Store().Activities(t.Context()) {
			if err != nil {
				t.Fatal(err)
			}
			n[a.Kind]++
		}
		return n
	}
	before := kinds(c.Pipeline)
	mended := strings.NewReplacer("    Web会議: web_meeting\n", "    Web会議: visit\n    FAX: mail\n", "    オンライン: web_meeting\n", "    オンライン: visit\n").Replace(string(text))
	if err := os.WriteFile(file, []byte(mended), 0o600); err != nil {
		t.Fatal(err)
	}
	p := open(t, c.world.Config, engine.NoDate)
	defer p.Close()
	r, err := p.Pull(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	after := kinds(p)
	if after["web_meeting"] != 0 || after["visit"] != before["visit"]+before["web_meeting"] || after["mail"] != before["mail"]+1 {
		t.Errorf("kinds before %v, after %v (%+v)", before, after, r.Sources)
	}
	for _, s := range r.Sources {
		if (s.Reread == store.OtherMapping) != (s.Source == "daily_report") {
			t.Errorf("%s: reread is %q", s.Source, s.Reread)
		}
		if s.Source == "daily_report" && s.Rejected != 2 {
			t.Errorf("%d rejects are left, want 2: the FAX has come through", s.Rejected)
		}
	}
	if r, err = p.Pull(t.Context()); err != nil || r.Sources[len(r.Sources)-1].Reread != "" {
		t.Errorf("a further pull reads all again: %+v, %v", r.Sources, err)
	}
}
