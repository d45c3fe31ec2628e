package sqltable

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/connectors"
	"energyd/connectors/connectortest"
	"energyd/internal/fault"
	"energyd/internal/secret"
)

// SQL Server and Oracle cannot run here. What goes to them is held by golden
// texts, which grammars of their languages parse (syntax_test.go, decision 0082),
// and what comes from them is played in the drivers' own types.

// typed is a column of the scripted tables and what becomes of its value.
type typed struct {
	staged
	value driver.Value
	want  any // "left out": bytes
}

// plays are the two databases: all types that their drivers tell apart.
var plays = map[string]struct {
	columns, uniques, clock string // words of the catalogue's statements and the clock's
	schema, now             string
	types                   []typed
}{
	"sqlserver": {columns: "sys.columns c ON c.object_id = o", uniques: "is_unique", clock: "SYSUTCDATETIME", schema: "dbo", now: "2026-11-22 06:00:00.123456", types: []typed{
		{staged{name: "番号", typ: "BIGINT"}, int64(9007199254740993), int64(9007199254740993)},
		{staged{name: "更新 日時", typ: "DATETIME2"}, time.Date(2026, 11, 20, 10, 0, 0, 123456700, time.UTC), time.Date(2026, 11, 20, 1, 0, 0, 123456700, time.UTC)},
		{staged{name: "dt", typ: "DATETIME"}, time.Date(2026, 11, 20, 10, 0, 0, 3e6, time.UTC), time.Date(2026, 11, 20, 1, 0, 0, 3e6, time.UTC)},
		{staged{name: "sdt", typ: "SMALLDATETIME"}, time.Date(2026, 11, 20, 10, 1, 0, 0, time.UTC), time.Date(2026, 11, 20, 1, 1, 0, 0, time.UTC)},
		{staged{name: "dto", typ: "DATETIMEOFFSET"}, time.Date(2026, 11, 20, 10, 0, 0, 0, time.FixedZone("", 9*3600)), time.Date(2026, 11, 20, 1, 0, 0, 0, time.UTC)},
		{staged{name: "d", typ: "DATE"}, time.Date(2026, 11, 20, 0, 0, 0, 0, time.UTC), "2026-11-20"},
		{staged{name: "t", typ: "TIME"}, time.Date(1, 1, 1, 8, 30, 0, 5e8, time.UTC), "08:30:00.5"},
		{staged{name: "金額", typ: "DECIMAL", precision: 12, scale: 2}, []byte("1234.50"), 1234.5},
		{staged{name: "m", typ: "MONEY"}, []byte("1234.5000"), 1234.5},
		{staged{name: "f", typ: "FLOAT"}, 0.1, 0.1},
		{staged{name: "r", typ: "REAL"}, float64(float32(0.1)), 0.1},
		{staged{name: "旗", typ: "BIT"}, true, true},
		{staged{name: "v", typ: "VARCHAR"}, "東京", "東京"},
		{staged{name: "n]v", typ: "NVARCHAR"}, "", ""},
		{staged{name: "g", typ: "UNIQUEIDENTIFIER"}, "6F9619FF-8B86-D011-B42D-00C04FC964FF", "6F9619FF-8B86-D011-B42D-00C04FC964FF"},
		{staged{name: "x", typ: "XML"}, "<a/>", "<a/>"},
		{staged{name: "rv", typ: "BINARY"}, []byte{1}, "left out"},
		{staged{name: "vb", typ: "VARBINARY"}, []byte{1}, "left out"},
		{staged{name: "geo", typ: "GEOGRAPHY"}, []byte{1}, "left out"},
	}},
	"oracle": {columns: "all_tab_columns", uniques: "uniqueness", clock: "SYSTIMESTAMP", schema: "SALES", now: "2026-11-22 06:00:00.123456", types: []typed{
		{staged{name: "番号", typ: "NUMBER", precision: 38, scale: 255}, "9007199254740993", "9007199254740993"},
		{staged{name: "更新 日時", typ: "TimeStampDTY"}, "2026-11-20 10:00:00.123456789", time.Date(2026, 11, 20, 1, 0, 0, 123456789, time.UTC)},
		{staged{name: "D", typ: "DATE"}, "2026-11-20 10:00:00", time.Date(2026, 11, 20, 1, 0, 0, 0, time.UTC)},
		{staged{name: "TZ", typ: "TimeStampTZ_DTY"}, "2026-11-20 01:00:00.000000000", time.Date(2026, 11, 20, 1, 0, 0, 0, time.UTC)},
		{staged{name: "LTZ", typ: "TimeStampLTZ_DTY"}, "2026-11-20 01:00:00.000000000", time.Date(2026, 11, 20, 1, 0, 0, 0, time.UTC)},
		{staged{name: "整数", typ: "NUMBER", precision: 10}, "-42", int64(-42)},
		{staged{name: "金額", typ: "NUMBER", precision: 12, scale: 2}, "1234.5", 1234.5},
		{staged{name: "長い", typ: "NUMBER", precision: 38}, "123456789012345678901", "123456789012345678901"},
		{staged{name: "BF", typ: "IBFloat"}, float64(float32(0.1)), 0.1},
		{staged{name: "BD", typ: "IBDouble"}, 0.1, 0.1},
		{staged{name: "V", typ: "NCHAR"}, "東京", "東京"},
		{staged{name: "空", typ: "NCHAR"}, nil, nil}, // '' is NULL
		{staged{name: "C", typ: "CHAR"}, "A  ", "A  "},
		{staged{name: "本文", typ: "OCIClobLocator"}, "長い文", "長い文"},
		{staged{name: "R", typ: "RAW"}, "6F9619FF8B86D011B42D00C04FC964FF", "6F9619FF8B86D011B42D00C04FC964FF"},
		{staged{name: "I", typ: "IntervalDS_DTY"}, "+00 01:30:00.000000", "+00 01:30:00.000000"},
		{staged{name: "写真", typ: "OCIBlobLocator"}, []byte{1}, "left out"},
	}},
}

// What is asked in which words, and what becomes of the answers: the catalogue, the
// pages of a window with their positions, rows without change time, rows without key.
func TestDialect_scripted(t *testing.T) {
	for name, play := range plays {
		t.Run(name, func(t *testing.T) {
			s := &stage{}
			number := func(n int) driver.Value { // go-ora gives all numbers as text
				if name == "oracle" {
					return fmt.Sprint(n)
				}
				return int64(n)
			}
			listed := []staged{{name: "name"}, {name: "not_null"}, {name: "key_position"}}
			var catalogue, page [][]driver.Value
			var columns []staged
			var row []driver.Value
			for i, c := range play.types {
				position := 0
				if i == 0 {
					position = 1
				}
				catalogue = append(catalogue, []driver.Value{c.name, number(min(position, 1)), number(position)})
				columns = append(columns, c.staged)
				if c.want != "left out" {
					row = append(row, c.value)
				}
			}
			page = [][]driver.Value{append(row, number(0))}
			one := []staged{{name: "one"}}
			readable := append([]staged{}, columns[:len(row)]...)
			s.script = []answer{
				{play.uniques, []staged{{name: "index_name"}, {name: "column_name"}}, [][]driver.Value{{"PK", "番号"}}},
				{play.columns, listed, catalogue},
				{"WHERE 1 = 0", columns, nil},
				{play.clock, one, [][]driver.Value{{play.now}}},
				{"count(*) FROM", one, [][]driver.Value{{number(0)}}},
				{"IS NULL", append(readable, staged{name: "deleted"}), nil},
				{"CASE WHEN", append(readable, staged{name: "deleted"}), page},
			}
			conn := s.open(t, name)
			s.title("a table")
			source, err := conn.Source(t.Context(), stream(play.schema+".日報", func(c *Stream) {
				c.Changed, c.Deleted = "更新 日時", "旗"
				if name == "oracle" {
					c.Deleted = "整数"
				}
			}))
			if err != nil {
				t.Fatal(err)
			}
			s.title("its first page")
			first, err := source.Read(t.Context(), "", 1)
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]any{}
			for _, c := range play.types {
				if c.want != "left out" {
					want[c.name] = c.want
				}
			}
			if len(first.Records) != 1 {
				t.Fatalf("got %+v", first)
			}
			if diff := cmp.Diff(want, first.Records[0].Fields()); diff != "" {
				t.Errorf("values differ (-want +got):\n%s", diff)
			}
			s.title("the page behind that row")
			if _, err := source.Read(t.Context(), first.Next, 1); err != nil {
				t.Fatal(err)
			}
			last := len(s.script) - 1
			s.script[last].rows = nil
			s.title("no more of them: the rows without a change time")
			end, err := source.Read(t.Context(), first.Next, 1000)
			if err != nil || end.More {
				t.Fatalf("got %+v, %v", end, err)
			}
			s.title("the next window")
			if _, err := source.Read(t.Context(), end.Next, 1000); err != nil {
				t.Fatal(err)
			}
			s.golden(t, name+".sql")
		})
	}
}

// A SELECT with a key that may be NULL: doubles are looked for, and rows without key are read by number.
func TestDialect_scripted_query(t *testing.T) {
	for name, types := range map[string][]staged{
		"sqlserver": {{name: "CODE", typ: "VARCHAR"}, {name: "BRANCH", typ: "UNIQUEIDENTIFIER"}, {name: "VER", typ: "BIGINT"}},
		"oracle":    {{name: "CODE", typ: "NCHAR"}, {name: "BRANCH", typ: "RAW"}, {name: "VER", typ: "NUMBER", precision: 18}},
	} {
		t.Run(name, func(t *testing.T) {
			one := []staged{{name: "one"}}
			row := []driver.Value{"A-1", "6F", "42"}
			keyless := []driver.Value{nil, "6F", "43"}
			if name == "sqlserver" {
				row[2], keyless[2] = int64(42), int64(43)
			}
			s := &stage{script: []answer{
				{"WHERE 1 = 0", types, nil},
				{"HAVING count(*) > 1", one, nil},
				{"max(", one, [][]driver.Value{{row[2]}}},
				{"IS NULL OR ", types, [][]driver.Value{keyless, keyless}},
				{"SELECT", types, [][]driver.Value{row}},
			}}
			conn := s.open(t, name)
			s.title("a query")
			source, err := conn.Source(t.Context(), stream("", func(c *Stream) {
				c.Query, c.Key, c.Changed = "SELECT code, branch, ver FROM reports WHERE memo <> '?:x' -- all?\n", []string{"CODE", "BRANCH"}, "VER"
			}))
			if err != nil {
				t.Fatal(err)
			}
			s.title("pages of one row")
			b, err := source.Read(t.Context(), "", 1)
			if err != nil || len(b.Records) != 1 || b.Records[0].Key != "A-1/6F" {
				t.Fatalf("got %+v, %v", b, err)
			}
			b, err = source.Read(t.Context(), b.Next, 1)
			if err != nil {
				t.Fatal(err)
			}
			s.script[4].rows = nil
			s.title("rows without a key: the first two, and the rest")
			b, err = source.Read(t.Context(), b.Next, 2)
			if err != nil || len(b.Rejects) != 2 || b.Rejects[0].Code != "no_key" {
				t.Fatalf("got %+v, %v", b, err)
			}
			s.script[3].rows = nil
			if b, err = source.Read(t.Context(), b.Next, 2); err != nil || b.More {
				t.Fatalf("got %+v, %v", b, err)
			}
			s.golden(t, name+"_query.sql")
		})
	}
}

// Oracle holds names in capitals: an admin who writes them otherwise is told the right ones.
func TestDialect_oracle_names(t *testing.T) {
	s := &stage{script: []answer{
		{"all_tab_columns", []staged{{name: "name"}, {name: "not_null"}, {name: "key_position"}}, nil},
		{"all_objects", []staged{{name: "name"}}, [][]driver.Value{{"SALES.ACCOUNT"}, {"SALES.DAILY_REPORT"}}},
	}}
	conn := s.open(t, "oracle")
	_, err := conn.Source(t.Context(), stream("sales.daily_report"))
	wantFault(t, err, fault.Config, `did you mean "SALES.DAILY_REPORT"`)

	s.script[0].rows = [][]driver.Value{{"REPORT_ID", "1", "1"}, {"UPDATED_AT", "0", "0"}}
	_, err = conn.Source(t.Context(), stream("SALES.DAILY_REPORT", func(c *Stream) { c.Changed = "updated_at" }))
	wantFault(t, err, fault.Config, `did you mean "UPDATED_AT"`)
	cfg := stream("SALES.DAILY_REPORT")
	cfg.SelectColumns([]string{"report_id"})
	_, err = conn.Source(t.Context(), cfg)
	wantFault(t, err, fault.Config, `did you mean "REPORT_ID"`)
}

// An encoding is for databases whose text can be had as bytes.
func TestDialect_encoding_is_not_for_all(t *testing.T) {
	catalogue := [][]driver.Value{{"A", "1", "1"}}
	for _, driver := range []string{"sqlserver", "oracle"} {
		s := &stage{script: []answer{{"c", []staged{{name: "name"}, {name: "not_null"}, {name: "key_position"}}, catalogue}}}
		_, err := s.open(t, driver).Source(t.Context(), stream("T", func(c *Stream) { c.Encoding = "cp932" }))
		wantFault(t, err, fault.Config, "encoding", driver)
	}
}

// How each type is read, and how a parameter for it stands in a comparison.
func TestDialect_types(t *testing.T) {
	for name, play := range plays {
		t.Run(name, func(t *testing.T) {
			s, d := &stage{}, dialects[name]
			for _, typ := range play.types {
				c := column{name: typ.name, typ: sqlType{typ.typ, typ.precision, typ.scale}}
				c.kind = d.kindOf(c.typ)
				if (c.kind == binary) != (typ.want == "left out") {
					t.Errorf("%s: kind %d; want %v", typ.typ, c.kind, typ.want)
				}
				if c.kind == binary {
					continue
				}
				s.title("%s(%d, %d)", typ.typ, typ.precision, typ.scale)
				q := d.quote(c.name)
				fmt.Fprintln(&s.log, bind(d, fmt.Sprintf("SELECT %s FROM t WHERE %s > %s;", d.selects(q, &c), d.compares(q, &c), d.compares("?", &c))))
			}
			s.title("session")
			fmt.Fprintf(&s.log, "%s;\n%s;\n", map[string]string{"sqlserver": sqlserverSession(5 * time.Minute), "oracle": oracleSession}[name], d.clock())
			s.title("survey")
			table, number := d.quote("日報"), d.quote("番号")
			fmt.Fprintf(&s.log, "%s;\n%s;\n", d.tables(), d.items())
			for _, from := range []string{d.sample(table, 0.25), table, table + " WHERE " + number + " >= 1 AND " + number + " < 100 ORDER BY " + number, table + " ORDER BY " + number + " DESC"} {
				fmt.Fprintf(&s.log, "%s;\n", d.first("a, b", from, 10))
			}
			fmt.Fprintf(&s.log, "SELECT min(%s) FROM %s;\n", number, table)
			s.golden(t, name+"_types.sql")
		})
	}
}

// Only what stands outside of quotes is a parameter: names and literals may hold question marks.
func TestBind(t *testing.T) {
	const query = `SELECT "a?", "b""?", [c]]?], 'it''s ?' FROM t WHERE x > ? AND "?" = ? -- 9`
	for driver, want := range map[string]string{
		"postgres":  `SELECT "a?", "b""?", [c]]?], 'it''s ?' FROM t WHERE x > $1 AND "?" = $2 -- 9`,
		"sqlserver": `SELECT "a?", "b""?", [c]]?], 'it''s ?' FROM t WHERE x > @p1 AND "?" = @p2 -- 9`,
		"oracle":    `SELECT "a?", "b""?", [c]]?], 'it''s ?' FROM t WHERE x > :1 AND "?" = :2 -- 9`,
		"mysql":     query,
	} {
		if got := bind(dialects[driver], query); got != want {
			t.Errorf("%s: %s\nwant %s", driver, got, want)
		}
	}
}

// A position is a row's own time to the last digit: cut, it would lie before its row, which then came for ever.
func TestEncode_time_to_the_last_digit(t *testing.T) {
	for _, tt := range []struct {
		at   time.Time
		want string
	}{
		{time.Date(2026, 11, 20, 10, 0, 0, 123456700, time.UTC), "s:2026-11-20 10:00:00.1234567"},
		{time.Date(2026, 11, 20, 10, 0, 0, 0, tokyo), "s:2026-11-20 01:00:00"},
		{time.Date(0, 3, 1, 0, 0, 0, 0, time.UTC), "s:0001-03-01 00:00:00 BC"},
		{time.Date(-43, 3, 15, 0, 0, 0, 0, time.UTC), "s:0044-03-15 00:00:00 BC"},
	} {
		if got := encode(tt.at); got != tt.want {
			t.Errorf("encode(%v) = %q, want %q", tt.at, got, tt.want)
		}
	}
}

// The drivers meet the network here, if no server.
func TestDialect_no_server(t *testing.T) {
	for _, driver := range []string{"sqlserver", "oracle"} {
		for _, mode := range []string{tlsVerify, tlsEncrypt, tlsOff} {
			t.Run(driver+"/"+mode, func(t *testing.T) {
				open := func(addr string) connectors.Conn {
					cfg := config(driver, addr, "sales")
					cfg.TLS = mode
					conn, err := Connector.Open(t.Context(), cfg, connectors.Env{Log: slog.New(slog.DiscardHandler), Name: "daily_db", Dir: t.TempDir()})
					if err != nil {
						t.Fatal(err)
					}
					t.Cleanup(func() { conn.Close() })
					return conn
				}
				dead := connectortest.DeadAddr(t)
				wantFault(t, open(dead).Check(t.Context()), fault.Unavailable, "daily_db", dead, "check host")

				proxy := connectortest.NewProxy(t, dead)
				proxy.Hang()
				ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
				defer cancel()
				if err := open(proxy.Addr()).Check(ctx); !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("a server that says nothing: %v; want the context's own error", err)
				}
			})
		}
	}
}

// What cannot be an address is told without the password.
func TestConnector_Open_hides_the_password(t *testing.T) {
	for driver := range dialects {
		cfg := config(driver, "a:1", "sales")
		cfg.Host, cfg.File, cfg.Password = "a b%zz", "x", secret.New("", planted+"%/?@#:é")
		conn, err := Connector.Open(t.Context(), cfg, connectors.Env{Log: slog.New(slog.DiscardHandler), Name: "daily_db"})
		if err == nil {
			defer conn.Close()
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			err = conn.Check(ctx)
		}
		if driver != "sqlite" && err == nil || err != nil && strings.Contains(err.Error()+fault.HintOf(err), "s3cr3t") {
			t.Errorf("%s: %v", driver, err)
		}
	}
}
