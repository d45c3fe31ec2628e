package store_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"energyd/internal/fault"
	"energyd/internal/store"
	"energyd/internal/testdb"
)

// TestLocked tells of a run in this process and in others, and takes nothing.
func TestLocked(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		url := fresh(t)
		ours, theirs := open(t, url), open(t, url)
		locked := func(want bool) {
			t.Helper()
			for range 2 {
				if got, err := ours.Locked(t.Context(), "mail", store.Scores); got != want || err != nil {
					t.Errorf("Locked gives %v, %v; want %v", got, err, want)
				}
			}
		}
		locked(false)
		hold, err := theirs.Lock(t.Context(), store.Scores)
		if err != nil {
			t.Fatal(err)
		}
		locked(true)
		if err := hold.Leave(); err != nil {
			t.Fatal(err)
		}
		locked(false)
	})
}

// TestLock: runs with a lane in common wait for each other, and learn who is at work; others go on side by side.
func TestLock(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		url := fresh(t)
		first, second := open(t, url), open(t, url)
		hold, err := first.Lock(t.Context(), "crm", "mail")
		if err != nil {
			t.Fatal(err)
		}
		run, err := first.BeginRun(t.Context(), "sync", time.Now(), hold.Lanes()...)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := second.Lock(t.Context(), "files", "mail"); fault.KindOf(err) != fault.Conflict || !strings.Contains(err.Error(), run) || !strings.Contains(err.Error(), host(t)) {
			t.Errorf("the second lock gives %v, want a conflict that names %s and %s", err, run, host(t))
		}
		other, err := second.Lock(t.Context(), "files", store.Scores)
		if err != nil {
			t.Fatalf("what has no lane in common: %v", err)
		}
		if taken, err := other.Try(t.Context(), "crm"); taken || err != nil {
			t.Errorf("tried, it gives %v, %v", taken, err)
		}
		if err := hold.Leave(); err != nil {
			t.Fatal(err)
		}
		if taken, err := other.Try(t.Context(), "crm"); !taken || err != nil {
			t.Errorf("tried when it is free, it gives %v, %v", taken, err)
		}
		if err := other.Leave(); err != nil {
			t.Fatal(err)
		}
	})
}

func host(t *testing.T) string {
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// TestHold_Wait: who waits for a lane gets it when it is given back, and stops waiting when told to.
func TestHold_Wait(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		url := fresh(t)
		lock := func(lane string) *store.Hold {
			hold, err := open(t, url).Lock(t.Context(), lane)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := hold.Leave(); err != nil {
					t.Error(err)
				}
			})
			return hold
		}
		first, second := lock(store.Scores), lock("mail")
		told, cancel := context.WithCancel(t.Context())
		cancel()
		if err := second.Wait(told, store.Scores, idle); err == nil {
			t.Fatal("it did not wait")
		}
		got := make(chan error, 1)
		go func() { got <- second.Wait(t.Context(), store.Scores, idle) }()
		if err := first.Give(store.Scores); err != nil {
			t.Fatal(err)
		}
		if err := <-got; err != nil {
			t.Fatal(err)
		}
		if taken, err := first.Try(t.Context(), store.Scores); taken || err != nil {
			t.Errorf("two have it: %v, %v", taken, err)
		}
	})
}

// TestHold_lost: a run whose session with the database was ended learns it, and stops: its lanes are somebody else's.
func TestHold_lost(t *testing.T) {
	t.Parallel()
	url := testdb.Postgres(t)
	s := open(t, url)
	s.WatchEvery(time.Millisecond)
	hold, err := s.Lock(t.Context(), "crm")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := hold.While(t.Context())
	defer cancel()
	other := open(t, url)
	if err := other.EndSessions(t.Context()); err != nil {
		t.Fatal(err)
	}
	<-ctx.Done()
	if fault.KindOf(context.Cause(ctx)) != fault.Unavailable {
		t.Errorf("it ends with %v", context.Cause(ctx))
	}
	if err := hold.Leave(); err != nil {
		t.Error(err)
	}
	again, err := other.Lock(t.Context(), "crm")
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Leave(); err != nil {
		t.Error(err)
	}
}

// TestBeginRun_interrupted: who has a lane closes runs that died with it, and none that may be at work.
func TestBeginRun_interrupted(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		s, at := open(t, fresh(t)), time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC)
		begin := func(kind string, lanes ...string) string {
			id, err := s.BeginRun(t.Context(), kind, at, lanes...)
			if err != nil {
				t.Fatal(err)
			}
			return id
		}
		mail, crm := begin("pull", "mail"), begin("sync", store.Syncs, "crm")
		begin("pull", "mail", "files")
		for id, want := range map[string]string{mail: store.Interrupted, crm: ""} {
			if r, err := s.Run(t.Context(), id); err != nil || r.Message != want {
				t.Errorf("the %s says %q, %v; want %q", r.Kind, r.Message, err, want)
			}
		}
		if open, err := s.Unended(t.Context()); err != nil || len(open) != 2 {
			t.Errorf("without an end: %v, %v", open, err)
		}
	})
}

// TestErrands: what is asked twice is kept once until it was done, and then can be asked again.
func TestErrands(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		s, at, ctx := open(t, fresh(t)), time.Date(2026, 11, 22, 2, 0, 0, 0, time.UTC), t.Context()
		ask := func(who string) store.Errand {
			e, err := s.Ask(ctx, store.Errand{Kind: "apply", Subject: "abc", Who: who, Asked: at})
			if err != nil {
				t.Fatal(err)
			}
			return e
		}
		first, again := ask("aya"), ask("ken")
		if first.ID != again.ID || again.Who != "aya" {
			t.Errorf("asked twice it is %+v and %+v", first, again)
		}
		if err := s.BeginErrand(ctx, first.ID, "run-1"); err != nil {
			t.Fatal(err)
		}
		for _, state := range []store.RunState{store.Partial, store.Failed} { // the second word comes too late
			if err := s.EndErrand(ctx, first.ID, at.Add(time.Minute), state, "3 refused"); err != nil {
				t.Fatal(err)
			}
		}
		want := store.Errand{ID: first.ID, Kind: "apply", Subject: "abc", Who: "aya", Asked: at, Run: "run-1", Ended: at.Add(time.Minute), State: store.Partial, Message: "3 refused"}
		if got, ok, err := s.Errand(ctx, first.ID); got != want || !ok || err != nil {
			t.Errorf("it is %+v, %v, %v", got, ok, err)
		}
		if next := ask("ken"); next.ID == first.ID {
			t.Error("what was done cannot be asked again")
		}
		if open, err := s.OpenErrands(ctx); err != nil || len(open) != 1 || open[0].Who != "ken" {
			t.Errorf("open: %+v, %v", open, err)
		}
	})
}

func idle(context.Context) {}
