package sink

import (
	"context"
	"fmt"
	"maps"
	"time"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/fault"
)

// Outcome is what an apply came to: Planned = Written + Rejected + Deferred + Parked.
type Outcome struct {
	Plan     string   `json:"plan"`
	Planned  int      `json:"planned"`
	Written  int      `json:"written"`
	Rejected int      `json:"rejected"`
	Deferred int      `json:"deferred"`
	Parked   int      `json:"parked"` // not sent: the call budget was gone
	Calls    int      `json:"calls"`
	Problems []string `json:"problems,omitempty"` // the CRM's words, first 20
}

// expiry is how long a plan may wait to be applied: by then the scores and the CRM have moved on.
const expiry = 24 * time.Hour

// Apply sends the plan with this hash, or the latest open one for "". Only
// what the plan holds is sent, each batch journaled before and answered after.
// A plan that was interrupted goes on where it stopped.
// Faults: conflict (no such plan, stale), quota (parked), auth, unavailable.
func (s *Sink) Apply(ctx context.Context, hash string, now time.Time) (Outcome, error) {
	plan, ok, err := s.Store.Plan(ctx, hash)
	if err != nil {
		return Outcome{}, err
	}
	switch {
	case !ok && hash == "":
		return Outcome{}, fault.New(fault.Conflict, "apply", "there is no open plan", "run energyd plan first", nil)
	case !ok:
		return Outcome{}, fault.New(fault.Conflict, "apply", fmt.Sprintf("there is no plan %s", hash), "run energyd plan, and take the hash that it prints", nil)
	case plan.State == "superseded":
		return Outcome{}, fault.New(fault.Conflict, "apply", fmt.Sprintf("plan %s was replaced by a newer one", plan.Plan), "apply the newer plan; energyd status names it", nil)
	case plan.State == "done":
		return Outcome{}, fault.New(fault.Conflict, "apply", fmt.Sprintf("plan %s has been applied already", plan.Plan), "run energyd plan for what has changed since", nil)
	case now.Sub(plan.Created) > expiry:
		return Outcome{}, fault.New(fault.Conflict, "apply", fmt.Sprintf("plan %s is older than %s", plan.Plan, expiry), "run energyd plan again", nil)
	}
	if err := s.recover(ctx); err != nil {
		return Outcome{}, err
	}
	if err := s.Store.SetPlanState(ctx, plan.Run, "applying"); err != nil {
		return Outcome{}, err
	}
	out := Outcome{Plan: plan.Plan, Planned: plan.Changes}
	sendErr := s.send(ctx, plan, &out)
	if err := s.count(ctx, plan, &out); err != nil {
		return out, err
	}
	if sendErr != nil {
		return out, sendErr
	}
	return out, s.Store.SetPlanState(ctx, plan.Run, "done")
}

func (s *Sink) send(ctx context.Context, plan Summary, out *Outcome) error {
	for after := 0; ; {
		// One Writing's changes stand together, so a batch is cut where the next begins.
		batch, err := s.Store.Changes(ctx, plan.Run, after, chunk, Planned, Deferred)
		if err != nil || len(batch) == 0 {
			return err
		}
		w, ok := s.writing(batch[0].Writing)
		if !ok {
			return fault.New(fault.Conflict, "apply", fmt.Sprintf("plan %s writes to %s, which is no longer in the configuration", plan.Plan, batch[0].Writing), "run energyd plan again", nil)
		}
		n := 0
		for n < min(len(batch), w.Target.WriteSize()) && batch[n].Writing == w.Name {
			n++
		}
		batch = batch[:n]
		if err := s.sendBatch(ctx, plan.Run, w, batch, out); err != nil {
			return err
		}
		after = batch[n-1].Seq
	}
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
	out.Calls++
	results, err := w.Target.Write(ctx, w.Object, updates)
	if err != nil {
		return fmt.Errorf("write %s: %w", w.Name, err)
	}
	if len(results) != len(updates) {
		return fault.New(fault.Internal, "write "+w.Name, fmt.Sprintf("%d answers to %d updates", len(results), len(updates)), "report this", nil)
	}
	var accepted []Accepted
	for i, r := range results {
		switch r.Outcome {
		case connectors.Written:
			batch[i].State, batch[i].Error = Written, ""
			accepted = append(accepted, s.acceptChange(w, batch[i], last[batch[i].ID]))
		case connectors.Deferred:
			batch[i].State, batch[i].Error = Deferred, r.Err.Error()
		default:
			batch[i].State, batch[i].Error = Rejected, r.Err.Error()
		}
		if r.Err != nil {
			out.Problems = append(out.Problems, limited(out.Problems, []string{fmt.Sprintf("%s %s (%s): %v", w.Name, batch[i].ID, batch[i].Name, r.Err)})...)
		}
	}
	// The fingerprint of a record is stored only after the CRM accepted that very record (rule 2).
	return s.Store.Keep(ctx, run, batch, accepted)
}

func (s *Sink) acceptChange(w Writing, c Change, last map[string]any) Accepted {
	values := maps.Clone(last)
	if values == nil {
		values = make(map[string]any, len(c.Fields))
	}
	for _, d := range c.Fields {
		values[d.Field] = d.New
	}
	return Accepted{Writing: w.Name, Entity: engine.Entity{Kind: w.Kind, ID: c.ID}, Values: values}
}

// recover settles changes that were being sent when a run was killed, by
// asking the CRM: what it holds as we sent it was written; the rest waits to
// be planned again.
func (s *Sink) recover(ctx context.Context) error {
	unanswered, err := s.Store.Unanswered(ctx)
	if err != nil {
		return err
	}
	for run, changes := range unanswered {
		byWriting := map[string][]Change{}
		for _, c := range changes {
			byWriting[c.Writing] = append(byWriting[c.Writing], c)
		}
		for name, some := range byWriting {
			w, ok := s.writing(name)
			if !ok { // no longer configured: nothing to ask
				for i := range some {
					some[i].State = Dropped
				}
				if err := s.Store.Keep(ctx, run, some, nil); err != nil {
					return err
				}
				continue
			}
			if err := s.recoverSome(ctx, run, w, some); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Sink) recoverSome(ctx context.Context, run string, w Writing, changes []Change) error {
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
	for i, row := range rows {
		arrived := !row.Missing
		for _, d := range changes[i].Fields {
			arrived = arrived && same(row.Values[d.Field], d.New)
		}
		if !arrived {
			changes[i].State = Planned
			continue
		}
		changes[i].State = Written
		accepted = append(accepted, s.acceptChange(w, changes[i], last[changes[i].ID]))
	}
	return s.Store.Keep(ctx, run, changes, accepted)
}

// count takes the outcome from the journal, so that a resumed apply counts all of its plan.
func (s *Sink) count(ctx context.Context, plan Summary, out *Outcome) error {
	for after := 0; ; {
		some, err := s.Store.Changes(ctx, plan.Run, after, chunk)
		if err != nil || len(some) == 0 {
			return err
		}
		for _, c := range some {
			switch c.State {
			case Written:
				out.Written++
			case Rejected:
				out.Rejected++
			case Deferred:
				out.Deferred++
			default:
				out.Parked++
			}
		}
		after = some[len(some)-1].Seq
	}
}

func (s *Sink) writing(name string) (Writing, bool) {
	for _, w := range s.Writings {
		if w.Name == name {
			return w, true
		}
	}
	return Writing{}, false
}
