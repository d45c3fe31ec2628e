package sqltable

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/connectors"
	"energyd/internal/fault"
)

func keys(b connectors.Batch) []string {
	var all []string
	for _, r := range b.Records {
		all = append(all, r.Key)
	}
	return all
}

func TestSource_Read_values(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.exec(t, "CREATE TABLE `値` (`番号` bigint PRIMARY KEY, `名` varchar(50), `整数` integer, `金額` numeric(12,2), `長い` numeric(30,2), "+
			"`実数` double precision, `旗` <FLAG>, `日` date, `時` time, `壁` <WALL>, `瞬` <INSTANT>, `生` <BYTES>, `空` varchar(5))")
		s.grant(t)
		instant := "2026-11-20 23:30:00.25"
		s.exec(t, "INSERT INTO `値` VALUES (9007199254740993, '山田　太郎', -5, 1234.50, 123456789012345678.25, 0.1, true, "+
			"'2026-11-21', '08:30:00', '2026-11-21 08:30:00.25', '"+instant+"', 'x', NULL)")
		cfg := stream("値")
		if s.name == "sqlite" {
			// One zone serves all columns of a SQLite table, and its numbers are what they are.
			s.exec(t, "UPDATE `値` SET `瞬` = '2026-11-20T23:30:00.25Z', `長い` = '123456789012345678.25円'")
		}
		b := all(t, s.open(t), cfg, "", 10)
		if len(b.Records) != 1 || len(b.Rejects) != 0 {
			t.Fatalf("got %+v", b)
		}
		moment := time.Date(2026, 11, 20, 23, 30, 0, 250e6, time.UTC)
		want := map[string]any{
			"番号": int64(9007199254740993), "名": "山田　太郎", "整数": int64(-5), "金額": 1234.5, "長い": "123456789012345678.25",
			"実数": 0.1, "旗": true, "日": "2026-11-21", "時": "08:30:00", "壁": moment, "瞬": moment, "空": nil,
		}
		if s.name == "mysql" {
			want["旗"] = int64(1) // BOOLEAN is a name for TINYINT there
		}
		if s.name == "sqlite" {
			want["長い"] = "123456789012345678.25円"
		}
		r := b.Records[0]
		if diff := cmp.Diff(want, r.Fields()); diff != "" {
			t.Errorf("values differ (-want +got):\n%s", diff)
		}
		if r.Key != "9007199254740993" || r.Origin != "値/9007199254740993" || !r.ChangedAt.IsZero() {
			t.Errorf("key %q, origin %q, changed %v", r.Key, r.Origin, r.ChangedAt)
		}
	})
}

// Composite keys, equal change times and NULLs in changed and key: each row comes once, at every page size.
func TestSource_Read_every_row_once(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.exec(t, "CREATE TABLE `明細` (`拠点` varchar(20), `枝` integer, `更新` <WALL>)")
		s.grant(t)
		var want []string
		for i := range 40 {
			changed := any(fmt.Sprintf("2026-11-20 10:00:%02d", i/8))
			if i%10 == 9 {
				changed = nil
			}
			branch := []string{"東京/本社", "大阪", "100%", "🗻"}[i%4]
			s.exec(t, "INSERT INTO `明細` VALUES (?, ?, ?)", branch, i, changed)
			want = append(want, slashes.Replace(branch)+"/"+fmt.Sprint(i))
		}
		s.exec(t, "INSERT INTO `明細` VALUES (NULL, 1, '2026-11-20 10:00:00'), ('大阪', NULL, NULL), (NULL, NULL, '2026-11-20 10:00:03')")
		slices.Sort(want)
		for _, changed := range []string{"更新", ""} {
			for _, limit := range []int{1, 3, 7, 40, 1000} {
				cfg := stream("明細", func(c *Stream) { c.Key, c.Changed = []string{"拠点", "枝"}, changed })
				b := all(t, s.open(t), cfg, "", limit)
				got := slices.Sorted(slices.Values(keys(b)))
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("changed %q, limit %d: keys differ (-want +got):\n%s", changed, limit, diff)
				}
				if len(b.Rejects) != 3 {
					t.Errorf("changed %q, limit %d: got %d rejects of 3", changed, limit, len(b.Rejects))
				}
				seen := map[string]bool{}
				for _, r := range b.Rejects {
					if r.Code != "no_key" || r.Key == "" || seen[r.Key] || r.Fields == nil {
						t.Errorf("reject %+v", r)
					}
					seen[r.Key] = true
				}
			}
		}
	})
}

func TestSource_Read_lookback_catches_late_commits(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.exec(t, "CREATE TABLE d (id integer PRIMARY KEY, changed <WALL>)")
		s.grant(t)
		ago := func(d time.Duration) string { return time.Now().In(tokyo).Add(-d).Format(wallLayout) }
		s.exec(t, "INSERT INTO d VALUES (1, ?), (2, ?)", ago(3*time.Hour), ago(30*time.Minute))
		cfg := stream("d", func(c *Stream) { c.Changed, c.Lag = "changed", connectors.Duration(time.Hour) })
		conn := s.open(t)
		before := time.Now()
		first := all(t, conn, cfg, "", 10)
		if diff := cmp.Diff([]string{"1"}, keys(first)); diff != "" {
			t.Errorf("rows younger than the lag must wait (-want +got):\n%s", diff)
		}
		if i := first.Interval; !i.From.IsZero() || before.Add(-time.Hour).Sub(i.To).Abs() > 20*time.Minute {
			t.Errorf("the interval is %v; want all before the database's clock minus 1h", i)
		}
		// Committed after that reading, with times that it had already passed.
		s.exec(t, "INSERT INTO d VALUES (3, ?), (4, ?)", ago(65*time.Minute), ago(2*time.Hour))
		second := all(t, conn, cfg, first.Next, 10)
		if diff := cmp.Diff([]string{"3"}, keys(second)); diff != "" {
			t.Errorf("the lookback reaches 10m back (-want +got):\n%s", diff)
		}
		if !second.Interval.From.Equal(first.Interval.To.Add(-10 * time.Minute)) {
			t.Errorf("second interval %v, first %v", second.Interval, first.Interval)
		}
	})
}

func TestSource_Read_growing_number(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.exec(t, "CREATE TABLE d (id integer PRIMARY KEY, version bigint)")
		s.grant(t)
		cfg := stream("d", func(c *Stream) { c.Changed, c.LookbackNumbers = "version", 5 })
		conn := s.open(t)
		empty := all(t, conn, cfg, "", 2)
		for i := range 10 {
			s.exec(t, "INSERT INTO d VALUES (?, ?)", i, 100-i)
		}
		first := all(t, conn, cfg, empty.Next, 2)
		if diff := cmp.Diff(strings.Split("9 8 7 6 5 4 3 2 1 0", " "), keys(first)); diff != "" {
			t.Errorf("by number (-want +got):\n%s", diff)
		}
		s.exec(t, "UPDATE d SET version = 101 WHERE id = 9")
		s.exec(t, "INSERT INTO d VALUES (20, 96), (21, 90)")
		second := all(t, conn, cfg, first.Next, 3)
		// The first reading ended at 101: five numbers back is 96.
		if diff := cmp.Diff(strings.Split("4 20 3 2 1 0 9", " "), keys(second)); diff != "" {
			t.Errorf("changed rows and five numbers back (-want +got):\n%s", diff)
		}
	})
}

func TestSource_Read_deleted(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.exec(t, "CREATE TABLE d (id integer PRIMARY KEY, flag <FLAG>, gone <WALL>, num integer, `状態` varchar(10))")
		s.grant(t)
		s.exec(t, "INSERT INTO d VALUES (1, false, NULL, 0, '有効'), (2, true, '2026-11-01 00:00:00', 1, '削除'), (3, NULL, NULL, NULL, NULL)")
		conn := s.open(t)
		for _, deleted := range []string{"flag", "gone", "num", "状態 = '削除'"} {
			var got []bool
			for _, r := range all(t, conn, stream("d", func(c *Stream) { c.Deleted = deleted }), "", 10).Records {
				got = append(got, r.Deleted)
			}
			if diff := cmp.Diff([]bool{false, true, false}, got); diff != "" {
				t.Errorf("deleted: %s (-want +got):\n%s", deleted, diff)
			}
		}
	})
}

func TestSource_Read_query(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.exec(t, "CREATE TABLE d (id integer PRIMARY KEY, memo varchar(20), made <WALL>, changed <WALL>)")
		s.grant(t)
		s.exec(t, "INSERT INTO d VALUES (1, 'どう', '2026-11-01 10:00:00', NULL), (2, NULL, '2026-11-01 10:00:00', '2026-11-02 10:00:00')")
		cfg := stream("", func(c *Stream) {
			c.Query = "SELECT id, memo, COALESCE(changed, made) AS changed_at FROM d WHERE memo IS NULL OR memo <> '?' -- どう?\n;"
			c.Key, c.Changed = []string{"id"}, "changed_at"
		})
		b := all(t, s.open(t), cfg, "", 1)
		if diff := cmp.Diff([]string{"1", "2"}, keys(b)); diff != "" {
			t.Errorf("keys (-want +got):\n%s", diff)
		}
		if want := time.Date(2026, 11, 2, 1, 0, 0, 0, time.UTC); !b.Records[1].ChangedAt.Equal(want) {
			t.Errorf("changed at %v, want %v", b.Records[1].ChangedAt, want)
		}
	})
}

func TestSource_Read_selected_columns(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.exec(t, "CREATE TABLE d (id integer PRIMARY KEY, a varchar(5), b varchar(5), changed <WALL>)")
		s.grant(t)
		s.exec(t, "INSERT INTO d VALUES (1, 'a', 'b', '2026-11-01 10:00:00')")
		for _, tt := range []struct{ configured, mapped, want []string }{
			{nil, nil, []string{"id", "a", "b", "changed"}},
			{nil, []string{"b"}, []string{"id", "b", "changed"}},
			{[]string{"a"}, []string{"b"}, []string{"id", "a", "changed"}},
		} {
			cfg := stream("d", func(c *Stream) { c.Changed, c.Columns = "changed", tt.configured })
			var selector connectors.ColumnSelector = cfg
			selector.SelectColumns(tt.mapped)
			if diff := cmp.Diff(tt.want, all(t, s.open(t), cfg, "", 5).Records[0].Columns.Names); diff != "" {
				t.Errorf("columns of %v (-want +got):\n%s", tt, diff)
			}
		}
	})
}

// In the hour that autumn repeats, wall clocks run 01:00…01:59 twice. No row may fall between two readings.
func TestBounds_autumn(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	s := &source{
		conn: &conn{}, cfg: stream("d"),
		table: &table{columns: []column{{kind: wall}}, changed: 0, loc: berlin},
	}
	// 2026-10-25: 03:00 CEST (01:00 UTC) becomes 02:00 CET.
	first := time.Date(2026, 10, 24, 23, 0, 0, 0, time.UTC)
	for step := range 240 { // rows are written each minute; readings every 7 minutes, each a minute behind
		row := first.Add(time.Duration(step) * time.Minute)
		onWall := row.In(berlin).Format(wallLayout)
		found := false
		for to := row.Add(time.Minute); to.Before(row.Add(2 * time.Hour)); to = to.Add(7 * time.Minute) {
			c := cursor{From: to.Add(-17 * time.Minute).Format(wallLayout), To: to.Format(wallLayout)}
			lo, hi, err := s.bounds(c)
			if err != nil {
				t.Fatal(err)
			}
			found = found || lo.(string) <= onWall && onWall < hi.(string)
		}
		if !found {
			t.Errorf("the row written at %v (%s on the wall) is in no window after it", row, onWall)
		}
	}
}

// A reading that ends in the hour which autumn repeats, and the next one after
// spring: what was saved in the second run of that hour looks older than the end.
func TestBounds_autumn_to_spring(t *testing.T) {
	newYork, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	s := &source{
		conn: &conn{}, cfg: stream("d"),
		table: &table{columns: []column{{kind: wall}}, changed: 0, loc: newYork},
	}
	// 2026-11-01: 02:00 EDT (06:00 UTC) becomes 01:00 EST.
	done := time.Date(2026, 11, 1, 5, 40, 0, 0, time.UTC)
	row := time.Date(2026, 11, 1, 6, 5, 0, 0, time.UTC)
	for _, to := range []time.Time{row.Add(time.Minute), row.AddDate(0, 1, 0), row.AddDate(0, 6, 0)} {
		from, _, err := s.bounds(cursor{From: done.Add(-10 * time.Minute).Format(wallLayout), To: to.Format(wallLayout)})
		if onWall := row.In(newYork).Format(wallLayout); err != nil || from.(string) > onWall {
			t.Errorf("the reading up to %v begins at %v; the row was saved at %s (%v)", to, from, onWall, err)
		}
	}
}

func TestSource_Read_bad_encoding(t *testing.T) {
	for _, name := range []string{"postgres", "sqlite"} { // MySQL keeps no such text
		t.Run(name, func(t *testing.T) {
			s := start[name](t)
			if name == "postgres" {
				s = inEncoding(t, s, "SQL_ASCII")
			}
			s.exec(t, "CREATE TABLE d (id varchar(10) PRIMARY KEY, `メモ` varchar(50), changed <WALL>)")
			s.grant(t)
			bad := map[string]string{"postgres": `convert_from('\x93fa95f1', 'SQL_ASCII')`, "sqlite": "CAST(x'93fa95f1' AS TEXT)"}[name]
			s.exec(t, "INSERT INTO d VALUES ('a', '良い', '2026-11-01 10:00:00'), ('b', "+bad+", '2026-11-01 11:00:00'), ('c', '良い', '2026-11-01 12:00:00')")
			for _, limit := range []int{1, 2, 10} {
				b := all(t, s.open(t), stream("d", func(c *Stream) { c.Changed = "changed" }), "", limit)
				if diff := cmp.Diff([]string{"a", "c"}, keys(b)); diff != "" {
					t.Errorf("the others go on (-want +got):\n%s", diff)
				}
				if len(b.Rejects) != 1 || b.Rejects[0].Code != "encoding" || b.Rejects[0].Key != "b" || !strings.Contains(b.Rejects[0].Reason, "メモ") {
					t.Errorf("rejects %+v", b.Rejects)
				}
			}
		})
	}
}

// inEncoding gives a database in another encoding of PostgreSQL's; SQL_ASCII takes any bytes for text.
func inEncoding(t *testing.T, s *server, encoding string) *server {
	name := "in_" + strings.ToLower(encoding)
	s.exec(t, "CREATE DATABASE "+name+" ENCODING '"+encoding+"' TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'")
	t.Cleanup(func() { s.exec(t, "DROP DATABASE "+name+" WITH (FORCE)") })
	var dir string
	if err := s.admin.QueryRow("SHOW unix_socket_directories").Scan(&dir); err != nil {
		t.Fatal(err)
	}
	own := *s
	own.admin = openAdmin(t, "postgres", "postgres://energyd@/"+name+"?sslmode=disable&host="+dir)
	own.cfg = func() *Config { return config("postgres", s.addr, name) }
	own.grant = func(t *testing.T) { own.exec(t, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader") }
	return &own
}

// A key that cannot be read still gives a reject of its own, and the reading goes on behind it.
func TestSource_Read_bad_keys(t *testing.T) {
	s := startSQLite(t)
	s.exec(t, "CREATE TABLE d (id text PRIMARY KEY NOT NULL)")
	s.exec(t, "INSERT INTO d VALUES ('a'), (''), (CAST(x'93fa' AS TEXT)), (CAST(x'93fb' AS TEXT)), ('日')")
	for _, limit := range []int{1, 2, 10} {
		b := all(t, s.open(t), stream("d"), "", limit)
		if diff := cmp.Diff([]string{"a", "日"}, keys(b)); diff != "" {
			t.Errorf("limit %d: keys (-want +got):\n%s", limit, diff)
		}
		got := map[string]string{}
		for _, r := range b.Rejects {
			got[r.Key] = r.Code
		}
		if diff := cmp.Diff(map[string]string{`""`: "no_key", `"\x93\xfa"`: "encoding", `"\x93\xfb"`: "encoding"}, got); diff != "" {
			t.Errorf("limit %d: rejects (-want +got):\n%s", limit, diff)
		}
	}
}

// An admin reads where a reject is from: the change time and the key, as they are.
func TestSource_Read_rejects_say_where(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.exec(t, "CREATE TABLE d (`名` varchar(10) PRIMARY KEY, n integer, changed <WALL>)")
		s.grant(t)
		s.exec(t, "INSERT INTO d VALUES ('', 42, '2026-11-20 10:00:00')")
		for changed, want := range map[string]string{"changed": `2026-11-20 10:00:00/""`, "n": `42/""`, "": `""`} {
			b := all(t, s.open(t), stream("d", func(c *Stream) { c.Changed = changed }), "", 10)
			if s.name == "mysql" {
				want = strings.Replace(want, ":00/", ":00.000000/", 1)
			}
			if len(b.Rejects) != 1 || b.Rejects[0].Key != want || b.Rejects[0].Origin != "d/"+want {
				t.Errorf("changed %q: %+v; want the key %s", changed, b.Rejects, want)
			}
		}
	})
}

// SQLite has no type of time: what it cannot compare is read apart, and another zone than the stream's is told.
func TestSource_Read_sqlite_times(t *testing.T) {
	s := startSQLite(t)
	s.exec(t, "CREATE TABLE d (id integer PRIMARY KEY, changed text NOT NULL)")
	s.exec(t, "INSERT INTO d VALUES (1, '2026-11-02 10:00'), (2, '昨日'), (3, '2026-11-01T10:00:00'), (4, '2026-11-02 09:59:59.5'), (5, '2026-11-02T10:01')")
	cfg := stream("d", func(c *Stream) { c.Changed = "changed" })
	b := all(t, s.open(t), cfg, "", 1)
	if diff := cmp.Diff([]string{"3", "4", "1", "5", "2"}, keys(b)); diff != "" {
		t.Errorf("keys (-want +got):\n%s", diff)
	}
	for _, r := range b.Records {
		if r.ChangedAt.IsZero() != (r.Key == "2") {
			t.Errorf("row %s changed at %v", r.Key, r.ChangedAt)
		}
	}
	s.exec(t, "UPDATE d SET changed = '2026-11-01T10:00:00+09:00' WHERE id = 3")
	source, err := s.open(t).Source(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	_, err = source.Read(t.Context(), "", 10)
	wantFault(t, err, fault.Config, "changed", "timezone to UTC")
}

// Doubles that come while a table is read may fall between two pages, so the
// next opening refuses them; within a page they are rejects.
func TestSource_Read_same_key_twice(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.exec(t, "CREATE TABLE d (id integer NOT NULL, v integer)")
		s.grant(t)
		s.exec(t, "INSERT INTO d VALUES (0, 1), (1, 1)")
		conn, cfg := s.open(t), stream("d", func(c *Stream) { c.Key = []string{"id"} })
		source, err := conn.Source(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		s.exec(t, "INSERT INTO d VALUES (0, 2), (0, 3), (1, 2), (1, 3)")
		b, err := source.Read(t.Context(), "", 2)
		if err != nil || len(b.Records) != 1 || len(b.Rejects) != 1 || b.Rejects[0].Code != "key_twice" || b.Rejects[0].Key != "0" {
			t.Errorf("got %+v, %v", b, err)
		}
		_, err = conn.Source(t.Context(), cfg)
		wantFault(t, err, fault.Config, "same key", "HAVING count(*) > 1")
	})
}

func TestSource_Read_number_is_not_whole(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.exec(t, "CREATE TABLE d (id integer PRIMARY KEY, n numeric(20,1))")
		s.grant(t)
		s.exec(t, "INSERT INTO d VALUES (1, 1.5)")
		source, err := s.open(t).Source(t.Context(), stream("d", func(c *Stream) { c.Changed = "n" }))
		if err == nil {
			_, err = source.Read(t.Context(), "", 10)
		}
		wantFault(t, err, fault.Config, "n", "changed")
	})
}

// Times that the database's clock has not reached are not read: somebody has to hear of it.
func TestConn_Source_changed_in_the_future(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.exec(t, "CREATE TABLE d (id integer PRIMARY KEY, w <WALL>, i <INSTANT>)")
		s.grant(t)
		var log strings.Builder
		conn, err := Connector.Open(t.Context(), s.cfg(), connectors.Env{Log: slog.New(slog.NewTextHandler(&log, nil)), Name: "daily_db"})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		insert := func(id int, ahead time.Duration) {
			at := time.Now().Add(ahead)
			s.exec(t, "INSERT INTO d VALUES (?, ?, ?)", id, at.In(tokyo).Format(wallLayout), at.UTC().Format(wallLayout))
		}
		warned := func(changed, zone string) bool {
			t.Helper()
			log.Reset()
			if _, err := conn.Source(t.Context(), stream("d", func(c *Stream) { c.Changed, c.Timezone = changed, zone })); err != nil {
				t.Fatal(err)
			}
			return strings.Contains(log.String(), "in the future") && strings.Contains(log.String(), "timezone")
		}
		insert(1, -time.Hour)
		insert(2, 2*time.Minute)
		if warned("w", "Asia/Tokyo") {
			t.Errorf("two minutes are no reason: %s", log.String())
		}
		if !warned("w", "UTC") {
			t.Errorf("times of Tokyo under UTC lie 9 h ahead; the log says %q", log.String())
		}
		insert(3, time.Hour)
		if !warned("w", "Asia/Tokyo") || !strings.Contains(log.String(), "rows=1") {
			t.Errorf("one row is an hour ahead; the log says %q", log.String())
		}
		if s.name != "sqlite" && !warned("i", "Asia/Tokyo") { // whose times all have the stream's zone
			t.Errorf("one row is an hour ahead; the log says %q", log.String())
		}
	})
}

// Long texts end a batch early, so that memory is bounded; nothing is lost, and the batches are the same each time.
func TestSource_Read_long_texts(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.exec(t, "CREATE TABLE d (id integer PRIMARY KEY, memo <LONG>, changed <WALL>)")
		s.grant(t)
		memo := strings.Repeat("議", 500_000) // 1.5 MB
		for i := range 40 {
			s.exec(t, "INSERT INTO d VALUES (?, ?, '2026-11-20 10:00:00')", i, memo)
		}
		conn := s.open(t)
		source, err := conn.Source(t.Context(), stream("d", func(c *Stream) { c.Changed = "changed" }))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 { // the second time the source knows how long its rows are
			var sizes []int
			for after, more := connectors.Cursor(""), true; more; {
				b, err := source.Read(t.Context(), after, 20_000)
				if err != nil {
					t.Fatal(err)
				}
				sizes = append(sizes, len(b.Records))
				after, more = b.Next, b.More
			}
			if diff := cmp.Diff([]int{12, 12, 12, 4}, sizes); diff != "" {
				t.Errorf("batches (-want +got):\n%s", diff)
			}
		}
	})
}
