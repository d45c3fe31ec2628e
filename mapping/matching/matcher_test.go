package matching

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var matcherAccounts = []Account{
	{ID: "a1", Name: "株式会社青葉製作所", Domains: []string{"aoba.example"}},
	{ID: "a2", Name: "青葉製作所株式会社"},
	{ID: "a3", Name: "若松商店株式会社"},
}

// asThey is what stays as it is, but for what went into others.
func asTheyAre(into map[string]string) func(bool, string) (string, bool) {
	return func(_ bool, id string) (string, bool) {
		if now, merged := into[id]; merged {
			return now, now != ""
		}
		return id, true
	}
}

func TestMatcher_DecisionsComeFirst(t *testing.T) {
	aoba := Account{Name: "青葉製作所"}
	withPhone := Account{Name: "青葉製作所", Phones: []string{"03-3234-5678"}}
	for _, c := range []struct {
		name      string
		decisions []Decision
		want      Account
		outcome   Outcome
		id        string
		first     string // of the proposals
	}{
		{"undecided it is proposed", nil, aoba, Proposed, "", "a1"},
		{"decided", []Decision{{"青葉製作所", "a2", false}}, aoba, Linked, "a2", ""},
		{"however it is written", []Decision{{"青葉製作所", "a2", false}}, Account{Name: " 青葉製作所 御中"}, Linked, "a2", ""},
		{"decided when names had another form", []Decision{{"青葉 製作所 御中", "a2", false}}, aoba, Linked, "a2", ""},
		{"for records that say more", []Decision{{"青葉製作所", "a2", false}}, withPhone, Linked, "a2", ""},
		{"not for records that say less", []Decision{{"青葉製作所 +81332345678", "a2", false}}, aoba, Proposed, "", "a1"},
		{"the one that says more wins", []Decision{{"青葉製作所", "a1", false}, {"青葉製作所 +81332345678", "a2", false}}, withPhone, Linked, "a2", ""},
		{"contradictions are asked again", []Decision{{"青葉製作所", "a2", false}, {"+81332345678", "a1", false}}, withPhone, Proposed, "", "a1"},
		{"one ruled out", []Decision{{"青葉製作所", "a1", true}}, aoba, Proposed, "", "a2"},
		{"all ruled out", []Decision{{"青葉製作所", "a1", true}, {"青葉製作所", "a2", true}}, aoba, Unknown, "", ""},
		{"stronger than certainty", []Decision{{"若松商店株式会社", "a1", false}}, Account{Name: "若松商店(株)"}, Linked, "a1", ""},
		{"of an account that is gone it is asked again", []Decision{{"青葉製作所", "gone", false}}, aoba, Proposed, "", "a1"},
		{"of a merged account it is followed", []Decision{{"青葉製作所", "merged", false}}, aoba, Linked, "a3", ""},
		{"a corporate number is another question", []Decision{{"青葉製作所", "a2", false}}, Account{Name: "青葉製作所", Number: "7000012050002"}, Proposed, "", "a1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := NewMatcher(matcherAccounts, nil, c.decisions, "JP", asTheyAre(map[string]string{"gone": "", "merged": "a3"}))
			for range 2 { // the second is remembered
				got := m.MatchAccount(c.want)
				first := ""
				if len(got.Proposals) > 0 {
					first = got.Proposals[0].ID
				}
				if got.Outcome != c.outcome || got.ID != c.id || first != c.first {
					t.Errorf("%+v", got)
				}
			}
		})
	}
}

func TestMatcher_DecisionsOnPeopleFollowTheirAccount(t *testing.T) {
	people := []Person{{ID: "p1", Account: "a1", Name: "山田 太郎"}, {ID: "p2", Account: "a1", Name: "山田 花子"}}
	m := NewMatcher(nil, people, []Decision{{"old/山田", "p2", false}}, "JP", asTheyAre(map[string]string{"old": "a1"}))
	if got := m.MatchContact(Person{Account: "a1", Name: "山田様"}); got.ID != "p2" {
		t.Errorf("%+v", got)
	}
	m = NewMatcher(nil, people, []Decision{{"a1/山田", "p2", true}}, "JP", asTheyAre(nil))
	if got := m.MatchContact(Person{Account: "a1", Name: "山田様"}); got.Outcome != Proposed || len(got.Proposals) != 1 || got.Proposals[0].ID != "p1" {
		t.Errorf("%+v", got)
	}
}

// What is one name to Compare is one key, and a key reads back as itself.
func TestKeys_AreTheSameHoweverNamesAreWritten(t *testing.T) {
	for _, p := range pairs(t, "testdata/company_pairs.csv") {
		var keys [2]string
		for i, name := range p[:2] {
			keys[i] = AccountKey(Account{Name: name, Domains: []string{"cust.example"}, Phones: []string{"03-3234-5678"}}, "JP")
			if again := ParseKey(keys[i], "JP"); again != keys[i] || IsPersonKey(keys[i]) {
				t.Errorf("%q gives the key %q, which is read as %q", name, keys[i], again)
			}
		}
		if x, y := ParseCompany(p[0]), ParseCompany(p[1]); keys[0] == keys[1] && Compare(x, y).Verdict == Different {
			t.Errorf("%q and %q have one key, %q", p[0], p[1], keys[0])
		}
	}
	for _, c := range [][2]string{
		{"㈱ 青葉製作所　大阪支店 御中 @Aoba.example", "株式会社青葉製作所 大阪支店 @aoba.example"},
		{"7000012050002", "7000012050002"}, {" 001x / 山田　太郎 様", "001x/山田 太郎"}, {"/山田", ""}, {"001x/", ""}, {"", ""}, {"  ", ""},
	} {
		if got := ParseKey(c[0], "JP"); got != c[1] {
			t.Errorf("%q is read as %q, want %q", c[0], got, c[1])
		}
	}
}

// Whoever is linked is the only one who may be: whatever the accounts are and in
// whatever order they stand, of two that are equally right none is taken.
func TestIndex_AmbiguityNeverPicksTheFirst(t *testing.T) {
	names := []string{"株式会社青葉製作所", "㈱青葉製作所", "青葉製作所", "青葉製作所株式会社", "有限会社青葉製作所", "株式会社青葉製作所 大阪支店", "Aoba Mfg. Co., Ltd.", "北斗商事㈱", ""}
	domains := []string{"", "", "aoba.example", "group.example"}
	phones := []string{"", "", "03-3234-5678", "06-6345-6789"}
	numbers := []string{"", "", "", "7000012050002", "1130001011420"}
	linked, proposed := 0, 0
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 7))
		random := func(id string) Account {
			a := Account{ID: id, Name: names[r.IntN(len(names))], Number: numbers[r.IntN(len(numbers))]}
			if d := domains[r.IntN(len(domains))]; d != "" {
				a.Domains = []string{d}
			}
			if p := phones[r.IntN(len(phones))]; p != "" {
				a.Phones = []string{p}
			}
			return a
		}
		accounts := make([]Account, 1+r.IntN(6))
		for i := range accounts {
			accounts[i] = random(fmt.Sprint("a", i))
		}
		want := random("")
		got := NewIndex(accounts, "JP").Find(want)
		r.Shuffle(len(accounts), func(i, j int) { accounts[i], accounts[j] = accounts[j], accounts[i] })
		if diff := cmp.Diff(got, NewIndex(accounts, "JP").Find(want)); diff != "" {
			t.Fatalf("seed %d: another order of %+v gives something else for %+v:\n%s", seed, accounts, want, diff)
		}
		switch got.Outcome {
		case Proposed:
			proposed++
			if slices.ContainsFunc(got.Proposals, func(p Proposal) bool { return p.Reason == "" }) {
				t.Fatalf("seed %d: a proposal without a reason: %+v", seed, got)
			}
		case Linked:
			linked++
			twin := accounts[slices.IndexFunc(accounts, func(a Account) bool { return a.ID == got.ID })]
			twin.ID = "twin"
			if again := NewIndex(append(accounts, twin), "JP").Find(want); again.Outcome != Proposed {
				t.Fatalf("seed %d: with a twin of %+v, %+v gives %+v", seed, twin, want, again)
			}
			twin.ID = got.ID // the same account told twice is one
			if again := NewIndex(append(accounts, twin), "JP").Find(want); again.ID != got.ID {
				t.Fatalf("seed %d: told twice, %+v gives %+v", seed, want, again)
			}
		}
	}
	if linked < 100 || proposed < 100 {
		t.Fatalf("%d linked and %d proposed: the property is hardly tried", linked, proposed)
	}
}
