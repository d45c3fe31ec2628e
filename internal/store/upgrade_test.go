package store_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/internal/store"
)

// TestUpgrade_from_every_version makes stores as every earlier energyd left them, with rows in all of their tables, and
// opens them: nothing is lost, what stood in a row stands there still, and the tables are those of a new store.
func TestUpgrade_from_every_version(t *testing.T) {
	versions, err := store.Versions()
	if err != nil {
		t.Fatal(err)
	}
	if len(versions) < 20 {
		t.Fatalf("only the versions %v", versions)
	}
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		newest := fresh(t)
		open(t, newest)
		columns := columnsOf(t, newest)
		for i, version := range versions {
			// The same steps as in SQLite: the first, those that move rows, and the last two stand for all.
			if !strings.HasPrefix(newest, "sqlite:") && i > 0 && i < len(versions)-2 && !slices.Contains([]int64{12, 14, 15}, version) {
				continue
			}
			t.Run(fmt.Sprint(version), func(t *testing.T) {
				t.Parallel() // they mostly wait for the disk
				url := fresh(t)
				if err := store.MakeAt(t.Context(), url, version); err != nil {
					t.Fatal(err)
				}
				before := occupyAt(t, url, version)
				open(t, url)
				after := holding(t, url, before)
				if diff := cmp.Diff(before, after); diff != "" {
					t.Errorf("(-before +after)\n%s", diff)
				}
				if diff := cmp.Diff(columns, columnsOf(t, url)); diff != "" {
					t.Errorf("other columns than a new store's\n%s", diff)
				}
			})
		}
	})
}

// held is what rows hold: "table column" to the texts of its values, sorted by the database.
type held map[string][]string

// occupyAt fills a store of a version and gives what it holds.
func occupyAt(t *testing.T, url string, version int64) held {
	t.Helper()
	model := url
	if !strings.HasPrefix(url, "sqlite:") { // the same rows as in a SQLite store of that time
		model = sqliteURL(t)
		if err := store.MakeAt(t.Context(), model, version); err != nil {
			t.Fatal(err)
		}
	}
	occupy(t, model)
	all := held{}
	from := raw(t, model)
	defer from.Close()
	var tables []struct{ Table, Name, Type string }
	if err := from.Select(&tables, `SELECT m.name AS "table", c.name, c.type FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE 'goose%'`); err != nil {
		t.Fatal(err)
	}
	columns, texts := map[string][]string{}, map[string]bool{}
	for _, c := range tables {
		columns[c.Table] = append(columns[c.Table], `"`+c.Name+`"`)
		all[c.Table+" "+c.Name] = nil
		texts[c.Table+` "`+c.Name+`"`] = c.Type == "TEXT"
	}
	if model != url {
		into := raw(t, url)
		defer into.Close()
		for table, names := range columns {
			rows, err := from.Queryx(`SELECT ` + strings.Join(names, ", ") + ` FROM "` + table + `"`)
			if err != nil {
				t.Fatal(err)
			}
			for rows.Next() {
				row, err := rows.SliceScan()
				if err != nil {
					t.Fatal(err)
				}
				for i, v := range row {
					if data, ok := v.([]byte); ok && texts[table+" "+names[i]] {
						row[i] = string(data)
					} else if ok && data == nil {
						row[i] = []byte{}
					}
				}
				insert := `INSERT INTO "` + table + `" (` + strings.Join(names, ", ") + `) OVERRIDING SYSTEM VALUE VALUES (?` + strings.Repeat(", ?", len(names)-1) + `)`
				if _, err := into.ExecContext(context.Background(), into.Rebind(insert), row...); err != nil {
					t.Fatalf("%s: %v", table, err)
				}
			}
			if err := rows.Err(); err != nil {
				t.Fatal(err)
			}
		}
	}
	return holding(t, url, all)
}

// holding gives what these columns hold, of those that are still there.
func holding(t *testing.T, url string, of held) held {
	t.Helper()
	db := raw(t, url)
	defer db.Close()
	now := held{}
	for at := range of {
		table, column, _ := strings.Cut(at, " ")
		query := fmt.Sprintf(`SELECT COALESCE(CAST(%[1]q AS TEXT), 'NULL') AS v FROM %[2]q ORDER BY 1`, column, table)
		if strings.HasPrefix(url, "sqlite:") {
			query = fmt.Sprintf(`SELECT COALESCE(hex(%[1]q), 'NULL') AS v FROM %[2]q ORDER BY 1`, column, table)
		}
		var values []string
		if err := db.Select(&values, query); err != nil {
			t.Fatalf("%s: %v", at, err)
		}
		now[at] = values
	}
	return now
}

// columnsOf lists all columns of the store's tables.
func columnsOf(t *testing.T, url string) (list []string) {
	t.Helper()
	db := raw(t, url)
	defer db.Close()
	query := `SELECT table_name || ' ' || column_name || ' ' || data_type || ' ' || is_nullable FROM information_schema.columns WHERE table_schema = 'public' AND table_name NOT LIKE 'goose%' ORDER BY 1`
	if strings.HasPrefix(url, "sqlite:") {
		query = `SELECT m.name || ' ' || c.name || ' ' || c.type || ' ' || c."notnull" FROM sqlite_master AS m JOIN pragma_table_info(m.name) AS c
			WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite%' AND m.name NOT LIKE 'goose%' ORDER BY 1`
	}
	if err := db.Select(&list, query); err != nil {
		t.Fatal(err)
	}
	return list
}
