package pipeline_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/internal/pipeline"
	"energyd/internal/store"
)

// TestCase10_quality: what nobody mapped or ranked is counted and kept with the
// night, and so is what is odd; what a later reading mends is gone from it.
func TestCase10_quality(t *testing.T) {
	c := newCareer(t)
	c.write("reports.yaml", `timezone: Asia/Tokyo
lookups: {kinds: {訪問: visit}}
activity: {id: Id, at: datetime(Day), kind: 'lookup("kinds", Code)', account: 'find("account", "id", Contact)', participants: [{title: Title}]}
`)
	c.tables["accounts"].set("A", map[string]any{"Id": "A"})
	c.tables["contacts"].set("p1", map[string]any{"Id": "p1", "Account": "A"})
	c.on("2026-03-02")
	report := func(id, kind, account, day, title string) {
		c.tables["reports"].set(id, map[string]any{"Id": id, "Code": kind, "Contact": account, "Day": day, "Title": title})
	}
	report("r1", "訪問", "A", "2026-02-27 10:00", "部長")    // a Friday
	report("r2", "訪問", "A", "2026-02-27 10:00", "部長")    // the same again
	report("r3", "訪問", "A", "2026-02-28 00:00", "星を見る人") // Saturday, midnight
	report("r4", "訪問", "A", "2026-01-05", "")            // late
	report("r5", "訪問", "A", "2026-04-30", "担当")          // in the future
	report("r6", "FAX", "A", "2026-02-27", "担当")         // no such kind
	report("r7", "訪問", "nobody", "2026-02-27", "担当")     // no such customer
	report("r8", "訪問", "A", "2026-02-30", "担当")          // no such day
	c.tables["tasks"].set("t1", map[string]any{"Id": "t1", "Account": "A", "Contact": "p1", "Day": "2026-01-05"})
	run := c.night(0, false).Run
	want := store.Quality{Source: "reports", Run: run, Activities: 5, NoAccount: 1, Unmapped: 1, BadDates: 1, NoContact: 5, Titles: 1,
		Duplicates: 1, Future: 1, Midnight: 1, Timed: 3, FreeDays: 1, Late: 1, HandTyped: 5, Unconfirmed: 4, Examples: map[string]string{"星を見る人": "r3"}}
	q, status := c.quality("reports")
	if diff := cmp.Diff(want, q.Quality); diff != "" {
		t.Errorf("quality (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]pipeline.Unknown{{Word: "星を見る人", Records: 1, Example: "r3"}}, q.Titles); diff != "" {
		t.Errorf("unknown titles (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]pipeline.Unknown{{Word: `activity.kind: lookups.kinds does not know "FAX"`, Records: 1, Example: "r6"}}, q.Words); diff != "" {
		t.Errorf("unmapped words (-want +got):\n%s", diff)
	}
	if len(status) != 2 || status[1] != "reports: words not in the mapping: 1, titles without a rank: 1; energyd quality reports shows more" ||
		status[0] != "tasks: nothing to mend in 1 activities" {
		t.Errorf("status says %q", status)
	}
	c.on("2026-03-12") // read again
	report("r3", "訪問", "A", "2026-02-27 14:00", "課長")
	c.night(0, false)
	q, _ = c.quality("reports")
	if q.Titles != nil || q.Quality.Titles != 0 || q.Midnight != 0 || q.Before == nil || q.Before.Titles != 1 {
		t.Errorf("after it was mended: %+v", q)
	}
}

// TestQuality_doubtful: what two sources tell of one day and could not be joined is counted for each; what was joined is not.
func TestQuality_doubtful(t *testing.T) {
	c := newCareer(t)
	c.write("reports.yaml", `timezone: Asia/Tokyo
activity: {id: Id, at: datetime(Day), kind: visit, account: 'find("account", "id", Contact)'}
`)
	c.write("tasks.yaml", "timezone: Asia/Tokyo\nactivity: {id: Id, at: datetime(Day), kind: visit, account: Account, participants: [{contact: Contact}]}\n")
	for id, days := range map[string][2]string{"A": {"2026-02-25 10:00", "2026-02-25 15:00"}, "B": {"2026-02-25 10:00", "2026-02-25 10:10"}} {
		c.tables["accounts"].set(id, map[string]any{"Id": id})
		c.tables["reports"].set("r"+id, map[string]any{"Id": "r" + id, "Contact": id, "Day": days[0]})
		c.tables["tasks"].set("t"+id, map[string]any{"Id": "t" + id, "Account": id, "Day": days[1]})
	}
	c.on("2026-03-02")
	c.night(0, false)
	for _, source := range []string{"reports", "tasks"} {
		if q, _ := c.quality(source); q.Activities != 2 || q.Doubtful != 1 {
			t.Errorf("%s: %d of %d are doubtful", source, q.Doubtful, q.Activities)
		}
	}
}

// quality gives what is known of a source's quality, and what status says of all.
func (c career) quality(source string) (pipeline.SourceQuality, []string) {
	c.Helper()
	p := c.open(c.file, pipeline.Options{})
	defer p.Close()
	list, err := p.Quality(context.Background(), source)
	if err != nil || len(list) != 1 {
		c.Fatalf("%d sources, %v", len(list), err)
	}
	status, err := p.Status(context.Background())
	if err != nil {
		c.Fatal(err)
	}
	return list[0], status.Quality
}

// TestMeasures_warn: a share above its limit warns, unless there are too few records to tell.
func TestMeasures_warn(t *testing.T) {
	for _, c := range []struct {
		activities, doubled int
		warn                bool
	}{{100, 5, false}, {100, 6, true}, {19, 19, false}, {0, 0, false}} {
		for _, m := range pipeline.Measures(store.Quality{Activities: c.activities, Duplicates: c.doubled}) {
			if m.Warn != (c.warn && m.Name == "duplicates") {
				t.Errorf("%+v of %+v", m, c)
			}
		}
	}
}
