package engine_test

import (
	"fmt"
	"math"
	"testing"

	"energyd/engine"
)

// night makes new surges of these chances, of accounts A0, A1 … of one sales person.
func night(ps ...float64) []engine.Raised {
	var list []engine.Raised
	for i, p := range ps {
		list = append(list, engine.Raised{Entity: engine.Entity{ID: fmt.Sprint("A", i)}, Rep: "R1", New: true,
			Alarm: engine.Alarm{Kind: engine.Surge, P: p, Since: day0, Booked: engine.NoDate}})
	}
	return list
}

// states writes what became of accounts, by the order of their ids.
func states(list []engine.Raised) string {
	byID := make([]string, len(list))
	for _, r := range list {
		var i int
		_, _ = fmt.Sscanf(r.Entity.ID, "A%d", &i)
		byID[i] = r.State.String()
		if r.Reason != "" {
			byID[i] += ":" + string(r.Reason)
		}
	}
	return fmt.Sprint(byID)
}

func TestDecide(t *testing.T) {
	list := func(share float64, budget int) func(*engine.PointsConfig) {
		return func(c *engine.PointsConfig) {
			c.Alarms.List = &engine.ListConfig{FalseShare: share, PerRepWeek: budget}
		}
	}
	for _, test := range []struct {
		name   string
		change func(*engine.PointsConfig)
		tests  int
		told   map[string]int
		alter  func([]engine.Raised)
		want   string
	}{
		{"55 the first four of five", list(0.05, 0), 5, nil, nil, "[fired fired fired fired muted:false_share]"},
		{"the more is tested, the less is believed", list(0.05, 0), 100, nil, nil, "[fired muted:false_share muted:false_share muted:false_share muted:false_share]"},
		{"no limit", list(0, 0), 1000, nil, nil, "[fired fired fired fired fired]"},
		{"a budget takes the least likely", list(0, 3), 5, map[string]int{"R1": 1, "R2": 5}, nil, "[fired fired muted:per_rep_week muted:per_rep_week muted:per_rep_week]"},
		{"nobody's alarms have no budget", list(0, 1), 5, nil, func(n []engine.Raised) { n[3].Rep = "" }, "[fired muted:per_rep_week muted:per_rep_week fired muted:per_rep_week]"},
		{"what was decided stays", list(0.05, 0), 5, nil, func(n []engine.Raised) {
			n[0].New, n[0].State = false, engine.HeldBack
			n[4].New, n[4].State = false, engine.Fired
		}, "[held_back fired fired fired fired]"},
		{"a rule mutes what was told", list(0, 0), 5, nil, func(n []engine.Raised) { n[0].New, n[0].Muted = false, true }, "[muted:mute fired fired fired fired]"},
		{"and without the rule it is told again", list(0.05, 0), 5, nil, func(n []engine.Raised) {
			n[4].New, n[4].State, n[4].Reason = false, engine.Muted, engine.MutedByRule
		}, "[fired fired fired fired fired]"},
		{"a booked meeting mutes a silence", list(0, 0), 5, nil, func(n []engine.Raised) { n[1].Alarm.Kind, n[1].Alarm.Booked = engine.Silence, day0 }, "[fired muted:booked fired fired fired]"},
	} {
		t.Run(test.name, func(t *testing.T) {
			n := night(.0003, .004, .012, .03, .2)
			if test.alter != nil {
				test.alter(n)
			}
			watching(t, test.change).Decide(n, test.tests, test.told)
			same(t, "states", states(n), test.want)
		})
	}
}

func TestOneInTenIsHeldBackByLot(t *testing.T) {
	p := watching(t, func(c *engine.PointsConfig) { c.Alarms.HoldOut, c.Alarms.List = 0.1, nil })
	many := night(make([]float64, 10_000)...)
	again := night(make([]float64, 10_000)...)
	p.Decide(many, 0, nil)
	p.Decide(again, 0, nil)
	same(t, "the lot a second time", states(many), states(again))
	held := 0
	for _, r := range many {
		if r.State == engine.HeldBack {
			held++
		}
	}
	if share := float64(held) / 10_000; math.Abs(share-0.1) > 0.015 { // five standard deviations
		t.Errorf("%v are held back, want 0.1", share)
	}
}

func TestWhoIsImportant(t *testing.T) {
	p := watching(t, func(c *engine.PointsConfig) {
		c.Alarms.Important = &engine.ImportantConfig{Accounts: []string{"001", "K0002"}, Keys: map[string]string{"importance": "A"}, Band: "hot"}
	})
	account := func(id string, keys map[string]string) engine.Profile {
		return engine.Profile{Entity: engine.Entity{ID: id}, Keys: keys}
	}
	for _, test := range []struct {
		name    string
		account engine.Profile
		best    int
		want    bool
	}{
		{"listed by id", account("001", nil), 0, true},
		{"listed by code", account("002", map[string]string{"code": "K0002"}), 0, true},
		{"flagged in the directory", account("003", map[string]string{"importance": "A"}), 0, true},
		{"flagged otherwise", account("003", map[string]string{"importance": "B"}), 0, false},
		{"once hot", account("004", nil), 3, true},
		{"never hot", account("004", nil), 2, false},
	} {
		same(t, test.name, p.Important(test.account, test.best), test.want)
	}
	same(t, "anybody, where nothing is said", watching(t, func(c *engine.PointsConfig) { c.Alarms.Important = nil }).Important(account("005", nil), 0), true)
}

func TestMuteRulesEnd(t *testing.T) {
	m := engine.MuteConfig{Account: "K1", Kinds: []string{"silence"}, Until: "2026-01-31"}
	same(t, "on the last day", m.Mutes(engine.Silence, date("2026-01-30")), true)
	same(t, "on the day", m.Mutes(engine.Silence, date("2026-01-31")), false)
	same(t, "another kind", m.Mutes(engine.Surge, date("2026-01-30")), false)
	always := engine.MuteConfig{Account: "K1"}
	same(t, "without end", always.Mutes(engine.Surge, date("2030-01-01")), true)
}
