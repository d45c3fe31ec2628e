package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"energyd/mapping"
)

// TestDocs_Mapping: the examples of docs/mapping.md are mappings that work, and their own tests pass.
func TestDocs_Mapping(t *testing.T) {
	text, err := os.ReadFile("../../docs/mapping.md")
	if err != nil {
		t.Fatal(err)
	}
	points, err := LoadPoints("../../configs/points.yaml")
	if err != nil {
		t.Fatal(err)
	}
	titles, err := LoadTitles("", nil)
	if err != nil {
		t.Fatal(err)
	}
	phrases, err := LoadPhrases("", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	env := mapping.Env{Titles: titles, Phrases: phrases}
	for kind := range points.Kinds {
		env.Kinds = append(env.Kinds, kind)
	}
	for cue := range points.Cues {
		env.Cues = append(env.Cues, cue)
	}
	tests, examples := 0, 0
	for _, block := range indented(string(text)) {
		if strings.HasPrefix(block, "participants:") || strings.HasPrefix(block, "same:") { // a part of an activity
			block = "activity:\n  at: At\n  kind: visit\n  account: AccountId\n  " + strings.ReplaceAll(block, "\n", "\n  ")
		}
		file := filepath.Join(t.TempDir(), "example.yaml")
		if err := os.WriteFile(file, []byte(block), 0o600); err != nil {
			t.Fatal(err)
		}
		m, err := LoadMapping(file, env)
		if err != nil {
			t.Errorf("%v\n%s", err, block)
			continue
		}
		examples++
		for _, r := range m.RunTests() {
			tests++
			if r.Err != nil {
				t.Errorf("%s: %v", r.Name, r.Err)
			}
		}
	}
	if examples != 8 || tests != 7 {
		t.Errorf("found %d examples with %d tests", examples, tests)
	}
}

// indented gives the blocks of a Markdown text that are indented by four blanks, without them.
func indented(text string) (blocks []string) {
	var block []string
	for line := range strings.Lines(text + "\nend\n") {
		code, is := strings.CutPrefix(line, "    ")
		switch {
		case is:
			block = append(block, code)
		case strings.TrimSpace(line) == "" && block != nil:
			block = append(block, "\n")
		case block != nil:
			blocks, block = append(blocks, strings.Join(block, "")), nil
		}
	}
	return blocks
}
