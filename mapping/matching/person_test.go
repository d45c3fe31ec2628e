package matching

import "testing"

func TestComparePeople(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want Verdict
	}{
		{"山田 太郎", "山田太郎様", Same}, {"山田　太郎", "営業部長 山田 太郎", Same}, {"髙橋 一郎", "高橋一郎", Same}, {"太郎 山田", "山田 太郎", Same},
		{"YAMADA Taro", "Taro Yamada", Same}, {"Yamada, Taro", "Mr. Taro Yamada", Same},
		{"大室 圭吾", "大室 圭吾 室長", Same}, {"服部 一真", "営業部 服部 一真", Same}, {"氷室様", "氷室 京", Likely}, {"有村 架純", "有村 架純(代理:森)", Likely},
		{"阿部 純", "安部 純", Different}, {"山田部長", "山田 太郎", Likely}, {"長谷川", "長谷川", Likely}, {"渡邊 太郎", "渡辺 太郎", Likely}, {"T. Yamada", "Taro Yamada", Likely},
		{"Satoh Kenji", "Kenji Sato", Likely}, {"やまだ たろう", "山田 太郎(ヤマダ タロウ)", Likely}, {"Taro Yamada", "山田 太郎(やまだ たろう)", Likely},
		{"山田 太郎", "山田 次郎", Different}, {"佐藤 太郎", "山田 太郎", Different}, {"部長", "山田 太郎", Different}, {"Taro Yamada", "山田 太郎", Different},
	} {
		x, y := ParsePerson(c.a, ""), ParsePerson(c.b, "")
		for _, got := range []Comparison{ComparePeople(x, y), ComparePeople(y, x)} {
			if got.Verdict != c.want {
				t.Errorf("%s | %s: %v (%s), want %v", c.a, c.b, got.Verdict, got.Reason, c.want)
			}
		}
	}
}
