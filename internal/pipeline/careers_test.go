package pipeline_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/pipeline"
)

// career is a company whose visits name their contact and no title.
type career struct{ *history }

func newCareer(t *testing.T) career {
	t.Helper()
	h := &history{T: t, dir: t.TempDir(), clock: time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC), tables: map[string]*table{}}
	for name, columns := range map[string][]string{"accounts": {"Id"}, "contacts": {"Id", "Code", "Account", "Title"},
		"tasks": {"Id", "Account", "Contact", "Day"}, "days": {"Id", "Account", "Contact", "Day"}, "reports": {"Id", "Code", "Contact", "Day", "Title"}} {
		h.tables[name] = &table{columns: connectors.NewColumns(columns), rows: map[string]*row{}, world: h}
	}
	h.write("accounts.yaml", "profile: {kind: account, id: Id, name: Id}\n")
	h.write("contacts.yaml", "profile: {kind: contact, id: Id, name: Id, account: Account, title: Title, keys: {code: Code}}\n")
	h.write("tasks.yaml", "activity: {id: Id, at: date(Day), kind: visit, account: Account, participants: [{contact: Contact}]}\n")
	h.write("days.yaml", "activity: {id: Id, at: date(Day), kind: visit, account: Account, participants: [{contact: Contact}]}\n")
	h.write("reports.yaml", `activity: {id: Id, at: date(Day), kind: visit, account: 'find("contact", "code", Contact, "account")', `+
		`participants: [{contact: 'find("contact", "code", Contact)', title: Title}]}`+"\n")
	h.file = h.config("energyd.yaml", "sqlite:"+filepath.Join(h.dir, "energyd.db"))
	return career{h}
}

// on sets the clock to the morning of a day in Japan.
func (c career) on(day string) {
	c.Helper()
	t, err := time.ParseInLocation(time.DateOnly, day, time.FixedZone("JST", 9*60*60))
	if err != nil {
		c.Fatal(err)
	}
	c.clock, c.tick = t, 0
}

// earned gives the points of an entity by month.
func (c career) earned(file string, e engine.Entity) map[string]int64 {
	c.Helper()
	p := c.open(file, pipeline.Options{})
	defer p.Close()
	entry, ok, err := p.Store().LedgerEntry(context.Background(), e)
	if err != nil || !ok {
		c.Fatalf("%v has no score: %v", e, err)
	}
	months := map[string]int64{}
	for _, cell := range entry.Cells {
		months[cell.Date.String()[:7]] += cell.Milli / 1000
	}
	return months
}

func (c career) expect(file string, e engine.Entity, want map[string]int64) {
	c.Helper()
	got := c.earned(file, e)
	for month := range want {
		if got[month] != want[month] || len(got) != len(want) {
			c.Errorf("%s %s earned %v, want %v", e.Kind, e.ID, got, want)
			return
		}
	}
}

var (
	accountA = engine.Entity{Kind: engine.Account, ID: "A"}
	accountB = engine.Entity{Kind: engine.Account, ID: "B"}
	person1  = engine.Entity{Kind: engine.Contact, ID: "p1"}
)

// promotion is case 39: 課長 until 03-31, 部長 from 04-01.
func promotion(t *testing.T, late bool) career {
	c := newCareer(t)
	visit := func(id, day string) {
		c.tables["tasks"].set(id, map[string]any{"Id": id, "Account": "A", "Contact": "p1", "Day": day})
	}
	c.tables["accounts"].set("A", map[string]any{"Id": "A"})
	c.tables["contacts"].set("p1", map[string]any{"Id": "p1", "Code": "P1", "Account": "A", "Title": "課長"})
	c.on("2026-03-20")
	visit("t1", "2026-03-20")
	c.night(0, false)
	c.on("2026-04-01")
	promote := func() { c.tables["contacts"].set("p1", map[string]any{"Title": "部長"}) }
	if !late {
		promote()
		c.night(0, false)
	}
	c.on("2026-04-10")
	visit("t2", "2026-04-10")
	if late { // the visit is read before the CRM tells
		c.night(0, false)
		c.on("2026-04-01")
		promote()
	}
	c.on("2026-04-11")
	c.night(0, false)
	return c
}

// TestCase39_rank_at_the_time_of_contact: a promotion does not rewrite March.
func TestCase39_rank_at_the_time_of_contact(t *testing.T) {
	for name, late := range map[string]bool{"told before the visit": false, "told after the visit": true} {
		t.Run(name, func(t *testing.T) {
			c := promotion(t, late)
			c.expect(c.file, accountA, map[string]int64{"2026-03": 12, "2026-04": 18})
			c.expect(c.file, person1, map[string]int64{"2026-03": 12, "2026-04": 18})
			c.on("2026-04-20") // everything is read again: nothing moves
			r := c.night(0, false)
			if r.Fold.Stored != 0 {
				t.Errorf("a complete reading stored %d activities anew", r.Fold.Stored)
			}
			c.expect(c.file, accountA, map[string]int64{"2026-03": 12, "2026-04": 18})
		})
	}
}

// TestCase39_rank_today: with the option, all visits count as made to a 部長.
func TestCase39_rank_today(t *testing.T) {
	c := promotion(t, false)
	c.rewrite("points.yaml", filepath.Join("..", "..", "configs", "points.yaml"), "rank: contact\n", "rank: today\n")
	c.rewrite("energyd.yaml", c.file, filepath.Join(c.root(), "configs", "points.yaml"), "points.yaml")
	c.night(0, false)
	c.expect(c.file, accountA, map[string]int64{"2026-03": 18, "2026-04": 18})
}

// TestCase40_person_moves: energy stays with the old account, the person keeps it all.
func TestCase40_person_moves(t *testing.T) {
	c := newCareer(t)
	report := func(id, day string) {
		c.tables["reports"].set(id, map[string]any{"Id": id, "Contact": "P1", "Day": day, "Title": "担当"})
	}
	for _, id := range []string{"A", "B"} {
		c.tables["accounts"].set(id, map[string]any{"Id": id})
	}
	c.tables["contacts"].set("p1", map[string]any{"Id": "p1", "Code": "P1", "Account": "A", "Title": "担当"})
	c.on("2026-04-10")
	report("r1", "2026-04-10")
	c.night(0, false)
	c.on("2026-05-01")
	c.tables["contacts"].set("p1", map[string]any{"Account": "B"})
	c.on("2026-05-10")
	report("r2", "2026-05-10")
	for _, day := range []string{"2026-05-11", "2026-05-20"} { // the second reads everything again
		c.on(day)
		c.night(0, false)
		c.expect(c.file, accountA, map[string]int64{"2026-04": 6})
		c.expect(c.file, accountB, map[string]int64{"2026-05": 6})
		c.expect(c.file, person1, map[string]int64{"2026-04": 6, "2026-05": 6})
	}
	c.expectArrivals(pipeline.Arrival{Contact: "p1", Name: "p1", From: "A", FromName: "A", To: "B", ToName: "B", On: "2026-05-01", Earned: 12})
	c.on("2026-06-10") // it is no news any more
	c.expectArrivals()
}

// TestCareer_told_by_reports: a title that a dated report names holds for later
// contacts without one, until the report is gone; the way there does not matter.
func TestCareer_told_by_reports(t *testing.T) {
	c := newCareer(t)
	c.tables["accounts"].set("A", map[string]any{"Id": "A"})
	c.on("2026-03-01")
	c.tables["contacts"].set("p1", map[string]any{"Id": "p1", "Code": "P1", "Account": "A", "Title": "課長"})
	c.tables["accounts"].set("Z", map[string]any{"Id": "Z"})
	for i := range 150 { // the report is a small part of all that is stored
		id := fmt.Sprint("z", i)
		c.tables["tasks"].set(id, map[string]any{"Id": id, "Account": "Z", "Day": "2026-03-20"})
	}
	c.tables["tasks"].set("t1", map[string]any{"Id": "t1", "Account": "A", "Contact": "p1", "Day": "2026-03-20"})
	c.tables["tasks"].set("t2", map[string]any{"Id": "t2", "Account": "A", "Contact": "p1", "Day": "2026-05-20"})
	c.on("2026-05-21")
	c.night(0, false)
	c.expect(c.file, accountA, map[string]int64{"2026-03": 12, "2026-05": 12})
	c.tables["reports"].set("r1", map[string]any{"Id": "r1", "Contact": "P1", "Day": "2026-04-10", "Title": "営業部長"})
	c.night(0, false)
	want := map[string]int64{"2026-03": 12, "2026-04": 18, "2026-05": 18}
	c.expect(c.file, accountA, want)
	scratch := c.config("scratch.yaml", "sqlite:"+filepath.Join(c.dir, "scratch.db"))
	c.nightWith(scratch)
	c.expect(scratch, accountA, want)
	r := c.tables["reports"].rows["r1"]
	r.deleted = true
	c.tables["reports"].touch(r)
	c.night(0, false)
	c.expect(c.file, accountA, map[string]int64{"2026-03": 12, "2026-05": 12})
}

func (c career) root() string {
	c.Helper()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		c.Fatal(err)
	}
	return root
}

// nightWith pulls by another configuration.
func (c career) nightWith(file string) {
	c.Helper()
	p := c.open(file, pipeline.Options{})
	defer p.Close()
	if _, err := p.Pull(context.Background()); err != nil {
		c.Fatal(err)
	}
}

// rewrite writes a file of the configuration after another one with something else in it.
func (c career) rewrite(name, from, old, replacement string) {
	c.Helper()
	text := c.read(from)
	if !strings.Contains(text, old) {
		c.Fatalf("%s does not hold %q", from, old)
	}
	c.write(name, strings.Replace(text, old, replacement, 1))
}

func (c career) read(file string) string {
	c.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		c.Fatal(err)
	}
	return string(text)
}
