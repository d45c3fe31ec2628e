package web

import (
	"strings"
	"testing"

	"energyd/internal/pipeline"
	"energyd/internal/store"
)

// operations says which run, plan, errand and reject of the demo's the pages of the operations are about.
func operations(t *testing.T, d *Dashboard, addresses map[string]string) {
	t.Helper()
	p := d.site.p
	plan, err := p.Planned(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	asked, err := p.Store().Ask(t.Context(), store.Errand{Kind: toApply, Subject: plan.Plan, Who: "test", Asked: p.Now()})
	if err != nil {
		t.Fatal(err)
	}
	for r, err := range p.Rejects(t.Context(), pipeline.RejectFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		addresses["reject"] = rejectRow{r}.Path()
		addresses["decide"] = rejectRow{r}.DecidePath("drop")
		break
	}
	for _, name := range []string{"run", "undo"} {
		addresses[name] = strings.Replace(addresses[name], "{run}", plan.Run, 1)
	}
	for _, name := range []string{"plan", "apply"} {
		addresses[name] = strings.Replace(addresses[name], "{plan}", plan.Plan, 1)
	}
	addresses["errand"] = errandPath(asked.ID)
}

// TestActTexts: each act of the journal has words in both languages.
func TestActTexts(t *testing.T) {
	for _, act := range store.Acts {
		if said := actTexts[act]; said.Ja == "" || said.En == "" {
			t.Errorf("%s: %+v", act, said)
		}
	}
}
