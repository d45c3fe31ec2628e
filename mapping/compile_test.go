package mapping

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/fault"
)

func TestCompile_lookupMeanings(t *testing.T) {
	cfg := &Config{
		Lookups: map[string]map[string]string{"kinds": {"訪問": "vist", "電話": "phone", "来社": "visit"}},
		Activity: &ActivityRule{At: "day", Account: "account",
			Kind: `lookup("kinds", activity, "mial")`, Direction: `memo contains "受" ? "in" : "outbound"`},
		Tests: []Test{{Name: "columns", Record: map[string]any{"day": nil, "account": nil, "activity": nil, "memo": nil}, Skip: "x"}},
	}
	_, err := Compile(cfg, Env{Kinds: []string{"visit", "phone", "mail"}})
	want := fault.Problems{
		{Path: "activity.kind", Offset: 26, Msg: `unknown kind "mial"; did you mean "mail"?`},
		{Path: "activity.direction", Offset: 22, Msg: `unknown direction "in"; known are mutual, inbound, outbound`},
	}
	var got fault.Problems
	if !errors.As(err, &got) || cmp.Diff(want, got) != "" {
		t.Errorf("got %#v", got)
	}
	cfg.Activity.Kind, cfg.Activity.Direction = `lookup("kinds", activity)`, ""
	_, err = Compile(cfg, Env{Kinds: []string{"visit", "phone", "mail"}})
	want = fault.Problems{{Path: "lookups.kinds.訪問", Msg: `unknown kind "vist"; did you mean "visit"?`}}
	if !errors.As(err, &got) || cmp.Diff(want, got) != "" {
		t.Errorf("got %#v", got)
	}
}

// TestRunTests: a test that can only pass tests nothing.
func TestRunTests(t *testing.T) {
	record := map[string]any{"day": "2026-09-30", "account": "A1", "kind": "visit", "who": "C1", "draft": false}
	cfg := &Config{
		Timezone: "Asia/Tokyo",
		Skip:     []SkipRule{{When: "draft", Reason: "draft"}},
		Activity: &ActivityRule{Line: 4, At: "day", Kind: "kind", Account: "account", Participants: []ParticipantRule{{Contact: "who", Role: "cc"}}},
		Tests: []Test{
			{Name: "right", Record: record, Expect: map[string]any{"kind": "visit", "date": "2026-09-30", "participants": []any{map[string]any{"role": "cc"}}}},
			{Name: "wrong", Record: record, Expect: map[string]any{"kind": "phone", "participants": []any{map[string]any{"role": "to"}}, "deals": []any{"D1"}}},
			{Name: "no skip", Record: record, Skip: "draft"},
			{Name: "no reject", Record: record, Reject: "kind"},
			{Name: "a reject", Record: map[string]any{"draft": nil}, Expect: map[string]any{"kind": "visit"}},
		},
	}
	m, err := Compile(cfg, Env{File: "m.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"",
		"deals: expected [D1], got []\nkind: expected phone, got visit\nparticipants[0].role: expected to, got cc",
		`expected the skip "draft", got a result`,
		`expected the reject "kind", got a result`,
		`expected a result, got the reject "kind" (activity.kind gives nothing for this record; add a lookup line or a skip rule for such records to the mapping; the next pull reads the source again)`,
	}
	for i, r := range m.RunTests() {
		got := ""
		if r.Err != nil {
			got = r.Err.Error()
		}
		if got != want[i] {
			t.Errorf("%s: got %q, want %q", r.Name, got, want[i])
		}
	}
}

func TestFind(t *testing.T) {
	cfg := &Config{Activity: &ActivityRule{At: `date(day)`, Kind: "visit", Account: `find("account", "code", code)`,
		Deals: []ShareRule{{ID: `find("deal", "code", code)`}}, Reps: []ShareRule{{ID: "rep"}, {ID: "rep"}}}}
	m, err := Compile(cfg, Env{Kinds: []string{"visit"}})
	if err != nil {
		t.Fatal(err)
	}
	m.tests = []Test{
		{Name: "codes may be numbers", Record: map[string]any{"day": "2026-09-30", "code": int64(4711), "rep": 12.0},
			Directory: []Entry{{Kind: "account", ID: "001", Keys: map[string]string{"code": "4711"}}},
			Expect:    map[string]any{"account": "001", "deals": []any{}, "reps": []any{"12"}}},
	}
	for _, r := range m.RunTests() {
		if r.Err != nil {
			t.Error(r.Err)
		}
	}
	if id, ok := (testDirectory{{Kind: "rep", ID: "005", Keys: map[string]string{"code": "R1"}}}).Find(engine.Rep, "code", "R1"); !ok || id != "005" {
		t.Errorf("got %q, %v", id, ok)
	}
}

func record(values map[string]any) connectors.Record {
	r := connectors.Record{Key: "1"}
	var names []string
	for name, v := range values {
		names = append(names, name)
		r.Values = append(r.Values, v)
	}
	r.Columns = connectors.NewColumns(names)
	return r
}

func TestCompile_unknownRankInTest(t *testing.T) {
	cfg := &Config{
		Activity: &ActivityRule{At: "day", Kind: "kind", Account: "account"},
		Tests: []Test{{Name: "x", Record: map[string]any{"day": nil, "kind": nil, "account": nil},
			Expect: map[string]any{"participants": []any{map[string]any{"rank": "stuff"}}}}},
	}
	_, err := Compile(cfg, Env{Ranks: []string{"staff", "chief"}})
	want := fault.Problems{{Path: "tests[0].expect.participants[0].rank", Msg: `unknown rank "stuff"; did you mean "staff"?`}}
	var got fault.Problems
	if !errors.As(err, &got) || cmp.Diff(want, got) != "" {
		t.Errorf("got %#v", got)
	}
}

// TestCompile_words: what is written where a word of a fixed list belongs is
// told as such, and a column that nobody named says where columns are known from.
func TestCompile_words(t *testing.T) {
	keys := map[engine.EntityKind][]string{engine.Account: {"code", "tax"}}
	for name, c := range map[string]struct {
		change func(*Config)
		want   fault.Problem
	}{
		"a Japanese word": {func(c *Config) { c.Activity.Participants[0].Role = "出席" },
			fault.Problem{Path: "activity.participants[0].role", Msg: `unknown role "出席"; known are attended, sender, to, cc, declined`}},
		"a word misspelt": {func(c *Config) { c.Activity.Participants[0].Role = "atended" },
			fault.Problem{Path: "activity.participants[0].role", Msg: `unknown role "atended"; did you mean "attended"?`}},
		"a word of another list": {func(c *Config) { c.Activity.Status = "outbound" },
			fault.Problem{Path: "activity.status", Msg: `unknown status "outbound"; known are held, planned, cancelled`}},
		"a kind that the table lacks": {func(c *Config) { c.Activity.Kind = "meal" },
			fault.Problem{Path: "activity.kind", Msg: `unknown kind "meal"; known are visit, mail`}},
		"a column misspelt": {func(c *Config) { c.Activity.Direction = "direction_wort" },
			fault.Problem{Path: "activity.direction", Msg: `unknown column "direction_wort"; did you mean "direction_word"?`}},
		"a column that is only in the source": {func(c *Config) { c.Columns = nil; c.Activity.At = "report_date" },
			fault.Problem{Path: "activity.at", Msg: `unknown column "report_date"; the file has no list columns:, so only those in its tests' records are known`}},
		"a key that no mapping gives": {func(c *Config) { c.Activity.Account = `find("account", "kode", account)` },
			fault.Problem{Path: "activity.account", Offset: 16, Msg: `no mapping gives accounts a key "kode"; known are code, tax, id`}},
		"keys that no mapping gives": {func(c *Config) { c.Activity.Deals = []ShareRule{{ID: `find("deal", "code", account)`}} },
			fault.Problem{Path: "activity.deals[0]", Offset: 13, Msg: `no mapping gives deals a key "code", and none gives them any; add it under profile.keys of the mapping that reads them, or find them by "id"`}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := &Config{
				Columns: []string{"day", "kind", "account", "who", "direction_word"},
				Activity: &ActivityRule{At: "day", Kind: "visit", Account: `find("account", "code", account) ?? find("account", "id", account)`,
					Participants: []ParticipantRule{{Contact: "who"}}},
				Tests: []Test{{Name: "x", Skip: "x", Record: map[string]any{"day": nil, "kind": nil, "account": nil, "who": nil, "direction_word": nil}}},
			}
			c.change(cfg)
			_, err := Compile(cfg, Env{Kinds: []string{"visit", "mail"}, Keys: keys})
			var got fault.Problems
			if !errors.As(err, &got) || cmp.Diff(fault.Problems{c.want}, got) != "" {
				t.Errorf("got %#v", got)
			}
		})
	}
}
