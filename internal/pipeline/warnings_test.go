package pipeline_test

import (
	"slices"
	"strings"
	"testing"

	"energyd/internal/crmsim"
)

// What a pull warns of is told by the sync that it is part of, beside what its plan warns of.
func TestSync_tells_what_its_pull_warns_of(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	top, site := c.account("K0001")["Id"].(string), c.account("K0007")["Id"].(string)
	for id, parent := range map[string]string{top: site, site: top} {
		if err := c.world.CRM().Update("Account", id, map[string]any{"ParentId": parent}); err != nil {
			t.Fatal(err)
		}
	}
	c.inject(crmsim.Fault{Name: "clock", AdvanceS: 1200})
	r, _, _ := c.sync()
	if !slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.Contains(w, "in a circle") }) {
		t.Errorf("the warnings are %q", r.Warnings)
	}
}

// A directory without any customer is told, with how far the CRM was read: nothing can be found in it.
func TestPull_tells_that_no_customer_is_known(t *testing.T) {
	t.Parallel()
	c := newCareer(t)
	none := func(w string) bool { return strings.HasPrefix(w, "accounts: no customer is known yet") }
	if r := c.night(0, false); len(r.Warnings) != 1 || !none(r.Warnings[0]) {
		t.Errorf("the warnings are %q", r.Warnings)
	}
	c.tables["accounts"].set("A", map[string]any{"Id": "A"})
	for range 2 {
		if r := c.night(0, false); slices.ContainsFunc(r.Warnings, none) {
			t.Errorf("with a customer the warnings are %q", r.Warnings)
		}
	}
}
