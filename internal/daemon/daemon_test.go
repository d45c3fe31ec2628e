package daemon

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"energyd/internal/fault"
	"energyd/internal/schedule"
	"energyd/internal/store"
)

func TestMain(m *testing.M) {
	if os.Getenv(asDaemon) != "" {
		if err := runAsDaemon(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
		os.Exit(1)
	}
	goleak.VerifyTestMain(m)
}

var (
	nightly = [2]string{"", "0 2 * * *"}
	away    = fault.New(fault.Unavailable, "crm", "no answer", "look at the network", nil)
)

// bubble is a machine at this time.
func bubble(t *testing.T, at string, test func(m *machine), jobs ...[2]string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t, "Asia/Tokyo", jobs...)
		m.until(at)
		test(m)
		if m.open != 0 {
			t.Errorf("%d configurations were not closed", m.open)
		}
	})
}

func (m *machine) end(stop func() error) {
	m.Helper()
	if err := stop(); err != nil {
		m.Error(err)
	}
}

// TestRun_missed: starts that were missed while no daemon was there are made up for by one run, or by none.
func TestRun_missed(t *testing.T) {
	for _, tt := range []struct {
		name   string
		missed schedule.Missed
		last   store.LastStart
		want   []string
	}{
		{"the last one was missed", schedule.Once, store.LastStart{Kind: "sync", State: store.OK, At: tokyo("2026-11-18 02:00")}, []string{"11-22 09:00 sync ok", "11-23 02:00 sync ok"}},
		{"skipped", schedule.Skip, store.LastStart{Kind: "sync", State: store.OK, At: tokyo("2026-11-18 02:00")}, []string{"11-23 02:00 sync ok"}},
		{"none was missed", schedule.Once, store.LastStart{Kind: "sync", State: store.OK, At: tokyo("2026-11-22 02:00")}, []string{"11-23 02:00 sync ok"}},
		{"the last one failed", schedule.Once, store.LastStart{Kind: "sync", State: store.Failed, At: tokyo("2026-11-22 02:00")}, []string{"11-22 09:05 sync ok", "11-23 02:00 sync ok"}},
		{"a new installation", schedule.Once, store.LastStart{Kind: "check"}, []string{"11-23 02:00 sync ok"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, "2026-11-22 09:00", func(m *machine) {
				m.missed = tt.missed
				m.note(tt.last)
				stop, _ := m.start()
				m.until("2026-11-23 08:00")
				m.end(stop)
				m.ran(tt.want...)
			}, nightly)
		})
	}
}

func tokyo(clock string) time.Time {
	at, err := time.ParseInLocation("2006-01-02 15:04", clock, time.FixedZone("JST", 9*3600))
	if err != nil {
		panic(err)
	}
	return at.UTC()
}

// TestRun_clock: a clock that is set, or a machine that sleeps, repeats no start and loses none.
func TestRun_clock(t *testing.T) {
	bubble(t, "2026-11-22 01:00", func(m *machine) {
		stop, _ := m.start()
		m.set.Store(int64(3 * time.Hour)) // it is 04:00 now
		m.sleep(heartbeat)
		m.sleep(10 * time.Minute)
		m.ran("11-22 04:01 sync ok")
		m.set.Store(0) // and 01:11 again
		m.until("2026-11-22 23:00")
		m.ran()
		m.until("2026-11-23 03:00")
		m.ran("11-23 02:00 sync ok")
		m.set.Store(int64(-75 * 365 * 24 * time.Hour)) // its battery is empty
		m.sleep(48 * time.Hour)
		if runs := m.took(); len(runs) != 2 {
			t.Errorf("in two days in the past there were the runs %q", runs)
		}
		m.set.Store(0)
		m.until("2026-11-26 03:00")
		if runs := m.took(); !slices.Contains(runs, "11-26 02:00 sync ok") {
			t.Errorf("after it was mended there were the runs %q", runs)
		}
		m.end(stop)
	}, nightly)
}

// TestRun_overlap: what falls due while a run is at work starts once when it has ended, the sync first.
func TestRun_overlap(t *testing.T) {
	bubble(t, "2026-11-22 01:00", func(m *machine) {
		m.run = func(_ context.Context, kind string, _ []string) (time.Duration, error) {
			if kind == "sync" {
				return 5 * time.Minute, nil
			}
			return 40 * time.Minute, nil
		}
		stop, _ := m.start()
		m.until("2026-11-22 04:00")
		m.ran("11-22 01:15 pull tasks ok", "11-22 01:55 pull tasks ok", "11-22 02:35 sync ok", "11-22 02:50 pull tasks ok")
		m.end(stop)
	}, nightly, [2]string{"tasks", "every 15m"})
}

// TestRun_another: a run of another process is waited for, and one that it did counts.
func TestRun_another(t *testing.T) {
	bubble(t, "2026-11-22 01:59", func(m *machine) {
		busy := fault.New(fault.Conflict, "", "another run is at work", "wait", nil)
		m.run = func(context.Context, string, []string) (time.Duration, error) {
			if m.now().Hour() == 2 && m.now().Minute() < 10 {
				return 0, busy
			}
			return time.Minute, nil
		}
		stop, _ := m.start()
		m.until("2026-11-22 02:30")
		m.ran("11-22 02:10 sync ok")
		m.until("2026-11-23 02:05")
		m.note(store.LastStart{Kind: "sync", State: store.OK, At: tokyo("2026-11-23 02:01")}) // of the other process
		m.until("2026-11-24 01:00")
		m.ran()
		m.end(stop)
		if told := m.alerts(); told != nil {
			t.Errorf("alerts %q", told)
		}
	}, nightly)
}

// TestRun_heals: what was away is tried again with growing pauses until it is there, and told of twice: when it
// begins and when it is over.
func TestRun_heals(t *testing.T) {
	bubble(t, "2026-11-22 01:00", func(m *machine) {
		m.run = func(context.Context, string, []string) (time.Duration, error) {
			if m.now().Hour() < 5 {
				return time.Minute, away
			}
			return time.Minute, nil
		}
		stop, _ := m.start()
		m.until("2026-11-22 23:00")
		m.end(stop)
		m.ran("11-22 02:00 sync failed", "11-22 02:06 sync failed", "11-22 02:17 sync failed", "11-22 02:38 sync failed",
			"11-22 03:19 sync failed", "11-22 04:20 sync failed", "11-22 05:21 sync ok")
		want := []string{`of=sync state=failed was=ok because="crm: no answer"`, "of=sync state=ok was=failed"}
		if told := m.alerts(); !slices.Equal(told, want) {
			t.Errorf("alerts\n%s", strings.Join(told, "\n"))
		}
	}, nightly)
}

// TestRun_restarted: what still stands as a daemon before it told is not told again, and its end is, once.
func TestRun_restarted(t *testing.T) {
	bubble(t, "2026-11-22 01:00", func(m *machine) {
		broken := true
		m.run = func(context.Context, string, []string) (time.Duration, error) {
			if broken {
				return time.Minute, away
			}
			return time.Minute, nil
		}
		for _, step := range []struct {
			until  string
			broken bool
			want   []string
		}{
			{"2026-11-22 02:30", true, []string{`of="source tasks" state=failed was=ok because="crm: no answer" what_to_do="look at the network"`}},
			{"2026-11-22 03:30", true, nil},
			{"2026-11-22 04:30", false, []string{`of="source tasks" state=ok was=failed`}},
			{"2026-11-22 05:30", false, nil},
		} {
			broken = step.broken
			stop, _ := m.start()
			m.until(step.until)
			m.end(stop)
			if told := m.alerts(); !slices.Equal(told, step.want) {
				t.Errorf("until %s: alerts\n%s", step.until, strings.Join(told, "\n"))
			}
			if len(m.took()) == 0 {
				t.Errorf("until %s nothing ran", step.until)
			}
		}
	}, [2]string{"tasks", "0 * * * *"})
}

// TestRun_after: a source that follows another is read each time that one was, and not when it could not be.
func TestRun_after(t *testing.T) {
	bubble(t, "2026-11-22 01:00", func(m *machine) {
		m.run = func(_ context.Context, _ string, sources []string) (time.Duration, error) {
			if m.now().Hour() == 8 && sources[0] == "users" {
				return time.Minute, fault.New(fault.Auth, "crm", "refused", "renew the password", nil)
			}
			return time.Minute, nil
		}
		stop, _ := m.start()
		m.until("2026-11-22 12:00")
		m.ran("11-22 07:00 pull users ok", "11-22 07:01 pull tasks ok", "11-22 07:02 pull deals ok",
			"11-22 08:00 pull users failed",
			"11-22 09:00 pull users ok", "11-22 09:01 pull tasks ok", "11-22 09:02 pull deals ok")
		m.end(stop)
	}, [2]string{"users", "0 7-9 * * *"}, [2]string{"tasks", "after users"}, [2]string{"deals", "after tasks"})
}

// TestRun_news: what mailboxes tell of is read at once, together, and again when something came meanwhile.
func TestRun_news(t *testing.T) {
	bubble(t, "2026-11-22 09:00", func(m *machine) {
		stop, reload := m.start()
		m.told([]string{"mail"})
		m.told([]string{"mail", "post"})
		m.sleep(2 * time.Minute)
		m.told([]string{"mail"})
		m.until("2026-11-22 09:30")
		m.ran("11-22 09:00 pull mail+post ok", "11-22 09:05 pull mail ok")
		reload()
		m.told([]string{"post"})
		m.until("2026-11-22 09:45")
		m.ran("11-22 09:30 pull post ok")
		m.end(stop)
	}, [2]string{"mail", "watch"}, [2]string{"post", "watch"})
}

// TestReload: a configuration that is wrong changes nothing and is told of once; one that is right waits for the
// run at work, keeps what is due, and starts by its own schedules.
func TestReload(t *testing.T) {
	bubble(t, "2026-11-22 01:00", func(m *machine) {
		stop, reload := m.start()
		m.broken = fault.New(fault.Config, "", "energyd.yaml:3:1: unknown option", "mend it", nil)
		reload()
		reload()
		want := []string{`of=configuration state=refused was=ok because="energyd goes on with the one it has: energyd.yaml:3:1: unknown option" what_to_do="mend it"`}
		if told := m.alerts(); !slices.Equal(told, want) {
			t.Errorf("alerts %q", told)
		}
		m.until("2026-11-22 02:02") // the sync is at work
		m.broken, m.jobs = nil, [][2]string{{"", "0 3 * * *"}, {"tasks", "30 * * * *"}}
		reload()
		reload()
		if m.open != 2 {
			t.Errorf("%d configurations are open, want that at work and that which waits", m.open)
		}
		m.until("2026-11-22 02:04")
		m.ran()
		m.until("2026-11-22 03:45")
		m.ran("11-22 02:00 sync ok", "11-22 02:30 pull tasks ok", "11-22 03:00 sync ok", "11-22 03:30 pull tasks ok")
		if m.open != 1 {
			t.Errorf("%d configurations are open", m.open)
		}
		// A start that is due stays due while the configuration is read again.
		m.until("2026-11-22 04:29")
		m.set.Store(int64(time.Minute))
		reload()
		m.sleep(10 * time.Minute)
		m.ran("11-22 04:30 pull tasks ok")
		// What the new schedule would have started earlier today was never meant.
		m.jobs = [][2]string{{"", "0 4 * * *"}}
		reload()
		m.until("2026-11-23 03:00")
		m.ran()
		m.end(stop)
	}, nightly)
}

// TestStop: a run may end, is dropped when it takes too long, and is left alone when it does not listen.
func TestStop(t *testing.T) {
	for _, tt := range []struct {
		name  string
		at    string
		deaf  bool
		takes time.Duration
		run   []string
		fails bool
	}{
		{"nothing is at work", "2026-11-22 01:30", false, 0, nil, false},
		{"it ends by itself", "2026-11-22 02:59", false, 10 * time.Second, []string{"11-22 02:00 sync ok"}, false},
		{"it is dropped", "2026-11-22 02:30", false, toEnd, []string{"11-22 02:00 sync failed"}, false},
		{"it does not listen", "2026-11-22 02:30", true, toEnd + toDrop, nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, "2026-11-22 01:00", func(m *machine) {
				free := make(chan struct{})
				m.run = func(context.Context, string, []string) (time.Duration, error) {
					if tt.deaf {
						<-free
					}
					return 59*time.Minute + 40*time.Second, nil
				}
				stop, _ := m.start()
				m.until(tt.at)
				m.sleep(30 * time.Second)
				began := time.Now()
				err := stop()
				if took := time.Since(began); took != tt.takes {
					t.Errorf("it took %s", took)
				}
				if fails := err != nil; fails != tt.fails || fails && fault.KindOf(err) != fault.Unavailable {
					t.Errorf("error %v", err)
				}
				close(free)
				m.ran(tt.run...)
				if tt.deaf {
					m.open = 0 // the process ends
				}
			}, nightly)
		})
	}
}

// TestRun_firstConfiguration: without one that is right there is nothing to keep at work.
func TestRun_firstConfiguration(t *testing.T) {
	bubble(t, "2026-11-22 01:00", func(m *machine) {
		m.broken = errors.New("wrong")
		stop, _ := m.start()
		if err := stop(); !errors.Is(err, m.broken) {
			t.Errorf("error %v", err)
		}
	}, nightly)
}

// TestRun_watched: metrics tell of runs, also of those before the daemon began; ready is who can reach the store.
func TestRun_watched(t *testing.T) {
	bubble(t, "2026-11-22 01:00", func(m *machine) {
		m.standing.Recent = []store.Run{{Kind: "sync", State: store.Failed, Ended: tokyo("2026-11-21 02:01")}, {Kind: "sync", State: store.OK, Ended: tokyo("2026-11-20 02:01")}}
		m.standing.Rejects = []store.RejectCount{{Source: "tasks", Code: "x", Count: 3}, {Source: "tasks", Code: "y", Count: 4}, {Source: "gone", Code: "y", Count: 1}}
		stop, _ := m.start()
		m.metered(`energyd_last_run_state{kind="sync",state="failed"} 1`, "energyd_last_success_timestamp_seconds{kind=\"sync\"} 1.79510766e+09",
			`energyd_rejects_kept{source="tasks"} 7`, `energyd_next_start_timestamp_seconds{job="sync"} 1.79`, "energyd_config_last_reload_successful 1")
		if err := m.health.Ready(m.Context()); err != nil {
			t.Error(err)
		}
		m.until("2026-11-22 02:01")
		m.metered("energyd_run_active 1")
		m.until("2026-11-22 02:10")
		m.metered("energyd_run_active 0", `energyd_last_run_state{kind="sync",state="failed"} 0`, `energyd_last_run_state{kind="sync",state="ok"} 1`, `energyd_runs_total{kind="sync",state="ok"} 1`,
			`energyd_run_duration_seconds_sum{kind="sync"} 300`, `energyd_source_up{source="tasks"} 1`)
		m.down = errors.New("no store")
		if err := m.health.Ready(m.Context()); !errors.Is(err, m.down) {
			t.Errorf("it is ready without a store: %v", err)
		}
		if !m.health.Alive() {
			t.Error("it is not alive")
		}
		m.end(stop)
		if err := m.health.Ready(m.Context()); err == nil || errors.Is(err, m.down) {
			t.Errorf("it is ready when it has ended: %v", err)
		}
	}, nightly, [2]string{"tasks", "after users"}, [2]string{"users", "@monthly"})
}

// metered holds the metrics to have lines that begin so.
func (m *machine) metered(want ...string) {
	m.Helper()
	r := httptest.NewRecorder()
	m.metrics.Handler().ServeHTTP(r, httptest.NewRequest("GET", "/metrics", nil))
	for _, line := range want {
		if !strings.Contains("\n"+r.Body.String(), "\n"+line) {
			m.Errorf("the metrics lack %s:\n%s", line, r.Body)
		}
	}
}
