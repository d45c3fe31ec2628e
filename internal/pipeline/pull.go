package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"energyd/connectors"
	"energyd/internal/config"
	"energyd/internal/fault"
	"energyd/internal/store"
	"energyd/mapping"
)

// batchSize is how many records are read, mapped and saved at once. It bounds memory.
const batchSize = 20_000

// Report is what a run came to.
type Report struct {
	Run     string           `json:"run"`
	State   store.RunState   `json:"state"`
	Sources []SourceReport   `json:"sources,omitempty"`
	Fold    *store.FoldStats `json:"fold,omitempty"`
	Titles  map[string]int   `json:"unknown_titles,omitempty"` // titles without a rank, with how often they were met
	Errors  []error          `json:"-"`                        // of sources that failed; the others went on
}

// SourceReport is what one source gave: Read = Stored + Unchanged + Skipped + Rejected.
type SourceReport struct {
	store.RunSource
	Skips  map[string]int `json:"skips,omitempty"`  // skipped records by reason
	Reread bool           `json:"reread,omitempty"` // the mapping changed, so everything was read again
	Error  string         `json:"error,omitempty"`
}

// Balanced reports that every record that was read is accounted for (rule 1).
func (s SourceReport) Balanced() bool {
	return s.Read == s.Stored+s.Unchanged+s.Skipped+s.Rejected
}

// Pull reads new and changed records of the named sources (all when none is
// named) into the store and folds them into the scores. A source that fails
// does not stop the others. Faults: config (no such source), and what the store gives.
func (p *Pipeline) Pull(ctx context.Context, names ...string) (Report, error) {
	sources, err := p.sources(names)
	if err != nil {
		return Report{}, err
	}
	return p.run(ctx, "pull", func(ctx context.Context, r *Report) error {
		return p.pull(ctx, sources, r)
	})
}

// run wraps a run's steps in its record: whatever happens, the run ends with a state.
func (p *Pipeline) run(ctx context.Context, kind string, steps func(context.Context, *Report) error) (Report, error) {
	var r Report
	var err error
	if r.Run, err = p.store.BeginRun(ctx, kind, p.opt.Now()); err != nil {
		return r, err
	}
	p.opt.Log.Info("run begins", "run", r.Run, "kind", kind)
	err = steps(ctx, &r)
	message := ""
	switch {
	case fault.KindOf(err) == fault.Quota:
		r.State, message = store.Parked, err.Error()
	case err != nil:
		r.State, message = store.Failed, err.Error()
	case len(r.Errors) > 0:
		r.State, message = store.Failed, errors.Join(r.Errors...).Error()
	case r.State == store.Running:
		r.State = store.OK
	}
	// The run's end is kept even when the run was told to stop.
	end := context.WithoutCancel(ctx)
	if endErr := p.store.FinishRun(end, r.Run, p.opt.Now(), r.State, message); endErr != nil {
		return r, errors.Join(err, endErr)
	}
	p.opt.Log.Info("run ends", "run", r.Run, "state", string(r.State))
	return r, err
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
				fmt.Sprintf("name one of %q, or none for all", known), nil)
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
	for _, src := range sources {
		sr, err := p.pullSource(ctx, r, src)
		if err != nil {
			if ctx.Err() != nil || fault.KindOf(err) == fault.Internal {
				return err
			}
			sr.Error = err.Error()
			r.Errors = append(r.Errors, err)
		}
		r.Sources = append(r.Sources, sr)
	}
	fold, err := p.store.Fold(ctx, scorer{p.points}, p.AsOf())
	if err != nil {
		return err
	}
	r.Fold = &fold
	return p.sums(ctx, r)
}

// sums takes what became of each record from the store, where the fold has
// counted it, and sets the run's state.
func (p *Pipeline) sums(ctx context.Context, r *Report) error {
	run, err := p.store.Run(ctx, r.Run)
	if err != nil {
		return err
	}
	r.State = store.OK
	for i := range r.Sources {
		sr := &r.Sources[i]
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
			r.State = store.Partial
		}
	}
	return nil
}

func (p *Pipeline) pullSource(ctx context.Context, r *Report, src config.Source) (SourceReport, error) {
	sr := SourceReport{RunSource: store.RunSource{Source: src.Name}, Skips: map[string]int{}}
	fail := func(err error) (SourceReport, error) { return sr, fmt.Errorf("%s: %w", src.Name, err) }
	conn, err := p.conn(ctx, src.Connection)
	if err != nil {
		return fail(err)
	}
	source, err := conn.Source(ctx, src.Stream)
	if err != nil {
		return fail(err)
	}
	defer source.Close()
	m := mapper{Mapping: p.mappings[src.Name], source: src.Name, now: p.opt.Now().UnixMicro(), report: &sr, titles: r.Titles}
	if m.revision, sr.Reread, err = p.store.UseMapping(ctx, src.Name, m.Fingerprint()); err != nil {
		return fail(err)
	}
	cursor, err := p.store.Cursor(ctx, src.Name)
	if err != nil {
		return fail(err)
	}
	if m.directory, err = p.store.Directory(ctx); err != nil {
		return fail(err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	for read := range readAhead(ctx, source, cursor) {
		if read.err != nil {
			return fail(read.err)
		}
		b := m.batch(read.Batch)
		b.Run, b.After = r.Run, cursor
		if err := p.store.SaveBatch(ctx, b); err != nil {
			return fail(err)
		}
		cursor = read.Next
		if p.opt.Progress != nil {
			p.opt.Progress(src.Name, sr.Read)
		}
	}
	return sr, nil
}

type read struct {
	connectors.Batch
	err error
}

// readAhead reads the next batch while the last one is mapped and saved. The
// channel ends after the last batch, or after an error. Cancel ctx to stop early.
func readAhead(ctx context.Context, source connectors.Source, cursor connectors.Cursor) <-chan read {
	out := make(chan read)
	go func() {
		defer close(out)
		for {
			b, err := source.Read(ctx, cursor, batchSize)
			select {
			case out <- read{b, err}:
			case <-ctx.Done():
				return
			}
			if err != nil || !b.More {
				return
			}
			cursor = b.Next
		}
	}()
	return out
}

// mapper maps one source's batches.
type mapper struct {
	*mapping.Mapping
	source    string
	revision  uint32 // of the mapping
	now       int64  // version of records whose source tells none, Unix microseconds
	directory mapping.Directory
	report    *SourceReport
	titles    map[string]int // unknown ones, with how often they were met
}

// batch maps a batch's records: each becomes an activity, a profile, a skip or a reject.
func (m *mapper) batch(in connectors.Batch) store.Batch {
	out := store.Batch{Source: m.source, Next: in.Next, Interval: in.Interval,
		Read: len(in.Records) + len(in.Rejects), Rejects: in.Rejects}
	for _, rec := range in.Records {
		res, err := m.Apply(rec, m.directory)
		if err != nil {
			r := connectors.Reject{Key: rec.Key, Origin: rec.Origin, Code: "mapping", Reason: err.Error(), Fields: rec.Fields()}
			var reject *mapping.RejectError
			if errors.As(err, &reject) {
				r.Code, r.Reason = reject.Code, reject.Reason
			}
			out.Rejects = append(out.Rejects, r)
			continue
		}
		out.Through = append(out.Through, rec.Key)
		m.keep(&out, res)
		if t := res.UnknownTitle; t != "" && (m.titles[t] > 0 || len(m.titles) < 1000) {
			m.titles[t]++
		}
	}
	m.report.Read += out.Read
	return out
}

func (m *mapper) keep(out *store.Batch, res mapping.Result) {
	if a := res.Activity; a != nil {
		a.Revision = m.revision
		if a.Version == 0 {
			a.Version = m.now
		}
	}
	switch {
	case res.Skip != "":
		out.Skipped++
		m.report.Skips[res.Skip]++
		if res.Activity != nil {
			out.Withdrawn = append(out.Withdrawn, *res.Activity)
		}
	case res.Activity != nil:
		out.Activities = append(out.Activities, *res.Activity)
	default:
		out.Profiles = append(out.Profiles, *res.Profile)
	}
}
