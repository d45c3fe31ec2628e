package telemetry

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
)

// series counts the series of each metric.
func series(t *testing.T, m *Metrics) map[string]int {
	t.Helper()
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	n := map[string]int{}
	for _, f := range families {
		n[f.GetName()] = len(f.GetMetric())
	}
	return n
}

// all tells everything that there is to tell of one source and job.
func all(m *Metrics, source string) {
	at := time.Unix(1.8e9, 0)
	m.Configured([]string{source}, []string{"sync", source}, at)
	m.Began()
	m.Ended("sync", "partial", at, at.Add(time.Minute))
	m.SourceRead(Read{Source: source, Read: 3, Stored: 2, Rejected: 1}, at)
	m.Changed("written", 4)
	m.Kept(source, 1)
	m.Calls("crm", 1, 100, 10)
	m.Next("sync", at)
	m.Next(source, at)
}

// TestMetrics_names: the names are as Prometheus wants them.
func TestMetrics_names(t *testing.T) {
	m := NewMetrics("1.2.3")
	all(m, "tasks")
	families, err := m.registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}

// TestMetrics_bounded: sources and jobs that stand in the configuration no longer are forgotten, and kinds of runs
// that are started by hand get no series.
func TestMetrics_bounded(t *testing.T) {
	m := NewMetrics("1.2.3")
	all(m, "tasks")
	before := series(t, m)
	for _, source := range []string{"a", "b", "tasks"} {
		all(m, source)
		m.Was("erase", "ok", time.Unix(1.8e9, 0))
	}
	after := series(t, m)
	for name, n := range after {
		if n != before[name] {
			t.Errorf("%s: %d series, and %d before", name, n, before[name])
		}
	}
	if before["energyd_records_total"] != 5 || before["energyd_next_start_timestamp_seconds"] != 2 {
		t.Errorf("%v", before)
	}
}
