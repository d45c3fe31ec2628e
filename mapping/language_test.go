package mapping_test

import (
	"strings"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/internal/fault"
	"energyd/mapping"
)

// compiled compiles a mapping of one field, the id, over the columns.
func compiledID(t *testing.T, id string, cfg mapping.Config) (*mapping.Mapping, error) {
	t.Helper()
	cfg.Activity = &mapping.ActivityRule{ID: id, At: `date("2026-10-01")`, Kind: `"visit"`, Account: `"001"`}
	return mapping.Compile(&cfg, mapping.Env{File: "m.yaml"})
}

func TestExtract(t *testing.T) {
	for _, c := range []struct{ pattern, text, want string }{
		{`注文番号[:：]\\s*(\\d+)`, "本日 注文番号： 4711 の件", "4711"},
		{`\\d{3}-\\d{4}`, "〒150-0001 東京都", "150-0001"},
		{`(?:Re|Fw): (.*)`, "Re: お見積り", "お見積り"},
		{`(?i)po-(\\w+)`, "see PO-A12", "A12"},
	} {
		m, err := compiledID(t, `extract(memo, "`+c.pattern+`")`, mapping.Config{Columns: []string{"memo"}})
		if err != nil {
			t.Fatal(err)
		}
		r, err := m.Apply(record(map[string]any{"memo": c.text}), nil)
		if err != nil || r.Activity.ID != c.want {
			t.Errorf("%s in %q: %+v, %v; want %q", c.pattern, c.text, r.Activity, err, c.want)
		}
	}
}

func TestExtract_nothing(t *testing.T) {
	m, err := compiledID(t, `extract(memo, "PO-(\\d*)") ?? "none"`, mapping.Config{Columns: []string{"memo"}})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []any{nil, "", "no order", "PO-", strings.Repeat("あ", 30_000) + "PO-1"} {
		if r, err := m.Apply(record(map[string]any{"memo": text}), nil); err != nil || r.Activity.ID != "none" {
			t.Errorf("%.20v: %+v, %v", text, r.Activity, err)
		}
	}
}

// TestLanguage_findings: what is wrong in the new words is found at its place.
func TestLanguage_findings(t *testing.T) {
	for _, c := range []struct {
		id       string
		snippets map[string]string
		path     string
		offset   int
		msg      string
	}{
		{`extract(memo, "(")`, nil, "activity.id", 14, "missing closing )"},
		{`extract(memo, "(a)(b)")`, nil, "activity.id", 14, "several groups"},
		{`extract(memo, memo)`, nil, "activity.id", 14, "the pattern is a constant"},
		{`extrakt(memo, "a")`, nil, "activity.id", 0, `did you mean "extract"?`},
		{`text(datetime(memo, null, "Asia/Tokio"))`, nil, "activity.id", 26, `"Asia/Tokio" is not a time zone`},
		{`text(datetime(memo, null, "Local"))`, nil, "activity.id", 26, `"Local" is not a time zone`},
		{`code`, map[string]string{"code": `extract(mem, "a")`}, "snippets.code", 8, `unknown column "mem"; did you mean "memo"?`},
		{`memo`, map[string]string{"unused": `mem`}, "snippets.unused", 0, `did you mean "memo"?`},
		{`cod`, map[string]string{"code": `memo`}, "activity.id", 0, `unknown column "cod"; did you mean "code"?`},
		{`memo`, map[string]string{"memo": `"x"`}, "snippets.memo", 0, `a column has the name "memo"`},
		{`memo`, map[string]string{"date": `"x"`}, "snippets.date", 0, `a function has the name "date"`},
		{`memo`, map[string]string{"a b": `"x"`}, "snippets.a b", 0, `cannot be a snippet's name`},
		{`memo`, map[string]string{"item": `"x"`}, "snippets.item", 0, `cannot be a snippet's name`},
		{`memo`, map[string]string{"empty": ` `}, "snippets.empty", 0, `is empty`},
		{`a`, map[string]string{"a": "b", "b": "a"}, "snippets.a", 0, `the snippet "b" uses itself`},
	} {
		t.Run(c.id+" "+c.path, func(t *testing.T) {
			_, err := compiledID(t, c.id, mapping.Config{Columns: []string{"memo"}, Snippets: c.snippets})
			ps, _ := err.(fault.Problems) // Compile's contract
			if len(ps) == 0 {
				t.Fatalf("%v, want problems", err)
			}
			if p := ps[0]; p.Path != c.path || p.Offset != c.offset || !strings.Contains(p.Msg, c.msg) {
				t.Errorf("%+v", ps)
			}
			if c.snippets["code"] != "" && strings.Contains(c.msg, "mem") && len(ps) != 1 {
				t.Errorf("told %d times: %v", len(ps), ps)
			}
		})
	}
}

// TestSnippets_areThemselves: a snippet gives what its text would, and a change of it is a change of the mapping.
func TestSnippets_areThemselves(t *testing.T) {
	m, err := compiledID(t, `code ?? "none"`, mapping.Config{Columns: []string{"memo"}, Snippets: map[string]string{"code": `extract(memo, "\\d+")`}})
	if err != nil {
		t.Fatal(err)
	}
	if r, err := m.Apply(record(map[string]any{"memo": "no. 12"}), nil); err != nil || r.Activity.ID != "12" {
		t.Errorf("%+v, %v", r.Activity, err)
	}
	if got := m.Columns(); len(got) != 1 || got[0] != "memo" {
		t.Errorf("reads %q", got)
	}
	other, err := compiledID(t, `code ?? "none"`, mapping.Config{Columns: []string{"memo"}, Snippets: map[string]string{"code": `extract(memo, "\\d{2}")`}})
	if err != nil {
		t.Fatal(err)
	}
	if m.Fingerprint() == other.Fingerprint() {
		t.Error("another snippet, the same fingerprint")
	}
	unused, err := compiledID(t, `"x"`, mapping.Config{Columns: []string{"memo", "other"}, Snippets: map[string]string{"later": `find("account", "code", other)`}})
	if err != nil {
		t.Fatal(err)
	}
	if len(unused.Columns()) != 0 || unused.Finds() {
		t.Errorf("a snippet that nothing uses is read: %q", unused.Columns())
	}
}

// TestDatetime_zone: a zone of the record's own, beside that of the file.
func TestDatetime_zone(t *testing.T) {
	cfg := mapping.Config{Timezone: "Asia/Tokyo", Columns: []string{"day", "clock", "zone"}}
	cfg.Activity = &mapping.ActivityRule{At: `datetime(day, clock, zone)`, Kind: `"visit"`, Account: `"001"`}
	m, err := mapping.Compile(&cfg, mapping.Env{File: "m.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		day, clock, zone any
		want             string
	}{
		{"2026-07-01", "09:30", "America/New_York", "2026-07-01T13:30:00Z"},
		{"2026-12-01", "09:30", "America/New_York", "2026-12-01T14:30:00Z"},
		{"2026-07-01", "09:30", nil, "2026-07-01T00:30:00Z"},
		{"2026-07-01", "09:30", " ", "2026-07-01T00:30:00Z"},
		{"2026-07-01 09:30", nil, "Europe/Berlin", "2026-07-01T07:30:00Z"},
		{"2026-07-01T09:30:00Z", nil, "Europe/Berlin", "2026-07-01T09:30:00Z"},
	} {
		r, err := m.Apply(record(map[string]any{"day": c.day, "clock": c.clock, "zone": c.zone}), nil)
		if err != nil || r.Activity.At.Format(time.RFC3339) != c.want {
			t.Errorf("%v: %+v, %v", c, r.Activity, err)
		}
	}
	if _, err := m.Apply(record(map[string]any{"day": "2026-07-01", "clock": "9:30", "zone": "JST?"}), nil); err == nil || !strings.Contains(err.Error(), `"JST?" is not a time zone`) {
		t.Errorf("an unknown zone gives %v", err)
	}
}

func record(values map[string]any) connectors.Record {
	var names []string
	for name := range values {
		names = append(names, name)
	}
	r := connectors.Record{Key: "k", ChangedAt: time.Unix(1, 0), Columns: connectors.NewColumns(names)}
	for _, name := range names {
		r.Values = append(r.Values, values[name])
	}
	return r
}
