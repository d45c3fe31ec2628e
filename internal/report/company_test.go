package report_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/report"
	"energyd/internal/store"
)

// asOf is the day of the reports in these tests.
var asOf = engine.DateOf(2026, time.May, 31)

// company is a store with what a small company did.
type company struct {
	t        testing.TB
	store    *store.Store
	points   *engine.Points
	table    *engine.PointsConfig
	profiles []engine.Profile
	acts     []engine.Activity
}

// scorer is the points table as the store's ledger needs it.
type scorer struct{ *engine.Points }

func (s scorer) Due(kind engine.EntityKind, cells []engine.Cell, asOf engine.Date) engine.Date {
	return s.Evaluate(kind, cells, asOf).Due
}

func newCompany(t testing.TB) *company {
	t.Helper()
	table, err := config.LoadPoints("../../configs/points.yaml")
	if err != nil {
		t.Fatal(err)
	}
	points, err := engine.Compile(table)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(context.Background(), "sqlite:"+filepath.Join(t.TempDir(), "energyd.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return &company{t: t, store: s, points: points, table: table}
}

// entry adds to the directory.
func (c *company) entry(kind engine.EntityKind, id, name string, change func(*engine.Profile)) {
	p := engine.Profile{Entity: engine.Entity{Kind: kind, ID: id}, Source: "crm", Version: 1, Name: name}
	if change != nil {
		change(&p)
	}
	c.profiles = append(c.profiles, p)
}

func facts(f engine.Facts) func(*engine.Profile) { return func(p *engine.Profile) { p.Facts = f } }

// met adds a contact with people of an account: "t1:department_manager".
func (c *company) met(date, kind string, direction engine.Direction, account string, people []engine.Participant, change ...func(*engine.Activity)) {
	c.t.Helper()
	d, err := engine.ParseDate(date)
	if err != nil {
		c.t.Fatal(err)
	}
	a := engine.Activity{Source: "nippo", ID: fmt.Sprint(len(c.acts) + 1), Version: 1, Date: d, Kind: kind, Direction: direction, Account: account, People: people}
	for _, do := range change {
		do(&a)
	}
	c.acts = append(c.acts, a)
}

func who(contact, rank string) engine.Participant {
	return engine.Participant{Contact: contact, Rank: rank}
}

func of(people ...engine.Participant) []engine.Participant { return people }

func on(deal string) func(*engine.Activity) {
	return func(a *engine.Activity) { a.Deals = []engine.Share{{ID: deal}} }
}

func by(reps ...string) func(*engine.Activity) {
	return func(a *engine.Activity) {
		for _, r := range reps {
			a.Reps = append(a.Reps, engine.Share{ID: r})
		}
	}
}

// save puts all into the store.
func (c *company) save() {
	c.t.Helper()
	ctx := c.t.Context()
	cursor, err := c.store.Cursor(ctx, "all")
	if err != nil {
		c.t.Fatal(err)
	}
	b := store.Batch{Run: "r", Source: "all", After: cursor, Next: cursor + "x", Read: len(c.profiles) + len(c.acts), Profiles: c.profiles, Activities: c.acts}
	if err := c.store.SaveBatch(ctx, b); err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.store.Fold(ctx, scorer{c.points}, asOf); err != nil {
		c.t.Fatal(err)
	}
	c.profiles = nil
}

func (c *company) make(name string, settings report.Settings, o report.Options) *report.Table {
	c.t.Helper()
	if o.Months == 0 {
		o.Months = 4
	}
	t, err := report.Make(c.t.Context(), c.data(settings), name, o)
	if err != nil {
		c.t.Fatal(err)
	}
	return t
}

func (c *company) data(settings report.Settings) *report.Data {
	return &report.Data{Reader: c.store, Points: c.points, AsOf: asOf, Settings: settings, Low: c.table.Alarms.Low, Halved: c.table.Alarms.Halved, Scoped: c.table.Alarms.Important != nil}
}

// known is the company of the golden reports: a warm customer, one that hangs
// on one person, one that went quiet, and one that nobody ever met.
func known(t testing.TB) *company {
	c := newCompany(t)
	c.entry(engine.Rep, "u1", "佐藤 健一", facts(engine.Facts{"team": "営業一課"}))
	c.entry(engine.Rep, "u2", "鈴木 美咲", facts(engine.Facts{"team": "営業一課"}))
	c.entry(engine.Rep, "u3", "高橋 大輔", facts(engine.Facts{"team": "営業二課"}))
	account := func(id, name, owner string, f engine.Facts) {
		c.entry(engine.Account, id, name, func(p *engine.Profile) { p.Owner, p.Facts = owner, f })
	}
	account("a1", "株式会社山田製作所", "u1", engine.Facts{"important": "true", "target": "true", "segment": "製造"})
	account("a2", "㈱青葉精機", "u2", engine.Facts{"important": "true", "segment": "製造"})
	account("a3", "東和物流（株）", "u2", engine.Facts{"segment": "物流"})
	account("a4", "=若松商店", "u3", engine.Facts{"segment": "物流"})
	for contact, account := range map[string]string{"t1": "a1", "t2": "a1", "t3": "a1", "t4": "a2", "t5": "a3"} {
		c.entry(engine.Contact, contact, contact, func(p *engine.Profile) { p.Account = account })
	}
	deal := func(id, name, account, owner string, f engine.Facts) {
		c.entry(engine.Deal, id, name, func(p *engine.Profile) { p.Account, p.Owner, p.Facts = account, owner, f })
	}
	deal("d1", "基幹システム更新", "a1", "u1", engine.Facts{"stage": "Proposal", "amount": "6000000", "opened_on": "2026-03-02", "closes_on": "2026-07-31", "closed": "false", "won": "false", "products": "基幹システム"})
	deal("d2", "保守契約", "a2", "u2", engine.Facts{"stage": "Prospecting", "amount": "1200000", "opened_on": "2026-04-10", "closes_on": "2026-05-29", "closed": "false", "won": "false", "products": "保守"})
	deal("d3", "倉庫管理", "a3", "u2", engine.Facts{"stage": "Closed Won", "amount": "9000000", "opened_on": "2025-06-02", "closes_on": "2025-11-28", "closed": "true", "won": "true", "products": "倉庫管理;保守"})
	deal("d4", "生産管理", "a1", "u1", engine.Facts{"stage": "Closed Won", "amount": "3000000", "opened_on": "2025-09-01", "closes_on": "2026-02-27", "closed": "true", "won": "true", "products": "生産管理;保守"})
	deal("d5", "データ基盤", "a2", "u2", engine.Facts{"stage": "Closed Lost", "amount": "2000000", "opened_on": "2025-10-01", "closes_on": "2026-01-30", "closed": "true", "won": "false", "products": "データ基盤"})
	for i, s := range []struct{ deal, stage, at string }{
		{"d1", "Prospecting", "2026-03-02"}, {"d1", "Proposal", "2026-04-01"},
		{"d2", "Prospecting", "2026-04-10"},
		{"d3", "Prospecting", "2025-06-02"}, {"d3", "Proposal", "2025-08-01"}, {"d3", "Negotiation", "2025-10-01"}, {"d3", "Closed Won", "2025-11-28"},
		{"d4", "Prospecting", "2025-09-01"}, {"d4", "Negotiation", "2026-01-10"}, {"d4", "Closed Won", "2026-02-27"},
		{"d5", "Prospecting", "2025-10-01"}, {"d5", "Proposal", "2025-12-01"}, {"d5", "Closed Lost", "2026-01-30"},
	} {
		c.entry(engine.Stage, fmt.Sprintf("h%02d", i), s.stage, facts(engine.Facts{"deal": s.deal, "reached_at": s.at}))
	}
	staff, manager, president := who("t1", "staff"), who("t2", "department_manager"), who("t3", "president")
	c.met("2026-02-10", "visit", engine.Mutual, "a1", of(staff), by("u1"))
	c.met("2026-03-05", "visit", engine.Mutual, "a1", of(manager, staff), on("d1"), by("u1"))
	c.met("2026-04-07", "visit_by_customer", engine.Inbound, "a1", of(president, manager), on("d1"), by("u1", "u2"))
	c.met("2026-05-12", "mail", engine.Inbound, "a1", of(manager), on("d1"), by("u1"))
	c.met("2026-05-26", "visit", engine.Mutual, "a1", of(manager), on("d1"), by("u1"))
	c.met("2026-04-14", "web_meeting", engine.Mutual, "a2", of(who("t4", "section_manager")), on("d2"), by("u2"))
	c.met("2026-05-20", "phone", engine.Inbound, "a2", of(who("t4", "section_manager")), on("d2"), by("u2"), func(a *engine.Activity) { a.Product = "保守" })
	c.met("2026-01-15", "visit", engine.Mutual, "a3", of(who("t5", "staff")), by("u2"))
	c.met("2026-02-16", "mail", engine.Outbound, "a3", of(who("t5", "staff")), by("u2"))
	c.save()
	return c
}

// golden compares a report in both languages with what is on file.
func golden(t *testing.T, name string, table *report.Table) {
	t.Helper()
	for _, language := range []string{"ja", "en"} {
		var b bytes.Buffer
		if err := table.WriteText(&b, language); err != nil {
			t.Fatal(err)
		}
		file := filepath.Join("testdata", name+"."+language+".txt")
		if os.Getenv("UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(string(want), b.String()); diff != "" {
			t.Errorf("%s (UPDATE_GOLDEN=1 accepts it):\n%s", file, diff)
		}
	}
}
