package sink

import (
	"strings"
	"testing"
	"unicode/utf8"

	"energyd/connectors"
	"energyd/engine"
)

// everything writes all measures of an entity into an object.
func everything(object string, kind engine.EntityKind) Writing {
	w := Writing{Object: object, Kind: kind}
	for _, m := range Measures {
		w.Fields = append(w.Fields, FieldOf{m.Name, "E_" + m.Name + "__c"})
	}
	return w
}

// TestSetUp_Texts: a CRM takes labels of 40 characters and help texts of 510, and people read either language.
func TestSetUp_Texts(t *testing.T) {
	seen := map[string]string{}
	for _, language := range []string{"ja", "en"} {
		want := SetUp([]Writing{everything("Account", engine.Account), everything("Contact", engine.Contact), everything("Division__c", engine.CompanyGroup)}, language, "熱")
		short := func(what, text string, most int) {
			if n := utf8.RuneCountInString(text); n == 0 || n > most {
				t.Errorf("%s: %s has %d characters: %q", language, what, n, text)
			}
			if other, ok := seen[what]; ok && other == text {
				t.Errorf("%s is %q in both languages", what, text)
			}
			seen[what] = text
		}
		for _, f := range want.Fields {
			short("label of "+f.Object+"."+f.Name, f.Label, 40)
			short("help of "+f.Object+"."+f.Name, f.Help, 255)
		}
		for _, l := range want.Lists {
			short("list "+l.Object+"."+l.Name, l.Label, 40)
		}
		for _, r := range want.Reports {
			short("report "+r.Name, r.Label, 40)
			short("help of report "+r.Name, r.Help, 255)
		}
		if len(want.Lists) != 4 || len(want.Reports) != 2 {
			t.Errorf("%d lists and %d reports; want who is hot and who cools down, and one report, of each object", len(want.Lists), len(want.Reports))
		}
	}
}

// TestSetUp_FieldsHoldTheirMeasures: what plan computes fits into a field that apply made.
func TestSetUp_FieldsHoldTheirMeasures(t *testing.T) {
	values := Want("001", "山田製作所", "001", Subject{
		Score: engine.Score{Temperature: 987_654_321.123, AsOf: 20_000, Last: 19_990, BandUntil: 20_100},
		Band:  strings.Repeat("熱", 40), Reasons: []string{strings.Repeat("訪", 255), "b", "c"}, HalfLife: 36500.25, TableVersion: "2026-10",
	}).Values
	for i, f := range SetUp([]Writing{everything("Account", engine.Account)}, "ja", "熱").Fields {
		name := Measures[i].Name
		got, err := fit(values[name], connectors.Field{Name: f.Name, Type: f.Type, Length: f.Length, Precision: f.Precision, Scale: f.Scale})
		if err != nil || !same(got, values[name]) {
			t.Errorf("%s: %v becomes %v, %v", name, values[name], got, err)
		}
	}
}

// TestSetUp_RepsAreNobodysList: the energy of one's own people is confidential, and stands in no list or report.
func TestSetUp_RepsAreNobodysList(t *testing.T) {
	want := SetUp([]Writing{everything("User", engine.Rep)}, "ja", "熱")
	if len(want.Lists) > 0 || len(want.Reports) > 0 {
		t.Errorf("lists %v, reports %v", want.Lists, want.Reports)
	}
	for _, f := range want.Fields {
		if !f.Confidential {
			t.Errorf("%s is not confidential", f.Name)
		}
	}
}
