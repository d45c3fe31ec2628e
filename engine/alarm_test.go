package engine_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/engine"
)

// stirs makes account cells of the customer's mails, 4 points each, on days
// of day0; a day that is given twice has two.
func stirs(days ...int) []engine.Cell {
	var cells []engine.Cell
	for _, day := range days {
		cells = append(cells, engine.Cell{Date: day0 + engine.Date(day), Class: engine.ClassStaff, Direction: engine.Inbound, Count: 1, Milli: 4000})
	}
	return engine.SortCells(cells)
}

// every gives n days from first on, step days apart.
func every(step, first, n int) []int {
	days := make([]int, n)
	for i := range days {
		days[i] = first + i*step
	}
	return days
}

// known makes all contacts known from so many days after day0 on.
func known(day int) func(*engine.PointsConfig) {
	return func(c *engine.PointsConfig) { c.Alarms.History.KnownSince = (day0 + engine.Date(day)).String() }
}

// alarms lets the shipped table look for these alone.
func alarms(names ...string) func(*engine.PointsConfig) {
	return func(c *engine.PointsConfig) {
		c.Trend = nil
		a := c.Alarms
		for name, off := range map[string]func(){
			"surge": func() { a.Surge = nil }, "silence": func() { a.Silence = nil }, "cooling": func() { a.Cooling = nil },
			"low": func() { a.Low = nil }, "halved": func() { a.Halved = nil },
		} {
			if !slices.Contains(names, name) {
				off()
			}
		}
	}
}

// standing gives the alarms of account cells on a day of day0.
func standing(p *engine.Points, cells []engine.Cell, day int) []engine.Alarm {
	return p.Evaluate(engine.Account, cells, day0+engine.Date(day)).Alarms
}

// found gives the day of the first alarm after a day, for who looks on due days alone; 0 = none.
func found(p *engine.Points, cells []engine.Cell, day int) int {
	for d := day0 + engine.Date(day); d != engine.NoDate; {
		s := p.Evaluate(engine.Account, cells, d)
		if len(s.Alarms) > 0 {
			return int(d - day0)
		}
		d = s.Due
	}
	return 0
}

func TestCases52To54Surge(t *testing.T) {
	// History of 90 days on days 0 to 89, judged are days 90 to 103.
	p := watching(t, alarms("surge"), known(0))
	for _, test := range []struct {
		name      string
		had, now  int
		p, usual  float64
		tolerance float64
		fires     bool
	}{
		{"52 five", 3, 5, 0.000321, 0.415, 5e-7, true},
		{"52 three", 3, 3, 0.01334, 0, 0, false},
		{"53 new, three", 0, 3, 0.000830, 0.104, 5e-7, true},
		{"53 new, two are below the floor", 0, 2, 0, 0, 0, false},
		{"54 busy, eight", 30, 8, 0.0229, 0, 0, false},
		{"54 busy, nine", 30, 9, 0.0089, 3.215, 5e-5, true},
		{"54 busy, twelve", 30, 12, 0.00035, 3.215, 5e-6, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			days := every(2, 1, test.had)
			for range test.now { // all on the last day: it is tested with all of them
				days = append(days, 103)
			}
			got := standing(p, stirs(days...), 103)
			if len(got) > 0 != test.fires {
				t.Fatalf("alarms: %v, want one: %t", got, test.fires)
			}
			if !test.fires {
				return
			}
			a := got[0]
			same(t, "kind", a.Kind, engine.Surge)
			same(t, "contacts", a.Contacts, test.now)
			same(t, "history", a.History, 90)
			if math.Abs(a.P-test.p) > test.tolerance || math.Abs(a.Usual-test.usual) > 0.0005 {
				t.Errorf("p %.6f, usual %.4f; want %.6f, %.3f", a.P, a.Usual, test.p, test.usual)
			}
		})
	}
}

func TestSurgeCountsWhatTheCustomerStarted(t *testing.T) {
	p := watching(t, alarms("surge"), known(0))
	burst := []int{100, 101, 102, 102}
	few := stirs(burst...)
	for i := range few {
		few[i].Milli = 2000 // four mails of 2 points: 8 are below 10
	}
	same(t, "alarms of 8 points", len(standing(p, few, 103)), 0)
	ours := stirs(burst...)
	for i := range ours {
		ours[i].Direction = engine.Outbound
	}
	same(t, "alarms of our own acts", len(standing(p, ours, 103)), 0)

	// A 来社 is both sides', and the customer's act; a 訪問 is ours as much.
	var came, went []engine.Activity
	for i := range 4 {
		day := (day0 + engine.Date(100+i)).String()
		came, went = append(came, visit(day, kind("visit_by_customer"))), append(went, visit(day))
	}
	same(t, "alarms of 来社", len(standing(p, ledgerOf(p, came...).account(), 103)), 1)
	same(t, "alarms of 訪問", len(standing(p, ledgerOf(p, went...).account(), 103)), 0)
}

func TestCase56SurgeRests(t *testing.T) {
	p := watching(t, alarms("surge"), known(0))
	fire := func(days ...int) []int { // contacts that fire on day 200 of day0, and go on on days after it
		burst := []int{200, 200, 200, 200}
		for _, d := range days {
			burst = append(burst, 200+d, 200+d, 200+d, 200+d)
		}
		return burst
	}
	cells := stirs(fire(3, 13, 14, 15)...)
	for _, test := range []struct{ day, since int }{{200, 200}, {203, 200}, {213, 200}, {214, 200}, {215, 215}, {229, 215}} {
		got := standing(p, cells, test.day)
		if len(got) != 1 || got[0].Since != day0+engine.Date(test.since) {
			t.Errorf("day %d: %v, want the surge of day %d", test.day-200, got, test.since-200)
		}
	}
	same(t, "alarms on day 30", len(standing(p, cells, 230)), 0)
	if s := p.Evaluate(engine.Account, cells, day0+215); s.Due > day0+230 {
		t.Errorf("due on %v, want no later than the surge's end", s.Due)
	}
	// Without contacts on day 15 nothing fires then, though the window is still full.
	if got := standing(p, stirs(fire(3, 13, 14)...), 215); len(got) > 0 {
		t.Errorf("day 15 without news: %v", got)
	}
}

func TestSurgeOfACustomerWithoutHistory(t *testing.T) {
	// Contacts known only from the first on: three in a new customer's first days are no surge yet, four are.
	p := watching(t, alarms("surge"))
	same(t, "alarms of three", len(standing(p, stirs(100, 101, 102), 102)), 0)
	same(t, "alarms of four", len(standing(p, stirs(100, 101, 102, 102), 102)), 1)
}

func TestCase57Silence(t *testing.T) {
	p := watching(t, alarms("silence"), known(-1000))
	for _, test := range []struct {
		n    int
		days int // the first whole day beyond 58.31 and 120.18
	}{{12, 59}, {6, 121}} {
		days := every(14, 180-14*(test.n-1), test.n) // n contacts, the last on day 180
		cells := stirs(days...)
		same(t, fmt.Sprintf("the night that finds it after %d contacts", test.n), found(p, cells, 180), 180+test.days)
		same(t, "alarms on the day before", len(standing(p, cells, 180+test.days-1)), 0)
		got := standing(p, cells, 180+test.days)
		if len(got) != 1 || got[0].Kind != engine.Silence || got[0].P > 0.05 || got[0].P < 0.045 {
			t.Errorf("after %d days: %v", test.days, got)
		}
		same(t, "alarms when it is old news", len(standing(p, cells, 180+test.days+90)), 0)
		same(t, "alarms after a contact", len(standing(p, stirs(append(days, 180+test.days)...), 180+test.days)), 0)
	}
}

func TestCase38APlannedMeetingMutesSilence(t *testing.T) {
	p := watching(t, alarms("silence"))
	at := func(day engine.Date, status engine.Status) engine.Activity {
		return visit(day.String(), func(a *engine.Activity) { a.Status = status })
	}
	var held []engine.Activity
	for _, d := range every(14, 26, 12) {
		held = append(held, at(day0+engine.Date(d), engine.Held))
	}
	overdue := 180 + 70
	for _, test := range []struct {
		name   string
		meet   engine.Activity
		booked engine.Date
		due    engine.Date // when that changes
	}{
		{"tomorrow", at(day0+engine.Date(overdue)+1, engine.Planned), day0 + engine.Date(overdue) + 1, day0 + engine.Date(overdue) + 1},
		{"held, and dated tomorrow", at(day0+engine.Date(overdue)+1, engine.Held), day0 + engine.Date(overdue) + 1, day0 + engine.Date(overdue) + 1},
		{"in 90 days", at(day0+engine.Date(overdue)+90, engine.Planned), day0 + engine.Date(overdue) + 90, engine.NoDate},
		{"in 91 days", at(day0+engine.Date(overdue)+91, engine.Planned), engine.NoDate, day0 + engine.Date(overdue) + 1},
		{"in the year 9999", at(date("9999-12-31"), engine.Planned), engine.NoDate, engine.NoDate},
		{"cancelled", at(day0+engine.Date(overdue)+1, engine.Cancelled), engine.NoDate, engine.NoDate},
		{"planned, and past", at(day0+engine.Date(overdue)-1, engine.Planned), engine.NoDate, engine.NoDate},
		{"a mail that is planned", visit((day0 + engine.Date(overdue) + 1).String(), kind("mail", engine.Outbound), func(a *engine.Activity) { a.Status = engine.Planned }), engine.NoDate, engine.NoDate},
	} {
		t.Run(test.name, func(t *testing.T) {
			without := p.Evaluate(engine.Account, ledgerOf(p, held...).account(), day0+engine.Date(overdue))
			cells := ledgerOf(p, append(slices.Clone(held), test.meet)...).account()
			s := p.Evaluate(engine.Account, cells, day0+engine.Date(overdue))
			if len(s.Alarms) != 1 || s.Alarms[0].Booked != test.booked {
				t.Fatalf("alarms: %+v, want a silence, booked %v", s.Alarms, test.booked)
			}
			if test.due != engine.NoDate {
				same(t, "due", s.Due, test.due)
			}
			s.Alarms, without.Alarms, s.Due = nil, nil, without.Due
			if diff := cmp.Diff(without, s); diff != "" {
				t.Errorf("a meeting that did not take place earns: %s", diff)
			}
		})
	}
}

func TestCoolingIsAlarmedOnTheDayTheBandFalls(t *testing.T) {
	p := watching(t, alarms("cooling"))
	cells := stock(map[int]float64{0: 100}) // hot until day 63, warm until 123, lukewarm until 218 (case 20)
	for _, test := range []struct {
		day      int
		since    int // 0 = no alarm
		from, to int
	}{{63, 0, 0, 0}, {64, 64, 3, 2}, {93, 64, 3, 2}, {94, 0, 0, 0}, {124, 124, 2, 1}, {219, 0, 0, 0}} {
		got := standing(p, cells, test.day)
		switch {
		case test.since == 0 && len(got) > 0:
			t.Errorf("day %d: %+v", test.day, got)
		case test.since > 0 && (len(got) != 1 || got[0].Since != day0+engine.Date(test.since) || got[0].From != test.from || got[0].To != test.to):
			t.Errorf("day %d: %+v, want the fall of day %d from %d to %d", test.day, got, test.since, test.from, test.to)
		}
	}
	same(t, "alarms after a contact", len(standing(p, stock(map[int]float64{0: 100, 70: 1}), 71)), 0)
}

func TestLeavingBuyersAreToldOnce(t *testing.T) {
	p := watching(t, alarms(), func(c *engine.PointsConfig) {
		groups(engine.GroupConfig{Name: "contacts"}, engine.GroupConfig{Name: "purchases"})(c)
		c.Alarms.Leaving = &engine.LeavingConfig{Group: "purchases", Alive: 0.5, R: 0.243, Alpha: 4.414, A: 0.793, B: 2.426, Stands: 90}
	})
	buys := func(days ...int) []engine.Cell {
		cells := stirs(days...)
		for i := range cells {
			cells[i].Group = 1
		}
		return cells
	}
	// 20 repeat purchases in 30 weeks: case 58 gives 0.19682 after 39 weeks, so it fell below 0.5 before.
	cells := buys(append(every(10, 0, 20), 210)...)
	day := found(p, cells, 210)
	if !(day > 210 && day < 39*7) {
		t.Fatalf("found on day %d", day)
	}
	same(t, "alarms on the day before", len(standing(p, cells, day-1)), 0)
	got := standing(p, cells, day)
	if len(got) != 1 || got[0].Kind != engine.Leaving || !(got[0].Alive < 0.5 && got[0].Alive > 0.48) {
		t.Errorf("on day %d: %+v", day, got)
	}
	same(t, "alarms of who bought once", len(standing(p, buys(0), 1000)), 0)
}

func TestAnAlarmsEvidenceComesBackFromJSON(t *testing.T) {
	p := watching(t, known(0))
	cells := stirs(append(every(10, 1, 12), 300, 300, 300, 300)...)
	var all []engine.Alarm
	for day := range 500 {
		all = append(all, standing(p, cells, day)...)
	}
	kinds := map[engine.AlarmKind]bool{}
	for _, a := range all {
		kinds[a.Kind] = true
		text, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		var back engine.Alarm
		if err := json.Unmarshal(text, &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(a, back); diff != "" {
			t.Fatalf("%s: %s", text, diff)
		}
	}
	if len(kinds) < 4 {
		t.Errorf("kinds %v, want at least four", kinds)
	}
}
