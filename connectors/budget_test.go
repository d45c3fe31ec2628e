package connectors

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/internal/fault"
)

func TestBudget_Validate(t *testing.T) {
	for _, tt := range []struct {
		budget Budget
		path   string
	}{
		{DefaultBudget, ""}, {Budget{100, 100, 0}, ""}, {Budget{1, 1, 99}, ""},
		{Budget{0, 20, 30}, "per_run"}, {Budget{10, 5, 30}, "per_day"}, {Budget{10, 101, 30}, "per_day"},
		{Budget{10, 20, 100}, "reserve"}, {Budget{10, 20, -1}, "reserve"},
	} {
		var ps fault.Problems
		errors.As(tt.budget.Validate(), &ps)
		if tt.path == "" && ps != nil || tt.path != "" && (len(ps) != 1 || ps[0].Path != tt.path) {
			t.Errorf("%+v: %v; want a problem at %q", tt.budget, ps, tt.path)
		}
	}
}

var noon = time.Date(2026, 11, 21, 12, 30, 0, 0, time.UTC)

// meter is one whose system has told its count.
func meter(b Budget, used, limit int, before ...Calls) (*Meter, *time.Time) {
	now := noon
	m := NewMeter(b, before, func() time.Time { return now })
	m.Told(used, limit)
	return m, &now
}

// spend makes calls until one is refused, n at most.
func spend(m *Meter, n int) (made int, err error) {
	for ; made < n && err == nil; made++ {
		err = m.Spend("read")
	}
	if err != nil {
		made--
	}
	return made, err
}

func TestMeter_stops_at_the_nearest_ceiling(t *testing.T) {
	yesterday := Calls{noon.Add(-13 * time.Hour).Truncate(time.Hour), 2500}
	for name, tt := range map[string]struct {
		used, limit int
		before      []Calls
		app         [2]int
		ceiling     Ceiling
		left        int
		says        string
	}{
		"a run's share":   {100, 15000, nil, [2]int{}, PerRun, 1500, "made 1500 calls, which is 10 % of the 15000"},
		"a day's share":   {3000, 15000, []Calls{yesterday}, [2]int{}, PerDay, 500, "made 3000 calls in 24 hours, which is 20 %"},
		"the reserve":     {10400, 15000, nil, [2]int{}, Reserve, 100, "made 10500 of the 15000 calls"},
		"over it already": {14000, 15000, nil, [2]int{}, Reserve, 0, "made 14000 of the 15000 calls"},
		"the app's bound": {100, 15000, nil, [2]int{200, 250}, PerApp, 50, "the 250 calls in 24 hours that the system's administrator allows"},
		"a large bound":   {100, 15000, nil, [2]int{0, 9000}, PerRun, 1500, "10 %"},
		"a tiny org":      {0, 5, nil, [2]int{}, PerDay, 1, "made 1 calls in 24 hours, which is 20 % of the 5"},
	} {
		m, _ := meter(DefaultBudget, tt.used, tt.limit, tt.before...)
		m.ToldApp(tt.app[0], tt.app[1])
		if u := m.Usage(); u.Left != tt.left || u.Ceiling != tt.ceiling || u.Used != tt.used || u.Limit != tt.limit {
			t.Errorf("%s: %+v", name, u)
		}
		made, err := spend(m, 10_000)
		if made != tt.left || fault.KindOf(err) != fault.Quota || !strings.Contains(err.Error(), tt.says) || fault.HintOf(err) == "" {
			t.Errorf("%s: refused after %d calls: %v", name, made, err)
		}
	}
}

func TestMeter_day_rolls(t *testing.T) {
	m, now := meter(Budget{100, 1, 0}, 0, 1000, Calls{noon.Add(-20 * time.Hour).Truncate(time.Hour), 4}, Calls{noon.Add(-30 * time.Hour), 500})
	made, err := spend(m, 20)
	var f *fault.Error
	if made != 6 || !errors.As(err, &f) || !strings.Contains(f.Hint, "from 2026-11-21 17:00 UTC") || f.RetryAfter != 4*time.Hour+30*time.Minute {
		t.Fatalf("refused after %d calls: %v; hint %q, in %v", made, err, fault.HintOf(err), f.RetryAfter)
	}
	*now = noon.Add(f.RetryAfter)
	m.Told(10, 1000)
	if made, _ := spend(m, 20); made != 4 {
		t.Errorf("%d more calls when the oldest four count no longer", made)
	}
	want := Usage{Used: 14, Limit: 1000, Run: 10, Day: 10, Ceiling: PerDay}
	if diff := cmp.Diff(want, m.Usage()); diff != "" {
		t.Error(diff)
	}
}

// Whoever is refused learns nothing new from the system, so an old count must not last for ever.
func TestMeter_asks_again_after_an_hour(t *testing.T) {
	m, now := meter(DefaultBudget, 900, 1000)
	if made, err := spend(m, 1); err == nil {
		t.Fatalf("%d calls went through", made)
	}
	*now = noon.Add(61 * time.Minute)
	if err := m.Spend("read"); err != nil {
		t.Errorf("no call may ask: %v", err)
	}
	m.Told(100, 1000)
	if u := m.Usage(); u.Left != 99 || u.Ceiling != PerRun {
		t.Errorf("%+v", u)
	}
}

func TestMeter_knows_no_limit_at_first(t *testing.T) {
	m := NewMeter(DefaultBudget, nil, time.Now)
	if made, err := spend(m, 3); made != 3 || err != nil {
		t.Errorf("%d calls, %v", made, err)
	}
	if u := m.Usage(); u.Limit != 0 || u.Run != 3 || u.Day != 3 {
		t.Errorf("%+v", u)
	}
}
