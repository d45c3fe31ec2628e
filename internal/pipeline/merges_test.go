package pipeline_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/pipeline"
)

func (c career) expectArrivals(want ...pipeline.Arrival) {
	c.Helper()
	p := c.open(c.file, pipeline.Options{})
	defer p.Close()
	got, err := p.Arrivals(context.Background())
	if err != nil {
		c.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		c.Error(diff)
	}
}

// newMerges is a career whose contacts may go into others, and whose reports name two of them by codes.
func newMerges(t *testing.T) career {
	c := newCareer(t)
	for name, columns := range map[string][]string{"accounts": {"Id", "Into"}, "contacts": {"Id", "Code", "Account", "Into"}, "reports": {"Id", "Account", "Contact", "Other", "Day"}} {
		c.tables[name] = &table{columns: connectors.NewColumns(columns), rows: map[string]*row{}, world: c.history}
	}
	c.write("accounts.yaml", "profile: {kind: account, id: Id, name: Id, into: Into}\n")
	c.write("contacts.yaml", "profile: {kind: contact, id: Id, name: Id, account: Account, into: Into, keys: {code: Code}}\n")
	c.write("reports.yaml", `activity: {id: Id, at: date(Day), kind: visit_by_customer, account: 'find("account", "id", Account)', participants: [`+
		`{contact: 'find("contact", "code", Contact)', title: '"担当"'}, {when: 'Other != ""', contact: 'find("contact", "code", Other)', title: '"担当"'}]}`+"\n")
	c.on("2026-04-01")
	for _, id := range []string{"A", "B"} {
		c.tables["accounts"].set(id, map[string]any{"Id": id})
	}
	for _, id := range []string{"p1", "p2"} {
		c.tables["contacts"].set(id, map[string]any{"Id": id, "Code": id, "Account": "A"})
	}
	return c
}

func (c career) visit(n int, account, contact, other string) {
	c.tables["reports"].set(fmt.Sprint(n), map[string]any{"Id": fmt.Sprint(n), "Account": account, "Contact": contact, "Other": other, "Day": fmt.Sprintf("2026-04-%02d", 1+n)})
}

// points gives what an entity earned in all.
func (c career) points(kind engine.EntityKind, id string) (sum int64) {
	c.Helper()
	p := c.open(c.file, pipeline.Options{})
	defer p.Close()
	entry, _, err := p.Store().LedgerEntry(context.Background(), engine.Entity{Kind: kind, ID: id})
	if err != nil {
		c.Fatal(err)
	}
	for _, cell := range entry.Cells {
		sum += cell.Milli
	}
	return sum / 1000
}

func (c career) expectPoints(when string, kind engine.EntityKind, want map[string]int64) {
	c.Helper()
	for id, points := range want {
		if got := c.points(kind, id); got != points {
			c.Errorf("%s: %s %s has %d points, want %d", when, kind, id, got, points)
		}
	}
}

// TestCase41_merge_and_unmerge: contacts of 50 and 100 points, 20 of them of
// the same two visits, are one of 130, and 50 and 100 again when they are taken apart.
func TestCase41_merge_and_unmerge(t *testing.T) {
	c := newMerges(t)
	for n := range 13 {
		switch {
		case n < 2:
			c.visit(n, "A", "p1", "p2")
		case n < 5:
			c.visit(n, "A", "p1", "")
		default:
			c.visit(n, "A", "p2", "")
		}
	}
	c.on("2026-04-20")
	c.night(0, false)
	apart := map[string]int64{"p1": 50, "p2": 100}
	c.expectPoints("before", engine.Contact, apart)
	c.tables["contacts"].set("p2", map[string]any{"Into": "p1"})
	c.on("2026-04-21")
	c.night(0, false)
	c.expectPoints("merged", engine.Contact, map[string]int64{"p1": 130, "p2": 0})
	c.tables["contacts"].set("p2", map[string]any{"Into": ""})
	c.on("2026-04-22")
	c.night(0, false)
	c.expectPoints("taken apart", engine.Contact, apart)
	c.expectArrivals()
}

// A lead has no account; what it did counts for the contact that it becomes.
func TestMerges_a_lead_is_converted(t *testing.T) {
	c := newMerges(t)
	c.tables["contacts"].set("lead", map[string]any{"Id": "lead", "Code": "lead"})
	c.visit(0, "A", "lead", "")
	c.visit(1, "A", "p1", "")
	c.on("2026-04-20")
	c.night(0, false)
	c.expectPoints("a lead", engine.Contact, map[string]int64{"p1": 10, "lead": 10})
	c.tables["contacts"].set("lead", map[string]any{"Into": "p1"})
	c.on("2026-04-21")
	c.night(0, false)
	c.expectPoints("converted", engine.Contact, map[string]int64{"p1": 20, "lead": 0})
	c.expectPoints("converted", engine.Account, map[string]int64{"A": 20})
	c.expectArrivals() // nobody came from anywhere
}

// Accounts that were merged are one, and the people who go along have not arrived from anywhere.
func TestMerges_accounts(t *testing.T) {
	c := newMerges(t)
	c.visit(0, "A", "p1", "")
	c.visit(1, "B", "p2", "")
	c.on("2026-04-20")
	c.night(0, false)
	c.expectPoints("before", engine.Account, map[string]int64{"A": 10, "B": 10})
	c.tables["accounts"].set("A", map[string]any{"Into": "B"})
	for _, id := range []string{"p1", "p2"} {
		c.tables["contacts"].set(id, map[string]any{"Account": "B"})
	}
	c.on("2026-04-21")
	c.night(0, false)
	c.expectPoints("merged", engine.Account, map[string]int64{"A": 0, "B": 20})
	c.expectPoints("merged", engine.Contact, map[string]int64{"p1": 10, "p2": 10})
	c.expectArrivals()
	c.tables["accounts"].set("A", map[string]any{"Into": ""})
	c.on("2026-04-22")
	c.night(0, false)
	c.expectPoints("taken apart", engine.Account, map[string]int64{"A": 10, "B": 10})
}
