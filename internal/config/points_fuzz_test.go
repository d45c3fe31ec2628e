package config

import (
	"testing"

	"go.yaml.in/yaml/v4"

	"energyd/configs"
	"energyd/engine"
)

// FuzzPoints loads points tables that may be anything: what is refused is
// refused with problems, and what is accepted compiles and scores.
func FuzzPoints(f *testing.F) {
	f.Add(configs.Points)
	for _, more := range []string{
		`groups: [{name: a, decay: step, step_points: 5, step_days: 30, cap: 3, period_cap: 1, period_cap_days: 2, per_day: 1}, {name: web, decay: linear, fade_days: 3}, {name: trouble, negative: true, decay: none}]`,
		`tables: [{name: t, product: [p], group: web, keyman_factor: 2, kinds: {visit: {in: 1}}, ranks: {staff: 0}, cues: {question: {bonus: 3}}}]`,
		`{clock: business, shutdown_days: [12-29], closing_day: 20, band_stay_days: 3, unconfirmed_factor: 0.5}`,
		`{mode: add, keyman_factor: 0}`,
	} {
		table := map[string]any{}
		for _, text := range [][]byte{configs.Points, []byte(more)} {
			if err := yaml.Unmarshal(text, &table); err != nil {
				f.Fatal(err)
			}
		}
		text, err := yaml.Marshal(table)
		if err != nil {
			f.Fatal(err)
		}
		var c engine.PointsConfig
		if err := parse("points.yaml", text).into(&c, c.Validate); err != nil {
			f.Fatal(err) // a seed that is refused would show nothing
		}
		f.Add(text)
	}
	acts := []engine.Activity{
		{Source: "daily_report", ID: "1", Date: 20_000, Kind: "visit", Account: "A", Product: "p", People: []engine.Participant{{Contact: "C", Rank: "staff", Keyman: true}}},
		{Source: "mail", ID: "2", Date: 20_010, Kind: "view", Account: "A", People: []engine.Participant{{Contact: "C"}}},
		{Source: "mail", ID: "3", Date: 20_020, Kind: "complaint", Account: "A", Direction: engine.Inbound},
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		if len(text) > 1<<16 {
			return
		}
		var c engine.PointsConfig
		if err := parse("points.yaml", text).into(&c, c.Validate); err != nil {
			return
		}
		if c.Earlier != "" { // of a file that is not there
			return
		}
		p, err := engine.Compile(&c)
		if err != nil {
			t.Fatalf("it is valid, and does not compile: %v", err)
		}
		for _, s := range p.ScoreAll(acts, 20_100) {
			if s.Temperature < 0 || s.Band < 0 || s.Band >= p.Bands() {
				t.Fatalf("%v: %v points in band %d", s.Entity, s.Temperature, s.Band)
			}
		}
	})
}
