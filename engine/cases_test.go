package engine_test

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/engine"
)

// The worked cases of the energy model, by their numbers.

func TestCases1To10ContributionsAndRollUp(t *testing.T) {
	flat := func(c *engine.PointsConfig) {
		c.Mode = "flat"
		c.Kinds["visit"] = engine.KindConfig{Points: points(13)}
	}
	to, cc := person("C1", "department_manager"), person("C2", "executive")
	to.Role, cc.Role = engine.To, engine.Cc
	ten := make([]engine.Participant, 10)
	for i := range ten {
		ten[i] = person(fmt.Sprint("C", i), "staff")
	}
	four := visit("2026-03-10", people(keyman("C1", "department_manager"), person("C2", "staff"), person("C3", "staff")))
	tests := []struct {
		name    string
		change  func(*engine.PointsConfig)
		acts    []engine.Activity
		account int64
	}{
		{name: "1 来社 by 部長, keyman", acts: []engine.Activity{visit("2026-03-10", kind("visit_by_customer"), people(keyman("C1", "department_manager")))}, account: 45000},
		{name: "2 来社", acts: []engine.Activity{visit("2026-03-10", kind("visit_by_customer"))}, account: 10000},
		{name: "2 訪問", acts: []engine.Activity{visit("2026-03-10")}, account: 6000},
		{name: "2 電話受", acts: []engine.Activity{visit("2026-03-10", kind("phone", engine.Inbound))}, account: 4000},
		{name: "2 メール受", acts: []engine.Activity{visit("2026-03-10", kind("mail", engine.Inbound))}, account: 3000},
		{name: "3 訪問 with question", acts: []engine.Activity{visit("2026-03-10", cues("question"))}, account: 7200},
		{name: "4 three at a 訪問", acts: []engine.Activity{four}, account: 30000},
		{name: "4 max mode", change: share(0, 2), acts: []engine.Activity{four}, account: 27000},
		{name: "4 sum mode", change: share(1, 0), acts: []engine.Activity{four}, account: 39000},
		{name: "5 ten 担当 at a 来社", acts: []engine.Activity{visit("2026-03-10", kind("visit_by_customer"), people(ten...))}, account: 20000},
		{name: "6 mail To and Cc", acts: []engine.Activity{visit("2026-03-10", kind("mail", engine.Outbound), people(to, cc))}, account: 3250},
		{name: "7 NEC flat table", change: flat, acts: []engine.Activity{
			visit("2026-03-10", id("1"), kind("seminar"), people(keyman("C1", "president"))), visit("2026-03-11", id("2"), kind("document_request")),
			visit("2026-03-12", id("3")), visit("2026-03-13", id("4"), kind("purchase")),
		}, account: 48000},
		{name: "10 FAX", acts: []engine.Activity{visit("2026-03-10", kind("FAX"))}, account: 0},
		{name: "10 blank rank", acts: []engine.Activity{visit("2026-03-10", people(person("C1", "")))}, account: 6000},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			p := table(t)
			if test.change != nil {
				p = table(t, test.change)
			}
			same(t, "account", ledgerOf(p, test.acts...).total(engine.Account, "A"), test.account)
		})
	}

	t.Run("4 contacts and rank classes", func(t *testing.T) {
		l := ledgerOf(table(t), four)
		for contact, want := range map[string]int64{"C1": 27000, "C2": 6000, "C3": 6000} {
			same(t, contact, l.total(engine.Contact, contact), want)
		}
		want := []engine.Cell{{Date: date("2026-03-10"), Class: engine.ClassStaff, Milli: 9231}, {Date: date("2026-03-10"), Class: engine.ClassManager, Milli: 20769, Count: 1}}
		if diff := cmp.Diff(want, l.account()); diff != "" {
			t.Error(diff)
		}
	})
	t.Run("8 three reps", func(t *testing.T) {
		a := visit("2026-03-10", kind("visit_by_customer"))
		a.Reps = []engine.Share{{ID: "R1"}, {ID: "R2"}, {ID: "R3"}}
		l := ledgerOf(table(t), a)
		for rep, want := range map[string]int64{"R1": 3334, "R2": 3333, "R3": 3333} {
			same(t, rep, l.total(engine.Rep, rep), want)
		}
	})
	t.Run("9 two deals", func(t *testing.T) {
		a := four
		a.Deals = []engine.Share{{ID: "D1"}, {ID: "D2"}}
		for split, want := range map[string]int64{"equal": 15000, "full": 30000} {
			l := ledgerOf(table(t, func(c *engine.PointsConfig) { c.Deals.Split = split }), a)
			same(t, split+" D1", l.total(engine.Deal, "D1"), want)
			same(t, split+" D2", l.total(engine.Deal, "D2"), want)
			same(t, split+" account", l.total(engine.Account, "A"), int64(30000))
		}
	})
	t.Run("10 unmapped report", func(t *testing.T) {
		p := table(t)
		acts := []engine.Activity{visit("2026-03-10", kind("FAX")), visit("2026-03-11", people(person("C1", "")))}
		want := []engine.Unmapped{{Field: "kind", Value: "FAX", Count: 1}, {Field: "rank", Value: "", Count: 1}}
		if diff := cmp.Diff(want, p.Unmapped(acts)); diff != "" {
			t.Error(diff)
		}
		parts := p.Explain(acts, engine.Entity{Kind: engine.Account, ID: "A"}, date("2026-03-11"))
		same(t, "parts", len(parts), 1)
		same(t, "rank", parts[0].Terms[0].RankName, engine.UnknownRank)
	})
}

func TestCase11Repeat(t *testing.T) {
	p := table(t, repeat20)
	first := date("2026-03-02")
	for _, test := range []struct {
		name string
		days []int
		want int64
	}{
		{"40 days apart", []int{0, 40}, 13200},
		{"90 days apart", []int{0, 90}, 13200},
		{"91 days apart", []int{0, 91}, 12000},
		{"100 days apart", []int{0, 100}, 12000},
		{"the third is no second", []int{0, 40, 80}, 19200},
		{"a new run after a silence", []int{0, 40, 200, 210}, 26400},
		{"two on one day are one meeting date", []int{0, 0}, 12000},
	} {
		t.Run(test.name, func(t *testing.T) {
			var acts []engine.Activity
			for i, day := range test.days {
				acts = append(acts, visit((first+engine.Date(day)).String(), id(fmt.Sprint(i))))
			}
			same(t, "account", ledgerOf(p, acts...).total(engine.Account, "A"), test.want)
			slices.Reverse(acts)
			same(t, "reversed", ledgerOf(p, acts...).total(engine.Account, "A"), test.want)
		})
	}
	same(t, "another person", ledgerOf(p, visit("2026-03-02"), visit("2026-03-20", people(person("C2", "staff")))).total(engine.Account, "A"), 12000)
	same(t, "a mail is no meeting", ledgerOf(p, visit("2026-03-02", kind("mail", engine.Inbound)), visit("2026-03-20")).total(engine.Account, "A"), 9000)
	planned := visit("2026-03-02")
	planned.Status = engine.Planned
	same(t, "planned is not held", ledgerOf(p, planned, visit("2026-03-20")).total(engine.Account, "A"), 6000)
}

func TestCases12To13aDatesAndPeriods(t *testing.T) {
	calendar := table(t)
	closing20 := table(t, func(c *engine.PointsConfig) { c.ClosingDay = 20 })
	closing30 := table(t, func(c *engine.PointsConfig) { c.ClosingDay = 30 })
	losAngeles := table(t, func(c *engine.PointsConfig) { c.Timezone = "America/Los_Angeles" })
	for _, test := range []struct {
		name         string
		p            *engine.Points
		act          engine.Activity
		date, period string
		year         int
	}{
		{"12 after midnight in Tokyo", calendar, engine.Activity{At: instant("2026-03-31T15:30:00Z")}, "2026-04-01", "2026-04", 2026},
		{"12 before midnight in Tokyo", calendar, engine.Activity{At: instant("2026-03-31T14:59:00Z")}, "2026-03-31", "2026-03", 2025},
		{"13 closing day 20, on it", closing20, engine.Activity{Date: date("2026-04-20")}, "2026-04-20", "2026-04", 2026},
		{"13 closing day 20, after it", closing20, engine.Activity{Date: date("2026-04-21")}, "2026-04-21", "2026-05", 2026},
		{"13 closing day 20, over new year", closing20, engine.Activity{Date: date("2026-12-21")}, "2026-12-21", "2027-01", 2026},
		{"13 closing day 20, over the fiscal year", closing20, engine.Activity{Date: date("2026-03-21")}, "2026-03-21", "2026-04", 2026},
		{"13 closing day 30 in February", closing30, engine.Activity{Date: date("2026-02-28")}, "2026-02-28", "2026-02", 2025},
		{"13a date only in another zone", losAngeles, engine.Activity{Date: date("2026-04-01")}, "2026-04-01", "2026-04", 2026},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := test.p.DateOf(&test.act)
			same(t, "date", d.String(), test.date)
			same(t, "period", test.p.Period(d).String(), test.period)
			same(t, "fiscal year", test.p.FiscalYear(test.p.Period(d)), test.year)
		})
	}
	same(t, "13a days over the clock change", losAngeles.Clock(date("2026-03-09"))-losAngeles.Clock(date("2026-03-07")), 2)
}

func TestCases14To16BusinessClock(t *testing.T) {
	calendar, business := table(t), table(t, businessClock(40))
	for _, test := range []struct {
		name, from, to string
		days, calendar int
	}{
		{"14 Golden Week", "2026-04-28", "2026-05-07", 3, 9},
		{"15 国民の休日", "2026-09-18", "2026-09-24", 1, 6},
	} {
		t.Run(test.name, func(t *testing.T) {
			same(t, "business days", business.Clock(date(test.to))-business.Clock(date(test.from)), test.days)
			same(t, "calendar days", calendar.Clock(date(test.to))-calendar.Clock(date(test.from)), test.calendar)
		})
	}
	cells := []engine.Cell{{Date: date("2026-04-28"), Milli: 30000}}
	near(t, "16 calendar h 60", temperature(calendar, cells, date("2026-05-07")), 27.038)
	near(t, "16 business h 40", temperature(business, cells, date("2026-05-07")), 28.480)
}

func TestCases17To20Decay(t *testing.T) {
	p := table(t)
	t.Run("17", func(t *testing.T) {
		for day, want := range map[int]float64{30: 21.213, 60: 15, 120: 7.5} {
			near(t, fmt.Sprint("day ", day), temperature(p, stock(map[int]float64{0: 30}), day0+engine.Date(day)), want)
		}
	})
	cells := stock(map[int]float64{0: 30, 30: 10})
	t.Run("18", func(t *testing.T) {
		swapped := engine.MergeCells(stock(map[int]float64{30: 10}), stock(map[int]float64{0: 30}))
		s := p.Evaluate(engine.Account, cells, day0+60)
		near(t, "day 60", s.Temperature, 22.071)
		same(t, "arrival swapped", p.Evaluate(engine.Account, swapped, day0+60).Temperature, s.Temperature)
		kappa := math.Log2(s.Stock) + float64(p.Clock(s.Last)-p.Clock(day0))/60
		if math.Abs(kappa-5.46408) > 0.000005 {
			t.Errorf("κ = %.6f, want 5.46408", kappa)
		}
		near(t, "day 100 by κ", math.Exp2(kappa-100.0/60), 13.904)
		near(t, "day 100", temperature(p, cells, day0+100), 13.904)
	})
	t.Run("19", func(t *testing.T) {
		ten := table(t, func(c *engine.PointsConfig) {
			c.Bands = []engine.BandConfig{{Name: "cold"}, {Name: "warm", Up: 10, Down: 10}}
		})
		near(t, "day 128", temperature(ten, cells, day0+128), 10.061)
		near(t, "day 129", temperature(ten, cells, day0+129), 9.946)
		s := ten.Evaluate(engine.Account, cells, day0+60)
		same(t, "band until", s.BandUntil, day0+129)
		same(t, "due", s.Due, day0+129)
	})
	t.Run("20", func(t *testing.T) {
		for _, step := range []struct{ asOf, band, until int }{{0, 3, 64}, {63, 3, 64}, {64, 2, 124}, {124, 1, 219}, {218, 1, 219}} {
			s := p.Evaluate(engine.Account, stock(map[int]float64{0: 100}), day0+engine.Date(step.asOf))
			same(t, fmt.Sprint("band on day ", step.asOf), s.Band, step.band)
			same(t, fmt.Sprint("due from day ", step.asOf), s.Due, day0+engine.Date(step.until))
		}
		s := p.Evaluate(engine.Account, stock(map[int]float64{0: 100}), day0+219)
		same(t, "coldest band", s.Band, 0)
		same(t, "due of the coldest", s.Due, engine.NoDate)
	})
}

func TestCase25LongSeries(t *testing.T) {
	p := table(t, func(c *engine.PointsConfig) { c.HalfLifeDays = 1 })
	daily := make(map[int]float64)
	for day := range 5000 {
		daily[day] = 1
	}
	near(t, "5,000 days", temperature(p, stock(daily), day0+4999), 2)
}

// Case 26, as far as the engine goes: evaluating on other days leaves the cells as they are.
func TestCase26EvaluateChangesNoCells(t *testing.T) {
	p := table(t)
	cells := stock(map[int]float64{0: 30, 30: 10})
	before := slices.Clone(cells)
	want := temperature(p, cells, day0+60)
	for day := engine.Date(30); day <= 60; day += 3 {
		p.Evaluate(engine.Account, cells, day0+day)
	}
	same(t, "day 60", temperature(p, cells, day0+60), want)
	if diff := cmp.Diff(before, cells); diff != "" {
		t.Error(diff)
	}
}

func TestCase27LateArrival(t *testing.T) {
	p := table(t)
	late := engine.MergeCells(stock(map[int]float64{0: 30, 30: 10}), stock(map[int]float64{10: 12}))
	near(t, "late", temperature(p, late, day0+60), 28.806)
	same(t, "on time, bit for bit", temperature(p, stock(map[int]float64{0: 30, 10: 12, 30: 10}), day0+60), temperature(p, late, day0+60))
}

func TestCase28MovedOverTheYear(t *testing.T) {
	p := table(t)
	before := ledgerOf(p, visit("2026-03-31", id("v"))).account()
	after := ledgerOf(p, visit("2026-04-01", id("v"))).account()
	same(t, "before", periods(p.Evaluate(engine.Account, before, date("2026-04-30"))), "[2026-03:6]")
	moved := engine.MergeCells(engine.MergeCells(before, negative(before)), after)
	s := p.Evaluate(engine.Account, moved, date("2026-04-30"))
	same(t, "after", periods(s), "[2026-04:6]")
	same(t, "fiscal year", p.FiscalYear(s.Earned[0].Period), 2026)
	same(t, "fiscal year before", p.FiscalYear(p.Period(date("2026-03-31"))), 2025)
}

func TestCase30FrozenMonth(t *testing.T) {
	p := table(t)
	reported := p.Evaluate(engine.Rep, stock(map[int]float64{70: 20}), date("2026-05-10")).Earned
	now := p.Evaluate(engine.Rep, stock(map[int]float64{70: 20, 80: 6, 125: 3}), date("2026-05-10")).Earned
	adjustment := engine.Adjustment(reported, now, p.Period(date("2026-04-30")))
	same(t, "open period", adjustment.Period.String(), "2026-05")
	same(t, "adjustment", adjustment.Milli, 6000)
	same(t, "by class", adjustment.ByClass[engine.ClassStaff], 6000)
	same(t, "March for analysis", now[0].Milli-reported[0].Milli, 6000)
	same(t, "nothing changed", engine.Adjustment(reported, reported, adjustment.Period-1).Milli, 0)
	shown := engine.Reported(reported, now, adjustment.Period-1)
	same(t, "March as reported, May with the adjustment", periods(engine.Score{Earned: shown}), "[2026-03:20 2026-05:9]")
}

func TestCase31Replay(t *testing.T) {
	p := table(t)
	version := func(v int64, kindName string) engine.Activity {
		a := visit("2026-03-10", id("v"), kind(kindName))
		a.Version = v
		return a
	}
	v1, v2, v3 := version(1, "mail"), version(2, "visit"), version(3, "visit_by_customer")
	want := p.ScoreAll([]engine.Activity{v3}, date("2026-04-01"))
	same(t, "v3 stands", want[0].Earned[0].Milli, 10000)
	for _, feed := range [][]engine.Activity{{v3, v1, v2}, {v1, v2, v3}, {v3, v1, v2, v3, v1, v2}} {
		if diff := cmp.Diff(want, p.ScoreAll(feed, date("2026-04-01"))); diff != "" {
			t.Error(diff)
		}
	}
}

// Points dated after the reading wait, and are news on their day. (Of case 38.)
func TestFutureWaits(t *testing.T) {
	p := table(t)
	far := visit("2026-01-01", id("far"))
	far.Date = date("9999-12-31")
	cells := ledgerOf(p, visit("2026-01-01"), visit("2026-02-01", id("later")), far).account()
	s := p.Evaluate(engine.Account, cells, day0+1)
	near(t, "temperature", s.Temperature, 6*math.Exp2(-1.0/60))
	same(t, "due", s.Due, date("2026-02-01"))
	same(t, "earned", periods(s), "[2026-01:6]")
}

// 10 points fall below 8 on day 20. News of that very day keep the band, because
// nobody saw it lower; a day later they find it fallen.
func TestBandOnTheDayOfTheFall(t *testing.T) {
	p := table(t)
	same(t, "news on the day", p.Evaluate(engine.Account, stock(map[int]float64{0: 10, 20: 1}), day0+20).Band, 1)
	same(t, "news a day later", p.Evaluate(engine.Account, stock(map[int]float64{0: 10, 21: 1}), day0+21).Band, 0)
}

func TestSupersedes(t *testing.T) {
	base := visit("2026-03-10")
	newer, deleted, other := base, base, base
	newer.Version, deleted.Deleted, other.Kind = 2, true, "web_meeting"
	same(t, "newer over deleted", engine.Supersedes(&newer, &deleted), true)
	same(t, "deleted over newer", engine.Supersedes(&deleted, &newer), false)
	same(t, "of equal versions the deletion", engine.Supersedes(&deleted, &other), true)
	same(t, "not the other", engine.Supersedes(&other, &deleted), false)
	same(t, "itself", engine.Supersedes(&base, &base), false)
	same(t, "one of two", engine.Supersedes(&base, &other) != engine.Supersedes(&other, &base), true)
}

func negative(cells []engine.Cell) []engine.Cell {
	cells = slices.Clone(cells)
	for i := range cells {
		cells[i] = cells[i].Minus()
	}
	return cells
}
