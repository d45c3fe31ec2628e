package web

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"energyd/internal/fault"
	"energyd/internal/report"
)

// TestHold: what is kept is made once; when the store has moved on the old one is shown while the new one is made.
func TestHold(t *testing.T) {
	h := newHeld(slog.New(slog.DiscardHandler))
	defer h.close()
	var mu sync.Mutex
	made := 0
	gate := make(chan struct{})
	build := func(context.Context) (sized, error) {
		mu.Lock()
		defer mu.Unlock()
		if made++; made == 2 {
			<-gate
		}
		return weighs(made), nil
	}
	first := h.thing("a", "1", false, build)
	<-first.ready
	if again := h.thing("a", "1", false, build); again != first {
		t.Error("the same was made twice")
	}
	if stale := h.thing("a", "2", false, build); stale != first || stale.value != weighs(1) {
		t.Error("a reader would wait for what is being made anew")
	}
	next := first.next
	close(gate)
	<-next.ready
	h.work.Wait()
	if fresh := h.thing("a", "2", false, build); fresh.value != weighs(2) {
		t.Errorf("%v is shown after 2 was made", fresh.value)
	}
	if newest := h.thing("a", "3", true, build); newest == first || newest.state != "3" {
		t.Error("who waits for the newest is given an older one")
	}
}

// TestHold_panic: a mistake in a page is the page's, and not that of the nights in the same process.
func TestHold_panic(t *testing.T) {
	h := newHeld(slog.New(slog.DiscardHandler))
	defer h.close()
	broken := h.thing("a", "1", false, func(context.Context) (sized, error) { panic("a hole in a table") })
	<-broken.ready
	if fault.KindOf(broken.err) != fault.Internal || fault.HintOf(broken.err) == "" {
		t.Errorf("who asked is told %v", broken.err)
	}
	h.work.Wait()
	if mended := h.thing("a", "1", false, func(context.Context) (sized, error) { return weighs(1), nil }); mended == broken {
		t.Error("nobody tries again")
	}
}

// weighs is a value of so many bytes.
type weighs int

func (w weighs) Size() int { return int(w) }

// TestHold_size: so many bytes are kept. What is too large is given to who asks, and takes nobody's place.
func TestHold_size(t *testing.T) {
	h := newHeld(slog.New(slog.DiscardHandler))
	defer h.close()
	h.most = 100
	order := &orders{} // of a table: what was sorted is kept with it
	for _, c := range []struct {
		name string
		size sized
		kept string
	}{
		{"a", weighs(60), "a"},
		{"b", weighs(30), "ab"},
		{"a", nil, "ab"},
		{"c", weighs(40), "ac"}, // a was looked at after b
		{"huge", weighs(101), "ac"},
		{"t", madeTable{&report.Table{}, nil, order}, "act"},
		{"c", nil, "ct"}, // t has grown
	} {
		got := h.thing(c.name, "1", false, func(context.Context) (sized, error) { return c.size, nil })
		h.work.Wait()
		if c.size != nil && got.value != c.size {
			t.Errorf("%s: %v was given", c.name, got.value)
		}
		if kept := strings.Join(slices.Sorted(maps.Keys(h.things)), ""); kept != c.kept {
			t.Errorf("after %s: %q is kept, not %q", c.name, kept, c.kept)
		}
		if c.name == "t" {
			order.bytes.Store(30)
		}
	}
}
