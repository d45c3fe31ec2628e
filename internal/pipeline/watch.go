package pipeline

import (
	"context"
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
	sources, err := p.sources(names)
	if err != nil {
		return err
	}
	watched := map[connectors.Watcher][]config.Source{}
	for _, s := range sources {
		conn, err := p.conn(ctx, s.Connection)
		if err != nil {
			return err
		}
		if w, ok := conn.(connectors.Watcher); ok {
			watched[w] = append(watched[w], s)
		} else if len(names) > 0 {
			return fault.New(fault.Config, "", fmt.Sprintf("the source %s cannot be watched: its system does not tell of news", s.Name),
				"give it a schedule, and name sources of mailboxes here", nil)
		}
	}
	if len(watched) == 0 {
		return fault.New(fault.Config, "", "no source can be watched", "only mailboxes tell of news; other sources are read by schedule", nil)
	}
	p.watching = true
	defer func() { p.watching = false }()
	n := news{signal: make(chan struct{}, 1)}
	ctx, stop := context.WithCancel(ctx)
	var wait sync.WaitGroup
	defer wait.Wait()
	defer stop()
	for w, ss := range watched {
		var streams []connectors.Config
		for _, s := range ss {
			streams = append(streams, s.Stream)
		}
		wait.Go(func() { _ = w.Watch(ctx, streams, func() { n.of(ss) }) }) // it ends with ctx
	}
	for {
		names := n.wait(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case len(names) == 0: // taken with others before; no names would mean all
			continue
		}
		r, err := p.Pull(ctx, names...)
		again := fault.KindOf(err) == fault.Conflict || slices.ContainsFunc(r.Errors, func(e error) bool { return fault.Retryable(fault.KindOf(e)) && !partly(e) })
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
			time.AfterFunc(later, func() { n.named(names) })
		}
	}
}

// news are the sources that have something new.
type news struct {
	mu     sync.Mutex
	names  []string
	signal chan struct{}
}

func (n *news) of(sources []config.Source) {
	var names []string
	for _, s := range sources {
		names = append(names, s.Name)
	}
	n.named(names)
}

func (n *news) named(names []string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.names = append(n.names, names...)
	select {
	case n.signal <- struct{}{}:
	default:
	}
}

// wait gives the sources that have something new, when there are any.
func (n *news) wait(ctx context.Context) []string {
	select {
	case <-n.signal:
	case <-ctx.Done():
		return nil
	}
	select {
	case <-time.After(settle):
	case <-ctx.Done():
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	names := n.names
	n.names = nil
	slices.Sort(names)
	return slices.Compact(names)
}

// Quiet tells that a run found nothing new, and nothing to see to.
func (r *Report) Quiet() bool {
	return r.State == store.OK && !slices.ContainsFunc(r.Sources, func(s SourceReport) bool { return s.Read > 0 })
}
