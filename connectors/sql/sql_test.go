package sqltable

import (
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"energyd/connectors"
	"energyd/connectors/connectortest"
	"energyd/internal/secret"
	"energyd/internal/testdb"
)

const planted = "s3cr3t-パスワード"

// server is a database of one of the three kinds, with a way in for tests
// (admin) and one for energyd (cfg, as the user reader with SELECT rights).
type server struct {
	name   string
	admin  *sql.DB
	addr   string // "host:port"; "" for SQLite
	cfg    func() *Config
	grant  func(t *testing.T) // lets the reader read all tables that stand
	types  map[string]string  // SQL types that differ
	script func(statement string) string
}

// start gives a new, empty database of each kind.
var start = map[string]func(t testing.TB) *server{"postgres": startPostgres, "mysql": startMySQL, "sqlite": startSQLite}

func startPostgres(t testing.TB) *server {
	dsn, err := url.Parse(testdb.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	s := &server{name: "postgres", admin: openAdmin(t, "postgres", dsn.String())}
	askPassword(t, s.admin)
	s.exec(t, `DO $$ BEGIN CREATE ROLE reader LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$`)
	s.exec(t, "ALTER ROLE reader PASSWORD '"+planted+"'")
	s.addr = bridge(t, filepath.Join(dsn.Query().Get("host"), ".s.PGSQL.5432"))
	s.cfg = func() *Config { return config("postgres", s.addr, strings.TrimPrefix(dsn.Path, "/")) }
	s.grant = func(t *testing.T) { s.exec(t, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader") }
	s.types = map[string]string{"INSTANT": "timestamptz", "WALL": "timestamp", "FLAG": "boolean DEFAULT false", "BYTES": "bytea", "LONG": "text"}
	s.script = func(q string) string { return strings.ReplaceAll(q, "`", `"`) }
	return s
}

// askPassword makes the test server, which trusts everybody, ask the user reader for a password.
func askPassword(t testing.TB, admin *sql.DB) {
	var file string
	if err := admin.QueryRow("SHOW hba_file").Scan(&file); err != nil {
		t.Fatal(err)
	}
	const rule = "local all reader scram-sha-256\n"
	rules, err := os.ReadFile(file)
	if err != nil || strings.HasPrefix(string(rules), rule) {
		return
	}
	if err := os.WriteFile(file, append([]byte(rule), rules...), 0o600); err != nil {
		t.Fatal(err)
	}
	var generation, before time.Time
	if err := admin.QueryRow("SELECT pg_conf_load_time()").Scan(&before); err != nil {
		t.Fatal(err)
	}
	for generation = before; !generation.After(before); {
		if err := admin.QueryRow("SELECT pg_conf_load_time() FROM pg_reload_conf()").Scan(&generation); err != nil {
			t.Fatal(err)
		}
	}
}

func startMySQL(t testing.TB) *server {
	dsn, err := mysql.ParseDSN(testdb.MariaDB(t))
	if err != nil {
		t.Fatal(err)
	}
	s := &server{name: "mysql", admin: openAdmin(t, "mysql", dsn.FormatDSN())}
	s.exec(t, "CREATE USER IF NOT EXISTS reader@localhost")
	s.exec(t, "ALTER USER reader@localhost IDENTIFIED BY '"+planted+"'")
	s.exec(t, "GRANT SELECT ON "+dsn.DBName+".* TO reader@localhost")
	s.addr = bridge(t, dsn.Addr)
	s.cfg = func() *Config { return config("mysql", s.addr, dsn.DBName) }
	s.grant = func(*testing.T) {}
	s.types = map[string]string{"INSTANT": "timestamp(6) NULL", "WALL": "datetime(6)", "FLAG": "boolean DEFAULT false", "BYTES": "blob", "LONG": "longtext"}
	s.script = func(q string) string { return q }
	return s
}

func startSQLite(t testing.TB) *server {
	file := filepath.Join(t.TempDir(), "日報.db")
	s := &server{name: "sqlite", admin: openAdmin(t, "sqlite", file)}
	s.exec(t, "PRAGMA journal_mode = WAL")
	s.cfg = func() *Config {
		cfg := Connector.NewConfig().(*Config)
		cfg.Driver, cfg.File = "sqlite", file
		return cfg
	}
	s.grant = func(*testing.T) {}
	s.types = map[string]string{"INSTANT": "datetime", "WALL": "datetime", "FLAG": "boolean DEFAULT false", "BYTES": "blob", "LONG": "text"}
	s.script = func(q string) string { return strings.ReplaceAll(q, "`", `"`) }
	return s
}

func config(driver, addr, database string) *Config {
	cfg := Connector.NewConfig().(*Config)
	cfg.Driver, cfg.Database, cfg.User, cfg.TLS = driver, database, "reader", tlsOff
	cfg.Password = secret.New("${env:DAILY_DB_PASSWORD}", planted)
	host, port, _ := net.SplitHostPort(addr)
	cfg.Host = host
	_, _ = fmt.Sscan(port, &cfg.Port)
	return cfg
}

func openAdmin(t testing.TB, driver, dsn string) *sql.DB {
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// exec runs a statement with `…` around names and with the types' general names.
func (s *server) exec(t testing.TB, statement string, args ...any) {
	t.Helper()
	if s.script != nil {
		statement = s.script(statement)
	}
	for general, own := range s.types {
		statement = strings.ReplaceAll(statement, "<"+general+">", own)
	}
	if s.name == "postgres" {
		for i := 1; strings.Contains(statement, "?"); i++ {
			statement = strings.Replace(statement, "?", fmt.Sprintf("$%d", i), 1)
		}
	}
	if _, err := s.admin.Exec(statement, args...); err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}

// open opens the database as energyd does.
func (s *server) open(t testing.TB) connectors.Conn {
	t.Helper()
	conn, err := Connector.Open(t.Context(), s.cfg(), connectors.Env{Log: slog.New(slog.DiscardHandler), Name: "daily_db", Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// bridge makes a server on a Unix socket reachable by TCP.
func bridge(t testing.TB, socket string) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer client.Close()
				server, err := net.Dial("unix", socket)
				if err != nil {
					return
				}
				defer server.Close()
				go func() {
					_, _ = io.Copy(server, client)
					server.Close()
				}()
				_, _ = io.Copy(client, server)
			}()
		}
	}()
	return l.Addr().String()
}

// each runs test on a new database of each kind.
func each(t *testing.T, test func(t *testing.T, s *server)) {
	for _, name := range []string{"postgres", "mysql", "sqlite"} {
		t.Run(name, func(t *testing.T) { test(t, start[name](t)) })
	}
}

// stream gives a stream's configuration for tests: the least lag, in Tokyo.
func stream(table string, set ...func(*Stream)) *Stream {
	cfg := Connector.NewStream().(*Stream)
	cfg.Table, cfg.Timezone, cfg.Lag = table, "Asia/Tokyo", connectors.Duration(time.Second)
	for _, f := range set {
		f(cfg)
	}
	return cfg
}

// all reads a stream from a cursor to its end.
func all(t testing.TB, conn connectors.Conn, cfg *Stream, after connectors.Cursor, limit int) (batch connectors.Batch) {
	t.Helper()
	source, err := conn.Source(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	for more := true; more; {
		b, err := source.Read(t.Context(), after, limit)
		if err != nil {
			t.Fatal(err)
		}
		after, more = b.Next, b.More
		batch.Records, batch.Rejects = append(batch.Records, b.Records...), append(batch.Rejects, b.Rejects...)
		batch.Next, batch.Interval = b.Next, b.Interval
	}
	return batch
}

func TestConnector(t *testing.T) {
	for _, name := range []string{"postgres", "mysql", "sqlite"} {
		t.Run(name, func(t *testing.T) {
			connectortest.RunSource(t, connectortest.SourceHarness{
				Connector: Connector, ConnRequired: []string{"driver"}, StreamRequired: []string{"table"},
				Start: func(t *testing.T) connectortest.SourceSystem { return suite(t, start[name](t)) },
			})
		})
	}
}

// suite is a table 日報 for the acceptance suite. Its changes are two seconds old,
// so that a reading need not wait until the clock has passed them.
func suite(t *testing.T, s *server) connectortest.SourceSystem {
	s.exec(t, "CREATE TABLE `日報` (`番号` integer PRIMARY KEY, `本文` varchar(100), `削除` <FLAG>, `更新日時` <WALL>)")
	s.grant(t)
	next := 0
	at := func() string { return time.Now().In(tokyo).Add(-2 * time.Second).Format(wallLayout) }
	system := connectortest.SourceSystem{
		System: connectortest.System{
			Addr: s.addr, Secret: planted,
			Conn: func(addr string) connectors.Config {
				cfg := s.cfg()
				if s.addr != "" {
					cfg = config(s.name, addr, cfg.Database)
				}
				return cfg
			},
			WrongLogin: func(cfg connectors.Config) { cfg.(*Config).Password = secret.New("", "wrong") },
		},
		Stream: func() connectors.Config {
			return stream("日報", func(c *Stream) { c.Changed, c.Deleted = "更新日時", "削除" })
		},
		Insert: func(n int) []string {
			var keys []string
			when := at()
			for range n {
				if next++; next%3 == 0 {
					when = at()
				}
				s.exec(t, "INSERT INTO `日報` VALUES (?, '新規', false, ?)", next, when)
				keys = append(keys, fmt.Sprint(next))
			}
			return keys
		},
		Change: func(key string) {
			s.exec(t, "UPDATE `日報` SET `本文` = '変更', `更新日時` = ? WHERE `番号` = "+key, at())
		},
		Delete: func(key string) {
			s.exec(t, "UPDATE `日報` SET `削除` = true, `更新日時` = ? WHERE `番号` = "+key, at())
		},
		WrongStream: func(cfg connectors.Config) { cfg.(*Stream).Table = "日計" },
	}
	if s.name == "sqlite" {
		system.Secret, system.WrongLogin = "", nil
	}
	return system
}

var tokyo, _ = time.LoadLocation("Asia/Tokyo")
