package survey

import "fmt"

// Advice is something that is missing for a good energy, or looks wrong, and what to do.
type Advice struct {
	Code string `json:"code"` // "no_title", "kinds_open" …
	Text string `json:"text"` // what is missing, and what it costs
	Do   string `json:"do"`
	Must bool   `json:"must"` // without it no row becomes an activity
}

// staleDays is after how long without a contact a source looks dead.
const staleDays = 60

// advise tells what an item with contacts lacks.
func (s *surveyor) advise() {
	t := s.text
	add := func(code string, must bool, what, do string) {
		s.item.Advice = append(s.item.Advice, Advice{Code: code, Text: what, Do: do, Must: must})
	}
	any := func(roles ...Role) bool {
		for _, r := range roles {
			if i, ok := s.role[r]; ok && s.values[i].filled > 0 {
				return true
			}
		}
		return false
	}
	if !any(Date) {
		add("no_date", true, t.of("No column tells when a contact was.", "いつ接触したか分かる列がない。"),
			t.of("Name the column in activity.at of the mapping, or add one to the source.", "マッピングの activity.at に列名を書くか、元データに日付の列を加える。"))
	}
	told := s.prose
	if told == nil {
		told = &prose{}
	}
	if !any(AccountCode, AccountName, ContactMail) && (!s.byText() || told.firm == 0) {
		add("no_account", true, t.of("No column names the customer.", "顧客を特定できる列がない。"),
			t.of("Add the customer's code, as the CRM has it.", "CRMと同じ顧客コードの列を加える。"))
	}
	s.adviseDirectory(add)
	if s.byText() {
		silent := 1 - told.kind - told.unheld
		add("kind_in_text", false, t.f("How the customer was met stands only in the text of %s; %s of the texts tell it.", "接触方法は%sの文中にしかなく、%sの文から読み取れる。", s.name(told.column), t.percent(told.kind)),
			t.f("Rows whose text does not tell it (%s) are rejected: add your words to phrases.yaml, or let reports say it by choice of a list.",
				"読み取れない行(%s)は保留になる。自社の言い回しを phrases.yaml に加えるか、日報に選択式の項目を設ける。", t.percent(max(silent, 0))))
	} else if !any(Kind) {
		add("no_kind", false, t.of("No column tells how the customer was met; visit, phone and mail weigh very differently.", "接触方法の列がない。来社・訪問・電話・メールでは重みが大きく違う。"),
			t.of("Let reports say it by choice of a list: 来社, 訪問, Web会議, 電話, メール.", "日報に選択式で「来社・訪問・Web会議・電話・メール」を加える。"))
	} else if s.item.Proposal != nil {
		open, rows := 0, 0
		for _, w := range s.item.Proposal.Words {
			if w.Kind == "" {
				open++
				rows += w.Count
			}
		}
		if open > 0 {
			add("kinds_open", open == len(s.item.Proposal.Words), t.f("Words of the kinds that are not known: %d. For them %d of %d rows looked at would be rejected.", "接触方法の%d語が未対応。調べた%[3]d行中%[2]d行が保留になる。", open, rows, s.item.Looked),
				t.of("Fill in the lines marked TODO under lookups.kinds.", "lookups.kinds の TODO の行を埋める。"))
		}
	}
	if !any(Title) && (s.list == nil || s.list.title == "") && (s.item.Proposal == nil || !s.titleInName()) {
		if told.titled >= textsTellMore && !any(ContactCode, ContactMail) {
			add("title_in_text", false, t.f("Titles of the people met stand only in the text of %s; %s of the texts tell one.", "面談者の役職は%sの文中にしかなく、%sの文から読み取れる。", s.name(told.column), t.percent(told.titled)),
				t.of("Add the title (役職) or the person's code to reports.", "日報に役職または担当者コードを加える。"))
		} else if any(ContactCode, ContactMail) {
			add("no_title", false, t.of("No column tells the title of the person met; the CRM's present title is used instead.", "面談者の役職の列がない。CRMにある現在の役職を使う。"),
				t.of("Keep titles in the CRM's contacts up to date, or add the title to reports.", "CRMの役職を最新に保つか、日報に役職を加える。"))
		} else {
			add("no_title", false, t.of("No column tells the title of the person met, so who was met weighs the same for everybody.", "面談者の役職が分からず、誰に会っても同じ重みになる。"),
				t.of("Add the title (役職) or the person's code to reports.", "日報に役職または担当者コードを加える。"))
		}
	}
	if !any(ContactCode, ContactMail) && (s.list == nil || s.list.mail == "") {
		add("no_contact", false, t.of("The person met is not known by a code or an address, so energy of people cannot be told.", "面談者をコードやメールアドレスで特定できず、人ごとのエネルギーは出せない。"),
			t.of("Add the person's code, as the CRM has it.", "CRMと同じ担当者コードを加える。"))
	}
	if s.item.Proposal != nil && !s.tellsDirection() {
		add("no_direction", false, t.of("Nothing tells whose act it was; a customer's call is worth more than ours.", "どちらからの接触か分からない。顧客からの電話は当社からの電話より重い。"),
			t.of("Let reports tell incoming from outgoing calls and mails (受電 / 架電).", "日報で受電と架電、受信と送信を分ける。"))
	}
	if d, ok := s.role[Date]; ok && !any(Time) && s.values[d].both < 0.5 && told.timed < textsTellTimes {
		add("no_time", false, t.of("No time of day is told; of several contacts on a day the order is not known.", "時刻がなく、同じ日の接触の順序が分からない。"),
			t.of("It counts by the day all the same; add the start time if you can.", "日単位では数えられる。できれば開始時刻を加える。"))
	}
	if !any(RepCode, RepMail, RepName) {
		add("no_rep", false, t.of("No column tells which of our people it was.", "自社の担当者の列がない。"), t.of("Add the user's code or address.", "社員コードまたはメールアドレスを加える。"))
	}
	if !any(DealCode) {
		add("no_deal", false, t.of("No column names the deal; the energy counts for the customer alone.", "案件の列がなく、エネルギーは顧客にだけ数えられる。"),
			t.of("Add the deal's number where there is one.", "あれば案件番号を加える。"))
	}
	s.adviseReading(add)
	s.adviseValues(add)
}

// adviseReading tells what stands against reading the item night by night.
func (s *surveyor) adviseReading(add func(code string, must bool, what, do string)) {
	t := s.text
	declared, tells := false, false
	for _, c := range s.sample.Columns {
		declared = declared || c.Key
		tells = tells || c.Tells
	}
	if !tells { // files and mailboxes are followed otherwise
		return
	}
	if !declared && s.key() == nil {
		add("no_key", true, t.of("No column, and no few columns together, tell the rows apart.", "行を一意に決める列がない。"),
			t.of("Ask for a primary key, or name columns that are unique together in key of the source.", "主キーを設けるか、一意になる列の組をソースの key に書く。"))
	}
	if i, ok := s.role[Changed]; !ok || !s.sample.Columns[i].Tells {
		add("no_changed", false, t.of("No column tells when a row changed, so the whole table is read each time.", "更新日時の列がなく、毎回全件を読むことになる。"),
			t.of("Add a time of the last change that the database sets, and an index on it.", "データベースが設定する更新日時の列と索引を加える。"))
	}
	for _, c := range s.sample.Columns {
		if c.Zoneless {
			add("zone", false, t.f("Times are stored without a zone; %s is taken for granted.", "時差の情報がない日時がある。%sとみなす。", s.env.Zone),
				t.of("Compare one row's time with the clock on the wall; set timezone of the source otherwise.", "1行の日時を実際の時刻と比べ、違えばソースの timezone を直す。"))
			break
		}
	}
}

// adviseDirectory tells how many customers the CRM knows.
func (s *surveyor) adviseDirectory(add func(code string, must bool, what, do string)) {
	t := s.text
	if s.find == nil {
		add("no_directory", false, t.of("The CRM's customers were not read yet, so codes could not be compared with them.", "CRMの取引先がまだ読み込まれておらず、コードを照合できなかった。"),
			t.of("Run energyd pull users accounts contacts opportunities, and the survey again.", "energyd pull users accounts contacts opportunities の後、もう一度調査する。"))
		return
	}
	best, column, named := 0.0, "", false
	for _, r := range []Role{AccountCode, AccountName, ContactMail} {
		i, ok := s.role[r]
		if !ok || s.values[i].checked == 0 {
			continue
		}
		if column == "" {
			column, named = s.name(i), r == AccountName
		}
		for _, h := range s.values[i].found {
			if (h.Kind.String() == "account" || r == ContactMail) && h.Share > best {
				best, column, named = h.Share, s.name(i), r == AccountName
			}
		}
	}
	s.item.Known = best
	if column != "" && best < 0.9 {
		do := t.of("Let the CRM's accounts carry the same code (keys in mappings/crm_account.yaml), or add the customers to the CRM.", "CRMの取引先に同じコードを持たせる(mappings/crm_account.yaml の keys)か、取引先をCRMに登録する。")
		if i, ok := s.role[AccountCode]; ok && best < 0.5 && s.values[i].padded > 0.5 {
			do = t.f("The CRM has the same codes with another number of zeros in front. Give accounts a key without them, keys: {number: text(number(…))}, and write find(\"account\", \"number\", text(number(%s))).",
				"CRMの同じコードとは先頭の0の数が違う。取引先のマッピングに keys: {number: text(number(…))} を加え、find(\"account\", \"number\", text(number(%s))) と書く。", s.name(i))
		}
		if named {
			do = t.of("Write the names as the CRM has them, better add the customer's code; or add the customers to the CRM.", "社名をCRMと揃えるか、できれば顧客コードの列を加える。または取引先をCRMに登録する。")
		}
		add("unknown_accounts", best == 0, t.f("Of the customers in %s the CRM knows %s; rows of the others wait as rejects.", "%sの顧客のうちCRMにあるのは%s。他の行は保留になる。", column, t.percent(best)), do)
	}
}

// adviseValues tells of values that will not do.
func (s *surveyor) adviseValues(add func(code string, must bool, what, do string)) {
	t := s.text
	if i, ok := s.role[Date]; ok {
		v := s.values[i]
		if bad := 1 - v.date - v.both; bad > 0.005 && v.filled > 0 {
			add("bad_dates", false, t.f("%.1f %% of %s are no dates; their rows are rejected.", "%[2]sの%.1[1]f%%が日付でなく、保留になる。", 100*bad, s.name(i)), t.of("Correct them at the source.", "元データで直す。"))
		}
		if empty := v.rows - v.filled; empty > 0 {
			add("empty_dates", false, t.f("%d of %d rows have no date.", "%[2]d行中%[1]d行に日付がない。", empty, v.rows), t.of("They are rejected until one is filled in.", "記入されるまで保留になる。"))
		}
		if v.future > 0.01 {
			add("future", false, t.f("%.0f %% of the dates lie in the future; such rows count when their day has come.", "日付の%.0f%%が未来。その日が来てから数えられる。", 100*v.future),
				t.of("If they are plans that may not happen, leave them out by a skip rule.", "実施されない予定なら skip で除く。"))
		}
		if age := int(s.today.Sub(v.to).Hours() / 24); !v.to.IsZero() && age > staleDays {
			add("stale", false, t.f("The newest contact is of %s, %d days ago.", "最新の接触が%s(%d日前)。", day(v.to), age), t.of("Is it still in use? Another table may have taken its place.", "今も使われているか、別の表に移っていないか確認する。"))
		}
	}
	if i, ok := s.role[ContactName]; ok && s.values[i].several > 0.1 {
		add("several_people", false, t.f("%.0f %% of %s name several people; they count as one.", "%[2]sの%.0[1]f%%に複数の人が書かれているが、1人として数える。", 100*s.values[i].several, s.name(i)),
			t.of("Enter one row per person, or leave it: the highest title counts.", "1人1行にするか、そのままなら最も高い役職が数えられる。"))
	}
	if i, ok := s.role[Title]; ok {
		v := s.values[i]
		if unknown := 1 - v.title; v.filled > 0 && unknown > 0.05 {
			add("titles", false, t.f("%.0f %% of the titles are not understood.", "役職の%.0f%%が読み取れない。", 100*unknown), t.of("Add them to titles.yaml.", "titles.yaml に加える。"))
		}
		if fill := float64(v.filled) / float64(max(v.rows, 1)); fill < 0.5 {
			add("titles_empty", false, fmt.Sprintf(t.of("Only %.0f %% of the rows have a title.", "役職があるのは%.0f%%の行だけ。"), 100*fill), t.of("Make it a required entry of reports.", "日報の必須項目にする。"))
		}
	}
}

// titleInName tells that names carry a title behind.
func (s *surveyor) titleInName() bool {
	i, ok := s.role[ContactName]
	return ok && s.values[i].endsInTitle > 0.1
}

// tellsDirection tells that the mapping has a direction.
func (s *surveyor) tellsDirection() bool {
	for _, l := range s.item.Proposal.Lines {
		if l.Field == "activity.direction" {
			return true
		}
	}
	return false
}
