package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestErase shows first and erases only when told to; --json has the same numbers, and the run keeps no name.
func TestErase(t *testing.T) {
	_, config := world(t)
	mustRun(t, exitPartial, "sync", "--config", config)
	type contact struct {
		Entity, ID, Name string
	}
	var who contact
	for line := range strings.Lines(mustRun(t, exitDone, "export", "scores", "--config", config)) {
		var c contact
		if err := json.Unmarshal([]byte(line), &c); err != nil {
			t.Fatal(err)
		}
		if c.Entity == "contact" && c.Name != "" {
			who = c
		}
	}
	var looked, erased struct {
		Run        string
		Erased     bool
		Contacts   []string
		Activities int
	}
	shown := mustRun(t, exitDone, "erase", who.ID, "--config", config)
	for _, s := range []string{"contacts: " + who.ID, "names: " + who.Name, "activities of this person alone", "nothing was erased; to do it, add --yes"} {
		if !strings.Contains(shown, s) {
			t.Errorf("without --yes it does not say %q:\n%s", s, shown)
		}
	}
	decode := func(text string, v any) {
		t.Helper()
		if err := json.Unmarshal([]byte(text), v); err != nil {
			t.Fatalf("%v:\n%s", err, text)
		}
	}
	decode(mustRun(t, exitDone, "erase", who.ID, "--json", "--config", config), &looked)
	if looked.Erased || looked.Run != "" || looked.Activities == 0 || len(looked.Contacts) != 1 {
		t.Errorf("without --yes the JSON is %+v", looked)
	}
	decode(mustRun(t, exitDone, "erase", who.ID, "--yes", "--json", "--config", config), &erased)
	if !erased.Erased || erased.Run == "" || erased.Activities != looked.Activities {
		t.Errorf("with --yes the JSON is %+v", erased)
	}
	if runs := mustRun(t, exitDone, "export", "runs", "--config", config); strings.Contains(runs, who.ID) || strings.Contains(runs, who.Name) || !strings.Contains(runs, "one person") {
		t.Errorf("the runs are\n%s", runs)
	}
	again := mustRun(t, exitDone, "erase", who.ID, "--yes", "--config", config)
	if !strings.Contains(again, "erased") {
		t.Errorf("once more it says\n%s", again)
	}
	for _, file := range []string{"energyd.db", "energyd.db-wal"} {
		data, err := os.ReadFile(filepath.Join(filepath.Dir(config), file))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		if bytes.Contains(data, []byte(who.ID)) {
			t.Errorf("%s still holds the contact", file)
		}
	}
}
