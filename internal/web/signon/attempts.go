package signon

import (
	"maps"
	"net/netip"
	"sync"
	"time"
)

// attempts slows down who guesses passwords: under one name from one address, and under many names from one address.
// Nobody is kept out by what others do elsewhere.
type attempts struct {
	mu      sync.Mutex
	named   cooling[attempt]
	address cooling[string]
}

type attempt struct{ name, from string }

func newAttempts() *attempts {
	return &attempts{
		named:   cooling[attempt]{free: 5, each: time.Minute, hot: map[attempt]time.Time{}},
		address: cooling[string]{free: 30, each: 10 * time.Second, hot: map[string]time.Time{}}, // an office may share it
	}
}

// wait is how long the next attempt has to wait.
func (a *attempts) wait(who attempt, now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return max(a.named.wait(who, now), a.address.wait(who.from, now))
}

// note remembers how an attempt went. That it went well says nothing of others from the same address.
func (a *attempts) note(who attempt, ok bool, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if ok {
		delete(a.named.hot, who)
		return
	}
	a.named.failed(who, now)
	a.address.failed(who.from, now)
}

// cooling counts failures, each of which is forgotten after a while.
type cooling[K comparable] struct {
	free int           // so many may be remembered before the next attempt waits
	each time.Duration // that a failure takes to be forgotten, one after the other
	hot  map[K]time.Time
}

const mostRemembered = 10_000

func (c *cooling[K]) wait(key K, now time.Time) time.Duration {
	return max(0, c.hot[key].Add(-time.Duration(c.free-1)*c.each).Sub(now))
}

func (c *cooling[K]) failed(key K, now time.Time) {
	if len(c.hot) >= mostRemembered {
		maps.DeleteFunc(c.hot, func(_ K, until time.Time) bool { return !until.After(now) })
		if len(c.hot) >= mostRemembered { // by so many addresses that counting does not help
			clear(c.hot)
		}
	}
	from := c.hot[key]
	if from.Before(now) {
		from = now
	}
	c.hot[key] = from.Add(c.each)
}

// network is what one may take for one reader: of IPv6, whoever has one address has 2^64 of them.
func network(from string) string {
	ip, err := netip.ParseAddr(from)
	if err != nil || ip.Unmap().Is4() {
		return from
	}
	p, err := ip.Prefix(64)
	if err != nil {
		return from
	}
	return p.String()
}
