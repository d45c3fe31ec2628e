package salesforce

import (
	"fmt"
	"testing"

	"energyd/connectors"
)

func TestSurvey_ObjectIsSampledAtFewCalls(t *testing.T) {
	o := newOrg(t)
	o.tasks(900)
	conn, err := quick().Open(t.Context(), config(o.system().Addr), quiet)
	o.must(err)
	defer conn.Close()
	sv := conn.(connectors.Surveyor)
	items, err := sv.Items(t.Context())
	o.must(err)
	mapped := map[string]string{}
	for _, i := range items {
		mapped[i.Name] = i.Mapping
	}
	if mapped["Task"] != "mappings/crm_task.yaml" {
		t.Errorf("the objects are %v", mapped)
	}
	before := conn.(connectors.Budgeter).Usage().Run
	got, err := sv.Sample(t.Context(), connectors.Item{Name: "Task", Rows: -1}, 300)
	o.must(err)
	if calls := conn.(connectors.Budgeter).Usage().Run - before; calls > 4 {
		t.Errorf("%d calls", calls)
	}
	at := map[string]int{}
	for i, c := range got.Columns {
		at[c.Name] = i
	}
	if c := got.Columns[at["WhoId"]]; c.Type != "reference(Contact, Lead)" {
		t.Errorf("WhoId is %q", c.Type)
	}
	parts, seen := map[int]bool{}, map[any]bool{}
	for _, r := range got.Rows {
		var n int
		_, err := fmt.Sscanf(fmt.Sprint(r[at["Subject"]]), "訪問 %d", &n)
		o.must(err)
		if seen[r[at["Id"]]] {
			t.Fatalf("record %v comes twice", r[at["Id"]])
		}
		seen[r[at["Id"]]] = true
		parts[n/300] = true
	}
	if got.Whole || len(got.Rows) < 250 || len(got.Rows) > 300 || len(parts) != 3 || got.Item.Changed.IsZero() {
		t.Errorf("%d rows of %d thirds (%s), changed %v", len(got.Rows), len(parts), got.How, got.Item.Changed)
	}
	few, err := sv.Sample(t.Context(), connectors.Item{Name: "Account", Rows: -1}, 300)
	if err != nil || !few.Whole || len(few.Rows) != 1 || few.Item.Rows != 1 {
		t.Errorf("of one account: whole %v, %d rows, %v", few.Whole, len(few.Rows), err)
	}
}

func TestSurvey_NoSuchObject(t *testing.T) {
	o := newOrg(t)
	conn, err := quick().Open(t.Context(), config(o.system().Addr), quiet)
	o.must(err)
	defer conn.Close()
	if _, err := conn.(connectors.Surveyor).Sample(t.Context(), connectors.Item{Name: "Nothing__c"}, 10); err == nil {
		t.Error("an object that is not there is sampled")
	}
}
