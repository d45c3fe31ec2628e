package report_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"energyd/engine"
	"energyd/internal/fault"
	"energyd/internal/report"
)

// shown is a report as English text.
func shown(t *testing.T, table *report.Table) string {
	t.Helper()
	var b bytes.Buffer
	if err := table.WriteText(&b, "en"); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// line gives the line of a text that begins with a word, its blanks made one.
func line(t *testing.T, text, begin string) string {
	t.Helper()
	for l := range strings.Lines(text) {
		if l = strings.Join(strings.Fields(l), " "); strings.HasPrefix(l+" ", begin) {
			return l
		}
	}
	t.Fatalf("no line begins with %q:\n%s", begin, text)
	return ""
}

// TestCase72_cross_selling: of 20 customers 10 own X and 4 own Y, 4 of them both: 2 times as many as on average.
func TestCase72_cross_selling(t *testing.T) {
	c := newCompany(t)
	for i := range 20 {
		id := fmt.Sprintf("a%02d", i)
		c.entry(engine.Account, id, "customer "+id, nil)
		products := "Z"
		if i < 10 {
			products = "X"
		}
		if i < 4 {
			products += ";Y"
		}
		c.entry(engine.Deal, "d"+id, "deal", func(p *engine.Profile) {
			p.Account, p.Facts = id, engine.Facts{"won": "true", "products": products, "closes_on": "2026-01-05"}
		})
	}
	c.met("2026-05-30", "visit_by_customer", engine.Inbound, "a07", of(who("t1", "president"))) // hot, owns X alone
	c.met("2026-05-30", "visit_by_customer", engine.Inbound, "a01", of(who("t2", "president"))) // hot, owns both
	c.met("2026-05-30", "visit_by_customer", engine.Inbound, "a12", of(who("t3", "president"))) // hot, owns Z
	c.save()
	text := shown(t, c.make("crosssell", report.Defaults(), report.Options{}))
	if got, want := line(t, text, "customer"), "customer a07 X Y 2.00 4 10 79.1"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if strings.Contains(text, "a01") || strings.Contains(text, "a12") {
		t.Error(text)
	}
}

func TestReps_names_nobody_unless_appraisal_is_on(t *testing.T) {
	c := known(t)
	for _, name := range []string{"reps", "kpi"} {
		off := shown(t, c.make(name, settings(), report.Options{}))
		for _, person := range []string{"佐藤", "鈴木", "高橋", "営業一課"} { // a team of two tells each the other's
			if strings.Contains(off, person) {
				t.Errorf("%s shows %s:\n%s", name, person, off)
			}
		}
		s := settings()
		s.Appraisal = true
		if on := shown(t, c.make(name, s, report.Options{})); !strings.Contains(on, "佐藤 健一") {
			t.Error(on)
		}
	}
}

func TestReps_with_appraisal_tells_whose_act_it_was(t *testing.T) {
	s := settings()
	s.Appraisal = true
	text := shown(t, known(t).make("reps", s, report.Options{}))
	// u1: 6 + 19.5 + half of 87.5 + 9 + 18; of it the customer's 43.75 + 9. One account.
	if got, want := line(t, text, "佐藤"), "佐藤 健一 営業一課 6.0 19.5 43.8 27.0 96.3 52.8 5 1 96.3"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestReps_no_row_tells_of_less_than_three: neither by itself nor as what other rows leave over.
func TestReps_no_row_tells_of_less_than_three(t *testing.T) {
	c := known(t)
	join := func(id, team string) {
		c.entry(engine.Rep, id, id, facts(engine.Facts{"team": team}))
		c.met("2026-05-06", "visit", engine.Mutual, "a3", of(who("t5", "staff")), by(id))
		c.save()
	}
	teams := func() string { return shown(t, c.make("reps", settings(), report.Options{})) }
	join("u4", "営業一課")
	line(t, teams(), "all teams 4") // shown apart, the fourth would stand alone
	join("u5", "営業二課")
	join("u6", "")
	line(t, teams(), "営業一課 3")
	line(t, teams(), "others 3")
}

func TestKPI_divides_plainly(t *testing.T) {
	s := settings()
	s.KPI = []report.Year{{Year: 2025, Budget: 20e6, SellingCost: 3e6, LabourHours: 1000, Heads: 4}}
	c := known(t)
	table, err := report.Make(t.Context(), &report.Data{Reader: c.store, Points: c.points, AsOf: engine.DateOf(2026, 3, 31), Settings: s}, "kpi", report.Options{Months: 12})
	if err != nil {
		t.Fatal(err)
	}
	text := shown(t, table) // fiscal year 2025: 9,000,000 + 3,000,000
	for begin, want := range map[string]string{
		"Sales ": "Sales 12,000,000", "Budget attained": "Budget attained (KGI) 60.0 %", "% of Sales": "% of Sales 25.0 %", "Sales/account": "Sales/account 6,000,000",
		"Sales/Head": "Sales/Head 3,000,000", "Sales/hour": "Sales/hour 12,000", "Return": "Return (ROI) 300.0 %", "Quantity (all)": "Quantity (all) 4 contacts",
	} {
		if got := line(t, text, begin); !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestCase59_RFM_by_frozen_edges: grades by the edges of the configuration, the more recent the better.
func TestCase59_RFM_by_frozen_edges(t *testing.T) {
	s := settings()
	s.RFM = report.RFM{Days: []float64{100, 200}, Count: []float64{2}, Amount: []float64{1e6, 5e6}}
	text := shown(t, known(t).make("ranking", s, report.Options{}))
	for customer, want := range map[string]string{"株式会社山田製作所": " 3 1 2", "東和物流": " 2 1 3", "㈱青葉精機": " - - -"} {
		if got := line(t, text, customer); !strings.HasSuffix(got, want) {
			t.Errorf("%q does not end in %q", got, want)
		}
	}
}

func TestFunnel_a_skipped_step_is_imputed_and_flagged(t *testing.T) {
	text := shown(t, known(t).make("funnel", settings(), report.Options{Months: 12}))
	// d3 and d4 went to the order, d4 without a proposal; d5 was lost after one; d1 has one; d2 is on the list.
	for begin, want := range map[string]string{
		"list": "list 5 0 - - - 61 1", "proposal": "proposal 4 1 80.0 % - 80.0 % 61 1", "quote": "quote 2 0 50.0 %", "order": "order 2 0 100.0 % - 40.0 %",
	} {
		if got := line(t, text, begin); !strings.HasPrefix(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestSettings_Problems(t *testing.T) {
	s := report.Defaults()
	if ps := s.Problems(); ps != nil {
		t.Error(ps)
	}
	s.Coverage.Concentration, s.RFM.Days = 1.5, []float64{200, 100}
	s.Funnel = []report.Step{{Stages: []string{"A"}}, {Stages: []string{"B", "A"}}, {}}
	s.KPI = []report.Year{{Year: 2026}, {Year: 2026}, {}}
	s.Coverage.Days, s.CrossSell.Owners, s.Leads.Usual = 0, 0, []float64{1, 9, 90}
	var paths []string
	for _, p := range s.Problems() {
		paths = append(paths, p.Path)
	}
	if got, want := strings.Join(paths, " "), "reports.coverage.concentration reports.coverage.days reports.crosssell.owners reports.leads.usual reports.funnel[1].stages[1] reports.funnel[2] reports.rfm.days reports.kpi[1].year reports.kpi[2].year"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestMake_suggests_the_report_that_was_meant(t *testing.T) {
	_, err := report.Make(t.Context(), &report.Data{}, "rankng", report.Options{})
	if err == nil || !strings.Contains(err.Error(), `did you mean "ranking"?`) {
		t.Error(err)
	}
}

// TestImportant (A20): by the CRM's mark, or by the points table: whoever ever was hot.
func TestImportant(t *testing.T) {
	c := known(t)
	c.met("2025-09-01", "visit_by_customer", engine.Inbound, "a3", of(who("t5", "president"))) // 80 points: hot, once
	c.save()
	for _, name := range []string{"month", "past"} {
		text := shown(t, c.make(name, settings(), report.Options{Important: true}))
		line(t, text, "東和物流（株）")
		if strings.Contains(text, "若松") {
			t.Errorf("%s:\n%s", name, text)
		}
	}
	if text := shown(t, c.make("deals", settings(), report.Options{Important: true})); !strings.Contains(text, "保守契約") {
		t.Error(text) // a2 has the mark
	}
}

// TestRank_counts_people_with_the_company_that_they_were_met_for: who changed the company since is no thread to the new one yet.
func TestRank_counts_people_with_the_company_that_they_were_met_for(t *testing.T) {
	c := newCompany(t)
	c.entry(engine.Account, "a1", "Old", nil)
	c.entry(engine.Account, "a2", "New", nil)
	c.entry(engine.Contact, "t1", "Taro", func(p *engine.Profile) { p.Account = "a2" })
	c.met("2026-04-10", "visit", engine.Mutual, "a1", of(who("t1", "staff")))
	c.save()
	text := shown(t, c.make("rank", settings(), report.Options{}))
	for begin, want := range map[string]string{"Old": "Old 6.0 - - - 6.0 33.3 % 1 1.00 1 0 warning", "New": "New - - - - - 0.0 % 0 - 0 0 -"} {
		if got := line(t, text, begin); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestReports_add_amounts_of_one_currency_alone: without a word which one, there is no sum.
func TestReports_add_amounts_of_one_currency_alone(t *testing.T) {
	c := newCompany(t)
	c.entry(engine.Account, "a1", "Yamada", nil)
	for id, amount := range map[string]string{"JPY": "3000000", "EUR": "20000", "": "500000"} {
		c.entry(engine.Deal, "d"+id, "deal "+id, func(p *engine.Profile) {
			p.Account = "a1"
			p.Facts = engine.Facts{"won": "true", "closed": "true", "amount": amount, "closes_on": "2026-05-01"}
			if id != "" {
				p.Facts["currency"] = id
			}
		})
	}
	c.entry(engine.Deal, "open", "open deal", func(p *engine.Profile) {
		p.Account, p.Facts = "a1", engine.Facts{"closed": "false", "amount": "70000", "currency": "EUR"}
	})
	c.save()
	s := settings()
	for _, name := range []string{"past", "ranking", "kpi"} {
		_, err := report.Make(t.Context(), c.data(s), name, report.Options{Months: 4})
		if fault.KindOf(err) != fault.Config || !strings.Contains(err.Error(), "several currencies, which cannot be added: EUR, JPY") {
			t.Errorf("%s of two currencies: %v", name, err)
		}
	}
	s.Currency = "JPY"
	text := shown(t, c.make("kpi", s, report.Options{}))
	if got, want := line(t, text, "Sales "), "Sales 3,500,000 amounts of deals won in the fiscal year"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if want := "Amounts are those of deals in JPY; 1 that were won in other currencies are not in them."; !strings.Contains(text, want) {
		t.Errorf("it does not say %q:\n%s", want, text)
	}
	if text := shown(t, c.make("deals", settings(), report.Options{})); !strings.Contains(text, "70,000") || !strings.Contains(text, "EUR") {
		t.Errorf("the list of deals does not name the currency:\n%s", text)
	}
}

// TestLeads_by_the_bands_of_the_settings: the classes' limits are yours, and a band that there is not is told of.
func TestLeads_by_the_bands_of_the_settings(t *testing.T) {
	c, s := known(t), settings()
	s.Leads.Now, s.Leads.Usual = "lukewarm", []float64{5, 15, 50, 30}
	text := shown(t, c.make("leads", s, report.Options{}))
	if got := line(t, text, "㈱青葉精機"); !strings.Contains(got, "wants it now") {
		t.Errorf("lukewarm is warm enough, and the report says %q", got)
	}
	if !strings.Contains(text, "usually about 15 %") {
		t.Errorf("the usual shares are not those of the settings:\n%s", text)
	}
	s.Leads.Now = "warmer"
	_, err := report.Make(t.Context(), c.data(s), "leads", report.Options{Months: 4})
	if fault.KindOf(err) != fault.Config || !strings.Contains(err.Error(), `reports.leads.now: there is no band "warmer"; did you mean "warm"?`) {
		t.Errorf("a band that there is not: %v", err)
	}
}
