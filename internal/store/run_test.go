package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/connectors"
	"energyd/internal/store"
)

// TestLastStarts: what was interrupted, or is still at work, was not done yet.
func TestLastStarts(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		s := open(t, fresh(t))
		at := func(hour int) time.Time { return time.Date(2026, 11, 22, hour, 0, 0, 0, time.UTC) }
		cursor := connectors.Cursor("")
		run := func(kind string, hour int, reads bool, state store.RunState, message string) {
			t.Helper()
			id, err := s.BeginRun(t.Context(), kind, at(hour))
			if err != nil {
				t.Fatal(err)
			}
			if reads {
				next := connectors.Cursor(id)
				if err := s.SaveBatch(t.Context(), store.Batch{Run: id, Source: "tasks", At: at(hour), After: cursor, Next: next}); err != nil {
					t.Fatal(err)
				}
				cursor = next
			}
			if state == store.Running {
				return
			}
			if err := s.FinishRun(t.Context(), id, at(hour).Add(time.Minute), state, message); err != nil {
				t.Fatal(err)
			}
		}
		run("sync", 1, true, store.OK, "")
		run("sync", 2, false, store.Failed, "tasks: no answer")
		run("sync", 3, true, store.Failed, store.Interrupted)
		run("pull", 4, true, store.Partial, "")
		run("pull", 5, true, store.Running, "")
		got, err := s.LastStarts(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(store.LastStarts{
			{Source: "tasks", At: at(4)},
			{Kind: "pull", At: at(4), State: store.Partial},
			{Kind: "sync", At: at(2), State: store.Failed},
			{Kind: "unfinished", At: at(3)},
		}, got); diff != "" {
			t.Error(diff)
		}
		for source, want := range map[string]time.Time{"": at(2), "tasks": at(4), "mail": {}} {
			if last, ok := got.Of(source); !last.At.Equal(want) || ok == want.IsZero() {
				t.Errorf("of %q: %v, %v", source, last, ok)
			}
		}
	})
}

// TestLastStarts_From: a store whose very first sync was killed has it done again; later ones count from the last start.
func TestLastStarts_From(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		s := open(t, fresh(t))
		at := func(hour int) time.Time { return time.Date(2026, 11, 22, hour, 0, 0, 0, time.UTC) }
		from := func(source string) time.Time {
			t.Helper()
			last, err := s.LastStarts(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			return last.From(source, at(12))
		}
		if got := from(""); !got.Equal(at(12)) {
			t.Errorf("nothing ran yet: from %v", got)
		}
		id, err := s.BeginRun(t.Context(), "sync", at(2))
		if err != nil {
			t.Fatal(err)
		}
		if got := from(""); !got.Before(at(2)) {
			t.Errorf("a first sync that was cut off: from %v, which it is not due after", got)
		}
		if got := from("tasks"); !got.Equal(at(12)) {
			t.Errorf("a source of its own schedule: from %v", got)
		}
		if err := s.FinishRun(t.Context(), id, at(3), store.OK, ""); err != nil {
			t.Fatal(err)
		}
		if got := from(""); !got.Equal(at(2)) {
			t.Errorf("a sync that was done: from %v", got)
		}
	})
}
