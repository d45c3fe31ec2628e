package pipeline

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"energyd/internal/fault"
	"energyd/internal/store"
	"energyd/sink"
)

// DoErrand does what a person asked for, in the person's name, and keeps what it
// came to. What did not begin, or was told to stop, stays asked. Faults: conflict
// (another run is at work, or has done it), and those of what is done.
func (p *Pipeline) DoErrand(ctx context.Context, e store.Errand) (r Report, changes sink.Outcome, err error) {
	p.errand, p.opt.Who = e.ID, e.Who
	switch e.Kind {
	case "sync":
		r, _, changes, err = p.Sync(ctx)
	case "pull":
		r, err = p.Pull(ctx, e.Subject)
	case "apply":
		p.opt.Override = e.Reason
		r, changes, err = p.Apply(ctx, e.Subject)
	case "undo":
		var u Undoing
		r, u, err = p.Undo(ctx, e.Subject, e.Record)
		changes = u.Outcome
	default:
		err = fault.New(fault.Config, "errand", fmt.Sprintf("nobody knows how to %s", e.Kind), "ask a daemon of this version", nil)
	}
	if ctx.Err() != nil || r.Run == "" && fault.KindOf(err) == fault.Conflict {
		return r, changes, err
	}
	state := r.State
	if err != nil {
		r.Notes = append(r.Notes, said(err))
		if state == store.Running || state == store.OK {
			state = store.Failed
		}
	}
	return r, changes, errors.Join(err, p.store.EndErrand(ctx, e.ID, p.opt.Now(), state, strings.Join(r.Notes, "\n")))
}
