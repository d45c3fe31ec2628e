package pipeline_test

import (
	"cmp"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"energyd/engine"
	"energyd/internal/pipeline"
)

// kept writes the alarms that the store holds: "account 001… silence 2026-05-10 fired".
func (c company) kept() []string {
	c.Helper()
	list, err := c.Alarms(c.Context(), true)
	if err != nil {
		c.Fatal(err)
	}
	var lines []string
	for _, a := range list {
		lines = append(lines, strings.Join([]string{a.Entity, a.ID, a.Kind, a.Since, a.State}, " "))
	}
	slices.Sort(lines)
	return lines
}

// TestAlarms_by_nights: who visits changed and due entities alone, night by
// night, keeps what somebody finds who looks at everybody.
func TestAlarms_by_nights(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	today := c.AsOf()
	for day := today - 40; day <= today; day += 8 {
		c.reopened(day).sync()
	}
	kept := c.kept()
	var found []string
	for s, err := range c.Scores(t.Context(), engine.Account) {
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range s.Alarms {
			if (a.Kind != engine.Low && a.Kind != engine.Halved) || s.Best == 3 {
				found = append(found, strings.Join([]string{"account", s.ID, a.Kind.String(), a.Since.String()}, " "))
			}
		}
	}
	slices.Sort(found)
	var standing []string
	for _, line := range kept {
		standing = append(standing, line[:strings.LastIndexByte(line, ' ')])
	}
	if diff := gocmp.Diff(found, standing); diff != "" || len(found) == 0 {
		t.Errorf("%d alarms (-of everybody +kept):\n%s", len(found), diff)
	}
	c.sync()
	if diff := gocmp.Diff(kept, c.kept()); diff != "" {
		t.Errorf("the night once more:\n%s", diff)
	}
}

// TestAlarms_mute: a rule mutes what was told of, on the night after it was written, and gives it back.
func TestAlarms_mute(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	c.sync()
	list, err := c.Alarms(t.Context(), false)
	if err != nil || len(list) == 0 {
		t.Fatalf("%d alarms, %v", len(list), err)
	}
	for _, kind := range []string{"surge", "silence", "cooling"} { // the demo shows what each looks like
		if !slices.ContainsFunc(list, func(a pipeline.Raised) bool { return a.Kind == kind }) {
			t.Errorf("the demo's company has no %s", kind)
		}
	}
	first := list[0]
	file := filepath.Join(c.dir, "points.yaml")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	state := func() (state string, reason engine.AlarmReason) {
		t.Helper()
		c.reopened(engine.NoDate).sync()
		all, err := c.Alarms(t.Context(), true)
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(all, func(a pipeline.Raised) bool {
			return cmp.Or(cmp.Compare(a.ID, first.ID), cmp.Compare(a.Kind, first.Kind)) == 0
		})
		if i < 0 {
			t.Fatalf("the %s of %s is gone", first.Kind, first.Name)
		}
		return all[i].State, all[i].Reason
	}
	muted := strings.Replace(string(text), "  mute: []", "  mute:\n    - {account: "+first.ID+", kinds: ["+first.Kind+"]}", 1)
	if err := os.WriteFile(file, []byte(muted), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, reason := state(); s != "muted" || reason != engine.MutedByRule {
		t.Errorf("with the rule: %s %s", s, reason)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	if s, _ := state(); s != "fired" {
		t.Errorf("without the rule: %s", s)
	}
}
