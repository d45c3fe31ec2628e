package adversity

import (
	"errors"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/internal/crmsim"
	"energyd/internal/pipeline"
)

// number gives how much of something a test does: a little, or what the environment says.
func number(t *testing.T, variable string, little int) int {
	t.Helper()
	text, ok := os.LookupEnv(variable)
	if !ok {
		return little
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%q is not a number", variable, text)
	}
	return n
}

// program builds energyd as it is shipped, once. Nothing that is killed can tell of a data race.
var program = sync.OnceValues(func() (string, error) {
	path := filepath.Join(kept.dir, "energyd")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", path, "energyd/cmd/energyd")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	if err != nil {
		err = errors.Join(err, errors.New(string(out)))
	}
	return path, err
})

// command runs energyd over the company as a process of its own.
func (c *company) command(args ...string) *exec.Cmd {
	c.Helper()
	path, err := program()
	if err != nil {
		c.Fatal(err)
	}
	return exec.CommandContext(c.Context(), path, append(args, "--config", c.world.Config)...)
}

// TestKill_at_any_moment kills energyd with SIGKILL at random moments of each step, lets it go on, and compares with
// a company where nothing went wrong: nothing may be lost, doubled or half written, and all sums balance (rules 1, 2).
// KILLS says how often, over all steps.
func TestKill_at_any_moment(t *testing.T) {
	t.Parallel()
	calmNight(t)
	asOf := "--as-of=" + kept.asOf.String()
	doomed := []struct {
		name, from string
		args       []string
	}{
		{"pull", fresh, []string{"pull", asOf}},
		{"plan", pulled, []string{"plan", asOf}},
		{"apply", planned, []string{"apply"}},
		{"undo", applied, []string{"undo", kept.wrote}},
	}
	kills := number(t, "KILLS", 2*len(doomed)) / len(doomed)
	for _, step := range doomed {
		t.Run(step.name, func(t *testing.T) {
			t.Parallel()
			whole := lasts(t, step.from, step.args)
			for killed, tries := 0, 0; killed < kills; tries++ {
				if tries > 4*kills {
					t.Fatalf("of %d starts only %d could be killed before their end", tries, killed)
				}
				after := rand.N(whole)
				c := slowly(t, step.from)
				if !c.killed(after, step.args) {
					c.sleep()
					continue
				}
				killed++
				c.sleep()
				c.wake(pipeline.Options{AsOf: kept.asOf})
				c.wholeRecords(step.name)
				want := kept.calm
				if step.name == "undo" {
					want.CRM = kept.bare
				}
				if c.endsAs(want, step.name == "undo"); t.Failed() {
					t.Fatalf("it was killed after %v of about %v", after, whole)
				}
				c.sleep()
				_ = os.RemoveAll(c.dir) // of many
			}
			t.Logf("killed %d times, within %v", kills, whole)
		})
	}
}

// slowly gives a company whose CRM takes its time, so that kills fall between its answers.
func slowly(t *testing.T, stage string) *company {
	t.Helper()
	c := standing(t, stage)
	c.start()
	c.inject(crmsim.Fault{Name: "slow", Match: "* /services/data/", DelayMS: 15})
	return c
}

// lasts measures how long a step takes that nobody kills.
func lasts(t *testing.T, stage string, args []string) time.Duration {
	t.Helper()
	c := slowly(t, stage)
	defer c.sleep()
	cmd := c.command(args...)
	begin := time.Now()
	if out, err := cmd.CombinedOutput(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() != 0 && cmd.ProcessState.ExitCode() != 3 {
		t.Fatalf("%v: %v\n%s", cmd.Args, err, out)
	}
	return time.Since(begin)
}

// killed tells whether the kill came before the end.
func (c *company) killed(after time.Duration, args []string) bool {
	c.Helper()
	cmd := c.command(args...)
	if err := cmd.Start(); err != nil {
		c.Fatal(err)
	}
	kill := time.AfterFunc(after, func() { _ = cmd.Process.Kill() }) // it may have ended by itself
	defer kill.Stop()
	var exit *exec.ExitError
	return errors.As(cmd.Wait(), &exit) && exit.Sys().(syscall.WaitStatus).Signaled()
}

// wholeRecords holds that a record of the CRM has all of its values or none of them.
func (c *company) wholeRecords(step string) {
	c.Helper()
	for id, now := range c.crm() {
		same := func(a, b map[string]any) bool {
			return maps.EqualFunc(a, b, func(x, y any) bool { return cmp.Equal(x, y) })
		}
		before := same(now, kept.bare[id])
		if !before && (step == "pull" || step == "plan") || !before && !same(now, kept.calm.CRM[id]) {
			c.Errorf("after a kill in %s record %s holds %v", step, id, now)
		}
	}
}
