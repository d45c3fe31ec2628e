package sink

import (
	"strings"

	"energyd/connectors"
	"energyd/engine"
)

// coolingDays is how soon a band must fall to stand in the list of who cools down.
const coolingDays = 14

// SetUp says what a CRM shall be prepared with for writings, all of one
// connection: their fields, lists of who is hot and who cools down, and
// reports. hottest is the hottest band's name in language, "ja" or "en".
func SetUp(writings []Writing, language, hottest string) connectors.SetUp {
	want := connectors.SetUp{Language: language}
	for _, w := range writings {
		by := map[string]string{} // field by measure
		var columns []string      // what fits beside a name
		for _, f := range w.Fields {
			m, _ := measure(f.Measure)
			by[f.Measure] = f.Field
			label := m.Label.In(language)
			if w.Kind == engine.CompanyGroup {
				label = ofGroup.In(language) + label
			}
			want.Fields = append(want.Fields, connectors.NewField{
				Object: w.Object, Name: f.Field, Type: m.Type, Length: m.Length, Precision: m.Precision, Scale: m.Scale,
				Label: label, Help: m.Help.In(language), Confidential: w.Kind == engine.Rep,
			})
			switch f.Measure {
			case "energy_now", "band", "band_until", "last_contact", "reason_1":
				columns = append(columns, f.Field)
			}
		}
		names, ok := peopleNames[w.Kind]
		if !ok {
			continue
		}
		if band := by["band"]; band != "" {
			want.Lists = append(want.Lists, connectors.NewList{
				Object: w.Object, Name: "Energyd_Hot", Label: names.hot.In(language), Columns: columns, Field: band, Equals: hottest,
			})
		}
		if until := by["band_until"]; until != "" {
			want.Lists = append(want.Lists, connectors.NewList{
				Object: w.Object, Name: "Energyd_Cooling", Label: names.cooling.In(language), Columns: columns, Field: until, WithinDays: coolingDays,
			})
		}
		if energy := by["energy_now"]; energy != "" {
			r := connectors.NewReport{Object: w.Object, Name: "Energyd_" + strings.TrimSuffix(w.Object, "__c"),
				Label: names.report.In(language), Help: names.help.In(language), Columns: columns, Sort: energy}
			if w.Kind == engine.Account {
				r.Group = by["band"]
			}
			want.Reports = append(want.Reports, r)
		}
	}
	return want
}

// ofGroup begins the labels of a group's fields, which stand beside those of its account.
var ofGroup = engine.Label{Ja: "グループの", En: "Group "}

// peopleNames are the names of lists and reports, in the CRM's own words for
// its objects. Deals have the CRM's own pipeline; reps get no ranking from us.
var peopleNames = map[engine.EntityKind]struct{ hot, cooling, report, help engine.Label }{
	engine.Account: {
		hot:     engine.Label{Ja: "温度の高い取引先", En: "Hot accounts"},
		cooling: engine.Label{Ja: "冷めてきた取引先", En: "Accounts cooling down"},
		report:  engine.Label{Ja: "温度帯別の取引先", En: "Accounts by energy band"},
		help:    engine.Label{Ja: "取引先を温度帯ごとに、温度の高い順に並べます。", En: "Accounts of each energy band, the warmest first."},
	},
	engine.Contact: {
		hot:     engine.Label{Ja: "温度の高い取引先責任者", En: "Hot contacts"},
		cooling: engine.Label{Ja: "冷めてきた取引先責任者", En: "Contacts cooling down"},
		report:  engine.Label{Ja: "温度順の取引先責任者", En: "Contacts by energy"},
		help:    engine.Label{Ja: "取引先責任者を温度の高い順に並べます。", En: "Contacts, the warmest first."},
	},
}
