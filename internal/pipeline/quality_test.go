package pipeline_test

import (
	"context"
	"strings"
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
		Duplicates: 1, Future: 1, Midnight: 1, Timed: 3, FreeDays: 1, Late: 1, HandTyped: 5, Unconfirmed: 4}
	got, titles, status := c.quality("reports")
	if diff := cmp.Diff([]store.Quality{want}, got); diff != "" {
		t.Errorf("quality (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]store.Unfound{{Source: "reports", What: "星を見る人", Records: 1}}, titles); diff != "" {
		t.Errorf("unknown titles (-want +got):\n%s", diff)
	}
	if len(status) != 1 || !strings.Contains(status[0], "reports: 1 titles without a rank") {
		t.Errorf("status says %q", status)
	}
	c.on("2026-03-12") // read again
	report("r3", "訪問", "A", "2026-02-27 14:00", "課長")
	c.night(0, false)
	got, titles, _ = c.quality("reports")
	if len(got) != 2 || got[0].Titles != 0 || got[0].Midnight != 0 || got[1].Titles != 1 || len(titles) != 0 {
		t.Errorf("after it was mended: %+v, unknown titles %v", got, titles)
	}
}

// quality gives what is kept of a source, its unknown titles, and what status says.
func (c career) quality(source string) ([]store.Quality, []store.Unfound, []string) {
	c.Helper()
	p := c.open(c.file, pipeline.Options{})
	defer p.Close()
	kept, err := p.Store().Quality(context.Background(), source)
	if err != nil {
		c.Fatal(err)
	}
	titles, err := p.UnknownTitles(context.Background(), source)
	if err != nil {
		c.Fatal(err)
	}
	status, err := p.Status(context.Background())
	if err != nil {
		c.Fatal(err)
	}
	return kept, titles, status.Quality
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
