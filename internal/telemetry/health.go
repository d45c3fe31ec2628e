package telemetry

import (
	"context"
	"sync/atomic"
	"time"

	"energyd/internal/fault"
)

// stuck is how long a daemon may be silent and still be alive. It looks at the clock each minute.
const stuck = 5 * time.Minute

// Health is whether the daemon is alive, and whether it can work. Its methods may be called at the same time.
type Health struct {
	began time.Time
	beat  atomic.Int64 // nanoseconds from began to the last beat; not of the clock on the wall, which may be set
	check atomic.Pointer[func(context.Context) error]
}

// NewHealth is that of a daemon that begins.
func NewHealth() *Health { return &Health{began: time.Now()} }

// Beat tells that the daemon goes on.
func (h *Health) Beat() { h.beat.Store(int64(time.Since(h.began))) }

// By says how to find out whether it can work; nil when it cannot.
func (h *Health) By(check func(context.Context) error) { h.check.Store(&check) }

// Alive tells that the daemon goes on, whatever it finds.
func (h *Health) Alive() bool { return time.Since(h.began)-time.Duration(h.beat.Load()) < stuck }

// Ready tells why it cannot work; nil when it can.
func (h *Health) Ready(ctx context.Context) error {
	check := h.check.Load()
	if check == nil || *check == nil {
		return fault.New(fault.Unavailable, "", "energyd has not begun yet, or is stopping", "", nil)
	}
	return (*check)(ctx)
}
