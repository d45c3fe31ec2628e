package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/jmoiron/sqlx"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/fault"
	"energyd/internal/store"
	"energyd/internal/testdb"
)

// onBoth runs a test on SQLite and on PostgreSQL. fresh gives the url of an empty store.
func onBoth(t *testing.T, test func(t *testing.T, fresh func(testing.TB) string)) {
	t.Run("sqlite", func(t *testing.T) { test(t, sqliteURL) })
	t.Run("postgres", func(t *testing.T) { test(t, testdb.Postgres) })
}

func sqliteURL(tb testing.TB) string { return "sqlite:" + filepath.Join(tb.TempDir(), "store.db") }

func open(tb testing.TB, url string) *store.Store {
	tb.Helper()
	s, err := store.Open(context.Background(), url)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Error(err)
		}
	})
	return s
}

// query reads one number from the store's tables, as an admin would.
func query(tb testing.TB, url, sql string) (n int) {
	tb.Helper()
	db := raw(tb, url)
	defer db.Close()
	if err := db.Get(&n, sql); err != nil {
		tb.Fatal(err)
	}
	return n
}

func raw(tb testing.TB, url string) *sqlx.DB {
	tb.Helper()
	driver, dsn := "postgres", url
	if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
		driver, dsn = "sqlite", path
	}
	db, err := sqlx.Open(driver, dsn)
	if err != nil {
		tb.Fatal(err)
	}
	return db
}

func visit(id string, version int64, account string) engine.Activity {
	return engine.Activity{Source: "日報", ID: id, Version: version, Date: engine.DateOf(2026, 4, 1), Kind: "訪問", Account: account,
		People: []engine.Participant{{Contact: "c-" + account, Title: "営業部長", Rank: "部長"}}, Reps: []engine.Share{{ID: "r1"}}}
}

func TestOpen(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		url := fresh(t)
		open(t, url)
		open(t, url) // a second one beside it
		if path, ok := strings.CutPrefix(url, "sqlite:"); ok {
			info, err := os.Stat(path)
			if err != nil || info.Mode() != 0o600 {
				t.Errorf("the file's mode is %v, %v", info.Mode(), err)
			}
		}
		db := raw(t, url)
		defer db.Close()
		if _, err := db.Exec(db.Rebind("INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, ?)"), true); err != nil {
			t.Fatal(err)
		}
		_, err := store.Open(context.Background(), url)
		if fault.KindOf(err) != fault.Config || !strings.Contains(err.Error(), "9999") {
			t.Errorf("a newer schema gave %v", err)
		}
	})
	for url, kind := range map[string]fault.Kind{
		"":                          fault.Config,
		"mysql://localhost/x":       fault.Config,
		"sqlite:":                   fault.Config,
		"sqlite:/nowhere/at/all.db": fault.Config,
		"postgres://u:planted-secret@127.0.0.1:1/x?sslmode=disable": fault.Unavailable,
		"postgres://u:planted-secret@%zz/":                          fault.Config,
	} {
		_, err := store.Open(context.Background(), url)
		if fault.KindOf(err) != kind {
			t.Errorf("Open(%q): %v is %s, want %s", url, err, fault.KindOf(err), kind)
		}
		if strings.Contains(err.Error()+fault.HintOf(err), "planted-secret") {
			t.Errorf("the password shows: %v", err)
		}
	}
}

func TestSaveBatch(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		url := fresh(t)
		s := open(t, url)
		ctx := t.Context()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		run, err := s.BeginRun(ctx, "pull", time.Date(2026, 11, 21, 20, 45, 12, 0, time.UTC))
		must(err)
		day := func(d int) time.Time { return time.Date(2026, 11, d, 0, 0, 0, 0, time.UTC) }
		reject := connectors.Reject{Key: "3", Origin: "daily_reports/3", Code: "date", Reason: "日付がない\x00", Fields: map[string]any{"日付": "R8.9.31"}}
		first := store.Batch{Run: run, Source: "日報", Next: "c1", Interval: connectors.Interval{From: day(1), To: day(2)}, Read: 4, Skipped: 1,
			Activities: []engine.Activity{visit("1", 1, "A"), visit("2", 1, "B")}, Rejects: []connectors.Reject{reject}}
		must(s.SaveBatch(ctx, first))

		t.Run("cursor is compared and set", func(t *testing.T) {
			before := query(t, url, "SELECT COUNT(*) FROM arrival")
			if err := s.SaveBatch(ctx, first); fault.KindOf(err) != fault.Conflict {
				t.Errorf("a second batch from the beginning gave %v", err)
			}
			stale := first
			stale.After = "c0"
			if err := s.SaveBatch(ctx, stale); fault.KindOf(err) != fault.Conflict {
				t.Errorf("a batch after another cursor gave %v", err)
			}
			if after := query(t, url, "SELECT COUNT(*) FROM arrival"); after != before {
				t.Errorf("%d arrivals, before %d", after, before)
			}
			if c, err := s.Cursor(ctx, "日報"); c != "c1" || err != nil {
				t.Errorf("cursor %q, %v", c, err)
			}
			if c, err := s.Cursor(ctx, "other"); c != "" || err != nil {
				t.Errorf("cursor of an unknown source %q, %v", c, err)
			}
		})
		t.Run("rejects are counted and taken back", func(t *testing.T) {
			must(s.SaveBatch(ctx, store.Batch{Run: run, Source: "日報", After: "c1", Next: "c2", At: day(9), Read: 1, Rejects: []connectors.Reject{reject}}))
			var got []store.Reject
			for r, err := range s.Rejects(ctx, "日報") {
				must(err)
				got = append(got, r)
			}
			want := reject
			want.Reason = "日付がない\uFFFD"
			if diff := cmp.Diff([]store.Reject{{Source: "日報", Reject: want, Run: run, Seen: day(9), Attempts: 2}}, got); diff != "" {
				t.Error(diff)
			}
			counts, err := s.RejectCounts(ctx)
			must(err)
			if diff := cmp.Diff([]store.RejectCount{{Source: "日報", Code: "date", Count: 1}}, counts); diff != "" {
				t.Error(diff)
			}
			must(s.SaveBatch(ctx, store.Batch{Run: run, Source: "日報", After: "c2", Next: "c3", Read: 1, Activities: []engine.Activity{visit("sfa/3", 1, "A")}, Through: []string{"3"}}))
			for r := range s.Rejects(ctx, "") {
				t.Errorf("%s is still there", r.Key)
			}
		})
		t.Run("intervals join", func(t *testing.T) {
			after := connectors.Cursor("c3")
			for _, i := range []connectors.Interval{{From: day(5), To: day(6)}, {From: day(8), To: day(9)}, {From: day(2), To: day(3)}, {From: day(5), To: day(8)}} {
				must(s.SaveBatch(ctx, store.Batch{Run: run, Source: "日報", After: after, Next: after + "+", Interval: i}))
				after += "+"
			}
			got, err := s.Intervals(ctx, "日報")
			must(err)
			if diff := cmp.Diff([]connectors.Interval{{From: day(1), To: day(3)}, {From: day(5), To: day(9)}}, got); diff != "" {
				t.Error(diff)
			}
		})
		t.Run("sums balance after the fold", func(t *testing.T) {
			fold(t, s)
			got, err := s.Run(ctx, run)
			must(err)
			want := []store.RunSource{{Source: "日報", Read: 6, Stored: 3, Skipped: 1, Rejected: 2}}
			if diff := cmp.Diff(want, got.Sources); diff != "" || !got.Sources[0].Balanced() {
				t.Error(diff)
			}
		})
	})
}

func TestRuns(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		s, ctx := open(t, fresh(t)), t.Context()
		at := time.Date(2026, 11, 21, 20, 45, 12, 0, time.FixedZone("JST", 9*3600))
		killed, err := s.BeginRun(ctx, "sync", at)
		if err != nil || !strings.HasPrefix(killed, "20261121T114512-") || len(killed) != 20 {
			t.Fatalf("id %q, %v", killed, err)
		}
		other, err := s.BeginRun(ctx, "plan", at.Add(time.Minute))
		if err != nil {
			t.Fatal(err)
		}
		next, err := s.BeginRun(ctx, "sync", at.Add(time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.FinishRun(ctx, next, at.Add(2*time.Hour), store.Partial, "3 rejects"); err != nil {
			t.Fatal(err)
		}
		got, err := s.Runs(ctx, 10)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			if !strings.HasPrefix(got[i].By, host(t)) {
				t.Errorf("it was done by %q", got[i].By)
			}
			got[i].By = ""
		}
		at = at.UTC()
		want := []store.Run{
			{ID: next, Kind: "sync", Started: at.Add(time.Hour), Ended: at.Add(2 * time.Hour), State: store.Partial, Message: "3 rejects"},
			{ID: other, Kind: "plan", Started: at.Add(time.Minute), Ended: at.Add(time.Hour), State: store.Failed, Message: "interrupted"},
			{ID: killed, Kind: "sync", Started: at, Ended: at.Add(time.Minute), State: store.Failed, Message: "interrupted"},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if _, err := s.Run(ctx, "none"); fault.KindOf(err) != fault.Config {
			t.Errorf("an unknown run gave %v", err)
		}
	})
}

// TestDirectory_Contact: of a contact the account and the title are told as the CRM has them now.
func TestDirectory_Contact(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		s, ctx := open(t, fresh(t)), t.Context()
		cursor, version := connectors.Cursor(""), int64(0)
		put := func(profiles ...engine.Profile) {
			t.Helper()
			version++
			for i := range profiles {
				profiles[i].Source, profiles[i].Version = "crm", version
			}
			if err := s.SaveBatch(ctx, store.Batch{Run: "r", Source: "crm", After: cursor, Next: cursor + "x", Read: len(profiles), Profiles: profiles}); err != nil {
				t.Fatal(err)
			}
			cursor += "x"
		}
		told := func(account, title string) {
			t.Helper()
			d, err := s.Directory(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if a, b := d.Contact("c1"); a != account || b != title {
				t.Errorf("account %q, title %q; want %q, %q", a, b, account, title)
			}
		}
		company := func(id, into string) engine.Profile {
			return engine.Profile{Entity: engine.Entity{Kind: engine.Account, ID: id}, Into: into, Deleted: into != ""}
		}
		taro := engine.Profile{Entity: engine.Entity{Kind: engine.Contact, ID: "c1"}, Account: "a1", Title: "課長"}
		told("", "")
		put(taro)
		told("", "課長") // of an account that is not read yet
		put(company("a1", ""), company("a2", ""))
		told("a1", "課長")
		taro.Title = "部長"
		put(taro)
		told("a1", "部長")
		put(company("a1", "a2"))
		told("a2", "部長")
		taro.Account, taro.Title = "", ""
		put(taro)
		told("", "")
		taro.Account = "a2"
		put(taro)
		told("a2", "")
		taro.Deleted = true
		put(taro)
		told("", "")
	})
}

// TestProfilesUnder: of a customer its own deals are given, those that are there.
func TestProfilesUnder(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		s, ctx := open(t, fresh(t)), t.Context()
		deal := func(id, account string) engine.Profile {
			return engine.Profile{Entity: engine.Entity{Kind: engine.Deal, ID: id}, Source: "crm", Version: 1, Account: account}
		}
		gone, merged := deal("d3", "a1"), deal("d4", "a1")
		gone.Deleted, merged.Into = true, "d1"
		person := deal("c1", "a1")
		person.Kind = engine.Contact
		all := []engine.Profile{deal("d2", "a1"), deal("d1", "a1"), gone, merged, deal("d5", "a2"), deal("d6", ""), person}
		if err := s.SaveBatch(ctx, store.Batch{Run: "r", Source: "crm", Next: "x", Read: len(all), Profiles: all}); err != nil {
			t.Fatal(err)
		}
		for account, want := range map[string]string{"a1": "[d1 d2]", "a2": "[d5]", "a9": "[]", "": "[]"} {
			list, err := s.ProfilesUnder(ctx, engine.Deal, account)
			if err != nil {
				t.Fatal(err)
			}
			ids := []string{}
			for _, p := range list {
				ids = append(ids, p.ID)
			}
			if got := fmt.Sprint(ids); got != want {
				t.Errorf("%q has %s, want %s", account, got, want)
			}
		}
	})
}

func TestProfile_a_deletion_leaves_the_facts(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		s, ctx := open(t, fresh(t)), t.Context()
		deal := engine.Profile{Entity: engine.Entity{Kind: engine.Deal, ID: "d1"}, Source: "crm", Version: 1, Facts: engine.Facts{"stage": "受注", "amount": "5"}}
		gone := engine.Profile{Entity: deal.Entity, Source: "crm", Version: 2, Deleted: true}
		for i, p := range []engine.Profile{deal, gone} {
			after := connectors.Cursor(strings.Repeat("x", i))
			if err := s.SaveBatch(ctx, store.Batch{Run: "r", Source: "crm", After: after, Next: after + "x", Read: 1, Profiles: []engine.Profile{p}}); err != nil {
				t.Fatal(err)
			}
		}
		if got, _, err := s.Profile(ctx, deal.Entity); err != nil || !maps.Equal(got.Facts, deal.Facts) || !got.Deleted {
			t.Errorf("facts %v of a deleted deal, %v", got.Facts, err)
		}
	})
}

func TestDirectory(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		url := fresh(t)
		s, ctx := open(t, url), t.Context()
		cursor := connectors.Cursor("")
		put := func(s *store.Store, profiles ...engine.Profile) {
			t.Helper()
			if err := s.SaveBatch(ctx, store.Batch{Run: "r", Source: "crm", After: cursor, Next: cursor + "x", Read: len(profiles), Profiles: profiles}); err != nil {
				t.Fatal(err)
			}
			cursor += "x"
		}
		find := func(key, value, want string) {
			t.Helper()
			d, err := s.Directory(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if id, ok := d.Find(engine.Account, key, value); ok != (want != "") || ok && id != want {
				t.Errorf("Find(%q, %q) = %q, %v; want %q", key, value, id, ok, want)
			}
		}
		company := func(id string, version int64, code string) engine.Profile {
			return engine.Profile{Entity: engine.Entity{Kind: engine.Account, ID: id}, Source: "crm", Version: version,
				Name: "株式会社山田製作所", Owner: "u1", Keys: map[string]string{"code": code, "empty": ""}}
		}
		find("code", "K1", "")
		put(s, company("a1", 2, "K1"), company("a2", 1, "K2"))
		find("code", "K1", "a1")
		find("id", "a2", "a2")
		find("id", "K1", "")
		find("empty", "", "")

		put(s, company("a1", 1, "old"), company("a1", 3, "K3"), company("a1", 2, "older"))
		find("code", "old", "")
		find("code", "K1", "")
		find("code", "K3", "a1")

		put(s, company("a3", 1, "K2")) // now two have K2
		find("code", "K2", "")
		gone := company("a2", 2, "K2")
		gone.Deleted = true
		put(open(t, url), gone) // by another process
		find("code", "K2", "a3")
		find("id", "a2", "")

		if p, ok, err := s.Profile(ctx, engine.Entity{Kind: engine.Account, ID: "a1"}); err != nil || !ok {
			t.Error(ok, err)
		} else if diff := cmp.Diff(company("a1", 3, "K3"), p); diff != "" {
			t.Error(diff)
		}
		if _, ok, err := s.Profile(ctx, engine.Entity{Kind: engine.Contact, ID: "a1"}); ok || err != nil {
			t.Error(ok, err)
		}
		var ids []string
		for p, err := range s.Profiles(ctx, engine.Account) {
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, p.ID)
		}
		if diff := cmp.Diff([]string{"a1", "a2", "a3"}, ids); diff != "" {
			t.Error(diff)
		}
		r, err := s.Runs(ctx, 1)
		if err != nil || len(r) != 0 {
			t.Error(r, err)
		}
		if got := query(t, url, "SELECT stored FROM run_source"); got != 5 {
			t.Errorf("%d profiles stored, want 5 of 7", got)
		}
	})
}

var update = os.Getenv("UPDATE_GOLDEN") != ""

var comment = regexp.MustCompile(` *--.*`)

// TestSchema holds the tables of both databases to what is on file.
func TestSchema(t *testing.T) {
	for name, c := range map[string]struct {
		url   func(testing.TB) string
		query string
	}{
		"sqlite": {sqliteURL, `SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND tbl_name NOT LIKE 'goose%' AND name NOT LIKE 'sqlite%' ORDER BY tbl_name, name`},
		"postgres": {testdb.Postgres, `SELECT table_name || '.' || column_name || ' ' || data_type || CASE is_nullable WHEN 'NO' THEN ' NOT NULL' ELSE '' END
			FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE 'goose%'
			UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename NOT LIKE 'goose%' ORDER BY 1`},
	} {
		t.Run(name, func(t *testing.T) {
			url := c.url(t)
			open(t, url)
			db := raw(t, url)
			defer db.Close()
			var lines []string
			if err := db.Select(&lines, c.query); err != nil {
				t.Fatal(err)
			}
			got := comment.ReplaceAllString(strings.Join(lines, "\n")+"\n", "")
			golden := filepath.Join("testdata", "schema_"+name+".golden")
			if update {
				if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("the schema changed; UPDATE_GOLDEN=1 accepts it\n%s", diff)
			}
		})
	}
}

// TestSaveBatch_Withdrawn: a skipped record takes back the activity that it was, and is in no sums but the skipped.
// C14: the cursor moves with the rows that it stands behind, or not at all.
func TestC14_the_cursor_waits_for_its_rows(t *testing.T) {
	full := map[string][]string{
		"sqlite": {"CREATE TRIGGER full_disk BEFORE INSERT ON %s BEGIN SELECT RAISE(ABORT, 'no space left'); END", "DROP TRIGGER full_disk"},
		"postgres": {"CREATE FUNCTION full_disk() RETURNS trigger AS 'BEGIN RAISE ''no space left''; END' LANGUAGE plpgsql; CREATE TRIGGER full_disk BEFORE INSERT ON %s EXECUTE FUNCTION full_disk()",
			"DROP FUNCTION full_disk CASCADE"},
	}
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		url := fresh(t)
		s := open(t, url)
		db := raw(t, url)
		defer db.Close()
		dialect := full["postgres"]
		if strings.HasPrefix(url, "sqlite:") {
			dialect = full["sqlite"]
		}
		run, err := s.BeginRun(t.Context(), "pull", time.Unix(0, 0))
		if err != nil {
			t.Fatal(err)
		}
		batch := store.Batch{Run: run, Source: "日報", Next: "c1", Read: 2, Activities: []engine.Activity{visit("1", 1, "A")},
			Rejects: []connectors.Reject{{Key: "3", Code: "date"}}}
		for _, table := range []string{"arrival", "reject", "run_source"} {
			if _, err := db.Exec(fmt.Sprintf(dialect[0], table)); err != nil {
				t.Fatal(err)
			}
			if err := s.SaveBatch(t.Context(), batch); err == nil {
				t.Fatalf("%s: the batch was saved", table)
			}
			if _, err := db.Exec(dialect[1]); err != nil {
				t.Fatal(err)
			}
			if c, err := s.Cursor(t.Context(), "日報"); c != "" || err != nil {
				t.Errorf("%s: the cursor is %q, %v, and the rows are lost", table, c, err)
			}
			if n := query(t, url, "SELECT (SELECT COUNT(*) FROM arrival) + (SELECT COUNT(*) FROM reject)"); n != 0 {
				t.Errorf("%s: %d rows were kept", table, n)
			}
		}
		if err := s.SaveBatch(t.Context(), batch); err != nil {
			t.Errorf("with space again: %v", err)
		}
	})
}

func TestSaveBatch_Withdrawn(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		ctx := t.Context()
		s := open(t, fresh(t))
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		run, err := s.BeginRun(ctx, "pull", time.Unix(0, 0))
		must(err)
		must(s.SaveBatch(ctx, store.Batch{Run: run, Source: "crm", Next: "1", Read: 1, Activities: []engine.Activity{visit("3", 1, "A")}}))
		if _, err := s.Fold(ctx, flat{1}, engine.DateOf(2026, 1, 1)); err != nil {
			t.Fatal(err)
		}
		gone := engine.Activity{Source: "日報", ID: "3", Version: 2, Deleted: true, Date: engine.NoDate}
		never := gone
		never.ID = "4"
		must(s.SaveBatch(ctx, store.Batch{Run: run, Source: "crm", After: "1", Next: "2", Read: 2, Skipped: 2, Withdrawn: []engine.Activity{gone, never}}))
		stats, err := s.Fold(ctx, flat{1}, engine.DateOf(2026, 1, 1))
		must(err)
		if stats.Arrived+stats.Stored+stats.Unchanged != 0 || stats.Entries == 0 {
			t.Errorf("the fold counts %+v, want nothing but changed entries", stats)
		}
		r, err := s.Run(ctx, run)
		must(err)
		if want := (store.RunSource{Source: "crm", Read: 3, Stored: 1, Skipped: 2}); len(r.Sources) != 1 || r.Sources[0] != want {
			t.Errorf("the sums are %+v, want %+v", r.Sources, want)
		}
		for a, err := range s.Activities(ctx) {
			must(err)
			if !a.Deleted {
				t.Errorf("%s still stands", a.ID)
			}
		}
	})
}

// A file that is no database any more is told as such, with what to do, and stays as it is.
func TestOpen_damaged(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "energyd.db")
	text := bytes.Repeat([]byte("no database "), 1000)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := store.Open(t.Context(), "sqlite:"+file)
	if err == nil || !strings.Contains(err.Error(), "the store is damaged") || !strings.Contains(fault.HintOf(err), "backup") {
		t.Errorf("%v; what to do: %s", err, fault.HintOf(err))
	}
	if kept, err := os.ReadFile(file); err != nil || !bytes.Equal(kept, text) {
		t.Errorf("the file was changed: %v", err)
	}
}
