package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"energyd/connectors"
	"energyd/internal/config"
	"energyd/internal/fault"
	"energyd/internal/store"
)

// Pulls of watched sources.
const (
	settle = time.Second // news seldom comes alone
	later  = time.Minute // until a pull is tried again that another run, or a system that was away, kept from its work
)

// Watch pulls the named sources (all that can tell of news, when none is named)
// each time their systems tell of some, until ctx ends, which is no error. Each
// pull is a run of its own, shown to done. Between pulls other commands may run.
// Faults: config (no such source; it cannot tell of news), and what the store gives.
func (p *Pipeline) Watch(ctx context.Context, names []string, done func(Report)) error {
	n := NewNews()
	ctx, stop := context.WithCancel(ctx)
	var failed error
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		failed = p.Listen(ctx, names, n.Of)
	}()
	defer func() { stop(); <-ended }()
	for {
		select {
		case <-n.Signal():
			n.settle(ctx)
		case <-ended:
			if ctx.Err() != nil {
				return nil
			}
			return failed
		}
		names := n.Take()
		switch {
		case ctx.Err() != nil:
			return nil
		case len(names) == 0: // taken with others before; no names would mean all
			continue
		}
		r, err := p.PullNews(ctx, names...)
		again := err != nil && fault.KindOf(err) == fault.Conflict || r.MayHeal()
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && !again:
			return err
		case err != nil:
			p.opt.Log.Info("another run is at work; the pull waits for it", "sources", strings.Join(names, ", "))
		default:
			done(r)
		}
		if again {
			time.AfterFunc(later, func() { n.Of(names) })
		}
	}
}

// MayHeal tells that a source could not be read for a reason that may go away by itself.
func (r *Report) MayHeal() bool {
	return slices.ContainsFunc(r.Errors, func(e error) bool { return fault.Retryable(fault.KindOf(e)) && !partly(e) })
}

// PullNews is Pull for who reads with every mail: what would look at all that is stored waits for the next Pull or Sync.
func (p *Pipeline) PullNews(ctx context.Context, names ...string) (Report, error) {
	p.watching = true
	defer func() { p.watching = false }()
	return p.Pull(ctx, names...)
}

// Listen calls news with the names of sources that may have something new, of the
// named ones (all that can tell, when none is named), when it begins and each time
// their systems tell of some, until ctx ends, which is its error. It has
// connections of its own, so that runs may go on meanwhile; news returns at once.
// Faults: config (no such source; it cannot tell of news).
func (p *Pipeline) Listen(ctx context.Context, names []string, news func(names []string)) (err error) {
	watched, hangUp, err := p.watchers(ctx, names)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, hangUp()) }()
	var wait sync.WaitGroup
	for w, ss := range watched {
		var streams []connectors.Config
		var names []string
		for _, s := range ss {
			streams, names = append(streams, s.Stream), append(names, s.Name)
		}
		wait.Go(func() { _ = w.Watch(ctx, streams, func() { news(names) }) }) // it ends with ctx
	}
	wait.Wait()
	return ctx.Err()
}

// CheckListen tells whether Listen can do what it shall, without asking any system.
func (p *Pipeline) CheckListen(ctx context.Context, names []string) error {
	_, hangUp, err := p.watchers(ctx, names)
	if err != nil {
		return err
	}
	return hangUp()
}

// watchers opens the connections that tell of news of the named sources, and gives what closes them.
func (p *Pipeline) watchers(ctx context.Context, names []string) (watched map[connectors.Watcher][]config.Source, hangUp func() error, err error) {
	sources, err := p.sources(names)
	if err != nil {
		return nil, nil, err
	}
	conns := map[string]connectors.Conn{}
	closeAll := func() error {
		var errs []error
		for _, c := range conns {
			errs = append(errs, c.Close())
		}
		return errors.Join(errs...)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, closeAll())
		}
	}()
	watched = map[connectors.Watcher][]config.Source{}
	for _, s := range sources {
		conn, ok := conns[s.Connection]
		if !ok {
			if conn, err = p.dial(ctx, s.Connection, p.opt.Log); err != nil {
				return nil, nil, err
			}
			conns[s.Connection] = conn
		}
		if w, ok := conn.(connectors.Watcher); ok {
			watched[w] = append(watched[w], s)
		} else if len(names) > 0 {
			return nil, nil, fault.New(fault.Config, "", fmt.Sprintf("the source %s cannot be watched: its system does not tell of news", s.Name),
				"give it a schedule, and name sources of mailboxes here", nil)
		}
	}
	if len(watched) == 0 {
		return nil, nil, fault.New(fault.Config, "", "no source can be watched", "only mailboxes tell of news; other sources are read by schedule", nil)
	}
	return watched, closeAll, nil
}

// News are the sources that have something new. Its methods may be called at the same time.
type News struct {
	signal chan struct{}
	mu     sync.Mutex
	names  []string
}

// NewNews makes News of no source.
func NewNews() *News { return &News{signal: make(chan struct{}, 1)} }

// Signal gives one as soon as there is something new.
func (n *News) Signal() <-chan struct{} { return n.signal }

// Of adds sources.
func (n *News) Of(names []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.names = append(n.names, names...)
	select {
	case n.signal <- struct{}{}:
	default:
	}
}

// Take gives the sources that have something new, once.
func (n *News) Take() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	names := n.names
	n.names = nil
	slices.Sort(names)
	return slices.Compact(names)
}

// settle waits for what comes together.
func (n *News) settle(ctx context.Context) {
	select {
	case <-time.After(settle):
	case <-ctx.Done():
	}
}

// Quiet tells that a run found nothing new, and nothing to see to.
func (r *Report) Quiet() bool {
	return r.State == store.OK && !slices.ContainsFunc(r.Sources, func(s SourceReport) bool { return s.Read > 0 })
}
