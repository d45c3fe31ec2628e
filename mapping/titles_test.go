package mapping_test

import (
	"testing"

	"energyd/internal/config"
	"energyd/mapping"
)

func shippedTitles(t testing.TB) *mapping.Titles {
	t.Helper()
	titles, err := config.LoadTitles("", []string{"staff", "chief", "section_manager", "department_manager", "executive", "president", "unknown"})
	if err != nil {
		t.Fatal(err)
	}
	return titles
}

// TestTitles_sample: the sample list ranks from 6 (top) to 1, 0 says nothing.
// 6 is our president but for 専務取締役, who is below one.
func TestTitles_sample(t *testing.T) {
	ranks := map[string]string{"6": "president", "5": "executive", "4": "department_manager", "3": "section_manager", "2": "chief", "1": "staff", "0": ""}
	titles := shippedTitles(t)
	for _, r := range readCSV(t, "testdata/titles.csv") {
		title, _ := r.Value("title").(string)
		want := ranks[r.Value("rank_0_unknown_to_6_top").(string)]
		if title == "専務取締役" {
			want = "executive"
		}
		if got, ok := titles.Rank(title); got != want || !ok {
			t.Errorf("%q: got %q, %v; want %q", title, got, ok, want)
		}
	}
}

func TestTitles(t *testing.T) {
	titles := shippedTitles(t)
	for title, want := range map[string]string{
		"情報システム部 部長":                  "department_manager",
		"総務部　部長":                      "department_manager",
		"経理部部長":                       "department_manager",
		"部長代理":                        "department_manager",
		"ﾏﾈｰｼﾞｬｰ":                     "section_manager",
		"営業Manager":                   "section_manager",
		"IT Manager":                  "section_manager",
		"Country Manager":             "section_manager",
		"Director of IT":              "department_manager",
		"ＤＩＲＥＣＴＯＲ":                    "department_manager",
		"VP of Sales":                 "executive",
		"Vice President":              "executive",
		"President & CEO":             "president",
		"会長兼CEO":                      "president",
		"代表取締役　社長":                    "president",
		"取締役営業部長":                     "executive",
		"取締役 兼 営業部長":                  "executive",
		"執行役員 経営企画本部長":                "executive",
		"代表取締役副社長":                    "president",
		"副社長":                         "executive",
		"課長(営業担当)":                    "section_manager",
		"部長様":                         "department_manager",
		"社長秘書":                        "staff",
		"社長室長":                        "department_manager",
		"情報システム部":                     "staff",
		"元部長":                         "",
		"前 営業部長":                      "",
		"Former Director":             "",
		"担当者不明":                       "",
		"n/a":                         "",
		"―":                           "",
		"　":                           "",
		"最高執行責任者":                     "executive",
		"グループリーダー":                    "section_manager",
		"Assistant Manager":           "chief",
		"Sales and Marketing Manager": "section_manager",
		"Assistant to the President":  "staff",
	} {
		if got, ok := titles.Rank(title); got != want || !ok {
			t.Errorf("%q: got %q, %v; want %q", title, got, ok, want)
		}
	}
	for _, title := range []string{"星を見る人", "調査官補", "xyz", "🍣"} {
		if rank, ok := titles.Rank(title); ok {
			t.Errorf("%q is understood as %q", title, rank)
		}
	}
}

func FuzzTitles(f *testing.F) {
	for _, s := range []string{"営業部長", "元前旧部長", "会長兼CEO・社長", "((((部長))))", "President & & CEO", "代理代理代理", "\xff", "(a)(b)(c)部長兼"} {
		f.Add(s)
	}
	titles := shippedTitles(f)
	known := map[string]bool{"": true, "staff": true, "chief": true, "section_manager": true, "department_manager": true, "executive": true, "president": true}
	f.Fuzz(func(t *testing.T, title string) {
		first, ok := titles.Rank(title)
		again, ok2 := titles.Rank(title)
		if first != again || ok != ok2 || !known[first] {
			t.Fatalf("%q: %q, %v and then %q, %v", title, first, ok, again, ok2)
		}
	})
}

// TestTitles_sets holds the dictionary to titles as people write them. It was made better by each of these sets, so they
// say nothing of titles that nobody here thought of: what each gave before is in decisions/0087 and 0054. A wrong rank is
// worse than none: "?" is what nobody may guess.
func TestTitles_sets(t *testing.T) {
	titles := shippedTitles(t)
	for _, set := range []struct {
		name              string
		precision, recall float64 // at least
	}{
		{"own_titles", 0.998, 0.998},
		{"heldout_titles", 0.995, 0.995},
		{"heldout_titles_2", 0.99, 0.99},
		{"heldout_titles_3", 0.995, 0.99},
		{"heldout_titles_4", 0.975, 0.94}, // run once, not mended for
	} {
		ranked, right, known := 0, 0, 0
		for _, r := range readCSV(t, "testdata/"+set.name+".csv") {
			title, _ := r.Value("title").(string)
			want, _ := r.Value("rank").(string)
			got, ok := titles.Rank(title)
			if !ok {
				got = "?"
			}
			if want != "?" {
				known++
			}
			if got != "?" {
				ranked++
			}
			if got == want && got != "?" {
				right++
			}
			if got != want {
				t.Logf("%s: %q: got %q, want %q", set.name, title, got, want)
			}
		}
		precision, recall := float64(right)/float64(ranked), float64(right)/float64(known)
		t.Logf("%s: precision %.3f, recall %.3f", set.name, precision, recall)
		if precision < set.precision || recall < set.recall {
			t.Errorf("%s: precision %.3f, recall %.3f", set.name, precision, recall)
		}
	}
}

// TestTitles_rules: what the title says of its bearer, and what it says of somebody else.
func TestTitles_rules(t *testing.T) {
	titles := shippedTitles(t)
	for _, c := range []struct{ title, want, why string }{
		{"専務秘書", "staff", "works for one"},
		{"取締役会事務局長", "department_manager", "取締役会 is a body"},
		{"取締役室長", "executive", "a 室長 who is 取締役"},
		{"執行役員 営業部", "executive", "the department stands apart"},
		{"課長 営業部", "section_manager", "the department stands behind"},
		{"前橋支店長", "department_manager", "a town"},
		{"前・支店長", "", "once"},
		{"部長(元)", "", "once"},
		{"元部長(営業)", "", "once, in sales"},
		{"元専務(現社長)", "president", "one now"},
		{"名誉会長 兼 代表取締役社長", "president", "one of the two"},
		{"課長(兼 部長)", "department_manager", "the higher of the two"},
		{"社長代行", "executive", "a deputy of the highest is one lower"},
		{"県副知事", "executive", "so is a vice"},
		{"部長 代理", "department_manager", "one title in two words"},
		{"部　長", "department_manager", "letters apart"},
		{"Friend of CEO", "?", "the CEO is another"},
		{"Assistant to the President and CEO", "staff", "so are both"},
		{"President’s Secretary", "staff", "and here"},
		{"Chief Happiness Officer", "executive", "chief … officer"},
		{"Asst. Mgr.", "chief", "abbreviated"},
		{"Director (retired)", "", "once"},
		{"課長？", "?", "who wrote it did not know"},
		{"営業参与", "?", "another rank in every house"},
		{"Jacob", "?", "OB is no ending of a name"},
		{"マネジャ", "section_manager", "lengthening marks are left out"},
		{"アシスタント・マネージャー", "chief", "one word of two"},
		{"マネージャー・エンジニア", "section_manager", "two words"},
		{"シニア・バイス・プレジデント", "executive", "one word, and one in front"},
		{"マネージャー-営業", "section_manager", "a dash between two words"},
		{"Candidate Experience Manager", "section_manager", "of those who are one"},
		{"Incoming Goods Manager", "section_manager", "so are goods"},
		{"Managing Director Assistant", "staff", "the last word is what she is"},
		{"CEO Office", "staff", "so is where"},
		{"営業部⻑", "department_manager", "a radical out of a PDF file"},
		{"部長【兼務】", "department_manager", "brackets of any shape"},
		{"部長(兼)人事課長", "department_manager", "the higher of the two"},
		{"部長(空席)", "?", "there is nobody"},
		{"社長執行役員", "president", "two titles in one"},
		{"社長室長", "department_manager", "and a department's name"},
		{"課長職務代理者", "section_manager", "a deputy in many words"},
		{"次期社長", "?", "not yet"},
		{"CEO candidate", "?", "nor is this one"},
		{"課長または係長", "?", "one of two"},
		{"Director?", "?", "who wrote it did not know"},
		{"C.E.O.", "president", "initials"},
		{"Sr. V.P. of Sales", "executive", "in the middle, too"},
		{"Partner Sales Manager", "section_manager", "the last word is what he is"},
		{"Manager of Partner Sales", "section_manager", "up to the of"},
		{"Owner-Operator", "president", "but for an owner"},
		{"Owner's Assistant", "staff", "whose assistant is another"},
		{"Chief Data & Analytics Officer", "executive", "one title with an & in it"},
		{"Chief Accountant", "chief", "chief of what stands behind it"},
		{"Deputy Mayor", "executive", "one lower"},
		{"――", "", "marks alone"},
	} {
		got, ok := titles.Rank(c.title)
		if !ok {
			got = "?"
		}
		if got != c.want {
			t.Errorf("%q (%s): got %q, want %q", c.title, c.why, got, c.want)
		}
	}
}
