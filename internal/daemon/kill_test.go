package daemon

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
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
	ofClock  = "ENERGYD_TEST_CLOCK" // when, in real nanoseconds, its clock showed morning
)

// pace is how fast the clocks of these daemons are: an hour takes two seconds.
const pace = 1800

// morning is when the test begins.
func morning() time.Time {
	y, m, d := time.Now().In(japan).Date()
	return time.Date(y, m, d, 3, 30, 0, 0, japan)
}

var japan = time.FixedZone("JST", 9*3600)

// clock is one that showed morning at start.
func clock(start time.Time) func() time.Time {
	at := morning()
	return func() time.Time { return at.Add(pace * time.Since(start)) }
}

// demoPipeline is one over the demo's company with a store somewhere else.
func demoPipeline(ctx context.Context, file, store string, now func() time.Time) (*pipeline.Pipeline, error) {
	cfg, err := config.Load(file, all.Connectors)
	if err != nil {
		return nil, err
	}
	hourly, err := schedule.Parse("0 4-7 * * *", japan)
	if err != nil {
		return nil, err
	}
	cfg.Store, cfg.Jobs = store, []schedule.Job{{Schedule: hourly}}
	return pipeline.Open(ctx, cfg, pipeline.Options{Log: slog.New(slog.DiscardHandler), Now: now, AsOf: engine.NoDate})
}

// runAsDaemon is the process of a daemon, until it is killed.
func runAsDaemon() error {
	ns, err := strconv.ParseInt(os.Getenv(ofClock), 10, 64)
	if err != nil {
		return err
	}
	now := clock(time.Unix(0, ns))
	return Run(context.Background(), Options{
		Log: slog.New(slog.DiscardHandler), Now: now, Metrics: telemetry.NewMetrics("test"), Health: telemetry.NewHealth(), heartbeat: 20 * time.Millisecond,
		Open: func(ctx context.Context) (Work, error) {
			p, err := demoPipeline(ctx, os.Getenv(asDaemon), os.Getenv(ofStore), now)
			if err != nil {
				return nil, err
			}
			return Pipeline(ctx, p)
		},
	})
}

// TestDaemons_killed: three daemons serve one PostgreSQL, and are killed with SIGKILL at random moments and started
// again. No start of the schedule is done twice, the last is done whoever lives, and what they read and wrote is
// what one undisturbed run would have. It takes some seconds, since processes have to live and die.
func TestDaemons_killed(t *testing.T) {
	t.Parallel()
	start := time.Now()
	now := clock(start)
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

	daemons := make([]*exec.Cmd, 3)
	launch := func(i int) {
		c := exec.Command(os.Args[0], "-test.run=^$")
		c.Env = append(os.Environ(), asDaemon+"="+world.Config, ofStore+"="+url, ofClock+"="+strconv.FormatInt(start.UnixNano(), 10))
		c.Stderr = os.Stderr
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		daemons[i] = c
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
	random := rand.New(rand.NewPCG(9, 135))
	kills, atWork := 0, 0
	last := morning().Add(3*time.Hour + 30*time.Minute) // 07:00
	for now().Before(last) {
		time.Sleep(time.Duration(50+random.IntN(300)) * time.Millisecond) // the moment of the kill, for nothing to happen in time
		i := random.IntN(len(daemons))
		if s, err := p.Status(t.Context()); err != nil {
			t.Fatal(err)
		} else if slices.ContainsFunc(s.AtWork, func(r store.Run) bool {
			return strings.HasSuffix(r.By, "(process "+strconv.Itoa(daemons[i].Process.Pid)+")")
		}) {
			atWork++
		}
		kill(i)
		kills++
		launch(i)
	}
	var done []store.Run
	for done = nil; len(done) == 0 || done[0].Started.Before(last); {
		if done, err = completed(t.Context(), p.Store()); err != nil {
			t.Fatal(err)
		}
		time.Sleep(20 * time.Millisecond)
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
	t.Logf("%d kills, %d of them in the middle of a run; done: %v", kills, atWork, slots)
	if atWork == 0 || len(done) < 2 {
		t.Errorf("of %d kills %d met a run, and %d syncs were done: that proves nothing", kills, atWork, len(done))
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
