package mapping

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/engine"
)

// TestDomain: addresses and web addresses of one organisation have one domain.
func TestDomain(t *testing.T) {
	for text, want := range map[string]string{
		"taro@yamada.co.jp":                     "yamada.co.jp",
		"Taro@Osaka.Eigyo.YAMADA.co.jp":         "yamada.co.jp",
		"https://www.yamada.co.jp/company/?a=b": "yamada.co.jp",
		"www.yamada.co.jp:8080":                 "yamada.co.jp",
		"ｗｗｗ．ｙａｍａｄａ．ｃｏ．ｊｐ":                      "yamada.co.jp",
		" yamada.com. ":                         "yamada.com",
		"http://user@www.yamada.jp#top":         "yamada.jp",
		"soumu@city.yokohama.jp":                "city.yokohama.jp",
		"https://山田.jp/":                        "xn--rhtu98c.jp",
		"co.jp":                                 "",
		"https://192.168.0.1/":                  "",
		"localhost":                             "",
		"準備中":                                   "",
		"":                                      "",
		"@":                                     "",
	} {
		if got := domain(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestFind_ofContact: a contact's account and title are found by the contact's key.
func TestFind_ofContact(t *testing.T) {
	cfg := func(account string) *Config {
		return &Config{
			Columns: []string{"day", "who", "others"},
			Skip:    []SkipRule{{When: account + ` == ""`, Reason: "unknown_person"}},
			Activity: &ActivityRule{At: "date(day)", Kind: "mail", Account: account, Participants: []ParticipantRule{
				{Contact: `find("contact", "email", who)`, Title: `find("contact", "email", who, "title")`},
				{Each: "others", When: `item != "private@home.example"`, Contact: `find("contact", "email", item)`},
			}},
		}
	}
	m, err := Compile(cfg(`find("contact", "email", who, "account")`), Env{Kinds: []string{"mail"}})
	if err != nil {
		t.Fatal(err)
	}
	dir := testDirectory{
		{Kind: "contact", ID: "003A", Keys: map[string]string{"email": "a@customer.example"}, Account: "001A", Title: "部長"},
		{Kind: "contact", ID: "003B", Keys: map[string]string{"email": "b@customer.example"}},
	}
	for who, want := range map[string]struct{ account, skip, unfound string }{
		"a@customer.example": {account: "001A"},
		"b@customer.example": {skip: "unknown_person"}, // found, of no account
		"c@customer.example": {skip: "unknown_person", unfound: "contact @customer.example"},
	} {
		res, err := m.Apply(record(map[string]any{"day": "2026-09-30", "who": who, "others": []any{"private@home.example"}}), dir)
		if err != nil {
			t.Fatal(err)
		}
		if res.Skip != want.skip || res.Unfound != want.unfound {
			t.Errorf("%s: skip %q, unfound %q; want %q, %q", who, res.Skip, res.Unfound, want.skip, want.unfound)
		}
		if want.account != "" && (res.Activity.Account != want.account || cmp.Diff([]engine.Participant{{Contact: "003A", Title: "部長"}}, res.Activity.People) != "") {
			t.Errorf("%s: %+v", who, res.Activity)
		}
	}
	for account, want := range map[string]string{
		`find("account", "code", who, "title")`:  `what can be told of a contact is its "account" and its "title"`,
		`find("contact", "email", who, "phone")`: `what can be told of a contact is its "account" and its "title"`,
		`find("contact", "email", who, who)`:     `what can be told of a contact is its "account" and its "title"`,
	} {
		if _, err := Compile(cfg(account), Env{Kinds: []string{"mail"}}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", account, err)
		}
	}
}
