package engine_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/engine"
)

// in says which source wrote an activity.
func in(source string) func(*engine.Activity) {
	return func(a *engine.Activity) { a.Source = source }
}

// at gives an activity a time of its day in Japan.
func at(clock string) func(*engine.Activity) {
	return func(a *engine.Activity) {
		a.At, a.Date = instant(a.Date.String()+"T"+clock+":00+09:00"), engine.NoDate
	}
}

func event(uid, start string) func(*engine.Activity) {
	return func(a *engine.Activity) { a.Same = &engine.Same{Event: uid, Start: start} }
}

func same3(s engine.Same) func(*engine.Activity) {
	return func(a *engine.Activity) { a.Same = &s }
}

func reps(ids ...string) func(*engine.Activity) {
	return func(a *engine.Activity) {
		for _, id := range ids {
			a.Reps = append(a.Reps, engine.Share{ID: id})
		}
	}
}

const day = "2026-03-10"

// contacts counts the contacts that activities are.
func contacts(p *engine.Points, acts []engine.Activity) int {
	standing := map[int]bool{}
	p.Contributions(acts, func(i int, _ engine.Contribution) { standing[i] = true })
	return len(standing)
}

func TestCases32To35OneContactOneEvent(t *testing.T) {
	p := table(t)
	report, crm, calendar := in("daily_report"), in("tasks"), in("events")
	var series, thread []engine.Activity
	for _, date := range []string{"2026-03-03", "2026-03-10", "2026-03-17", "2026-03-24"} {
		for _, owner := range []string{"R1", "R2"} {
			series = append(series, visit(date, id(date+owner), calendar, at("10:00"), event("weekly", ""), reps(owner)))
		}
	}
	first := engine.Link{Message: "m1", Thread: "m1"}
	for i, direction := range []engine.Direction{engine.Inbound, engine.Outbound, engine.Inbound, engine.Outbound, engine.Inbound} {
		thread = append(thread, mail(day, i, direction, engine.Link{Message: fmt.Sprint("m", i+1), Thread: first.Thread}))
	}
	for _, test := range []struct {
		name string
		acts []engine.Activity
		want int64
	}{
		{"32 a visit in the CRM, the report and the calendar", []engine.Activity{
			visit(day, crm, at("10:15")), visit(day, report), visit(day, calendar, at("10:00"))}, 6000},
		{"33 two visits, each in calendar and report", []engine.Activity{
			visit(day, calendar, id("1"), at("10:00")), visit(day, calendar, id("2"), at("15:00")), visit(day, report, id("1")), visit(day, report, id("2"))}, 12000},
		{"34 a weekly series in two calendars", series, 24000},
		{"35 three mails in and two out", thread, 4000},
	} {
		t.Run(test.name, func(t *testing.T) {
			same(t, "account", ledgerOf(p, test.acts...).total(engine.Account, "A"), test.want)
			slices.Reverse(test.acts)
			same(t, "reversed", ledgerOf(p, test.acts...).total(engine.Account, "A"), test.want)
		})
	}
	same(t, "34 both owners", ledgerOf(p, series...).total(engine.Rep, "R2"), 12000)
}

// TestSoftMatch: what records of different sources may differ in and be one contact all the same.
func TestSoftMatch(t *testing.T) {
	p := table(t)
	a, b := in("events"), in("daily_report")
	one, two, three := person("C1", "staff"), person("C2", "staff"), person("C3", "staff")
	declined := two
	declined.Role = engine.Declined
	for _, test := range []struct {
		name string
		x, y engine.Activity
		want int
	}{
		{"30 minutes apart", visit(day, a, at("10:00")), visit(day, b, at("10:30")), 1},
		{"31 minutes apart", visit(day, a, at("10:00")), visit(day, b, at("10:31")), 2},
		{"one tells the day alone", visit(day, a, at("10:00")), visit(day, b), 1},
		{"both tell the day alone", visit(day, a), visit(day, b), 1},
		{"the day before", visit(day, a, at("10:00")), visit("2026-03-09", b), 2},
		{"the day is that of Japan", visit(day, a, at("08:00")), visit(day, b), 1},
		{"one source", visit(day, a, id("1"), at("10:00")), visit(day, a, id("2"), at("10:00")), 2},
		{"another customer", visit(day, a), visit(day, b, func(a *engine.Activity) { a.Account = "B" }), 1},
		{"a web meeting is a meeting", visit(day, a), visit(day, b, kind("web_meeting")), 1},
		{"a call is none", visit(day, a), visit(day, b, kind("phone")), 2},
		{"views have no family", visit(day, a, kind("view")), visit(day, b, kind("view")), 2},
		{"half of the people", visit(day, a, people(one, two)), visit(day, b, people(one)), 1},
		{"a third of them", visit(day, a, people(one, two)), visit(day, b, people(two, three)), 2},
		{"nobody is named", visit(day, a, people(one, two)), visit(day, b, people()), 1},
		{"a stranger alone", visit(day, a, people(one)), visit(day, b, people(person("", "staff"))), 1},
		{"who declined was not there", visit(day, a, people(one, declined)), visit(day, b, people(one)), 1},
		{"their call and ours", visit(day, a, kind("phone", engine.Inbound)), visit(day, b, kind("phone", engine.Outbound)), 2},
		{"their call and one that does not tell", visit(day, a, kind("phone", engine.Inbound)), visit(day, b, kind("phone")), 1},
		{"a visit has no direction", visit(day, a, kind("visit", engine.Inbound)), visit(day, b, kind("visit", engine.Outbound)), 1},
		{"two calls by their ids", visit(day, a, kind("phone"), same3(engine.Same{Call: "1"})), visit(day, b, kind("phone"), same3(engine.Same{Call: "2"})), 2},
		{"two mails by their ids", mail(day, 1, engine.Inbound, engine.Link{Message: "m1"}, a), mail(day, 1, engine.Inbound, engine.Link{Message: "m2"}, b), 2},
		{"a mail and its note in the report", mail(day, 1, engine.Inbound, engine.Link{Message: "m1"}, a), visit(day, b, kind("mail", engine.Inbound)), 1},
		{"a planned one", visit(day, a, func(a *engine.Activity) { a.Status = engine.Planned }), visit(day, b), 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			count := func(x, y engine.Activity) int {
				if x.Account != y.Account { // the engine sees one account at a time
					return contacts(p, []engine.Activity{x})
				}
				return contacts(p, []engine.Activity{x, y})
			}
			same(t, "contacts", count(test.x, test.y), test.want)
			same(t, "the other way round", count(test.y, test.x), test.want)
			test.x.Source, test.y.Source = test.y.Source, test.x.Source
			same(t, "sources exchanged", count(test.x, test.y), test.want)
		})
	}
}

// TestSoftMatch_oneToOne: each goes to the one it agrees with best, and none to two.
func TestSoftMatch_oneToOne(t *testing.T) {
	p := table(t)
	cal, rep, crm := in("events"), in("daily_report"), in("tasks")
	one, two := people(person("C1", "staff")), people(person("C2", "staff"))
	for _, test := range []struct {
		name string
		acts []engine.Activity
		want []string // the members of each contact, by their ids
	}{
		{"three reports of two appointments", []engine.Activity{
			visit(day, cal, id("1"), at("10:00")), visit(day, cal, id("2"), at("15:00")), visit(day, rep, id("1")), visit(day, rep, id("2")), visit(day, rep, id("3"))},
			[]string{"daily_report 1+events 1", "daily_report 2+events 2", "daily_report 3"}},
		{"by the people", []engine.Activity{
			visit(day, cal, id("1"), at("10:00"), one), visit(day, cal, id("2"), at("15:00"), two), visit(day, rep, id("1"), two), visit(day, rep, id("2"), one)},
			[]string{"daily_report 1+events 2", "daily_report 2+events 1"}},
		{"the nearer one", []engine.Activity{
			visit(day, cal, id("1"), at("10:00")), visit(day, cal, id("2"), at("10:25")), visit(day, rep, id("r"), at("10:20"))},
			[]string{"daily_report r+events 2", "events 1"}},
		{"both rather than the nearest", []engine.Activity{
			visit(day, cal, id("1"), at("10:00")), visit(day, cal, id("2"), at("10:25")), visit(day, rep, id("1"), at("10:20")), visit(day, rep, id("2"), at("10:50"))},
			[]string{"daily_report 1+events 1", "daily_report 2+events 2"}},
		{"by the kind", []engine.Activity{
			visit(day, cal, id("1")), visit(day, cal, id("2"), kind("web_meeting")), visit(day, rep, id("1"), kind("web_meeting")), visit(day, rep, id("2"))},
			[]string{"daily_report 1+events 2", "daily_report 2+events 1"}},
		{"a third source goes by the time that is known by then", []engine.Activity{
			visit(day, cal, id("1"), at("10:00")), visit(day, crm, id("1"), at("16:00")), visit(day, rep, id("1")), visit(day, rep, id("2"))},
			[]string{"daily_report 1+events 1", "daily_report 2+tasks 1"}},
		{"no chain of half hours", []engine.Activity{
			visit(day, cal, at("10:00"), id("1")), visit(day, crm, at("10:25"), id("1")), visit(day, rep, at("10:50"), id("1"))},
			[]string{"daily_report 1", "events 1+tasks 1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			for range 2 {
				if diff := cmp.Diff(test.want, clustered(p, test.acts)); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				slices.Reverse(test.acts)
			}
		})
	}
}

// clustered lists the contacts of account A, each as its members' ids, sorted.
func clustered(p *engine.Points, acts []engine.Activity) []string {
	var list []string
	for _, part := range p.Explain(acts, engine.Entity{Kind: engine.Account, ID: "A"}, date("9999-12-31")) {
		key := func(i int) string { return acts[i].Source + " " + acts[i].ID }
		name := key(part.Activity)
		for _, m := range part.Members {
			if m.Activity != part.Activity {
				name += "+" + key(m.Activity)
			}
		}
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

// TestHardKeys: records that name the same are one contact, whatever else they say.
func TestHardKeys(t *testing.T) {
	p := table(t)
	call := func(id string) func(*engine.Activity) { return same3(engine.Same{Call: id}) }
	about := func(id string) func(*engine.Activity) { return same3(engine.Same{Record: id}) }
	other := people(person("C9", "staff"))
	deleted := func(a *engine.Activity) { a.Deleted = true }
	for _, test := range []struct {
		name string
		acts []engine.Activity
		want int
	}{
		{"one call, noted the day after of somebody else", []engine.Activity{
			visit(day, in("pbx"), kind("phone"), call("7")), visit("2026-03-11", in("tasks"), kind("phone"), call("7"), other)}, 1},
		{"two calls", []engine.Activity{visit(day, in("pbx"), id("1"), kind("phone"), call("7")), visit(day, in("pbx"), id("2"), kind("phone"), call("8"))}, 2},
		{"a UID names no meeting without its start", []engine.Activity{
			visit(day, in("events"), id("1"), at("10:00"), event("u", "")), visit("2026-03-17", in("events"), id("2"), at("10:00"), event("u", ""))}, 2},
		{"a meeting that was moved in one of two calendars", []engine.Activity{
			visit(day, in("events"), id("1"), at("10:00"), event("u", "")), visit("2026-03-11", in("events"), id("2"), at("16:00"), event("u", "2026-03-10T01:00:00Z"))}, 1},
		{"a report about a record of the CRM", []engine.Activity{visit(day, in("events"), id("00U1"), at("09:00")), visit("2026-03-12", in("daily_report"), kind("web_meeting"), about("00U1"))}, 1},
		{"two reports about one record that is not there", []engine.Activity{visit(day, in("daily_report"), id("1"), about("00U1")), visit("2026-03-12", in("daily_report"), id("2"), about("00U1"))}, 1},
		{"records of one source that are called alike are not meant", []engine.Activity{
			visit(day, in("daily_report"), id("7")), visit("2026-03-12", in("daily_report"), id("8"), about("7"))}, 2},
		{"a deleted record joins nothing", []engine.Activity{
			visit(day, in("a"), kind("phone"), call("7")), visit("2026-03-11", in("b"), kind("phone"), same3(engine.Same{Call: "7", Record: "c"}), deleted), visit("2026-03-13", in("c"), id("c"))}, 2},
		{"by a chain of names", []engine.Activity{
			visit(day, in("a"), kind("phone"), call("7")), visit("2026-03-11", in("b"), kind("phone"), same3(engine.Same{Call: "7", Record: "c"})), visit("2026-03-13", in("c"), id("c"))}, 1},
		{"a mail in the mailbox and in the CRM", []engine.Activity{
			mail(day, 1, engine.Inbound, engine.Link{Message: "m1"}, in("mail")), mail(day, 3, engine.Inbound, engine.Link{Message: "m1"}, in("emails"), other)}, 1},
		{"one conversation in the mailbox and in the CRM", []engine.Activity{
			mail(day, 1, engine.Inbound, engine.Link{Message: "m1"}, in("mail")), mail(day, 3, engine.Inbound, engine.Link{Message: "m2", Answers: "m1"}, in("emails"))}, 1},
		{"its answer is ours", []engine.Activity{
			mail(day, 1, engine.Inbound, engine.Link{Message: "m1"}, in("mail")), mail(day, 3, engine.Outbound, engine.Link{Message: "m2", Answers: "m1"}, in("emails"))}, 2},
		{"a mail of many that a report is about", []engine.Activity{
			mail(day, 1, engine.Inbound, engine.Link{Message: "m1"}, id("1")), mail(day, 2, engine.Inbound, engine.Link{Message: "m2", Answers: "m1"}, id("2")),
			visit("2026-03-12", in("notes"), kind("phone"), about("2"))}, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			for range 2 {
				same(t, "contacts", contacts(p, test.acts), test.want)
				slices.Reverse(test.acts)
			}
		})
	}
}

// TestNoFamilies: a points table without families joins only what names the same.
func TestNoFamilies(t *testing.T) {
	p := table(t, func(c *engine.PointsConfig) {
		for name, k := range c.Kinds {
			k.Family = ""
			c.Kinds[name] = k
		}
	})
	named := same3(engine.Same{Call: "7"})
	same(t, "alike", contacts(p, []engine.Activity{visit(day, in("a")), visit(day, in("b"))}), 2)
	same(t, "named", contacts(p, []engine.Activity{visit(day, in("a"), named), visit(day, in("b"), named)}), 1)
}

// Cases 39 and 40, as far as contacts themselves go: rank and employer are those
// at the time, so that neither a promotion nor a new job changes what was earned before.
func TestCases39And40RankAndAccountAtTheTime(t *testing.T) {
	p := table(t)
	promoted := ledgerOf(p, visit("2026-03-20", people(person("C1", "section_manager"))), visit("2026-04-10", people(person("C1", "department_manager"))))
	same(t, "39 account", promoted.total(engine.Account, "A"), 30000)
	same(t, "39 March", promoted[engine.Entity{Kind: engine.Contact, ID: "C1"}][0].Milli, 12000)
	elsewhere := visit("2026-05-10")
	elsewhere.Account = "B"
	moved := ledgerOf(p, visit("2026-04-10"), elsewhere)
	same(t, "40 the old account", moved.total(engine.Account, "A"), 6000)
	same(t, "40 the new account", moved.total(engine.Account, "B"), 6000)
	same(t, "40 the person", moved.total(engine.Contact, "C1"), 12000)
}

// Case 41: of two entries of one person in the CRM, 50 and 100 points, 20 of
// them by one contact that both took part in, the merged one has 130; taken apart they have what they had.
func TestCase41MergedContacts(t *testing.T) {
	p := table(t, func(c *engine.PointsConfig) {
		for name, worth := range map[string]float64{"visit": 30, "seminar": 80, "meal": 20} {
			c.Kinds[name] = engine.KindConfig{Points: points(worth)}
		}
	})
	both := visit("2026-03-12", kind("meal"), people(person("C1", "staff"), person("C2", "staff")))
	acts := []engine.Activity{visit(day), visit("2026-03-11", kind("seminar"), people(person("C2", "staff"))), both}
	l := ledgerOf(p, acts...)
	same(t, "the first", l.total(engine.Contact, "C1"), 50000)
	same(t, "the second", l.total(engine.Contact, "C2"), 100000)
	merged := slices.Clone(acts)
	for i := range merged {
		merged[i].People = slices.Clone(merged[i].People)
		for j := range merged[i].People {
			merged[i].People[j].Contact = "C1"
		}
	}
	same(t, "merged", ledgerOf(p, merged...).total(engine.Contact, "C1"), 130000)
	if diff := cmp.Diff(l, ledgerOf(p, acts...)); diff != "" {
		t.Error("unmerged", diff)
	}
}
