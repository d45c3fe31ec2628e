package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/connectors"
	"energyd/internal/store"
)

func TestCalls(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		url := fresh(t)
		st := open(t, url)
		at := time.Date(2026, 11, 21, 9, 59, 0, 0, time.UTC)
		hour := at.Truncate(time.Hour)
		for _, c := range []struct {
			connection string
			at         time.Time
			n          int
			usage      connectors.Usage
		}{
			{"crm", at.Add(-49 * time.Hour), 700, connectors.Usage{}},
			{"crm", at.Add(-25 * time.Hour), 60, connectors.Usage{}},
			{"crm", at, 5, connectors.Usage{Used: 105, Limit: 15000, Run: 5, Day: 65, Left: 1495, Ceiling: connectors.PerRun}},
			{"crm", at.Add(30 * time.Second), 2, connectors.Usage{Used: 7}}, // which did not tell
			{"other", at, 40, connectors.Usage{}},
		} {
			if err := st.AddCalls(t.Context(), c.connection, c.at, c.n, c.usage); err != nil {
				t.Fatal(err)
			}
		}
		for since, want := range map[time.Duration][]connectors.Calls{
			24 * time.Hour:  {{Hour: hour, N: 7}},
			25 * time.Hour:  {{Hour: hour.Add(-25 * time.Hour), N: 60}, {Hour: hour, N: 7}},
			100 * time.Hour: {{Hour: hour.Add(-25 * time.Hour), N: 60}, {Hour: hour, N: 7}}, // the rest is forgotten
		} {
			got, err := st.Calls(t.Context(), "crm", at.Add(-since))
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("since %v: %v %s", since, err, diff)
			}
		}
		want := []store.SeenUsage{{Connection: "crm", Seen: at, Usage: connectors.Usage{Used: 105, Limit: 15000, Run: 5, Day: 65, Left: 1495, Ceiling: connectors.PerRun}}}
		if got, err := st.Usages(t.Context()); err != nil || cmp.Diff(want, got) != "" {
			t.Errorf("%v %s", err, cmp.Diff(want, got))
		}
	})
}
