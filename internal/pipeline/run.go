package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"energyd/connectors"
	"energyd/internal/fault"
	"energyd/internal/store"
)

// Report is what a run came to.
type Report struct {
	Run     string           `json:"run"`
	State   store.RunState   `json:"state"`
	Notes   []string         `json:"notes,omitempty"` // why it is not ok, kept with the run
	Sources []SourceReport   `json:"sources,omitempty"`
	Fold    *store.FoldStats `json:"fold,omitempty"`
	Titles  map[string]int   `json:"unknown_titles,omitempty"` // titles without a rank, with how often they were met
	// Warnings are what an admin should know before a plan is sent; they stop nothing.
	Warnings []string `json:"warnings,omitempty"`
	Errors   []error  `json:"-"` // of sources that failed; the others went on
}

// partial notes why a run that finished is not ok.
func (r *Report) partial(format string, args ...any) {
	if r.State == store.Running || r.State == store.OK {
		r.State = store.Partial
	}
	r.Notes = append(r.Notes, fmt.Sprintf(format, args...))
}

// run wraps a run's steps in its record and its lanes: whatever happens, it ends
// with a state. Faults: conflict (another run is at work, or has done it meanwhile).
func (p *Pipeline) run(ctx context.Context, kind string, lanes Lanes, steps func(context.Context, *Report) error) (r Report, err error) {
	if p.AsOf() > p.today() {
		return r, fault.New(fault.Config, kind, fmt.Sprintf("%s lies in the future", p.AsOf()),
			"leave --as-of out; explain, export and score can look ahead", nil)
	}
	if p.hold, err = p.lock(ctx, lanes); err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, p.hold.Leave()) }()
	ctx, cancel := p.hold.While(ctx)
	defer cancel()
	if err := p.stillToDo(ctx, kind); err != nil {
		return r, err
	}
	if r.Run, err = p.store.BeginRun(ctx, kind, p.opt.Now(), p.hold.Lanes()...); err != nil {
		return r, err
	}
	if p.errand != 0 {
		if err := p.store.BeginErrand(ctx, p.errand, r.Run); err != nil {
			return r, err
		}
	}
	if slices.Contains(lanes.Must, store.Scores) {
		p.purge(ctx)
	}
	p.log = p.opt.Log.With("run", r.Run)
	defer func() { p.log = p.opt.Log }()
	p.log.Info("run begins", "kind", kind)
	ctx, told := p.observe(ctx, kind, r.Run)
	defer func() { told(&r, err) }()
	if err = p.noteConfiguration(ctx, r.Run); err == nil {
		err = p.store.WakeRejects(ctx, p.opt.Now())
	}
	if err == nil {
		err = steps(ctx, &r)
	}
	failures := r.Errors
	if err != nil {
		failures = append(failures, err)
	}
	whole := slices.DeleteFunc(slices.Clone(failures), partly)
	switch {
	case len(whole) > 0:
		r.State = store.Failed
		if !slices.ContainsFunc(whole, func(err error) bool { return !parks(err) }) {
			r.State = store.Parked
		}
	case r.State == store.Parked:
	case len(failures) > 0:
		r.State = store.Partial
	case r.State == store.Running:
		r.State = store.OK
	}
	for _, f := range failures {
		r.Notes = append(r.Notes, said(f))
	}
	if err != nil && ctx.Err() != nil {
		r.Notes = []string{store.Interrupted} // whatever else it says comes of that
		err = errors.Join(context.Cause(ctx), err)
	}
	// The run's end is kept even when the run was told to stop.
	end := context.WithoutCancel(ctx)
	if endErr := p.store.FinishRun(end, r.Run, p.opt.Now(), r.State, strings.Join(r.Notes, "\n")); endErr != nil {
		return r, errors.Join(err, endErr)
	}
	p.tellSources(&r)
	p.log.Info("run ends", "state", string(r.State))
	return r, err
}

// stillToDo refuses a run that another one, which had the lanes before, has done.
func (p *Pipeline) stillToDo(ctx context.Context, kind string) error {
	done := false
	if p.done != nil {
		last, err := p.store.LastStarts(ctx)
		if err != nil {
			return err
		}
		done = p.done(last)
	}
	if p.errand != 0 && !done {
		e, ok, err := p.store.Errand(ctx, p.errand)
		if err != nil {
			return err
		}
		done = !ok || !e.Ended.IsZero()
	}
	if done {
		return fault.New(fault.Conflict, kind, "another process has done it meanwhile", "energyd status shows its run", nil)
	}
	return nil
}

// tellSources logs what became of each source.
func (p *Pipeline) tellSources(r *Report) {
	for _, s := range r.Sources {
		if log := p.log.With("source", s.Source); s.Error != "" {
			log.Warn("source failed", "error", s.Error)
		} else {
			log.Info("source read", "read", s.Read, "stored", s.Stored, "unchanged", s.Unchanged, "skipped", s.Skipped, "rejected", s.Rejected)
		}
	}
}

// parks tells an error after which a run waits: for the next day, or for a person's word.
func parks(err error) bool {
	kind := fault.KindOf(err)
	return kind == fault.Quota || kind == fault.Braked
}

// partly tells an error of some parts of a source, whose rest was read.
func partly(err error) bool {
	var part *connectors.PartError
	return errors.As(err, &part)
}

// said is an error with what to do about it, as it is kept with the run.
func said(err error) string {
	if hint := fault.HintOf(err); hint != "" {
		return err.Error() + "; what to do: " + hint
	}
	return err.Error()
}
