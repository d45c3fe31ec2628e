package daemon

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"energyd/internal/pipeline"
	"energyd/internal/schedule"
	"energyd/internal/store"
)

// Pipeline gives a pipeline's runs to a daemon, when what it shall listen to can tell of news.
func Pipeline(ctx context.Context, p *pipeline.Pipeline) (Work, error) {
	w := &work{Pipeline: p, open: map[string]*pipeline.Pipeline{}}
	var listen []string
	for _, j := range w.Jobs() {
		if j.Schedule.OnNews() {
			listen = append(listen, j.Source)
		}
	}
	if len(listen) > 0 {
		if err := p.CheckListen(ctx, listen); err != nil {
			return nil, err
		}
	}
	return w, nil
}

type work struct {
	*pipeline.Pipeline // listens, and looks at the store

	mu   sync.Mutex
	open map[string]*pipeline.Pipeline // keep their connections, by the connection that tells of news
}

func (w *work) Jobs() []schedule.Job { return w.Config().Jobs }

func (w *work) Sources() []string {
	var names []string
	for _, s := range w.Config().Sources {
		names = append(names, s.Name)
	}
	return names
}

func (w *work) Standing(ctx context.Context) (s Standing, err error) {
	if s.Recent, err = w.Store().Runs(ctx, 50); err != nil {
		return s, err
	}
	if s.Rejects, err = w.Store().RejectCounts(ctx); err != nil {
		return s, err
	}
	s.Budgets, err = w.Store().Usages(ctx)
	return s, err
}

func (w *work) LastStarts(ctx context.Context) (store.LastStarts, error) {
	return w.Store().LastStarts(ctx)
}

func (w *work) Alerts(ctx context.Context) ([]store.Alert, error) { return w.Store().Alerts(ctx) }

func (w *work) SetAlert(ctx context.Context, a store.Alert) error { return w.Store().SetAlert(ctx, a) }

func (w *work) Tell(ctx context.Context, changed <-chan struct{}) {
	w.Notices().Run(ctx, changed)
}

// Help looks each second, since what large folds offer is seldom there for long.
func (w *work) Help(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			w.Pipeline.Help(ctx)
		case <-ctx.Done():
			return
		}
	}
}

func (w *work) Errands(ctx context.Context) ([]store.Errand, error) {
	return w.Store().OpenErrands(ctx)
}

func (w *work) Ask(ctx context.Context, e store.Errand) (store.Errand, error) {
	e.Asked = w.Now()
	return w.Store().Ask(ctx, e)
}

func (w *work) Lanes(r Order) pipeline.Lanes {
	switch r.Kind {
	case "sync":
		return w.SyncLanes()
	case "pull":
		return w.PullLanes(r.Sources...)
	}
	return w.WriteLanes()
}

// Do runs a pipeline of the run's own.
func (w *work) Do(ctx context.Context, r Order) Result {
	if r.News {
		return w.news(ctx, r)
	}
	p := w.ForRun(r.Done)
	var out Result
	switch {
	case r.Errand.ID != 0:
		out.Report, out.Changes, out.Err = p.DoErrand(ctx, r.Errand)
	case r.Kind == "sync":
		out.Report, _, out.Changes, out.Err = p.Sync(ctx)
	default:
		out.Report, out.Err = p.Pull(ctx, r.Sources...)
	}
	out.Err = errors.Join(out.Err, p.Disconnect())
	return out
}

// news keeps the connections open where the next mail may come at any moment. Runs of one connection come one at a time.
func (w *work) news(ctx context.Context, r Order) Result {
	name := strings.Join(w.PullLanes(r.Sources...).Must, ",")
	w.mu.Lock()
	p := w.open[name]
	if p == nil {
		p = w.ForRun(nil)
		w.open[name] = p
	}
	w.mu.Unlock()
	report, err := p.PullNews(ctx, r.Sources...)
	return Result{Report: report, Err: err}
}

// Close is called when nothing is at work any more.
func (w *work) Close() error {
	var errs []error
	for _, p := range w.open {
		errs = append(errs, p.Disconnect())
	}
	return errors.Join(append(errs, w.Pipeline.Close())...)
}

func (w *work) Ping(ctx context.Context) error {
	_, err := w.Store().Sources(ctx)
	return err
}
