//go:build unix

// Package testdb gives tests real database servers: one throw-away PostgreSQL
// and one MariaDB per test process, started when first asked for, and a fresh
// database for each call. They listen on a Unix socket below a temporary folder.
//
// A server ends with the test process, however that ends: a shell holds the
// other end of a pipe, and when the pipe closes (exit, panic, SIGKILL) it stops
// the server and removes the folder.
package testdb

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/go-sql-driver/mysql" // driver "mysql"
	_ "github.com/lib/pq"              // driver "postgres"
)

const patience = 60 * time.Second // for a server to answer, on a busy machine

var (
	postgres = server{name: "postgres", driver: "postgres", account: "postgres", start: startPostgres}
	mariadb  = server{name: "mariadb", driver: "mysql", account: "mysql", start: startMariaDB}
	count    atomic.Int64 // databases made
)

// Postgres gives the URL of a new, empty UTF-8 database
// ("postgres://energyd@/test_1?host=…"), dropped when the test ends.
func Postgres(tb testing.TB) string {
	tb.Helper()
	dir := postgres.ready(tb)
	at := func(database string) string {
		return "postgres://energyd@/" + database + "?sslmode=disable&host=" + url.QueryEscape(dir)
	}
	name := fmt.Sprintf("test_%d", count.Add(1))
	postgres.exec(tb, at("postgres"), "CREATE DATABASE "+name)
	tb.Cleanup(func() { postgres.exec(tb, at("postgres"), "DROP DATABASE "+name+" WITH (FORCE)") })
	return at(name)
}

// CrashPostgres kills a session of the server, after which it ends all others, recovers and serves again, as after
// any crash. It gives when the server answers. Tests at its other databases notice.
func CrashPostgres(tb testing.TB) {
	tb.Helper()
	dsn := "postgres://energyd@/postgres?sslmode=disable&host=" + url.QueryEscape(postgres.ready(tb))
	db, err := sql.Open(postgres.driver, dsn)
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	var pid int
	if err := db.QueryRow("SELECT pg_backend_pid()").Scan(&pid); err != nil {
		tb.Fatal(err)
	}
	witness, err := sql.Open(postgres.driver, dsn)
	if err != nil {
		tb.Fatal(err)
	}
	defer witness.Close()
	ended := make(chan error, 1)
	if err := witness.Ping(); err != nil {
		tb.Fatal(err)
	}
	go func() { _, err := witness.Exec("SELECT pg_sleep(60)"); ended <- err }()
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		tb.Fatal(err)
	}
	if err := <-ended; err == nil {
		tb.Fatal("the server went on when a session was killed")
	}
	postgres.wait(tb, dsn)
}

// MariaDB gives the DSN of a new, empty utf8mb4 database, in the form of
// go-sql-driver ("root@unix(…)/test_1"), dropped when the test ends.
func MariaDB(tb testing.TB) string {
	tb.Helper()
	dir := mariadb.ready(tb)
	at := func(database string) string { return "root@unix(" + filepath.Join(dir, "socket") + ")/" + database }
	name := fmt.Sprintf("test_%d", count.Add(1))
	mariadb.exec(tb, at(""), "CREATE DATABASE "+name+" CHARACTER SET utf8mb4")
	tb.Cleanup(func() { mariadb.exec(tb, at(""), "DROP DATABASE "+name) })
	return at(name)
}

// server is one kind of server and, once started, its folder.
type server struct {
	name, driver string
	account      string // the system account that runs it when the tests run as root
	start        func(tb testing.TB, s *server) (ping string)

	once  sync.Once
	dir   string
	alive *os.File // the pipe whose end is the server's end; never closed by us
	up    bool
}

// ready starts the server at the first call and gives its folder.
func (s *server) ready(tb testing.TB) string {
	tb.Helper()
	s.once.Do(func() {
		dir, err := os.MkdirTemp("", "energyd-"+s.name+"-")
		if err != nil {
			tb.Fatal(err)
		}
		s.dir = dir
		if cred := s.credential(tb); cred != nil {
			if err := os.Chown(dir, int(cred.Uid), int(cred.Gid)); err != nil {
				tb.Fatal(err)
			}
		}
		s.wait(tb, s.start(tb, s))
		s.up = true
	})
	if !s.up {
		tb.Fatalf("the test %s server did not start; the first test that asked for it says why", s.name)
	}
	return s.dir
}

func startPostgres(tb testing.TB, s *server) string {
	bin := ""
	if found, _ := filepath.Glob("/usr/lib/postgresql/*/bin/initdb"); len(found) > 0 {
		bin = filepath.Dir(found[len(found)-1])
	} else if path, err := exec.LookPath("initdb"); err == nil {
		bin = filepath.Dir(path)
	} else {
		tb.Fatal("initdb is missing: install the Debian package postgresql")
	}
	data := filepath.Join(s.dir, "data")
	s.run(tb, filepath.Join(bin, "initdb"), "-D", data, "-U", "energyd", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	s.serve(tb, "INT", filepath.Join(bin, "postgres"), "-D", data, "-k", s.dir, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=1000")
	return "postgres://energyd@/postgres?sslmode=disable&host=" + url.QueryEscape(s.dir)
}

func startMariaDB(tb testing.TB, s *server) string {
	install, err := exec.LookPath("mariadb-install-db")
	if err != nil {
		tb.Fatal("mariadb-install-db is missing: install the Debian package mariadb-server")
	}
	daemon, err := exec.LookPath("mariadbd")
	if err != nil {
		if daemon = "/usr/sbin/mariadbd"; !exists(daemon) {
			tb.Fatal("mariadbd is missing: install the Debian package mariadb-server")
		}
	}
	data := "--datadir=" + filepath.Join(s.dir, "data")
	s.run(tb, install, "--no-defaults", data, "--auth-root-authentication-method=normal", "--skip-test-db")
	s.serve(tb, "TERM", daemon, "--no-defaults", data, "--socket="+filepath.Join(s.dir, "socket"),
		"--pid-file="+filepath.Join(s.dir, "pid"), "--skip-networking", "--innodb-flush-log-at-trx-commit=0")
	return "root@unix(" + filepath.Join(s.dir, "socket") + ")/"
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// credential is the account that the server runs under; nil is our own.
// Neither server agrees to run as root.
func (s *server) credential(tb testing.TB) *syscall.Credential {
	tb.Helper()
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup(s.account)
	if err != nil {
		tb.Fatalf("no system account %s: install the Debian package %s", s.account,
			map[string]string{"postgres": "postgresql", "mysql": "mariadb-server"}[s.account])
	}
	uid, _ := strconv.ParseUint(u.Uid, 10, 32)
	gid, _ := strconv.ParseUint(u.Gid, 10, 32)
	return &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
}

func (s *server) command(tb testing.TB, name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Dir = s.dir
	c.SysProcAttr = &syscall.SysProcAttr{Credential: s.credential(tb), Setpgid: true} // ^C reaches us first, and the pipe does the rest
	return c
}

func (s *server) run(tb testing.TB, name string, args ...string) {
	tb.Helper()
	if out, err := s.command(tb, name, args...).CombinedOutput(); err != nil {
		_ = os.RemoveAll(s.dir)
		tb.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// serve starts the server under a shell that ends it with signal when our end of the pipe closes.
func (s *server) serve(tb testing.TB, signal, name string, args ...string) {
	tb.Helper()
	const script = `dir=$1 signal=$2; shift 2; "$@" & read -r _; kill -s "$signal" $!; wait $!; cd /; rm -rf "$dir"`
	c := s.command(tb, "/bin/sh", append([]string{"-c", script, "sh", s.dir, signal, name}, args...)...)
	stdin, alive, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	log, err := os.Create(s.logFile())
	if err != nil {
		tb.Fatal(err)
	}
	c.Stdin, c.Stdout, c.Stderr = stdin, log, log
	if err := c.Start(); err != nil {
		tb.Fatal(err)
	}
	_, _ = stdin.Close(), log.Close()
	s.alive = alive
}

func (s *server) logFile() string { return filepath.Join(s.dir, "log") }

// wait polls until the server answers.
func (s *server) wait(tb testing.TB, dsn string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	db, err := sql.Open(s.driver, dsn)
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	for {
		if err = db.PingContext(ctx); err == nil {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			log, _ := os.ReadFile(s.logFile())
			s.alive.Close()
			tb.Fatalf("%s does not answer: %v\n%s", s.name, err, bytes.TrimSpace(log))
		}
	}
}

func (s *server) exec(tb testing.TB, dsn, statement string) {
	tb.Helper()
	db, err := sql.Open(s.driver, dsn)
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(statement); err != nil {
		tb.Errorf("%s: %v", statement, err)
	}
}
