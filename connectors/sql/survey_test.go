package sqltable

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/text/encoding/japanese"

	"energyd/connectors"
)

func surveyor(t *testing.T, s *server) connectors.Surveyor { return s.open(t).(connectors.Surveyor) }

// itemNamed gives the listed item of that name.
func itemNamed(t *testing.T, sv connectors.Surveyor, name string) connectors.Item {
	t.Helper()
	items, err := sv.Items(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range items {
		if i.Name == name {
			return i
		}
	}
	t.Fatalf("no item %q in %v", name, items)
	return connectors.Item{}
}

func TestSurvey_SmallTableIsReadWhole(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.exec(t, "CREATE TABLE `営業 日報` (`番号` integer PRIMARY KEY, `訪問日` date, `内容` varchar(100), `写真` <BYTES>, `更新日時` <WALL>)")
		s.exec(t, "CREATE VIEW `見る` AS SELECT `番号` FROM `営業 日報`")
		for i := range 5 {
			s.exec(t, "INSERT INTO `営業 日報` VALUES (?, '2026-09-30', '訪問', NULL, '2026-09-30 10:00:00')", i)
		}
		s.grant(t)
		sv := surveyor(t, s)
		if v := itemNamed(t, sv, "見る"); v.Kind != "view" {
			t.Errorf("the view is a %s", v.Kind)
		}
		got, err := sv.Sample(t.Context(), itemNamed(t, sv, "営業 日報"), 100)
		if err != nil {
			t.Fatal(err)
		}
		if !got.Whole || len(got.Rows) != 5 || got.Item.Rows != 5 || got.Item.Estimated {
			t.Errorf("whole %v, %d rows, item %+v", got.Whole, len(got.Rows), got.Item)
		}
		var names []string
		for _, c := range got.Columns {
			names = append(names, c.Name)
		}
		if want := []string{"番号", "訪問日", "内容", "更新日時"}; !slices.Equal(names, want) {
			t.Errorf("columns %v, want %v", names, want)
		}
		if id, at := got.Columns[0], got.Columns[3]; !id.Key || !id.Tells || !at.Tells || !at.Zoneless {
			t.Errorf("key %+v, change time %+v", id, at)
		}
		if len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "写真") {
			t.Errorf("notes %q do not tell of the bytes", got.Notes)
		}
		want := []connectors.Option{{Name: "table", Value: "営業 日報"}, {Name: "changed", Value: "更新日時"}}
		if o := sv.Stream(got.Item, connectors.Reading{Changed: "更新日時"}); fmt.Sprint(o) != fmt.Sprint(want) {
			t.Errorf("options %v", o)
		}
	})
}

func TestSurvey_LargeTableIsSampledAllOver(t *testing.T) {
	const rows, most = 40_000, 500
	for _, kind := range []struct{ name, key string }{
		{"by number", "id integer PRIMARY KEY"}, {"by text", "id varchar(20) PRIMARY KEY"}, {"without a key", "id integer"},
	} {
		t.Run(kind.name, func(t *testing.T) {
			each(t, func(t *testing.T, s *server) {
				s.exec(t, "CREATE TABLE report ("+kind.key+", memo varchar(50))")
				var values []string
				for i := range rows {
					if values = append(values, fmt.Sprintf("('%06d', '訪問 %d')", i, i%7)); len(values) == 5000 {
						s.exec(t, "INSERT INTO report VALUES "+strings.Join(values, ","))
						values = nil
					}
				}
				s.exec(t, map[string]string{"postgres": "ANALYZE report", "mysql": "ANALYZE TABLE report", "sqlite": "SELECT 1"}[s.name])
				s.grant(t)
				sv := surveyor(t, s)
				got, err := sv.Sample(t.Context(), itemNamed(t, sv, "report"), most)
				if err != nil {
					t.Fatal(err)
				}
				if got.Whole || got.How == "" || len(got.Rows) > most+most/10 || len(got.Rows) < most/2 {
					t.Fatalf("whole %v, how %q, %d rows", got.Whole, got.How, len(got.Rows))
				}
				if n := got.Item.Rows; got.Item.Estimated && (n < rows*8/10 || n > rows*12/10) {
					t.Errorf("about %d rows are told of %d", n, rows)
				}
				seen, parts := map[string]bool{}, map[int]bool{}
				for _, r := range got.Rows {
					id, err := strconv.Atoi(fmt.Sprint(r[0]))
					if err != nil {
						t.Fatal(err)
					}
					if seen[fmt.Sprint(r[0])] {
						t.Fatalf("row %v comes twice", r[0])
					}
					seen[fmt.Sprint(r[0])] = true
					parts[id*10/rows] = true
				}
				want := 9 // tenths of the table
				if kind.name != "by number" && s.name == "mysql" {
					want = map[string]int{"by text": 2, "without a key": 1}[kind.name] // as How says
				}
				if len(parts) < want {
					t.Errorf("the sample is of %d tenths of the table (%s), want %d", len(parts), got.How, want)
				}
			})
		})
	}
}

func TestSurvey_OnlyWhatMayBeRead(t *testing.T) {
	s := startPostgres(t)
	s.exec(t, "CREATE TABLE open_to_us (a integer)")
	s.grant(t)
	s.exec(t, "CREATE TABLE closed (a integer)")
	items, err := surveyor(t, s).Items(t.Context())
	if err != nil || len(items) != 1 || items[0].Name != "open_to_us" {
		t.Errorf("items %v, %v", items, err)
	}
}

// Japanese bytes that the database takes for something else are shown as what they are, and the encoding is proposed;
// western text stays western. Where other texts are in order nothing is proposed, and it is told.
func TestSurvey_encoding(t *testing.T) {
	sjis := func(text string) string { return encoded(t, japanese.ShiftJIS, text) }
	for _, tt := range []struct {
		name, driver, column string
		literals             []string
		want, first          string
	}{
		{"CP932 under latin1", "mysql", "varchar(50) CHARACTER SET latin1", []string{"_latin1 x'" + sjis("鈴木一郎") + "'", "_latin1 x'" + sjis("能登の表") + "'", "_latin1 x'" + sjis("山田、課長") + "'"}, "cp932", "鈴木一郎"},
		{"western text", "mysql", "varchar(50) CHARACTER SET latin1", []string{"'Café Müller'", "'Åse Østby'", "'José Ñandú'"}, "", "Café Müller"},
		{"text in order", "mysql", "varchar(50) CHARACTER SET utf8mb4", []string{"'鈴木'", "'高橋'", "'田中'"}, "", "鈴木"},
		{"CP932 in SQLite", "sqlite", "text", []string{"CAST(x'" + sjis("鈴木一郎") + "' AS TEXT)", "CAST(x'" + sjis("高橋花子") + "' AS TEXT)", "CAST(x'" + sjis("田中次郎") + "' AS TEXT)"}, "cp932", "鈴木一郎"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := start[tt.driver](t)
			s.exec(t, "CREATE TABLE d (id integer NOT NULL PRIMARY KEY, name "+tt.column+")")
			s.grant(t)
			for i, l := range tt.literals {
				s.exec(t, fmt.Sprintf("INSERT INTO d VALUES (%d, %s)", i, l))
			}
			sv := surveyor(t, s)
			got, err := sv.Sample(t.Context(), itemNamed(t, sv, "d"), 100)
			if err != nil || len(got.Rows) != 3 || got.Rows[0][1] != tt.first {
				t.Fatalf("got %v, %v", got.Rows, err)
			}
			proposed := ""
			for _, o := range sv.Stream(got.Item, connectors.Reading{}) {
				if o.Name == "encoding" {
					proposed = fmt.Sprint(o.Value)
				}
			}
			if proposed != tt.want {
				t.Errorf("the encoding %q is proposed, want %q", proposed, tt.want)
			}
		})
	}
}

func TestSurvey_encoding_of_some_columns(t *testing.T) {
	s := start["mysql"](t)
	s.exec(t, "CREATE TABLE d (id integer NOT NULL PRIMARY KEY, name varchar(50) CHARACTER SET latin1, clock varchar(9) CHARACTER SET utf8mb4)")
	s.grant(t)
	for i, name := range []string{"鈴木一郎", "高橋花子", "田中次郎"} {
		s.exec(t, fmt.Sprintf("INSERT INTO d VALUES (%d, _latin1 x'%s', '14時')", i, encoded(t, japanese.ShiftJIS, name)))
	}
	sv := surveyor(t, s)
	got, err := sv.Sample(t.Context(), itemNamed(t, sv, "d"), 100)
	if err != nil || len(got.Notes) != 1 || !strings.Contains(got.Notes[0], "cp932") || got.Rows[0][2] != "14時" {
		t.Errorf("got %v, %v; notes %q", got.Rows, err, got.Notes)
	}
}
