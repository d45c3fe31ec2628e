package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/fault"
	"energyd/internal/store"
	"energyd/internal/testdb"
)

// occupy puts rows into every table that the store has, of all that its columns may hold. A table that somebody adds
// is here without a word of theirs.
func occupy(tb testing.TB, url string) (tables int) {
	tb.Helper()
	db := raw(tb, url)
	defer db.Close()
	var rows []struct {
		Table, Name, Type string
		Nullable          bool
	}
	if err := db.Select(&rows, `SELECT m.name AS "table", c.name, c.type, NOT c."notnull" AND c.pk = 0 AS nullable FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE 'goose%' ORDER BY m.name, c.cid`); err != nil {
		tb.Fatal(err)
	}
	columns, order := map[string][]any{}, []string{}
	for _, r := range rows {
		if columns[r.Table] == nil {
			order = append(order, r.Table)
		}
		columns[r.Table] = append(columns[r.Table], r)
		for n := range 3 {
			value, ok := map[string][]any{
				"INTEGER": {1 << n, -(n + 1), int32(1)<<30 + int32(n)}, "REAL": {0.1 * float64(n), -1e-300, 1e300},
				"TEXT": {fmt.Sprint("", n), fmt.Sprint("営業部長\t\\N\n'\"", n), []byte(fmt.Sprint("{}", n))}, "BLOB": {[]byte{0, 255, byte(n)}, []byte{}, []byte("\\x00")},
			}[r.Type]
			if !ok {
				tb.Fatalf("%s.%s is a %s, which this test knows no values of", r.Table, r.Name, r.Type)
			}
			v := value[n]
			if r.Nullable && n == 1 {
				v = nil
			}
			columns[fmt.Sprint(r.Table, " ", n)] = append(columns[fmt.Sprint(r.Table, " ", n)], v)
		}
	}
	for _, table := range order {
		for n := range 3 {
			values := columns[fmt.Sprint(table, " ", n)]
			if _, err := db.Exec(`INSERT INTO "`+table+`" VALUES (?`+strings.Repeat(", ?", len(values)-1)+")", values...); err != nil {
				tb.Fatalf("%s: %v", table, err)
			}
		}
	}
	return len(order)
}

func sums(tb testing.TB, s *store.Store) []store.TableSum {
	tb.Helper()
	list, err := s.Sums(context.Background())
	if err != nil {
		tb.Fatal(err)
	}
	return list
}

func copied(tb testing.TB, from, to *store.Store) {
	tb.Helper()
	told, err := from.CopyTo(context.Background(), to)
	if err != nil {
		tb.Fatal(err)
	}
	if diff := cmp.Diff(sums(tb, from), told); diff != "" {
		tb.Errorf("what is told of the copy:\n%s", diff)
	}
}

func TestCopy_every_table_goes_there_and_back(t *testing.T) {
	url := sqliteURL(t)
	origin := open(t, url)
	tables := occupy(t, url)
	there, back := open(t, testdb.Postgres(t)), open(t, sqliteURL(t))
	copied(t, origin, there)
	copied(t, there, back)
	want := sums(t, origin)
	if len(want) != tables {
		t.Fatalf("%d tables are copied, and there are %d", len(want), tables)
	}
	for _, sum := range want {
		if sum.Rows != 3 {
			t.Errorf("%s has %d rows in the copy", sum.Table, sum.Rows)
		}
	}
	for name, s := range map[string]*store.Store{"PostgreSQL": there, "SQLite again": back} {
		if diff := cmp.Diff(want, sums(t, s)); diff != "" {
			t.Errorf("%s\n%s", name, diff)
		}
	}
}

// TestSums_tell_changes: what the copies are held to sees a change of one value, and of rows that swap theirs.
func TestSums_tell_changes(t *testing.T) {
	url := sqliteURL(t)
	s := open(t, url)
	occupy(t, url)
	db := raw(t, url)
	defer db.Close()
	for _, change := range []string{
		"UPDATE run SET message = message || ' ' WHERE id = '0'", "UPDATE run SET ended_us = 0 WHERE ended_us IS NULL",
		"UPDATE ledger_block SET data = x'00ff03' WHERE first = 1", "DELETE FROM meta WHERE name = '0'",
		"UPDATE run SET kind = CASE CAST(kind AS TEXT) WHEN '0' THEN '{}2' WHEN '{}2' THEN '0' ELSE kind END",
	} {
		before := sums(t, s)
		if _, err := db.Exec(change); err != nil {
			t.Fatal(err)
		}
		if cmp.Equal(before, sums(t, s)) {
			t.Errorf("%s: the sums are the same", change)
		}
	}
}

func TestCopy_refuses_a_store_that_holds_something(t *testing.T) {
	from, to := open(t, sqliteURL(t)), open(t, sqliteURL(t))
	if _, err := to.BeginRun(t.Context(), "pull", time.Unix(0, 0)); err != nil {
		t.Fatal(err)
	}
	before := sums(t, to)
	if _, err := from.CopyTo(t.Context(), to); fault.KindOf(err) != fault.Config || !strings.Contains(err.Error(), "not empty") {
		t.Errorf("it says %v", err)
	}
	if diff := cmp.Diff(before, sums(t, to)); diff != "" {
		t.Error(diff)
	}
}

// TestCopy_is_all_or_nothing: what ends in the middle, or does not read as it was written, leaves an empty store.
func TestCopy_is_all_or_nothing(t *testing.T) {
	url := sqliteURL(t)
	from := open(t, url)
	occupy(t, url)
	for name, spoil := range map[string]string{
		"a disk that is full in the middle": "CREATE TRIGGER spoil BEFORE INSERT ON run BEGIN SELECT RAISE(ABORT, 'no space left'); END",
		"a row that is lost":                "CREATE TRIGGER spoil AFTER INSERT ON run WHEN NEW.id = '0' BEGIN DELETE FROM run WHERE id = '0'; END",
		"a value that turns into another":   "CREATE TRIGGER spoil AFTER INSERT ON run BEGIN UPDATE run SET message = 'x' WHERE id = NEW.id; END",
	} {
		t.Run(name, func(t *testing.T) {
			target := sqliteURL(t)
			to := open(t, target)
			db := raw(t, target)
			defer db.Close()
			if _, err := db.Exec(spoil); err != nil {
				t.Fatal(err)
			}
			if _, err := from.CopyTo(t.Context(), to); err == nil {
				t.Fatal("it says nothing")
			}
			for _, sum := range sums(t, to) {
				if sum.Rows != 0 {
					t.Errorf("%s holds %d rows", sum.Table, sum.Rows)
				}
			}
		})
	}
}

// TestCopy_goes_on_as_if_nothing_had_happened: runs on a copy leave what the same runs leave on the first store.
func TestCopy_goes_on_as_if_nothing_had_happened(t *testing.T) {
	ctx := t.Context()
	r := rand.New(rand.NewPCG(1, 2))
	night := func(tb testing.TB, s *store.Store, n int, acts []engine.Activity) {
		tb.Helper()
		after := ""
		if n > 0 {
			after = fmt.Sprint("c", n-1)
		}
		b := store.Batch{Run: fmt.Sprint("run", n), Source: "日報", After: connectors.Cursor(after), Next: connectors.Cursor(fmt.Sprint("c", n)), Read: len(acts) + 1,
			Activities: acts, Rejects: []connectors.Reject{{Key: fmt.Sprint(n), Code: "date", Fields: map[string]any{"日付": "R8.9.31"}}}}
		if err := s.SaveBatch(ctx, b); err != nil {
			tb.Fatal(err)
		}
		if n == 1 { // the last batch before the copy waits for its fold
			return
		}
		foldWith(tb, s, shipped(tb))
	}
	nights := [][]engine.Activity{told(r, 60), told(r, 30), told(r, 40)}
	for i := range nights {
		for k := range nights[i] {
			nights[i][k].Source = "日報"
		}
	}
	first := open(t, sqliteURL(t))
	night(t, first, 0, nights[0])
	night(t, first, 1, nights[1])
	second := open(t, testdb.Postgres(t))
	copied(t, first, second)
	third := open(t, sqliteURL(t))
	copied(t, second, third)
	for _, s := range []*store.Store{first, second, third} {
		night(t, s, 2, nights[2])
	}
	want := sums(t, first)
	for name, s := range map[string]*store.Store{"PostgreSQL": second, "SQLite": third} {
		if diff := cmp.Diff(want, sums(t, s)); diff != "" {
			t.Errorf("%s went on another way\n%s", name, diff)
		}
	}
}
