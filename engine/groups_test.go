package engine_test

import (
	"fmt"
	"slices"
	"testing"

	"energyd/engine"
)

// oneGroup gives the table one group, cooling like that.
func oneGroup(g engine.GroupConfig) func(*engine.PointsConfig) {
	g.Name = "all"
	return groups(g)
}

// groups gives the table those groups; kinds of others are of the first then.
func groups(list ...engine.GroupConfig) func(*engine.PointsConfig) {
	return func(c *engine.PointsConfig) {
		c.Groups = list
		if c.Alarms != nil {
			c.Alarms.IgnoreGroups = nil
		}
		for name, k := range c.Kinds {
			if !slices.ContainsFunc(list, func(g engine.GroupConfig) bool { return g.Name == k.Group }) {
				k.Group = ""
				c.Kinds[name] = k
			}
		}
	}
}

// bandsAt makes two bands, entered and left at so many points.
func bandsAt(x float64) func(*engine.PointsConfig) {
	return func(c *engine.PointsConfig) {
		c.Bands = []engine.BandConfig{{Name: "cold"}, {Name: "warm", Up: x, Down: x}}
	}
}

// inGroup makes cells of a group of points by day number.
func inGroup(g engine.Group, byDay map[int]float64) []engine.Cell {
	cells := stock(byDay)
	for i := range cells {
		cells[i].Group = g
	}
	return cells
}

func TestCases21To23KindsOfDecay(t *testing.T) {
	for _, test := range []struct {
		name  string
		group engine.GroupConfig
		cells map[int]float64
		want  map[int]float64 // temperature by day
		down  float64
		until int // first day below down; 0 = never
	}{
		{"21 grace", engine.GroupConfig{Decay: "grace_exp", GraceDays: 30, HalfLifeDays: 60}, map[int]float64{0: 30},
			map[int]float64{15: 30, 30: 30, 60: 21.213, 90: 15, 150: 7.5}, 10, 126},
		{"21 each contact gives grace anew", engine.GroupConfig{Decay: "grace_exp", GraceDays: 30, HalfLifeDays: 60}, map[int]float64{0: 30, 60: 1},
			map[int]float64{60: 22.213, 90: 22.213}, 10, 60 + 100},
		{"22 step", engine.GroupConfig{Decay: "step", StepPoints: 5, StepDays: 30}, map[int]float64{0: 30},
			map[int]float64{29: 30, 30: 25, 60: 20, 180: 0, 190: 0}, 10, 150},
		{"22 contact begins the idle days anew", engine.GroupConfig{Decay: "step", StepPoints: 5, StepDays: 30}, map[int]float64{0: 30, 45: 1},
			map[int]float64{45: 26, 74: 26, 75: 21}, 10, 45 + 120},
		{"23 linear", engine.GroupConfig{Decay: "linear", FadeDays: 60}, map[int]float64{0: 10},
			map[int]float64{0: 10, 15: 7.5, 30: 5, 45: 2.5, 60: 0, 90: 0}, 5, 31},
		{"23 every contact by itself", engine.GroupConfig{Decay: "linear", FadeDays: 60}, map[int]float64{0: 10, 30: 10},
			map[int]float64{30: 15, 60: 5, 75: 2.5}, 5, 61},
		{"none", engine.GroupConfig{Decay: "none"}, map[int]float64{0: 10, 5: 1}, map[int]float64{5: 11, 3000: 11}, 10, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, cells := table(t, oneGroup(test.group), bandsAt(test.down)), stock(test.cells)
			for day, want := range test.want {
				near(t, fmt.Sprint("day ", day), temperature(p, cells, day0+engine.Date(day)), want)
			}
			until := engine.NoDate
			if test.until != 0 {
				until = day0 + engine.Date(test.until)
			}
			s := p.Evaluate(engine.Account, cells, cells[len(cells)-1].Date)
			same(t, "band until", s.BandUntil, until)
			same(t, "due", s.Due, until)
		})
	}
}

// webAndVisits is case 24's table: pages seen fade soon and never count for more than 10.
func webAndVisits(c *engine.PointsConfig) {
	groups(engine.GroupConfig{Name: "visits", HalfLifeDays: 90}, engine.GroupConfig{Name: "web", HalfLifeDays: 14, Cap: 10})(c)
}

func TestCase24LimitsOfGroups(t *testing.T) {
	p := table(t, webAndVisits, bandsAt(30))
	cells := engine.MergeCells(inGroup(1, map[int]float64{0: 16}), inGroup(0, map[int]float64{0: 40}))
	s := p.Evaluate(engine.Account, cells, day0)
	near(t, "day 0", s.Temperature, 50)
	same(t, "groups", fmt.Sprint(s.Groups), "[40 10]")
	near(t, "web on day 9", p.Evaluate(engine.Account, cells, day0+9).Groups[1], 10)
	near(t, "web on day 10", p.Evaluate(engine.Account, cells, day0+10).Groups[1], 9.752)
	near(t, "day 45", temperature(p, cells, day0+45), 30.009)
	same(t, "below 30 after 45.027 days", s.Due, day0+46)
	same(t, "that day", p.Evaluate(engine.Account, cells, day0+46).Band, 0)
}

func TestCase42LimitPerPeriod(t *testing.T) {
	views := func(n int) []engine.Activity {
		acts := make([]engine.Activity, n)
		for i := range acts {
			acts[i] = visit((date("2026-01-07") + engine.Date(i%30)).String(), id(fmt.Sprint(i)), kind("view"))
		}
		return acts
	}
	web := func(g engine.GroupConfig) *engine.Points {
		g.Name = "web"
		return table(t, func(c *engine.PointsConfig) {
			groups(engine.GroupConfig{Name: "contact"}, g)(c)
			view := c.Kinds["view"]
			view.Group = "web"
			c.Kinds["view"] = view
		})
	}
	earned := func(p *engine.Points, acts []engine.Activity) float64 {
		sum := int64(0)
		for _, s := range p.Evaluate(engine.Account, ledgerOf(p, acts...).account(), date("2026-03-01")).Earned {
			sum += s.Milli
		}
		return float64(sum) / 1000
	}
	thirtyDays := web(engine.GroupConfig{PeriodCap: 10, PeriodCapDays: 30})
	same(t, "40 views", earned(thirtyDays, views(40)), 10)
	parts := thirtyDays.Explain(views(40), engine.Entity{Kind: engine.Account, ID: "A"}, date("2026-03-01"))
	same(t, "parts", len(parts), 40)
	for _, part := range parts {
		if part.Milli != 250 || part.Unlimited != 500 {
			t.Fatalf("a view is shown as %d of %d milli-points", part.Milli, part.Unlimited)
		}
	}
	same(t, "after deleting 25", earned(thirtyDays, views(15)), 7.5)
	same(t, "another 30 days have a limit of their own", earned(thirtyDays, append(views(40), visit("2026-02-06", kind("view")))), 10.5)
	same(t, "by the month: January's 35, February's 5", earned(web(engine.GroupConfig{PeriodCap: 10}), views(40)), 10+2.5)
	same(t, "visits are not limited", earned(thirtyDays, append(views(40), visit("2026-01-08"))), 16)
	same(t, "the temperature follows", temperature(thirtyDays, ledgerOf(thirtyDays, views(40)...).account(), date("2026-02-05")) < 10, true)

	t.Run("at most two a day", func(t *testing.T) {
		p := web(engine.GroupConfig{PerDay: 2})
		acts := []engine.Activity{
			visit("2026-01-07", id("1"), kind("view")), visit("2026-01-07", id("2"), kind("view")),
			visit("2026-01-07", id("3"), kind("view"), people(person("C2", "president"))), visit("2026-01-08", id("4"), kind("view")), visit("2026-01-07", id("5")),
		}
		l := ledgerOf(p, acts...)
		same(t, "the president's, one more, the next day's, the visit", l.total(engine.Account, "A"), 4000+500+500+6000)
		same(t, "president", l.total(engine.Contact, "C2"), 4000)
		var kept []string
		for _, part := range p.Explain(acts, engine.Entity{Kind: engine.Account, ID: "A"}, date("2026-01-08")) {
			kept = append(kept, acts[part.Activity].ID)
		}
		same(t, "of equals the lowest id", fmt.Sprint(kept), "[5 3 4 1]")
		same(t, "depends on the others of the day", p.Independent(), false)
	})
}

// complaints has a group whose points are taken off.
func complaints(c *engine.PointsConfig) {
	groups(engine.GroupConfig{Name: "contact"}, engine.GroupConfig{Name: "trouble", Negative: true})(c)
	c.Kinds["complaint"] = engine.KindConfig{Points: points(15), Group: "trouble"}
	c.Kinds["call"] = engine.KindConfig{Points: points(10)}
}

func TestCase43NegativeEvents(t *testing.T) {
	p := table(t, complaints)
	acts := []engine.Activity{visit("2026-01-01", id("1"), kind("call")), visit("2026-01-01", id("2"), kind("complaint"))}
	score := func(acts []engine.Activity) engine.Score {
		return p.Evaluate(engine.Account, ledgerOf(p, acts...).account(), day0)
	}
	s := score(acts)
	same(t, "shown", s.Temperature, 0)
	same(t, "earned stays", s.Earned[0].Milli, 10_000)
	same(t, "lost", s.Earned[0].Lost, 15_000)
	same(t, "groups", fmt.Sprint(s.Groups), "[10 15]")
	acts = append(acts, visit("2026-01-01", id("3"), kind("call")))
	same(t, "the state is not floored", score(acts).Temperature, 5)
	parts := p.Explain(acts, engine.Entity{Kind: engine.Account, ID: "A"}, day0)
	same(t, "the complaint's part", fmt.Sprint(parts[2].Milli, parts[2].Share), "-15000 -15")
}

func TestCase47HysteresisKeepsTheBand(t *testing.T) {
	p := table(t, func(c *engine.PointsConfig) {
		groups(engine.GroupConfig{Name: "up", Decay: "none"}, engine.GroupConfig{Name: "down", Decay: "none", Negative: true})(c)
	})
	plain := table(t, func(c *engine.PointsConfig) {
		groups(engine.GroupConfig{Name: "up", Decay: "none"}, engine.GroupConfig{Name: "down", Decay: "none", Negative: true})(c)
		for i := range c.Bands {
			c.Bands[i].Down = c.Bands[i].Up
		}
	})
	cells := engine.MergeCells(inGroup(0, map[int]float64{0: 31, 2: 2, 4: 4}), inGroup(1, map[int]float64{1: 2, 3: 3, 5: 5}))
	changes := func(p *engine.Points) (n int) {
		for day := 1; day < 6; day++ {
			if p.Evaluate(engine.Account, cells, day0+engine.Date(day)).Band != p.Evaluate(engine.Account, cells, day0+engine.Date(day-1)).Band {
				n++
			}
		}
		return n
	}
	for day, want := range []float64{31, 29, 31, 28, 32, 27} {
		same(t, fmt.Sprint("day ", day), temperature(p, cells, day0+engine.Date(day)), want)
	}
	same(t, "band changes", changes(p), 0)
	same(t, "without hysteresis", changes(plain), 5)
}

func TestBandStay(t *testing.T) {
	p := table(t, func(c *engine.PointsConfig) { c.BandStayDays = 30 })
	cells := stock(map[int]float64{0: 10}) // below 8 on day 20
	s := p.Evaluate(engine.Account, cells, day0)
	same(t, "stays", s.BandUntil, day0+30)
	same(t, "the day before", p.Evaluate(engine.Account, cells, day0+29).Band, 1)
	same(t, "that day", p.Evaluate(engine.Account, cells, day0+30).Band, 0)
	up := p.Evaluate(engine.Account, stock(map[int]float64{0: 10, 1: 50}), day0+1)
	same(t, "upwards at once", up.Band, 2)
}

func TestValidateGroups(t *testing.T) {
	for _, test := range []struct {
		name   string
		groups []engine.GroupConfig
		path   string
	}{
		{"no name", []engine.GroupConfig{{}}, "groups[0].name"},
		{"name twice", []engine.GroupConfig{{Name: "a"}, {Name: "a"}}, "groups[1].name"},
		{"decay", []engine.GroupConfig{{Name: "a", Decay: "exponential"}}, "groups[0].decay"},
		{"grace of exp", []engine.GroupConfig{{Name: "a", GraceDays: 3}}, "groups[0].grace_days"},
		{"step without days", []engine.GroupConfig{{Name: "a", Decay: "step", StepPoints: 3}}, "groups[0].step_days"},
		{"linear without days", []engine.GroupConfig{{Name: "a", Decay: "linear"}}, "groups[0].fade_days"},
		{"half-life of none", []engine.GroupConfig{{Name: "a", Decay: "none", HalfLifeDays: 3}}, "groups[0].half_life_days"},
		{"first is negative", []engine.GroupConfig{{Name: "a", Negative: true}}, "groups[0].negative"},
		{"negative limit", []engine.GroupConfig{{Name: "a", Cap: -1}}, "groups[0].cap"},
		{"days of no limit", []engine.GroupConfig{{Name: "a", PeriodCapDays: 30}}, "groups[0].period_cap_days"},
		{"per day", []engine.GroupConfig{{Name: "a", PerDay: -1}}, "groups[0].per_day"},
	} {
		t.Run(test.name, func(t *testing.T) {
			oneProblem(t, test.path, groups(test.groups...))
		})
	}
	oneProblem(t, "groups", func(c *engine.PointsConfig) {
		for i := range 14 {
			c.Groups = append(c.Groups, engine.GroupConfig{Name: fmt.Sprint(i)})
		}
	})
	oneProblem(t, "kinds.view.group", func(c *engine.PointsConfig) {
		groups(engine.GroupConfig{Name: "contact"}, engine.GroupConfig{Name: "web"})(c)
		c.Kinds["view"] = engine.KindConfig{Points: points(1), Group: "wep"}
	})
}
