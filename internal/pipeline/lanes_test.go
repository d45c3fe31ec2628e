package pipeline_test

import (
	"slices"
	"strings"
	"testing"

	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/store"
)

// TestSync_leavesOut: a sync does not wait for a connection that another run reads for hours; it says which sources
// it left out, and what others look things up in it has to read itself.
func TestSync_leavesOut(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	held := func(lanes ...string) func() {
		hold, err := c.Store().Lock(t.Context(), lanes...)
		if err != nil {
			t.Fatal(err)
		}
		return func() {
			if err := hold.Leave(); err != nil {
				t.Error(err)
			}
		}
	}
	leave := held("mailboxes")
	if r, _, _, err := c.Sync(t.Context()); err != nil || r.State != store.Parked {
		t.Fatalf("the first write-back is %s, %v: it must not leave out what was never read", r.State, err)
	}
	leave()
	c.sync()
	leave = held("mailboxes")
	r, _, _, err := c.Sync(t.Context())
	if err != nil || r.State == store.Parked || r.State == store.Failed || !slices.ContainsFunc(r.Notes, func(n string) bool { return strings.HasSuffix(n, "same connection: mail") }) {
		t.Fatalf("%s, %q, %v", r.State, r.Notes, err)
	}
	if slices.ContainsFunc(r.Sources, func(s pipeline.SourceReport) bool { return s.Source == "mail" }) || len(r.Sources) < 5 {
		t.Errorf("it read %+v", r.Sources)
	}
	leave()
	leave = held("crm")
	if _, _, _, err := c.Sync(t.Context()); fault.KindOf(err) != fault.Conflict {
		t.Errorf("without the directory: %v", err)
	}
	leave()
	if r, err := c.Pull(t.Context(), "mail"); err != nil || len(r.Sources) != 1 {
		t.Errorf("afterwards: %+v, %v", r.Sources, err)
	}
}

// TestPull_besideOthers: pulls of two connections go on at the same time, and their folds one after the other:
// both find all that they read in the scores.
func TestPull_besideOthers(t *testing.T) {
	t.Parallel()
	c := newCompany(t)
	if _, err := c.Pull(t.Context(), "users", "accounts", "contacts", "opportunities"); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 2)
	for _, sources := range [][]string{{"tasks", "events"}, {"mail"}} {
		p := c.ForRun(nil)
		go func() {
			r, err := p.Pull(t.Context(), sources...)
			if err == nil && r.State != store.OK && r.State != store.Partial {
				err = fault.New(fault.Internal, "", string(r.State)+" "+strings.Join(r.Notes, ", "), "", nil)
			}
			if closeErr := p.Disconnect(); err == nil {
				err = closeErr
			}
			ended <- err
		}()
	}
	for range 2 {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	runs, err := c.Store().Runs(t.Context(), 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range runs {
		for _, s := range r.Sources {
			if s.Read == 0 || !s.Balanced() {
				t.Errorf("%s: %+v", s.Source, s)
			}
		}
	}
}
