package telemetry

import (
	"net/http"
	"slices"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics are what Prometheus scrapes. Labels are names out of the configuration
// and words of ours, never what a source or a CRM says, so that their number is bounded.
type Metrics struct {
	registry *prometheus.Registry

	runs      *prometheus.CounterVec   // kind, state
	took      *prometheus.HistogramVec // kind
	lastState *prometheus.GaugeVec     // kind, state
	lastEnd   *prometheus.GaugeVec     // kind
	lastGood  *prometheus.GaugeVec     // kind
	active    prometheus.Gauge
	next      *prometheus.GaugeVec // job

	records    *prometheus.CounterVec // source, result
	sourceUp   *prometheus.GaugeVec   // source
	sourceRead *prometheus.GaugeVec   // source
	rejects    *prometheus.GaugeVec   // source
	changes    *prometheus.CounterVec // result

	callsUsed  *prometheus.GaugeVec // connection
	callsLimit *prometheus.GaugeVec // connection
	callsLeft  *prometheus.GaugeVec // connection

	configGood prometheus.Gauge
	configAt   prometheus.Gauge

	sources, jobs []string // of the configuration at work
}

// States and kinds of runs, as the store has them.
var (
	states = []string{"ok", "partial", "parked", "failed"}
	kinds  = []string{"sync", "pull"}
)

// NewMetrics makes metrics of a process of this version, in a registry of their own.
func NewMetrics(version string) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	gauge := func(name, help string) prometheus.Gauge {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
		m.registry.MustRegister(g)
		return g
	}
	gauges := func(name, help string, labels ...string) *prometheus.GaugeVec {
		g := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
		m.registry.MustRegister(g)
		return g
	}
	counters := func(name, help string, labels ...string) *prometheus.CounterVec {
		c := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		m.registry.MustRegister(c)
		return c
	}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	gauges("energyd_build_info", "1; the version is the label.", "version").WithLabelValues(version).Set(1)

	m.runs = counters("energyd_runs_total", "Runs that ended, by how.", "kind", "state")
	m.took = prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "energyd_run_duration_seconds", Help: "How long runs took.",
		Buckets: []float64{1, 5, 15, 60, 300, 900, 1800, 3600, 7200, 14400, 28800}}, []string{"kind"})
	m.registry.MustRegister(m.took)
	m.lastState = gauges("energyd_last_run_state", "1 for the state of the last run of a kind, 0 for the others.", "kind", "state")
	m.lastEnd = gauges("energyd_last_run_timestamp_seconds", "When the last run of a kind ended.", "kind")
	m.lastGood = gauges("energyd_last_success_timestamp_seconds", "When the last run of a kind ended that came to its end, ok or partial.", "kind")
	m.active = gauge("energyd_run_active", "Runs that are at work in this process.")
	m.next = gauges("energyd_next_start_timestamp_seconds", "When a job starts next: sync, or the pull of the source of this name.", "job")

	m.records = counters("energyd_records_total", "Source records by what became of them; read is the sum of the others.", "source", "result")
	m.sourceUp = gauges("energyd_source_up", "1 when the source could be read to its end the last time, else 0.", "source")
	m.sourceRead = gauges("energyd_source_last_read_timestamp_seconds", "When the source was read to its end the last time.", "source")
	m.rejects = gauges("energyd_rejects_kept", "Records of a source that are kept back.", "source")
	m.changes = counters("energyd_changes_total", "Records to change in the CRM, by what became of them.", "result")

	m.callsUsed = gauges("energyd_calls_used", "Calls of 24 hours that all programs made, as the system last told.", "connection")
	m.callsLimit = gauges("energyd_calls_limit", "Calls of 24 hours that the system allows.", "connection")
	m.callsLeft = gauges("energyd_calls_left", "Calls that the budget leaves to energyd.", "connection")

	m.configGood = gauge("energyd_config_last_reload_successful", "1 when the configuration at work is the one that was last read, 0 when a newer one was refused.")
	m.configAt = gauge("energyd_config_last_reload_success_timestamp_seconds", "When the configuration at work was read.")
	return m
}

// Handler serves the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4, Timeout: 10 * time.Second})
}

// Configured begins with a configuration of these sources and jobs, and forgets what stands in it no longer.
func (m *Metrics) Configured(sources, jobs []string, at time.Time) {
	for _, gone := range m.sources {
		if !slices.Contains(sources, gone) {
			of := prometheus.Labels{"source": gone}
			m.records.DeletePartialMatch(of)
			m.sourceUp.Delete(of)
			m.sourceRead.Delete(of)
			m.rejects.Delete(of)
		}
	}
	for _, gone := range m.jobs {
		if !slices.Contains(jobs, gone) {
			m.next.DeleteLabelValues(gone)
		}
	}
	m.sources, m.jobs = slices.Clone(sources), slices.Clone(jobs)
	for _, s := range sources {
		for _, result := range []string{"read", "stored", "unchanged", "skipped", "rejected"} {
			m.records.WithLabelValues(s, result) // so that rates begin at 0
		}
	}
	for _, kind := range kinds {
		for _, state := range states {
			m.runs.WithLabelValues(kind, state)
		}
	}
	m.configGood.Set(1)
	m.configAt.Set(seconds(at))
}

// Refused tells that a newer configuration was not right.
func (m *Metrics) Refused() { m.configGood.Set(0) }

// Was tells how the last run of a kind stood before this process.
func (m *Metrics) Was(kind, state string, ended time.Time) {
	if !slices.Contains(kinds, kind) {
		return
	}
	for _, s := range states {
		v := 0.0
		if s == state {
			v = 1
		}
		m.lastState.WithLabelValues(kind, s).Set(v)
	}
	m.lastEnd.WithLabelValues(kind).Set(seconds(ended))
}

// Succeeded tells when the last run of a kind came to its end.
func (m *Metrics) Succeeded(kind string, ended time.Time) {
	if slices.Contains(kinds, kind) {
		m.lastGood.WithLabelValues(kind).Set(seconds(ended))
	}
}

// Began tells that a run is at work.
func (m *Metrics) Began() { m.active.Inc() }

// Ended tells of a run that is over.
func (m *Metrics) Ended(kind, state string, began, ended time.Time) {
	m.active.Dec()
	m.runs.WithLabelValues(kind, state).Inc()
	m.took.WithLabelValues(kind).Observe(ended.Sub(began).Seconds())
	m.Was(kind, state, ended)
	if state == "ok" || state == "partial" {
		m.Succeeded(kind, ended)
	}
}

// Waited tells that a run did not begin.
func (m *Metrics) Waited() { m.active.Dec() }

// Next tells when a job starts next; zero when it waits for something else than a time.
func (m *Metrics) Next(job string, at time.Time) {
	if at.IsZero() {
		m.next.DeleteLabelValues(job)
		return
	}
	m.next.WithLabelValues(job).Set(seconds(at))
}

// Read are the sums of a source in one run.
type Read struct {
	Source                                     string
	Failed                                     bool
	Read, Stored, Unchanged, Skipped, Rejected int
}

// SourceRead tells what a run gave of a source.
func (m *Metrics) SourceRead(r Read, at time.Time) {
	for result, n := range map[string]int{"read": r.Read, "stored": r.Stored, "unchanged": r.Unchanged, "skipped": r.Skipped, "rejected": r.Rejected} {
		m.records.WithLabelValues(r.Source, result).Add(float64(n))
	}
	if r.Failed {
		m.sourceUp.WithLabelValues(r.Source).Set(0)
		return
	}
	m.sourceUp.WithLabelValues(r.Source).Set(1)
	m.sourceRead.WithLabelValues(r.Source).Set(seconds(at))
}

// Changed tells what became of records to change in the CRM: "written", "rejected" …
func (m *Metrics) Changed(result string, n int) { m.changes.WithLabelValues(result).Add(float64(n)) }

// Kept tells how many records of a source are kept back.
func (m *Metrics) Kept(source string, n int) { m.rejects.WithLabelValues(source).Set(float64(n)) }

// Calls tells how a connection's budget stands.
func (m *Metrics) Calls(connection string, used, limit, left int) {
	m.callsUsed.WithLabelValues(connection).Set(float64(used))
	m.callsLimit.WithLabelValues(connection).Set(float64(limit))
	m.callsLeft.WithLabelValues(connection).Set(float64(left))
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
