package daemon

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"energyd/internal/fault"
	"energyd/internal/store"
)

// TestRun_sideBySide: a long first reading of one connection keeps neither the pulls of another waiting, nor the
// night, which leaves it out.
func TestRun_sideBySide(t *testing.T) {
	bubble(t, "2026-11-22 01:00", func(m *machine) {
		m.run = func(_ context.Context, kind string, sources []string) (time.Duration, error) {
			if slices.Contains(sources, "mail@post") {
				return 30 * time.Hour, nil // years of mails
			}
			return 5 * time.Minute, nil
		}
		stop, _ := m.start()
		m.until("2026-11-22 01:30")
		m.told([]string{"mail@post"})
		m.until("2026-11-22 05:00")
		m.ran("11-22 02:00 sync ok", "11-22 04:00 pull tasks ok")
		m.end(stop)
		m.ran("11-22 01:30 pull mail@post failed") // dropped, to be gone on with
	}, nightly, [2]string{"tasks", "0 4 * * *"}, [2]string{"mail@post", "watch"})
}

// TestRun_waitingSync: pulls that would take a sync's connections, one after the other, do not get ahead of it.
func TestRun_waitingSync(t *testing.T) {
	bubble(t, "2026-11-22 01:00", func(m *machine) {
		m.run = func(_ context.Context, kind string, _ []string) (time.Duration, error) { return 20 * time.Minute, nil }
		stop, _ := m.start()
		m.until("2026-11-22 02:45")
		m.ran("11-22 01:15 pull tasks ok", "11-22 01:35 pull tasks ok", "11-22 01:55 pull tasks ok", "11-22 02:15 sync ok")
		m.end(stop)
	}, nightly, [2]string{"tasks", "every 15m"})
}

// TestRun_doneMeanwhile: when two daemons see the same start, whoever gets the lanes second finds it done, also
// where that one's clock was ahead.
func TestRun_doneMeanwhile(t *testing.T) {
	for _, ahead := range []time.Duration{0, 90 * time.Second} {
		bubble(t, "2026-11-22 01:59", func(m *machine) {
			meanwhile := false
			m.run = func(context.Context, string, []string) (time.Duration, error) {
				t.Error("it was done a second time")
				return time.Minute, nil
			}
			m.before = func() { // between the look at the store and the lanes
				if !meanwhile {
					meanwhile = true
					m.note(store.LastStart{Kind: "sync", State: store.OK, At: m.now().Add(ahead).UTC()})
				}
			}
			stop, _ := m.start()
			m.until("2026-11-22 23:00")
			m.ran()
			m.end(stop)
			if !meanwhile {
				t.Error("no start was tried")
			}
		}, nightly)
	}
}

// TestErrands: what people ask for is done at once, in turn with what has the same lanes, tried again while another
// process has them, and done once.
func TestErrands(t *testing.T) {
	bubble(t, "2026-11-22 01:00", func(m *machine) {
		busy := 0
		m.run = func(_ context.Context, kind string, _ []string) (time.Duration, error) {
			if kind == "undo" && busy < 3 {
				busy++
				return 0, fault.New(fault.Conflict, "", "another run is at work", "wait", nil)
			}
			return 5 * time.Minute, nil
		}
		stop, _ := m.start()
		ask := func(id int64, kind string) {
			if _, err := m.desk.Ask(t.Context(), store.Errand{ID: id, Kind: kind, Who: "aya"}); err != nil {
				t.Error(err)
			}
		}
		m.until("2026-11-22 01:58")
		ask(1, "apply")
		m.sleep(time.Second)
		ask(2, "undo") // waits for the apply, and so does the sync
		m.until("2026-11-22 03:00")
		m.end(stop)
		if _, err := m.desk.Ask(t.Context(), store.Errand{}); fault.KindOf(err) != fault.Unavailable {
			t.Errorf("asked when it has ended, it says %v", err)
		}
		runs := m.took()
		if want := "11-22 01:58 apply ok"; len(runs) != 3 || runs[0] != want || !slices.ContainsFunc(runs, func(r string) bool { return strings.HasSuffix(r, "sync ok") }) ||
			!slices.ContainsFunc(runs, func(r string) bool { return strings.HasSuffix(r, "undo ok") }) {
			t.Errorf("runs %q", runs)
		}
		if told := m.alerts(); told != nil {
			t.Errorf("alerts %q", told)
		}
	}, nightly)
}

// TestAlerts_ofAnotherDaemon: what another daemon told of is not told again, and is over when this one's run is well.
func TestAlerts_ofAnotherDaemon(t *testing.T) {
	bubble(t, "2026-11-22 01:00", func(m *machine) {
		m.run = func(context.Context, string, []string) (time.Duration, error) {
			if m.now().Day() == 22 {
				return time.Minute, fault.New(fault.Auth, "crm", "refused", "renew the password", nil)
			}
			return time.Minute, nil
		}
		stop, _ := m.start()
		if err := (&scripted{machine: m}).SetAlert(t.Context(), store.Alert{What: "sync", State: string(store.Failed)}); err != nil {
			t.Fatal(err)
		}
		m.until("2026-11-22 03:00")
		if told := m.alerts(); told != nil {
			t.Errorf("told again: %q", told)
		}
		m.until("2026-11-23 03:00")
		if told, want := m.alerts(), []string{"of=sync state=ok was=failed"}; !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
		m.end(stop)
	}, nightly)
}

// TestRun_synced: who shows the store is told of syncs, by schedule and by hand, and not of pulls.
func TestRun_synced(t *testing.T) {
	bubble(t, "2026-11-22 01:00", func(m *machine) {
		told := 0
		m.synced = func() { told++ }
		hand := func(e store.Errand) {
			if _, err := m.desk.Ask(t.Context(), e); err != nil {
				t.Error(err)
			}
		}
		stop, _ := m.start()
		m.until("2026-11-22 02:30")
		hand(store.Errand{ID: 1, Kind: "pull", Subject: "tasks"})
		m.until("2026-11-22 02:40")
		hand(store.Errand{ID: 2, Kind: "sync"})
		m.until("2026-11-22 02:50")
		m.end(stop)
		m.ran("11-22 02:00 sync ok", "11-22 02:30 pull tasks ok", "11-22 02:40 sync ok")
		if told != 2 {
			t.Errorf("told of %d syncs, not of 2", told)
		}
	}, nightly)
}

// TestRun_atOnce: so many pulls are at work at once, the rest follow; first readings that go on for hours do not count.
func TestRun_atOnce(t *testing.T) {
	bubble(t, "2026-11-22 01:00", func(m *machine) {
		m.run = func(_ context.Context, _ string, sources []string) (time.Duration, error) {
			if sources[0] < "c" {
				return 30 * time.Hour, nil // years of mails
			}
			return 10 * time.Minute, nil
		}
		stop, _ := m.start()
		m.until("2026-11-22 02:55")
		m.ran("11-22 02:00 pull c@3 ok", "11-22 02:00 pull d@4 ok", "11-22 02:10 pull e@5 ok", "11-22 02:10 pull f@6 ok", "11-22 02:20 pull g@7 ok")
		m.until("2026-11-22 03:59")
		m.ran("11-22 03:00 pull c@3 ok", "11-22 03:00 pull d@4 ok", "11-22 03:00 pull e@5 ok", "11-22 03:00 pull f@6 ok", "11-22 03:10 pull g@7 ok")
		m.end(stop)
		m.ran("11-22 02:00 pull a@1 failed", "11-22 02:00 pull b@2 failed")
	}, [2]string{"a@1", "0 2 * * *"}, [2]string{"b@2", "0 2 * * *"}, [2]string{"c@3", "0 2-3 * * *"}, [2]string{"d@4", "0 2-3 * * *"},
		[2]string{"e@5", "0 2-3 * * *"}, [2]string{"f@6", "0 2-3 * * *"}, [2]string{"g@7", "0 2-3 * * *"})
}
