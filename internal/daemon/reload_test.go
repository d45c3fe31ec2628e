package daemon

import (
	"context"
	"testing"
	"testing/synctest"

	"energyd/internal/fault"
)

// TestReload_stopped: who is told to stop while a configuration is read tells nobody that it was refused.
func TestReload_stopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMachine(t, "Asia/Tokyo", [2]string{"", "0 2 * * *"})
		stop, reload := m.start()
		m.opening = func(ctx context.Context) error {
			<-ctx.Done() // its store does not answer
			return fault.New(fault.Unavailable, "open store", "no answer", "wait", ctx.Err())
		}
		reload()
		if err := stop(); err != nil {
			t.Error(err)
		}
		if told := m.alerts(); len(told) > 0 {
			t.Errorf("it tells %q", told)
		}
	})
}
