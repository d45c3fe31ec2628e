package soql

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParse(t *testing.T) {
	q, err := Parse(`select Id, Account.Name FROM Contact
WHERE (LastName = 'O\'Neil \\ \"x\"\n佐藤' and CreatedDate >= 2026-01-31T10:00:00+09:00) OR (NOT Title LIKE '%部\%_')
ORDER BY SystemModstamp DESC NULLS LAST, Id LIMIT 5 OFFSET 7`)
	if err != nil {
		t.Fatal(err)
	}
	path := func(pos int, names ...string) Path { return Path{Names: names, Pos: pos} }
	want := &Query{
		Text:    q.Text,
		Columns: []Column{{Path: path(7, "Id")}, {Path: path(11, "Account", "Name")}},
		From:    path(29, "Contact"),
		Where: Or{
			And{
				Compare{path(44, "LastName"), "=", Value{Kind: String, Text: "O'Neil \\ \"x\"\n佐藤", Pos: 55}},
				Compare{path(86, "CreatedDate"), ">=", Value{Kind: DateTime, Time: time.Date(2026, 1, 31, 1, 0, 0, 0, time.UTC), Pos: 101}},
			},
			Not{Like{path(136, "Title"), []Glyph{{'%', true}, {'部', false}, {'%', false}, {'_', true}}}},
		},
		Order: []Order{{path(167, "SystemModstamp"), true, true}, {Path: path(199, "Id")}},
		Limit: 5, Offset: 7,
	}
	if diff := cmp.Diff(want, q); diff != "" {
		t.Error(diff)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"", "unexpected token: '<EOF>' (expecting 'SELECT')"},
		{"SELEC Id FROM Contact", "unexpected token: 'SELEC'"},
		{"SELECT FROM Contact", "unexpected token: 'FROM'"},
		{"SELECT Id, FROM Contact", "unexpected token: 'FROM'"},
		{"SELECT Id Name FROM Contact", "unexpected token: 'Name'"},
		{"SELECT Id FROM", "unexpected token: '<EOF>'"},
		{"SELECT (SELECT Id, (SELECT Id FROM Tasks) FROM Contacts) FROM Account", "unexpected token: '('"},
		{"SELECT (SELECT Id FROM Contacts FROM Account", "unexpected token: 'FROM' (expecting ')')"},
		{"SELECT (Id FROM Contacts) FROM Account", "unexpected token: 'Id'"},
		{"SELECT Id FROM Contact WHERE", "unexpected token: '<EOF>'"},
		{"SELECT Id FROM Contact WHERE LastName = 'x", "mismatched character '<EOF>'"},
		{`SELECT Id FROM Contact WHERE LastName = 'x\'`, "mismatched character '<EOF>'"},
		{`SELECT Id FROM Contact WHERE LastName = 'x\q'`, `Illegal character sequence '\q'`},
		{`SELECT Id FROM Contact WHERE LastName = '50\%'`, `Illegal character sequence '\%'`},
		{"SELECT Id FROM Contact WHERE A = 1 AND B = 2 OR C = 3", "unexpected token: 'OR'"},
		{"SELECT Id FROM Contact WHERE A = 1 AND NOT B = 2", "unexpected token: 'NOT'"},
		{"SELECT Id FROM Contact WHERE (A = 1", "unexpected token: '<EOF>'"},
		{"SELECT Id FROM Contact WHERE A IN ()", "unexpected token: ')'"},
		{"SELECT Id FROM Contact WHERE A = 2026-01-31T10:00:00", "unexpected token: '2026-01-31T10:00:00'"},
		{"SELECT Id FROM Contact WHERE A = 2026-01-31T10:00:00 09:00", "unexpected token: '2026-01-31T10:00:00'"},
		{"SELECT Id FROM Contact WHERE A = 2026-02-30", "unexpected token: '2026-02-30'"},
		{"SELECT Id FROM Contact WHERE A == 1", "unexpected token: '='"},
		{"SELECT Id FROM Contact WHERE A = Infinity", "unexpected token: 'Infinity'"},
		{"SELECT Id FROM Contact LIMIT -1", "unexpected token: '-1'"},
		{"SELECT Id FROM Contact LIMIT 1 GROUP BY Id", "unexpected token: 'GROUP'"},
		{"SELECT Account. FROM Contact", "unexpected token: 'Account.'"},
		{"SELECT MAX(Id) FROM Contact", "unexpected token: '('"},
		{"SELECT Id FROM Contact WHERE " + strings.Repeat("(", 600), "too many nested"},
		{"SELECT Id FROM Contact; DROP", "unexpected token: ';'"},
		{"SELECT Id FROM Contact WHERE Name = '" + strings.Repeat("x", MaxLength) + "'", "cannot be longer than 100000"},
	} {
		_, err := Parse(tc.text)
		var e *Error
		if !errors.As(err, &e) || e.Code != Malformed || !strings.Contains(e.Msg, tc.want) {
			t.Errorf("%.60s: got %v, want %s", tc.text, err, tc.want)
		}
	}
}

func TestErrorShowsThePlace(t *testing.T) {
	q := &Query{Text: "SELECT Id, Foo__c FROM Contact"}
	want := "\nSELECT Id, Foo__c FROM Contact\n           ^\nERROR at Row:1:Column:12\nNo such column"
	if got := q.Errorf("INVALID_FIELD", 11, "No such column").Error(); got != want {
		t.Errorf("got %q\nwant %q", got, want)
	}
	q = &Query{Text: "SELECT Id\nFROM Contact WHERE 名 = 1"}
	if got := q.Errorf(Malformed, strings.Index(q.Text, "="), "x").Error(); !strings.Contains(got, "Row:2:Column:22") {
		t.Errorf("row and column count characters: %q", got)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("SELECT Id, Account.Name FROM Contact WHERE (A = 'x\\'y' AND B IN (1, null)) OR C >= 2026-01-31T10:00:00Z ORDER BY Id DESC NULLS LAST LIMIT 1 OFFSET 2")
	f.Add("SELECT FIELDS(ALL) FROM Account WHERE NOT Name LIKE '%\\%_' LIMIT 200")
	f.Add("SELECT COUNT() FROM X WHERE a = '\\u30")
	f.Fuzz(func(t *testing.T, text string) {
		q, err := Parse(text)
		var e *Error
		if err != nil && !errors.As(err, &e) {
			t.Fatalf("not an Error: %v", err)
		}
		if err != nil {
			_ = err.Error() // the excerpt must not go out of bounds either
		} else if len(q.Columns) == 0 && !q.Count {
			t.Fatal("accepted without columns")
		}
	})
}
