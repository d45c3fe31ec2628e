package daemon

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
	_ "time/tzdata"

	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/schedule"
	"energyd/internal/store"
	"energyd/internal/telemetry"
)

// machine is a computer with a clock that can be set, a store that stays when the
// daemon ends, and runs that take time and fail as a test says. It belongs in a synctest bubble.
type machine struct {
	*testing.T
	zone   *time.Location
	set    atomic.Int64 // nanoseconds by which its clock differs from the bubble's
	mu     sync.Mutex   // of what follows, up to jobs
	log    bytes.Buffer
	runs   []string // as "01-02 15:04 sync ok"
	stored store.LastStarts
	kept   []store.Alert // in the store

	jobs   [][2]string // source and schedule
	missed schedule.Missed
	broken error // of the configuration, when it is read next
	// opening takes its time before a configuration is read; nil takes none.
	opening func(context.Context) error

	busy     map[string]int // lanes, by how many runs have them
	handed   []store.Errand
	desk     *Desk
	before   func() // of a run, before it has its lanes; may be nil
	synced   func() // Options.Synced
	standing Standing
	down     error // the store
	// run says how long the runs take, and what they come to.
	run     func(ctx context.Context, kind string, sources []string) (time.Duration, error)
	told    func([]string) // of the daemon's listening
	metrics *telemetry.Metrics
	health  *telemetry.Health
	open    int // works that were opened and not closed
}

func newMachine(t *testing.T, zone string, jobs ...[2]string) *machine {
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	return &machine{T: t, metrics: telemetry.NewMetrics("test"), health: telemetry.NewHealth(), zone: loc, jobs: jobs, busy: map[string]int{}, desk: NewDesk(), run: func(context.Context, string, []string) (time.Duration, error) { return 5 * time.Minute, nil }}
}

func (m *machine) now() time.Time { return time.Now().Add(time.Duration(m.set.Load())).In(m.zone) }

// Write takes the log.
func (m *machine) Write(line []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.log.Write(line)
}

// sleep lets time pass.
func (m *machine) sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// until lets time pass until the clock shows this.
func (m *machine) until(clock string) {
	m.Helper()
	at, err := time.ParseInLocation("2006-01-02 15:04", clock, m.zone)
	if err != nil {
		m.Fatal(err)
	}
	time.Sleep(at.Sub(m.now()))
	synctest.Wait()
}

// start starts a daemon, and gives what stops it and what it ended with.
func (m *machine) start() (stop func() error, reload func()) {
	ctx, cancel := context.WithCancel(m.Context())
	again := make(chan struct{}, 1)
	ended := make(chan error, 1)
	log := slog.New(slog.NewTextHandler(m, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
	go func() {
		ended <- Run(ctx, Options{Open: m.read, Log: log, Now: m.now, Reload: again, Metrics: m.metrics, Health: m.health, Desk: m.desk, Synced: m.synced})
	}()
	synctest.Wait()
	return func() error { cancel(); return <-ended }, func() { again <- struct{}{}; synctest.Wait() }
}

// read reads the configuration.
func (m *machine) read(ctx context.Context) (Work, error) {
	if m.opening != nil {
		if err := m.opening(ctx); err != nil {
			return nil, err
		}
	}
	if m.broken != nil {
		return nil, m.broken
	}
	w := &scripted{machine: m}
	for _, j := range m.jobs {
		s, err := schedule.Parse(j[1], m.zone)
		if err != nil {
			return nil, err
		}
		w.planned = append(w.planned, schedule.Job{Source: j[0], Schedule: s, Missed: m.missed})
	}
	m.open++
	return w, nil
}

// scripted is the work of a machine by one configuration.
type scripted struct {
	*machine
	planned []schedule.Job
}

func (w *scripted) Jobs() []schedule.Job { return w.planned }

func (w *scripted) LastStarts(context.Context) (store.LastStarts, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.stored), nil
}

func (w *scripted) Alerts(context.Context) ([]store.Alert, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.kept), nil
}

func (w *scripted) SetAlert(_ context.Context, a store.Alert) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.kept = append(slices.DeleteFunc(w.kept, func(b store.Alert) bool { return b.What == a.What }), a)
	return nil
}

func (w *scripted) Tell(ctx context.Context, _ <-chan struct{}) { <-ctx.Done() }

func (w *scripted) Help(ctx context.Context) { <-ctx.Done() }

func (w *scripted) Ping(context.Context) error { return w.down }

func (w *scripted) Standing(context.Context) (Standing, error) { return w.standing, nil }

func (w *scripted) Sources() []string {
	var names []string
	for _, j := range w.planned {
		if j.Source != "" {
			names = append(names, j.Source)
		}
	}
	return names
}

func (w *scripted) Close() error { w.open--; return nil }

func (w *scripted) Listen(ctx context.Context, sources []string, told func([]string)) error {
	w.told = told
	<-ctx.Done()
	return ctx.Err()
}

func (w *scripted) Errands(context.Context) ([]store.Errand, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.handed), nil
}

func (w *scripted) Ask(_ context.Context, e store.Errand) (store.Errand, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.handed = append(w.handed, e)
	return e, nil
}

// Lanes are the CRM's, but for sources whose names say that they are read from elsewhere: mail@post.
func (w *scripted) Lanes(o Order) (l pipeline.Lanes) {
	switch o.Kind {
	case "sync":
		l.Must = []string{"sync", "crm"}
		for _, s := range w.Sources() {
			if c := connectionOf(s); c != "crm" {
				l.May = append(l.May, c)
			}
		}
	case "pull":
		l.Must = []string{connectionOf(o.Sources[0])}
	default:
		l.Must = []string{"scores", "crm"}
	}
	return l
}

func connectionOf(source string) string {
	if _, c, ok := strings.Cut(source, "@"); ok {
		return c
	}
	return "crm"
}

func (w *scripted) Do(ctx context.Context, o Order) Result {
	if w.before != nil {
		w.before()
	}
	w.mu.Lock()
	if o.Done != nil && o.Done(w.stored) {
		w.mu.Unlock()
		return Result{Err: fault.New(fault.Conflict, "", "done meanwhile", "", nil)}
	}
	all, lanes := o.Sources, w.Lanes(o).Must
	if o.Kind == "sync" {
		for _, s := range w.Sources() {
			if c := connectionOf(s); c == "crm" || w.busy[c] == 0 {
				all, lanes = append(all, s), append(lanes, c)
			}
		}
	}
	slices.Sort(lanes)
	lanes = slices.Compact(lanes)
	for _, lane := range lanes {
		if w.busy[lane]++; w.busy[lane] > 1 {
			w.Errorf("%s: %d runs at a time have %s", w.now(), w.busy[lane], lane)
		}
	}
	w.mu.Unlock()
	defer func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		for _, lane := range lanes {
			w.busy[lane]--
		}
	}()
	r := w.work(ctx, o.Kind, all)
	if o.Errand.ID != 0 && r.Report.Run != "" {
		w.mu.Lock()
		w.handed = slices.DeleteFunc(w.handed, func(e store.Errand) bool { return e.ID == o.Errand.ID })
		w.mu.Unlock()
	}
	return r
}

func (w *scripted) work(ctx context.Context, kind string, sources []string) Result {
	began := w.now()
	takes, err := w.run(ctx, kind, sources)
	if fault.KindOf(err) == fault.Conflict {
		return Result{Err: err}
	}
	r := Result{Report: pipeline.Report{Run: began.Format("r0102150405"), State: store.OK}}
	select {
	case <-time.After(takes):
	case <-ctx.Done():
		r.Err, r.Report.State, r.Report.Notes = ctx.Err(), store.Failed, []string{store.Interrupted}
	}
	if err != nil && r.Err == nil {
		r.Report.State, r.Report.Errors, r.Report.Notes = store.Failed, []error{err}, []string{err.Error()}
	}
	for _, s := range sources {
		report := pipeline.SourceReport{RunSource: store.RunSource{Source: s}}
		if err != nil {
			report.Error = err.Error()
		}
		r.Report.Sources = append(r.Report.Sources, report)
	}
	what := kind
	if kind == "pull" && len(sources) > 0 {
		what = "pull " + strings.Join(sources, "+")
	}
	w.mu.Lock()
	w.runs = append(w.runs, fmt.Sprintf("%s %s %s", began.Format("01-02 15:04"), what, r.Report.State))
	w.mu.Unlock()
	if r.Err == nil {
		w.note(store.LastStart{Kind: kind, At: began.UTC(), State: r.Report.State})
		for _, s := range sources {
			if err == nil {
				w.note(store.LastStart{Source: s, At: began.UTC()})
			}
		}
	}
	return r
}

// note keeps the last start of a kind or source, as the store does.
func (m *machine) note(last store.LastStart) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.stored = slices.DeleteFunc(m.stored, func(s store.LastStart) bool { return s.Kind == last.Kind && s.Source == last.Source })
	m.stored = append(m.stored, last)
}

// took gives the runs since it was asked last.
func (m *machine) took() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	runs := m.runs
	m.runs = nil
	return runs
}

// ran holds the runs of late, in the order of their starts, to what is wanted, and forgets them.
func (m *machine) ran(want ...string) {
	m.Helper()
	runs := m.took()
	slices.Sort(runs) // those that end in the same moment do so in any order
	slices.Sort(want)
	if !slices.Equal(runs, want) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.Errorf("runs\n\t%s\nwant\n\t%s\n%s", strings.Join(runs, "\n\t"), strings.Join(want, "\n\t"), &m.log)
	}
}

// alerts are what was told of since, without what was to be done.
func (m *machine) alerts() (told []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for line := range strings.Lines(m.log.String()) {
		if _, alert, ok := strings.Cut(line, "msg=alert "); ok {
			told = append(told, strings.TrimSpace(alert))
		} else if _, over, ok := strings.Cut(line, `msg="alert over" `); ok {
			told = append(told, strings.TrimSpace(over))
		}
	}
	m.log.Reset()
	return told
}
