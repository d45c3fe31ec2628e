package store_test

import (
	"slices"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/internal/store"
)

// TestRejects_Decided: a dropped reject is known by what was read of its record, and forgotten when that is another;
// one of which not all is kept has its source read again; the journal has who said so.
func TestRejects_Decided(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		ctx := t.Context()
		s := open(t, fresh(t))
		at := time.Date(2026, 3, 1, 2, 0, 0, 0, time.UTC)
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		reading, err := s.BeginReading(ctx, "reports", "a mapping", at, 0)
		must(err)
		whole := connectors.Reject{Key: "1", Code: "date", Reason: "no date", Fields: map[string]any{"day": "2/30", "n": 1.0}, Whole: true}
		torn := connectors.Reject{Key: "2", Code: "encoding", Reason: "not UTF-8"}
		batch := func(after, next connectors.Cursor, rejects ...connectors.Reject) store.Batch {
			return store.Batch{Run: "r", Source: "reports", Revision: reading.Revision, At: at, After: after, Next: next, Last: true, Read: len(rejects), Rejects: rejects}
		}
		must(s.SaveBatch(ctx, batch("", "a", whole, torn)))
		kept := func(list func(func(store.Reject, error) bool)) (keys []string) {
			t.Helper()
			for r, err := range list {
				must(err)
				keys = append(keys, r.Key)
			}
			return keys
		}
		want := func(what string, got []string, want ...string) {
			t.Helper()
			if !slices.Equal(got, want) {
				t.Errorf("%s: %v, want %v", what, got, want)
			}
		}
		entry := []store.JournalEntry{{At: at, Who: "admin", Act: store.Waived, Subject: "reports 1", Reason: "no matter"}}
		must(s.DropRejects(ctx, []store.RejectKey{{Source: "reports", Key: "1"}, {Source: "reports", Key: "2"}}, time.Time{}, entry))
		want("kept", kept(s.Rejects(ctx, "reports")))
		want("dropped", kept(s.DroppedRejects(ctx)), "1", "2")
		if counts, err := s.RejectCounts(ctx); err != nil || len(counts) != 0 {
			t.Errorf("counted are %v, %v", counts, err)
		}
		dropped, err := s.Dropped(ctx, "reports")
		must(err)
		other, tornOtherwise := whole, torn
		other.Fields = map[string]any{"day": "2/31", "n": 1.0}
		tornOtherwise.Reason = "not UTF-8 either"
		for _, tt := range []struct {
			what string
			r    connectors.Reject
			has  bool
		}{{"the same", whole, true}, {"with other values", other, false}, {"unread", torn, true}, {"unread otherwise", tornOtherwise, false}} {
			if dropped.Has(&tt.r) != tt.has {
				t.Errorf("%s: dropped is %v", tt.what, !tt.has)
			}
		}

		// The same again in a batch stays dropped; another one is kept anew.
		b := batch("a", "b", tornOtherwise)
		b.Dropped, b.Read, b.Skipped = []string{"1"}, 2, 1
		must(s.SaveBatch(ctx, b))
		want("kept", kept(s.Rejects(ctx, "reports")), "2")
		want("dropped", kept(s.DroppedRejects(ctx)), "1")

		must(s.RetryRejects(ctx, []store.RejectKey{{Source: "reports", Key: "1"}}, nil))
		want("waiting", kept(s.Waiting(ctx, "reports", reading.Revision, 0)), "1")
		again, err := s.Rereads(ctx)
		must(err)
		want("read again", again)
		must(s.RetryRejects(ctx, []store.RejectKey{{Source: "reports", Key: "2"}}, nil))
		again, err = s.Rereads(ctx)
		must(err)
		want("read again", again, "reports")
		if journal, err := s.Journal(ctx, store.JournalFilter{}); err != nil || len(journal) != 1 || journal[0] != entry[0] {
			t.Errorf("the journal has %v, %v", journal, err)
		}
	})
}

// TestRejects_snoozed: a snooze is a drop that ends at its time, and before it when the record is another one.
func TestRejects_snoozed(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		ctx, s := t.Context(), open(t, fresh(t))
		reading, err := s.BeginReading(ctx, "reports", "a mapping", noon, 0)
		if err != nil {
			t.Fatal(err)
		}
		reject := connectors.Reject{Key: "1", Code: "date", Reason: "no date", Fields: map[string]any{"day": "2/30"}, Whole: true}
		batch := store.Batch{Run: "r", Source: "reports", Revision: reading.Revision, At: noon, Next: "a", Last: true, Read: 1, Rejects: []connectors.Reject{reject}}
		if err := s.SaveBatch(ctx, batch); err != nil {
			t.Fatal(err)
		}
		if err := s.DropRejects(ctx, []store.RejectKey{{Source: "reports", Key: "1"}}, noon.Add(time.Hour), nil); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			at   time.Time
			told int
		}{{noon, 0}, {noon.Add(59 * time.Minute), 0}, {noon.Add(time.Hour), 1}} {
			if err := s.WakeRejects(ctx, step.at); err != nil {
				t.Fatal(err)
			}
			told := 0
			for r, err := range s.Rejects(ctx, "reports") {
				if told++; err != nil || r.Dropped || !r.Until.IsZero() {
					t.Errorf("%+v, %v", r, err)
				}
			}
			n, err := s.NeedPeople(ctx)
			if told != step.told || n != step.told || err != nil {
				t.Errorf("at %s: %d told, %d need people, %v; want %d", step.at, told, n, err, step.told)
			}
		}
	})
}
