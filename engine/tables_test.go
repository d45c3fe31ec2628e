package engine_test

import (
	"fmt"
	"testing"

	"energyd/engine"
)

// about tells product and segment.
func about(product, segment string) func(*engine.Activity) {
	return func(a *engine.Activity) { a.Product, a.Segment = product, segment }
}

// housing has other points for houses, which cool by themselves, and for private customers.
func housing(c *engine.PointsConfig) {
	groups(engine.GroupConfig{Name: "contact"}, engine.GroupConfig{Name: "houses", HalfLifeDays: 20})(c)
	c.Tables = []engine.TableConfig{
		{Name: "houses", Product: []string{"house", "land"}, Group: "houses", KeymanFactor: points(3),
			Kinds: map[string]engine.KindPoints{"visit": {Points: points(20)}, "phone": {In: points(9)}},
			Ranks: map[string]float64{"president": 1}, Cues: map[string]engine.CuePoints{"question": {Factor: points(2)}}},
		{Name: "private", Segment: []string{"private"}, Kinds: map[string]engine.KindPoints{"visit": {Points: points(7)}}},
	}
}

func TestTablesOfProductsAndSegments(t *testing.T) {
	p := table(t, housing)
	for _, test := range []struct {
		name string
		act  engine.Activity
		want int64
	}{
		{"neither", visit("2026-03-10"), 6000},
		{"another product", visit("2026-03-10", about("car", "")), 6000},
		{"its product", visit("2026-03-10", about("land", "")), 20_000},
		{"the first that fits", visit("2026-03-10", about("house", "private")), 20_000},
		{"its segment", visit("2026-03-10", about("car", "private")), 7000},
		{"a direction of its own", visit("2026-03-10", about("house", ""), kind("phone", engine.Inbound)), 9000},
		{"the other as in the table around", visit("2026-03-10", about("house", ""), kind("phone", engine.Outbound)), 2000},
		{"rank", visit("2026-03-10", about("house", ""), people(person("C1", "president"))), 20_000},
		{"keyman", visit("2026-03-10", about("house", ""), people(keyman("C1", "staff"))), 60_000},
		{"cue", visit("2026-03-10", about("house", ""), cues("question")), 40_000},
		{"cue that it does not name", visit("2026-03-10", about("house", ""), cues("budget")), 24_000},
	} {
		t.Run(test.name, func(t *testing.T) {
			same(t, "account", ledgerOf(p, test.act).total(engine.Account, "A"), test.want)
		})
	}
	cells := ledgerOf(p, visit("2026-01-01", id("1")), visit("2026-01-01", id("2"), about("house", ""))).account()
	near(t, "each cools by itself", temperature(p, cells, day0+60), 3+20.0/8)

	change := func(f func(*engine.TableConfig)) func(*engine.PointsConfig) {
		return func(c *engine.PointsConfig) { housing(c); f(&c.Tables[1]) }
	}
	oneProblem(t, "tables[1].name", change(func(c *engine.TableConfig) { c.Name = "houses" }))
	oneProblem(t, "tables[1]", change(func(c *engine.TableConfig) { c.Segment = nil }))
	oneProblem(t, "tables[1].group", change(func(c *engine.TableConfig) { c.Group = "house" }))
	oneProblem(t, "tables[1].kinds.visits", change(func(c *engine.TableConfig) { c.Kinds = map[string]engine.KindPoints{"visits": {}} }))
	oneProblem(t, "tables[1].kinds.visit.in", change(func(c *engine.TableConfig) { c.Kinds = map[string]engine.KindPoints{"visit": {In: points(-1)}} }))
	oneProblem(t, "tables[1].kinds.bounce.points", change(func(c *engine.TableConfig) { c.Kinds = map[string]engine.KindPoints{"bounce": {Points: points(1)}} }))
	oneProblem(t, "tables[1].ranks.boss", change(func(c *engine.TableConfig) { c.Ranks = map[string]float64{"boss": 1} }))
	oneProblem(t, "tables[1].cues.question.factor", change(func(c *engine.TableConfig) {
		c.Cues = map[string]engine.CuePoints{"question": {Factor: points(11)}}
	}))
}

// A cue that is found counts where only a table of its own gives it weight.
func TestATableGivesWeightToFoundCues(t *testing.T) {
	for _, cue := range []engine.CueConfig{{WithinDays: 90}, {WithinDays: 90, Factor: points(1)}} {
		p := table(t, housing, func(c *engine.PointsConfig) {
			c.Cues["repeat"] = cue
			c.Tables[0].Cues["repeat"] = engine.CuePoints{Factor: points(1.5)}
		})
		first := visit("2026-03-01", id("1"), people(person("C1", "staff")))
		second := visit("2026-03-10", id("2"), about("house", ""), people(person("C1", "staff")))
		same(t, "the second meeting is about a house", ledgerOf(p, first, second).total(engine.Account, "A"), 6000+30_000)
		if p.Independent() {
			t.Error("what an activity earns hangs on earlier ones, and nobody is told")
		}
	}
}

// since makes the table an edition that applies from a day on, after one that was changed so.
func since(day string, before func(*engine.PointsConfig), earlier *engine.PointsConfig) func(*engine.PointsConfig) {
	return func(c *engine.PointsConfig) {
		before(earlier)
		c.AppliesFrom, c.Earlier, c.EarlierEdition = day, "before.yaml", earlier
	}
}

func TestEditions(t *testing.T) {
	dearVisits := func(c *engine.PointsConfig) { c.Kinds["visit"] = engine.KindConfig{Points: points(12)} }
	first := shipped(t)
	second := shipped(t)
	p := table(t, since("2026-04-01", func(c *engine.PointsConfig) {
		since("2026-01-01", func(c *engine.PointsConfig) { c.Mode = "flat" }, first)(c)
		c.Kinds["visit"] = engine.KindConfig{Points: points(8)}
		c.Kinds["fax"] = engine.KindConfig{Points: points(3)}
	}, second), dearVisits)
	chief := func(day string) engine.Activity { return visit(day, people(person("C1", "chief"))) }
	for _, test := range []struct {
		name string
		act  engine.Activity
		want int64
	}{
		{"today's", chief("2026-04-01"), 18_000},
		{"the day before", chief("2026-03-31"), 12_000},
		{"the first, with its mode", chief("2025-12-31"), 6000},
		{"long before", chief("1999-12-31"), 6000},
		{"a kind that there is no more", visit("2026-03-31", kind("fax")), 3000},
		{"which earns no more", visit("2026-04-01", kind("fax")), 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			same(t, "account", ledgerOf(p, test.act).total(engine.Account, "A"), test.want)
		})
	}
	same(t, "unmapped before", len(p.Unmapped([]engine.Activity{visit("2026-03-31", kind("fax"))})), 0)
	same(t, "unmapped now", len(p.Unmapped([]engine.Activity{visit("2026-04-01", kind("fax"))})), 1)
	restated := table(t, dearVisits)
	same(t, "restated", ledgerOf(restated, chief("2026-03-31")).total(engine.Account, "A"), 18_000)
	same(t, "another fingerprint", restated.Fingerprint() == p.Fingerprint(), false)

	oneProblem(t, "applies_from", func(c *engine.PointsConfig) { c.AppliesFrom = "2026-04-01" })
	oneProblem(t, "applies_from", func(c *engine.PointsConfig) { c.Earlier = "a.yaml" })
	oneProblem(t, "applies_from", func(c *engine.PointsConfig) { c.AppliesFrom, c.Earlier = "April", "a.yaml" })
	oneProblem(t, "applies_from", since("2026-01-01", func(*engine.PointsConfig) {}, second))
}

// derive switches a cue on that the engine finds by itself, with that factor.
func derive(name string, factor float64) func(*engine.PointsConfig) {
	return func(c *engine.PointsConfig) {
		c.Cues[name] = engine.CueConfig{Factor: points(factor), Derive: true}
	}
}

func TestDerivedCues(t *testing.T) {
	deal := func(ids ...string) func(*engine.Activity) {
		return func(a *engine.Activity) {
			for _, id := range ids {
				a.Deals = append(a.Deals, engine.Share{ID: id})
			}
		}
	}
	met := func(day string, who ...engine.Participant) engine.Activity { return visit(day, people(who...)) }
	staff, manager, president := person("S", "staff"), person("M", "department_manager"), person("P", "president")
	for _, test := range []struct {
		name, cue string
		acts      []engine.Activity
		want      map[string]int64 // contacts
	}{
		{"the boss after the staff", "boss_introduced", []engine.Activity{met("2026-03-01", staff), met("2026-03-10", manager)}, map[string]int64{"S": 6000, "M": 36_000}},
		{"the boss met first", "boss_introduced", []engine.Activity{met("2026-03-01", manager), met("2026-03-10", staff)}, map[string]int64{"S": 6000, "M": 18_000}},
		{"together at the first meeting", "boss_introduced", []engine.Activity{met("2026-03-01", staff, manager)}, map[string]int64{"S": 6000, "M": 18_000}},
		{"once for each boss", "boss_introduced", []engine.Activity{met("2026-03-01", staff), met("2026-03-10", manager), met("2026-03-11", manager), met("2026-03-12", president)},
			map[string]int64{"M": 36_000 + 18_000, "P": 96_000}},
		{"a promotion is no introduction", "boss_introduced", []engine.Activity{met("2026-03-01", staff), met("2026-03-10", person("S", "president"))}, map[string]int64{"S": 6000 + 48_000}},
		{"a call introduces nobody", "boss_introduced", []engine.Activity{met("2026-03-01", staff), visit("2026-03-10", kind("phone", engine.Inbound), people(manager))}, map[string]int64{"M": 12_000}},
		{"the first meeting with top management", "met_top_management", []engine.Activity{met("2026-03-01", staff), met("2026-03-10", president), met("2026-03-11", president), met("2026-03-12", person("E", "executive"))},
			map[string]int64{"P": 96_000 + 48_000, "E": 30_000}},
		{"somebody joins the deal", "people_joined", []engine.Activity{visit("2026-03-01", people(staff), deal("D")), visit("2026-03-10", people(staff, manager), deal("D"))}, map[string]int64{"S": 12_000, "M": 36_000}},
		{"another deal", "people_joined", []engine.Activity{visit("2026-03-01", people(staff), deal("D")), visit("2026-03-10", people(manager), deal("E"))}, map[string]int64{"M": 18_000}},
		{"no deal", "people_joined", []engine.Activity{met("2026-03-01", staff), met("2026-03-10", manager)}, map[string]int64{"M": 18_000}},
		{"the record says it too", "boss_introduced", []engine.Activity{met("2026-03-01", staff), visit("2026-03-10", people(manager), cues("boss_introduced"))}, map[string]int64{"M": 36_000}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := table(t, derive(test.cue, 2))
			l := ledgerOf(p, test.acts...)
			for contact, want := range test.want {
				same(t, contact, l.total(engine.Contact, contact), want)
			}
			same(t, "looks at other days", p.Independent(), false)
		})
	}
	off := table(t)
	same(t, "not switched on", ledgerOf(off, met("2026-03-01", staff), met("2026-03-10", manager)).total(engine.Contact, "M"), 18_000)
	same(t, "independent", off.Independent(), true)
	p := table(t, derive("boss_introduced", 1.5))
	parts := p.Explain([]engine.Activity{met("2026-03-01", staff), met("2026-03-10", manager)}, engine.Entity{Kind: engine.Account, ID: "A"}, date("2026-03-10"))
	same(t, "explained", fmt.Sprint(parts[0].Terms[0].Cues), "[{boss_introduced 1.5 0}]")
	oneProblem(t, "cues.budget.derive", derive("budget", 2))
}

func TestUnconfirmedRecords(t *testing.T) {
	p := table(t, func(c *engine.PointsConfig) { c.UnconfirmedFactor = points(0.8) })
	total := func(acts ...engine.Activity) int64 { return ledgerOf(p, acts...).total(engine.Account, "A") }
	from := func(source string) engine.Activity {
		a := visit("2026-03-10", id("in "+source))
		a.Source = source
		return a
	}
	mail := visit("2026-03-10", kind("mail", engine.Inbound))
	mail.Source, mail.Link = "other", &engine.Link{Message: "m"}
	same(t, "a report alone", total(from("daily_report")), 4800)
	same(t, "with the calendar's appointment", total(from("daily_report"), from("events")), 6000)
	same(t, "two that people typed", total(from("daily_report"), from("crm")), 4800)
	same(t, "a mail is a machine's record", total(mail), 3000)
	same(t, "off", ledgerOf(table(t), from("daily_report")).total(engine.Account, "A"), 6000)
	oneProblem(t, "unconfirmed_factor", func(c *engine.PointsConfig) { c.UnconfirmedFactor = points(1.1) })
}
