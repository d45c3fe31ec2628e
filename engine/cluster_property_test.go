package engine_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"energyd/engine"
)

// drawRecord draws a record of a world so small that sources often tell of one contact.
func drawRecord(t *rapid.T) engine.Activity {
	a := engine.Activity{
		Source:  rapid.SampledFrom([]string{"daily_report", "events", "mail", "tasks"}).Draw(t, "source"),
		ID:      fmt.Sprint(rapid.IntRange(1, 4).Draw(t, "id")),
		Version: rapid.Int64Range(1, 4).Draw(t, "version"),
		Kind:    rapid.SampledFrom([]string{"visit", "web_meeting", "phone", "mail", "bounce", "FAX"}).Draw(t, "kind"),
		Account: rapid.SampledFrom([]string{"A", "A", "A", "B"}).Draw(t, "account"),
		Date:    day0 + engine.Date(rapid.IntRange(0, 1).Draw(t, "day")),
		Deleted: rapid.IntRange(0, 4).Draw(t, "deleted") == 0,
	}
	if rapid.Bool().Draw(t, "timed") {
		a.At, a.Date = a.Date.Time().Add(time.Duration(rapid.IntRange(0, 8).Draw(t, "quarter"))*15*time.Minute), 0
	}
	if rapid.IntRange(0, 3).Draw(t, "directed") == 0 {
		a.Direction = engine.Direction(rapid.IntRange(1, 2).Draw(t, "direction"))
	}
	for range rapid.IntRange(0, 2).Draw(t, "people") {
		a.People = append(a.People, engine.Participant{
			Contact: rapid.SampledFrom([]string{"C1", "C2", ""}).Draw(t, "contact"),
			Rank:    rapid.SampledFrom([]string{"", "staff", "president"}).Draw(t, "rank"),
			Keyman:  rapid.Bool().Draw(t, "keyman"),
			Role:    rapid.SampledFrom([]engine.Role{engine.Attended, engine.Attended, engine.Declined}).Draw(t, "role"),
		})
	}
	for i := range rapid.IntRange(0, 2).Draw(t, "reps") {
		a.Reps = append(a.Reps, engine.Share{ID: fmt.Sprint("R", i), Weight: float64(rapid.IntRange(0, 1).Draw(t, "weight"))})
		a.Deals = append(a.Deals, engine.Share{ID: fmt.Sprint("D", i)})
	}
	if rapid.Bool().Draw(t, "question") {
		a.Cues = []string{"question"}
	}
	name := rapid.SampledFrom([]string{"", "1", "2"})
	switch rapid.IntRange(0, 5).Draw(t, "named") {
	case 0:
		a.Same = &engine.Same{Call: name.Draw(t, "call"), Event: name.Draw(t, "event"), Record: name.Draw(t, "record")}
	case 1:
		a.Link = &engine.Link{Message: name.Draw(t, "message"), Thread: name.Draw(t, "thread"), Answers: name.Draw(t, "answers")}
	}
	if a.Same != nil && *a.Same == (engine.Same{}) {
		a.Same = nil
	}
	if a.Link != nil && *a.Link == (engine.Link{}) {
		a.Link = nil
	}
	return a
}

// drawUnnamed draws a record that names nothing.
func drawUnnamed(t *rapid.T) engine.Activity {
	a := drawRecord(t)
	a.Same, a.Link = nil, nil
	return a
}

// Case 73 where several sources tell of the same contacts: whatever comes,
// changes and goes, in whatever order, the ledger is that of a rebuild.
func TestCase73ClustersIncrementalEqualsRebuild(t *testing.T) {
	tenThousand(t)
	incrementalEqualsRebuild(t, table(t, repeat20), drawRecord)
}

// What the store builds on: without messages and names, a day's contributions depend on that day alone.
func TestClustersStayWithinTheirDay(t *testing.T) {
	p := table(t)
	rapid.Check(t, func(t *rapid.T) {
		acts := current(rapid.SliceOfN(rapid.Custom(drawUnnamed), 1, 12).Draw(t, "records"))
		days := map[engine.Date][]engine.Activity{}
		for _, a := range acts {
			days[p.DateOf(&a)] = append(days[p.DateOf(&a)], a)
		}
		apart := make(ledger)
		for _, own := range days {
			for e, cells := range ledgerOf(p, own...) {
				apart[e] = engine.MergeCells(apart[e], cells)
			}
		}
		if diff := cmp.Diff(ledgerOf(p, acts...), apart); diff != "" {
			t.Fatal(diff)
		}
	})
}

// Of records that name nothing, no contact has two of one source, the smallest
// key stands for it, and no record is in two contacts.
func TestClustersAreOneToOne(t *testing.T) {
	p := table(t)
	rapid.Check(t, func(t *rapid.T) {
		acts := current(rapid.SliceOfN(rapid.Custom(drawUnnamed), 1, 14).Draw(t, "records"))
		seen := map[int]bool{}
		for _, part := range p.Explain(acts, engine.Entity{Kind: engine.Account, ID: "A"}, date("9999-12-31")) {
			members := part.Members
			if len(members) == 0 {
				members = []engine.Member{{Activity: part.Activity}}
			}
			var sources []string
			for _, m := range members {
				a := &acts[m.Activity]
				if seen[m.Activity] || slices.Contains(sources, a.Source) || a.Deleted {
					t.Fatalf("%s/%s is there twice, or beside another one of its source, or deleted", a.Source, a.ID)
				}
				seen[m.Activity] = true
				sources = append(sources, a.Source)
			}
			if !slices.IsSorted(sources) || members[0].Activity != part.Activity {
				t.Fatalf("%v: the smallest key does not stand for the contact", sources)
			}
		}
	})
}

// Two records are one contact or not whichever of the two sources wrote which.
func TestSoftMatchIsSymmetric(t *testing.T) {
	p := table(t)
	rapid.Check(t, func(t *rapid.T) {
		x, y := drawUnnamed(t), drawUnnamed(t)
		for _, a := range []*engine.Activity{&x, &y} {
			if a.Kind == "bounce" || a.Kind == "FAX" { // a contact that earns nothing would not be counted
				a.Kind = "meal"
			}
			a.People = append(a.People, person("", "staff"))
		}
		x.Source, y.Source = "tasks", "visits" // of one sort, so that either is believed alike
		x.ID, y.ID, x.Account, y.Account, x.Deleted, y.Deleted = "x", "y", "A", "A", false, false
		want := contacts(p, []engine.Activity{x, y})
		swapped, other := x, y
		swapped.Source, other.Source = y.Source, x.Source
		if got := contacts(p, []engine.Activity{other, swapped}); got != want {
			t.Fatalf("%d contacts, %d with the sources exchanged", want, got)
		}
	})
}
