package daemon

import (
	"context"
	"sync"
	"time"

	"energyd/internal/fault"
	"energyd/internal/store"
)

// Desk is where the program hands work to the daemon that runs in it. Its
// methods may be called at any time, from any goroutine.
type Desk struct {
	bell chan struct{}
	mu   sync.Mutex
	work Work
}

// NewDesk makes one for Options.Desk.
func NewDesk() *Desk { return &Desk{bell: make(chan struct{}, 1)} }

// Ask keeps an errand in the store and has the daemon look at once; daemons of
// other processes on the store look within a minute. Whichever gets the lanes
// does it, once: asked again before it has ended, the errand there is given.
// How it goes is told by store.Errand. Faults: unavailable (also before the daemon is at work).
func (d *Desk) Ask(ctx context.Context, e store.Errand) (store.Errand, error) {
	d.mu.Lock()
	defer d.mu.Unlock() // else the work may be closed meanwhile
	if d.work == nil {
		return e, fault.New(fault.Unavailable, "", "the daemon is not at work", "wait until it has begun; if it was told to stop, start it again", nil)
	}
	e, err := d.work.Ask(ctx, e)
	if err == nil {
		select {
		case d.bell <- struct{}{}:
		default:
		}
	}
	return e, err
}

// by says by which configuration the daemon is at work; nil for none any more.
func (d *Desk) by(work Work) {
	if d != nil {
		d.mu.Lock()
		d.work = work
		d.mu.Unlock()
	}
}

// rung is the bell; nil, which never rings, of no desk.
func (d *Desk) rung() <-chan struct{} {
	if d == nil {
		return nil
	}
	return d.bell
}

// errands is what is known of what people ask for.
type errands struct {
	look  bool                // now
	last  time.Time           // when they were looked at
	again map[int64]time.Time // not before, since another process had the lanes
}

// doErrands starts what people asked for, and says when to look again.
func (d *Daemon) doErrands(ctx context.Context, now time.Time) time.Duration {
	if since := now.Sub(d.errands.last).Abs(); !d.errands.look && since < heartbeat {
		return heartbeat - since
	}
	d.errands.look, d.errands.last = false, now
	asked, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	open, err := d.work.Errands(asked)
	if err != nil {
		d.alerts.set("store", "unreachable", err.Error(), fault.HintOf(err))
		return heartbeat
	}
	again := map[int64]time.Time{}
	for _, e := range open {
		if at := d.errands.again[e.ID]; at.After(now) {
			again[e.ID] = at
			continue
		}
		r := Order{Kind: e.Kind, Errand: e}
		if e.Kind == "pull" {
			r.Sources = []string{e.Subject}
		}
		if !d.busy(d.work.Lanes(r).Must) { // else the end of that run looks again
			d.launch(ctx, r, now)
		}
	}
	d.errands.again = again
	return heartbeat
}
