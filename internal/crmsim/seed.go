package crmsim

import (
	"fmt"
	"time"
)

// Seed plants a built-in set of rows. "small" is a sales team in Japan with its
// customers, deals and recent activities, all dated by the org's clock.
// "conformance" has each kind of row that a connector can trip over, always
// the same to the byte; it sets the org's clock.
func (s *Server) Seed(name string) error {
	switch name {
	case "small":
		return s.seedSmall()
	case "conformance":
		return s.seedConformance()
	}
	return fmt.Errorf("no seed is named %q; there are: small, conformance", name)
}

func (s *Server) seedSmall() error {
	p := planter{s: s, now: s.now()}
	reps := p.users()
	for i, c := range smallCompanies {
		p.company(i, c, reps[i%len(reps)])
	}
	return p.err
}

// planter inserts rows until the first error.
type planter struct {
	s   *Server
	now time.Time
	err error
}

func (p *planter) insert(object string, values map[string]any) string {
	if p.err != nil {
		return ""
	}
	var id string
	id, p.err = p.s.Insert(object, values)
	return id
}

func (p *planter) users() []string {
	var ids []string
	for i, u := range []struct{ last, first, title string }{
		{"高橋", "健一", "営業部長"}, {"伊藤", "美咲", "主任"}, {"渡辺", "翔太", ""}, {"Suzuki", "Emma", "Account Executive"},
	} {
		mail := fmt.Sprintf("sales%d@ourcompany.example", i+1)
		ids = append(ids, p.insert("User", map[string]any{"LastName": u.last, "FirstName": u.first, "Username": mail,
			"Email": mail, "Title": u.title, "IsActive": true, "UserType": "Standard", "Alias": fmt.Sprintf("sales%d", i+1), "TimeZoneSidKey": "Asia/Tokyo"}))
	}
	return ids
}

type person struct{ last, first, title, department string }

type company struct {
	name, industry, state, city string
	employees                   int
	people                      []person
	deal                        string // "" = none
	stage                       string
	amount                      int
	busy                        int // how many activities in the last weeks
}

var smallCompanies = []company{
	{"東海精密工業株式会社", "Manufacturing", "愛知県", "名古屋市", 820,
		[]person{{"田中", "一郎", "代表取締役社長", ""}, {"中村", "由美", "購買部長", "購買部"}, {"小川", "誠", "係長", "生産技術課"}}, "検査ライン更新", "Negotiation", 18_500_000, 9},
	{"株式会社みなとフーズ", "Retail", "神奈川県", "横浜市", 240,
		[]person{{"山本", "直樹", "取締役", ""}, {"加藤", "さくら", "店舗開発課長", "店舗開発課"}}, "POS入替", "Proposal", 4_200_000, 6},
	{"北陸電設株式会社", "Construction", "石川県", "金沢市", 130,
		[]person{{"吉田", "浩二", "専務取締役", ""}, {"山田", "亮", "主任", "工事部"}}, "", "", 0, 2},
	{"関西化成株式会社", "Manufacturing", "大阪府", "大阪市", 1500,
		[]person{{"佐々木", "隆", "執行役員", "情報システム部"}, {"山口", "恵", "部長代理", "情報システム部"}, {"松本", "大輔", "", "総務部"}}, "在庫管理システム", "Qualification", 32_000_000, 7},
	{"有限会社さくら印刷", "Manufacturing", "京都府", "京都市", 18,
		[]person{{"井上", "勝", "社長", ""}}, "", "", 0, 1},
	{"九州ロジスティクス株式会社", "Retail", "福岡県", "福岡市", 640,
		[]person{{"木村", "彩", "物流企画部長", "物流企画部"}, {"林", "拓也", "課長", "物流企画部"}}, "配車最適化", "Prospecting", 7_800_000, 4},
	{"株式会社青葉銀行", "Finance", "宮城県", "仙台市", 2100,
		[]person{{"清水", "雅彦", "常務執行役員", ""}, {"阿部", "真理子", "次長", "事務統括部"}, {"森", "健太", "調査役", "事務統括部"}}, "帳票電子化", "Closed Won", 26_000_000, 5},
	{"北海道乳業株式会社", "Manufacturing", "北海道", "札幌市", 410,
		[]person{{"池田", "正人", "工場長", "札幌工場"}, {"橋本", "綾", "主任", "品質保証課"}}, "品質記録", "Closed Lost", 5_500_000, 3},
	{"株式会社ソラネット", "Technology", "東京都", "渋谷区", 75,
		[]person{{"石川", "翼", "CTO", ""}, {"前田", "美穂", "マネージャー", "開発部"}}, "監視サービス", "Proposal", 2_400_000, 8},
	{"瀬戸内造船株式会社", "Manufacturing", "広島県", "呉市", 980,
		[]person{{"藤田", "茂", "資材部長", "資材部"}, {"岡田", "恭子", "係長", "資材部"}}, "", "", 0, 0},
	{"Nordwind Trading K.K.", "Retail", "東京都", "港区", 52,
		[]person{{"Schmidt", "Anna", "Country Manager", ""}, {"O'Neil", "Pat", "Buyer", "Purchasing"}}, "Warehouse scanners", "Qualification", 3_100_000, 3},
	{"学校法人 緑ヶ丘学園", "", "東京都", "町田市", 300,
		[]person{{"後藤", "和夫", "理事長", ""}, {"長谷川", "由紀", "事務長", "法人事務局"}}, "校務システム", "Prospecting", 9_000_000, 2},
}

func (p *planter) company(n int, c company, owner string) {
	account := p.insert("Account", map[string]any{"Name": c.name, "AccountNumber": fmt.Sprintf("C%05d", 1001+n), "Type": "Customer",
		"Industry": c.industry, "NumberOfEmployees": c.employees, "BillingState": c.state, "BillingCity": c.city,
		"Phone": fmt.Sprintf("03-0000-%04d", 1001+n), "OwnerId": owner})
	var contacts []string
	for i, who := range c.people {
		contacts = append(contacts, p.insert("Contact", map[string]any{"AccountId": account, "LastName": who.last, "FirstName": who.first, "Title": who.title,
			"Department": who.department, "Email": fmt.Sprintf("c%d.%d@customer.example", 1001+n, i+1), "OwnerId": owner}))
	}
	var deal string
	if c.deal != "" {
		deal = p.insert("Opportunity", map[string]any{"AccountId": account, "Name": c.deal, "StageName": c.stage, "Amount": c.amount,
			"CloseDate": p.now.AddDate(0, 0, 20+7*n), "OwnerId": owner})
		p.insert("OpportunityContactRole", map[string]any{"OpportunityId": deal, "ContactId": contacts[0], "Role": "Decision Maker", "IsPrimary": true})
	}
	for i := range c.busy {
		p.activity(i, contacts[(i+n)%len(contacts)], account, deal, owner, p.now.Add(-time.Duration(24*(1+i*(3+n%4))-n)*time.Hour))
	}
}

// activity makes a call, a mail, a visit or a web meeting, in turn.
func (p *planter) activity(i int, who, account, deal, owner string, at time.Time) {
	what := account
	if deal != "" && i%2 == 0 {
		what = deal
	}
	at = at.Truncate(30 * time.Minute)
	stamps := map[string]any{"WhoId": who, "WhatId": what, "OwnerId": owner, "CreatedDate": at, "LastModifiedDate": at, "SystemModstamp": at}
	with := func(more map[string]any) map[string]any {
		for name, v := range stamps {
			more[name] = v
		}
		return more
	}
	switch i % 4 {
	case 0:
		p.insert("Event", with(map[string]any{"Subject": "訪問：要件打合せ", "StartDateTime": at, "EndDateTime": at.Add(time.Hour), "Location": "先方会議室"}))
	case 1:
		p.insert("Task", with(map[string]any{"Subject": "電話：見積の確認", "Status": "Completed", "Priority": "Normal", "TaskSubtype": "Call", "CallType": "Outbound",
			"CallDurationInSeconds": 420, "ActivityDate": at, "CompletedDateTime": at}))
	case 2:
		p.insert("Task", with(map[string]any{"Subject": "メール：資料送付", "Status": "Completed", "Priority": "Normal", "TaskSubtype": "Email", "ActivityDate": at, "CompletedDateTime": at}))
	case 3:
		p.insert("Event", with(map[string]any{"Subject": "Web会議：デモ", "StartDateTime": at, "EndDateTime": at.Add(45 * time.Minute), "Location": "オンライン"}))
	}
}
