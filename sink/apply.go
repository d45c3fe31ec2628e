package sink

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/fault"
)

// Outcome is what an apply came to: Planned = Written + Rejected + Deferred + Edited + Parked.
type Outcome struct {
	Plan     string   `json:"plan"`
	Planned  int      `json:"planned"`
	Written  int      `json:"written"`
	Rejected int      `json:"rejected"`           // refused for good, until the data change
	Deferred int      `json:"deferred"`           // refused for now
	Edited   int      `json:"edited"`             // not sent: somebody changed the record after the plan was made
	Parked   int      `json:"parked"`             // not sent: the apply ended before; the same plan can go on
	Problems []string `json:"problems,omitempty"` // the CRM's words, the first of them
}

// Whole reports that each planned change was written.
func (o Outcome) Whole() bool { return o.Written == o.Planned }

// expiry is how long a plan may wait to be applied: by then the scores and the CRM have moved on.
const expiry = 24 * time.Hour

// Apply sends the plan with this hash, or the latest for "". Only what the plan
// holds is sent, each batch journaled before and answered after. A record that
// somebody changed since the plan was made is left alone. A plan that was
// interrupted goes on where it stopped; a plan without changes is done at once.
// Faults: conflict (no such plan, applied, replaced, too old), quota (parked), auth, unavailable.
func (s *Sink) Apply(ctx context.Context, hash string, now time.Time) (Outcome, error) {
	plan, ok, err := s.Store.Plan(ctx, hash)
	if err != nil {
		return Outcome{}, err
	}
	refuse := func(hint, format string, args ...any) (Outcome, error) {
		return Outcome{}, fault.New(fault.Conflict, "apply", fmt.Sprintf(format, args...), hint, nil)
	}
	switch {
	case !ok && hash == "":
		return refuse("run energyd plan first", "there is no plan")
	case !ok:
		return refuse("run energyd plan, and take the hash that it prints", "there is no plan %s", hash)
	case plan.Records == 0:
		return Outcome{Plan: plan.Plan}, nil
	case plan.State == Superseded:
		return refuse("apply the newer plan; energyd status names it", "plan %s was replaced by a newer one", plan.Plan)
	case plan.State == Done:
		return refuse("run energyd plan for what has changed since", "plan %s has been applied already", plan.Plan)
	case now.Sub(plan.Created) > expiry:
		return refuse("run energyd plan again", "plan %s is older than %s", plan.Plan, expiry)
	}
	if err := s.recover(ctx); err != nil {
		return Outcome{}, err
	}
	if err := s.Store.SetPlanState(ctx, plan.Run, Applying); err != nil {
		return Outcome{}, err
	}
	out := Outcome{Plan: plan.Plan, Planned: plan.Records}
	sendErr := s.send(ctx, plan, &out)
	// What was answered stays counted even when we were told to stop.
	if err := s.count(context.WithoutCancel(ctx), plan, &out); err != nil {
		return out, err
	}
	switch {
	case sendErr != nil:
		return out, sendErr
	case out.Parked > 0:
		return out, fault.New(fault.Conflict, "apply", fmt.Sprintf("%d changes of plan %s were taken away meanwhile", out.Parked, plan.Plan), "run energyd plan again", nil)
	}
	return out, s.Store.SetPlanState(ctx, plan.Run, Done)
}

// count takes the outcome from the journal, so that a resumed apply counts all of its plan.
func (s *Sink) count(ctx context.Context, plan Summary, out *Outcome) error {
	n, err := s.Store.CountChanges(ctx, plan.Run)
	if err != nil {
		return err
	}
	out.Written, out.Rejected, out.Deferred, out.Edited = n[Written], n[Rejected], n[Deferred], n[Edited]
	out.Parked = out.Planned - out.Written - out.Rejected - out.Deferred - out.Edited
	return nil
}

func (s *Sink) send(ctx context.Context, plan Summary, out *Outcome) error {
	for after := 0; ; {
		changes, err := s.Store.Changes(ctx, plan.Run, after, chunk, Planned, Deferred)
		if err != nil || len(changes) == 0 {
			return err
		}
		after = changes[len(changes)-1].Seq
		for some := range byWriting(changes) {
			w, ok := s.writing(some[0].Writing)
			if !ok {
				return fault.New(fault.Conflict, "apply", fmt.Sprintf("plan %s writes to %s, which is no longer in the configuration", plan.Plan, some[0].Writing), "run energyd plan again", nil)
			}
			untouched, err := s.leaveEdited(ctx, plan.Run, w, some)
			if err != nil {
				return err
			}
			for batch := range slices.Chunk(untouched, w.Target.WriteSize()) {
				if err := s.sendBatch(ctx, plan.Run, w, batch, out); err != nil {
					return err
				}
			}
		}
	}
}

// byWriting cuts a plan's changes where the Writing changes: one Writing's stand together.
func byWriting(changes []Change) func(yield func([]Change) bool) {
	return func(yield func([]Change) bool) {
		for len(changes) > 0 {
			n := 1
			for n < len(changes) && changes[n].Writing == changes[0].Writing {
				n++
			}
			if !yield(changes[:n]) {
				return
			}
			changes = changes[n:]
		}
	}
}

// leaveEdited asks the CRM once more, and takes out the records that no longer
// hold what the plan found: a person's edit stays, and the journal's old
// values are those that are really overwritten.
func (s *Sink) leaveEdited(ctx context.Context, run string, w Writing, changes []Change) ([]Change, error) {
	rows, err := w.read(ctx, changes)
	if err != nil {
		return nil, err
	}
	var untouched, edited []Change
	for i, c := range changes {
		as := func(value func(Delta) any) bool {
			return !rows[i].Missing && !slices.ContainsFunc(c.Fields, func(d Delta) bool { return !same(rows[i].Values[d.Field], value(d)) })
		}
		// A deferred or resumed change may have arrived already: sending it again is harmless.
		if as(func(d Delta) any { return d.Old }) || as(func(d Delta) any { return d.New }) {
			untouched = append(untouched, c)
			continue
		}
		c.State, c.Error = Edited, "changed in the CRM after the plan was made"
		edited = append(edited, c)
	}
	if len(edited) == 0 {
		return untouched, nil
	}
	return untouched, s.Store.Keep(ctx, run, edited, nil)
}

func (s *Sink) sendBatch(ctx context.Context, run string, w Writing, batch []Change, out *Outcome) error {
	updates := make([]connectors.Update, len(batch))
	seqs := make([]int, len(batch))
	ids := make([]string, len(batch))
	for i, c := range batch {
		seqs[i], ids[i] = c.Seq, c.ID
		updates[i] = connectors.Update{ID: c.ID, Values: make(map[string]any, len(c.Fields))}
		for _, d := range c.Fields {
			updates[i].Values[d.Field] = d.New
		}
	}
	last, err := s.Store.LastWritten(ctx, w.Name, ids)
	if err != nil {
		return err
	}
	// Invariant 2: a change is in the journal, with its old value, before it is sent.
	if err := s.Store.MarkSending(ctx, run, seqs); err != nil {
		return err
	}
	results, err := w.Target.Write(ctx, w.Object, updates)
	if err != nil {
		return fmt.Errorf("write %s: %w", w.Name, err)
	}
	if len(results) != len(updates) {
		return fault.New(fault.Internal, "write "+w.Name, fmt.Sprintf("%d answers to %d updates", len(results), len(updates)), "report this", nil)
	}
	var accepted []Accepted
	for i, r := range results {
		c := &batch[i]
		switch r.Outcome {
		case connectors.Written:
			c.State, c.Error = Written, ""
			accepted = append(accepted, w.accept(*c, last[c.ID]))
			continue
		case connectors.Deferred:
			c.State = Deferred
		default:
			c.State = Rejected
		}
		c.Error = fmt.Sprint(r.Err)
		out.Problems = append(out.Problems, limited(out.Problems, []string{fmt.Sprintf("%s %s (%s): %s", w.Name, c.ID, c.Name, c.Error)})...)
	}
	// The fingerprint of a record is stored only after the CRM accepted that very
	// record (rule 2), and what it accepted is kept even when we were told to stop.
	return s.Store.Keep(context.WithoutCancel(ctx), run, batch, accepted)
}

// accept is the record of a change that the CRM took.
func (w Writing) accept(c Change, last map[string]any) Accepted {
	values := maps.Clone(last)
	if values == nil {
		values = make(map[string]any, len(c.Fields))
	}
	for _, d := range c.Fields {
		values[d.Field] = d.New
	}
	return Accepted{Writing: w.Name, Entity: engine.Entity{Kind: w.Kind, ID: c.ID}, Values: values, Settled: true}
}

// recover settles changes that were being sent when a run was killed, by
// asking the CRM: what it holds as we sent it was written; the rest waits to
// be planned or sent again.
func (s *Sink) recover(ctx context.Context) error {
	unanswered, err := s.Store.Unanswered(ctx)
	if err != nil {
		return err
	}
	for run, changes := range unanswered {
		for some := range byWriting(changes) {
			if err := s.recoverSome(ctx, run, some); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Sink) recoverSome(ctx context.Context, run string, changes []Change) error {
	w, ok := s.writing(changes[0].Writing)
	if !ok { // no longer configured: there is nobody to ask
		for i := range changes {
			changes[i].State = Dropped
		}
		return s.Store.Keep(ctx, run, changes, nil)
	}
	rows, err := w.read(ctx, changes)
	if err != nil {
		return err
	}
	ids := make([]string, len(changes))
	for i, c := range changes {
		ids[i] = c.ID
	}
	last, err := s.Store.LastWritten(ctx, w.Name, ids)
	if err != nil {
		return err
	}
	var accepted []Accepted
	for i := range changes {
		c := &changes[i]
		c.State = Planned
		if !rows[i].Missing && !slices.ContainsFunc(c.Fields, func(d Delta) bool { return !same(rows[i].Values[d.Field], d.New) }) {
			c.State = Written
			accepted = append(accepted, w.accept(*c, last[c.ID]))
		}
	}
	return s.Store.Keep(ctx, run, changes, accepted)
}

func (s *Sink) writing(name string) (Writing, bool) {
	i := slices.IndexFunc(s.Writings, func(w Writing) bool { return w.Name == name })
	if i < 0 {
		return Writing{}, false
	}
	return s.Writings[i], true
}
