package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/internal/crmsim"
	"energyd/internal/demo"
)

// state is everything that a run leaves behind, in the store and in the CRM.
type state struct {
	Activities, Scores, Rejects []string
	CRM                         map[string]map[string]any // our fields by record
}

func stateOf(t *testing.T, w *demo.World, config, asOf string) state {
	t.Helper()
	lines := func(what string) []string {
		out := strings.Split(strings.TrimSpace(mustEnd(t, []int{exitDone}, "export", what, "--config", config, "--as-of", asOf)), "\n")
		slices.Sort(out)
		return out
	}
	s := state{Activities: lines("activities"), Scores: lines("scores")}
	// How often a reject was met, and by which run, differs by nature.
	for _, line := range strings.Split(strings.TrimSpace(mustEnd(t, []int{exitDone}, "export", "rejects", "--format", "csv", "--config", config)), "\n") {
		s.Rejects = append(s.Rejects, strings.Join(strings.Split(line, ",")[:3], ","))
	}
	slices.Sort(s.Rejects)
	s.CRM = crmState(t, w)
	return s
}

// crmState is what the CRM holds in our fields, by record.
func crmState(t *testing.T, w *demo.World) map[string]map[string]any {
	t.Helper()
	all := map[string]map[string]any{}
	for _, object := range []string{"Account", "Contact", "Opportunity"} {
		rows, err := w.CRM().Rows(object)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			ours := maps.Clone(row)
			maps.DeleteFunc(ours, func(field string, _ any) bool { return !strings.HasPrefix(field, "Energy") })
			all[fmt.Sprint(row["Id"])] = ours
		}
	}
	return all
}

// TestKill kills energyd with SIGKILL at random moments of pull and of apply,
// ten times each, lets it finish, and compares with a world where nothing went
// wrong: nothing may be lost, doubled or half written.
func TestKill(t *testing.T) {
	t.Parallel()
	asOf := time.Now().In(time.FixedZone("JST", 9*3600)).Format(time.DateOnly)
	calm, calmConfig := world(t)
	mustEnd(t, []int{exitPartial}, "sync", "--config", calmConfig, "--as-of", asOf)
	want := stateOf(t, calm, calmConfig, asOf)
	if len(want.Activities) < 100 || len(want.CRM) < 50 {
		t.Fatalf("the calm world is too small to prove anything: %d activities, %d records", len(want.Activities), len(want.CRM))
	}

	for _, step := range []struct {
		name  string
		args  []string
		fault crmsim.Fault // slows the CRM down, so that kills fall between its answers
	}{
		{"pull", []string{"pull"}, crmsim.Fault{Name: "slow", Match: "GET /services/data/.*", DelayMS: 30}},
		{"apply", []string{"sync"}, crmsim.Fault{Name: "slow", Match: "PATCH /services/data/.*", DelayMS: 150}},
	} {
		t.Run(step.name, func(t *testing.T) {
			t.Parallel()
			whole := undisturbed(t, step.args, step.fault, asOf)
			for kills := 0; kills < 10; {
				w, config := world(t)
				if err := w.CRM().Inject(step.fault); err != nil {
					t.Fatal(err)
				}
				n := killUntilDone(t, append(step.args, "--config", config, "--as-of", asOf), whole)
				kills += n
				mustEnd(t, []int{exitDone, exitPartial}, "sync", "--config", config, "--as-of", asOf)
				if diff := cmp.Diff(want, stateOf(t, w, config, asOf)); diff != "" {
					t.Fatalf("after %d kills the world differs (-calm +killed):\n%s", n, diff)
				}
				if again := mustEnd(t, []int{exitDone}, "sync", "--config", config, "--as-of", asOf); !strings.Contains(again, "nothing to write") {
					t.Fatalf("a sync after the last one still writes:\n%s", again)
				}
			}
		})
	}
}

// TestKill_undo kills energyd at random moments of an undo, lets the same command end it, and finds the CRM as it
// was before the night; the next night writes none of it again.
func TestKill_undo(t *testing.T) {
	t.Parallel()
	asOf := time.Now().In(time.FixedZone("JST", 9*3600)).Format(time.DateOnly)
	late := crmsim.Fault{Name: "slow", Match: "PATCH /services/data/.*", DelayMS: 150} // so that kills fall between its answers
	for kills := 0; kills < 3; {
		w, config := world(t)
		bare := crmState(t, w)
		mustEnd(t, []int{exitPartial}, "sync", "--config", config, "--as-of", asOf)
		var status struct{ Runs []struct{ Run string } }
		if err := json.Unmarshal([]byte(mustEnd(t, []int{exitDone}, "status", "--json", "--config", config)), &status); err != nil {
			t.Fatal(err)
		}
		if err := w.CRM().Inject(late); err != nil {
			t.Fatal(err)
		}
		undo := []string{"undo", status.Runs[0].Run, "--config", config}
		kills += killUntilDone(t, undo, time.Second)
		mustEnd(t, []int{exitDone}, undo...)
		if diff := cmp.Diff(bare, crmState(t, w)); diff != "" {
			t.Fatalf("after %d kills the CRM is not as before (-before +undone):\n%s", kills, diff)
		}
		again := mustEnd(t, []int{exitDone}, "sync", "--config", config, "--as-of", asOf)
		if !strings.Contains(again, "nothing to write") || !strings.Contains(again, "held: undone:") {
			t.Fatalf("the next sync does not hold back what was undone:\n%s", again)
		}
	}
}

// killUntilDone starts energyd and kills it at a random moment, again and
// again until it ends by itself; after five kills it is let alone, because on a
// slow machine it might never come to its end. It gives how often it was killed.
func killUntilDone(t *testing.T, args []string, whole time.Duration) (kills int) {
	t.Helper()
	for kills < 5 {
		cmd := process(t.Context(), t, args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		kill := time.AfterFunc(time.Duration(rand.Float64()*float64(whole)), func() { _ = cmd.Process.Kill() }) // it may have ended by itself
		err := cmd.Wait()
		kill.Stop()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || !exit.Sys().(syscall.WaitStatus).Signaled() {
			return kills
		}
		kills++
	}
	return kills
}

// undisturbed measures how long the step takes as a process in a fresh world.
func undisturbed(t *testing.T, step []string, f crmsim.Fault, asOf string) time.Duration {
	t.Helper()
	w, config := world(t)
	if err := w.CRM().Inject(f); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	cmd := process(t.Context(), t, append(step, "--config", config, "--as-of", asOf)...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != exitPartial {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return time.Since(begin)
}
