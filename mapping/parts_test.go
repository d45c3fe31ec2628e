package mapping_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/fault"
	"energyd/mapping"
	"energyd/mapping/matching"
)

// visits is a mapping of records that hold a list of visits.
func visits(change func(*mapping.Config)) *mapping.Config {
	cfg := &mapping.Config{
		Columns: []string{"day", "Visits", "hidden"},
		Skip:    []mapping.SkipRule{{When: `hidden == "yes"`, Reason: "hidden"}},
		Activity: &mapping.ActivityRule{Each: "Visits", At: "day", Kind: "item.kind", Account: `find("account", "code", item.customer)`,
			Participants: []mapping.ParticipantRule{{Each: "item.people", Title: "item.title"}}},
	}
	if change != nil {
		change(cfg)
	}
	return cfg
}

type codes []string

func (c codes) Find(_ engine.EntityKind, _, value string) (string, bool) {
	return "id-" + value, slices.Contains(c, value)
}
func (codes) Contact(string) (account, title string)       { return "", "" }
func (codes) MatchAccount(matching.Account) matching.Match { return matching.Match{} }
func (codes) MatchContact(matching.Person) matching.Match  { return matching.Match{} }

func visit(kind, customer string, titles ...string) map[string]any {
	v := map[string]any{"kind": kind, "customer": customer}
	var people []any
	for _, t := range titles {
		people = append(people, map[string]any{"title": t})
	}
	if people != nil {
		v["people"] = people
	}
	return v
}

var visitColumns = connectors.NewColumns([]string{"day", "Visits", "hidden"})

func visitRecord(hidden any, list any) connectors.Record {
	return connectors.Record{Key: "r1", ChangedAt: time.UnixMicro(7), Columns: visitColumns, Values: []any{"2026-10-01", list, hidden}}
}

func compiledVisits(t *testing.T, change func(*mapping.Config)) *mapping.Mapping {
	t.Helper()
	m, err := mapping.Compile(visits(change), mapping.Env{File: "m.yaml", Source: "s"})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// tellParts writes what a record became on one line.
func tellParts(r mapping.Result, err error) string {
	var b strings.Builder
	if r.Parts == nil {
		b.WriteString("no parts")
	} else {
		for _, a := range r.Parts.Activities {
			fmt.Fprintf(&b, "%s %s %s %d; ", a.ID, a.Kind, a.Account, len(a.People))
		}
		fmt.Fprintf(&b, "version %d", r.Parts.Version)
		if r.Parts.Standing != nil || r.Parts.AllStand {
			fmt.Fprintf(&b, " standing %q %v", r.Parts.Standing, r.Parts.AllStand)
		}
	}
	if r.Skip != "" {
		b.WriteString(" skip " + r.Skip)
	}
	var reject *mapping.RejectError
	if errors.As(err, &reject) {
		fmt.Fprintf(&b, " reject %s waits %v", reject.Code, reject.Waits)
	}
	return b.String()
}

func TestParts(t *testing.T) {
	own := func(cfg *mapping.Config) { cfg.Activity.ID = `item.kind + "-" + item.customer` }
	some := func(cfg *mapping.Config) { cfg.Activity.When = `item.kind != "call"` }
	for _, c := range []struct {
		name   string
		change func(*mapping.Config)
		hidden any
		list   any
		want   string
	}{
		{"each element", nil, nil, []any{visit("a", "K1", "部長", "課長"), visit("b", "K2")}, "r1/1 a id-K1 2; r1/2 b id-K2 0; version 7"},
		{"numbers are places in the list", some, nil, []any{visit("call", "K1"), visit("b", "K2")}, "r1/2 b id-K2 0; version 7"},
		{"an id of the record's", func(cfg *mapping.Config) { cfg.Activity.ID = "day" }, nil, []any{visit("a", "K1")}, "2026-10-01/1 a id-K1 0; version 7"},
		{"an id of the element's", own, nil, []any{visit("a", "K1"), visit("b", "K1")}, "a-K1 a id-K1 0; b-K1 b id-K1 0; version 7"},
		{"one id twice", own, nil, []any{visit("a", "K1"), visit("a", "K1")}, "a-K1 a id-K1 0; version 7 reject no_key waits false"},
		{"an element without an id", own, nil, []any{visit("a", ""), visit("b", "K1")}, "b-K1 b id-K1 0; version 7 standing [\"a-\"] false reject account waits false"},
		{"an id that is null", func(cfg *mapping.Config) { cfg.Activity.ID = "item.customer" }, nil, []any{map[string]any{"kind": "a"}}, "version 7 standing [] true reject no_key waits false"},
		{"one that waits", nil, nil, []any{visit("a", "K1"), visit("b", "K9")}, "r1/1 a id-K1 0; version 7 standing [\"r1/2\"] false reject account waits true"},
		{"one that is wrong, one that waits", nil, nil, []any{visit("", "K1"), visit("b", "K9")}, "version 7 standing [\"r1/1\" \"r1/2\"] false reject kind waits true"},
		{"no element", nil, nil, []any{}, "version 7 skip no contacts"},
		{"null", nil, nil, nil, "version 7 skip no contacts"},
		{"none that counts", some, nil, []any{visit("call", "K1")}, "version 7 skip no contacts"},
		{"left out by a rule", nil, "yes", []any{visit("a", "K1")}, "version 7 skip hidden"},
		{"no list", nil, nil, "text", "no parts reject value waits false"},
		{"broken text", nil, nil, []any{visit("\xff", "K1")}, "no parts reject encoding waits false"},
		{"broken text within", nil, nil, []any{visit("a", "K1", "\xff")}, "no parts reject encoding waits false"},
		{"more than anybody tells of", nil, nil, make([]any, 1001), "no parts reject value waits false"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := tellParts(compiledVisits(t, c.change).Apply(visitRecord(c.hidden, c.list), codes{"K1", "K2"}))
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

func TestParts_deleted(t *testing.T) {
	for name, id := range map[string]string{"by key": "", "by an id of the element's": "item.customer"} {
		m := compiledVisits(t, func(cfg *mapping.Config) { cfg.Activity.ID = id })
		r := connectors.Record{Key: "r1", ChangedAt: time.UnixMicro(9), Deleted: true, Columns: connectors.NewColumns(nil)}
		if got := tellParts(m.Apply(r, codes{})); got != "version 9" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestParts_oneAfterAnother: what a record finds wrong is not the next one's.
func TestParts_oneAfterAnother(t *testing.T) {
	m := compiledVisits(t, nil)
	if got := tellParts(m.Apply(visitRecord(nil, []any{visit("a", "K9")}), codes{"K1"})); !strings.Contains(got, "waits true") {
		t.Error(got)
	}
	r, err := m.Apply(visitRecord(nil, []any{visit("a", "K1")}), codes{"K1"})
	if err != nil || r.Unfound != "" {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestParts_findings(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*mapping.Config)
		path   string
		msg    string
	}{
		{"an unknown column", func(c *mapping.Config) { c.Activity.Each = "Visit" }, "activity.each", `unknown column "Visit"; did you mean "Visits"?`},
		{"an unknown list", func(c *mapping.Config) { c.Activity.Each = "contact_in(day)" }, "activity.each", `did you mean "contacts_in"?`},
		{"when without each", func(c *mapping.Config) {
			*c.Activity = mapping.ActivityRule{When: "day != null", At: "day", Kind: "day", Account: "day"}
		}, "activity.when", "there is no each"},
		{"item in the version", func(c *mapping.Config) { c.Activity.Version = "item.day" }, "activity.version", "item is the element of a list"},
		{"an unknown field of a text's contact", func(c *mapping.Config) {
			c.Activity.Each, c.Activity.Participants, c.Activity.Account = "contacts_in(hidden)", nil, "item.compny"
		}, "activity.account", `unknown field "compny" of item; did you mean "company"?`},
		{"an unknown list of a text's contact", func(c *mapping.Config) {
			c.Activity.Each, c.Activity.Account, c.Activity.Participants[0].Each = "contacts_in(hidden)", "item.company", "item.peple"
		}, "activity.participants[0].each", `unknown field "peple" of item; did you mean "people"?`},
		{"an unknown field of a text's people", func(c *mapping.Config) {
			c.Activity.Each, c.Activity.Account, c.Activity.Participants[0].Title = "contacts_in(hidden)", "item.company", "item.titel"
		}, "activity.participants[0].title", `unknown field "titel" of item; did you mean "title"?`},
		{"a test that expects one", func(c *mapping.Config) {
			c.Tests = []mapping.Test{{Name: "t", Expect: map[string]any{"kind": "a"}}}
		}, "tests[0].expect", "expect a list"},
		{"a test that expects an unknown field", func(c *mapping.Config) {
			c.Tests = []mapping.Test{{Name: "t", Expect: []any{map[string]any{"knd": "a"}}}}
		}, "tests[0].expect[0].knd", `did you mean "kind"?`},
		{"a test that expects texts", func(c *mapping.Config) {
			c.Tests = []mapping.Test{{Name: "t", Expect: []any{"a"}}}
		}, "tests[0].expect[0]", "needs the fields of an activity"},
		{"a skip and an expectation", func(c *mapping.Config) {
			c.Tests = []mapping.Test{{Name: "t", Skip: "x", Expect: []any{}}}
		}, "tests[0]", "exactly one of expect, skip and reject"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := mapping.Compile(visits(c.change), mapping.Env{})
			ps, _ := err.(fault.Problems) // Compile's contract
			if len(ps) == 0 || ps[0].Path != c.path || !strings.Contains(ps[0].Msg, c.msg) {
				t.Errorf("%v; want %s: %s", err, c.path, c.msg)
			}
		})
	}
}

// TestParts_ownTests: a mapping's tests see each contact, and the reject beside them.
func TestParts_ownTests(t *testing.T) {
	list := []any{visit("a", "K1", "部長"), visit("b", "K2")}
	directory := []mapping.Entry{{Kind: "account", ID: "001", Keys: map[string]string{"code": "K1"}}}
	first := map[string]any{"id": "test/1", "kind": "a", "account": "001"}
	m := compiledVisits(t, func(c *mapping.Config) {
		test := func(name string, expect any, reject string) {
			c.Tests = append(c.Tests, mapping.Test{Name: name, Record: map[string]any{"day": "2026-10-01", "Visits": list}, Directory: directory, Expect: expect, Reject: reject})
		}
		test("right", []any{first}, "account")
		test("the reject alone", nil, "account")
		test("no reject", []any{first}, "")
		test("too many", []any{first, first}, "account")
		test("another", []any{map[string]any{"kind": "b"}}, "account")
	})
	want := []string{"", "", `expected a result, got the reject "account"`, "expected 2 contacts, got 1", "[0].kind: expected b, got a"}
	for i, r := range m.RunTests() {
		if got := fmt.Sprint(r.Err); want[i] == "" && r.Err != nil || !strings.Contains(got, want[i]) && want[i] != "" {
			t.Errorf("%s: %v, want %q", r.Name, r.Err, want[i])
		}
	}
}

// Full width does not count in find; zeros in front do.
func TestFind_width(t *testing.T) {
	m, err := mapping.Compile(&mapping.Config{Columns: []string{"code"}, Activity: &mapping.ActivityRule{ID: `"1"`, At: `date("2026-10-01")`, Kind: `"visit"`,
		Account: `find("account", "code", code) ?? "none"`}}, mapping.Env{File: "m.yaml"})
	if err != nil {
		t.Fatal(err)
	}
	for value, want := range map[string]string{"0012": "id-0012", "００１２": "id-0012", "ａ１": "id-ａ１", "012": "none", "０１２": "none"} {
		r, err := m.Apply(connectors.Record{Key: "1", Columns: connectors.NewColumns([]string{"code"}), Values: []any{value}}, codes{"0012", "ａ１"})
		if err != nil || r.Activity.Account != want {
			t.Errorf("%s finds %+v, %v; want %s", value, r.Activity, err, want)
		}
	}
}
