package sink

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"slices"
	"time"

	"energyd/connectors"
	"energyd/internal/fault"
)

// PlanUndo plans to take back what the plan of another run wrote, of one record
// or of all for "", and keeps it as a plan of this run, which Apply sends. A
// field that holds something else by now is kept, and told. Nothing is sent.
// Faults: config (that run wrote nothing, or not to that record), conflict
// (its write section is gone).
func (s *Sink) PlanUndo(ctx context.Context, run string, of Summary, record string, now time.Time) (Summary, error) {
	if err := s.wrote(ctx, of, record); err != nil {
		return Summary{}, err
	}
	if err := s.recover(ctx); err != nil {
		return Summary{}, err
	}
	if err := s.Store.BeginPlan(ctx, run); err != nil {
		return Summary{}, err
	}
	sum, err := s.undo(ctx, run, of, record, now, func(changes []Change) error {
		return s.Store.AddChanges(ctx, run, changes, nil)
	})
	if err != nil {
		return sum, err
	}
	return sum, s.Store.EndPlan(ctx, sum)
}

// PreviewUndo is PlanUndo that keeps nothing, and hands the changes to use.
func (s *Sink) PreviewUndo(ctx context.Context, of Summary, record string, now time.Time, use func([]Change) error) (Summary, error) {
	if err := s.wrote(ctx, of, record); err != nil {
		return Summary{}, err
	}
	return s.undo(ctx, "", of, record, now, use)
}

// wrote refuses to undo a run that has nothing to take back.
func (s *Sink) wrote(ctx context.Context, of Summary, record string) error {
	first, err := s.Store.Sent(ctx, of.Run, record, -1, 1)
	if err != nil || len(first) > 0 {
		return err
	}
	if record != "" {
		return fault.New(fault.Config, "undo", fmt.Sprintf("run %s wrote nothing to the record %s", of.Run, record), "name the record by its CRM id, as energyd plan and undo --dry-run show it", nil)
	}
	return fault.New(fault.Config, "undo", fmt.Sprintf("run %s wrote nothing to the CRM", of.Run), "energyd export journal lists the runs that did; what was written can be undone for as long as plans.keep in energyd.yaml says", nil)
}

func (s *Sink) undo(ctx context.Context, run string, of Summary, record string, now time.Time, keep func([]Change) error) (Summary, error) {
	sum := Summary{Run: run, AsOf: of.AsOf, Created: now.UTC(), State: Open, Undoes: of.Run}
	h := sha256.New()
	// The run's id makes the plan of a second undo another one, though its changes are the same.
	fmt.Fprintln(h, "undo", of.Run, run)
	var u *undoer
	end := func() {
		if u != nil {
			u.w.cost(&sum, sum.Records-u.before)
		}
	}
	for after := int64(-1); ; {
		changes, err := s.Store.Sent(ctx, of.Run, record, after, chunk)
		if err != nil {
			return sum, err
		}
		if len(changes) == 0 {
			break
		}
		after = changes[len(changes)-1].Seq
		for some := range byWriting(changes) {
			if u == nil || u.w.Name != some[0].Writing {
				end()
				if u, err = s.undoer(ctx, some[0].Writing, &sum, h); err != nil {
					return sum, err
				}
			}
			back, err := u.some(ctx, some)
			if err != nil {
				return sum, err
			}
			if err := keep(back); err != nil {
				return sum, err
			}
		}
	}
	end()
	sum.Limit, sum.Left = s.budget()
	sum.Plan = hex.EncodeToString(h.Sum(nil))[:12]
	if sum.Records == 0 {
		sum.State = Done
	}
	return sum, nil
}

// undoer plans to take back what was written of one Writing.
type undoer struct {
	store  Store
	w      Writing
	at     int // of the Writing in the configuration
	fields map[string]connectors.Field
	sum    *Summary
	hash   hash.Hash
	before int // records of the Writings before
}

func (s *Sink) undoer(ctx context.Context, writing string, sum *Summary, h hash.Hash) (*undoer, error) {
	at := slices.IndexFunc(s.Writings, func(w Writing) bool { return w.Name == writing })
	if at < 0 {
		return nil, fault.New(fault.Conflict, "undo", fmt.Sprintf("run %s wrote to %s, which is no longer in the configuration", sum.Undoes, writing),
			"put it back under write: until it is undone", nil)
	}
	u := &undoer{store: s.Store, w: s.Writings[at], at: at, fields: map[string]connectors.Field{}, sum: sum, hash: h, before: sum.Records}
	// The run may have written fields that the configuration names no more: it is the CRM that must still have them.
	all, err := u.w.Target.Describe(ctx, u.w.Object)
	if err != nil {
		return nil, err
	}
	for _, f := range all {
		u.fields[f.Name] = f
	}
	sum.spend("describe", 1, true)
	return u, sum.readFrom(ctx, u.w)
}

// some gives the changes that take back others, as far as the CRM still holds what those wrote.
func (u *undoer) some(ctx context.Context, changes []Change) ([]Change, error) {
	ids := make([]string, len(changes))
	for i, c := range changes {
		changes[i].Fields = slices.DeleteFunc(c.Fields, u.unwritable(c))
		ids[i] = c.ID
	}
	last, err := u.store.LastWritten(ctx, u.w.Name, ids)
	if err != nil {
		return nil, err
	}
	u.sum.spend("read current values", 1, true)
	rows, err := u.w.read(ctx, changes)
	if err != nil {
		return nil, err
	}
	var back []Change
	for i, c := range changes {
		if rows[i].Missing {
			u.sum.Missing++
			continue
		}
		b := Change{Seq: int64(u.at)<<placeBits | c.Seq&(1<<placeBits-1), Writing: u.w.Name, ID: c.ID, Name: c.Name, State: Planned}
		kept := false
		for _, d := range c.Fields {
			was, wrote, holds := refit(d.Old, u.fields[d.Field]), refit(d.New, u.fields[d.Field]), rows[i].Values[d.Field]
			switch {
			case same(holds, wrote):
				b.Fields = append(b.Fields, Delta{d.Field, holds, was})
			case !same(holds, was):
				kept = true
				u.sum.keep(Kept{u.w.Name, c.ID, c.Name, d.Field, holds, was, same(holds, last[c.ID][d.Field])})
			}
		}
		if u.w.Once && kept { // somebody works on it: it stays as it is
			continue
		}
		if len(b.Fields) == 0 {
			if !kept { // it was taken back before
				u.sum.Unchanged++
			}
			continue
		}
		u.sum.Records++
		u.sum.Fields += len(b.Fields)
		line, err := json.Marshal(b)
		if err != nil {
			return nil, fmt.Errorf("undo %s %s: %w", u.w.Name, c.ID, err)
		}
		u.hash.Write(append(line, '\n'))
		back = append(back, b)
	}
	return back, nil
}

// unwritable tells and counts the fields that the CRM would not let us restore.
func (u *undoer) unwritable(c Change) func(Delta) bool {
	return func(d Delta) bool {
		f, ok := u.fields[d.Field]
		if ok && f.Updateable {
			return false
		}
		why := "the run-as user may not edit it"
		if !ok {
			why = "the CRM shows no such field"
		}
		u.sum.Unfit++
		u.sum.Problems = append(u.sum.Problems, limited(u.sum.Problems, []string{fmt.Sprintf("%s %s (%s) %s: %s", u.w.Name, c.ID, c.Name, d.Field, why)})...)
		return true
	}
}

// refit gives a value as a field holds it today: its admin may have changed its scale or length since.
func refit(v any, f connectors.Field) any {
	if fitted, err := fit(v, f); err == nil {
		return fitted
	}
	return v
}
