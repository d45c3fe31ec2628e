package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

// TestPull_DryRun shows records with what is personal in them, in text and as JSON lines, and leaves no run behind.
func TestPull_DryRun(t *testing.T) {
	_, config := world(t)
	text := mustRun(t, exitDone, "pull", "--dry-run", "--config", config) + mustRun(t, exitDone, "pull", "--dry-run", "--limit", "0", "--config", config)
	for _, s := range []string{"new        contacts ", "* name: ", "  kind: contact", "* participants: [{", "rejected   daily_report ", "* fields: {", "  code: kind",
		"Nothing was stored", "daily_report: there is more; see it with a higher --limit"} {
		if !strings.Contains(text, s) {
			t.Errorf("the dry run does not say %q:\n%s", s, text)
		}
	}
	shown := 0
	for line := range strings.Lines(mustRun(t, exitDone, "pull", "contacts", "--dry-run", "--limit", "7", "--json", "--config", config)) {
		var s struct {
			Key, Fate string
			Profile   struct{ Kind, Name string }
			Personal  []string
			Sources   []struct {
				Read int
				More bool
			}
		}
		if err := json.Unmarshal([]byte(line), &s); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if s.Sources != nil {
			if s.Sources[0].Read != 7 || !s.Sources[0].More {
				t.Errorf("the sums are %s", line)
			}
			continue
		}
		shown++
		if s.Fate != "new" || s.Profile.Kind != "contact" || s.Profile.Name == "" || !slices.Contains(s.Personal, "name") {
			t.Errorf("a line is %s", line)
		}
	}
	if shown != 7 {
		t.Errorf("%d records are shown, want 7", shown)
	}
	if status := mustRun(t, exitDone, "status", "--config", config); !strings.Contains(status, "no run yet") {
		t.Errorf("afterwards the status is\n%s", status)
	}
	mustRun(t, exitUsage, "pull", "--limit", "5", "--config", config)
	mustRun(t, exitUsage, "pull", "--dry-run", "--limit", "-1", "--config", config)
	mustRun(t, exitUsage, "pull", "--dry-run", "nowhere", "--config", config)
}
