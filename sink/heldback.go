package sink

import (
	"context"
	"maps"
)

// Undone is what undos took out of a record. While its score gives these values
// still, a plan does not write them again (decisions/0106).
type Undone struct {
	Run    string         `json:"run"` // of the undo
	Name   string         `json:"name"`
	Fields map[string]any `json:"fields"` // the values that were taken out; empty: nothing is held back any more
}

// HeldBack is a record that a plan leaves as an undo made it.
type HeldBack struct {
	Writing string `json:"writing"`
	ID      string `json:"id"`
	Name    string `json:"name"`
	Undo    string `json:"undo"` // the run that took it back
}

// over gives what the record would hold of ours, had nothing been undone.
func (u Undone) over(written map[string]any) map[string]any {
	if len(u.Fields) == 0 {
		return written
	}
	values := maps.Clone(written)
	maps.Copy(values, u.Fields)
	return values
}

// after gives what is held back once the CRM took this change of an undo. The
// value that the score gave last stays, however many older ones are undone too;
// an undo that brings it back lets it go.
func (u Undone) after(run string, c Change) Undone {
	fields := maps.Clone(u.Fields)
	if fields == nil {
		fields = make(map[string]any, len(c.Fields))
	}
	for _, d := range c.Fields {
		taken, ok := fields[d.Field]
		switch {
		case !ok:
			fields[d.Field] = d.Old
		case same(taken, d.New):
			delete(fields, d.Field)
		}
	}
	return Undone{Run: run, Name: c.Name, Fields: fields}
}

// acceptor makes the records of changes that the CRM took, of one plan and Writing.
type acceptor struct {
	w      Writing
	run    string
	undo   bool // the plan takes back another
	last   map[string]map[string]any
	undone map[string]Undone
}

func (s *Sink) acceptor(ctx context.Context, run string, w Writing, changes []Change) (acceptor, error) {
	a := acceptor{w: w, run: run}
	ids := make([]string, len(changes))
	for i, c := range changes {
		ids[i] = c.ID
	}
	var err error
	if a.undo, err = s.Store.IsUndo(ctx, run); err != nil {
		return a, err
	}
	if a.last, err = s.Store.LastWritten(ctx, w.Name, ids); err != nil {
		return a, err
	}
	a.undone, err = s.Store.Undone(ctx, w.Name, ids)
	return a, err
}

// of is the record of a change that the CRM took.
func (a acceptor) of(c Change) Accepted {
	accepted := a.w.accept(c, a.last[c.ID])
	undone, held := a.undone[c.ID]
	switch {
	case a.undo:
		after := undone.after(a.run, c)
		accepted.Undone = &after
		// Whether its score moved meanwhile is for the next plan to see.
		accepted.Settled = false
	case held: // its score moved
		accepted.Undone = &Undone{}
	}
	return accepted
}
