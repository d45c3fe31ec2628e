package store_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/internal/fault"
	"energyd/internal/store"
	"energyd/internal/testdb"
)

// filled is a store that holds something in every table, and its url.
func filled(tb testing.TB, url string) *store.Store {
	tb.Helper()
	first := sqliteURL(tb)
	from := open(tb, first)
	occupy(tb, first)
	s := open(tb, url)
	copied(tb, from, s)
	return s
}

func TestBackup_of_either_store_restores_into_either(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		origin := filled(t, fresh(t))
		file := filepath.Join(t.TempDir(), "backup.db")
		if err := origin.Backup(t.Context(), file); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(file); err != nil || info.Mode() != 0o600 {
			t.Errorf("the backup's mode is %v, %v", info.Mode(), err)
		}
		if beside, _ := filepath.Glob(file + "?*"); beside != nil {
			t.Errorf("left behind: %v", beside)
		}
		want := sums(t, origin)
		for name, address := range map[string]string{"sqlite": sqliteURL(t), "postgres": testdb.Postgres(t)} {
			if err := store.Restore(t.Context(), address, file); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if diff := cmp.Diff(want, sums(t, open(t, address))); diff != "" {
				t.Errorf("%s\n%s", name, diff)
			}
		}
		if err := origin.Backup(t.Context(), file); fault.KindOf(err) != fault.Config {
			t.Errorf("over a file that is there: %v", err)
		}
	})
}

// TestBackup_while_others_write: a backup is what the store was between two transactions. The writer puts a row into
// two tables each time; a backup that has one of them has the other.
func TestBackup_while_others_write(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		url := fresh(t)
		s := filled(t, url)
		ctx, stop := context.WithCancel(t.Context())
		wrote, ended := make(chan int, 1), make(chan error, 1)
		go func() {
			for n := 0; ; n++ {
				b := store.Batch{Run: fmt.Sprint("night", n), Source: "tasks", Next: "c", After: "c", Read: 1}
				if n == 0 {
					b.After = ""
				}
				b.Activities = append(b.Activities, visit(fmt.Sprint(n), 1, "A"))
				if err := s.SaveBatch(ctx, b); err != nil {
					if ctx.Err() != nil {
						err = nil
					}
					ended <- err
					return
				}
				select {
				case wrote <- n:
				default:
				}
			}
		}()
		for i := range 3 {
			<-wrote
			file := filepath.Join(t.TempDir(), fmt.Sprint(i, ".db"))
			if err := s.Backup(t.Context(), file); err != nil {
				t.Fatal(err)
			}
			held := "sqlite:" + file
			arrived := query(t, held, "SELECT COUNT(*) FROM arrival WHERE source = 'tasks'")
			if counted := query(t, held, "SELECT COALESCE(SUM(stored + read), 0) FROM run_source WHERE source = 'tasks'"); arrived == 0 || counted < arrived {
				t.Errorf("backup %d: %d batches, %d of them counted", i, arrived, counted)
			}
			if runs := query(t, held, "SELECT COUNT(*) FROM run_source WHERE source = 'tasks'"); runs != arrived {
				t.Errorf("backup %d: %d batches of %d runs", i, arrived, runs)
			}
		}
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

func TestRestore_puts_back_what_was(t *testing.T) {
	url := sqliteURL(t)
	s := filled(t, url)
	want := sums(t, s)
	file := filepath.Join(t.TempDir(), "backup.db")
	if err := s.Backup(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	if _, err := s.BeginRun(t.Context(), "pull", time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	later := sums(t, s)
	if err := store.Restore(t.Context(), url, file); fault.KindOf(err) != fault.Conflict || !strings.Contains(fault.HintOf(err), "stop energyd") {
		t.Errorf("while another process has the store open: %v", err)
	}
	if diff := cmp.Diff(later, sums(t, s)); diff != "" {
		t.Errorf("what was refused changed the store\n%s", diff)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := store.Restore(t.Context(), url, file); err != nil {
		t.Fatal(err)
	}
	back := open(t, url)
	if diff := cmp.Diff(want, sums(t, back)); diff != "" {
		t.Error(diff)
	}
	if _, err := back.BeginRun(t.Context(), "pull", time.Unix(9, 0)); err != nil { // it is a store to work with
		t.Error(err)
	}
}

func TestRestore_waits_for_no_run(t *testing.T) {
	url := sqliteURL(t)
	s := filled(t, url)
	file := filepath.Join(t.TempDir(), "backup.db")
	if err := s.Backup(t.Context(), file); err != nil {
		t.Fatal(err)
	}
	hold, err := s.Lock(t.Context(), store.Scores)
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Leave()
	if err := store.Restore(t.Context(), url, file); fault.KindOf(err) != fault.Conflict {
		t.Errorf("while a run is at work: %v", err)
	}
}

func TestRestore_refuses_what_is_no_backup(t *testing.T) {
	url := sqliteURL(t)
	s := filled(t, url)
	whole := filepath.Join(t.TempDir(), "whole.db")
	if err := s.Backup(t.Context(), whole); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(whole)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	spoiled := func(name string, content []byte, change string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if change != "" {
			db := raw(t, "sqlite:"+path)
			defer db.Close()
			if _, err := db.Exec(change); err != nil {
				t.Fatal(err)
			}
		}
		return path
	}
	holes := append([]byte{}, content...)
	for i := len(holes) / 2; i < len(holes)/2+64<<10; i++ {
		holes[i] = 0xAA
	}
	inUse := spoiled("in-use.db", content, "")
	spoiled("in-use.db-wal", []byte("more"), "")
	for _, c := range []struct{ name, file, says string }{
		{"there is none", filepath.Join(dir, "none.db"), "cannot be read"},
		{"a folder", dir, "is no file"},
		{"another sort of file", spoiled("text.db", []byte("日報"), ""), "is no store"},
		{"another SQLite file", spoiled("other.db", nil, "CREATE TABLE x (y)"), "is no store"},
		{"cut off", spoiled("cut.db", content[:len(content)/2], ""), ""},
		{"holes", spoiled("holes.db", holes, ""), "is damaged"},
		{"a copy of a file in use", inUse, "a store in use"},
		{"of a newer energyd", spoiled("newer.db", content, "INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)"), "version 9999"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := store.Restore(t.Context(), url, c.file)
			if fault.KindOf(err) != fault.Config || !strings.Contains(err.Error(), c.says) || fault.HintOf(err) == "" {
				t.Errorf("it says %v; what to do: %s", err, fault.HintOf(err))
			}
		})
	}
	if err := store.Restore(t.Context(), url, whole); err != nil { // nothing of that has harmed the store
		t.Error(err)
	}
	if err := os.WriteFile(strings.TrimPrefix(url, "sqlite:"), []byte(strings.Repeat("damaged ", 4096)), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := store.Restore(t.Context(), url, whole); fault.KindOf(err) != fault.Config || !strings.Contains(fault.HintOf(err), "move it away") {
		t.Errorf("over a damaged store it says %v", err)
	}
}
