package web

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"energyd/internal/fault"
	"energyd/internal/pipeline"
)

// held keeps what is dear to read of a large store, until the store has moved
// on or another day has come. What is asked for after that is the old one once
// more, while the new one is made: a reader never waits for it but the first time.
type held struct {
	log  *slog.Logger
	ctx  context.Context // of what is made
	stop func()
	work sync.WaitGroup

	mu     sync.Mutex
	things map[string]*thing
	most   int // bytes
}

// mostHeld is how many bytes are kept at most, about: the longest unused things go. It is half of what energyd
// may take at its large size, and enough for what is made early of 100,000 customers (30 to 35 MB each).
const mostHeld = 128 << 20

// thing is one that is kept.
type thing struct {
	ready chan struct{} // closed when value or err is there
	state string        // of the store, of which it was made
	value sized
	err   error
	used  time.Time
	next  *thing // being made of a newer state
}

// sized says how many bytes it takes, about. It may grow; many ask at the same time.
type sized interface{ Size() int }

func newHeld(log *slog.Logger) *held {
	h := &held{log: log, things: map[string]*thing{}, most: mostHeld}
	h.ctx, h.stop = context.WithCancel(context.Background())
	return h
}

func (h *held) close() { h.stop(); h.work.Wait() }

// hold gives what build makes, made once for each state of the store, under a
// name that says all it depends on but the store and the day. build has a
// pipeline of its own, and what it returns must not be changed by anybody.
func hold[T sized](ctx context.Context, v *visit, name string, build func(context.Context, *pipeline.Pipeline) (T, error)) (T, error) {
	var none T
	generation, err := v.store().Generation(ctx)
	if err != nil {
		return none, err
	}
	p := v.site.p.Beside("")
	t := v.held.thing(name, fmt.Sprint(generation, " ", p.AsOf()), v.early, func(ctx context.Context) (sized, error) { return build(ctx, p) })
	select {
	case <-t.ready:
	case <-ctx.Done():
		return none, ctx.Err()
	}
	if t.err != nil {
		return none, t.err
	}
	return t.value.(T), nil
}

// thing finds or begins what is kept under a name; newest is the one of this state, also when an older one is there.
func (h *held) thing(name, state string, newest bool, build func(context.Context) (sized, error)) *thing {
	h.mu.Lock()
	defer h.mu.Unlock()
	t := h.things[name]
	switch {
	case t == nil:
		t = h.begin(name, state, build)
		h.things[name] = t
	case t.state != state && t.next == nil && t.done():
		t.next = h.begin(name, state, build)
	}
	t.used = time.Now()
	h.trim() // it may have grown since
	if newest && t.next != nil {
		return t.next
	}
	return t
}

// begin makes a thing in the background.
func (h *held) begin(name, state string, build func(context.Context) (sized, error)) *thing {
	t := &thing{ready: make(chan struct{}), state: state, used: time.Now()}
	h.work.Go(func() {
		began := time.Now()
		t.value, t.err = h.build(name, build)
		close(t.ready)
		h.mu.Lock()
		defer h.mu.Unlock()
		switch old := h.things[name]; {
		case t.err != nil && old == t:
			delete(h.things, name) // who comes next tries again
		case t.err != nil && old != nil && old.next == t:
			old.next = nil
			h.log.Warn("a page shows what it had: it cannot be made anew", "what", name, "error", t.err)
		case old != nil && old.next == t:
			t.used = old.used
			h.things[name] = t
		}
		h.trim()
		h.log.Debug("made for the dashboard", "what", name, "took", time.Since(began))
	})
	return t
}

// build makes a thing. A bug in it ends no daemon that is in the middle of a night, as net/http has it for what answers a request.
func (h *held) build(name string, build func(context.Context) (sized, error)) (value sized, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			h.log.Error("a page cannot be made", "what", name, "panic", cause, "stack", string(debug.Stack()))
			err = fault.New(fault.Internal, "", "a page cannot be made, by a mistake of energyd", "try again; if it stays, report it with the file that energyd support-bundle makes", nil)
		}
	}()
	return build(h.ctx)
}

func (t *thing) done() bool {
	select {
	case <-t.ready:
		return true
	default:
		return false
	}
}

// trim lets go of what is too large to be kept beside anything, and then of what was not used for longest.
// Who has it goes on with it.
func (h *held) trim() {
	total := 0
	maps.DeleteFunc(h.things, func(_ string, t *thing) bool {
		size := t.weight()
		if size <= h.most {
			total += size
		}
		return size > h.most
	})
	for total > h.most {
		ready := slices.DeleteFunc(slices.Collect(maps.Keys(h.things)), func(name string) bool { return h.things[name].weight() == 0 })
		oldest := slices.MinFunc(ready, func(a, b string) int { return h.things[a].used.Compare(h.things[b].used) })
		total -= h.things[oldest].weight()
		delete(h.things, oldest)
	}
}

// weight is how many bytes it takes, about; nothing while it is being made.
func (t *thing) weight() int {
	if !t.done() || t.err != nil {
		return 0
	}
	return t.value.Size()
}
