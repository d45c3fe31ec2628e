package engine_test

import (
	"strings"
	"testing"

	"energyd/engine"
)

func TestValidateTrendAndAlarms(t *testing.T) {
	for _, test := range []struct {
		name      string
		change    func(*engine.PointsConfig)
		path, msg string
	}{
		{"trend's stocks", func(c *engine.PointsConfig) { c.Trend.LongHalfLifeDays = 14 }, "trend.long_half_life_days", "above short_half_life_days"},
		{"trend's window", func(c *engine.PointsConfig) { c.Trend.WithinDays = 0 }, "trend.within_days", "out of range"},
		{"entity", func(c *engine.PointsConfig) { c.Alarms.Entities = []string{"acount"} }, "alarms.entities[0]", `did you mean "account"?`},
		{"no history", func(c *engine.PointsConfig) { c.Alarms.History = nil }, "alarms", "history is missing"},
		{"known since", func(c *engine.PointsConfig) { c.Alarms.History.KnownSince = "2024/4/1" }, "alarms.history.known_since", "is no day"},
		{"prior", func(c *engine.PointsConfig) { c.Alarms.History.PriorDays = 0 }, "alarms.history.prior_days", "out of range"},
		{"ignored group", func(c *engine.PointsConfig) { c.Alarms.IgnoreGroups = []string{"wep"} }, "alarms.ignore_groups[0]", "wep"},
		{"chance", func(c *engine.PointsConfig) { c.Alarms.Surge.Chance = 1 }, "alarms.surge.chance", "out of range"},
		{"silence's chance", func(c *engine.PointsConfig) { c.Alarms.Silence.Chance = 0 }, "alarms.silence.chance", "out of range"},
		{"coldest band", func(c *engine.PointsConfig) { c.Alarms.Cooling.From = "cold" }, "alarms.cooling.from", `none of the bands ["lukewarm" "warm" "hot"]`},
		{"important band", func(c *engine.PointsConfig) { c.Alarms.Important.Band = "hott" }, "alarms.important.band", `did you mean "hot"?`},
		{"months", func(c *engine.PointsConfig) { c.Alarms.Low.Months = 0 }, "alarms.low.months", "out of range"},
		{"overlapping periods", func(c *engine.PointsConfig) { c.Alarms.Halved.Periods = 4 }, "alarms.halved.periods", "overlap"},
		{"purchases", func(c *engine.PointsConfig) {
			c.Alarms.Leaving = &engine.LeavingConfig{Alive: 0.5, R: 1, Alpha: 1, A: 1, B: 1, Stands: 90}
		}, "alarms.leaving.group", "missing"},
		{"false share", func(c *engine.PointsConfig) { c.Alarms.List.FalseShare = 5 }, "alarms.list.false_share", "out of range"},
		{"hold back", func(c *engine.PointsConfig) { c.Alarms.HoldOut = 0.9 }, "alarms.hold_back", "out of range"},
		{"muted kind", func(c *engine.PointsConfig) {
			c.Alarms.Mute = []engine.MuteConfig{{Account: "K1", Kinds: []string{"silent"}}}
		}, "alarms.mute[0].kinds[0]", `did you mean "silence"?`},
		{"muted until", func(c *engine.PointsConfig) {
			c.Alarms.Mute = []engine.MuteConfig{{Account: "K1", Until: "31.1.2027"}}
		}, "alarms.mute[0].until", "is no day"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if msg := oneProblem(t, test.path, test.change); !strings.Contains(msg, test.msg) {
				t.Errorf("%s; want …%s", msg, test.msg)
			}
		})
	}
}

func TestWhatBecomesOfAlarmsScoresNothingAnew(t *testing.T) {
	same(t, "fingerprint", watching(t, func(c *engine.PointsConfig) {
		c.Alarms.HoldOut, c.Alarms.List.PerRepWeek, c.Alarms.Mute = 0.1, 3, []engine.MuteConfig{{Account: "K1"}}
	}).Fingerprint(), watching(t).Fingerprint())
	if watching(t).Fingerprint() == watching(t, func(c *engine.PointsConfig) { c.Alarms.Surge.Chance = 0.02 }).Fingerprint() {
		t.Error("another chance, and the same fingerprint")
	}
}
