package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/connectors"
	"energyd/internal/pipeline"
	"energyd/internal/schedule"
	"energyd/internal/store"
)

// TestStatus holds to testdata/status.golden what an admin reads in the morning; UPDATE=1 rewrites it.
func TestStatus(t *testing.T) {
	at := time.Date(2026, 11, 21, 17, 0, 0, 0, time.UTC)
	jobs := func(texts ...string) (starts []pipeline.Start) {
		for i, text := range texts {
			s, err := schedule.Parse(text, time.FixedZone("JST", 9*3600))
			if err != nil {
				t.Fatal(err)
			}
			starts = append(starts, pipeline.Start{Job: schedule.Job{Source: []string{"", "tasks", "users", "mail"}[i], Schedule: s}, At: s.Next(at)})
		}
		starts[1].Missed = true
		return starts
	}
	var out bytes.Buffer
	(&app{out: &out}).printStatus(pipeline.Status{
		Zone: time.FixedZone("JST", 9*3600),
		Runs: []store.Run{{ID: "20261121T170000-k3fq", Kind: "sync", Started: at, Ended: at.Add(4 * time.Minute), State: store.Parked,
			Message: "read Task: this run has made 1500 calls, which is 10 % of the 15000 that the system allows in 24 hours",
			Sources: []store.RunSource{{Source: "tasks", Read: 300_000, Stored: 299_990, Rejected: 10}}}},
		Starts:  jobs("0 2 * * *", "every 15m", "after tasks", "watch"),
		Sources: []pipeline.SourceStatus{{Name: "users", Read: true, Until: at, Verified: at.AddDate(0, 0, -20), Checked: at.AddDate(0, 0, -9)}, {Name: "tasks", Rejects: 10}},
		Rejects: []store.RejectCount{{Source: "tasks", Code: "account", Count: 10}},
		Budgets: []store.SeenUsage{
			{Connection: "crm", Seen: at.Add(4 * time.Minute), Usage: connectors.Usage{Used: 6360, Limit: 15000, Run: 1500, Day: 1512, Ceiling: connectors.PerRun}},
			{Connection: "crm_us", Seen: at, Usage: connectors.Usage{Used: 612_000, Limit: 1_000_000, Run: 12, Day: 48, Left: 88_000, Ceiling: connectors.Reserve}},
		},
	})
	golden := filepath.Join("testdata", "status.golden")
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(golden, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), out.String()); diff != "" {
		t.Error(diff)
	}
}
