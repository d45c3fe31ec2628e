package matching

import (
	"math/rand/v2"
	"strconv"
	"testing"
)

// What only sounds the same is put before a person, and never linked.
func TestIndex_Find_by_sound(t *testing.T) {
	x := NewIndex([]Account{{ID: "a", Name: "株式会社アオバ"}, {ID: "s", Name: "Sakura Shoji Co., Ltd."}, {ID: "p", Name: "ポラリス株式会社"},
		{ID: "k", Name: "Kröger GmbH"}, {ID: "u", Name: "ウエ株式会社"}}, "JP")
	for name, want := range map[string]string{
		"AOBA Co., Ltd.": "a", "株式会社あおば": "a", "株式会社AOBA": "a", "株式会社サクラ商事": "", "さくらしょうじ": "s", "サクラショージ": "s",
		"ボラリス株式会社": "p", "POLARIS Inc.": "", "Kroger GmbH": "k", "UE Inc.": "", "アオボ株式会社": "", "Aoba Foods Inc.": "",
	} {
		m := x.Find(Account{Name: name})
		switch {
		case want == "" && m.Outcome != Unknown:
			t.Errorf("%s: %+v, want nobody", name, m)
		case want != "" && (m.Outcome != Proposed || len(m.Proposals) != 1 || m.Proposals[0].ID != want):
			t.Errorf("%s: %+v, want %s proposed", name, m, want)
		}
	}
}

// Names that have nothing to do with each other are hardly ever proposed.
func TestIndex_Find_does_not_flood(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	kana := []rune("アイウエオカキクケコサシスセソタチツテトナニヌネノハヒフヘホマミムメモヤユヨラリルレロワンガギグゴザジズゼゾダデドバビブベボパピプペポ")
	name := func() string {
		s := make([]rune, 3+r.IntN(4))
		for i := range s {
			s[i] = kana[r.IntN(len(kana))]
		}
		switch s := string(s); r.IntN(3) {
		case 0:
			return romaji(hiragana([]string{s})[0]) + " Inc."
		case 1:
			return "株式会社" + s
		default:
			return s + []string{"テック", "フーズ", "システム", "ホーム"}[r.IntN(4)] + "株式会社"
		}
	}
	accounts := make([]Account, 20_000)
	for i := range accounts {
		accounts[i] = Account{ID: strconv.Itoa(i), Name: name()}
	}
	x := NewIndex(accounts, "JP")
	bySound, proposed := 0, 0
	for range 1000 {
		m := x.Find(Account{Name: name()})
		if m.Outcome != Proposed {
			continue
		}
		proposed++
		if score := m.Proposals[0].Score; score == 0.6 {
			bySound++
		}
	}
	t.Logf("of 1,000 unrelated names among 20,000 accounts %d have a proposal, %d of them by sound", proposed, bySound)
	if bySound > 20 {
		t.Errorf("%d of 1,000 unrelated names are proposed by their sound", bySound)
	}
}
