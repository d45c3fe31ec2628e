package sink_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"energyd/connectors"
	"energyd/sink"
)

// Every measure can become a field of a CRM, and stands in the manual: Salesforce takes
// labels of 40 characters and help texts of 510.
func TestMeasures(t *testing.T) {
	t.Parallel()
	manual, err := os.ReadFile("../docs/fields.md")
	if err != nil {
		t.Fatal(err)
	}
	// energy-model.md §4.6.
	wanted := strings.Fields("energy_now energy_as_of half_life band band_until trend earned_3m earned_ratio_3m coverage alarm alarm_reason reason_1 reason_2 reason_3 table_version data_quality")
	for _, name := range wanted {
		if err := sink.CheckMeasure(name); err != nil {
			t.Error(err)
		}
	}
	for _, m := range sink.Measures {
		for _, l := range []string{m.Label.Ja, m.Label.En} {
			if n := utf8.RuneCountInString(l); n == 0 || n > 40 {
				t.Errorf("%s: the label %q has %d characters", m.Name, l, n)
			}
		}
		for _, h := range []string{m.Help.Ja, m.Help.En} {
			if n := utf8.RuneCountInString(h); n == 0 || n > 510 {
				t.Errorf("%s: the help text %q has %d characters", m.Name, h, n)
			}
		}
		if m.Type == connectors.Text && m.Length == 0 || m.Type == connectors.Number && m.Precision <= m.Scale {
			t.Errorf("%s has no size: %+v", m.Name, m)
		}
		if strings.HasPrefix(m.Name, "reason_") {
			continue // told together
		}
		if !strings.Contains(string(manual), "| `"+m.Name+"` |") || !strings.Contains(string(manual), "| "+m.Label.Ja+" |") {
			t.Errorf("docs/fields.md lacks %s (%s)", m.Name, m.Label.Ja)
		}
	}
}

// What holds less than a measure may have is told with what to do, and written as far as it fits; what cannot hold it stops the plan.
func TestCheck_fields_that_hold_less(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		measure string
		field   connectors.Field
		narrow  string // in the warning; "" = none
		problem string
	}{
		{"right", "energy_now", connectors.Field{Type: connectors.Number, Precision: 12, Scale: 3}, "", ""},
		{"larger", "energy_now", connectors.Field{Type: connectors.Number, Precision: 18, Scale: 4}, "", ""},
		{"few digits", "energy_now", connectors.Field{Type: connectors.Number, Precision: 8, Scale: 3}, "has 5 digits before the point, and energy_now may have 9", ""},
		{"no decimals", "energy_now", connectors.Field{Type: connectors.Number, Precision: 18}, "values are rounded", ""},
		{"a text for a number", "energy_now", connectors.Field{Type: connectors.Text, Length: 20}, "", ""},
		{"a date for a number", "energy_now", connectors.Field{Type: connectors.Day}, "", "is a date field; energy_now needs number or text"},
		{"a short text", "reason_1", connectors.Field{Type: connectors.Text, Length: 80}, "holds 80 characters, and reason_1 may have 255", ""},
		{"an open picklist", "band", connectors.Field{Type: connectors.Picklist, Length: 255}, "", ""},
		{"a fixed picklist", "band", connectors.Field{Type: connectors.Picklist, Length: 255, Restricted: true}, "only its own values", ""},
		{"a number for a text", "band", connectors.Field{Type: connectors.Number, Precision: 4}, "", "is a number field"},
	} {
		tt.field.Name, tt.field.Updateable = "F__c", true
		w := sink.Writing{Object: "Account", Target: describes{field: tt.field}, Fields: []sink.FieldOf{{Measure: tt.measure, Field: "F__c"}}}
		problems, narrow, err := w.Check(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(narrow, "\n"); (got == "") != (tt.narrow == "") || !strings.Contains(got, tt.narrow) {
			t.Errorf("%s: told %q, want %q", tt.name, got, tt.narrow)
		}
		if (len(problems) == 0) != (tt.problem == "") || len(problems) > 0 && (!strings.Contains(problems[0].Msg, tt.problem) || problems[0].Hint == "") {
			t.Errorf("%s: %+v, want %q", tt.name, problems, tt.problem)
		}
	}
}

// describes is a CRM whose objects have one field.
type describes struct {
	connectors.Target
	field connectors.Field
}

func (d describes) Describe(context.Context, string) ([]connectors.Field, error) {
	return []connectors.Field{d.field}, nil
}
