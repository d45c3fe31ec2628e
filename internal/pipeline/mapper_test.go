package pipeline

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/store"
	"energyd/mapping"
)

// TestMapper_large_batch: the halves of a large batch, mapped at the same time,
// come to what its records come to one by one, in their order.
func TestMapper_large_batch(t *testing.T) {
	titles, err := mapping.NewTitles(&mapping.TitlesConfig{Ranks: []string{"manager"}, Suffixes: map[string][]string{"manager": {"部長"}}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := mapping.Compile(&mapping.Config{
		Skip: []mapping.SkipRule{{When: `kind == "draft"`, Reason: "draft"}, {When: `kind == "template"`, Reason: "template"}},
		Activity: &mapping.ActivityRule{
			At: "date(day)", Kind: "kind", Account: "account", Participants: []mapping.ParticipantRule{{Title: "title"}},
			Deals: []mapping.ShareRule{{ID: `find("deal", "code", deal)`}},
		},
	}, mapping.Env{File: "m.yaml", Source: "reports", Titles: titles})
	if err != nil {
		t.Fatal(err)
	}
	columns := connectors.NewColumns([]string{"day", "kind", "account", "title", "deal"})
	in := connectors.Batch{Next: "next", Rejects: []connectors.Reject{{Key: "unread"}}, Skipped: map[string]int{"seen": 2}}
	for i := range 3*smallBatch + 1 {
		kind := [...]string{"visit", "draft", "phone", "visit", "template"}[i%5]
		day := "2026-09-30"
		if i%7 == 0 {
			day = "soon"
		}
		in.Records = append(in.Records, connectors.Record{Key: fmt.Sprint(i), ChangedAt: time.Unix(int64(i+1), 0), Columns: columns,
			Values: []any{day, kind, fmt.Sprint("A", i%11), fmt.Sprint("役", i), fmt.Sprint("D", i%13)}})
	}
	newMapper := func() (*mapper, *SourceReport) {
		r := &SourceReport{Skips: map[string]int{}, Unfound: map[string]int{}}
		return &mapper{Mapping: m, source: "reports", run: "r", at: time.Unix(0, 0), directory: nobody{}, report: r, titles: map[string]int{}}, r
	}
	whole, report := newMapper()
	got := whole.batch(in)
	single, wantReport := newMapper()
	want := store.Batch{Run: "r", Source: "reports", At: time.Unix(0, 0), Next: "next", Read: len(in.Records) + 3, Skipped: 2, Rejects: in.Rejects}
	wantReport.Skips["seen"] = 2
	for _, rec := range in.Records {
		single.one(&want, rec, single.at)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the batch differs (-one by one +halves):\n%s", diff)
	}
	if diff := cmp.Diff([]any{wantReport.Skips, wantReport.Unfound}, []any{report.Skips, report.Unfound}); diff != "" {
		t.Errorf("the counts differ (-one by one +halves):\n%s", diff)
	}
	if len(whole.titles) != most || len(single.titles) != most {
		t.Errorf("%d and %d unknown titles are counted, want %d", len(whole.titles), len(single.titles), most)
	}
	if len(got.Activities) == 0 || len(got.Rejects) < 2 || len(got.Withdrawn) == 0 || report.Skips["template"] == 0 || report.Unfound["deal D3"] == 0 {
		t.Error("the records are not of all sorts")
	}
}

// nobody is a directory without entries.
type nobody struct{ mapping.Directory }

func (nobody) Find(engine.EntityKind, string, string) (string, bool) { return "", false }
