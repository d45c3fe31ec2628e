package signon

import (
	"sync"
	"time"
)

// attempts slows down who guesses passwords: after some failures under one name
// from one address, each further attempt waits twice as long as the one before.
type attempts struct {
	mu     sync.Mutex
	failed map[attempt]failures
}

type attempt struct{ name, from string }

type failures struct {
	n     int
	until time.Time // before this the next attempt is not looked at
}

const (
	freeFailures = 5
	longestWait  = time.Minute
	mostAttempts = 10_000
)

// wait is how long the next attempt has to wait.
func (a *attempts) wait(who attempt, now time.Time) time.Duration {
	a.mu.Lock()
	defer a.mu.Unlock()
	return max(0, a.failed[who].until.Sub(now))
}

// note remembers how an attempt went.
func (a *attempts) note(who attempt, ok bool, now time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if ok {
		delete(a.failed, who)
		return
	}
	if a.failed == nil || len(a.failed) >= mostAttempts {
		a.failed = map[attempt]failures{}
	}
	f := a.failed[who]
	f.n++
	if over := f.n - freeFailures; over >= 0 {
		f.until = now.Add(min(longestWait, time.Second<<min(over, 10)))
	}
	a.failed[who] = f
}
