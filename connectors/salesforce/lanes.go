package salesforce

import (
	"context"
	"sync"
	"time"

	"energyd/internal/fault"
)

// maxLanes is how many calls are under way at once. The org counts only those
// that take 20 seconds, and allows 25 of them to all programs together, 5 in developer editions.
const maxLanes = 8

// lanes bounds the calls that are under way. When the org says that there are
// too many, half of the lanes close for as long as the connection is open (C58).
type lanes struct {
	free chan struct{}

	mu    sync.Mutex
	width int
	debt  int // lanes to close when their call is back
	last  time.Time
}

func newLanes(width int) *lanes {
	l := &lanes{free: make(chan struct{}, width), width: width}
	for range width {
		l.free <- struct{}{}
	}
	return l
}

// enter waits for a lane; leave gives it back.
func (l *lanes) enter(ctx context.Context, op string) error {
	select {
	case <-l.free:
		return nil
	case <-ctx.Done():
		return fault.New(fault.Unavailable, op, "stopped before it was sent", "", ctx.Err())
	}
}

func (l *lanes) leave() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.debt > 0 {
		l.debt--
		return
	}
	l.free <- struct{}{}
}

// narrow closes half of the lanes and tells how many are left. Complaints within
// the pause after the last one are about calls that were under way with it.
func (l *lanes) narrow(now time.Time, pause time.Duration) (left int, narrowed bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.width == 1 || now.Sub(l.last) < pause {
		return l.width, false
	}
	l.last = now
	for half := l.width / 2; l.width > half; l.width-- {
		select {
		case <-l.free:
		default:
			l.debt++
		}
	}
	return l.width, true
}
