package pipeline

import (
	"context"

	"energyd/internal/store"
	"energyd/sink"
)

// Undoing is what an undo came to.
type Undoing struct {
	Plan     sink.Summary      `json:"plan"`
	Changes  []sink.Change     `json:"changes,omitempty"` // of a preview
	Outcome  sink.Outcome      `json:"outcome,omitzero"`
	Verified sink.Verification `json:"verified,omitzero"`
}

// Undo takes back what a run wrote to the CRM, of one record or of all for "",
// where the CRM still holds it, and reads back what it restored. name is the run that
// planned or applied, or the plan's hash. Faults: config (that run wrote nothing).
func (p *Pipeline) Undo(ctx context.Context, name, record string) (Report, Undoing, error) {
	of, err := p.store.PlanOf(ctx, name)
	if err != nil {
		return Report{}, Undoing{}, err
	}
	var u Undoing
	r, err := p.run(ctx, "undo", p.WriteLanes(), func(ctx context.Context, r *Report) (err error) {
		u, err = p.undo(ctx, r, of, record)
		return err
	})
	return r, u, err
}

func (p *Pipeline) undo(ctx context.Context, r *Report, of sink.Summary, record string) (u Undoing, err error) {
	s, err := p.sink(ctx)
	if err != nil {
		return u, err
	}
	defer p.countCalls(ctx)
	if u.Plan, err = s.PlanUndo(ctx, r.Run, of, record, p.opt.Now()); err != nil {
		return u, err
	}
	if err := p.journal(ctx, store.Undid, r.Run, of.Run, record); err != nil {
		return u, err
	}
	if n := u.Plan.KeptCount + u.Plan.Unfit; n > 0 {
		r.partial("%d fields were not restored: the CRM holds something else there by now, or they cannot be written", n)
	}
	if u.Plan.Missing > 0 {
		r.partial("%d records are not in the CRM any more, as far as the run-as user sees", u.Plan.Missing)
	}
	if u.Plan.Records == 0 {
		u.Outcome.Plan = u.Plan.Plan
		return u, nil
	}
	u.Outcome, err = s.Apply(ctx, u.Plan.Plan, p.opt.Now())
	if n := u.Outcome.Rejected + u.Outcome.Deferred + u.Outcome.Edited; n > 0 {
		r.partial("%d of %d records were not restored: refused by the CRM, or edited meanwhile", n, u.Outcome.Planned)
	}
	if err != nil {
		return u, err
	}
	if u.Verified, err = s.Verify(ctx, r.Run); err == nil && u.Verified.Held < u.Verified.Fields {
		r.partial("%d of %d fields do not hold what was restored", u.Verified.Fields-u.Verified.Held, u.Verified.Fields)
	}
	return u, err
}

// PreviewUndo says what Undo would do; it keeps and writes nothing.
func (p *Pipeline) PreviewUndo(ctx context.Context, name, record string) (u Undoing, err error) {
	of, err := p.store.PlanOf(ctx, name)
	if err != nil {
		return u, err
	}
	s, err := p.sink(ctx)
	if err != nil {
		return u, err
	}
	defer p.countCalls(ctx)
	u.Plan, err = s.PreviewUndo(ctx, of, record, p.opt.Now(), func(changes []sink.Change) error {
		u.Changes = append(u.Changes, changes...)
		return nil
	})
	return u, err
}
