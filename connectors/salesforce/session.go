package salesforce

import (
	"context"
	"sync/atomic"

	"energyd/internal/fault"
)

// session is one access token, the address that its calls go to, and the id of
// the user whom it is for ("" when the org did not tell).
type session struct{ token, instance, user string }

// sessions holds the connection's session. However many calls find it dead, one of them renews it.
type sessions struct {
	current atomic.Pointer[session]
	gate    chan struct{} // of size 1: a mutex that honours contexts
}

// get gives a session other than stale, signing on if need be.
func (s *sessions) get(ctx context.Context, c *Conn, stale *session) (*session, error) {
	if now := s.current.Load(); now != nil && now != stale {
		return now, nil
	}
	select {
	case s.gate <- struct{}{}:
	case <-ctx.Done():
		return nil, fault.New(fault.Unavailable, signOnOp, "stopped before the answer came", "", ctx.Err())
	}
	defer func() { <-s.gate }()
	if now := s.current.Load(); now != nil && now != stale {
		return now, nil
	}
	fresh, err := c.signOn(ctx)
	if err != nil {
		return nil, err
	}
	s.current.Store(fresh)
	return fresh, nil
}
