package pipeline_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"energyd/engine"
	"energyd/internal/fault"
	"energyd/internal/pipeline"
	tables "energyd/internal/report"
	"energyd/internal/testdb"
)

// TestCase30_frozen_months: what arrives late for a frozen March stands in the open May for sales people, and in March for analysis.
func TestCase30_frozen_months(t *testing.T) {
	for name, fresh := range map[string]func(testing.TB) string{
		"sqlite":   func(tb testing.TB) string { return "sqlite:" + filepath.Join(tb.TempDir(), "energyd.db") },
		"postgres": testdb.Postgres,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			frozenMonths(t, fresh(t))
		})
	}
}

func frozenMonths(t *testing.T, url string) {
	c := newCareer(t)
	c.file = c.config("energyd.yaml", url)
	c.write("contacts.yaml", "profile: {kind: rep, id: Id, name: Id}\n")
	c.write("tasks.yaml", `activity: {id: Id, at: date(Day), kind: visit, account: Account, participants: [{title: '"担当"'}], reps: [Contact]}`+"\n")
	c.write("reports.yaml", "activity: {id: Id, at: date(Day), kind: visit, account: Contact}\n")
	c.tables["accounts"].set("A", map[string]any{"Id": "A"})
	c.tables["contacts"].set("u1", map[string]any{"Id": "u1"})
	visit := func(id, day string) {
		c.tables["tasks"].set(id, map[string]any{"Id": id, "Account": "A", "Contact": "u1", "Day": day})
	}
	freeze := func(month engine.Period) error {
		p := c.open(c.file, pipeline.Options{})
		defer p.Close()
		return p.Freeze(t.Context(), month, "boss")
	}
	row := func(name, of string) string {
		t.Helper()
		p := c.open(c.file, pipeline.Options{})
		defer p.Close()
		table, err := p.Report(t.Context(), name, tables.Options{Months: 4}, "boss")
		if err != nil {
			t.Fatal(err)
		}
		var b bytes.Buffer
		if err := table.WriteCSV(&b, "en"); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(b.String()) {
			if strings.HasPrefix(line, of) {
				return strings.TrimSpace(line)
			}
		}
		t.Fatalf("no row of %s:\n%s", of, b.String())
		return ""
	}
	april := engine.Period(2026*12 + 3)
	c.on("2026-04-20")
	visit("t1", "2026-03-10")
	visit("t2", "2026-03-11")
	c.night(0, false)
	if err := freeze(april); fault.KindOf(err) != fault.Config || !strings.Contains(fmt.Sprint(err), "2026-04 is not over") {
		t.Errorf("the open month: %v", err)
	}
	c.on("2026-05-10")
	c.night(0, false)
	if err := freeze(april); err != nil {
		t.Fatal(err)
	}
	if err := freeze(april - 1); fault.KindOf(err) != fault.Config || !strings.Contains(fmt.Sprint(err), "2026-03 is frozen already") {
		t.Errorf("a frozen month: %v", err)
	}
	visit("t3", "2026-03-12")
	c.night(0, false)
	// February to May, total, of it adjustment …
	const adjusted = "all teams,1,0,12,0,6,18,6,"
	if got := row("reps", "all teams"); !strings.HasPrefix(got, adjusted) {
		t.Errorf("sales people: %s, want %s…", got, adjusted)
	}
	if got, want := row("month", "A,"), "A,,0,18,0,0,18"; got != want {
		t.Errorf("analysis: %s, want %s", got, want)
	}

	// In June the adjustment stays where it was reported, and comes no second time.
	c.on("2026-06-10")
	c.night(0, false)
	if err := freeze(april + 1); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"t1", "t2", "t3"} { // as if nothing had been: all that was reported is taken off in June
		c.tables["tasks"].set(id, map[string]any{"Contact": ""})
	}
	const still = "all teams,1,12,0,6,0,18,0,"
	if got := row("reps", "all teams"); !strings.HasPrefix(got, still) {
		t.Errorf("sales people in June: %s, want %s…", got, still)
	}
	c.night(0, false)
	const gone = "all teams,1,12,0,6,-18,0,-18,"
	if got := row("reps", "all teams"); !strings.HasPrefix(got, gone) {
		t.Errorf("sales people of whom nothing is left: %s, want %s…", got, gone)
	}

	p := c.open(c.file, pipeline.Options{})
	defer p.Close()
	froze, looked, err := p.Months(t.Context())
	if err != nil || len(froze) != 2 || froze[0].Period != april+1 || froze[0].Who != "boss" || len(looked) != 0 {
		t.Errorf("%v, %v, %v", froze, looked, err)
	}
}

// TestReport_keeps_who_looked_at_single_people: where appraisal is on, it is kept who ran
// which report, before it is shown, and a report of customers or teams is nobody's business.
func TestReport_keeps_who_looked_at_single_people(t *testing.T) {
	t.Parallel()
	c := newCareer(t)
	c.write("contacts.yaml", "profile: {kind: rep, id: Id, name: Id}\n")
	c.write("tasks.yaml", `activity: {id: Id, at: date(Day), kind: visit, account: Account, participants: [{title: '"担当"'}], reps: [Contact]}`+"\n")
	c.write("reports.yaml", "activity: {id: Id, at: date(Day), kind: visit, account: Contact}\n")
	c.tables["accounts"].set("A", map[string]any{"Id": "A"})
	c.tables["contacts"].set("u1", map[string]any{"Id": "u1"})
	c.tables["tasks"].set("t1", map[string]any{"Id": "t1", "Account": "A", "Contact": "u1", "Day": "2026-03-10"})
	c.on("2026-03-20")
	c.night(0, false)
	names := []string{"month", "reps", "kpi", "rank", "reps"}
	run := func() []string {
		p := c.open(c.file, pipeline.Options{})
		defer p.Close()
		for _, name := range names {
			if _, err := p.Report(t.Context(), name, tables.Options{Months: 4}, "boss"); err != nil {
				t.Fatal(err)
			}
		}
		_, looks, err := p.Months(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var list []string
		for _, l := range looks {
			if l.At.IsZero() {
				t.Error("it is not kept when")
			}
			list = append(list, l.Who+" "+l.Report)
		}
		slices.Sort(list)
		return list
	}
	if got := run(); len(got) != 0 {
		t.Errorf("teams: %v is kept", got)
	}
	text, err := os.ReadFile(c.file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(c.file, append(text, "\nreports: {appraisal: true}\n"...), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := run(), []string{"boss kpi", "boss reps", "boss reps"}; !slices.Equal(got, want) {
		t.Errorf("single people: %v is kept, want %v", got, want)
	}
}
