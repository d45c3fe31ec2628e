package pipeline

import (
	"context"
	"time"

	"energyd/internal/store"
	"energyd/sink"
)

// Status is what an admin asks first: what ran, how far, what is kept back, what comes next.
type Status struct {
	Runs     []store.Run // latest first
	Sources  []SourceStatus
	Rejects  []store.RejectCount
	Plan     *sink.Summary // open or being applied; nil when there is none
	Schedule string
	Next     time.Time // zero without a schedule
}

// SourceStatus is how far a source was read.
type SourceStatus struct {
	Name    string
	Until   time.Time // change times before this were read, UTC; zero when the source tells none
	Rejects int
}

// Status reads the store; it asks no source and no CRM.
func (p *Pipeline) Status(ctx context.Context) (Status, error) {
	var s Status
	var err error
	if s.Runs, err = p.store.Runs(ctx, 10); err != nil {
		return s, err
	}
	if s.Rejects, err = p.store.RejectCounts(ctx); err != nil {
		return s, err
	}
	for _, src := range p.cfg.Sources {
		st := SourceStatus{Name: src.Name}
		intervals, err := p.store.Intervals(ctx, src.Name)
		if err != nil {
			return s, err
		}
		for _, i := range intervals {
			if i.To.After(st.Until) {
				st.Until = i.To
			}
		}
		for _, c := range s.Rejects {
			if c.Source == src.Name {
				st.Rejects += c.Count
			}
		}
		s.Sources = append(s.Sources, st)
	}
	plan, ok, err := p.store.Plan(ctx, "")
	if err != nil {
		return s, err
	}
	if ok {
		s.Plan = &plan
	}
	s.Schedule = p.cfg.Schedule
	s.Next, err = p.NextRun()
	return s, err
}
