package daemon

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"

	"energyd/internal/config"
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

// TestReload_whatToDo: problems of a file say each what to do at their place, or nothing; the alert always says it.
func TestReload_whatToDo(t *testing.T) {
	bubble(t, "2026-11-22 01:00", func(m *machine) {
		stop, reload := m.start()
		m.broken = config.Errors{{File: "energyd.yaml", Line: 3, Column: 1, Msg: "unknown option"}}
		reload()
		want := []string{`of=configuration state=refused was=ok because="energyd goes on with the one it has: energyd.yaml:3:1: unknown option" ` +
			`what_to_do="mend the configuration until energyd check finds nothing, then reload again"`}
		if told := m.alerts(); !slices.Equal(told, want) {
			t.Errorf("alerts %q", told)
		}
		m.end(stop)
	})
}
