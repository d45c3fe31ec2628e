package store_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"energyd/engine"
	"energyd/internal/store"
)

var noon = time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)

// TestAlerts: a channel is told of what changed since it was told last, of the newest state alone, and is tried again ever later.
func TestAlerts(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		ctx, s := t.Context(), open(t, fresh(t))
		set := func(what, state string) {
			t.Helper()
			if err := s.SetAlert(ctx, store.Alert{What: what, State: state, Since: noon, Because: "it is away", ToDo: "look"}); err != nil {
				t.Fatal(err)
			}
		}
		untold := func(at time.Time, want ...string) {
			t.Helper()
			list, err := s.Untold(ctx, "hook", at)
			var got []string
			for _, c := range list {
				got = append(got, c.What+" "+c.Was+" "+c.State)
			}
			if err != nil || !slices.Equal(got, want) {
				t.Fatalf("untold %q, %v; want %q", got, err, want)
			}
		}
		claim := func(at time.Time, want bool) {
			t.Helper()
			if won, err := s.ClaimAlert(ctx, "hook", "sync", at); won != want || err != nil {
				t.Fatalf("claimed: %t, %v; want %t", won, err, want)
			}
		}
		set("sync", "failed")
		set("source tasks", "ok") // as it always was
		untold(noon, "sync ok failed")
		claim(noon, true)
		claim(noon, false) // another daemon
		untold(noon)
		claim(noon.Add(time.Minute), true)
		claim(noon.Add(2*time.Minute), false)
		claim(noon.Add(3*time.Minute), true)
		if err := s.ToldAlert(ctx, "hook", "sync", "failed"); err != nil {
			t.Fatal(err)
		}
		untold(noon.Add(time.Hour))
		set("sync", "ok")
		untold(noon, "sync failed ok")
		set("sync", "failed") // it came back while nobody could be told
		untold(noon)
		alerts, err := s.Alerts(ctx)
		if err != nil || len(alerts) != 2 || alerts[1] != (store.Alert{What: "sync", State: "failed", Since: noon, Because: "it is away", ToDo: "look"}) {
			t.Errorf("alerts %+v, %v", alerts, err)
		}
	})
}

// TestDigest: one a day and reader: not two by several daemons, and not two by a kill in the middle.
func TestDigest(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		ctx, s := t.Context(), open(t, fresh(t))
		day := engine.DateOf(2026, 11, 20)
		claims := func(day engine.Date, at time.Time) (won int) {
			t.Helper()
			var group sync.WaitGroup
			var mu sync.Mutex
			for range 4 {
				group.Go(func() {
					ok, err := s.ClaimDigest(ctx, "mail", "005", day, at)
					mu.Lock()
					defer mu.Unlock()
					if err != nil {
						t.Error(err)
					}
					if ok {
						won++
					}
				})
			}
			group.Wait()
			return won
		}
		end := func(state store.DigestState, told ...string) {
			t.Helper()
			if err := s.EndDigest(ctx, "mail", "005", state, told); err != nil {
				t.Fatal(err)
			}
		}
		for _, step := range []struct {
			what string
			at   time.Time
			day  engine.Date
			won  int
			then func()
		}{
			{"the first", noon, day, 1, func() {}},
			{"killed in the middle", noon.Add(12 * time.Hour), day, 0, func() {}},
			{"the next day", noon, day + 1, 1, func() { end(store.DigestWaits) }},
			{"too early again", noon, day + 1, 0, func() {}},
			{"again", noon.Add(time.Minute), day + 1, 1, func() { end(store.DigestSent, "a1", "b2") }},
			{"the same day", noon.Add(time.Hour), day + 1, 0, func() {}},
			{"a clock that was set back", noon, day, 0, func() {}},
		} {
			if won := claims(step.day, step.at); won != step.won {
				t.Errorf("%s: %d claims won, want %d", step.what, won, step.won)
			}
			step.then()
		}
		d, err := s.DigestOf(ctx, "mail", "005")
		if err != nil || d.State != store.DigestSent || d.Day != day+1 || !slices.Equal(d.Told, []string{"a1", "b2"}) {
			t.Errorf("%+v, %v", d, err)
		}
		if other, err := s.DigestOf(ctx, "mail", "006"); err != nil || other.State != "" || !other.Due(day, noon) {
			t.Errorf("of another reader: %+v, %v", other, err)
		}
	})
}
