package engine_test

import (
	"bytes"
	"fmt"
	"math"
	"os"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"energyd/engine"
)

// shipped reads configs/points.yaml, which is table T1 of the energy model, so
// that the worked cases hold for what users get.
func shipped(tb testing.TB) *engine.PointsConfig {
	tb.Helper()
	text, err := os.ReadFile("../configs/points.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	c := new(engine.PointsConfig)
	if err := decoder.Decode(c); err != nil {
		tb.Fatal(err)
	}
	return c
}

// table compiles the shipped table without trend and alarms, after changes.
func table(tb testing.TB, changes ...func(*engine.PointsConfig)) *engine.Points {
	tb.Helper()
	bare := func(c *engine.PointsConfig) { c.Trend, c.Alarms = nil, nil }
	return watching(tb, append([]func(*engine.PointsConfig){bare}, changes...)...)
}

// watching compiles the shipped table with trend and alarms, after changes.
func watching(tb testing.TB, changes ...func(*engine.PointsConfig)) *engine.Points {
	tb.Helper()
	c := shipped(tb)
	for _, change := range changes {
		change(c)
	}
	p, err := engine.Compile(c)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

func points(x float64) *float64 { return &x }

// repeat20 gives the cue "repeat" the factor 1.2.
func repeat20(c *engine.PointsConfig) {
	c.Cues[engine.RepeatCue] = engine.CueConfig{Factor: points(1.2), WithinDays: 90}
}

// share sets how additional participants count.
func share(share, limit float64) func(*engine.PointsConfig) {
	return func(c *engine.PointsConfig) {
		c.AdditionalParticipants = engine.AdditionalParticipants{Share: share, Limit: limit}
	}
}

// businessClock counts business days, with that half-life.
func businessClock(halfLife float64) func(*engine.PointsConfig) {
	return func(c *engine.PointsConfig) { c.Clock, c.HalfLifeDays = "business", halfLife }
}

// visit is a 訪問 with one 担当; options change it.
func visit(day string, options ...func(*engine.Activity)) engine.Activity {
	a := engine.Activity{
		Source: "daily_report", ID: day, Version: 1, Date: date(day), Kind: "visit", Account: "A",
		People: []engine.Participant{person("C1", "staff")},
	}
	for _, option := range options {
		option(&a)
	}
	return a
}

func kind(name string, d ...engine.Direction) func(*engine.Activity) {
	return func(a *engine.Activity) {
		a.Kind = name
		if len(d) > 0 {
			a.Direction = d[0]
		}
	}
}

func people(list ...engine.Participant) func(*engine.Activity) {
	return func(a *engine.Activity) { a.People = list }
}

func cues(names ...string) func(*engine.Activity) {
	return func(a *engine.Activity) { a.Cues = names }
}

func id(id string) func(*engine.Activity) { return func(a *engine.Activity) { a.ID = id } }

func person(contact, rank string) engine.Participant {
	return engine.Participant{Contact: contact, Rank: rank}
}

func keyman(contact, rank string) engine.Participant {
	return engine.Participant{Contact: contact, Rank: rank, Keyman: true}
}

func date(day string) engine.Date {
	d, err := engine.ParseDate(day)
	if err != nil {
		panic(err)
	}
	return d
}

func instant(s string) time.Time {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil {
		panic(err)
	}
	return t
}

// ledger adds contributions up by entity, as the store does.
type ledger map[engine.Entity][]engine.Cell

func ledgerOf(p *engine.Points, acts ...engine.Activity) ledger {
	l := make(ledger)
	byAccount := make(map[string][]engine.Activity)
	for _, a := range acts {
		byAccount[a.Account] = append(byAccount[a.Account], a)
	}
	for _, own := range byAccount {
		p.Contributions(own, func(_ int, c engine.Contribution) { l[c.Entity] = append(l[c.Entity], c.Cell) })
	}
	for e, cells := range l {
		l[e] = engine.SortCells(cells)
	}
	return l
}

// total sums an entity's milli-points.
func (l ledger) total(kind engine.EntityKind, id string) (sum int64) {
	for _, c := range l[engine.Entity{Kind: kind, ID: id}] {
		sum += c.Milli
	}
	return sum
}

// account gives account A's cells.
func (l ledger) account() []engine.Cell {
	return l[engine.Entity{Kind: engine.Account, ID: "A"}]
}

// stock makes account cells of points by day number, day 0 being 2026-01-01.
func stock(byDay map[int]float64) []engine.Cell {
	var cells []engine.Cell
	for day, x := range byDay {
		cells = append(cells, engine.Cell{Date: day0 + engine.Date(day), Class: engine.ClassStaff, Milli: int64(math.Round(x * 1000))})
	}
	return engine.SortCells(cells)
}

var day0 = date("2026-01-01")

func temperature(p *engine.Points, cells []engine.Cell, asOf engine.Date) float64 {
	return p.Evaluate(engine.Account, cells, asOf).Temperature
}

// same fails unless got is want exactly.
func same[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s = %v, want %v", what, got, want)
	}
}

// near fails unless got is want within the model's tolerance, half of the last digit it gives.
func near(t *testing.T, what string, got, want float64) {
	t.Helper()
	if !(math.Abs(got-want) <= 0.001) {
		t.Errorf("%s = %.5f, want %.3f", what, got, want)
	}
}

// periods writes earned energy as "2026-03:6 2026-04:7.2".
func periods(s engine.Score) string {
	var words []string
	for _, sum := range s.Earned {
		words = append(words, fmt.Sprintf("%v:%v", sum.Period, float64(sum.Milli)/1000))
	}
	return fmt.Sprint(words)
}
