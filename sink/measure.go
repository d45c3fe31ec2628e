package sink

import (
	"fmt"
	"math"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/fault"
)

// Measure is one thing that energyd can write into a CRM field. The
// configuration says which measure goes to which field.
type Measure struct {
	Name string // in energyd.yaml
	Type connectors.FieldType
	// Soft measures drift a little every day. Alone they do not cause a write
	// unless the energy moved by a noticeable amount (energy-model.md §4.6).
	Soft bool
	of   func(Subject) any
}

// Subject is what measures are taken of: one entity's score on a day.
type Subject struct {
	Score        engine.Score
	Band         string   // name of the band in the tenant's language
	Reasons      []string // sentences, most important first
	HalfLife     float64  // days of the points table's clock
	TableVersion string
}

// Measures is the field catalogue, in the order in which people see it.
var Measures = []Measure{
	{Name: "energy_now", Type: connectors.Number, Soft: true,
		of: func(s Subject) any { return math.Round(s.Score.Temperature*1000) / 1000 }},
	{Name: "energy_as_of", Type: connectors.Day, Soft: true,
		of: func(s Subject) any { return day(s.Score.AsOf) }},
	{Name: "band", Type: connectors.Text,
		of: func(s Subject) any { return s.Band }},
	{Name: "band_until", Type: connectors.Day,
		of: func(s Subject) any { return day(s.Score.BandUntil) }},
	{Name: "last_contact", Type: connectors.Day,
		of: func(s Subject) any { return day(s.Score.Last) }},
	{Name: "reason_1", Type: connectors.Text, of: reason(0)},
	{Name: "reason_2", Type: connectors.Text, of: reason(1)},
	{Name: "reason_3", Type: connectors.Text, of: reason(2)},
	{Name: "half_life", Type: connectors.Number,
		of: func(s Subject) any { return s.HalfLife }},
	{Name: "table_version", Type: connectors.Text,
		of: func(s Subject) any { return s.TableVersion }},
}

// CheckMeasure gives nil when the catalogue has a measure of that name.
func CheckMeasure(name string) error {
	if _, ok := measure(name); !ok {
		return fmt.Errorf("unknown measure %q%s", name, fault.DidYouMean(name, MeasureNames()))
	}
	return nil
}

// MeasureNames lists the catalogue's names.
func MeasureNames() []string {
	names := make([]string, len(Measures))
	for i, m := range Measures {
		names[i] = m.Name
	}
	return names
}

// measure finds a measure by name.
func measure(name string) (Measure, bool) {
	for _, m := range Measures {
		if m.Name == name {
			return m, true
		}
	}
	return Measure{}, false
}

func reason(i int) func(Subject) any {
	return func(s Subject) any {
		if i < len(s.Reasons) {
			return s.Reasons[i]
		}
		return nil
	}
}

func day(d engine.Date) any {
	if d == engine.NoDate {
		return nil
	}
	return d.String()
}
