package sqltable

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/connectors"
	"energyd/internal/fault"
)

// servers are the databases that other sessions can watch and write to at the same time.
func servers(t *testing.T, test func(t *testing.T, s *server)) {
	for _, name := range []string{"postgres", "mysql"} {
		t.Run(name, func(t *testing.T) { test(t, start[name](t)) })
	}
}

// A transaction takes its change time, another commits a later one that is read, and
// only then the first commits: its row comes with the next reading, by the lookback.
func TestSource_Read_commit_after_a_later_change_was_read(t *testing.T) {
	servers(t, func(t *testing.T, s *server) {
		s.exec(t, "CREATE TABLE d (id integer PRIMARY KEY, changed <INSTANT> DEFAULT CURRENT_TIMESTAMP(6))")
		s.grant(t)
		var ago string
		if s.name == "postgres" {
			ago = "CURRENT_TIMESTAMP - interval '5 seconds'"
		} else {
			ago = "CURRENT_TIMESTAMP(6) - INTERVAL 5 SECOND"
		}
		late, err := s.admin.Begin()
		if err != nil {
			t.Fatal(err)
		}
		defer late.Rollback()
		if _, err := late.Exec("INSERT INTO d VALUES (1, " + ago + ")"); err != nil {
			t.Fatal(err)
		}
		s.exec(t, "INSERT INTO d VALUES (2, "+ago+")")
		conn, cfg := s.open(t), stream("d", func(c *Stream) { c.Changed = "changed" })
		first := all(t, conn, cfg, "", 10)
		if diff := cmp.Diff([]string{"2"}, keys(first)); diff != "" {
			t.Errorf("what is not committed is not read (-want +got):\n%s", diff)
		}
		if err := late.Commit(); err != nil {
			t.Fatal(err)
		}
		second := all(t, conn, cfg, first.Next, 10)
		if got := keys(second); !slices.Contains(got, "1") {
			t.Errorf("the second reading gave %v; the row 1 was committed in between", got)
		}
	})
}

// Between two pages nothing is open: neither a transaction nor a lock on the table.
func TestSource_Read_holds_nothing_between_pages(t *testing.T) {
	servers(t, func(t *testing.T, s *server) {
		s.exec(t, "CREATE TABLE d (id integer PRIMARY KEY, changed <WALL>)")
		s.grant(t)
		for i := range 9 {
			s.exec(t, "INSERT INTO d VALUES (?, '2026-11-20 10:00:00')", i)
		}
		open := map[string]string{
			"postgres": `SELECT count(*) FROM pg_stat_activity WHERE application_name = 'energyd' AND datname = current_database()
				AND (xact_start IS NOT NULL OR backend_xmin IS NOT NULL OR state <> 'idle')`,
			"mysql": `SELECT count(*) FROM information_schema.innodb_trx x JOIN information_schema.processlist p
				ON p.id = x.trx_mysql_thread_id WHERE p.user = 'reader'`,
		}[s.name]
		source, err := s.open(t).Source(t.Context(), stream("d", func(c *Stream) { c.Changed = "changed" }))
		if err != nil {
			t.Fatal(err)
		}
		for after, more := connectors.Cursor(""), true; more; {
			b, err := source.Read(t.Context(), after, 2)
			if err != nil {
				t.Fatal(err)
			}
			var n int
			if err := s.admin.QueryRow(open).Scan(&n); err != nil || n != 0 {
				t.Fatalf("%d transactions are open after %q (%v)", n, after, err)
			}
			after, more = b.Next, b.More
		}
		s.exec(t, "ALTER TABLE d ADD COLUMN memo varchar(10)") // would wait for ever behind a reader
	})
}

// More readers than connections wait for each other; the server never sees more.
func TestConn_max_connections(t *testing.T) {
	servers(t, func(t *testing.T, s *server) {
		s.exec(t, "CREATE TABLE d (id integer PRIMARY KEY)")
		s.grant(t)
		for i := range 30 {
			s.exec(t, "INSERT INTO d VALUES (?)", i)
		}
		cfg := s.cfg()
		cfg.MaxConnections = 2
		opened, err := Connector.Open(t.Context(), cfg, connectors.Env{Log: slog.New(slog.DiscardHandler), Name: "daily_db"})
		if err != nil {
			t.Fatal(err)
		}
		defer opened.Close()
		var wg sync.WaitGroup
		for range 6 {
			wg.Go(func() {
				if got := len(all(t, opened, stream("d"), "", 1).Records); got != 30 {
					t.Errorf("a reader got %d rows of 30", got)
				}
			})
		}
		done := make(chan struct{})
		go func() { wg.Wait(); close(done) }()
		seen := map[string]string{
			"postgres": "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'energyd' AND datname = current_database()",
			"mysql":    "SELECT count(*) FROM information_schema.processlist WHERE user = 'reader'",
		}[s.name]
		for running := true; running; {
			select {
			case <-done:
				running = false
			default:
			}
			var n int
			if err := s.admin.QueryRow(seen).Scan(&n); err != nil || n > cfg.MaxConnections {
				t.Fatalf("%d connections of at most %d (%v)", n, cfg.MaxConnections, err)
			}
		}
	})
}

// The server itself ends a statement that takes too long, so that it does not work on for nobody.
func TestSource_Read_statement_timeout_mariadb(t *testing.T) {
	s := startMySQL(t)
	cfg := s.cfg()
	cfg.StatementTimeout = connectors.Duration(time.Second)
	conn, err := Connector.Open(t.Context(), cfg, connectors.Env{Log: slog.New(slog.DiscardHandler), Name: "daily_db"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	source, err := conn.Source(t.Context(), stream("", func(c *Stream) {
		c.Query, c.Key = "SELECT seq AS n, SLEEP(60) AS s FROM seq_1_to_2", []string{"n"}
	}))
	if err == nil {
		_, err = source.Read(t.Context(), "", 10)
	}
	wantFault(t, err, fault.Unavailable, "too long", "statement_timeout")
	for n := 1; n > 0; { // soon, long before the 60 s are over
		if t.Context().Err() != nil {
			t.Fatalf("%d statements go on", n)
		}
		const longest = "SELECT count(*) FROM information_schema.processlist WHERE user = 'reader' AND command = 'Query'"
		if err := s.admin.QueryRow(longest).Scan(&n); err != nil {
			t.Fatal(err)
		}
	}
}

// Neither the reader nor an admin's own SELECT can write, also where the user may.
func TestSource_query_cannot_write(t *testing.T) {
	s := startPostgres(t)
	s.exec(t, "CREATE TABLE d (id integer PRIMARY KEY)")
	s.exec(t, "CREATE FUNCTION sneak() RETURNS integer LANGUAGE sql AS 'INSERT INTO d VALUES (1) RETURNING id'")
	s.grant(t)
	s.exec(t, "GRANT INSERT ON d TO reader")
	source, err := s.open(t).Source(t.Context(), stream("", func(c *Stream) { c.Query, c.Key = "SELECT sneak() AS id", []string{"id"} }))
	if err == nil {
		_, err = source.Read(t.Context(), "", 10)
	}
	if err == nil || !strings.Contains(err.Error(), "read-only") {
		t.Errorf("got %v; want the server's refusal", err)
	}
	var n int
	if err := s.admin.QueryRow("SELECT count(*) FROM d").Scan(&n); err != nil || n != 0 {
		t.Errorf("%d rows were written (%v)", n, err)
	}
}

// Names as they come: Japanese, spaces, quotes of all kinds, mixed case, reserved words.
func TestSource_Read_names(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		quote := dialects[s.name].quote
		for _, name := range []string{"営業 日報", "Daily Report", `say "hi"`, "it's", "back`tick", "select", "100%?:x", "a[b]c", "日報－全角"} {
			key, changed := name+" key", name+" at"
			for _, statement := range []string{
				fmt.Sprintf("CREATE TABLE %s (%s integer PRIMARY KEY, %s %s, %s varchar(10))",
					quote(name), quote(key), quote(changed), s.types["WALL"], quote("order")),
				fmt.Sprintf("INSERT INTO %s VALUES (1, '2026-11-20 10:00:00', 'x'), (2, '2026-11-20 10:00:00', 'y')", quote(name)),
			} {
				if _, err := s.admin.Exec(statement); err != nil {
					t.Fatalf("%s: %v", statement, err)
				}
			}
			s.grant(t)
			b := all(t, s.open(t), stream(name, func(c *Stream) { c.Changed = changed }), "", 1)
			if diff := cmp.Diff([]string{"1", "2"}, keys(b)); diff != "" {
				t.Fatalf("table %s (-want +got):\n%s", name, diff)
			}
			if got := b.Records[1].Fields()["order"]; got != "y" || b.Records[1].Origin != name+"/2" {
				t.Errorf("table %s: %v, %s", name, got, b.Records[1].Origin)
			}
		}
	})
}

// A view has no key of its own: it is named, refused when several rows have it, and read like a table.
func TestSource_Read_view(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.exec(t, "CREATE TABLE d (id integer PRIMARY KEY, rep varchar(10), changed <WALL>)")
		for i := range 7 {
			s.exec(t, "INSERT INTO d VALUES (?, ?, '2026-11-20 10:00:00')", i, []string{"佐藤", "鈴木"}[i%2])
		}
		s.exec(t, "CREATE VIEW `日報ビュー` AS SELECT id + 0 AS `番号`, rep AS `担当`, changed AS `更新` FROM d")
		s.grant(t)
		conn := s.open(t)
		view := func(key ...string) *Stream {
			return stream("日報ビュー", func(c *Stream) { c.Key, c.Changed = key, "更新" })
		}
		_, err := conn.Source(t.Context(), view())
		wantFault(t, err, fault.Config, "primary key", "name the columns")
		_, err = conn.Source(t.Context(), view("担当"))
		wantFault(t, err, fault.Config, "same key", "担当")
		for _, key := range [][]string{{"番号"}, {"担当", "番号"}} {
			if got := len(all(t, conn, view(key...), "", 2).Records); got != 7 {
				t.Errorf("key %v: %d rows of 7", key, got)
			}
		}
	})
}
