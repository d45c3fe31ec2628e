package pipeline

import (
	"context"
	"slices"
	"time"

	"energyd/internal/config"
	"energyd/internal/schedule"
	"energyd/internal/store"
	"energyd/sink"
)

// Status is what an admin asks first: what ran, how far, what is kept back, what comes next.
type Status struct {
	Runs     []store.Run // latest first
	AtWork   []store.Run // without an end, and their processes are there; the others without one were interrupted
	Sources  []SourceStatus
	Rejects  []store.RejectCount
	Review   ReviewStatus
	People   int      // rejects that no run heals by itself
	Advice   []string // what to do about many rejects
	Quality  []string // of each source with warnings: which
	Arrivals []Arrival
	Budgets  []store.SeenUsage
	Plan     *sink.Summary  // open or being applied; nil when there is none
	Starts   []Start        // what energyd run starts next
	Zone     *time.Location // of the configuration: in which people read the times
	File     string         // the configuration's
	// Unconfigured sources have been read, but stand in the configuration no longer.
	Unconfigured []string
}

// SourceStatus is how far a source was read.
type SourceStatus struct {
	Name    string
	Read    bool      // at least once
	Until   time.Time // change times before this were read, UTC; zero when the source tells none
	Rejects int
	// Verified says up to which time of change the source was counted, and has no more than was read of
	// it, UTC; zero when it was not yet. Checked is when the part looked at longest ago was.
	Verified, Checked time.Time
}

// Status reads the store; it asks no source and no CRM.
func (p *Pipeline) Status(ctx context.Context) (Status, error) {
	var s Status
	var err error
	if s.Runs, err = p.store.Runs(ctx, 10); err != nil {
		return s, err
	}
	if s.AtWork, err = p.store.AtWork(ctx); err != nil {
		return s, err
	}
	if s.Rejects, err = p.store.RejectCounts(ctx); err != nil {
		return s, err
	}
	if s.People, err = p.needPeople(ctx); err != nil {
		return s, err
	}
	if s.Advice, err = p.rejectAdvice(ctx); err != nil {
		return s, err
	}
	for _, src := range p.cfg.Sources {
		cursor, err := p.store.Cursor(ctx, src.Name)
		if err != nil {
			return s, err
		}
		st := SourceStatus{Name: src.Name, Read: cursor != ""}
		if st.Until, err = p.readUntil(ctx, src.Name); err != nil {
			return s, err
		}
		if st.Verified, st.Checked, err = p.verified(ctx, src.Name); err != nil {
			return s, err
		}
		for _, c := range s.Rejects {
			if c.Source == src.Name {
				st.Rejects += c.Count
			}
		}
		s.Sources = append(s.Sources, st)
	}
	if s.Quality, err = p.qualityLines(ctx); err != nil {
		return s, err
	}
	if s.Arrivals, err = p.Arrivals(ctx); err != nil {
		return s, err
	}
	if s.Budgets, err = p.store.Usages(ctx); err != nil {
		return s, err
	}
	plan, ok, err := p.store.Plan(ctx, "")
	if err != nil {
		return s, err
	}
	if ok && plan.State != sink.Done {
		s.Plan = &plan
	}
	if s.Review, err = p.reviewStatus(ctx); err != nil {
		return s, err
	}
	if s.Unconfigured, err = p.unconfigured(ctx); err != nil {
		return s, err
	}
	s.File = p.cfg.File
	s.Zone = p.Zone()
	s.Starts, err = p.starts(ctx)
	return s, err
}

// Start is when a job starts next.
type Start struct {
	schedule.Job
	At     time.Time // zero for a job that waits for something else than a time
	Missed bool      // it should have started at At; energyd run makes up for it when it is there
}

// starts are the next starts of all jobs, as a daemon that began now would have them.
func (p *Pipeline) starts(ctx context.Context) ([]Start, error) {
	if len(p.cfg.Jobs) == 0 {
		return nil, nil
	}
	known, err := p.store.LastStarts(ctx)
	if err != nil {
		return nil, err
	}
	now := p.opt.Now()
	starts := make([]Start, len(p.cfg.Jobs))
	for i, j := range p.cfg.Jobs {
		last := known.From(j.Source, now)
		if schedule.TurnedBack(last, now) {
			last = now
		}
		due := j.Due(last, now)
		starts[i] = Start{j, due, !due.IsZero() && !due.After(now)}
	}
	return starts, nil
}

// unconfigured names the sources that the store has read and the configuration lacks.
func (p *Pipeline) unconfigured(ctx context.Context) ([]string, error) {
	known, err := p.store.Sources(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(known, func(name string) bool {
		return slices.ContainsFunc(p.cfg.Sources, func(s config.Source) bool { return s.Name == name })
	}), nil
}

// StateOf says how a run of the status stands: "running" and "interrupted" have no state of their own yet.
func (s Status) StateOf(r store.Run) string {
	switch {
	case r.State != store.Running:
		return string(r.State)
	case slices.ContainsFunc(s.AtWork, func(w store.Run) bool { return w.ID == r.ID }):
		return "running"
	}
	return "interrupted"
}
