package pipeline

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"energyd/connectors"
	"energyd/internal/config"
	"energyd/internal/fault"
	"energyd/internal/store"
)

// SourceReport is what one source gave: Read = Stored + Unchanged + Skipped + Rejected.
type SourceReport struct {
	store.RunSource
	Skips     map[string]int `json:"skips,omitempty"`     // skipped records by reason
	Unfound   map[string]int `json:"unfound,omitempty"`   // contacts, deals and reps that the CRM does not know, left out of activities
	Reread    store.Again    `json:"reread,omitempty"`    // why everything was read again; "" when it was not
	Withdrawn int            `json:"withdrawn,omitempty"` // activities, and entries of the directory, that a complete reading did not find again
	Kept      string         `json:"kept,omitempty"`      // why what it did not find again stays, and what to do; "" when nothing does
	Retried   int            `json:"retried,omitempty"`   // records that were rejected in earlier runs and came through now; Read counts them
	Undecided int            `json:"undecided,omitempty"` // names that may mean several accounts or contacts; a person decides (energyd match)
	Error     string         `json:"error,omitempty"`

	asked    map[string]store.Asked // by key
	revision uint32                 // of the reading; 0 when the source was not read
}

// Pull reads new and changed records of the named sources (all when none is
// named) into the store and folds them into the scores. A source that fails
// does not stop the others. Faults: config (no such source), and what the store gives.
func (p *Pipeline) Pull(ctx context.Context, names ...string) (Report, error) {
	sources, err := p.sources(names)
	if err != nil {
		return Report{}, err
	}
	return p.run(ctx, "pull", p.PullLanes(names...), func(ctx context.Context, r *Report) error {
		if err := p.pull(ctx, sources, r); err != nil {
			return err
		}
		return p.settle(ctx, r)
	})
}

// settle marks what falls due by the date alone, and searches for alarms: the end of a run without a plan.
func (p *Pipeline) settle(ctx context.Context, r *Report) error {
	if _, err := p.store.MarkDue(ctx, p.scorer(), p.AsOf()); err != nil {
		return err
	}
	return p.raise(ctx, r)
}

func (p *Pipeline) sources(names []string) ([]config.Source, error) {
	if len(names) == 0 {
		return p.cfg.Sources, nil
	}
	var known []string
	for _, s := range p.cfg.Sources {
		known = append(known, s.Name)
	}
	for _, n := range names {
		if !slices.Contains(known, n) {
			return nil, fault.New(fault.Config, "", fmt.Sprintf("there is no source %q in %s%s", n, p.cfg.File, fault.DidYouMean(n, known)),
				"name one or more of "+strings.Join(known, ", ")+"; without a name all are read", nil)
		}
	}
	// In the order of the configuration: the directory's sources stand first there.
	var some []config.Source
	for _, s := range p.cfg.Sources {
		if slices.Contains(names, s.Name) {
			some = append(some, s)
		}
	}
	return some, nil
}

func (p *Pipeline) pull(ctx context.Context, sources []config.Source, r *Report) error {
	r.Titles = map[string]int{}
	down := map[string]string{} // what keeps a connection from being read: it is told once, not for each source
	missing := ""               // a source of the directory that could not be read
	followed := false           // merges were looked at
	prepared := map[string]bool{}
	for _, src := range sources {
		profiles := p.mappings[src.Name].MakesProfiles()
		if missing != "" && !profiles && down[src.Connection] == "" {
			// What is looked up in half a directory would be rejected, though nothing is wrong with it.
			r.Sources = append(r.Sources, SourceReport{RunSource: store.RunSource{Source: src.Name}, Error: "not read: " + missing + " could not be read, which it may look up; the next run reads it"})
			continue
		}
		if why := down[src.Connection]; why != "" {
			if profiles && missing == "" {
				missing = src.Name
			}
			r.Sources = append(r.Sources, SourceReport{RunSource: store.RunSource{Source: src.Name}, Error: "not read: " + why})
			continue
		}
		if !profiles && !followed {
			// The directory is up to date now: what follows looks things up in it.
			if followed = true; missing == "" {
				if err := p.follow(ctx); err != nil {
					return err
				}
			}
		}
		if !prepared[src.Connection] {
			prepared[src.Connection] = true
			p.prepare(ctx, src.Connection, sources)
		}
		sr, err := p.pullSource(ctx, r, src)
		p.countCalls(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			down[src.Connection] = p.broken(ctx, src.Connection, err)
			if profiles {
				missing = src.Name
			}
			sr.Error = err.Error()
			r.Errors = append(r.Errors, err)
		}
		r.Sources = append(r.Sources, sr)
	}
	if err := p.alone(ctx); err != nil {
		return err
	}
	fold, err := p.fold(ctx)
	if err != nil {
		return err
	}
	r.Fold = &fold
	p.circles(r)
	if err := p.withdraw(ctx, r); err != nil {
		return err
	}
	p.purge(ctx)
	if err := p.sums(ctx, r); err != nil {
		return err
	}
	if err := p.noCustomers(ctx, r); err != nil {
		return err
	}
	return p.review(ctx, r)
}

// prepare lets a connection look at all its streams at once. One that cannot be
// opened is left to its first source.
func (p *Pipeline) prepare(ctx context.Context, connection string, sources []config.Source) {
	conn, err := p.conn(ctx, connection)
	if err != nil {
		return
	}
	if c, ok := conn.(connectors.Preparer); ok {
		var streams []connectors.Config
		for _, s := range sources {
			if s.Connection == connection {
				streams = append(streams, s.Stream)
			}
		}
		c.Prepare(ctx, streams)
	}
}

// broken tells why the connection of a source that gave err cannot be read from any more; "" when it can.
func (p *Pipeline) broken(ctx context.Context, connection string, err error) string {
	if partly(err) {
		return ""
	}
	switch fault.KindOf(err) {
	case fault.Quota:
		return "the connection " + connection + " may make no more calls for now; the next run goes on"
	case fault.Unavailable:
		if conn, err := p.conn(ctx, connection); err == nil && conn.Check(ctx) == nil {
			return ""
		}
		fallthrough
	case fault.Auth:
		return "the connection " + connection + " does not work"
	}
	return ""
}

// sums takes what became of each record from the store, where the fold has counted it.
func (p *Pipeline) sums(ctx context.Context, r *Report) error {
	run, err := p.store.Run(ctx, r.Run)
	if err != nil {
		return err
	}
	for i := range r.Sources {
		sr := &r.Sources[i]
		sr.RunSource = store.RunSource{Source: sr.Source} // nothing was saved, unless the run says so
		for _, s := range run.Sources {
			if s.Source == sr.Source {
				sr.RunSource = s
			}
		}
		if !sr.Balanced() {
			return fault.New(fault.Internal, sr.Source, fmt.Sprintf("the sums do not balance: read %d, stored %d, unchanged %d, skipped %d, rejected %d",
				sr.Read, sr.Stored, sr.Unchanged, sr.Skipped, sr.Rejected), "report this", nil)
		}
		if sr.Rejected > 0 {
			r.partial("%s: %d of %d records rejected", sr.Source, sr.Rejected, sr.Read)
		}
	}
	return nil
}
