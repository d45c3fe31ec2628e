package sqltable

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What becomes of each type that the databases have of their own, and of its odd values: a number
// where nothing is lost, a time in UTC, else the text that the database writes; never a dead run.
func TestSource_Read_types(t *testing.T) {
	utc := func(year int, month time.Month, day, hour, minute, second, nano int) time.Time {
		return time.Date(year, month, day, hour, minute, second, nano, time.UTC)
	}
	type cell struct {
		typ, literal string
		want         any
	}
	for driver, cells := range map[string][]cell{
		"postgres": {
			{"numeric", "1234567890123456789.0123456789", "1234567890123456789.0123456789"},
			{"numeric", "'NaN'", "NaN"},
			{"numeric(5,0)", "42", 42.0},
			{"money", "1234.5", "$1,234.50"},
			{"real", "0.1", 0.1},
			{"double precision", "'Infinity'", "+Inf"},
			{"double precision", "'NaN'", "NaN"},
			{"timestamp", "'infinity'", "infinity"},
			{"timestamp", "'-infinity'", "-infinity"},
			{"timestamp", "'0044-03-15 10:00:00 BC'", utc(-43, 3, 15, 0, 41, 1, 0)}, // Tokyo was 9:18:59 ahead then
			{"timestamp", "'12026-11-20 10:00:00'", utc(12026, 11, 20, 1, 0, 0, 0)},
			{"timestamptz", "'2026-11-20 10:00:00+05:30'", utc(2026, 11, 20, 4, 30, 0, 0)},
			{"date", "'2026-11-20'", "2026-11-20"},
			{"date", "'0044-03-15 BC'", "0044-03-15 BC"},
			{"date", "'infinity'", "infinity"},
			{"time", "'08:30:00.25'", "08:30:00.25"},
			{"timetz", "'08:30:00+09'", "08:30:00+09"},
			{"interval", "'1 day 02:30:00'", "1 day 02:30:00"},
			{"boolean", "false", false},
			{"bit(3)", "B'101'", "101"},
			{"uuid", "'6F9619FF-8B86-D011-B42D-00C04FC964FF'", "6f9619ff-8b86-d011-b42d-00c04fc964ff"},
			{"mood", "'happy'", "happy"},
			{"text[]", "ARRAY['訪問','電話,FAX']", `{訪問,"電話,FAX"}`},
			{"integer[]", "ARRAY[[1,2],[3,4]]", "{{1,2},{3,4}}"},
			{"json", `'{"種別": "訪問"}'`, `{"種別": "訪問"}`},
			{"jsonb", `'{"b":1,"a":[true,null]}'`, `{"a": [true, null], "b": 1}`},
			{"xml", "'<a>訪問</a>'", "<a>訪問</a>"},
			{"inet", "'10.0.0.1/8'", "10.0.0.1/8"},
			{"tsrange", "'[2026-11-20 10:00,2026-11-20 11:00)'", `["2026-11-20 10:00:00","2026-11-20 11:00:00")`},
			{"char(5)", "'訪問'", "訪問"},
			{"money", "NULL", nil},
			{"timestamptz", "NULL", nil},
		},
		"mysql": {
			{"decimal(40,12)", "1234567890123456789.0123456789", "1234567890123456789.012345678900"},
			{"float", "0.1", 0.1},
			{"double", "1e300", 1e300},
			{"bigint unsigned", "18446744073709551615", "18446744073709551615"},
			{"tinyint(1)", "1", int64(1)},
			{"bit(1)", "b'1'", int64(1)},
			{"bit(8)", "NULL", nil},
			{"year", "2026", int64(2026)},
			{"date", "'0000-00-00'", nil},
			{"date", "'2026-11-00'", "2026-11-00"},
			{"date", "'0001-01-01'", "0001-01-01"},
			{"datetime", "'0000-00-00 00:00:00'", nil},
			{"datetime(6)", "'2026-11-20 10:00:00.25'", utc(2026, 11, 20, 1, 0, 0, 250e6)},
			{"datetime", "'2026-11-00 10:00:00'", "2026-11-00 10:00:00"},
			{"timestamp NULL", "'2026-11-20 10:00:00'", utc(2026, 11, 20, 10, 0, 0, 0)},
			{"time", "'-838:59:59'", "-838:59:59"},
			{"enum('訪問','電話')", "'電話'", "電話"},
			{"set('訪問','電話')", "'訪問,電話'", "訪問,電話"},
			{"json", `'{"種別": "訪問"}'`, `{"種別": "訪問"}`},
			{"uuid", "'6F9619FF-8B86-D011-B42D-00C04FC964FF'", "6f9619ff-8b86-d011-b42d-00c04fc964ff"},
			{"char(5)", "'訪問'", "訪問"},
			{"longtext", "NULL", nil},
		},
		"sqlite": {
			{"numeric(12,2)", "1234.5", 1234.5},
			{"decimal(40,12)", "'1234567890123456789.0123456789'", int64(1234567890123456768)}, // by the column's own affinity
			{"integer", "'abc'", "abc"},
			{"integer", "9223372036854775807", int64(9223372036854775807)},
			{"boolean", "1", true},
			{"date", "'2026-11-20'", "2026-11-20"},
			{"datetime", "'2026-11-20T10:00'", utc(2026, 11, 20, 1, 0, 0, 0)},
			{"datetime", "'明日'", "明日"},
			{"text", "1.5", "1.5"},
			{"real", "9e999", "+Inf"},
			{"", "NULL", nil},
		},
	} {
		t.Run(driver, func(t *testing.T) {
			s := start[driver](t)
			switch driver {
			case "postgres":
				s.exec(t, "CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy')")
			case "mysql":
				s.admin.SetMaxOpenConns(1)
				s.exec(t, "SET SESSION sql_mode = '', time_zone = '+00:00'")
			}
			columns, values := "id integer PRIMARY KEY", "1"
			want := map[string]any{"id": int64(1)}
			for i, c := range cells {
				name := fmt.Sprintf("c%02d", i)
				columns, values = columns+", "+name+" "+c.typ, values+", "+c.literal
				want[name] = c.want
			}
			s.exec(t, "CREATE TABLE d ("+columns+")")
			s.grant(t)
			if _, err := s.admin.Exec("INSERT INTO d VALUES (" + values + ")"); err != nil {
				t.Fatal(err)
			}
			b := all(t, s.open(t), stream("d"), "", 10)
			if len(b.Records) != 1 {
				t.Fatalf("got %+v", b)
			}
			got := b.Records[0].Fields()
			for name, w := range want {
				if diff := cmp.Diff(w, got[name]); diff != "" {
					at := 0
					_, _ = fmt.Sscanf(name, "c%d", &at)
					t.Errorf("%s %s (-want +got):\n%s", cells[at].typ, cells[at].literal, diff)
				}
			}
		})
	}
}
