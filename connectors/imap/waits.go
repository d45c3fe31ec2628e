package imap

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"energyd/internal/fault"
)

// Waits before something is tried again [10].
const (
	firstWait = 2 * time.Second // doubled each time; half of it is chance
	limitWait = 20 * time.Second
	mostWait  = 5 * time.Minute
	// brief is how long one mailbox is tried again whose server works for others,
	// or was never reached; long is how long a whole server may be away in one reading.
	brief = 15 * time.Second
	long  = 10 * time.Minute
)

// clock is the time by which waits go.
type clock struct {
	now   func() time.Time
	after func(time.Duration) <-chan time.Time
}

var wall = clock{time.Now, time.After}

// sleep waits; an error means that ctx ended first.
func (c clock) sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-c.after(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// growing gives the wait after the nth failure, from 0.
func growing(n int, err error) time.Duration {
	first := firstWait
	if fault.KindOf(err) == fault.RateLimited {
		first = limitWait
	}
	most := mostWait
	if n < 10 { // 2 s doubled ten times is more than any wait
		most = min(first<<n, mostWait)
	}
	return most/2 + rand.N(most/2+1)
}

// outage is the time in which a server does nothing of what it is asked.
type outage struct {
	mu      sync.Mutex
	since   time.Time // zero: it works, as far as we know
	reached bool      // it did something once
}

func (o *outage) worked() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.since, o.reached = time.Time{}, true
}

// forget begins anew: what was long ago says nothing.
func (o *outage) forget() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.since = time.Time{}
}

// until tells how long to go on trying what failed with err now, and at first.
func (o *outage) until(first, now time.Time, err error) time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.since.IsZero() {
		o.since = now
	}
	var a serverSays
	switch {
	case fault.KindOf(err) == fault.RateLimited:
		return first.Add(long)
	case !o.reached, errors.As(err, &a), o.since.After(first): // it works for others
		return first.Add(brief)
	}
	return o.since.Add(long)
}

// with runs do on a connection to b, and again on a new one when it is lost.
// While a server is away all its mailboxes wait for it together; one mailbox
// alone that cannot be read does not keep the others waiting for long.
func (c *conn) with(ctx context.Context, b *box, do func(*session) error) error {
	var first time.Time
	for n := 0; ; n++ {
		err := c.once(ctx, b, do)
		if err == nil || ctx.Err() != nil || !fault.Retryable(fault.KindOf(err)) || errors.Is(err, errUnreadable) {
			return err
		}
		now := c.clock.now()
		if n == 0 {
			first = now
		}
		wait := growing(n, err)
		if now.Add(wait).After(c.outage.until(first, now, err)) {
			return err
		}
		level := slog.LevelInfo
		if wait > brief {
			level = slog.LevelWarn // a person may be waiting
		}
		c.env.Log.Log(ctx, level, "A mailbox cannot be reached; it is tried again.", "mailbox", b.User, "wait", wait.Round(time.Second), "error", err)
		if err := c.clock.sleep(ctx, wait); err != nil {
			return c.fault(ctx, b, nil, err)
		}
	}
}

// once runs do on a connection to b without any wait but for a free place; one
// that lay idle and was lost meanwhile is made again.
func (c *conn) once(ctx context.Context, b *box, do func(*session) error) error {
	for {
		s, fresh, err := c.pool.take(ctx, b)
		if err != nil {
			return err
		}
		err = c.run(ctx, s, do)
		if fresh || fault.KindOf(err) != fault.Unavailable || ctx.Err() != nil || errors.Is(err, errUnreadable) {
			return err
		}
	}
}

func (c *conn) run(ctx context.Context, s *session, do func(*session) error) error {
	stop := context.AfterFunc(ctx, s.wire.kill)
	err := do(s)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	err = c.fault(ctx, s.box, s.wire, err)
	if err == nil {
		c.outage.worked()
	}
	c.pool.put(s, err == nil)
	return err
}
