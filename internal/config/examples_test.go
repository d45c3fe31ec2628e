package config

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"energyd/mapping"
)

const examples = "../../configs"

// TestExamples loads every example against the shipped points table and titles and runs its own tests.
func TestExamples(t *testing.T) {
	points, err := LoadPoints(filepath.Join(examples, "points.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	env := mapping.Env{
		Kinds: slices.Sorted(maps.Keys(points.Kinds)), Ranks: slices.Sorted(maps.Keys(points.Ranks)), Cues: slices.Sorted(maps.Keys(points.Cues)),
	}
	if env.Titles, err = LoadTitles("", env.Ranks); err != nil {
		t.Fatal(err)
	}
	if env.Phrases, err = LoadPhrases(filepath.Join(examples, "phrases.yaml"), env.Kinds, env.Cues); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(examples, "mappings", "*.yaml"))
	if err != nil || len(files) < 7 {
		t.Fatalf("found %d mappings, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			m, err := LoadMapping(file, env)
			if err != nil {
				t.Fatal(err)
			}
			results := m.RunTests()
			if len(results) == 0 {
				t.Error("the example has no tests of its own")
			}
			for _, r := range results {
				if r.Err != nil {
					t.Errorf("%s:%d: %s: %v", file, r.Line, r.Name, r.Err)
				}
			}
		})
	}
}
