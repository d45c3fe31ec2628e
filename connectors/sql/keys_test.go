package sqltable

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Pages go on behind the last row by the database's own order. Whatever a key's type or collation: each
// row comes once, at any page size, with a change time before it and without.
func TestSource_Read_pages_by_any_key(t *testing.T) {
	words := quoted("a", "B", "b1", "A1", "c", "C-1", "C1", "ca", "Ａ２", "ｱ", "ア1", "ｧ", "ぁ2", "あ", "バ", "ﾊﾞ1", "ハ゛2", "é", "e1", "ß", "ss1", "ー", "－", "-", "_", "%", "髙", "高", "𠮟", "🗻", "''")
	padded := quoted("a", "ab", "b", "B1", "あ")
	numbers := []string{"0", "-1", "1", "0.1", "0.2", "0.30000001", "16777217", "16777219", "-0.1", "3.4e30", "1e-30", "123456.789"}
	decimals := []string{"0", "-1.5", "123456789012345678.0000000001", "123456789012345678.0000000002", "0.1", "99999999999999999.9", "7"}
	whole := []string{"-9223372036854775808", "-1", "0", "9007199254740993", "9223372036854775807"}
	times := quoted("2026-11-20 10:00:00", "2026-11-20 10:00:00.000001", "2026-11-20 10:00:00.1", "1999-12-31 23:59:59.999999", "2026-02-28 00:00:00")
	days := quoted("2026-11-20", "2026-11-21", "1970-01-01", "0001-01-01", "9999-12-31")
	clocks := quoted("00:00:00", "08:30:00.5", "08:30:00.25", "23:59:59")
	uuids := quoted("6f9619ff-8b86-d011-b42d-00c04fc964ff", "00000000-0000-0000-0000-000000000001", "ff9619ff-8b86-d011-b42d-00c04fc964ff")
	for driver, types := range map[string]map[string][]string{
		"postgres": {
			`varchar(20)`: words, `varchar(20) COLLATE "C"`: words, `text COLLATE "und-x-icu"`: words, `text COLLATE "ja-x-icu"`: words, `text COLLATE width`: words,
			"char(8)": padded, "real": numbers, "double precision": append(numbers, "'NaN'", "'Infinity'", "'-Infinity'"), "numeric": append(decimals, "'NaN'"), "numeric(40,12)": decimals,
			"bigint": whole, "timestamp": append(times, "'infinity'", "'-infinity'", "'0044-03-15 10:00:00 BC'"), "timestamptz": append(times, "'infinity'"), "date": append(days, "'infinity'", "'0044-03-15 BC'"),
			"time": clocks, "interval": quoted("1 day", "1 mon", "-3 hours", "1 year 2 mons"), "boolean": {"true", "false"}, "uuid": uuids, "mood": quoted("sad", "ok", "happy"),
			"integer[]": quoted("{1,2}", "{1,10}", "{}"), "jsonb": quoted(`{"a":1}`, `"x"`, "1"), "inet": quoted("10.0.0.1", "10.0.0.0/8", "::1"), "bit(4)": quoted("0001", "1000"), "money": quoted("1.5", "-2", "1000000"),
		},
		"mysql": {
			"varchar(20) COLLATE utf8mb4_general_ci": words, "varchar(20) COLLATE utf8mb4_unicode_ci": words, "varchar(20) COLLATE utf8mb4_unicode_520_ci": words, "varchar(20) COLLATE utf8mb4_bin": words,
			"varchar(20) CHARACTER SET cp932": words, "varchar(20) CHARACTER SET cp932 COLLATE cp932_bin": words, "varchar(20) CHARACTER SET ujis": words, "varchar(20) CHARACTER SET latin1": words, "varchar(20) CHARACTER SET utf8mb3 COLLATE utf8mb3_unicode_ci": words,
			"char(8)": padded, "float": numbers, "double": numbers, "float(10,3)": numbers, "decimal(40,12)": decimals, "bigint": whole, "bigint unsigned": {"0", "18446744073709551615", "9223372036854775808"},
			"datetime(6)": append(times, "'0000-00-00 00:00:00'"), "timestamp(6)": times[:3], "date": append(days, "'0000-00-00'", "'2026-00-00'"), "time(6)": append(clocks, "'-838:59:59'"), "year": {"0", "1901", "2026"},
			"bit(8)": {"0", "1", "255"}, "enum('z','a','m')": quoted("z", "a", "m"), "set('z','a')": quoted("z", "a", "z,a"), "uuid": uuids,
		},
		"sqlite": {
			"text": words, "text COLLATE NOCASE": words, "text COLLATE RTRIM": words, "real": numbers, "numeric": append(decimals, "'x'"), "bigint": append(whole, "'x'", "0.5"), "": append(words, "1", "0.5", "'1'"), "datetime": append(times, "'2026-11-20T09:00:00'"), "date": days, "boolean": {"true", "false"},
		},
	} {
		t.Run(driver, func(t *testing.T) {
			s := start[driver](t)
			insert := "INSERT INTO d VALUES (%s, %d, '2026-11-20 10:00:00')"
			switch driver {
			case "postgres":
				s.exec(t, "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')")
				s.exec(t, `CREATE COLLATION width (provider = icu, locale = 'und-u-ks-level2', deterministic = false)`)
				insert += " ON CONFLICT DO NOTHING"
			case "mysql":
				s.admin.SetMaxOpenConns(1)
				s.exec(t, "SET SESSION sql_mode = ''") // old systems hold dates that are none
				insert = strings.Replace(insert, "INSERT", "INSERT IGNORE", 1)
			default:
				insert = strings.Replace(insert, "INSERT", "INSERT OR IGNORE", 1)
			}
			conn := s.open(t)
			for typ, values := range types {
				t.Run(typ, func(t *testing.T) {
					s.exec(t, "DROP TABLE IF EXISTS d")
					s.exec(t, "CREATE TABLE d (k "+typ+" NOT NULL PRIMARY KEY, n integer, changed <WALL>)")
					s.grant(t)
					for i, v := range values {
						s.exec(t, fmt.Sprintf(insert, v, i))
					}
					var want []int64
					rows, err := s.admin.Query("SELECT n FROM d ORDER BY n")
					if err != nil {
						t.Fatal(err)
					}
					defer rows.Close()
					for rows.Next() {
						var n int64
						if err := rows.Scan(&n); err != nil {
							t.Fatal(err)
						}
						want = append(want, n)
					}
					if len(want) < min(len(values), 2) {
						t.Fatalf("only the rows %v of %d stand", want, len(values))
					}
					for _, limit := range []int{1, 4, 100} {
						for _, changed := range []string{"", "changed"} {
							b := all(t, conn, stream("d", func(c *Stream) { c.Changed = changed }), "", limit)
							var got []int64
							for _, r := range b.Records {
								n, _ := r.Value("n").(int64)
								got = append(got, n)
							}
							for _, r := range b.Rejects { // an empty text, or MySQL's date that is none
								n, _ := r.Fields["n"].(int64)
								got = append(got, n)
							}
							slices.Sort(got)
							if diff := cmp.Diff(want, got); diff != "" {
								t.Errorf("limit %d, changed %q: rows (-want +got):\n%s", limit, changed, diff)
							}
						}
					}
				})
			}
		})
	}
}

// quoted makes SQL literals; the one for a quote is written as that.
func quoted(values ...string) []string {
	out := make([]string, len(values))
	for i, v := range values {
		out[i] = "'" + v + "'"
	}
	return out
}
