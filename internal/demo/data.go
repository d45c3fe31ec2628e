package demo

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// The company's world: made up, the same on every machine, dated back from today.

type rep struct{ code, family, given, team, crmID string }

type account struct {
	code, name, industry, state string
	site                        string
	important                   bool
	owner                       *rep
	crmID                       string
	contacts                    []*contact
	deals                       []*deal
	// rhythm is how the relation goes: how often somebody is met, and whether it grows or fades.
	rhythm rhythm
}

type contact struct{ code, family, given, title, email, crmID string }

type rhythm struct {
	everyDays float64 // mean days between two contacts
	from, to  int     // days before today in which they lie
	seniors   float64 // chance that a senior person takes part
}

var (
	warm    = rhythm{everyDays: 13, from: 170, to: 1, seniors: 0.45}
	rising  = rhythm{everyDays: 8, from: 40, to: 1, seniors: 0.6}
	steady  = rhythm{everyDays: 24, from: 175, to: 3, seniors: 0.15}
	cooling = rhythm{everyDays: 14, from: 178, to: 95, seniors: 0.3}
	quiet   = rhythm{everyDays: 60, from: 175, to: 60, seniors: 0}
)

func reps() []*rep {
	return []*rep{
		{code: "R001", family: "佐藤", given: "健一", team: "営業部"}, {code: "R002", family: "鈴木", given: "美咲", team: "営業部"},
		{code: "R003", family: "髙橋", given: "大輔", team: "営業部"}, {code: "R004", family: "渡邊", given: "陽子", team: "営業部"},
	}
}

func accounts(reps []*rep) []*account {
	as := []*account{
		{name: "株式会社山田製作所", industry: "Manufacturing", state: "愛知県", rhythm: warm},
		{name: "㈱青葉精機", industry: "Manufacturing", state: "宮城県", rhythm: rising},
		{name: "北斗システムズ株式会社", industry: "Technology", state: "北海道", rhythm: steady},
		{name: "東和物流（株）", industry: "Retail", state: "東京都", rhythm: cooling},
		{name: "みらい食品株式会社", industry: "Manufacturing", state: "大阪府", rhythm: warm},
		{name: "有限会社若松商店", industry: "Retail", state: "福岡県", rhythm: quiet},
		{name: "髙砂電機株式会社", industry: "Manufacturing", state: "兵庫県", rhythm: rising},
		{name: "株式会社サクラ建設", industry: "Construction", state: "神奈川県", rhythm: steady},
		{name: "日邦化学工業株式会社", industry: "Manufacturing", state: "千葉県", rhythm: cooling},
		{name: "光洋印刷株式会社", industry: "Manufacturing", state: "埼玉県", rhythm: quiet},
		{name: "Pacific Trading Co., Ltd.", industry: "Retail", state: "東京都", rhythm: steady},
		{name: "株式会社九州フーズ", industry: "Retail", state: "熊本県", rhythm: warm},
		{name: "協和メディカル株式会社", industry: "Technology", state: "京都府", rhythm: steady},
		{name: "中央信用金庫", industry: "Finance", state: "長野県", rhythm: quiet},
		{name: "株式会社アルファ技研", industry: "Technology", state: "東京都", rhythm: rising},
		{name: "北陸精密株式会社", industry: "Manufacturing", state: "石川県", rhythm: cooling},
	}
	families := []string{"山田", "田中", "伊藤", "山本", "中村", "小林", "加藤", "吉田", "佐々木", "山口", "松本", "井上", "木村", "林", "齋藤", "清水"}
	givens := []string{"太郎", "花子", "一郎", "誠", "直樹", "恵子", "由美", "翔", "さくら", "浩二", "明", "真理子"}
	titles := [][]string{ // from the person who is easy to meet up to the one who decides
		{"担当", "主任", "購買部 主任", "スタッフ"},
		{"課長", "情報システム課長", "購買課長", "マネージャー"},
		{"部長", "製造部長", "営業部長", "情報システム部 部長"},
		{"代表取締役社長", "常務取締役", "取締役", "専務取締役"},
	}
	contacts := 0
	for i, a := range as {
		a.code, a.owner, a.site = fmt.Sprintf("K%04d", i+1), reps[i%len(reps)], "https://www."+sites[i]+".example/"
		for level := range titles {
			if level == 3 && i%3 == 2 {
				continue
			}
			contacts++
			c := &contact{
				code:   fmt.Sprintf("T%04d", contacts),
				family: families[(i*5+level*3)%len(families)], given: givens[(i*7+level)%len(givens)],
				title: titles[level][(i+level)%len(titles[level])],
			}
			c.email = romaji[c.given] + "." + romaji[c.family] + "@" + sites[i] + ".example"
			a.contacts = append(a.contacts, c)
		}
		a.important = i%2 == 0
		a.deals = dealsOf(i, a.name)
	}
	return as
}

// A report is one row of the daily-report table, as people type it.
type report struct {
	id                                         int
	date, start, rep, account, contact         string
	contactName, title, deal, activity, result string
	memo, source, extKey                       string
	minutes                                    int
	updated                                    time.Time
}

type how struct {
	words   []string // as people write it
	weight  int
	minutes int
}

var ways = []how{
	{[]string{"訪問", "客先訪問", "訪 問"}, 30, 60},
	{[]string{"電話", "TEL", "架電"}, 22, 10},
	{[]string{"受電"}, 8, 10},
	{[]string{"Web会議", "オンライン"}, 16, 45},
	{[]string{"メール", "ﾒｰﾙ", "E-Mail"}, 14, 5},
	{[]string{"来社", "来訪"}, 7, 90},
	{[]string{"予算申請"}, 2, 30},
	{[]string{"稟議申請"}, 1, 30},
}

var memos = []string{
	"次回訪問日程を調整。", "見積書を再提出予定。", "競合他社の提案が先行している模様。", "予算は来期に計上の方針。",
	"担当者が交代、後任へ引継ぎ。", "社内稟議に回すとのこと。", "技術部門の同席を希望。資料に対して質問あり。",
	"契約更新の意思を確認。", "他拠点への横展開を打診。", "キーマンへの紹介を依頼。", "デモの感触は良好。", "納期について質問を受けた。",
}

// reports writes half a year of daily reports, ending yesterday, with the
// slips that real ones have: a few cannot be used, and must be kept with a reason.
func reports(as []*account, today time.Time) []report {
	rnd := rand.New(rand.NewPCG(20261121, 42)) // the same world every time, nothing secret
	total := 0
	for _, w := range ways {
		total += w.weight
	}
	var rs []report
	add := func(r report, day time.Time) {
		r.id = len(rs) + 1
		r.source, r.extKey = "nippo", fmt.Sprint(r.id)
		r.date = writtenDate(day, len(rs))
		r.updated = day.Add(10 * time.Hour) // 19:00 in Japan
		rs = append(rs, r)
	}
	for _, a := range as {
		for ago := float64(a.rhythm.from); ago >= float64(a.rhythm.to); ago -= a.rhythm.everyDays * (0.4 + 1.2*rnd.Float64()) {
			day := today.AddDate(0, 0, -int(ago))
			if wd := day.Weekday(); wd == time.Saturday || wd == time.Sunday {
				day = day.AddDate(0, 0, -2)
			}
			n := rnd.IntN(total)
			w := ways[0]
			for _, x := range ways {
				if n < x.weight {
					w = x
					break
				}
				n -= x.weight
			}
			who := a.contacts[0]
			if rnd.Float64() < a.rhythm.seniors {
				who = a.contacts[1+rnd.IntN(len(a.contacts)-1)]
			} else if rnd.Float64() < 0.3 {
				who = a.contacts[1]
			}
			r := report{
				start: fmt.Sprintf("%02d:%02d", 9+rnd.IntN(8), 30*rnd.IntN(2)), rep: a.owner.code, account: a.code,
				contact: who.code, contactName: who.family + "　" + who.given + "様", title: who.title,
				activity: w.words[rnd.IntN(len(w.words))], minutes: w.minutes, result: "継続", memo: memos[rnd.IntN(len(memos))],
			}
			if len(a.deals) > 0 && a.deals[0].code != "" && rnd.Float64() < 0.6 {
				r.deal = a.deals[0].code
			}
			add(r, day)
		}
	}
	// Three rows that no program should guess at.
	slip := report{start: "10:00", rep: "R001", account: "K0001", contactName: "山田様", title: "部長", activity: "訪問", result: "継続"}
	unknown, word, date := slip, slip, slip
	unknown.account, unknown.memo = "K9999", "新規のお客様。"
	word.activity, word.memo = "FAX", "注文書をFAXで受領。"
	date.memo = "月末の訪問。"
	for _, r := range []report{unknown, word, date} {
		add(r, today.AddDate(0, 0, -5))
	}
	rs[len(rs)-1].date = fmt.Sprintf("%d/02/30", today.Year())
	return rs
}

// writtenDate writes a date in one of the ways in which people write it.
func writtenDate(d time.Time, i int) string {
	switch i % 4 {
	case 0:
		return d.Format("2006/01/02")
	case 1:
		return d.Format("2006-01-02")
	case 2:
		return d.Format("2006年1月2日")
	}
	return fmt.Sprintf("R%d.%d.%d", d.Year()-2018, int(d.Month()), d.Day())
}

// event is a contact that somebody entered in the CRM itself.
type event struct {
	account *account
	contact *contact
	ago     int
	subject string
	call    string // "Inbound" or "Outbound" for calls; "" for a meeting in the calendar
}

func events(as []*account) []event {
	var es []event
	for i, a := range as {
		if i%2 == 0 && a.rhythm.to < 60 {
			es = append(es, event{a, a.contacts[min(2, len(a.contacts)-1)], 4 + 3*i, a.name + "様 定例会議", ""})
		}
		if i%3 == 0 && a.rhythm.to < 60 {
			es = append(es, event{a, a.contacts[0], 2 + 5*i, "お問い合わせの電話", "Inbound"})
		}
	}
	return es
}
