package mapping

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"energyd/connectors"
	"energyd/engine"
)

func matchingMapping(t *testing.T) *Mapping {
	t.Helper()
	m, err := Compile(&Config{Columns: []string{"day", "customer", "mail", "tel", "no", "person"}, Activity: &ActivityRule{
		At: "date(day)", Kind: `"visit"`,
		Account:      `match("account", "name", customer, "domain", mail, "phone", tel, "number", no)`,
		Participants: []ParticipantRule{{Contact: `match("contact", "name", person)`, Title: `"部長"`}},
	}}, Env{File: "m.yaml", Source: "reports"})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var matched = testDirectory{
	{Kind: "account", ID: "a1", Name: "株式会社青葉製作所", Keys: map[string]string{"domain": "aoba.example", "phone": "03-3234-5678"}},
	{Kind: "account", ID: "a2", Name: "青葉製作所株式会社"},
	{Kind: "account", ID: "a3", Name: "若松商店株式会社", Keys: map[string]string{"number": "7000012050002"}},
	{Kind: "contact", ID: "p1", Name: "山田 太郎", Account: "a1", Keys: map[string]string{"email": "taro@aoba.example"}},
	{Kind: "contact", ID: "p2", Name: "山田 花子", Account: "a1"},
	{Kind: "contact", ID: "p3", Name: "山田 太郎", Account: "a2"},
}

func TestMatch_LinksProposesOrKnowsNobody(t *testing.T) {
	m := matchingMapping(t)
	if !m.Matches(engine.Account) || !m.Matches(engine.Contact) || !m.Finds() {
		t.Error("the mapping does not tell that it matches")
	}
	for _, c := range []struct {
		name                   string
		customer, mail, person string
		tel, no                any
		account, contact       string
		code                   string
		asked                  []string
		unfound                string
	}{
		{name: "by name", customer: "㈱青葉製作所", person: "山田太郎様", account: "a1", contact: "p1"},
		{name: "by name and domain", customer: "青葉製作所", mail: "x@mail.aoba.example", account: "a1"},
		{name: "by name and phone", customer: "青葉製作所 大阪支店", tel: "（03）3234-5678", account: "a1"},
		{name: "by corporate number alone, as a number", no: int64(7000012050002), account: "a3"},
		{name: "what may be two is put before a person", customer: "青葉製作所", code: "match", asked: []string{"青葉製作所"}},
		{name: "whom nobody knows is as always", customer: "株式会社ソラリス", code: "account"},
		{name: "nothing is said", code: "account"},
		{name: "a contact that may be two is left out and asked", customer: "㈱青葉製作所", person: "山田部長", account: "a1", asked: []string{"a1/山田"}, unfound: "contact of a1"},
		{name: "a namesake elsewhere is nobody", customer: "㈱青葉製作所", person: "佐藤 一郎", account: "a1", unfound: "contact of a1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := connectors.Record{Key: "1", Columns: connectors.NewColumns([]string{"day", "customer", "mail", "tel", "no", "person"}),
				Values: []any{"2026-09-30", c.customer, c.mail, c.tel, c.no, c.person}}
			got, err := m.Apply(r, matched)
			var asked []string
			for _, a := range got.Asked {
				asked = append(asked, a.Key)
			}
			if !slices.Equal(asked, c.asked) {
				t.Errorf("asked %q, want %q", asked, c.asked)
			}
			if c.code != "" {
				var reject *RejectError
				if !errors.As(err, &reject) || reject.Code != c.code {
					t.Fatalf("%v, want the reject %q", err, c.code)
				}
				if waits := c.customer != ""; reject.Waits != waits {
					t.Errorf("waits: %v, want %v", reject.Waits, waits)
				}
				if c.code == "match" && (!strings.Contains(reject.Reason, "a1 (") || !strings.Contains(reject.Reason, "a2 (")) {
					t.Errorf("the reason names not both: %s", reject.Reason)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.Activity.Account != c.account || got.Activity.People[0].Contact != c.contact || got.Unfound != c.unfound {
				t.Errorf("%+v, unfound %q", got.Activity, got.Unfound)
			}
		})
	}
}

func TestMatch_MistakesAreTold(t *testing.T) {
	for text, want := range map[string]string{
		`match("acount", "name", a)`:               `did you mean "account"`,
		`match("deal", "name", a)`:                 `unknown entity "deal"`,
		`match("account", "nam", a)`:               `did you mean "name"`,
		`match("account", "reading", a)`:           `unknown word for match "reading"`,
		`match("account", "name", a, "phone")`:     "each word needs a value",
		`match("account", "name", a, "name", b)`:   "twice",
		`match("contact", "name", a, "number", b)`: `unknown word for match "number"`,
		`match("account")`:                         "match takes 3 to 9 values",
	} {
		_, err := Compile(&Config{Columns: []string{"a", "b"}, Activity: &ActivityRule{At: "date(a)", Kind: `"visit"`, Account: text}}, Env{File: "m.yaml"})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}
