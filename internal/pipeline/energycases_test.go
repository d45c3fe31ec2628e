package pipeline_test

import (
	"context"
	"testing"

	"energyd/engine"
	"energyd/internal/pipeline"
)

// TestCase32_to_34_one_contact_from_several_sources: what the CRM, the reports and
// the calendar tell of one visit is one contact; two visits stay two; the weekly series of two calendars is four.
func TestCase32_to_34_one_contact_from_several_sources(t *testing.T) {
	t.Parallel()
	c := newCareer(t)
	// tasks are the CRM's visits, days two calendars, reports the daily reports
	c.write("tasks.yaml", "timezone: Asia/Tokyo\nactivity: {id: Id, at: datetime(Day), kind: visit, account: Account}\n")
	c.write("days.yaml", "timezone: Asia/Tokyo\nactivity: {id: Id, at: datetime(Day), kind: visit, account: Account, same: {event: Contact}}\n")
	c.write("reports.yaml", `activity: {id: Id, at: date(Day), kind: visit, account: 'find("account", "id", Contact)'}`+"\n")
	for _, id := range []string{"A", "B", "C"} {
		c.tables["accounts"].set(id, map[string]any{"Id": id})
	}
	put := func(table, id, account, day, uid string) {
		values := map[string]any{"Id": id, "Account": account, "Contact": uid, "Day": day}
		if table == "reports" {
			values["Contact"] = account
		}
		c.tables[table].set(id, values)
	}
	put("tasks", "t1", "A", "2026-03-10 10:15", "") // 32
	put("reports", "r1", "A", "2026-03-10", "")
	put("days", "d1", "A", "2026-03-10 10:00", "u1")
	put("days", "d2", "B", "2026-03-10 10:00", "u2") // 33
	put("days", "d3", "B", "2026-03-10 15:00", "u3")
	put("reports", "r2", "B", "2026-03-10", "")
	put("reports", "r3", "B", "2026-03-10", "")
	for _, day := range []string{"03", "10", "17", "24"} { // 34
		put("days", "w"+day, "C", "2026-03-"+day+" 10:00", "weekly")
		put("days", "x"+day, "C", "2026-03-"+day+" 10:00", "weekly")
	}
	c.on("2026-03-30")
	c.night(0, false)
	c.expect(c.file, accountA, map[string]int64{"2026-03": 6})
	c.expect(c.file, accountB, map[string]int64{"2026-03": 12})
	c.expect(c.file, engine.Entity{Kind: engine.Account, ID: "C"}, map[string]int64{"2026-03": 24})
}

// TestCase37_mail_opened: what opens within a minute of delivery is a program; three hours later it is a person.
func TestCase37_mail_opened(t *testing.T) {
	t.Parallel()
	c := newCareer(t)
	c.write("tasks.yaml", `timezone: Asia/Tokyo
skip: [{when: 'seconds_between(Contact, Day) < 60', reason: opened on arrival}]
activity: {id: Id, at: datetime(Day), kind: view, direction: inbound, account: Account, participants: [{title: '"担当"'}]}
`)
	for id, opened := range map[string]string{"A": "2026-03-10 13:00:00", "B": "2026-03-10 10:00:02"} {
		c.tables["accounts"].set(id, map[string]any{"Id": id})
		c.tables["tasks"].set("t"+id, map[string]any{"Id": "t" + id, "Account": id, "Contact": "2026-03-10 10:00:00", "Day": opened})
	}
	c.on("2026-03-11")
	r := c.night(0, false)
	for _, s := range r.Sources {
		if s.Source == "tasks" && (s.Stored != 1 || s.Skips["opened on arrival"] != 1) {
			t.Errorf("stored %d, skipped %v", s.Stored, s.Skips)
		}
	}
	if got := c.milli(accountA); got != 500 {
		t.Errorf("opened three hours later: %d milli-points", got)
	}
	if got := c.milli(accountB); got != 0 {
		t.Errorf("opened on arrival: %d milli-points", got)
	}
}

// TestCase38_meetings_ahead: a meeting of the year 9999 is kept back, one of tomorrow waits; both give nothing today.
func TestCase38_meetings_ahead(t *testing.T) {
	t.Parallel()
	c := newCareer(t)
	c.tables["accounts"].set("A", map[string]any{"Id": "A"})
	for id, day := range map[string]string{"t1": "9999-12-31", "t2": "2026-03-12"} {
		c.tables["tasks"].set(id, map[string]any{"Id": id, "Account": "A", "Contact": "p1", "Day": day})
	}
	c.on("2026-03-11")
	c.night(0, false)
	p := c.open(c.file, pipeline.Options{})
	defer p.Close()
	for score, err := range p.Scores(context.Background(), engine.Account) {
		if err != nil {
			t.Fatal(err)
		}
		if score.Temperature != 0 {
			t.Errorf("%+v", score)
		}
	}
}

// milli is what an entity earned in all, in milli-points; 0 for one that never did.
func (c career) milli(e engine.Entity) (sum int64) {
	c.Helper()
	p := c.open(c.file, pipeline.Options{})
	defer p.Close()
	entry, _, err := p.Store().LedgerEntry(context.Background(), e)
	if err != nil {
		c.Fatal(err)
	}
	for _, cell := range entry.Cells {
		sum += cell.Milli
	}
	return sum
}
