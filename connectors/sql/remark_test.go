package sqltable

import (
	"maps"
	"testing"

	"energyd/connectors"
)

func TestReadRemark(t *testing.T) {
	type words = map[string]string
	for _, c := range []struct {
		comment, label string
		words          words
	}{
		{"接触区分 1:訪問 2:電話 9:その他", "接触区分", words{"1": "訪問", "2": "電話", "9": "その他"}},
		{"方法（０１＝訪問、０２＝Web会議、０９＝お礼 メール）", "方法", words{"01": "訪問", "02": "Web会議", "09": "お礼 メール"}},
		{"kind: 1=visit, 2=phone call; 3 => mail", "kind", words{"1": "visit", "2": "phone call", "3": "mail"}},
		{"V:訪問/T:電話", "", words{"V": "訪問", "T": "電話"}},
		{"0-未完了 1-完了", "", words{"0": "未完了", "1": "完了"}},
		{"面談者名", "面談者名", nil},
		{"2026-10-01 から使用", "2026-10-01 から使用", nil},
		{"1:訪問 だけ", "1:訪問 だけ", nil},
		{"登録時に画面で選ばれた値をそのまま持つ。夜間処理で集計表に写す。", "", nil},
		{"", "", nil},
	} {
		label, got := readRemark(c.comment)
		if label != c.label || !maps.Equal(got, c.words) {
			t.Errorf("%q: %q, %v; want %q, %v", c.comment, label, got, c.label, c.words)
		}
	}
}

// What the database says of numbers comes with the sample: in the column's comment, or in a small table that it refers
// to. A long table, as that of all customers, is none of words.
func TestSurvey_WordsOfCodes(t *testing.T) {
	each(t, func(t *testing.T, s *server) {
		s.exec(t, "CREATE TABLE m_kind (cd integer NOT NULL PRIMARY KEY, grp varchar(9), name varchar(20))")
		s.exec(t, "INSERT INTO m_kind VALUES (1, 'A', '訪問'), (2, 'A', '電話'), (9, 'B', 'その他')")
		s.exec(t, "CREATE TABLE m_cust (cd integer NOT NULL PRIMARY KEY, name varchar(20))")
		for i := range surveyWords + 1 {
			s.exec(t, "INSERT INTO m_cust VALUES (?, 'x')", i)
		}
		comment := map[string]string{"mysql": " COMMENT '状態 0:予定 1:済'"}[s.name]
		s.exec(t, "CREATE TABLE d (id integer NOT NULL PRIMARY KEY, kind integer, state integer"+comment+", cust integer, "+
			"FOREIGN KEY (kind) REFERENCES m_kind (cd), FOREIGN KEY (cust) REFERENCES m_cust (cd))")
		if s.name == "postgres" {
			s.exec(t, "COMMENT ON COLUMN d.state IS '状態 0:予定 1:済'")
		}
		s.exec(t, "INSERT INTO d VALUES (1, 1, 0, 5), (2, 9, 1, 6)")
		s.grant(t)
		sv := surveyor(t, s)
		got, err := sv.Sample(t.Context(), itemNamed(t, sv, "d"), 100)
		if err != nil {
			t.Fatal(err)
		}
		column := map[string]connectors.SampleColumn{}
		for _, c := range got.Columns {
			column[c.Name] = c
		}
		if want := map[string]string{"1": "訪問", "2": "電話", "9": "その他"}; !maps.Equal(column["kind"].Words, want) {
			t.Errorf("kind: %v, want %v", column["kind"].Words, want)
		}
		if len(column["cust"].Words) > 0 || len(column["id"].Words) > 0 {
			t.Errorf("words of cust %v, of id %v", column["cust"].Words, column["id"].Words)
		}
		if c := column["state"]; s.name != "sqlite" && (c.Label != "状態" || !maps.Equal(c.Words, map[string]string{"0": "予定", "1": "済"})) {
			t.Errorf("state: %q, %v", c.Label, c.Words)
		}
	})
}
