package pipeline_test

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"energyd/engine"
	"energyd/internal/crmsim"
	"energyd/internal/fault"
	"energyd/internal/store"
	"energyd/internal/testdb"
)

func (c company) update(object, id string, values map[string]any) {
	c.Helper()
	if err := c.world.CRM().Update(object, id, values); err != nil {
		c.Fatal(err)
	}
}

// reopened is the company with its configuration read anew.
func (c company) reopened(asOf engine.Date) company {
	c.Helper()
	p := open(c.T, c.world.Config, asOf)
	c.Cleanup(func() {
		if err := p.Close(); err != nil {
			c.Error(err)
		}
	})
	c.Pipeline = p
	return c
}

func (c company) configure(old, new string) {
	c.Helper()
	text, err := os.ReadFile(c.world.Config)
	if err != nil {
		c.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		c.Fatalf("the configuration does not hold %q", old)
	}
	if err := os.WriteFile(c.world.Config, []byte(strings.Replace(string(text), old, new, 1)), 0o600); err != nil {
		c.Fatal(err)
	}
}

// TestRun_OneAtATime: a run that meets another changes nothing, and says which one is at work.
func TestRun_OneAtATime(t *testing.T) {
	c := newCompany(t)
	hold, err := c.Store().Lock(t.Context(), "crm")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Pull(t.Context()); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a second run gives %v, want a conflict", err)
	}
	if err := hold.Leave(); err != nil {
		t.Fatal(err)
	}
	if r, _, _ := c.sync(); r.State != store.Partial {
		t.Errorf("afterwards the run is %s", r.State)
	}
}

// TestRun_NoFutureDate: a look ahead must not be stored: it would swallow all changes in between.
func TestRun_NoFutureDate(t *testing.T) {
	c := newCompany(t)
	c.sync()
	ahead := c.reopened(c.AsOf() + 300)
	if _, _, err := ahead.Plan(t.Context()); fault.KindOf(err) != fault.Config || !strings.Contains(err.Error(), "future") {
		t.Errorf("a plan 300 days ahead gives %v", err)
	}
	if _, err := ahead.Explain(t.Context(), "K0001"); err != nil {
		t.Errorf("explain may look ahead: %v", err)
	}
}

// TestSync_ConfigurationReachesQuietCustomers: new fields and another language are written without any news.
func TestSync_ConfigurationReachesQuietCustomers(t *testing.T) {
	c := newCompany(t)
	c.configure("      reason_3: Energy_Reason_3__c\n", "")
	c = c.reopened(engine.NoDate)
	c.sync()
	if v := c.account("K0001")["Energy_Reason_3__c"]; v != nil {
		t.Fatalf("reason 3 is %v before it is configured", v)
	}
	c.configure("      reason_2: Energy_Reason_2__c\n", "      reason_2: Energy_Reason_2__c\n      reason_3: Energy_Reason_3__c\n")
	c.configure("language: ja ", "language: en ")
	c = c.reopened(engine.NoDate)
	r, sum, _ := c.sync()
	if r.State != store.Parked || !strings.Contains(strings.Join(r.Notes, "\n"), "brake changed: ") {
		t.Errorf("all bands change their names: the run is %s: %q", r.State, r.Notes)
	}
	c.override(sum, "another language")
	row := c.account("K0001")
	if row["Energy_Reason_3__c"] == nil || row["Energy_Band__c"] == "熱" {
		t.Errorf("after the change the account holds %v and %v", row["Energy_Reason_3__c"], row["Energy_Band__c"])
	}
	if _, sum, _ := c.sync(); sum.Records != 0 {
		t.Errorf("a further sync plans %d changes", sum.Records)
	}
}

// TestSync_HiddenRecordComesBack: a record that we could not see is written as soon as we can.
func TestSync_HiddenRecordComesBack(t *testing.T) {
	c := newCompany(t)
	if _, err := c.Pull(t.Context()); err != nil {
		t.Fatal(err)
	}
	id := c.account("K0001")["Id"].(string)
	if err := c.world.CRM().Delete("Account", id); err != nil {
		t.Fatal(err)
	}
	_, sum, err := c.Plan(t.Context())
	if err != nil || sum.Missing == 0 {
		t.Fatalf("the plan is %+v, %v; want it missing", sum, err)
	}
	if _, _, err := c.Apply(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	if err := c.world.CRM().Undelete("Account", id); err != nil {
		t.Fatal(err)
	}
	c.sync()
	if c.account("K0001")["Energy__c"] == nil {
		t.Error("the account that came back has no energy")
	}
}

// TestApply_LeavesEditsAfterThePlan: what a person typed between plan and apply stays, and is told.
func TestApply_LeavesEditsAfterThePlan(t *testing.T) {
	c := newCompany(t)
	sum := c.planned()
	id := c.account("K0001")["Id"].(string)
	c.update("Account", id, map[string]any{"Energy_Reason_1__c": "社長と会食の予定"})
	r, out, err := c.Apply(t.Context(), sum.Plan)
	if err != nil || r.State != store.Partial || out.Edited != 1 || out.Written != sum.Records-1 {
		t.Errorf("apply gives %+v, %s, %v; want one edited", out, r.State, err)
	}
	if v := c.account("K0001")["Energy_Reason_1__c"]; v != "社長と会食の予定" {
		t.Errorf("the person's text was overwritten by %v", v)
	}
}

// TestSync_EmptyFieldsAreOursToo: a field that we left empty and a person filled is a person's.
func TestSync_EmptyFieldsAreOursToo(t *testing.T) {
	c := newCompany(t)
	c.sync()
	// 中央信用金庫 has met us twice only, so its third reason is empty.
	row := c.account("K0014")
	if row["Energy_Reason_3__c"] != nil {
		t.Fatalf("the third reason is %v", row["Energy_Reason_3__c"])
	}
	c.update("Account", row["Id"].(string), map[string]any{"Energy_Reason_3__c": "電話で確認済み"})
	c.report("K0014", "", "来社", 2*time.Minute)
	_, sum, _ := c.sync()
	if v := c.account("K0014")["Energy_Reason_3__c"]; v != "電話で確認済み" {
		t.Errorf("the person's text was overwritten by %v", v)
	}
	if sum.KeptCount != 1 {
		t.Errorf("%d fields kept, want 1: %+v", sum.KeptCount, sum.Kept)
	}
}

// TestPlan_FailureKeepsTheOlderPlan: a plan that cannot be made leaves the one that was reviewed.
func TestPlan_FailureKeepsTheOlderPlan(t *testing.T) {
	c := newCompany(t)
	good := c.planned()
	if err := c.world.CRM().HideField("Opportunity", "Energy__c"); err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Plan(t.Context()); fault.KindOf(err) != fault.Config {
		t.Errorf("a plan with a hidden field gives %v", err)
	}
	if err := c.world.CRM().GrantField("Opportunity", "Energy__c"); err != nil {
		t.Fatal(err)
	}
	if _, out, err := c.Apply(t.Context(), good.Plan); err != nil || !out.Whole() {
		t.Errorf("the reviewed plan gives %+v, %v", out, err)
	}
}

// TestPull_Quota: no calls are left for reading either: the run parks.
func TestPull_Quota(t *testing.T) {
	c := newCompany(t)
	c.inject(crmsim.Fault{Name: "quota", Used: 1000, Max: 1000})
	r, err := c.Pull(t.Context())
	if err != nil || r.State != store.Parked {
		t.Errorf("the run is %s, %v; want parked", r.State, err)
	}
	if len(r.Errors) != 1 || !strings.HasPrefix(r.Sources[1].Error, "not read:") {
		t.Errorf("a connection without calls is told %d times: %v; %+v", len(r.Errors), r.Errors, r.Sources[1])
	}
	// Reports read without a directory would all be rejected, and not be read again.
	if last := r.Sources[len(r.Sources)-1]; last.Read != 0 || !strings.Contains(last.Error, "users") {
		t.Errorf("the reports were read without the directory: %+v", last)
	}
	c.inject(crmsim.Fault{Name: "quota", Used: 0, Max: 10000})
	c = c.reopened(engine.NoDate)
	if r, err = c.Pull(t.Context()); err != nil || r.Sources[len(r.Sources)-1].Rejected != 3 {
		t.Errorf("after the outage %+v, %v; want the three bad reports rejected and no more", r.Sources, err)
	}
}

// TestNight_RunAgain: case 26 of the model: a night that is run many times leaves what one run leaves.
func TestNight_RunAgain(t *testing.T) {
	c := newCompany(t)
	c.sync()
	scores := func() map[engine.Entity]float64 {
		m := map[engine.Entity]float64{}
		for _, k := range []engine.EntityKind{engine.Account, engine.Contact, engine.Deal, engine.Rep} {
			for s, err := range c.Scores(t.Context(), k) {
				if err != nil {
					t.Fatal(err)
				}
				m[s.Entity] = s.Temperature
			}
		}
		return m
	}
	want := scores()
	for range 10 {
		if _, sum, _ := c.sync(); sum.Records != 0 {
			t.Fatalf("a night without news plans %d changes", sum.Records)
		}
	}
	got := scores()
	if len(got) != len(want) {
		t.Fatalf("%d scores, want %d", len(got), len(want))
	}
	for e, v := range want {
		if got[e] != v {
			t.Errorf("%v moved from %v to %v", e, v, got[e])
		}
	}
}

// TestPull_RenamedActivities: a mapping that names activities otherwise does not count them twice.
func TestPull_RenamedActivities(t *testing.T) {
	c := newCompany(t)
	c.sync()
	before, err := c.Explain(t.Context(), "K0001")
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(c.dir, "mappings", "daily_report.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	renamed := regexp.MustCompile(`(?m)^  id: .*\n(    .*\n)*`).ReplaceAll(text, []byte("  id: '\"report/\" + text(report_id)'\n"))
	renamed = bytes.ReplaceAll(renamed, []byte("      id: sfa/77\n"), nil) // what the file's own test expects
	if bytes.Equal(text, renamed) {
		t.Fatal("the mapping names no activities")
	}
	if err := os.WriteFile(file, renamed, 0o600); err != nil {
		t.Fatal(err)
	}
	c = c.reopened(engine.NoDate)
	r, sum, _ := c.sync()
	after, err := c.Explain(t.Context(), "K0001")
	if err != nil {
		t.Fatal(err)
	}
	if len(after.Parts) != len(before.Parts) || after.Temperature != before.Temperature {
		t.Errorf("%d parts and %g points before, %d and %g after: %+v", len(before.Parts), before.Temperature, len(after.Parts), after.Temperature, r.Sources)
	}
	if sum.Records != 0 {
		t.Errorf("%d records would change in the CRM, though nothing happened", sum.Records)
	}
	withdrawn := r.Sources[len(r.Sources)-1].Withdrawn
	if withdrawn < 50 {
		t.Errorf("%d activities were withdrawn", withdrawn)
	}
	if r, _, _ = c.sync(); r.Sources[len(r.Sources)-1].Withdrawn != 0 {
		t.Error("a further sync withdraws again")
	}
}

// TestSync_PostgresStore: the same night over the other store leaves the same CRM.
func TestSync_PostgresStore(t *testing.T) {
	want := newCompany(t)
	want.sync()
	c := newCompany(t)
	c.configure("store: sqlite:energyd.db ", "store: "+testdb.Postgres(t)+" ")
	c = c.reopened(engine.NoDate)
	if _, sum, out := c.sync(); out.Written == 0 || out.Written != sum.Records {
		t.Fatalf("the outcome is %+v", out)
	}
	if _, sum, _ := c.sync(); sum.Records != 0 {
		t.Errorf("a second sync plans %d changes", sum.Records)
	}
	for _, number := range []string{"K0001", "K0007", "K0016"} {
		a, b := want.account(number), c.account(number)
		for field, v := range a {
			if strings.HasPrefix(field, "Energy") && b[field] != v {
				t.Errorf("%s %s is %v over PostgreSQL, %v over SQLite", number, field, b[field], v)
			}
		}
	}
}

// TestExplain_AsTyped: a person types a name as it comes, and namesakes are told apart.
func TestExplain_AsTyped(t *testing.T) {
	c := newCompany(t)
	c.sync()
	want, err := c.Explain(t.Context(), "K0001")
	if err != nil {
		t.Fatal(err)
	}
	wide := strings.NewReplacer("K", "Ｋ", "0", "０", "1", "１").Replace("K0001")
	for _, name := range []string{wide, "k0001", " " + strings.Replace(want.Name, "株式会社", "株式会社　", 1), want.ID[:15], "account:" + want.ID} {
		if got, err := c.Explain(t.Context(), name); err != nil || got.ID != want.ID {
			t.Errorf("explain %q gives %s, %v; want %s", name, got.ID, err, want.ID)
		}
	}
	var twins []map[string]any
	rows, err := c.world.CRM().Rows("Contact")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows[:2] {
		c.update("Contact", r["Id"].(string), map[string]any{"LastName": "同姓", "FirstName": "同名", "Title": "部長"})
		twins = append(twins, r)
	}
	c.inject(crmsim.Fault{Name: "clock", AdvanceS: 600})
	c.sync()
	_, err = c.Explain(t.Context(), "同姓 同名")
	if err == nil || !strings.Contains(fault.HintOf(err), "部長, ") || !strings.Contains(fault.HintOf(err), twins[0]["Contact_Code__c"].(string)) {
		t.Errorf("two namesakes give %v, what to do: %s; want their title, company and code", err, fault.HintOf(err))
	}
}
