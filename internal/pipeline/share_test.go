package pipeline_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/pipeline"
	"energyd/internal/store"
	"energyd/internal/testdb"
)

// TestPull_helps: of two runs that read different systems, whoever waits for the scores does jobs of the other's large fold.
func TestPull_helps(t *testing.T) {
	t.Parallel()
	const activities = 520_000 // two jobs
	dir := t.TempDir()
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	files := map[string]string{
		"a/visits.csv": "id,account\n", "b/visits.csv": "id,account\n",
		"visits.yaml": "timezone: Asia/Tokyo\ncolumns: [id, account]\nactivity:\n  id: id\n  at: datetime(\"2026-09-01\", \"10:00\")\n  kind: \"'visit'\"\n  account: account\n",
		"energyd.yaml": fmt.Sprintf(`language: ja
store: %[2]s
points: %[1]s/configs/points.yaml
titles: %[1]s/configs/titles.yaml
connections:
  a: {type: file, dir: a}
  b: {type: file, dir: b}
sources:
  a: {connection: a, files: visits.csv, key: [id], replaces: none, mapping: visits.yaml}
  b: {connection: b, files: visits.csv, key: [id], replaces: none, mapping: visits.yaml}
`, root, testdb.Postgres(t)),
	}
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	// Two processes have a store each.
	one, other := open(t, filepath.Join(dir, "energyd.yaml"), engine.NoDate), open(t, filepath.Join(dir, "energyd.yaml"), engine.NoDate)
	arrive(t, one.Store(), activities)
	reports := make(chan pipeline.Report, 2)
	for source, p := range map[string]*pipeline.Pipeline{"a": one, "b": other} {
		go func() {
			r, err := p.Pull(t.Context(), source)
			if err != nil || r.Fold == nil || len(r.Errors) > 0 {
				t.Errorf("%+v: %v %v", r, err, r.Errors)
				r.Fold = &store.FoldStats{}
			}
			reports <- r
		}()
	}
	first, second := <-reports, <-reports
	fold := first.Fold
	if second.Fold.Jobs > 0 {
		fold = second.Fold
	}
	if fold.Arrived != activities || fold.Stored != activities || fold.Jobs < 2 || fold.Helped == 0 || fold.Helped == fold.Jobs {
		t.Errorf("they folded %+v and %+v", first.Fold, second.Fold)
	}
}

// arrive saves so many visits, which wait for a fold.
func arrive(t *testing.T, s *store.Store, n int) {
	t.Helper()
	const batch = 20_000
	for from := 0; from < n; from += batch {
		acts := make([]engine.Activity, min(batch, n-from))
		for i := range acts {
			acts[i] = engine.Activity{Source: "visits", ID: fmt.Sprint(from + i), Version: 1, At: time.Date(2026, 9, 1+i%30, 1, 0, 0, 0, time.UTC), Date: engine.NoDate,
				Kind: "visit", Account: fmt.Sprint("A", i%4000), People: []engine.Participant{{Contact: fmt.Sprint("C", i%9000), Rank: "部長"}}}
		}
		after := strings.Repeat("x", from/batch)
		if err := s.SaveBatch(t.Context(), store.Batch{Run: "r", Source: "visits", After: connectors.Cursor(after), Next: connectors.Cursor(after + "x"), Read: len(acts), Activities: acts}); err != nil {
			t.Fatal(err)
		}
	}
}
