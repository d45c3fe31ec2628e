package daemon

import (
	"context"
	"errors"

	"energyd/internal/pipeline"
	"energyd/internal/schedule"
	"energyd/internal/store"
)

// Pipeline gives a pipeline's runs to a daemon, when what it shall listen to can tell of news.
func Pipeline(ctx context.Context, p *pipeline.Pipeline) (Work, error) {
	w := work{p}
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

type work struct{ *pipeline.Pipeline }

func (w work) Jobs() []schedule.Job { return w.Config().Jobs }

func (w work) Sources() []string {
	var names []string
	for _, s := range w.Config().Sources {
		names = append(names, s.Name)
	}
	return names
}

func (w work) Standing(ctx context.Context) (s Standing, err error) {
	if s.Recent, err = w.Store().Runs(ctx, 50); err != nil {
		return s, err
	}
	if s.Rejects, err = w.Store().RejectCounts(ctx); err != nil {
		return s, err
	}
	s.Budgets, err = w.Store().Usages(ctx)
	return s, err
}

func (w work) LastStarts(ctx context.Context) (store.LastStarts, error) {
	return w.Store().LastStarts(ctx)
}

func (w work) Alerts(ctx context.Context) ([]store.Alert, error) { return w.Store().Alerts(ctx) }

func (w work) SetAlert(ctx context.Context, a store.Alert) error { return w.Store().SetAlert(ctx, a) }

func (w work) Tell(ctx context.Context, changed <-chan struct{}) {
	w.Notices().Run(ctx, changed)
}

func (w work) Sync(ctx context.Context) Result {
	r, _, changes, err := w.Pipeline.Sync(ctx)
	return Result{r, changes, errors.Join(err, w.Disconnect())}
}

// Pull keeps the connections open where the next mail may come at any moment.
func (w work) Pull(ctx context.Context, sources []string, news bool) Result {
	if news {
		r, err := w.PullNews(ctx, sources...)
		return Result{Report: r, Err: err}
	}
	r, err := w.Pipeline.Pull(ctx, sources...)
	return Result{Report: r, Err: errors.Join(err, w.Disconnect())}
}

func (w work) Ping(ctx context.Context) error {
	_, err := w.Store().Sources(ctx)
	return err
}
