package mapping

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/engine"
	"energyd/internal/fault"
)

func TestFacts_are_written_in_one_form_each(t *testing.T) {
	m, err := Compile(&Config{Timezone: "Asia/Tokyo", Profile: &ProfileRule{Kind: "deal", Facts: map[string]string{
		"stage": "stage", "amount": "amount", "opened_on": "opened", "closes_on": "closes", "won": `stage == "受注"`, "products": "products"}}}, Env{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := m.Apply(record(map[string]any{"stage": " 受注 ", "amount": "１,２００,０００", "opened": "2026-03-31T15:30:00Z", "closes": "2026年4月1日", "products": ""}), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := engine.Facts{"stage": "受注", "amount": "1200000", "opened_on": "2026-03-31T15:30:00Z", "closes_on": "2026-04-01", "won": "false"}
	if diff := cmp.Diff(want, got.Profile.Facts); diff != "" {
		t.Error(diff)
	}
}

func TestFacts_a_bad_number_is_a_reject(t *testing.T) {
	m, err := Compile(&Config{Profile: &ProfileRule{Kind: "deal", Facts: map[string]string{"amount": "amount"}}}, Env{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = m.Apply(record(map[string]any{"amount": "約百万"}), nil)
	var reject *RejectError
	if !errors.As(err, &reject) || reject.Code != "value" || !strings.Contains(reject.Reason, "profile.facts.amount") {
		t.Errorf("got %v", err)
	}
}

func TestFacts_names_are_checked(t *testing.T) {
	for _, c := range []struct{ kind, name, want string }{
		{"deal", "ammount", `unknown fact "ammount"; did you mean "amount"?`},
		{"contact", "amount", "a profile of kind contact has no facts"},
		{"stage", "deal_id", `unknown fact "deal_id"`},
	} {
		_, err := Compile(&Config{Profile: &ProfileRule{Kind: c.kind, Facts: map[string]string{c.name: "x"}}}, Env{})
		var problems fault.Problems
		if !errors.As(err, &problems) || len(problems) != 1 || problems[0].Path != "profile.facts."+c.name || !strings.HasPrefix(problems[0].Msg, c.want) {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
}
