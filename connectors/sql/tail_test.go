package sqltable

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/connectors"
)

// The tail is what the lag held back, whole and once; the cursor stays, so that the next reading gives it again.
func TestSource_Tail(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.exec(t, "CREATE TABLE d (id integer PRIMARY KEY, version bigint, changed <WALL>)")
		s.grant(t)
		ago := func(d time.Duration) string { return time.Now().In(tokyo).Add(-d).Format(wallLayout) }
		s.exec(t, "INSERT INTO d VALUES (1, 1, ?), (2, 2, ?), (3, 3, ?), (4, 4, ?), (5, 5, ?)", ago(3*time.Hour), ago(30*time.Minute), ago(20*time.Minute), ago(10*time.Minute), ago(-time.Hour))
		conn := s.open(t)
		tail := func(cfg *Stream, ended connectors.Cursor, limit int) (found []string) {
			t.Helper()
			src, err := conn.Source(t.Context(), cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			if err := src.(connectors.TailReader).Tail(t.Context(), ended, limit, func(b connectors.Batch) error {
				if len(b.Records) > limit || b.Next != "" || !b.Interval.IsZero() {
					t.Errorf("a batch of %d, next %q, interval %v", len(b.Records), b.Next, b.Interval)
				}
				found = append(found, keys(b)...)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			return found
		}
		byTime := stream("d", func(c *Stream) { c.Changed, c.Lag = "changed", connectors.Duration(time.Hour) })
		first := all(t, conn, byTime, "", 10)
		for _, limit := range []int{1, 2, 10} {
			if diff := cmp.Diff([]string{"2", "3", "4"}, tail(byTime, first.Next, limit)); diff != "" {
				t.Errorf("in parts of %d (-want +got):\n%s", limit, diff)
			}
		}
		if got := tail(byTime, "", 10); got != nil {
			t.Errorf("of a reading that has not begun it gives %v", got)
		}
		byNumber := stream("d", func(c *Stream) { c.Changed = "version" })
		if got := tail(byNumber, all(t, conn, byNumber, "", 10).Next, 10); got != nil {
			t.Errorf("numbers have no lag, and the tail gives %v", got)
		}
		if got := keys(all(t, conn, byTime, first.Next, 10)); slices.Contains(got, "2") {
			t.Errorf("the lag is over for %v", got)
		}
	})
}
