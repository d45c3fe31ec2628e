package engine_test

import (
	"fmt"
	"testing"

	"energyd/engine"
)

// earnedOn makes account cells of points by date.
func earnedOn(byDate map[string]float64) []engine.Cell {
	var cells []engine.Cell
	for day, x := range byDate {
		cells = append(cells, engine.Cell{Date: date(day), Class: engine.ClassStaff, Count: 1, Milli: int64(x*1000 + 0.5)})
	}
	return engine.SortCells(cells)
}

func TestCase44EarnedLittleIsInclusive(t *testing.T) {
	p := watching(t, alarms("low"))
	for _, test := range []struct {
		points float64
		want   bool
	}{{10, true}, {10.001, false}, {0, true}} {
		cells := earnedOn(map[string]float64{"2025-01-10": 50, "2026-05-02": test.points})
		r := p.Recent(cells, date("2026-05-31"))
		same(t, fmt.Sprintf("44 listed with %v", test.points), r.Low, test.want)
		same(t, "44 earned", r.Milli, int64(test.points*1000+0.5))
	}
	same(t, "44 listed without any contact", p.Recent(nil, date("2026-05-31")).Low, true)
}

func TestCase45HalvedIsInclusive(t *testing.T) {
	p := watching(t, alarms("halved"))
	for _, test := range []struct {
		name      string
		base, now float64
		want, has bool
	}{{"half", 20, 10, true, true}, {"a bit more", 20, 10.001, false, true}, {"no base", 0, 0, false, false}, {"nothing left", 20, 0, true, true}} {
		r := p.Recent(earnedOn(map[string]float64{"2025-06-01": 1, "2026-01-15": test.base, "2026-04-15": test.now}), date("2026-05-31"))
		_, has := r.Ratio()
		if r.Halved != test.want || has != test.has {
			t.Errorf("45 %s: listed %t, base %t", test.name, r.Halved, has)
		}
	}
}

func TestCase46Windows(t *testing.T) {
	p := watching(t, alarms("low", "halved"))
	asOf := date("2026-05-31")
	for day, in := range map[string]bool{"2026-02-28": false, "2026-03-01": true, "2026-05-31": true} {
		same(t, "46 "+day+" counts", p.Recent(earnedOn(map[string]float64{day: 7}), asOf).Milli == 7000, in)
	}
	r := p.Recent(earnedOn(map[string]float64{"2025-12-31": 1, "2026-01-01": 2, "2026-01-31": 4, "2026-02-01": 8, "2026-03-31": 16, "2026-04-01": 32, "2026-04-30": 64, "2026-05-01": 128}), asOf)
	same(t, "46 M", r.Period.String(), "2026-04")
	same(t, "46 April", r.Now, 96_000)
	same(t, "46 January", r.Before, 6_000)

	complete := watching(t, alarms("low", "halved"), func(c *engine.PointsConfig) {
		c.Alarms.Low.Complete, c.Alarms.Halved.Periods = true, 3
	})
	r = complete.Recent(earnedOn(map[string]float64{"2025-10-31": 1, "2025-11-01": 2, "2026-01-31": 4, "2026-02-01": 8, "2026-04-30": 16, "2026-05-01": 32}), asOf)
	same(t, "46 complete periods", r.Milli, 24_000)
	same(t, "46 sum of three", r.Now, 24_000)
	same(t, "46 of the three before", r.Before, 6_000)
}

func TestCase46aLeavingTheWindowIsDue(t *testing.T) {
	p := watching(t, alarms("low"))
	cells := earnedOn(map[string]float64{"2026-02-10": 12})
	same(t, "46a listed on 05-09", p.Recent(cells, date("2026-05-09")).Low, false)
	same(t, "46a listed on 05-10", p.Recent(cells, date("2026-05-10")).Low, true)
	due := date("2026-02-10")
	for due < date("2026-05-10") {
		due = p.Evaluate(engine.Account, cells, due).Due
	}
	same(t, "46a in the due queue", due, date("2026-05-10"))
	got := p.Evaluate(engine.Account, cells, date("2026-08-01")).Alarms
	if len(got) != 1 || got[0].Since != date("2026-05-10") {
		t.Errorf("46a alarms: %+v", got)
	}
}

func TestMonthsEnds(t *testing.T) {
	p := watching(t, alarms("low"))
	for _, test := range []struct{ day, gone string }{
		{"2025-11-29", "2026-03-01"}, {"2025-11-30", "2026-03-01"}, {"2025-11-28", "2026-02-28"}, {"2026-02-28", "2026-05-28"}, {"2026-01-31", "2026-05-01"},
	} {
		cells := earnedOn(map[string]float64{test.day: 7})
		same(t, test.day+" on the day before "+test.gone, p.Recent(cells, date(test.gone)-1).Milli, 7000)
		same(t, test.day+" on "+test.gone, p.Recent(cells, date(test.gone)).Milli, 0)
	}
}

func TestEarnedLittleKeepsItsDayWhileItStands(t *testing.T) {
	for _, complete := range []bool{false, true} {
		p := watching(t, alarms("low"), func(c *engine.PointsConfig) { c.Alarms.Low.Complete = complete })
		cells := earnedOn(map[string]float64{"2026-01-05": 40, "2026-05-12": 3, "2026-06-02": 2, "2026-08-20": 30, "2026-12-24": 5})
		since := engine.NoDate
		var was bool
		for day := date("2026-01-05"); day < date("2027-06-01"); day++ {
			s := p.Evaluate(engine.Account, cells, day)
			low := s.Recent.Low
			if len(s.Alarms) > 0 != low {
				t.Fatalf("%v: low %t and %+v", day, low, s.Alarms)
			}
			if low && !was {
				since = day
			}
			if low && since > date("2026-01-05") && s.Alarms[0].Since != since {
				t.Fatalf("complete %t, %v: since %v, and it fired on %v", complete, day, s.Alarms[0].Since, since)
			}
			was = low
		}
	}
}
