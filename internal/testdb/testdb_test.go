//go:build unix

package testdb

import (
	"database/sql"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

func TestDatabases(t *testing.T) {
	for _, c := range []struct {
		driver string
		open   func(testing.TB) string
	}{{"postgres", Postgres}, {"mysql", MariaDB}} {
		t.Run(c.driver, func(t *testing.T) {
			first, second := c.open(t), c.open(t)
			if first == second {
				t.Fatal("two calls gave the same database")
			}
			for _, dsn := range []string{first, second} {
				db, err := sql.Open(c.driver, dsn)
				if err != nil {
					t.Fatal(err)
				}
				defer db.Close()
				if _, err := db.Exec("CREATE TABLE report (name VARCHAR(100))"); err != nil {
					t.Fatal(err)
				}
				if _, err := db.Exec("INSERT INTO report VALUES ('株式会社山田製作所')"); err != nil {
					t.Fatal(err)
				}
				var name string
				if err := db.QueryRow("SELECT name FROM report").Scan(&name); err != nil || name != "株式会社山田製作所" {
					t.Errorf("got %q, %v", name, err)
				}
			}
		})
	}
}

// TestEndsWithProcess runs itself in a process that dies by panic while both servers run.
func TestEndsWithProcess(t *testing.T) {
	const child = "ENERGYD_TESTDB_CHILD"
	if os.Getenv(child) != "" {
		Postgres(t)
		MariaDB(t)
		os.Stdout.WriteString("\ndir=" + postgres.dir + "\ndir=" + mariadb.dir + "\n")
		panic("planned")
	}
	c := exec.Command(os.Args[0], "-test.run=^TestEndsWithProcess$")
	c.Env = append(os.Environ(), child+"=1")
	out, err := c.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "planned") {
		t.Fatalf("the child did not panic: %v\n%s", err, out)
	}
	var dirs []string
	for line := range strings.Lines(string(out)) {
		if dir, ok := strings.CutPrefix(strings.TrimSpace(line), "dir="); ok {
			dirs = append(dirs, dir)
		}
	}
	if len(dirs) != 2 {
		t.Fatalf("the child named %d folders\n%s", len(dirs), out)
	}
	deadline := time.After(patience)
	for tick := time.NewTicker(20 * time.Millisecond); exists(dirs[0]) || exists(dirs[1]); {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%v are still there", dirs)
		}
	}
}

func TestCrashPostgres(t *testing.T) {
	db, err := sql.Open("postgres", Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("CREATE TABLE kept AS SELECT 1 AS n"); err != nil {
		t.Fatal(err)
	}
	before, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer before.Close()
	CrashPostgres(t)
	if err := before.PingContext(t.Context()); err == nil {
		t.Error("a session survived the crash")
	}
	var n int
	if err := db.QueryRow("SELECT n FROM kept").Scan(&n); err != nil || n != 1 {
		t.Errorf("after the crash: %d, %v", n, err)
	}
}
