package freetext_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.yaml.in/yaml/v4"
	"golang.org/x/text/unicode/norm"

	"energyd/configs"
	"energyd/mapping/freetext"
)

func reader(t testing.TB) *freetext.Reader {
	t.Helper()
	var cfg freetext.Config
	if err := yaml.Unmarshal(configs.Phrases, &cfg); err != nil {
		t.Fatal(err)
	}
	r, err := freetext.New(&cfg, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// contact is what a test says of a contact: a line for each.
func said(cs []freetext.Contact) []string {
	out := []string{}
	for _, c := range cs {
		if c.Status != freetext.Held {
			continue
		}
		people := make([]string, len(c.People))
		for i, p := range c.People {
			people[i] = p.Name + "/" + p.Title
			if p.Company != "" && p.Company != c.Company {
				people[i] += "@" + p.Company
			}
		}
		out = append(out, strings.TrimRight(strings.Join([]string{c.Time, c.Kind, c.Direction, c.Company, strings.Join(people, "+"), strings.Join(c.Cues, "+")}, "|"), "|"))
	}
	return out
}

// The shared reports: who, title, how and when; and what must not count.
func TestReadsSharedReports(t *testing.T) {
	data, err := os.ReadFile("../../../shared/data/daily_reports/reports.json")
	if err != nil {
		t.Fatal(err)
	}
	var reports []struct {
		ID, Text string
		Expected []struct{ Company, Person, Title, Kind, Time string }
	}
	if err := json.Unmarshal(data, &reports); err != nil {
		t.Fatal(err)
	}
	kinds := map[string]string{"訪問": "visit", "Web会議": "web_meeting", "電話(不在)": "attempt", "メール受信": "mail", "会食": "meal", "展示会": "exhibition"}
	r := reader(t)
	type line struct{ Company, Person, Title, Kind, Time string }
	bare := strings.NewReplacer("(株)", "", "株式会社", "")
	for _, report := range reports {
		want, got := []line{}, []line{}
		for _, e := range report.Expected {
			want = append(want, line{norm.NFKC.String(e.Company), e.Person, e.Title, kinds[e.Kind], e.Time})
		}
		for _, c := range r.Read(report.Text) {
			if c.Status != freetext.Held || c.Kind == "" {
				continue
			}
			if len(c.People) == 0 {
				got = append(got, line{bare.Replace(c.Company), "", "", c.Kind, c.Time})
			}
			for _, p := range c.People {
				got = append(got, line{bare.Replace(c.Company), p.Name, p.Title, c.Kind, c.Time})
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s\n%s", report.ID, report.Text, diff)
		}
	}
}

func TestRead(t *testing.T) {
	for _, c := range []struct {
		text string
		want []string // time|kind|direction|company|people|cues of what was held
	}{
		// Kinds and directions.
		{"山田部長を訪問。", []string{"|visit|||山田/部長"}},
		{"訪問（山田製作所 購買部 鈴木主任）", []string{"|visit||山田製作所|鈴木/主任"}},
		{"㈱山田製作所様 来社。工場見学のあと会食。", []string{"|visit_by_customer|inbound|(株)山田製作所", "|meal"}},
		{"ＴＥＬにて見積の件を確認", []string{"|phone"}},
		{"山田商事 佐藤様より電話。納期について質問あり。", []string{"|phone|inbound|山田商事|佐藤/|question"}},
		{"佐藤様へ架電するも不在。", []string{"|attempt|outbound||佐藤/"}},
		{"資料請求を受けた", []string{"|document_request|inbound"}},
		{"来期の予算申請をしていただけるとのこと", []string{}}, // a hope
		{"先方で稟議申請済み", []string{"|approval_request|inbound"}},
		{"Teamsで打合せ", []string{"|web_meeting"}},
		// Persons.
		{"営業部長の佐藤様と面談", []string{"|visit|||佐藤/営業部長"}},
		{"佐藤様（購買部長）と面談", []string{"|visit|||佐藤/購買部長"}},
		{"代表取締役社長 山田太郎様を表敬", []string{"|visit|||山田太郎/代表取締役社長"}},
		{"山田 太郎部長と面談", []string{"|visit|||山田 太郎/部長"}},
		{"部長と面談", []string{"|visit|||/部長"}},
		{"お客様を訪問、仕様の説明", []string{"|visit"}},
		{"トヨタ山田部長を訪問", []string{"|visit||トヨタ|山田/部長"}},
		{"部長会議の資料を準備", []string{}},
		{"上司同行。髙橋専務と商談。", []string{"|visit|||髙橋/専務"}},
		{"弊社の田中部長と同行訪問、先方は佐々木課長", []string{"|visit|||佐々木/課長"}},
		{"スミス部長代理と電話", []string{"|phone|||スミス/部長代理"}},
		{"田中課長不在につき佐藤主任と面談", []string{"|visit|||佐藤/主任"}},
		{"佐藤様に電話、不在", []string{"|attempt|outbound||佐藤/"}},
		{"鈴木様は外出中", []string{"|attempt|outbound||鈴木/"}},
		{"訪問するも不在のため名刺のみ", []string{"|attempt|outbound"}},
		{"山田部長、佐藤課長と面談", []string{"|visit|||山田/部長+佐藤/課長"}},
		{"山田部長・佐藤課長・鈴木様 訪問", []string{"|visit|||山田/部長+佐藤/課長+鈴木/"}},
		// Times.
		{"10時半 山田部長 訪問", []string{"10:30|visit|||山田/部長"}},
		{"14時半 北斗システムズ㈱ 鈴木様とWeb会議", []string{"14:30|web_meeting||北斗システムズ(株)|鈴木/"}},
		{"午後3時、青葉電機の伊藤課長が来社", []string{"15:00|visit_by_customer|inbound|青葉電機|伊藤/課長"}},
		{"9:30〜10:15 訪問", []string{"09:30|visit"}},
		{"3時間の打合せ", []string{"|visit"}},
		{"3/11 訪問", []string{"|visit"}},
		// What did not take place.
		{"来週 青葉製作所を訪問予定", []string{}},
		{"訪問できず", []string{}},
		{"本日の面談はキャンセルになった。", []string{}},
		{"社内会議。山田部長に報告。", []string{}},
		{"打合せの件で資料作成", []string{}},
		{"訪問のアポを取得", []string{}},
		{"田中課長を訪問し見積を提示、来週再訪問予定", []string{"|visit|||田中/課長"}},
		{"訪問したが質問はなかった", []string{"|visit"}},
		// Cues.
		{"訪問。部長を紹介いただいた。予算について質問あり", []string{"|visit||||boss_introduced+budget+question"}},
		{"訪問。技術部門も同席、感触良し", []string{"|visit||||listened+people_joined"}},
		{"質問あり", []string{"||||" + "|question"}},
		// Several contacts.
		{"10時 青葉製作所 訪問\n13時 若松商店 来社\n電話 3件", []string{"10:00|visit||青葉製作所", "13:00|visit_by_customer|inbound|若松商店", "|phone"}},
		{"・青葉製作所の山田部長と面談、佐藤課長同席\n・桜井物産の伊藤係長にメール送付", []string{"|visit||青葉製作所|山田/部長+佐藤/課長|people_joined", "|mail|outbound|桜井物産|伊藤/係長"}},
		// English.
		{"Visited Acme Corp. and met with Jane Doe, CFO. She asked about delivery.", []string{"|visit||Acme Corp.|Jane Doe/CFO|question"}},
		{"Call with Mr. Brown (purchasing manager), no questions.", []string{"|phone|||Brown/purchasing manager"}},
		{"Left a message for Ms. Green; no answer to two calls", []string{"|attempt|outbound||Green/"}},
		{"Called Dr. White: no answer", []string{"|attempt|outbound||White/"}},
		{"Meeting was postponed", []string{}},
		{"Team meeting at 10am", []string{}},
		{"Lunch with CEO John Brown at 12:30", []string{"12:30|meal|||John Brown/CEO"}},
		{"", []string{}},
		{"特になし", []string{}},
	} {
		if diff := cmp.Diff(c.want, said(reader(t).Read(c.text))); diff != "" {
			t.Errorf("%s\n%s", c.text, diff)
		}
	}
}

// Each finding tells the words that it goes by.
func TestHits(t *testing.T) {
	cs := reader(t).Read("青葉製作所 山田部長を訪問。質問を受けた")
	if len(cs) != 1 {
		t.Fatalf("%+v", cs)
	}
	var got []string
	for _, h := range cs[0].Hits {
		got = append(got, h.String())
	}
	if diff := cmp.Diff([]string{"visit: 訪問", "question: 質問"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestNew_Problems(t *testing.T) {
	_, err := freetext.New(&freetext.Config{
		Attempt: "atempt",
		Kinds:   []freetext.KindWords{{Kind: "visits", Words: []string{"訪問"}}, {Words: []string{" "}}, {Kind: "visit", Direction: "in"}},
		Cues:    map[string][]string{"questions": {"質問"}},
	}, []string{"visit", "attempt"}, []string{"question"})
	want := `attempt: the points table has no kind "atempt"; did you mean "attempt"?
kinds[0].kind: the points table has no kind "visits"; did you mean "visit"?
kinds[1]: kinds[1].kind is required
kinds[1].words[0]: empty word
kinds[2].direction: "in" is not inbound, outbound or mutual
cues.questions: the points table has no cue "questions"; did you mean "question"?`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

// Whatever the text, reading ends, and people and companies are pieces of it.
func FuzzRead(f *testing.F) {
	for _, seed := range []string{"10:00 ㈱青葉製作所 山田部長・佐藤課長 訪問。", "Met with John Smith (VP, Beta Inc.) by Zoom at 9am", "様様様部長", "((((、、、", "午後13時99分", "Mr. Mr.", "\xff\xfe"} {
		f.Add(seed)
	}
	r := reader(f)
	f.Fuzz(func(t *testing.T, text string) {
		whole := norm.NFKC.String(text)
		for _, c := range r.Read(text) {
			for _, p := range c.People {
				if p.Name == "" && p.Title == "" {
					t.Error("a person without name and title")
				}
				if !strings.Contains(whole, p.Name) || !strings.Contains(whole, p.Title) {
					t.Errorf("%+v is no piece of %q", p, whole)
				}
			}
			if !strings.Contains(whole, c.Company) {
				t.Errorf("%q is no piece of %q", c.Company, whole)
			}
		}
	})
}

func BenchmarkRead(b *testing.B) {
	r := reader(b)
	for b.Loop() {
		r.Read("10:00 ㈱青葉製作所 山田部長・佐藤課長 訪問。基幹更新の提案。感触良し。\n14:00 北斗システムズ㈱ 鈴木様とWeb会議。\n17:00 社内会議。")
	}
}
