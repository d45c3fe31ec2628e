package imap

import (
	"context"
	"slices"
	"sync"

	"energyd/internal/fault"
)

// pool keeps connections within their limits, in all and for each mailbox [7].
// Idle ones are used again, or closed when another mailbox needs their place.
type pool struct {
	dial func(context.Context, *box) (*session, error)

	mu      sync.Mutex
	most    int // in all
	perBox  int
	open    map[*box]int
	all     int
	idle    []*session
	closed  bool
	changed chan struct{} // closed at each change, and made anew
}

func newPool(most, perBox int, dial func(context.Context, *box) (*session, error)) *pool {
	return &pool{dial: dial, most: most, perBox: perBox, open: map[*box]int{}, changed: make(chan struct{})}
}

// take gives a connection to b, a used one if there is one. It waits for a free place.
func (p *pool) take(ctx context.Context, b *box) (s *session, fresh bool, err error) {
	for {
		s, goodbye, wait, err := p.place(b)
		if goodbye != nil {
			goodbye.close()
			p.gone(goodbye.box)
			continue
		}
		if err != nil || s != nil {
			return s, false, err
		}
		if wait == nil {
			break
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return nil, false, fault.New(fault.Unavailable, "", "gave up waiting for a free connection", "", ctx.Err())
		}
	}
	if s, err = p.dial(ctx, b); err != nil {
		p.gone(b)
		return nil, true, err
	}
	return s, true, nil
}

// place gives an idle session, one to close first, or a channel to wait on; none of them: a place is taken for b.
func (p *pool) place(b *box) (s, goodbye *session, wait <-chan struct{}, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, nil, nil, fault.New(fault.Internal, "", "the connection is closed", "", nil)
	}
	if i := slices.IndexFunc(p.idle, func(s *session) bool { return s.box == b }); i >= 0 {
		s = p.idle[i]
		p.idle = slices.Delete(p.idle, i, i+1)
		return s, nil, nil, nil
	}
	switch {
	case p.open[b] >= p.perBox:
		return nil, nil, p.changed, nil
	case p.all < p.most:
		p.all++
		p.open[b]++
		return nil, nil, nil, nil
	case len(p.idle) > 0:
		goodbye = p.idle[0]
		p.idle = slices.Delete(p.idle, 0, 1)
		return nil, goodbye, nil, nil
	}
	return nil, nil, p.changed, nil
}

// put gives a connection back; one that is not well is closed.
func (p *pool) put(s *session, well bool) {
	p.mu.Lock()
	keep := well && !p.closed
	if keep {
		p.idle = append(p.idle, s)
		p.signal()
	}
	p.mu.Unlock()
	if !keep {
		s.close()
		p.gone(s.box)
	}
}

func (p *pool) gone(b *box) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.all--
	p.open[b]--
	p.signal()
}

// fewer lowers the limit in all to what is open now: the server wants no more.
func (p *pool) fewer() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.most = max(1, min(p.most, p.all))
}

func (p *pool) signal() {
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.rest()
}

// rest closes what is idle: nothing is kept open at a server between readings.
func (p *pool) rest() {
	p.mu.Lock()
	idle := p.idle
	p.idle = nil
	p.signal()
	p.mu.Unlock()
	for _, s := range idle {
		s.close()
		p.gone(s.box)
	}
}
