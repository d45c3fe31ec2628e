package survey_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"energyd/connectors"
)

// contact is what really happened, of which layouts tell each in its own way.
type contact struct {
	n                     int
	at                    time.Time // local
	kind, act             string
	account, person, rep  int
	title, rank           string
	deal                  int // -1 = none
	entered, changed      time.Time
	minutes               int
	draft, deleted, reach bool // reach: somebody was reached
}

var (
	family  = []string{"佐藤", "鈴木", "高橋", "田中", "伊藤", "渡辺", "山本", "中村", "小林", "加藤", "吉田", "山田", "佐々木", "山口", "松本", "井上", "木村", "林", "清水", "山崎", "鮫島", "比嘉", "喜屋武", "四方", "栗田", "三宅"}
	given   = []string{"太郎", "花子", "健一", "由美子", "浩二", "誠", "直樹", "恵", "亮", "さくら", "翔", "真理"}
	english = []string{"James Hill", "Mary Stone", "Robert Finch", "Linda Marsh", "Peter Young", "Susan Clark", "Brian Wood", "Emma Lake", "Thomas Field", "Karen Moor", "Oskar Lind", "Priya Nair"}
	firms   = []string{"青葉製作所", "北斗システムズ", "若松商店", "三峰建設", "水無瀬製薬", "豊川エンジニアリング", "椿化学工業", "銀杏ホールディングス", "常盤台不動産", "霧島台テクノ", "サンライズ", "みどり電機", "大和フーズ", "花菱"}
	abroad  = []string{"Nordwind", "Harbor Freightways", "Blue Lake Foods", "Acton Tools", "Pinecrest", "Sterling & Moss", "Delta Optics", "Brightwater"}
	// title as written, rank of the points table
	titles   = [][2]string{{"部長", "department_manager"}, {"営業部長", "department_manager"}, {"課長", "section_manager"}, {"購買課長", "section_manager"}, {"係長", "chief"}, {"主任", "chief"}, {"代表取締役", "president"}, {"取締役", "executive"}, {"担当", "staff"}, {"マネージャー", "section_manager"}}
	titlesEn = [][2]string{{"Purchasing Manager", "section_manager"}, {"Director", "department_manager"}, {"CEO", "president"}, {"Buyer", "staff"}, {"Vice President", "executive"}, {"Head of IT", "department_manager"}}
	// kind, direction, Japanese words, English words
	hows = []struct {
		kind, act string
		ja, en    []string
	}{
		{"visit", "mutual", []string{"訪問", "客先訪問", "訪 問"}, []string{"Visit", "Site visit", "Meeting"}},
		{"visit_by_customer", "inbound", []string{"来社", "ご来社"}, []string{"Customer visit", "Showroom"}},
		{"phone", "mutual", []string{"電話", "ＴＥＬ"}, []string{"Phone", "Call"}},
		{"mail", "mutual", []string{"メール", "ﾒｰﾙ"}, []string{"E-mail", "email"}},
		{"web_meeting", "mutual", []string{"Web会議", "オンライン商談"}, []string{"Web meeting", "Zoom"}},
		{"exhibition", "mutual", []string{"展示会"}, []string{"Trade show"}},
	}
	memos   = []string{"新製品の件で打合せ。反応は良い。次回は見積を持参する。", "納期の相談。技術部門の同席を希望された。", "挨拶のみ。予算は来期とのこと。", "クレーム対応。原因を調べて報告する、との約束。"}
	memosEn = []string{"Talked about the new line, they liked it. Quote next week.", "Asked for a longer warranty; legal has to look at it.", "Short call, budget comes in April.", "Walked through the plant, met two engineers."}
)

// history makes n contacts over the year before 2026-10-01.
func history(n int, seed uint64) []contact {
	r := rand.New(rand.NewPCG(seed, 7))
	end := time.Date(2026, 9, 30, 0, 0, 0, 0, time.UTC)
	out := make([]contact, n)
	for i := range out {
		how := hows[min(int(r.ExpFloat64()*1.6), len(hows)-1)]
		title := titles[r.IntN(len(titles))]
		at := end.AddDate(0, 0, -r.IntN(360)).Add(time.Duration(9+r.IntN(9))*time.Hour + time.Duration(r.IntN(4)*15)*time.Minute)
		c := contact{n: i, at: at, kind: how.kind, act: how.act, account: r.IntN(60), rep: r.IntN(9), title: title[0], rank: title[1], deal: -1,
			minutes: 15 * (1 + r.IntN(8)), draft: r.IntN(40) == 0, deleted: r.IntN(50) == 0, reach: true}
		c.person = c.account*4 + r.IntN(4)
		if r.IntN(3) > 0 {
			c.deal = c.account*2 + r.IntN(2)
		}
		c.entered = at.Add(time.Duration(r.IntN(40*3600))*time.Second + time.Hour)
		c.changed = c.entered.Add(time.Duration(r.IntN(20*3600)) * time.Second)
		out[i] = c
	}
	return out
}

func firmName(n int) string {
	return firms[n%len(firms)] + []string{"", "東日本", "西日本", "北陸", "九州"}[n/len(firms)]
}

func firmNameEn(n int) string {
	return abroad[n%len(abroad)] + []string{"", " North", " South", " East", " West", " Bay", " Hill", " Port"}[n/len(abroad)] + []string{" Inc.", " Ltd.", " GmbH", ""}[n%4]
}

// firm is how people write a company's legal form.
func firm(n int) string {
	return []string{"株式会社%s", "%s㈱", "(株)%s", "%s 株式会社"}[n%4]
}

// value tells a contact in the form of that name.
func (c *contact) value(form string, r *rand.Rand) any {
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	words := func(english bool) string {
		for _, h := range hows {
			if h.kind == c.kind && english {
				return pick(h.en)
			} else if h.kind == c.kind {
				return pick(h.ja)
			}
		}
		return ""
	}
	name := family[c.person%len(family)] + " " + given[c.person%len(given)]
	title := titlesEn[c.n%len(titlesEn)][0]
	deal := func(s string) any {
		if c.deal < 0 {
			return nil
		}
		return fmt.Sprintf(s, c.deal)
	}
	switch form {
	case "date":
		return c.at.Format("2006-01-02")
	case "date/":
		return c.at.Format("2006/1/2")
	case "date年":
		return c.at.Format("2006年1月2日")
	case "era":
		return fmt.Sprintf("R%d.%d.%d", c.at.Year()-2018, c.at.Month(), c.at.Day())
	case "date8":
		return c.at.Format("20060102")
	case "date8int":
		return int64(c.at.Year()*10000 + int(c.at.Month())*100 + c.at.Day())
	case "time":
		return c.at
	case "timetext":
		return c.at.Format("2006-01-02 15:04")
	case "hm":
		return c.at.Format("15:04")
	case "hms":
		return c.at.Format("15:04:05")
	case "時":
		return c.at.Format("15時04分")
	case "endhm":
		return c.at.Add(time.Duration(c.minutes) * time.Minute).Format("15:04")
	case "end":
		return c.at.Add(time.Duration(c.minutes) * time.Minute)
	case "kind":
		return words(false)
	case "kinden":
		return words(true)
	case "kindnum":
		return int64(len(c.kind) % 5)
	case "inout":
		if c.act == "inbound" {
			return "受"
		}
		return "発"
	case "inouten":
		if c.act == "inbound" || c.n%3 == 0 {
			return "inbound"
		}
		return "outbound"
	case "code":
		return fmt.Sprintf("K%04d", c.account)
	case "codenum":
		return int64(10000 + c.account)
	case "firm":
		return fmt.Sprintf(firm(c.account), firmName(c.account))
	case "firmen":
		return firmNameEn(c.account)
	case "person":
		return name
	case "person様":
		return name + []string{"様", "　様", ""}[c.n%3]
	case "person役":
		return strings.Fields(name)[0] + c.title + []string{"", "様"}[c.n%2]
	case "surname様":
		return strings.Fields(name)[0] + "様"
	case "personen":
		return english[c.person%len(english)]
	case "personcode":
		return fmt.Sprintf("P%05d", c.person)
	case "title":
		return c.title
	case "titlegap":
		if c.n%3 == 0 {
			return nil
		}
		return c.title
	case "titleen":
		return title
	case "mail":
		return fmt.Sprintf("p%d@customer%d.example", c.person, c.account)
	case "rep":
		return family[c.rep] + given[c.rep]
	case "repsurname":
		return family[c.rep]
	case "repen":
		return english[c.rep]
	case "repcode":
		return fmt.Sprintf("E%03d", c.rep)
	case "repnum":
		return int64(100 + c.rep)
	case "repmail":
		return fmt.Sprintf("rep%d@our.example", c.rep)
	case "deal":
		return deal("D%05d")
	case "dealname":
		return deal("基幹更新案件%d期")
	case "dealnameen":
		return deal("Renewal phase %d")
	case "memo":
		return pick(memos) + fmt.Sprint(c.n)
	case "memoen":
		return pick(memosEn) + fmt.Sprint(" ", c.n)
	case "subject":
		return pick([]string{"新製品の案内", "見積提出", "定期訪問", "納期調整", "ご挨拶"}) + []string{"", "の件"}[c.n%2]
	case "subjecten":
		return pick([]string{"New product", "Quotation", "Delivery date", "Introduction"})
	case "minutes":
		return int64(c.minutes)
	case "result":
		return pick([]string{"前進", "維持", "後退"})
	case "resulten":
		return pick([]string{"positive", "neutral", "negative"})
	case "status":
		if c.draft {
			return "下書き"
		}
		return pick([]string{"提出済", "承認済"})
	case "statusen":
		if c.draft {
			return "Draft"
		}
		return "Submitted"
	case "id":
		return int64(c.n + 1)
	case "idtext":
		return fmt.Sprintf("NP-%06d", c.n+1)
	case "uuid":
		return fmt.Sprintf("%08x-0000-4000-8000-%012x", c.n*7919, c.n)
	case "changed":
		return c.changed
	case "created":
		return c.entered
	case "createdtext":
		return c.entered.Format("2006/01/02 15:04:05")
	case "deleted":
		if c.deleted {
			return int64(1)
		}
		return int64(0)
	case "deletedyn":
		if c.deleted {
			return "Y"
		}
		return "N"
	case "next":
		if c.n%3 == 0 {
			return nil
		}
		return c.at.AddDate(0, 0, 30+c.n%60).Format("2006-01-02")
	case "amount":
		return int64(c.n%97) * 10000
	case "place":
		return pick([]string{"先方会議室", "当社", "本社3F", "工場"})
	case "phone":
		return fmt.Sprintf("03-%04d-%04d", c.account, c.person)
	case "dept":
		return pick([]string{"営業部", "購買部", "情報システム部", "総務課"})
	case "depten":
		return pick([]string{"Sales", "IT", "Purchasing"})
	case "product":
		return pick([]string{"AX-100", "BX-200", "クラウド保守"})
	case "count":
		return int64(1 + c.n%3)
	case "approver":
		return family[20+c.n%2] + "部長"
	case "approved":
		return c.changed.Format("2006-01-02")
	case "keyman":
		return []any{"○", nil, nil}[c.n%3]
	case "weather":
		return pick([]string{"晴", "曇", "雨"})
	case "birthday":
		return fmt.Sprintf("19%02d-05-%02d", 50+c.person%40, 1+c.person%28)
	case "companion":
		return []any{nil, family[(c.rep+1)%9], nil}[c.n%3]
	case "empty":
		return nil
	}
	panic("no form " + form)
}

// layout is a table or file of some company. Its columns are written as "name|role|form".
type layout struct {
	name    string
	held    bool // never looked at while words and weights were chosen
	columns []string
}

// sample is n rows of a layout, as a connector would give them.
func (l layout) sample(contacts []contact) connectors.Sample {
	r := rand.New(rand.NewPCG(1, 2))
	s := connectors.Sample{Item: connectors.Item{Name: l.name, Kind: "table", Rows: int64(len(contacts))}, Whole: true}
	for _, c := range l.columns {
		part := strings.Split(c, "|")
		_, typed := contacts[0].value(part[2], r).(time.Time)
		s.Columns = append(s.Columns, connectors.SampleColumn{Name: part[0], Type: "text", Key: part[1] == "key", Tells: typed})
	}
	for i := range contacts {
		row := make([]any, len(l.columns))
		for j, c := range l.columns {
			row[j] = contacts[i].value(strings.Split(c, "|")[2], r)
		}
		s.Rows = append(s.Rows, row)
	}
	return s
}

// layouts, with what each column really is; "-" is none of the roles, and "a/b" either of two.
var layouts = []layout{
	{name: "営業日報", columns: []string{"日報番号|key|id", "訪問日|date|date", "開始時刻|time|hm", "顧客コード|account_code|code", "顧客名|account_name|firm", "面談者|contact_name|person様", "役職|title|title", "活動区分|kind|kind", "内容|memo|memo", "担当者|rep_name|rep", "更新日時|changed|changed"}},
	{name: "daily_report", columns: []string{"report_id|key|id", "report_date|date|date", "start_time|time|hms", "rep_code|rep_code|repcode", "account_code|account_code|code", "contact_code|contact_code|personcode", "contact_title|title|title", "activity|kind|kind", "minutes|minutes|minutes", "result|result|result", "memo|memo|memo", "updated_at|changed|changed"}},
	{name: "visits", columns: []string{"id|key|id", "visit_date|date|date", "customer|account_name|firmen", "contact_person|contact_name|personen", "job_title|title|titleen", "visit_type|kind|kinden", "sales_rep|rep_name|repen", "notes|memo|memoen", "created_at|created|created", "modified_at|changed|changed"}},
	{name: "T_NIPPO", columns: []string{"NIPPO_NO|key|idtext", "HOUMON_BI|date|date8", "KOKYAKU_CD|account_code|code", "KOKYAKU_MEI|account_name|firm", "TANTOU_CD|rep_code|repcode", "HOUMON_KBN|kind|kind", "NAIYOU|memo|memo", "KOUSHIN_NICHIJI|changed|changed"}},
	{name: "活動履歴", columns: []string{"活動ID|key|idtext", "活動日|date|date/", "開始時刻|time|hm", "取引先名|account_name|firm", "先方担当者|contact_name|person様", "役職|title|titlegap", "活動種別|kind|kind", "自社担当|rep_code/rep_name|repcode", "案件番号|deal_code|deal"}},
	{name: "日報", columns: []string{"No|key|id", "日付|date|era", "時間|time|時", "会社名|account_name|firm", "相手|contact_name|person役", "方法|kind|kind", "備考|memo|memo", "営業|rep_name|repsurname"}},
	{name: "CRM_Activities", columns: []string{"ActivityId|key|uuid", "StartDateTime|date/time|time", "EndDateTime|end_time|end", "AccountId|account_code|code", "ContactEmail|contact_mail|mail", "Channel|kind|kinden", "Direction|direction|inouten", "OwnerEmail|rep_mail|repmail", "Subject|subject|subjecten", "Description|memo|memoen", "LastModifiedDate|changed|changed"}},
	{name: "訪問記録", columns: []string{"番号|key|id", "訪問年月日|date|date年", "訪問先|account_name|firm", "面会者氏名|contact_name|surname様", "面会者役職|title|title", "用件|subject/kind|subject", "報告|memo|memo", "報告者|rep_name|rep", "次回予定日|next_date|next", "登録日時|created|createdtext"}},
	{name: "call_log", columns: []string{"callid|key|id", "calldate|date|timetext", "custno|account_code|codenum", "custname|account_name|firmen", "agent|rep_name|repen", "in_out|direction|inouten", "duration_min|minutes|minutes", "remarks|memo|memoen"}},
	{name: "商談管理", columns: []string{"商談番号|deal_code|deal", "案件名|deal_name|dealname", "商談日|date|date", "得意先コード|account_code|codenum", "得意先|account_name|firm", "窓口担当|contact_name|person", "肩書|title|title", "接触方法|kind|kind", "商談内容|memo|memo", "金額|-|amount", "担当営業|rep_name|rep", "削除フラグ|deleted|deleted", "最終更新|changed|changed"}},
	{name: "sfa_act", columns: []string{"seq|key|id", "act_ymd|date|date8int", "tokuisaki_cd|account_code|code", "aite|contact_name|surname様", "yakushoku|title|title", "shubetsu|kind|kind", "bikou|memo|memo", "shain_no|rep_code|repnum", "ins_date|created|created", "upd_date|changed|changed"}},
	{name: "interactions", columns: []string{"Interaction No.|key|idtext", "Date of Contact|date|date", "Time|time|hm", "Company|account_name|firmen", "Who|contact_name|personen", "Position|title|titleen", "How|kind|kinden", "Summary|memo|memoen", "Owner|rep_name|repen", "Status|status|statusen", "Follow-up Date|next_date|next"}},

	{name: "日報データ", held: true, columns: []string{"伝票No|key|idtext", "実施日|date|date/", "開始|time|hm", "終了|end_time|endhm", "客先CD|account_code|code", "客先名|account_name|firm", "応対者|contact_name|person様", "応対者職位|title|title", "手段|kind|kind", "報告内容|memo|memo", "営業担当者|rep_name|rep", "承認者|-|approver", "天候|-|weather"}},
	{name: "eigyo_katsudo", held: true, columns: []string{"katsudo_id|key|id", "katsudo_nichiji|date|timetext", "torihikisaki_code|account_code|code", "torihikisaki_mei|account_name|firm", "mendansha|contact_name|person様", "katagaki|title|title", "katsudo_houhou|kind|kind", "shoyou_jikan|minutes|minutes", "gaiyou|memo|memo", "eigyou_tantousha|rep_name|rep", "koushinbi|changed|changed"}},
	{name: "SalesVisits", held: true, columns: []string{"VisitKey|key|id", "DateOfVisit|date|date", "ClientNo|account_code|codenum", "ClientName|account_name|firmen", "PersonMet|contact_name|personen", "PersonMetTitle|title|titleen", "MeetingType|kind|kinden", "Salesperson|rep_name|repen", "OpportunityId|deal_code|deal", "Comments|memo|memoen", "LastUpdated|changed|changed"}},
	{name: "顧客対応履歴", held: true, columns: []string{"ID|key|id", "対応日時|date|time", "お客様番号|account_code|codenum", "お客様名|account_name|firm", "ご担当者様|contact_name|person様", "お役職|title|title", "対応種別|kind|kind", "受発信区分|direction|inout", "対応内容|memo|memo", "対応者|rep_name|rep", "登録者|-|rep", "登録日|created|createdtext"}},
	{name: "crm_touchpoints", held: true, columns: []string{"touchpoint_id|key|uuid", "occurred_on|date|date", "organisation|account_name|firmen", "attendee_name|contact_name|personen", "attendee_email|contact_mail|mail", "attendee_role|title|titleen", "medium|kind|kinden", "outcome|result|resulten", "body|memo|memoen", "assigned_to|rep_mail|repmail", "is_deleted|deleted|deleted", "edited_at|changed|changed"}},
	{name: "週報明細", held: true, columns: []string{"明細番号|key|idtext", "面談日|date|date年", "相手先企業|account_name|firm", "面談相手|contact_name|person役", "面談形式|kind|kind", "話した内容|memo|memo", "提出者|rep_name|rep", "ステータス|status|status", "同行者|-|companion", "次回アポ|next_date|next"}},
	{name: "TBL_SALES_RPT", held: true, columns: []string{"RPT_SEQ|key|id", "RPT_YMD|date|date8", "CUST_CD|account_code|code", "CUST_NM|account_name|firm", "EMP_NO|rep_code|repnum", "ACT_TYPE|kind|kind", "PROJ_CD|deal_code|deal", "RPT_TEXT|memo|memo", "DEL_FLG|deleted|deletedyn", "REG_DATE|created|created", "UPD_TS|changed|changed"}},
	{name: "接触記録", held: true, columns: []string{"記録番号|key|idtext", "いつ|date|date", "だれに|contact_name|surname様", "相手の役職|title|title", "どこの会社|account_name|firm", "どうやって|kind|kind", "何を|memo|memo", "自社の誰|rep_name|rep"}},
	{name: "phone_and_mail", held: true, columns: []string{"ref|key|idtext", "timestamp|date|time", "account_number|account_code|codenum", "contact_name|contact_name|personen", "designation|title|titleen", "via|kind|kinden", "initiated_by|direction|inouten", "notes_text|memo|memoen", "handled_by|rep_name|repen", "next_step_due|next_date|next"}},
	{name: "営業活動報告書", held: true, columns: []string{"管理No.|key|id", "活動年月日|date|date/", "活動時間(分)|minutes|minutes", "顧客CD|account_code|code", "企業名|account_name|firm", "所属部署|department|dept", "氏名|contact_name|person", "役職名|title|title", "活動形態|kind|kind", "活動目的|subject|subject", "特記事項|memo|memo", "社員番号|rep_code|repcode", "見積金額|-|amount", "決裁権|keyman|keyman", "訂正日時|changed|changed"}},
	{name: "client_meetings", held: true, columns: []string{"meeting_ref|key|idtext", "held_on|date|date", "from|time|hm", "to|end_time|endhm", "firm|account_name|firmen", "met_with|contact_name|personen", "their_position|title|titleen", "format|kind|kinden", "minutes_of_meeting|memo|memoen", "our_staff|rep_name|repen", "venue|-|place", "participants_count|-|count"}},
	{name: "syodan", held: true, columns: []string{"syodan_no|key|idtext", "syodan_bi|date|date", "kaisya_mei|account_name|firm", "tantousya|rep_name/contact_name|rep", "senpou_tantousya|contact_name|person様", "yakusyoku|title|title", "houhou|kind|kind", "memo|memo|memo", "anken_cd|deal_code|deal", "henkou_date|changed|changed"}},
}
