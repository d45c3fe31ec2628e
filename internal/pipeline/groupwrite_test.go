package pipeline_test

import (
	"bytes"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/engine"
	"energyd/internal/crmsim"
	"energyd/internal/pipeline"
)

const groupBlock = `
  - connection: crm
    object: Account
    entity: group
    fields: {energy_now: Group_Energy__c, band: Group_Band__c, reason_1: Group_Reason__c}
`

// A group's energy stands on the page of its top account, beside the account's own (decision 0113).
func TestGroups_are_written_beside_their_accounts(t *testing.T) {
	c := newCompanyWith(t, func(config []byte) []byte {
		return bytes.Replace(config, []byte("\nwrite:\n"), []byte("\nwrite:"+groupBlock), 1)
	})
	if _, err := c.MakeFields(c.Context()); err != nil {
		t.Fatal(err)
	}
	top, site := c.account("K0001")["Id"].(string), c.account("K0007")["Id"].(string)
	if err := c.world.CRM().Update("Account", site, map[string]any{"ParentId": top}); err != nil {
		t.Fatal(err)
	}
	c.inject(crmsim.Fault{Name: "clock", AdvanceS: 1200})
	_, _, out := c.sync()
	if out.Written == 0 || !out.Whole() {
		t.Fatalf("the write-back gives %+v", out)
	}
	row := c.account("K0001")
	group, own, below := row["Group_Energy__c"].(float64), row["Energy__c"].(float64), c.account("K0007")["Energy__c"].(float64)
	if math.Abs(group-own-below) > 0.0015 || own == 0 || below == 0 {
		t.Errorf("the group has %v, its accounts %v and %v", group, own, below)
	}
	if row["Group_Band__c"] == nil || row["Group_Reason__c"] == nil {
		t.Errorf("band %v, reason %v", row["Group_Band__c"], row["Group_Reason__c"])
	}
	if c.account("K0007")["Group_Energy__c"] != nil {
		t.Error("a site that is no group has a group's energy")
	}
	if _, sum, _ := c.sync(); sum.Records != 0 {
		t.Errorf("an idle sync plans %d records", sum.Records)
	}
	c.report("K0007", "T0025", "予算申請", 2*time.Minute)
	if _, _, out := c.sync(); !out.Whole() {
		t.Errorf("the write-back gives %+v", out)
	}
	why, err := c.Explain(c.Context(), "group:"+top)
	if err != nil {
		t.Fatal(err)
	}
	if now := c.account("K0001")["Group_Energy__c"].(float64); now <= group || math.Abs(now-why.Temperature) > 0.0005 {
		t.Errorf("after a visit to the site the group has %v in the CRM, %v in energyd; before it had %v", now, why.Temperature, group)
	}
}

// The accounts of a group add up to it exactly, each by what it earned while it stood there.
func TestGroups_are_explained_by_their_accounts(t *testing.T) {
	c := newGroups(t)
	c.on("2026-05-01")
	c.tables["accounts"].set("site", map[string]any{"Parent": "other"})
	c.on("2026-05-10")
	c.tables["tasks"].set("t4", map[string]any{"Id": "t4", "Account": "site", "Day": "2026-05-10"})
	c.tables["tasks"].set("t5", map[string]any{"Id": "t5", "Account": "group", "Day": "2026-05-10"})
	c.on("2026-05-31")
	c.night(0, false)
	p := c.open(c.file, pipeline.Options{})
	defer p.Close()
	why, err := p.Explain(t.Context(), "group:group")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]float64{}
	var today, parts float64
	for _, a := range why.Accounts {
		got[a.ID] = a.Points
		today += math.Round(a.Share * 1000)
	}
	for _, part := range why.Parts {
		parts += part.Share
	}
	if diff := cmp.Diff(map[string]float64{"site": 6, "company": 6, "group": 6}, got); diff != "" {
		t.Error(diff)
	}
	if today != math.Round(why.Temperature*1000) || math.Round(parts*1000) != today {
		t.Errorf("the temperature is %v, the accounts give %v thousandths, the contacts %v", why.Temperature, today, parts)
	}
	if why.Kind != engine.CompanyGroup.String() || why.Parts[0].Sentence[:len("group: ")] != "group: " {
		t.Errorf("%s: %q", why.Kind, why.Parts[0].Sentence)
	}
}
