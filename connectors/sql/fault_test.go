package sqltable

import (
	"errors"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/connectors"
	"energyd/connectors/connectortest"
	"energyd/internal/fault"
)

// wantFault fails unless err has that kind, says all of words, and tells what to do.
func wantFault(t *testing.T, err error, kind fault.Kind, words ...string) {
	t.Helper()
	if fault.KindOf(err) != kind || fault.HintOf(err) == "" {
		t.Errorf("got %v (%s, hint %q); want kind %s and a hint", err, fault.KindOf(err), fault.HintOf(err), kind)
		return
	}
	for _, w := range words {
		if said := err.Error() + " " + fault.HintOf(err); !strings.Contains(said, w) {
			t.Errorf("%q does not say %q", said, w)
		}
	}
	if strings.Contains(err.Error()+fault.HintOf(err), planted) {
		t.Errorf("the password shows in %v", err)
	}
}

func TestConn_Source_wrong_settings(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.exec(t, "CREATE TABLE `日報` (`番号` integer PRIMARY KEY, `報告日` date, `種別` varchar(10), `更新日時` <WALL>, `画像` <BYTES>)")
		s.exec(t, "CREATE TABLE `鍵なし` (`種別` varchar(10))")
		s.exec(t, "INSERT INTO `日報` (`番号`, `種別`) VALUES (1, '訪問'), (2, '訪問')")
		s.grant(t)
		conn := s.open(t)
		for _, tt := range []struct {
			name  string
			set   func(*Stream)
			words []string
		}{
			{"table", func(c *Stream) { c.Table = "日報告" }, []string{"日報告", `did you mean "日報"`}},
			{"schema", func(c *Stream) { c.Table = "どこ.日報" }, []string{"どこ.日報"}},
			{"key", func(c *Stream) { c.Key = []string{"番"} }, []string{`did you mean "番号"`}},
			{"no key", func(c *Stream) { c.Table = "鍵なし" }, []string{"primary key", "key"}},
			{"changed", func(c *Stream) { c.Changed = "更新日" }, []string{`did you mean "更新日時"`}},
			{"key of several rows", func(c *Stream) { c.Key = []string{"種別"} }, []string{"same key", "種別", "HAVING count(*) > 1"}},
			{"key of a query", func(c *Stream) {
				c.Table, c.Query, c.Key = "", "SELECT 種別 FROM 日報 -- どう?", []string{"種別"}
			}, []string{"same key", "種別"}},
			{"changed is a date", func(c *Stream) { c.Changed = "報告日" }, []string{"報告日", "CAST"}},
			{"columns", func(c *Stream) { c.Columns = []string{"種類"} }, []string{`did you mean "種別"`}},
			{"bytes", func(c *Stream) { c.Columns = []string{"画像"} }, []string{"画像", "query"}},
			{"deleted", func(c *Stream) { c.Deleted = "削除" }, []string{"削除", "番号, 報告日, 種別, 更新日時"}},
			{"deleted is text", func(c *Stream) { c.Deleted = "種別" }, []string{"種別 = 'Y'"}},
			{"timezone", func(c *Stream) { c.Timezone = "" }, []string{"timezone", "更新日時"}},
			{"query", func(c *Stream) { c.Table, c.Query, c.Key = "", "SELEKT 1", []string{"a"} }, []string{"query"}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				_, err := conn.Source(t.Context(), stream("日報", tt.set))
				wantFault(t, err, fault.Config, append(tt.words, "daily_db")...)
			})
		}
		t.Run("condition", func(t *testing.T) {
			source, err := conn.Source(t.Context(), stream("日報", func(c *Stream) { c.Deleted = "削除 = = 1" }))
			if err != nil {
				t.Fatal(err)
			}
			_, err = source.Read(t.Context(), "", 10)
			wantFault(t, err, fault.Config, "deleted")
		})
	})
}

// Where a unique index answers for the key, nothing is counted.
func TestConn_unique(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.exec(t, "CREATE TABLE d (id integer PRIMARY KEY, a integer, b integer, c integer, e varchar(10))")
		s.exec(t, "CREATE UNIQUE INDEX d_ab ON d (a, b)")
		s.exec(t, "CREATE INDEX d_c ON d (c)")
		if s.name != "mysql" { // MariaDB has no such indexes
			s.exec(t, "CREATE UNIQUE INDEX d_e ON d (lower(e))")
			s.exec(t, "CREATE UNIQUE INDEX d_cp ON d (c) WHERE c > 5")
		}
		s.grant(t)
		for key, want := range map[string]bool{
			"id": true, "c id": true, "a b": true, "b c a": true, "a": false, "c": false, "e": false, "a c e": false,
		} {
			got, err := s.open(t).(*conn).unique(t.Context(), stream("d"), strings.Fields(key))
			if err != nil || got != want {
				t.Errorf("key %s: %v, %v; want %v", key, got, err, want)
			}
		}
	})
}

func TestConn_Check_says_what_to_do(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		if s.name == "sqlite" {
			return
		}
		for _, tt := range []struct {
			name  string
			set   func(*Config)
			kind  fault.Kind
			words []string
		}{
			{"database", func(c *Config) { c.Database = "どこにもない" }, "", []string{"どこにもない"}},
			{"user", func(c *Config) { c.User = "nobody" }, fault.Auth, []string{"user and password"}},
			{"tls", func(c *Config) { c.TLS = tlsVerify }, fault.Config, []string{"ca_file", "tls"}},
			{"host", func(c *Config) { c.Host = "no-such-host.invalid" }, fault.Unavailable, []string{"no-such-host.invalid", "check host"}},
		} {
			t.Run(tt.name, func(t *testing.T) {
				if tt.kind == "" { // MariaDB tells whether a database exists only to those who may see it
					tt.kind = map[string]fault.Kind{"postgres": fault.Config, "mysql": fault.Auth}[s.name]
				}
				cfg := s.cfg()
				tt.set(cfg)
				conn, err := Connector.Open(t.Context(), cfg, connectors.Env{Log: slog.New(slog.DiscardHandler), Name: "daily_db"})
				if err != nil {
					t.Fatal(err)
				}
				defer conn.Close()
				wantFault(t, conn.Check(t.Context()), tt.kind, append(tt.words, "daily_db")...)
			})
		}
	})
}

func TestConn_Check_sqlite_file(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "表.csv"), []byte(strings.Repeat("番号,氏名\n", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	for file, word := range map[string]string{"no/such.db": "cannot be opened", "表.csv": "not an SQLite database"} {
		cfg := Connector.NewConfig().(*Config)
		cfg.Driver, cfg.File = "sqlite", file
		conn, err := Connector.Open(t.Context(), cfg, connectors.Env{Log: slog.New(slog.DiscardHandler), Name: "daily_db", Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		wantFault(t, conn.Check(t.Context()), fault.Config, word, file)
	}
}

// The session may not write, whatever the user's rights.
func TestConn_read_only(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.exec(t, "CREATE TABLE d (id integer PRIMARY KEY)")
		s.grant(t)
		if s.name == "postgres" {
			s.exec(t, "GRANT INSERT ON d TO reader")
		}
		if s.name == "mysql" {
			s.exec(t, "GRANT INSERT ON d TO reader@localhost")
		}
		conn := s.open(t).(*conn)
		if _, err := conn.db.ExecContext(t.Context(), "INSERT INTO d VALUES (1)"); err == nil {
			t.Error("the session could write")
		}
	})
}

func TestConn_Source_no_right(t *testing.T) {
	s := startPostgres(t)
	s.exec(t, "CREATE TABLE `給与` (id integer PRIMARY KEY, memo text)")
	_, err := s.open(t).Source(t.Context(), stream("給与"))
	wantFault(t, err, fault.Auth, "GRANT SELECT", "reader")
	s.exec(t, "GRANT SELECT (id) ON `給与` TO reader")
	if _, err := s.open(t).Source(t.Context(), stream("給与", func(c *Stream) { c.Columns = []string{"id"} })); err != nil {
		t.Errorf("the right to one column must do to read it: %v", err)
	}
}

func TestSource_Read_statement_timeout(t *testing.T) {
	s := startPostgres(t)
	cfg := s.cfg()
	cfg.StatementTimeout = connectors.Duration(1e9)
	conn, err := Connector.Open(t.Context(), cfg, connectors.Env{Log: slog.New(slog.DiscardHandler), Name: "daily_db"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	source, err := conn.Source(t.Context(), stream("", func(c *Stream) {
		c.Query, c.Key = "SELECT n, CAST(pg_sleep(n) AS text) FROM generate_series(60, 61) n", []string{"n"}
	}))
	if err == nil {
		_, err = source.Read(t.Context(), "", 10)
	}
	wantFault(t, err, fault.Unavailable, "index", "statement_timeout")
}

// A server that takes a statement and never answers ends neither opening nor reading for ever.
func TestConn_Source_server_hangs(t *testing.T) {
	s := startPostgres(t)
	s.exec(t, "CREATE TABLE d (id integer PRIMARY KEY)")
	s.grant(t)
	proxy := connectortest.NewProxy(t, s.addr)
	cfg := config("postgres", proxy.Addr(), s.cfg().Database)
	cfg.StatementTimeout = connectors.Duration(-4500 * time.Millisecond) // half a second with the dialect's grace
	conn, err := Connector.Open(t.Context(), cfg, connectors.Env{Log: slog.New(slog.DiscardHandler), Name: "daily_db"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	proxy.Hang()
	_, err = conn.Source(t.Context(), stream("d"))
	wantFault(t, err, fault.Unavailable, "gave up waiting")
}

func TestConfig_Validate(t *testing.T) {
	for _, tt := range []struct {
		name string
		cfg  connectors.Config
		want []string
	}{
		{"nothing", Connector.NewConfig(), []string{"driver", "database", "host", "user"}},
		{"spelling", &Config{Driver: "postgre", Host: "h", Database: "d", User: "u", TLS: "of", Port: 70000}, []string{"driver", "port", "tls", "statement_timeout", "max_connections"}},
		{"sqlite", &Config{Driver: "sqlite", Host: "h", TLS: "off", StatementTimeout: 1e9, MaxConnections: 1}, []string{"host", "file"}},
		{"file", &Config{Driver: "mysql", Host: "h", Database: "d", User: "u", File: "f", TLS: "off", StatementTimeout: 1e9, MaxConnections: 1}, []string{"file"}},
		{"stream", Connector.NewStream(), []string{"table"}},
		{"both", &Stream{Table: "t", Query: "q", Lookback: 1, LookbackNumbers: 1, Lag: 1e9}, []string{"query"}},
		{"query", &Stream{Query: "q", Timezone: "Asia/Tokio", Columns: []string{"a", ""}}, []string{"key", "columns[1]", "timezone", "lookback", "lookback_numbers", "lag"}},
		{"local", &Stream{Table: "t", Timezone: "Local", Lookback: 1, LookbackNumbers: 1, Lag: 1e9}, []string{"timezone"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var problems fault.Problems
			errors.As(tt.cfg.Validate(), &problems)
			var got []string
			for _, p := range problems {
				got = append(got, p.Path)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("problems at (-want +got):\n%s", diff)
			}
		})
	}
}

// A damaged cursor starts at the beginning: it is never a fault, a panic or a wrong reading.
func FuzzCursor(f *testing.F) {
	s := startSQLite(f)
	s.exec(f, "CREATE TABLE d (id integer PRIMARY KEY, changed <WALL>)")
	s.exec(f, "INSERT INTO d VALUES (1, '2026-11-01 10:00:00'), (2, '2026-11-01 10:00:00')")
	conn := s.open(f)
	source, err := conn.Source(f.Context(), stream("d", func(c *Stream) { c.Changed = "changed" }))
	if err != nil {
		f.Fatal(err)
	}
	batch, err := source.Read(f.Context(), "", 1)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(batch.Next))
	for old, damaged := range map[string]string{`"v":1`: `"v":2`, `"s:`: `"x:`, `"i:1"`: `"i:x"`, `"to":"2026`: `"to":"x`, `"open"`: `"done":"2026","open"`, `,"i:1"`: ""} {
		f.Add(strings.Replace(string(batch.Next), old, damaged, 1))
	}
	f.Fuzz(func(t *testing.T, text string) {
		b, err := source.Read(t.Context(), connectors.Cursor(text), 10)
		if err != nil {
			t.Fatalf("after %q: %v", text, err)
		}
		if _, err := source.Read(t.Context(), b.Next, 10); err != nil {
			t.Errorf("the cursor %q after %q: %v", b.Next, text, err)
		}
	})
}

// A cursor of another stream, or none at all, starts at the beginning and says so; that of the same stream goes on.
func TestSource_Read_other_stream(t *testing.T) {
	s := startSQLite(t)
	s.exec(t, "CREATE TABLE d (gone boolean, id integer PRIMARY KEY, other integer UNIQUE NOT NULL)")
	s.exec(t, "INSERT INTO d VALUES (false, 1, 2), (false, 2, 1)")
	var log strings.Builder
	conn, err := Connector.Open(t.Context(), s.cfg(), connectors.Env{Log: slog.New(slog.NewTextHandler(io.Writer(&log), nil)), Name: "daily_db"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	source, err := conn.Source(t.Context(), stream("d", func(c *Stream) { c.Columns = []string{"id"} }))
	if err != nil {
		t.Fatal(err)
	}
	half, err := source.Read(t.Context(), "", 1)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		set    func(*Stream)
		cursor connectors.Cursor
		want   []string
		says   string
	}{
		"key":             {func(c *Stream) { c.Key = []string{"other"} }, half.Next, []string{"1", "2"}, "was changed"},
		"deleted":         {func(c *Stream) { c.Deleted = "gone" }, half.Next, []string{"1", "2"}, "was changed"},
		"damaged":         {func(*Stream) {}, half.Next[:10], []string{"1", "2"}, "not one of this connector"},
		"another column":  {func(c *Stream) { c.Columns = []string{"gone"} }, half.Next, []string{"2"}, ""},
		"the key by name": {func(c *Stream) { c.Key = []string{"id"} }, half.Next, []string{"2"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			log.Reset()
			b := all(t, conn, stream("d", tt.set), tt.cursor, 10)
			if diff := cmp.Diff(tt.want, keys(b)); diff != "" || !strings.Contains(log.String(), tt.says) || (tt.says == "") != (log.Len() == 0) {
				t.Errorf("the log says %q (-want +got):\n%s", log.String(), diff)
			}
		})
	}
}
