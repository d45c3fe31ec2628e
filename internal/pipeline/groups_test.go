package pipeline_test

import (
	"context"
	"path/filepath"
	"strings"
	"testing"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/pipeline"
)

// newGroups is a career whose accounts stand under others.
func newGroups(t *testing.T) career {
	c := newCareer(t)
	c.tables["accounts"] = &table{columns: connectors.NewColumns([]string{"Id", "Parent", "Into"}), rows: map[string]*row{}, world: c.history}
	c.write("accounts.yaml", "profile: {kind: account, id: Id, name: Id, parent: Parent, into: Into}\n")
	c.on("2026-04-01")
	for account, parent := range map[string]string{"site": "company", "company": "group", "group": "", "other": "", "alone": ""} {
		c.tables["accounts"].set(account, map[string]any{"Id": account, "Parent": parent})
	}
	for id, visit := range map[string][2]string{"t1": {"site", "2026-04-10"}, "t2": {"company", "2026-04-11"}, "t3": {"alone", "2026-04-11"}} {
		c.tables["tasks"].set(id, map[string]any{"Id": id, "Account": visit[0], "Day": visit[1]})
	}
	c.on("2026-04-12")
	c.night(0, false)
	return c
}

// groups gives the points of all groups by id and month.
func (c career) groups(file string) map[string]map[string]int64 {
	c.Helper()
	p := c.open(file, pipeline.Options{})
	defer p.Close()
	all := map[string]map[string]int64{}
	for entry, err := range p.Store().Ledger(context.Background(), engine.CompanyGroup) {
		if err != nil {
			c.Fatal(err)
		}
		for _, cell := range entry.Cells {
			if all[entry.Entity.ID] == nil {
				all[entry.Entity.ID] = map[string]int64{}
			}
			all[entry.Entity.ID][cell.Date.String()[:7]] += cell.Milli / 1000
		}
	}
	return all
}

func (c career) expectGroups(file string, want map[string]map[string]int64) {
	c.Helper()
	if got := c.groups(file); !equal(got, want) {
		c.Errorf("the groups earned %v, want %v", got, want)
	}
}

func equal(a, b map[string]map[string]int64) bool {
	if len(a) != len(b) {
		return false
	}
	for id, months := range a {
		if len(months) != len(b[id]) {
			return false
		}
		for month, points := range months {
			if b[id][month] != points {
				return false
			}
		}
	}
	return true
}

// A site that is sold counts for its new owner from then on, and for the old one before (energy-model §4.2, §4.10).
func TestGroups_at_the_time_of_contact(t *testing.T) {
	c := newGroups(t)
	april := map[string]map[string]int64{"company": {"2026-04": 12}, "group": {"2026-04": 12}}
	c.expectGroups(c.file, april)
	c.on("2026-05-01")
	c.tables["accounts"].set("site", map[string]any{"Parent": "other"})
	c.on("2026-05-10")
	c.tables["tasks"].set("t4", map[string]any{"Id": "t4", "Account": "site", "Day": "2026-05-10"})
	want := map[string]map[string]int64{"company": {"2026-04": 12}, "group": {"2026-04": 12}, "other": {"2026-05": 6}}
	for _, day := range []string{"2026-05-11", "2026-05-20"} { // the second reads everything again
		c.on(day)
		c.night(0, false)
		c.expectGroups(c.file, want)
	}
	// Anew by another table, it is the same: here everything of before counts for the present owner.
	c.rewrite("points.yaml", filepath.Join("..", "..", "configs", "points.yaml"), "parent: contact\n", "parent: today\n")
	c.rewrite("energyd.yaml", c.file, filepath.Join(c.root(), "configs", "points.yaml"), "points.yaml")
	c.night(0, false)
	today := map[string]map[string]int64{"company": {"2026-04": 6}, "group": {"2026-04": 6}, "other": {"2026-04": 6, "2026-05": 6}}
	c.expectGroups(c.file, today)
	c.rewrite("energyd.yaml", c.file, "points.yaml", filepath.Join(c.root(), "configs", "points.yaml"))
	c.night(0, false)
	c.expectGroups(c.file, want)
}

func TestGroups_circles_count_for_nobody_and_are_told(t *testing.T) {
	c := newGroups(t)
	c.on("2026-04-20")
	c.tables["accounts"].set("group", map[string]any{"Parent": "company"})
	r := c.night(0, false)
	if len(r.Warnings) != 1 || !strings.Contains(r.Warnings[0], "[company group]") {
		t.Errorf("%q", r.Warnings)
	}
	c.on("2026-04-21")
	c.tables["tasks"].set("t4", map[string]any{"Id": "t4", "Account": "site", "Day": "2026-04-21"})
	c.night(0, false)
	c.expectGroups(c.file, map[string]map[string]int64{"company": {"2026-04": 18}, "group": {"2026-04": 12}})
}

// When companies are merged, or an activity goes away, the groups follow.
func TestGroups_follow_merges_and_deletions(t *testing.T) {
	c := newGroups(t)
	c.on("2026-04-20")
	c.tables["accounts"].set("company", map[string]any{"Into": "other"})
	c.tables["accounts"].set("other", map[string]any{"Parent": "group"})
	c.tables["tasks"].set("t2", map[string]any{"Account": "other"}) // as the CRM does
	c.night(0, false)
	c.expectGroups(c.file, map[string]map[string]int64{"other": {"2026-04": 12}}) // which stands under the group from now on
	r := c.tables["tasks"].rows["t1"]
	r.deleted = true
	c.tables["tasks"].touch(r)
	c.night(0, false)
	c.expectGroups(c.file, map[string]map[string]int64{"other": {"2026-04": 6}})
}
