package message

import (
	"fmt"
	"strings"
	"testing"
)

// Plus tags are cut in the domains alone that use them.
func TestContactKey(t *testing.T) {
	a := Address{Addr: "taro+news@cust.example"}
	for domain, want := range map[string]string{"cust.example": "taro@cust.example", "other.example": "taro+news@cust.example"} {
		if got := a.ContactKey(func(d string) bool { return d == domain }); got != want {
			t.Errorf("tags at %s: %s", domain, got)
		}
	}
}

// Of many references the root of the conversation and the nearest mails are kept.
func TestReferences_TheFirstAndTheLast(t *testing.T) {
	var all strings.Builder
	for i := range 60 {
		fmt.Fprintf(&all, " <r%d@x>", i)
	}
	m := ReadHeader([]byte("References:" + all.String() + "\n\n"))
	if r := m.References; len(r) != maxReferences || r[0] != "r0@x" || r[1] != "r11@x" || r[len(r)-1] != "r59@x" || !m.Cut {
		t.Errorf("%d references, cut %v: %v", len(r), m.Cut, r)
	}
}

// TestPerson_AsPeopleSignThemselves: company, department, title and form of address stand
// before, behind and around a name; what is none of them is the name.
func TestPerson_AsPeopleSignThemselves(t *testing.T) {
	for shown, want := range map[string][2]string{
		// Behind the name.
		"山田 太郎 購買部長":          {"山田 太郎", "購買部長"},
		"山田 太郎 総務課長":          {"山田 太郎", "総務課長"},
		"山田購買部長":              {"山田", "購買部長"},
		"山田 太郎 第二営業部 部長":      {"山田 太郎", "部長"},
		"山田部長様":               {"山田", "部長"},
		"山田 課長 殿":             {"山田", "課長"},
		"山田様（購買部長）":           {"山田", "購買部長"},
		"山田 太郎（カスト 部長）様":      {"山田 太郎", "部長"},
		"山田 太郎/部長":            {"山田 太郎", "部長"},
		"山田 太郎 ゼネラルマネージャー":    {"山田 太郎", "ゼネラルマネージャー"},
		"山田 太郎 シニアマネージャー":     {"山田 太郎", "シニアマネージャー"},
		"山田 太郎 マネージャ":         {"山田 太郎", "マネージャ"},
		"山田 太郎 常務執行役員":        {"山田 太郎", "常務執行役員"},
		"山田 太郎 専任課長":          {"山田 太郎", "専任課長"},
		"山田 太郎 部長代理":          {"山田 太郎", "部長代理"},
		"山田 太郎 総支配人":          {"山田 太郎", "総支配人"},
		"山田 太郎（代表）":           {"山田 太郎", "代表"},
		"山田 太郎 代表理事":          {"山田 太郎", "代表理事"},
		"山田 太郎 事務局長":          {"山田 太郎", "事務局長"},
		"株式会社カスト　営業部　山田様":     {"山田", ""},
		"株式会社カスト 御中":          {"株式会社カスト", ""},
		"Taro Yamada, CEO":    {"Taro Yamada", "CEO"},
		"Mr. Taro Yamada":     {"Taro Yamada", ""},
		"Dr. Hanako Sato":     {"Hanako Sato", ""},
		"Yamada-san":          {"Yamada", ""},
		"Taro Yamada (CTO)":   {"Taro Yamada", "CTO"},
		"Engineer Taro":       {"Engineer Taro", ""},
		"Yamada, Taro":        {"Yamada, Taro", ""},
		"Suzuki VP Marketing": {"Suzuki VP Marketing", ""},

		// In front of it.
		"営業部長 山田 太郎":          {"山田 太郎", "営業部長"},
		"購買課長 山田":             {"山田", "購買課長"},
		"株式会社カスト 購買部 課長 山田太郎": {"山田太郎", "課長"},
		"カスト㈱ 代表取締役社長 山田 太郎":  {"山田 太郎", "代表取締役社長"},
		"(株)カスト 部長：山田":        {"山田", "部長"},
		"代表 山田 太郎":            {"山田 太郎", "代表"},

		// Names that only look so.
		"阿部 寛様":         {"阿部 寛", ""},
		"渡部 太郎 部長":      {"渡部 太郎", "部長"},
		"株式会社カスト 服部 部長": {"服部", "部長"},
		"長谷部 太郎様":       {"長谷部 太郎", ""},
		"株式会社カスト 田所様":   {"田所", ""},
		"所 ジョージ":        {"所 ジョージ", ""},
		"部長":            {"部長", ""},
		"先生":            {"先生", ""},
		"様":             {"様", ""},
		"会田 誠":          {"会田 誠", ""},
		"長 太郎":          {"長 太郎", ""},
		"広報 花子":         {"広報 花子", ""},
		"代田 表":          {"代田 表", ""},
		"営業部":           {"営業部", ""},
		"カスト 営業部":       {"カスト 営業部", ""},
		"Santa":         {"Santa", ""},
		"Drew Mrs":      {"Drew Mrs", ""},
	} {
		name, title := Address{Name: shown}.Person()
		if got := [2]string{name, title}; got != want {
			t.Errorf("%s: %q, want %q", shown, got, want)
		}
	}
}
