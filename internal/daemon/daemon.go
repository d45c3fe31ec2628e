// Package daemon keeps energyd at work: it starts what is due, what sources tell
// of and what people hand to it; it tries again what may heal, takes a new
// configuration, tells once when something changes for the worse or the better,
// and ends within a deadline. Runs that have no lane in common go on side by
// side. Several daemons may serve one store: whoever gets a run's lanes first does it.
//
// daemon.go is the loop, jobs.go says what is due, start.go what may begin,
// errands.go what people ask for, ended.go what follows from a run, alerts.go
// tells people, work.go is the pipeline as the loop sees it.
package daemon

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/schedule"
	"energyd/internal/store"
	"energyd/internal/telemetry"
	"energyd/sink"
)

// Work is what a daemon does by one configuration: a pipeline, in all but tests.
// Runs without a lane in common, Listen, Tell and Ping may be called at the same time.
type Work interface {
	Jobs() []schedule.Job
	Sources() []string
	LastStarts(ctx context.Context) (store.LastStarts, error)
	// Lanes are what a run needs.
	Lanes(r Order) pipeline.Lanes
	// Do does a run, unless another process has done it when it has its lanes.
	Do(ctx context.Context, r Order) Result
	// Errands are what people asked for and nobody has done yet; Ask keeps another one.
	Errands(ctx context.Context) ([]store.Errand, error)
	Ask(ctx context.Context, e store.Errand) (store.Errand, error)
	// Listen calls told when a source has something new, until ctx ends.
	Listen(ctx context.Context, sources []string, told func(sources []string)) error
	// Alerts are how things stood when a daemon kept it last, and SetAlert keeps it.
	Alerts(ctx context.Context) ([]store.Alert, error)
	SetAlert(ctx context.Context, a store.Alert) error
	// Tell tells the readers of the configuration of alerts and alarms, until ctx ends. changed says that an alert is new.
	// It may be called while others are.
	Tell(ctx context.Context, changed <-chan struct{})
	// Help takes part in the large folds of other processes, until ctx ends. It may be called while others are.
	Help(ctx context.Context)
	// Ping tells whether the store can be reached. It may be called at any time, also after Close.
	Ping(ctx context.Context) error
	// Standing is what a monitor wants to know of the store.
	Standing(ctx context.Context) (Standing, error)
	Close() error
}

// Order is a run to be done.
type Order struct {
	Kind    string       // sync, pull, or that of an errand
	Sources []string     // of a pull
	News    bool         // of a pull: its systems told of something, and this may happen again soon
	Errand  store.Errand // what it is done for; zero for none
	// Done tells of the last starts that another process has done it meanwhile.
	Done func(store.LastStarts) bool
}

// Result is what a run came to.
type Result struct {
	Report  pipeline.Report
	Changes sink.Outcome // zero of a pull
	Err     error
}

// Standing is how things stand in the store.
type Standing struct {
	Recent  []store.Run // latest first
	Rejects []store.RejectCount
	Budgets []store.SeenUsage
}

// Options are a daemon's surroundings.
type Options struct {
	Open    func(ctx context.Context) (Work, error) // reads and checks the configuration
	Log     *slog.Logger
	Now     func() time.Time
	Reload  <-chan struct{} // each says: read the configuration again
	Metrics *telemetry.Metrics
	Health  *telemetry.Health
	Ready   func() // called once, when the first configuration is at work; may be nil
	Desk    *Desk  // where people hand work to this daemon; may be nil
	Synced  func() // called after each sync that began; returns at once; may be nil

	heartbeat time.Duration // of tests whose clocks are fast; 0 is a minute
}

// How long runs that are at work when the daemon is told to stop may go on: so
// long until they end by themselves, and then so long to drop the step that they
// are at. Together they are less than service managers wait before they kill.
const (
	toEnd  = 15 * time.Second
	toDrop = 10 * time.Second
)

// heartbeat is the longest time without a look at the clock, which may have been set.
const heartbeat = time.Minute

// Daemon is one that runs.
type Daemon struct {
	Options
	alerts  alerts
	changed chan struct{} // an alert is new

	work  Work
	jobs  []*job
	seen  store.LastStarts // when the jobs were last compared with them
	news  *pipeline.News
	asked map[string]asking // sources to read that no time of day asks for

	errands errands
	running []*running
	ended   chan ended
	gone    chan struct{} // closed when nobody waits for runs any more
	hangUp  func()        // ends the listening
}

// asking is why a source is to be read.
type asking struct {
	news bool      // its system told of something
	from time.Time // when it may be read
}

// running is a run at work.
type running struct {
	Order
	work    Work
	lanes   []string // that it has, as far as this process knows
	started time.Time
	cancel  context.CancelFunc
}

// ended is a run that is over.
type ended struct {
	*running
	Result
}

// Run keeps at work until ctx ends, which is no error. Faults: those of Open, and
// unavailable when a run could not be ended in time: it is dropped where it is,
// and nothing of what it had saved is lost.
func Run(ctx context.Context, opt Options) error {
	d := &Daemon{Options: opt, changed: make(chan struct{}, 1), news: pipeline.NewNews(), asked: map[string]asking{}, ended: make(chan ended), gone: make(chan struct{}), hangUp: func() {}}
	defer close(d.gone)
	d.alerts = alerts{log: opt.Log, keep: d.keepAlert}
	work, err := d.Open(ctx)
	if err != nil {
		return err
	}
	if err := d.begin(ctx, work); err != nil {
		return errors.Join(err, work.Close())
	}
	if d.Ready != nil {
		d.Ready()
	}
	wake := time.NewTimer(0)
	defer wake.Stop()
	for {
		select {
		case <-ctx.Done():
			return d.stop()
		case e := <-d.ended:
			d.end(ctx, e)
		case <-d.Desk.rung():
			d.errands.look = true
		case <-d.news.Signal():
			d.ask(asking{news: true, from: d.Now().Add(settle)}, d.news.Take()...)
		case <-d.Reload:
			d.reload(ctx)
		case <-wake.C:
		}
		d.Health.Beat()
		if ctx.Err() == nil {
			wake.Reset(min(d.next(ctx), cmp.Or(d.heartbeat, heartbeat)))
		}
	}
}

// begin takes the first configuration.
func (d *Daemon) begin(ctx context.Context, work Work) error {
	last, err := work.LastStarts(ctx)
	if err != nil {
		return err
	}
	d.work = work
	if err := d.recall(ctx, last); err != nil {
		return err
	}
	d.take(ctx, work, last)
	d.Health.Beat()
	d.remember(ctx)
	if d.alerts.states["sync"] == string(store.Failed) || d.alerts.states["sync"] == string(store.Parked) {
		for _, j := range d.jobs {
			if j.Source == "" {
				j.pause(d.Now()) // whether that may heal is not known any more
			}
		}
	}
	return nil
}

// take puts a configuration to work. Jobs that stood in the one before keep what is known of them.
func (d *Daemon) take(ctx context.Context, work Work, last store.LastStarts) {
	before := d.jobs
	d.seen = last
	d.work, d.jobs = work, nil
	now := d.Now()
	var listen, names []string
	for _, j := range work.Jobs() {
		next := &job{Job: j, last: last.From(j.Source, now)}
		for _, b := range before {
			if b.Source != j.Source {
				continue
			}
			if *next = *b; next.Schedule.String() != j.Schedule.String() {
				next.last = now // times of the new schedule that are over were never meant
			}
			next.Job, next.at = j, time.Time{}
		}
		if j.Schedule.OnNews() {
			listen = append(listen, j.Source)
		}
		d.jobs = append(d.jobs, next)
		names = append(names, next.label())
		if at := j.Due(next.last, now); !at.IsZero() {
			d.Log.Info("scheduled", "job", next.name(), "by", j.Schedule.String(), "next", at)
		}
	}
	if len(d.jobs) == 0 {
		d.Log.Warn("nothing is scheduled: energyd run waits for a configuration with a schedule")
	}
	d.Metrics.Configured(work.Sources(), names, now)
	d.Health.By(work.Ping)
	d.Desk.by(work)
	d.listen(ctx, listen)
}

// listen lets the sources tell of news, and readers be told of alerts and alarms, and helps other daemons.
func (d *Daemon) listen(ctx context.Context, sources []string) {
	ctx, cancel := context.WithCancel(ctx)
	var all sync.WaitGroup
	d.hangUp = func() { cancel(); all.Wait() }
	work := d.work
	all.Go(func() { work.Tell(ctx, d.changed) })
	all.Go(func() { work.Help(ctx) })
	if len(sources) == 0 {
		return
	}
	all.Go(func() {
		if err := work.Listen(ctx, sources, d.news.Of); err != nil && ctx.Err() == nil {
			d.Log.Error("sources are not watched", "sources", strings.Join(sources, ", "), "error", err, "what_to_do", fault.HintOf(err))
		}
	})
}

// reload reads the configuration again. One that is not right changes nothing.
func (d *Daemon) reload(ctx context.Context) {
	work, err := d.Open(ctx)
	if err != nil && ctx.Err() != nil {
		return // nobody needs it any more
	}
	if err != nil {
		d.Metrics.Refused()
		do := cmp.Or(fault.HintOf(err), "mend the configuration until energyd check finds nothing, then reload again")
		d.alerts.set("configuration", "refused", "energyd goes on with the one it has: "+err.Error(), do)
		return
	}
	d.alerts.set("configuration", string(store.OK), "", "")
	d.swap(ctx, work)
}

// swap takes another configuration in place of the one at work. Runs at work end by the one that they began with.
func (d *Daemon) swap(ctx context.Context, work Work) {
	last, err := work.LastStarts(ctx)
	if err != nil && ctx.Err() != nil {
		d.close(work)
		return
	}
	if err != nil {
		d.Metrics.Refused()
		d.alerts.set("configuration", "refused", "its store cannot be read, so energyd goes on with the one it has: "+err.Error(), fault.HintOf(err))
		d.close(work)
		return
	}
	d.hangUp() // before what it listens by is closed
	before := d.work
	d.take(ctx, work, last)
	d.drop(before)
	d.Log.Info("the new configuration is at work")
}

// drop closes a configuration that nothing is at work by.
func (d *Daemon) drop(work Work) {
	if work != d.work && !slices.ContainsFunc(d.running, func(r *running) bool { return r.work == work }) {
		d.close(work)
	}
}

func (d *Daemon) close(work Work) {
	if err := work.Close(); err != nil {
		d.Log.Warn("a configuration that is no longer at work was not closed", "error", err)
	}
}

// stop ends what is at work, within toEnd and toDrop.
func (d *Daemon) stop() error {
	d.Health.By(nil)
	d.Desk.by(nil)
	d.hangUp()
	if len(d.running) > 0 {
		d.Log.Info("told to stop; what is at work may end", "runs", len(d.running), "within", toEnd)
		if !d.within(toEnd) {
			for _, r := range d.running {
				d.Log.Info("the run is dropped; what it saved stays, and the next one goes on from there", "kind", r.Kind)
				r.cancel()
			}
			if !d.within(toDrop) {
				return fault.New(fault.Unavailable, "stop", "a run did not end in time and was dropped where it was",
					"nothing is lost: the next run goes on from what was saved", nil)
			}
		}
	}
	err := d.work.Close()
	d.Log.Info("stopped")
	return err
}

// within waits for all that is at work.
func (d *Daemon) within(limit time.Duration) bool {
	over := time.After(limit)
	for len(d.running) > 0 {
		select {
		case e := <-d.ended:
			d.tell(e)
			d.drop(e.work)
		case <-over:
			return false
		}
	}
	return true
}
