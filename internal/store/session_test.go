package store_test

import (
	"context"
	"testing"
	"time"

	"energyd/internal/fault"
	"energyd/internal/store"
)

// TestBusy: who has little time waits no longer for SQLite's lock than that, and is told why.
func TestBusy(t *testing.T) {
	url := sqliteURL(t)
	s := open(t, url)
	writing := raw(t, url)
	defer writing.Close()
	if _, err := writing.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	soon, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	short, cancel := context.WithTimeout(soon, 2*time.Second)
	defer cancel()
	if err := s.SetAlert(short, store.Alert{What: "sync"}); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("%v", err)
	}
	if soon.Err() != nil {
		t.Error("it waited far beyond its time")
	}
}

// TestSession: a session is found by every process until it is ended or its time is over, also while a fold is writing.
func TestSession(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		url := fresh(t)
		ctx, s, beside := t.Context(), open(t, url), open(t, url)
		fold := raw(t, url)
		defer fold.Close()
		tx, err := fold.BeginTxx(ctx, nil)
		if err == nil {
			_, err = tx.ExecContext(ctx, "DELETE FROM alert") // from here on nobody else writes into SQLite
		}
		if err != nil {
			t.Fatal(err)
		}
		defer func() {
			if err := tx.Rollback(); err != nil {
				t.Error(err)
			}
		}()
		is := func(s *store.Store, at time.Time, want string) {
			t.Helper()
			if got, ok, err := s.Session(ctx, "hash", at); err != nil || string(got) != want || ok != (want != "") {
				t.Errorf("found %q, %t, %v; want %q", got, ok, err, want)
			}
		}
		soon, cancel := context.WithTimeout(ctx, 20*time.Second) // less than a request has
		defer cancel()
		is(s, noon, "")
		for _, data := range []string{"first", "second"} {
			if err := s.SaveSession(soon, "hash", []byte(data), noon.Add(time.Hour), noon); err != nil {
				t.Fatal(err)
			}
			is(beside, noon, data)
		}
		is(s, noon.Add(time.Hour), "")
		if err := beside.DropSession(soon, "hash"); err != nil {
			t.Fatal(err)
		}
		is(s, noon, "")
	})
}
