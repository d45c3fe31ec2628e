package daemon

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"energyd/connectors/all"
	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/crmsim"
	"energyd/internal/demo"
	"energyd/internal/pipeline"
	"energyd/internal/schedule"
	"energyd/internal/store"
	"energyd/internal/telemetry"
	"energyd/internal/testdb"
)

// The environment of a process of this test that is a daemon.
const (
	asDaemon = "ENERGYD_TEST_DAEMON" // its configuration
	ofStore  = "ENERGYD_TEST_STORE"
	ofClock  = "ENERGYD_TEST_CLOCK" // the file that says what time it is
)

var japan = time.FixedZone("JST", 9*3600)

// clock is what all processes of the test go by: it shows what was last written
// into a file, and goes on from there, a minute a second. So a run may take as long as it has to.
type clock string

func (c clock) now() time.Time {
	text, err := os.ReadFile(string(c))
	if err != nil {
		panic(err)
	}
	set, shows, _ := strings.Cut(string(text), " ")
	ns, err := strconv.ParseInt(set, 10, 64)
	if err != nil {
		panic(err)
	}
	at, err := time.Parse(time.RFC3339, shows)
	if err != nil {
		panic(err)
	}
	return at.In(japan).Add(60 * time.Since(time.Unix(0, ns)))
}

func (c clock) set(t *testing.T, at time.Time) {
	text := fmt.Sprint(time.Now().UnixNano(), " ", at.Format(time.RFC3339))
	if err := errors.Join(os.WriteFile(string(c)+".new", []byte(text), 0o600), os.Rename(string(c)+".new", string(c))); err != nil {
		t.Fatal(err)
	}
}

// demoPipeline is one over the demo's company with a store somewhere else.
func demoPipeline(ctx context.Context, file, store string, now func() time.Time) (*pipeline.Pipeline, error) {
	cfg, err := config.Load(file, all.Connectors)
	if err != nil {
		return nil, err
	}
	daily, err := schedule.Parse("0 4,8,12,16 * * *", japan)
	if err != nil {
		return nil, err
	}
	cfg.Store, cfg.Jobs = store, []schedule.Job{{Schedule: daily}}
	return pipeline.Open(ctx, cfg, pipeline.Options{Log: slog.New(slog.DiscardHandler), Now: now, AsOf: engine.NoDate})
}

// runAsDaemon is the process of a daemon, until it is killed.
func runAsDaemon() error {
	now := clock(os.Getenv(ofClock)).now
	return Run(context.Background(), Options{
		Log: slog.New(slog.DiscardHandler), Now: now, Metrics: telemetry.NewMetrics("test"), Health: telemetry.NewHealth(), heartbeat: 20 * time.Millisecond,
		Open: func(ctx context.Context) (Work, error) {
			p, err := demoPipeline(ctx, os.Getenv(asDaemon), os.Getenv(ofStore), now)
			if err != nil {
				return nil, err
			}
			return Pipeline(ctx, p)
		},
		Ready: func() { fmt.Println("ready") },
	})
}

// TestDaemons_killed: three daemons serve one PostgreSQL. At each start but the last, whoever is at work is killed with
// SIGKILL at a random moment and started again, and so is an idle one. No start of the schedule is done twice, each is
// done whoever lives, and what they read and wrote is what one undisturbed run would have.
func TestDaemons_killed(t *testing.T) {
	t.Parallel()
	y, m, d := time.Now().In(japan).Date()
	hour := func(h int) time.Time { return time.Date(y, m, d, h, 0, 0, 0, japan) }
	shows := clock(filepath.Join(t.TempDir(), "clock"))
	shows.set(t, hour(0))
	now := shows.now
	world, err := demo.Start(t.Context(), t.TempDir(), now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := world.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, match := range []string{"GET /services/data/.*", "PATCH /services/data/.*"} { // so that runs take long enough to be killed
		if err := world.CRM().Inject(crmsim.Fault{Name: "slow", Match: match, DelayMS: 10}); err != nil {
			t.Fatal(err)
		}
	}
	url := testdb.Postgres(t)
	p, err := demoPipeline(t.Context(), world.Config, url, now) // also makes the tables
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})

	daemons, said := make([]*exec.Cmd, 3), make([]*bufio.Reader, 3)
	launch := func(i int) {
		c := exec.Command(os.Args[0], "-test.run=^$")
		c.Env = append(os.Environ(), asDaemon+"="+world.Config, ofStore+"="+url, ofClock+"="+string(shows))
		c.Stderr = os.Stderr
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		daemons[i], said[i] = c, bufio.NewReader(out)
	}
	kill := func(i int) {
		_ = daemons[i].Process.Kill()
		var exit *exec.ExitError
		if err := daemons[i].Wait(); err != nil && !errors.As(err, &exit) {
			t.Error(err)
		}
	}
	for i := range daemons {
		launch(i)
	}
	defer func() {
		for i := range daemons {
			kill(i)
		}
	}()
	ready := func(i int) {
		if _, err := said[i].ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	random := rand.New(rand.NewPCG(9, 135))
	again := func(i int) {
		kill(i)
		launch(i)
		ready(i)
	}
	// atWork finds the daemon at work on a run.
	atWork := func() int {
		s, err := p.Status(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return slices.IndexFunc(daemons, func(c *exec.Cmd) bool {
			return slices.ContainsFunc(s.AtWork, func(r store.Run) bool {
				return strings.HasSuffix(r.By, "(process "+strconv.Itoa(c.Process.Pid)+")")
			})
		})
	}
	for i := range daemons {
		ready(i)
	}
	const first, last, most = 4, 16, 3
	met := 0
	var done []store.Run
	for h := first; h <= last; h += 4 {
		shows.set(t, hour(h))
		for kills := 0; len(done) == 0 || done[0].Started.Before(hour(h)); {
			i := atWork()
			switch {
			case h == last || kills == most || i < 0:
				time.Sleep(20 * time.Millisecond)
			default:
				time.Sleep(time.Duration(random.IntN(200)) * time.Millisecond) // the moment of the kill, for nothing to happen in time
				if atWork() == i {
					met++
				}
				again(i)
				again(random.IntN(len(daemons)))
				kills++
			}
			if done, err = completed(t.Context(), p.Store()); err != nil {
				t.Fatal(err)
			}
		}
	}
	slots := map[string]string{}
	for _, r := range done {
		slot := r.Started.In(japan).Format("15")
		if slots[slot] != "" {
			t.Errorf("the start of %s was done by %s and by %s", slot, slots[slot], r.ID)
		}
		slots[slot] = r.ID + " of " + r.By
		for _, s := range r.Sources {
			if !s.Balanced() {
				t.Errorf("%s of %s does not balance: %+v", s.Source, r.ID, s)
			}
		}
	}
	t.Logf("%d kills in the middle of a run; done: %v", met, slots)
	if want := 4; len(slots) != want || met == 0 {
		t.Errorf("%d kills met a run, and %d starts were done, want %d", met, len(slots), want)
	}

	// Who knows nothing of all this finds the CRM as it should be.
	fresh, err := demoPipeline(t.Context(), world.Config, "sqlite:"+t.TempDir()+"/fresh.db", now)
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.Close()
	if _, err := fresh.Pull(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, sum, err := fresh.Plan(t.Context()); err != nil || sum.Records != 0 {
		t.Errorf("%d records of the CRM are not as they should be, %v", sum.Records, err)
	}
}

// completed gives the syncs that came to their end, the latest first.
func completed(ctx context.Context, s *store.Store) ([]store.Run, error) {
	runs, err := s.Runs(ctx, 1000)
	return slices.DeleteFunc(runs, func(r store.Run) bool {
		return r.Kind != "sync" || r.Ended.IsZero() || r.Message == store.Interrupted
	}), err
}
