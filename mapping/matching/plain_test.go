package matching

import (
	"strings"
	"testing"
)

func TestPlainCompany_IsTheSameHoweverItIsWritten(t *testing.T) {
	for _, name := range []string{"株式会社山田製作所", "㈱山田製作所", "山田製作所（株）", "（株） 山田製作所", "株式会社　山田製作所 御中", "山田製作所(株)様", "山田製作所（株式会社）"} {
		if got := PlainCompany(name); got != "山田製作所" {
			t.Errorf("PlainCompany(%q) = %q", name, got)
		}
	}
	for name, want := range map[string]string{
		"Nordwind GmbH": "nordwindgmbh", "㈲若松商店": "若松商店有限会社", "Nordwind Co., Ltd.": "nordwind", "ＮＲＳテクノ㈱": "nrsテクノ", "N・R・Sテクノ株式会社": "nrsテクノ",
		"株式会社": "株式会社", "": "", "(株)": "株", "コ ーポ": "コーポ", "Müller Bau GmbH": "muellerbaugmbh", "髙砂電機㈱ 大阪支店": "高砂電機大阪支店",
	} {
		if got := PlainCompany(name); got != want {
			t.Errorf("PlainCompany(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestPlainPerson_IsTheSameHoweverItIsWritten(t *testing.T) {
	for name, want := range map[string]string{"山田　太郎様": "山田太郎", "山田 太郎": "山田太郎", "Ms. Anna  Berg": "annaberg", "様": "様", "佐藤さん": "佐藤", "営業部長 山田太郎": "山田太郎", "服部 一真": "服部一真", "taro@yamada.example": "taroyamadaexample"} {
		if got := PlainPerson(name); got != want {
			t.Errorf("PlainPerson(%q) = %q, want %q", name, got, want)
		}
	}
}

// No pair that is different or ambiguous only by more than the spelling comes together (the sample of shared/data).
func TestPlainCompany_NeverJoinsDifferentOnes(t *testing.T) {
	same, joined := 0, 0
	for _, r := range pairs(t, "../../../shared/data/names/company_pairs.csv") {
		equal := PlainCompany(r[0]) == PlainCompany(r[1])
		switch {
		case r[2] == "same":
			if same++; equal {
				joined++
			}
		case r[2] == "different" && equal:
			t.Errorf("%q and %q are different companies, and both are %q", r[0], r[1], PlainCompany(r[0]))
		}
	}
	if joined*2 < same {
		t.Errorf("only %d of %d spellings of the same company come together", joined, same)
	}
}

// TestSearchKeys_FindAPartHoweverItIsTyped: width, kana, case, blanks and the legal form make no difference to what is found.
func TestSearchKeys_FindAPartHoweverItIsTyped(t *testing.T) {
	for _, test := range []struct {
		name, typed string
		found       bool
	}{
		{"株式会社山田製作所", "山田", true}, {"株式会社山田製作所", "㈱山田製作所", true}, {"株式会社山田製作所", "山 田　製作", true}, {"株式会社山田製作所", "株式会社山田", true},
		{"ｻﾆｰｺｰﾋｰ(株)", "さにーこ", true}, {"サニーコーヒー株式会社", "ｻﾆｰ", true}, {"ひかり工業", "ヒカリ", true}, {"ＮＲＳテクノ㈱", "nrs", true}, {"髙砂電機", "高砂", true},
		{"Nordwind GmbH", "NORD", true}, {"Müller Bau GmbH", "mueller", true},
		{"株式会社山田製作所", "山川", false}, {"有限会社若松商店", "若竹", false},
	} {
		whole, short := SearchKeys(test.name)
		typed, typedShort := SearchKeys(test.typed)
		if got := strings.Contains(whole, typed) || strings.Contains(short, typedShort); got != test.found {
			t.Errorf("%q in %q: %v (%q, %q in %q, %q)", test.typed, test.name, got, typed, typedShort, whole, short)
		}
	}
}
