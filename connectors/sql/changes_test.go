package sqltable

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"energyd/connectors"
	"energyd/internal/fault"
)

// kept holds records as the store does: of a key the later change stands.
type kept map[string]connectors.Record

func (k kept) add(b connectors.Batch) {
	for _, r := range b.Records {
		if old, ok := k[r.Key]; !ok || r.ChangedAt.After(old.ChangedAt) {
			k[r.Key] = r
		}
	}
}

func (k kept) shown() []string {
	var lines []string
	for _, r := range k {
		if !r.Deleted {
			lines = append(lines, fmt.Sprint(r.Key, " ", r.Values))
		}
	}
	slices.Sort(lines)
	return lines
}

// TestSource_Read_changes_between_readings: whatever is inserted, changed, marked as deleted or
// committed late between readings, wherever they are broken off, in the end stands what a fresh reading gives.
func TestSource_Read_changes_between_readings(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.exec(t, "CREATE TABLE d (no varchar(20) PRIMARY KEY, memo varchar(20), gone <FLAG>, changed <WALL>)")
		s.grant(t)
		cfg := stream("d", func(c *Stream) { c.Changed, c.Deleted = "changed", "gone" })
		conn := s.open(t)
		rapid.Check(t, func(rt *rapid.T) {
			s.exec(t, "DELETE FROM d")
			changed := map[string]time.Time{}
			clock := time.Now().Add(-5 * time.Minute) // within the lookback, and before the lag
			save := func() {
				clock = clock.Add(time.Second)
				no := rapid.StringMatching(`[A-C]/?[0-9]`).Draw(rt, "row")
				old, there := changed[no]
				at := clock.Add(-time.Duration(rapid.IntRange(0, 60).Draw(rt, "late")) * time.Second) // taken when its transaction began
				if !at.After(old) {
					at = old.Add(time.Millisecond)
				}
				changed[no] = at
				wall := at.In(tokyo).Format("2006-01-02 15:04:05.000000")
				memo, gone := rapid.StringMatching(`[あ-う]{0,3}`).Draw(rt, "memo"), rapid.IntRange(0, 4).Draw(rt, "gone") == 0
				if there {
					s.exec(t, "UPDATE d SET memo = ?, gone = ?, changed = ? WHERE no = ?", memo, gone, wall, no)
				} else {
					s.exec(t, "INSERT INTO d (no, memo, gone, changed) VALUES (?, ?, ?, ?)", no, memo, gone, wall)
				}
			}
			stands, after := kept{}, connectors.Cursor("")
			read := func(pages int) {
				source, err := conn.Source(t.Context(), cfg)
				if err != nil {
					rt.Fatal(err)
				}
				defer source.Close()
				for more := true; more && pages > 0; pages-- {
					b, err := source.Read(t.Context(), after, rapid.IntRange(1, 5).Draw(rt, "limit"))
					if err != nil {
						rt.Fatal(err)
					}
					if len(b.Rejects) > 0 {
						rt.Fatalf("rejects: %+v", b.Rejects)
					}
					stands.add(b)
					after, more = b.Next, b.More
				}
			}
			for range rapid.IntRange(1, 4).Draw(rt, "readings") {
				for range rapid.IntRange(0, 6).Draw(rt, "changes") {
					save()
				}
				read(rapid.IntRange(1, 6).Draw(rt, "pages"))
			}
			read(1000) // ends the window that is open
			read(1000)
			fresh := kept{}
			fresh.add(all(t, conn, cfg, "", 1000))
			if diff := cmp.Diff(fresh.shown(), stands.shown()); diff != "" {
				rt.Fatalf("records differ (-fresh +kept):\n%s", diff)
			}
		})
	})
}

// TestSource_Read_connection_lost: sessions that the database ends between pages cost nothing, or one error that says
// to try again; the same cursor then gives each row once.
func TestSource_Read_connection_lost(t *testing.T) {
	servers(t, func(t *testing.T, s *server) {
		s.exec(t, "CREATE TABLE d (id integer PRIMARY KEY)")
		for id := range 30 {
			s.exec(t, "INSERT INTO d VALUES (?)", id)
		}
		s.grant(t)
		source, err := s.open(t).Source(t.Context(), stream("d"))
		if err != nil {
			t.Fatal(err)
		}
		defer source.Close()
		var got []string
		after, more, lost := connectors.Cursor(""), true, 0
		for more {
			b, err := source.Read(t.Context(), after, 10)
			if f := new(fault.Error); err != nil && errors.As(err, &f) && f.Kind == fault.Unavailable {
				if lost++; lost > 10 {
					t.Fatalf("the connection does not come back: %v", err)
				}
				continue
			} else if err != nil {
				t.Fatal(err)
			}
			got = append(got, keys(b)...)
			after, more = b.Next, b.More
			s.endSessions(t)
		}
		var want []string
		for id := range 30 {
			want = append(want, fmt.Sprint(id))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("rows differ (-want +got):\n%s", diff)
		}
	})
}

// endSessions ends all sessions of the reader, as a restart of the database does.
func (s *server) endSessions(t *testing.T) {
	t.Helper()
	if s.name == "postgres" {
		s.exec(t, "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'reader'")
		return
	}
	rows, err := s.admin.Query("SELECT id FROM information_schema.processlist WHERE user = 'reader'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var ids []int64
	for rows.Next() {
		var id int64
		if err := rows.Scan(&id); err != nil {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
	for _, id := range ids {
		s.exec(t, fmt.Sprintf("KILL CONNECTION %d", id))
	}
}
