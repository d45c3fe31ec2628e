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

// Apply sends the plan with this hash, or the latest for "". Only what the plan
// holds is sent, each batch journaled before and answered after. A record that
// somebody changed since the plan was made is left alone. A plan that was
// interrupted goes on where it stopped; a plan without changes is done at once.
// Faults: those of Ready, quota (parked), auth, unavailable.
func (s *Sink) Apply(ctx context.Context, hash string, now time.Time) (Outcome, error) {
	s.now = now.UTC()
	plan, err := s.Ready(ctx, hash, now)
	if err != nil {
		return Outcome{}, err
	}
	if plan.Records == 0 {
		return Outcome{Plan: plan.Plan}, nil
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
	n, err := s.Store.CountChanges(ctx, plan.Run, "")
	if err != nil {
		return err
	}
	out.Written, out.Rejected, out.Deferred, out.Edited = n[Written], n[Rejected], n[Deferred], n[Edited]
	out.Parked = out.Planned - out.Written - out.Rejected - out.Deferred - out.Edited
	return nil
}

func (s *Sink) send(ctx context.Context, plan Summary, out *Outcome) error {
	for after := int64(0); ; {
		// The next change names the next Writing: places are sorted by it.
		next, err := s.Store.Changes(ctx, plan.Run, "", after, 1, Planned, Deferred)
		if err != nil || len(next) == 0 {
			return err
		}
		after = next[0].Seq | (1<<placeBits - 1)
		w, ok := s.writing(next[0].Writing)
		if !ok {
			return fault.New(fault.Conflict, "apply", fmt.Sprintf("plan %s writes to %s, which is no longer in the configuration", plan.Plan, next[0].Writing), "run energyd plan again", nil)
		}
		if err := s.sendWriting(ctx, plan, w, out); err != nil {
			return err
		}
	}
}

// sendWriting sends all that waits of one Writing, as a job or call by call.
func (s *Sink) sendWriting(ctx context.Context, plan Summary, w Writing, out *Outcome) error {
	n, err := s.Store.CountChanges(ctx, plan.Run, w.Name)
	if err != nil {
		return err
	}
	waiting := n[Planned] + n[Deferred]
	limits, asJob := w.jobLimits(waiting)
	checked := false
	if at, ok := plan.ReadAt[w.Name]; ok && w.checksAtOnce(waiting) {
		if checked, err = s.leaveChangedSince(ctx, plan.Run, w, at.Add(-saveTime), waiting); err != nil {
			return err
		}
	}
	if !asJob {
		return s.sendPages(ctx, plan.Run, w, !checked, out, Planned, Deferred)
	}
	if !checked {
		if err := s.leaveAllEdited(ctx, plan.Run, w, Planned, Deferred); err != nil {
			return err
		}
	}
	return s.sendJobs(ctx, plan.Run, w, limits, out)
}

// pages gives what is in these states of one Writing, a chunk at a time.
func (s *Sink) pages(ctx context.Context, run string, w Writing, use func([]Change) error, states ...ChangeState) error {
	for after := int64(0); ; {
		changes, err := s.Store.Changes(ctx, run, w.Name, after, chunk, states...)
		if err != nil || len(changes) == 0 {
			return err
		}
		after = changes[len(changes)-1].Seq
		if err := use(changes); err != nil {
			return err
		}
	}
}

// sendPages sends call by call what is in these states of one Writing.
func (s *Sink) sendPages(ctx context.Context, run string, w Writing, check bool, out *Outcome, states ...ChangeState) error {
	return s.pages(ctx, run, w, func(changes []Change) error {
		if check {
			var err error
			if changes, err = s.leaveEdited(ctx, run, w, changes); err != nil {
				return err
			}
		}
		for batch := range slices.Chunk(changes, w.Target.WriteSize()) {
			if err := s.sendBatch(ctx, run, w, batch, out); err != nil {
				return err
			}
		}
		return nil
	}, states...)
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
		if !c.editedIn(rows[i]) {
			untouched = append(untouched, c)
			continue
		}
		edited = append(edited, c)
	}
	return untouched, s.keepEdited(ctx, run, w, edited)
}

// leaveAllEdited is leaveEdited for all that is in these states of a Writing.
func (s *Sink) leaveAllEdited(ctx context.Context, run string, w Writing, states ...ChangeState) error {
	return s.pages(ctx, run, w, func(changes []Change) error {
		_, err := s.leaveEdited(ctx, run, w, changes)
		return err
	}, states...)
}

// editedIn tells whether somebody changed the record after the plan was made.
func (c Change) editedIn(row connectors.Row) bool {
	holds := func(value func(Delta) any) bool {
		return !row.Missing && !slices.ContainsFunc(c.Fields, func(d Delta) bool { return !same(row.Values[d.Field], value(d)) })
	}
	// A deferred or resumed change may have arrived already: sending it again is harmless.
	return !holds(func(d Delta) any { return d.Old }) && !holds(func(d Delta) any { return d.New })
}

// keepEdited keeps changes that are not sent. Where we never wrote, what the
// plan found stands for it, so that the next plan sees a person's value and not
// an old one of ours.
func (s *Sink) keepEdited(ctx context.Context, run string, w Writing, edited []Change) error {
	if len(edited) == 0 {
		return nil
	}
	ids := make([]string, len(edited))
	for i, c := range edited {
		ids[i] = c.ID
	}
	last, err := s.Store.LastWritten(ctx, w.Name, ids)
	if err != nil {
		return err
	}
	accepted := make([]Accepted, len(edited))
	for i := range edited {
		c := &edited[i]
		c.State, c.Error = Edited, "changed in the CRM after the plan was made"
		values := make(map[string]any, len(c.Fields))
		for _, d := range c.Fields {
			values[d.Field] = d.Old
		}
		maps.Copy(values, last[c.ID])
		accepted[i] = Accepted{Writing: w.Name, Entity: engine.Entity{Kind: w.Kind, ID: c.ID}, Values: values}
	}
	return s.Store.Keep(ctx, run, edited, accepted)
}

// saveTime is how long a save may be under way: the CRM dates it by its
// beginning and shows it at its end.
const saveTime = 10 * time.Minute

// leaveChangedSince is leaveEdited for all that waits of a Writing, by asking the
// CRM only for the records that were saved since. It gives false when there are
// so many that reading each of ours is cheaper.
func (s *Sink) leaveChangedSince(ctx context.Context, run string, w Writing, since time.Time, waiting int) (bool, error) {
	fields := make([]string, len(w.Fields))
	for i, f := range w.Fields {
		fields[i] = f.Field
	}
	rows := make(map[string]connectors.Row, chunk)
	look := func() error {
		changes, err := s.Store.ChangesOf(ctx, run, w.Name, slices.Collect(maps.Keys(rows)))
		if err != nil {
			return err
		}
		var edited, unasked []Change
		for _, c := range changes {
			switch {
			case slices.ContainsFunc(c.Fields, func(d Delta) bool { return !slices.Contains(fields, d.Field) }):
				unasked = append(unasked, c) // planned with another configuration
			case c.editedIn(rows[c.ID]):
				edited = append(edited, c)
			}
		}
		clear(rows)
		if len(unasked) > 0 {
			if _, err := s.leaveEdited(ctx, run, w, unasked); err != nil {
				return err
			}
		}
		return s.keepEdited(ctx, run, w, edited)
	}
	for row, err := range w.Target.(connectors.ChangeReader).ChangedSince(ctx, w.Object, since, fields, waiting) {
		switch fault.KindOf(err) {
		case "":
		case fault.Conflict, fault.Config: // too many, or the CRM does not answer such a question
			return false, nil
		default:
			return false, err
		}
		rows[row.ID] = row
		if len(rows) == chunk {
			if err := look(); err != nil {
				return false, err
			}
		}
	}
	return true, look()
}

func (s *Sink) sendBatch(ctx context.Context, run string, w Writing, batch []Change, out *Outcome) error {
	updates := make([]connectors.Update, len(batch))
	seqs := make([]int64, len(batch))
	for i, c := range batch {
		seqs[i], updates[i] = c.Seq, c.update()
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
	stop, err := s.keep(ctx, run, w, batch, results, out)
	if err != nil {
		return err
	}
	return stop
}

func (c Change) update() connectors.Update {
	u := connectors.Update{ID: c.ID, Values: make(map[string]any, len(c.Fields))}
	for _, d := range c.Fields {
		u.Values[d.Field] = d.New
	}
	return u
}

// keep stores the CRM's answers to a batch. stop is the fault of an answer by
// which every other record would be refused too.
func (s *Sink) keep(ctx context.Context, run string, w Writing, batch []Change, results []connectors.Result, out *Outcome) (stop, err error) {
	// What the CRM answered is kept even when we were told to stop.
	ctx = context.WithoutCancel(ctx)
	accept, err := s.acceptor(ctx, run, w, batch)
	if err != nil {
		return nil, err
	}
	var accepted []Accepted
	for i, r := range results {
		c := &batch[i]
		refused := c.Attempts
		c.Error = ""
		switch {
		case r.Outcome == connectors.Written:
			c.State, c.Refusal = Written, Refusal{}
			// The fingerprint of a record is stored only after the CRM accepted that very record (rule 2).
			accepted = append(accepted, accept.of(*c))
			continue
		case r.Outcome == connectors.Unsent:
			c.State = Planned
			continue
		case r.Outcome == connectors.Deferred && stops(r.Err):
			c.State, stop = Planned, r.Err
			continue
		case r.Outcome == connectors.Deferred:
			c.State = Deferred
		default:
			c.State = Rejected
		}
		c.Error, c.Refusal = fmt.Sprint(r.Err), Refusal{Class: r.Obstacle(), Hint: fault.HintOf(r.Err), Attempts: refused + 1, Tried: s.now}
		if out != nil {
			out.Problems = append(out.Problems, limited(out.Problems, []string{fmt.Sprintf("%s %s (%s): %s", w.Name, c.ID, c.Name, c.Error)})...)
		}
	}
	return stop, s.Store.Keep(ctx, run, batch, accepted)
}

// stops tells the faults that no other record would be spared: a right or a
// field is missing, or the day's calls are used up.
func stops(err error) bool {
	switch fault.KindOf(err) {
	case fault.Auth, fault.Config, fault.Quota:
		return true
	}
	return false
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

// recover settles what was being sent when a run was killed, by asking the CRM:
// jobs first, then the single changes. What the CRM holds as we sent it was
// written; the rest waits to be planned or sent again.
func (s *Sink) recover(ctx context.Context) error {
	if err := s.recoverJobs(ctx); err != nil {
		return err
	}
	for {
		run, changes, err := s.Store.Unanswered(ctx, chunk)
		if err != nil || len(changes) == 0 {
			return err
		}
		for some := range byWriting(changes) {
			if err := s.recoverSome(ctx, run, some); err != nil {
				return err
			}
		}
	}
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
	accept, err := s.acceptor(ctx, run, w, changes)
	if err != nil {
		return err
	}
	var accepted []Accepted
	for i := range changes {
		c := &changes[i]
		c.State = Planned
		if !rows[i].Missing && !slices.ContainsFunc(c.Fields, func(d Delta) bool { return !same(rows[i].Values[d.Field], d.New) }) {
			c.State = Written
			accepted = append(accepted, accept.of(*c))
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
