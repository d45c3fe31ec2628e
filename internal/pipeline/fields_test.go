package pipeline_test

import (
	"strings"
	"testing"

	"energyd/connectors"
	"energyd/internal/crmsim"
	"energyd/internal/fault"
)

// TestSync_RepEnergy: the energy of one's own people goes to their user
// records, once the starter's block for it is switched on.
func TestSync_RepEnergy(t *testing.T) {
	c := newCompany(t)
	for _, f := range []crmsim.Field{{Name: "Energy__c", Type: crmsim.Number, Precision: 12, Scale: 3}, {Name: "Energy_As_Of__c", Type: crmsim.Date}} {
		if err := c.world.CRM().AddField("User", f); err != nil {
			t.Fatal(err)
		}
	}
	block := "  # - connection: crm\n  #   object: User\n  #   entity: rep\n  #   fields:\n" +
		"  #     energy_now: Energy__c\n  #     energy_as_of: Energy_As_Of__c\n"
	c.configure(block, strings.ReplaceAll(block, "  # ", "  "))
	c = c.reopened(c.AsOf())
	c.sync()
	users, err := c.world.CRM().Rows("User")
	if err != nil {
		t.Fatal(err)
	}
	warm := 0
	for _, u := range users {
		if e, _ := u["Energy__c"].(float64); e > 0 {
			warm++
		}
	}
	if warm == 0 {
		t.Errorf("no user of %d has energy", len(users))
	}

	crms, err := c.PlanFields(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range crms[0].Fields {
		if f.Confidential != (f.Object == "User") {
			t.Errorf("%s.%s: confidential is %v", f.Object, f.Name, f.Confidential)
		}
	}
}

// TestC66_UnfitFieldHasItsPlace: a field that cannot be used is told at its line of energyd.yaml.
func TestC66_UnfitFieldHasItsPlace(t *testing.T) {
	c := newCompany(t)
	c.configure("energy_now: Energy__c              #", "energy_now: Energy_Last_Contact__c #")
	c.configure("      last_contact: Energy_Last_Contact__c # Date\n", "")
	c = c.reopened(c.AsOf())
	crms, err := c.MakeFields(t.Context())
	if fault.KindOf(err) != fault.Config || !strings.Contains(err.Error(), "energyd.yaml:") ||
		!strings.Contains(err.Error(), "it is date; energyd needs number(12, 3)") {
		t.Errorf("the error is %v; want the place and both types", err)
	}
	if len(crms) != 1 || crms[0].Fields[0].Standing != connectors.FieldUnfit {
		t.Errorf("the fields are %+v", crms)
	}
}
