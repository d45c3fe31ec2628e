package engine_test

import (
	"fmt"
	"maps"
	"math"
	"testing"

	"pgregory.net/rapid"

	"energyd/engine"
)

// drawGroups draws groups of every kind of decay.
func drawGroups(t *rapid.T) []engine.GroupConfig {
	groups := make([]engine.GroupConfig, rapid.IntRange(1, 3).Draw(t, "groups"))
	for i := range groups {
		g := &groups[i]
		*g = rapid.SampledFrom([]engine.GroupConfig{
			{HalfLifeDays: 60}, {HalfLifeDays: 7}, {Decay: "grace_exp", GraceDays: 14, HalfLifeDays: 20},
			{Decay: "step", StepPoints: 3, StepDays: 10}, {Decay: "linear", FadeDays: 45}, {Decay: "none"},
		}).Draw(t, "decay")
		g.Name = fmt.Sprint("g", i)
		g.Cap = rapid.SampledFrom([]float64{0, 0, 12}).Draw(t, "cap")
		g.Negative = i > 0 && rapid.IntRange(0, 2).Draw(t, "negative") == 0
	}
	return groups
}

// walker follows an entity day by day, each kind of decay by its plain words.
type walker struct {
	groups []engine.GroupConfig
	stay   int
	held   [3]float64
	idle   [3]int // clock days since the last contact
	fading [3][]struct{ points, age float64 }
	band   int
	since  int
	now    int // clock reading
}

// day lets the clock go on by so many days, and takes in points by group.
func (w *walker) day(step int, news [3]float64) {
	w.now += step
	for g, rule := range w.groups {
		for range step {
			w.idle[g]++
			switch {
			case rule.Decay == "" || rule.Decay == "grace_exp" && w.idle[g] > rule.GraceDays:
				w.held[g] *= math.Exp2(-1 / rule.HalfLifeDays)
			case rule.Decay == "step" && w.idle[g]%rule.StepDays == 0:
				w.held[g] = max(0, w.held[g]-rule.StepPoints)
			}
			for i := range w.fading[g] {
				w.fading[g][i].age++
			}
		}
		if news[g] > 0 {
			w.held[g] += news[g]
			w.idle[g] = 0
			w.fading[g] = append(w.fading[g], struct{ points, age float64 }{news[g], 0})
		}
	}
	up, down := []float64{0, 10, 30, 60}, []float64{0, 8, 24, 48}
	e, was := math.Round(w.temperature()*1000)/1000, w.band
	for w.now-w.since >= w.stay && w.band > 0 && e < down[w.band] {
		w.band--
	}
	for w.band < 3 && e >= up[w.band+1] {
		w.band++
	}
	if w.band != was {
		w.since = w.now
	}
}

func (w *walker) temperature() float64 {
	sum := 0.0
	for g, rule := range w.groups {
		held := w.held[g]
		if rule.Decay == "linear" {
			held = 0
			for _, x := range w.fading[g] {
				held += x.points * max(0, 1-x.age/float64(rule.FadeDays))
			}
		}
		if rule.Cap > 0 {
			held = min(held, rule.Cap)
		}
		if rule.Negative {
			held = -held
		}
		sum += held
	}
	return max(0, sum)
}

// Whatever the groups, a score is what somebody gets who looks every day, and
// the band changes, without news, on the day that BandUntil names and on none before.
func TestGroupsAreTheDailyWalk(t *testing.T) {
	base := shipped(t)
	rapid.Check(t, func(t *rapid.T) {
		config := *base
		config.Kinds = maps.Clone(base.Kinds)
		groups(drawGroups(t)...)(&config)
		config.BandStayDays = rapid.SampledFrom([]int{0, 0, 5, 40}).Draw(t, "stay")
		if rapid.Bool().Draw(t, "business") {
			config.Clock = "business"
		}
		p, err := engine.Compile(&config)
		if err != nil {
			t.Fatal(err)
		}
		news := map[engine.Date][3]float64{}
		var cells []engine.Cell
		for range rapid.IntRange(1, 8).Draw(t, "cells") {
			c := engine.Cell{Date: day0 + engine.Date(rapid.IntRange(0, 120).Draw(t, "day")), Group: engine.Group(rapid.IntRange(0, len(config.Groups)-1).Draw(t, "group")),
				Milli: rapid.Int64Range(1, 40_000).Draw(t, "milli"), Count: 1}
			cells = append(cells, c)
			day := news[c.Date]
			day[c.Group] += float64(c.Milli) / 1000
			news[c.Date] = day
		}
		cells = engine.SortCells(cells)
		asOf := day0 + engine.Date(rapid.IntRange(0, 200).Draw(t, "as of"))
		w := walker{groups: config.Groups, stay: config.BandStayDays}
		for d := day0; d <= asOf; d++ {
			w.day(p.Clock(d)-p.Clock(d-1), news[d])
		}
		s := p.Evaluate(engine.Account, cells, asOf)
		if s.Band != w.band || math.Abs(s.Temperature-w.temperature()) > 1e-6 {
			t.Fatalf("%v in band %d; day by day %v in band %d", s.Temperature, s.Band, w.temperature(), w.band)
		}
		end := asOf + 400
		if s.BandUntil != engine.NoDate {
			end = min(end, s.BandUntil)
		}
		for d := asOf + 1; d <= end; d++ {
			was := w.band
			w.day(p.Clock(d)-p.Clock(d-1), [3]float64{})
			if (w.band != was) != (d == s.BandUntil) {
				t.Fatalf("on %v band %d after %d; until %v", d, w.band, was, s.BandUntil)
			}
		}
	})
}
