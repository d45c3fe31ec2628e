package mapping

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/fault"
)

// people is a rule for a list of persons, as Salesforce gives it.
func people() *Config {
	return &Config{
		Columns: []string{"day", "account", "owner", "People", "Mails"},
		Activity: &ActivityRule{At: "day", Kind: "visit", Account: "account",
			Reps: []ShareRule{{ID: "owner"}, {Each: "People", When: `item.Type == "User"`, ID: "item.Id"}},
			Participants: []ParticipantRule{
				{Each: "People", When: `item.Type == "Contact"`, Contact: "item.Id", Title: "item.Title", Role: `item.Status == "Declined" ? "declined" : "attended"`},
				{Each: "Mails", Contact: `find("contact", "email", lower(item))`, Role: "cc"},
			}},
	}
}

func person(id, kind, title, status string) map[string]any {
	return map[string]any{"Id": id, "Type": kind, "Title": title, "Status": status}
}

// TestEach: each element of a list column gives a participant or a rep; who declined is told, and leads are left out.
func TestEach(t *testing.T) {
	m, err := Compile(people(), Env{Kinds: []string{"visit"}})
	if err != nil {
		t.Fatal(err)
	}
	dir := testDirectory{{Kind: "contact", ID: "003C", Keys: map[string]string{"email": "c@customer.example"}}}
	for name, c := range map[string]struct {
		people, mails any
		reps          []engine.Share
		participants  []engine.Participant
	}{
		"no list":       {nil, nil, []engine.Share{{ID: "005A"}}, nil},
		"an empty list": {[]any{}, []any{}, []engine.Share{{ID: "005A"}}, nil},
		"two contacts, a colleague, a lead": {
			[]any{person("003A", "Contact", "部長", "Accepted"), person("005B", "User", "", "Accepted"), person("00QA", "Lead", "", ""), person("003B", "Contact", "課長", "Declined")}, nil,
			[]engine.Share{{ID: "005A"}, {ID: "005B"}},
			[]engine.Participant{{Contact: "003A", Title: "部長"}, {Contact: "003B", Title: "課長", Role: engine.Declined}},
		},
		"the owner is a colleague too":                  {[]any{person("005A", "User", "", "")}, nil, []engine.Share{{ID: "005A"}}, nil},
		"plain texts; the one nobody knows is left out": {nil, []any{"C@customer.example", "private@home.example"}, []engine.Share{{ID: "005A"}}, []engine.Participant{{Contact: "003C", Role: engine.Cc}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := m.Apply(record(map[string]any{"day": "2026-09-30", "account": "001", "owner": "005A", "People": c.people, "Mails": c.mails}), dir)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.reps, got.Activity.Reps) + cmp.Diff(c.participants, got.Activity.People); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestEach_rejects: what is no list, and elements that lack what the rule reads, are rejects of the one record.
func TestEach_rejects(t *testing.T) {
	m, err := Compile(people(), Env{Kinds: []string{"visit"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		people       any
		code, reason string
	}{
		"a text":         {"003A;003B", "value", `activity.reps[1].each: the column "People" holds no list`},
		"texts":          {[]any{"003A"}, "value", `activity.reps[1].when: item.Type needs an element with fields, and it is the text "003A"`},
		"broken text":    {[]any{person("003A", "Contact", "\xff", "")}, "encoding", `an element of the column "People" is not UTF-8`},
		"a wrong status": {[]any{map[string]any{"Type": "Contact", "Id": []any{}}}, "value", `activity.participants[0].contact: needs a text or a number, and the value is a list or an object`},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := m.Apply(record(map[string]any{"day": "2026-09-30", "account": "001", "owner": nil, "People": c.people, "Mails": nil}), testDirectory{})
			var reject *RejectError
			if !errors.As(err, &reject) || reject.Code != c.code || !strings.HasPrefix(reject.Reason, c.reason) {
				t.Errorf("got %v, want %s", err, c.reason)
			}
		})
	}
	// The element of the last record is not seen by the next one.
	if _, err := m.Apply(connectors.Record{Key: "1", Deleted: true}, nil); err != nil {
		t.Error(err)
	}
}

// TestCompile_each: the word item needs a list, whose fields are known from the tests.
func TestCompile_each(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		want   fault.Problems
	}{
		"no list beside it": {func(c *Config) { c.Activity.Participants[0].Each = "" },
			fault.Problems{
				{Path: "activity.participants[0].when", Msg: "item is the element of a list column; name the column beside it, as in each: Participants"},
				{Path: "activity.participants[0].contact", Msg: "item is the element of a list column; name the column beside it, as in each: Participants"},
				{Path: "activity.participants[0].title", Msg: "item is the element of a list column; name the column beside it, as in each: Participants"},
				{Path: "activity.participants[0].role", Msg: "item is the element of a list column; name the column beside it, as in each: Participants"},
			}},
		"an unknown column": {func(c *Config) { c.Activity.Reps[1].Each = "Peple" },
			fault.Problems{{Path: "activity.reps[1].each", Msg: `unknown column "Peple"; did you mean "People"?`}}},
		"an unknown field": {func(c *Config) {
			c.Tests = []Test{{Name: "x", Skip: "x", Record: map[string]any{"People": []any{person("", "", "", "")}}}}
			c.Activity.Participants[0].Title = "item.Titel"
		}, fault.Problems{{Path: "activity.participants[0].title", Msg: `unknown field "Titel" of item; did you mean "Title"?`}}},
		"no id": {func(c *Config) { c.Activity.Reps[1].ID = "" },
			fault.Problems{{Path: "activity.reps[1]", Msg: "activity.reps[1].id is required"}}},
		"a wrong role": {func(c *Config) {
			c.Activity.Participants[0].Role = `item.Status == "Declined" ? "refused" : "attended"`
		},
			fault.Problems{{Path: "activity.participants[0].role", Offset: 28, Msg: `unknown role "refused"; known are attended, sender, to, cc, declined`}}},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := people()
			c.change(cfg)
			_, err := Compile(cfg, Env{Kinds: []string{"visit"}})
			var got fault.Problems
			if !errors.As(err, &got) || cmp.Diff(c.want, got) != "" {
				t.Errorf("got %#v", got)
			}
		})
	}
}

// TestFields: what is kept of a rejected record has nobody's address that the mapping does not read.
func TestFields(t *testing.T) {
	m, err := Compile(people(), Env{Kinds: []string{"visit"}})
	if err != nil {
		t.Fatal(err)
	}
	private := person("003A", "Contact", "部長", "")
	private["Email"] = "private@home.example"
	got := m.Fields(record(map[string]any{"day": nil, "account": "001", "owner": nil, "People": []any{private}, "Mails": []any{"a@customer.example"}}))
	want := map[string]any{"day": nil, "account": "001", "owner": nil, "People": []any{person("003A", "Contact", "部長", "")}, "Mails": []any{"a@customer.example"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if private["Email"] == nil {
		t.Error("the record itself was changed")
	}
}
