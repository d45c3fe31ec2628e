package pipeline

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"energyd/internal/fault"
	"energyd/internal/store"
	"energyd/internal/telemetry"
	"energyd/sink"
)

// Plan computes what would change in the CRM, and keeps it under a hash. It writes nothing to the CRM.
func (p *Pipeline) Plan(ctx context.Context) (Report, sink.Summary, error) {
	var sum sink.Summary
	r, err := p.run(ctx, "plan", p.WriteLanes(), func(ctx context.Context, r *Report) (err error) {
		sum, err = p.plan(ctx, r)
		return err
	})
	return r, sum, err
}

func (p *Pipeline) plan(ctx context.Context, r *Report) (sink.Summary, error) {
	if len(p.cfg.Write) == 0 {
		return sink.Summary{}, noWrite("plan")
	}
	s, err := p.sink(ctx)
	if err != nil {
		return sink.Summary{}, err
	}
	// What was pulled and not yet folded (a run was killed) and what falls due by the date alone come first.
	if _, err := p.fold(ctx); err != nil {
		return sink.Summary{}, err
	}
	if _, err := p.store.MarkDue(ctx, p.scorer(), p.AsOf()); err != nil {
		return sink.Summary{}, err
	}
	if err := p.raise(ctx, r); err != nil {
		return sink.Summary{}, err
	}
	if err := p.advise(ctx, r); err != nil {
		return sink.Summary{}, err
	}
	if err := p.forgetPlans(ctx); err != nil {
		return sink.Summary{}, err
	}
	if s.Unread, err = p.unread(ctx); err != nil {
		return sink.Summary{}, err
	}
	defer p.countCalls(ctx)
	planning, span := telemetry.Step(ctx, "plan")
	sum, err := s.Plan(planning, r.Run, p.AsOf(), p.opt.Now(), p.wanted)
	span.Count("records", sum.Records)
	span.End(err)
	var problems fault.Problems
	if errors.As(err, &problems) {
		err = p.cfg.Place(problems)
	}
	if err == nil && sum.Records > 0 {
		err = p.journal(ctx, store.Planned, r.Run, sum.Plan, "")
	}
	if sum.Unfit > 0 {
		r.partial("%d values do not fit their CRM fields", sum.Unfit)
	}
	return sum, err
}

func noWrite(op string) error {
	return fault.New(fault.Config, op, "the configuration has no write section", "say under write: which values go into which CRM fields", nil)
}

// unread gives the brakes that hold because of how sources were read.
func (p *Pipeline) unread(ctx context.Context) ([]sink.Brake, error) {
	reads, err := p.store.Reads(ctx, p.sourceNames())
	if err != nil {
		return nil, err
	}
	var held []sink.Brake
	for _, read := range reads {
		held = append(held, p.cfg.Brakes.OfSource(read, p.opt.Now())...)
	}
	return held, nil
}

// forgetPlans deletes the changes of plans that are kept no longer.
func (p *Pipeline) forgetPlans(ctx context.Context) error {
	var kept time.Time // for ever
	if p.cfg.Plans.Keep > 0 {
		kept = p.opt.Now().Add(-p.cfg.Plans.Keep)
	}
	return p.store.PurgePlans(ctx, kept, p.opt.Now().Add(-p.cfg.Plans.Expires))
}

// Apply sends the plan with this hash, or the latest open one for "". Options.Override
// lets it go on where brakes hold it, and is journaled. Faults: those of sink.Apply.
func (p *Pipeline) Apply(ctx context.Context, hash string) (Report, sink.Outcome, error) {
	var out sink.Outcome
	r, err := p.run(ctx, "apply", p.WriteLanes(), func(ctx context.Context, r *Report) (err error) {
		out, err = p.apply(ctx, hash, sink.Word{Named: hash != "", Reason: p.opt.Override}, r)
		return err
	})
	return r, out, err
}

func (p *Pipeline) apply(ctx context.Context, hash string, word sink.Word, r *Report) (sink.Outcome, error) {
	s, err := p.sink(ctx)
	if err != nil {
		return sink.Outcome{}, err
	}
	s.Word = word
	plan, err := s.Ready(ctx, hash, p.opt.Now())
	if err != nil {
		return sink.Outcome{}, err
	}
	if len(plan.Brakes) > 0 && word.Reason != "" {
		if err := p.journal(ctx, store.Overrode, r.Run, plan.Run, word.Reason); err != nil {
			return sink.Outcome{}, err
		}
	}
	if plan.Records > 0 {
		if err := p.journal(ctx, store.Applied, r.Run, plan.Run, ""); err != nil {
			return sink.Outcome{}, err
		}
	}
	defer p.countCalls(ctx)
	applying, span := telemetry.Step(ctx, "apply")
	out, err := s.Apply(applying, hash, p.opt.Now())
	span.Count("records", plan.Records)
	span.End(err)
	if n := out.Rejected + out.Deferred; n > 0 {
		r.partial("%d of %d changes refused by the CRM: energyd rejects list", n, out.Planned)
	}
	if out.Edited > 0 {
		r.partial("%d of %d changes not sent: the records were changed in the CRM after the plan was made", out.Edited, out.Planned)
	}
	return out, err
}

// Sync pulls, plans and applies once: what the nightly schedule runs. A source
// that failed leaves its customers' energy as it was known; the run is failed,
// but what the other sources gave is written.
func (p *Pipeline) Sync(ctx context.Context) (Report, sink.Summary, sink.Outcome, error) {
	var sum sink.Summary
	var out sink.Outcome
	r, err := p.run(ctx, "sync", p.SyncLanes(), func(ctx context.Context, r *Report) (err error) {
		if err := p.pull(ctx, p.free(r, p.cfg.Sources), r); err != nil {
			return err
		}
		if len(p.cfg.Write) == 0 { // who only reads, for reports, has nights too
			return p.settle(ctx, r)
		}
		if sum, err = p.plan(ctx, r); err != nil {
			return err
		}
		switch {
		case sum.Records == 0:
		case len(sum.Brakes) > 0:
			p.park(r, sum)
		default:
			if out, err = p.apply(ctx, sum.Plan, sink.Word{}, r); err != nil {
				return err
			}
		}
		return p.recountNightly(ctx, r)
	})
	return r, sum, out, err
}

// park ends a run whose plan waits for a person. It says so first: whatever watches runs tells that.
func (p *Pipeline) park(r *Report, plan sink.Summary) {
	var notes []string
	for _, b := range plan.Brakes {
		notes = append(notes, b.String()+"; what to do: "+b.What)
	}
	notes = append(notes, fmt.Sprintf("nothing was written; plan %s is kept. If it is right: %s", plan.Plan, plan.Release()))
	r.State, r.Notes = store.Parked, append(notes, r.Notes...)
	p.log.Error("the write-back waits: brakes hold its plan", "plan", plan.Plan, "brakes", plan.Brakes)
}

// Edited gives the changes of a plan that were not sent, since somebody changed
// the records in the CRM after the plan was made.
func (p *Pipeline) Edited(ctx context.Context, hash string) ([]sink.Change, error) {
	plan, ok, err := p.store.Plan(ctx, hash)
	if err != nil || !ok {
		return nil, err
	}
	return p.store.Changes(ctx, plan.Run, "", -1, math.MaxInt32, sink.Edited)
}

// Verify reads back from the CRM what the plan of a run wrote.
func (p *Pipeline) Verify(ctx context.Context, run string) (sink.Verification, error) {
	s, err := p.sink(ctx)
	if err != nil {
		return sink.Verification{}, err
	}
	return s.Verify(ctx, run)
}
