package main

import (
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
		out := strings.Split(strings.TrimSpace(mustRun(t, exitDone, "export", what, "--config", config, "--as-of", asOf)), "\n")
		slices.Sort(out)
		return out
	}
	s := state{Activities: lines("activities"), Scores: lines("scores"), CRM: map[string]map[string]any{}}
	// How often a reject was met, and by which run, differs by nature.
	for _, line := range strings.Split(strings.TrimSpace(mustRun(t, exitDone, "export", "rejects", "--format", "csv", "--config", config)), "\n") {
		s.Rejects = append(s.Rejects, strings.Join(strings.Split(line, ",")[:3], ","))
	}
	slices.Sort(s.Rejects)
	for _, object := range []string{"Account", "Contact", "Opportunity"} {
		rows, err := w.CRM().Rows(object)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			ours := maps.Clone(row)
			maps.DeleteFunc(ours, func(field string, _ any) bool { return !strings.HasPrefix(field, "Energy") })
			s.CRM[fmt.Sprint(row["Id"])] = ours
		}
	}
	return s
}

// TestKill kills energyd with SIGKILL at random moments of pull and of apply,
// ten times each, lets it finish, and compares with a world where nothing went
// wrong: nothing may be lost, doubled or half written.
func TestKill(t *testing.T) {
	asOf := time.Now().In(time.FixedZone("JST", 9*3600)).Format(time.DateOnly)
	calm, calmConfig := world(t)
	mustRun(t, exitPartial, "sync", "--config", calmConfig, "--as-of", asOf)
	want := stateOf(t, calm, calmConfig, asOf)
	if len(want.Activities) < 100 || len(want.CRM) < 50 {
		t.Fatalf("the calm world is too small to prove anything: %d activities, %d records", len(want.Activities), len(want.CRM))
	}

	for _, step := range []struct {
		name  string
		args  []string
		fault crmsim.Fault // slows the CRM down, so that kills fall between its answers
	}{
		{name: "pull", args: []string{"pull"}, fault: crmsim.Fault{Name: "slow", Match: "GET /services/data/.*", DelayMS: 40}},
		{name: "apply", args: []string{"sync"}, fault: crmsim.Fault{Name: "slow", Match: "PATCH /services/data/.*", DelayMS: 150}},
	} {
		t.Run(step.name, func(t *testing.T) {
			w, config := world(t)
			if err := w.CRM().Inject(step.fault); err != nil {
				t.Fatal(err)
			}
			args := append(step.args, "--config", config, "--as-of", asOf)
			whole := undisturbed(t, step.args, step.fault, asOf)
			killed := 0
			for round := 0; killed < 10; round++ {
				if round == 100 {
					t.Fatalf("only %d of 100 processes could be killed before they ended", killed)
				}
				cmd := process(t.Context(), args...)
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Duration(rand.Float64() * float64(whole))) // a random moment is the point here
				_ = cmd.Process.Kill()                                     // it may have ended by itself
				err := cmd.Wait()
				if exit, ok := err.(*exec.ExitError); ok && exit.Sys().(syscall.WaitStatus).Signaled() {
					killed++
				}
				t.Logf("round %d: %v", round, err)
			}
			out := mustRun(t, exitPartial, "sync", "--config", config, "--as-of", asOf)
			t.Log(out)
			if diff := cmp.Diff(want, stateOf(t, w, config, asOf)); diff != "" {
				t.Errorf("after %d kills the world differs (-calm +killed):\n%s", killed, diff)
			}
			again := mustRun(t, exitDone, "sync", "--config", config, "--as-of", asOf)
			if !strings.Contains(again, "nothing to write") {
				t.Errorf("a sync after the last one still writes:\n%s", again)
			}
		})
	}
}

// undisturbed measures how long the step takes as a process in a fresh world.
func undisturbed(t *testing.T, step []string, f crmsim.Fault, asOf string) time.Duration {
	t.Helper()
	w, config := world(t)
	if err := w.CRM().Inject(f); err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	cmd := process(t.Context(), append(step, "--config", config, "--as-of", asOf)...)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != exitPartial {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return time.Since(begin)
}
