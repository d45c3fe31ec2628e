package daemon

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"energyd/internal/fault"
)

// TestYear lives through a leap year of nights in a zone whose clocks change:
// the CRM is away on some, on others its calls are used up, the daemon is
// started again at any moment, the machine is off over the holidays, and its
// clock is set. Each day on which the machine was on has one sync that came to its end, and never two runs at a time.
func TestYear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t, "Europe/Berlin", [2]string{"", "30 2 * * *"}, [2]string{"tasks", "every 4h"}, [2]string{"deals", "after tasks"})
		random, runs := rand.New(rand.NewPCG(9, 9)), rand.New(rand.NewPCG(6, 9))
		down := func(at time.Time) error {
			switch at.YearDay() % 13 {
			case 3: // until the morning
				if at.Hour() < 7 {
					return fault.New(fault.Unavailable, "crm", "no answer", "wait", nil)
				}
			case 8: // the day's calls are gone until noon
				if at.Hour() < 12 {
					return fault.New(fault.Quota, "crm", "no calls left", "wait", nil)
				}
			}
			return nil
		}
		m.run = func(_ context.Context, kind string, _ []string) (time.Duration, error) {
			return time.Duration(1+runs.IntN(40)) * time.Minute, down(m.now())
		}
		off := map[string]bool{}
		stop, _ := m.start()
		for day := time.Date(2000, 1, 1, 0, 0, 0, 0, m.zone); day.Year() == 2000; day = day.AddDate(0, 0, 1) {
			switch {
			case day.YearDay() == 122 || day.YearDay() == 360: // off for four days
				if err := stop(); err != nil {
					t.Fatal(err)
				}
				for range 4 {
					off[day.Format("01-02")] = true
					day = day.AddDate(0, 0, 1)
				}
				m.until(day.Format("2006-01-02") + " 09:00")
				stop, _ = m.start()
			case random.IntN(9) == 0: // a new version is installed, also in the middle of a run
				m.until(day.Format("2006-01-02") + " 02:31")
				if err := stop(); err != nil {
					t.Fatal(err)
				}
				m.sleep(time.Duration(random.IntN(300)) * time.Second)
				stop, _ = m.start()
			case random.IntN(30) == 0: // the clock is set, in the afternoon
				m.until(day.Format("2006-01-02") + " 14:00")
				m.set.Add(int64(time.Duration(random.IntN(40)-20) * time.Minute))
			}
			m.until(day.Format("2006-01-02") + " 23:59")
		}
		if err := stop(); err != nil {
			t.Fatal(err)
		}

		synced, pulled, followed := map[string]int{}, 0, 0
		for _, r := range m.took() {
			switch {
			case strings.HasSuffix(r, "sync ok"):
				synced[r[:5]]++
			case strings.HasSuffix(r, "pull tasks ok"):
				pulled++
			case strings.HasSuffix(r, "pull deals ok"):
				followed++
			}
		}
		for day := time.Date(2000, 1, 1, 12, 0, 0, 0, m.zone); day.Year() == 2000; day = day.AddDate(0, 0, 1) {
			name, want := day.Format("01-02"), 1
			if off[name] {
				want = 0
			}
			if synced[name] != want {
				t.Errorf("%s: %d syncs came to their end, want %d", name, synced[name], want)
			}
		}
		if pulled < 4*300 || followed != pulled {
			t.Errorf("tasks was pulled %d times, and deals after it %d times", pulled, followed)
		}
		if m.open != 0 {
			t.Errorf("%d configurations were not closed", m.open)
		}
		if told := m.alerts(); len(told) < 2*366/13 || len(told) > 20*366/13 {
			t.Errorf("%d alerts in a year", len(told))
		}
	})
}
