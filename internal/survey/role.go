package survey

import (
	"slices"
	"strings"

	"energyd/connectors"
	"energyd/engine"
)

// Role is what a column is to a contact.
type Role string

// The roles. None is a column that a mapping does not read.
const (
	Key         Role = "key"
	Changed     Role = "changed"
	Created     Role = "created"
	Deleted     Role = "deleted"
	Date        Role = "date"
	Time        Role = "time"
	EndTime     Role = "end_time"
	Minutes     Role = "minutes"
	NextDate    Role = "next_date"
	Kind        Role = "kind"
	Direction   Role = "direction"
	Status      Role = "status"
	Result      Role = "result"
	AccountCode Role = "account_code"
	AccountName Role = "account_name"
	ContactCode Role = "contact_code"
	ContactName Role = "contact_name"
	ContactMail Role = "contact_mail"
	Title       Role = "title"
	Department  Role = "department"
	Keyman      Role = "keyman"
	RepCode     Role = "rep_code"
	RepName     Role = "rep_name"
	RepMail     Role = "rep_mail"
	DealCode    Role = "deal_code"
	DealName    Role = "deal_name"
	Memo        Role = "memo"
	Subject     Role = "subject"
	None        Role = "none"
)

// roles in the order in which pages show them, with their labels.
var roles = []struct {
	role   Role
	en, ja string
}{
	{Key, "key", "キー"}, {Date, "date", "接触日"}, {Time, "time of day", "開始時刻"}, {EndTime, "end", "終了時刻"}, {Minutes, "minutes", "所要時間"},
	{Kind, "kind", "接触方法"}, {Direction, "direction", "方向"}, {Status, "status", "状態"}, {Result, "result", "結果"},
	{AccountCode, "customer's code", "顧客コード"}, {AccountName, "customer's name", "顧客名"},
	{ContactCode, "person's code", "担当者コード(顧客)"}, {ContactName, "person met", "面談者"}, {ContactMail, "person's address", "メールアドレス(顧客)"},
	{Title, "title", "役職"}, {Department, "department", "部署"}, {Keyman, "keyman", "キーマン"},
	{RepCode, "our person's code", "自社担当コード"}, {RepName, "our person", "自社担当"}, {RepMail, "our person's address", "自社担当メール"},
	{DealCode, "deal's code", "案件番号"}, {DealName, "deal's name", "案件名"}, {Memo, "report text", "報告文"}, {Subject, "subject", "件名"},
	{NextDate, "next date", "次回予定"}, {Changed, "last change", "更新日時"}, {Created, "entered at", "登録日時"}, {Deleted, "deleted mark", "削除印"},
	{None, "not read", "対象外"},
}

func roleNames() []string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = string(r.role)
	}
	return names
}

// Label is a role's name for people.
func (r Role) Label(language string) string {
	for _, known := range roles {
		if known.role == r {
			return text(language).of(known.en, known.ja)
		}
	}
	return string(r)
}

// Guess is what a column is thought to be.
type Guess struct {
	Role       Role    `json:"role"`
	Confidence float64 `json:"confidence"` // 0 to 1
	Reason     string  `json:"reason"`
}

// times are the roles for which values speak alike.
var times = []Role{Date, Time, EndTime, NextDate, Created, Changed}

// enough is the confidence below which nothing is said of a column.
const enough = 0.40

// evidence is what a column's values say of one role.
type evidence struct {
	support float64 // 0 to 1
	against bool    // the values cannot be that
	why     string  // a phrase; "" when they say nothing
}

// byValues weighs a column's values for each role.
func (s *surveyor) byValues(c *connectors.SampleColumn, v *values) map[Role]evidence {
	t := s.text
	share := t.percent
	dated := v.date + v.both
	code := v.code > 0.7 && v.company < 0.1
	word := dated < 0.3 && v.clock < 0.3 && v.number < 0.5 && v.mail < 0.3 && v.phone < 0.3 && v.url < 0.3 // texts of people
	distinct := len(v.order)
	many := distinct > 20 && float64(distinct) > 0.3*float64(v.filled)
	const1 := v.filled > 20 && distinct == 1
	known := func(kind engine.EntityKind, names bool) evidence {
		for _, h := range v.found {
			if h.Kind == kind && (h.Key == "name") == names && h.Key != "email" && h.Key != "domain" && h.Share >= 0.2 {
				return evidence{support: min(1, 0.6+0.5*h.Share), why: t.f("%s are known to the CRM as %s %s", "%sがCRMに%sの%sとしてある", share(h.Share), t.entity(kind), h.Key)}
			}
		}
		return evidence{}
	}
	codes := func(kind engine.EntityKind) evidence {
		e := known(kind, false)
		switch {
		case v.company > 0.3 || v.long > 0.2 || dated > 0.3 || v.clock > 0.3 || v.mail > 0.3 || v.person > 0.4 || v.honorific > 0.2 || v.flag && distinct == 2 && v.number < 1 || v.even > 0 && v.clock > 0.3:
			e = evidence{against: true}
		case e.support == 0 && code:
			e = evidence{support: 0.25, why: t.f("looks like codes", "コードの形")}
		case e.support == 0 && v.number < 0.7 && (v.length > 25 || v.title > 0.4 || v.kind > 0.4):
			e = evidence{against: true}
		}
		return e
	}
	out := map[Role]evidence{}

	full := v.filled == v.rows && v.rows > 0
	switch {
	case c.Key:
		out[Key] = evidence{support: 0.95, why: t.f("declared as the key", "主キーとして宣言されている")}
	case v.repeats || !full:
		out[Key] = evidence{against: true}
	case code || v.number > 0.9:
		out[Key] = evidence{support: 0.4, why: t.f("filled and different in each row", "全行に値があり重複しない")}
	}

	dates := evidence{against: true}
	if dated > 0.6 {
		dates = evidence{support: min(1, 0.35+0.3*dated), why: t.f("%s are dates", "%sが日付", share(dated))}
		if v.date > 0.6 {
			dates.support += 0.1
		}
		if v.both > 0.6 && v.even < 0.5 { // seconds at random: a computer's clock
			dates.support -= 0.25
		}
	}
	out[Date], out[NextDate], out[Created] = dates, dates, dates
	if v.future > 0.4 {
		out[Date] = evidence{against: true}
	} else if v.future > 0.05 && float64(v.filled) > 0.2*float64(v.rows) {
		out[NextDate] = evidence{support: 0.6, why: t.f("%s lie in the future", "%sが未来の日付", share(v.future))}
	}
	out[Created] = evidence{against: dates.against, support: 0.4 * dates.support, why: dates.why}
	out[Changed] = evidence{against: true}
	switch {
	case v.both > 0.6 && !c.Tells:
		out[Changed] = evidence{} // the source cannot follow it
	case v.both > 0.6:
		out[Changed] = evidence{support: 0.2, why: t.f("times with a clock time", "時刻付きの日時")}
		if v.even < 0.6 {
			out[Changed] = evidence{support: 0.55, why: t.f("times to the second, as a computer's clock gives them", "秒まである日時(システム時刻らしい)")}
		}
	}
	clocks := evidence{against: true}
	switch {
	case v.clock > 0.5:
		clocks = evidence{support: 0.7, why: t.f("%s are times of day", "%sが時刻", share(v.clock))}
	case v.both > 0.6 && v.even > 0.6:
		clocks = evidence{support: 0.3, why: t.f("dates with a time of day", "時刻付きの日付")}
	}
	out[Time], out[EndTime] = clocks, clocks
	if clocks.support > 0.5 {
		out[EndTime] = evidence{support: 0.4, why: clocks.why}
	}
	out[Minutes] = evidence{against: v.number < 0.7 || v.low < 0 || v.high > 1440 || code && v.high > 1440}
	if !out[Minutes].against && v.low >= 1 && v.high <= 600 && distinct <= 40 {
		out[Minutes] = evidence{support: 0.2, why: t.f("numbers from %.0f to %.0f", "%.0fから%.0fの数", v.low, v.high)}
	}

	switch {
	case len(v.words) > 0 && v.kind > 0.3 && v.status < 0.7:
		out[Kind] = evidence{support: min(1, 0.2+0.8*v.kind), why: t.f("the database tells what its codes mean; %s mean a kind", "データベースにコードの意味があり、%sが接触方法を表す", share(v.kind))}
	case !word && !v.flag || distinct > 200 || v.long > 0.3 || v.person > 0.5 || v.company > 0.5 || v.manager > 0.5:
		out[Kind] = evidence{against: !(v.number > 0.5 && distinct <= 20)}
	case v.kind > 0.3 && v.status < 0.7:
		out[Kind] = evidence{support: min(1, 0.2+0.8*v.kind), why: t.f("%s mean a kind (%d words)", "%sが接触方法を表す語(%d種)", share(v.kind), v.kindWords)}
		if distinct > 60 {
			e := out[Kind]
			e.support *= 0.5
			out[Kind] = e
		}
	case distinct > 60:
		out[Kind] = evidence{against: true}
	}
	switch {
	case distinct > 8 || v.long > 0.2 || dated > 0.3 || v.person > 0.3:
		out[Direction] = evidence{against: true}
	case v.direction > 0.6:
		out[Direction] = evidence{support: 0.85 * v.direction, why: t.f("%s tell whose act it was", "%sがどちらからかを表す", share(v.direction))}
	}
	few := evidence{against: distinct > 30 || v.long > 0.3 || dated > 0.5 || v.person > 0.5}
	out[Result] = few
	out[Status] = few
	if !few.against && v.status > 0.5 {
		out[Status] = evidence{support: 0.7 * v.status, why: t.f("%s are words of a status", "%sが状態を表す語", share(v.status))}
	}
	out[Deleted] = evidence{against: distinct > 3 && dated < 0.5 || v.filled == v.rows && dated > 0.5}
	out[Keyman] = evidence{against: distinct > 4 || dated > 0.3}

	out[AccountCode], out[ContactCode], out[RepCode], out[DealCode] = codes(engine.Account), codes(engine.Contact), codes(engine.Rep), codes(engine.Deal)
	if const1 {
		out[AccountCode] = evidence{against: true}
	}
	names := evidence{against: !word || code || v.long > 0.5 || v.status > 0.6 || v.flag && v.person < 0.5}
	out[AccountName], out[ContactName], out[RepName], out[DealName] = names, names, names, names
	if !names.against {
		switch k := known(engine.Account, true); {
		case k.support > 0:
			out[AccountName] = k
		case v.company > 0.2:
			out[AccountName] = evidence{support: min(1, 0.3+0.7*v.company), why: t.f("%s hold what companies' names hold", "%sに会社名らしい語がある", share(v.company))}
		case v.person > 0.5 || v.title > 0.5 || v.kind > 0.6 && distinct < 30:
			out[AccountName] = evidence{against: true}
		}
		rep := known(engine.Rep, true)
		switch {
		case rep.support > 0 || v.company > 0.5 || v.title > 0.7 && v.endsInTitle < 0.2:
			out[ContactName] = evidence{against: true}
		case v.endsInTitle > 0.2:
			out[ContactName] = evidence{support: 0.7, why: t.f("%s are names with a title behind", "%sが「名前+役職」", share(v.endsInTitle))}
		case v.honorific > 0.15:
			out[ContactName] = evidence{support: 0.7, why: t.f("%s are names with 様 or the like", "%sに敬称が付く", share(v.honorific))}
		case v.person > 0.3 && many:
			out[ContactName] = evidence{support: 0.55, why: t.f("%s are people's names, many different ones", "%sが人名で種類が多い", share(v.person))}
		case v.person > 0.3:
			out[ContactName] = evidence{support: 0.25, why: t.f("%s are people's names", "%sが人名", share(v.person))}
		}
		switch {
		case rep.support > 0:
			out[RepName] = rep
		case v.honorific > 0.25 || v.company > 0.3 || v.endsInTitle > 0.4 || v.title > 0.7:
			out[RepName] = evidence{against: true}
		case v.person > 0.3 && !many:
			out[RepName] = evidence{support: 0.45, why: t.f("%s are people's names, the same few again and again", "%sが人名で同じ人が繰り返す", share(v.person))}
		}
		if v.person > 0.5 || v.title > 0.5 {
			out[DealName] = evidence{against: true}
		}
	}
	mails := evidence{against: v.mail < 0.3}
	if v.mail > 0.5 {
		mails = evidence{support: 0.75, why: t.f("%s are addresses", "%sがメールアドレス", share(v.mail))}
	}
	out[ContactMail], out[RepMail] = mails, mails
	for _, h := range v.found {
		if h.Key == "email" && h.Share > 0.2 {
			e := evidence{support: 1, why: t.f("%s are known to the CRM as %s %s", "%sがCRMに%sの%sとしてある", share(h.Share), t.entity(h.Kind), h.Key)}
			if h.Kind == engine.Rep {
				out[RepMail], out[ContactMail] = e, evidence{against: true}
			} else {
				out[ContactMail], out[RepMail] = e, evidence{against: true}
			}
			break
		}
	}

	switch {
	case !word || v.long > 0.3 || v.title < 0.15 && distinct > 5 || v.endsInTitle > 0.3 || v.company > 0.3:
		out[Title] = evidence{against: true}
	case v.manager > 0.1 && v.title > 0.4:
		out[Title] = evidence{support: min(1, 0.3+0.7*v.title), why: t.f("%s are titles, %s above staff", "%sが役職(%sが一般職より上)", share(v.title), share(v.manager))}
	}
	out[Department] = evidence{against: !word || v.long > 0.3 || v.person > 0.5 || v.manager > 0.4}

	prose := evidence{against: !word || code || v.flag || v.company > 0.6 || v.person > 0.6 || v.title > 0.6}
	out[Memo], out[Subject] = prose, prose
	if !prose.against {
		switch {
		case v.long > 0.25 || v.length > 18:
			out[Memo] = evidence{support: 0.65, why: t.f("texts of %.0f characters in the mean", "平均%.0f文字の文章", v.length)}
		case v.length < 4 || distinct < 15 && v.filled > 100:
			out[Memo] = evidence{against: true}
		}
		if v.length > 60 {
			out[Subject] = evidence{against: true}
		}
	}
	if v.phone > 0.6 || v.url > 0.6 {
		out[None] = evidence{support: 1, why: t.f("phone numbers or web addresses", "電話番号またはURL")}
	}
	return out
}

// guess weighs name and values of a column together, for each role above enough.
func (s *surveyor) guess(c *connectors.SampleColumn, v *values) []Guess {
	n := s.lexicon.read(c.Name)
	if c.Label != "" && c.Label != c.Name {
		if label := s.lexicon.read(c.Label); len(label.concepts) > len(n.concepts) || n.unknown > label.unknown {
			n = label
		}
	}
	byName, byValues := s.lexicon.byName(n), s.byValues(c, v)
	understood := n.unknown == 0 && len(n.concepts) > 0
	var guesses []Guess
	for _, known := range roles {
		name, e := byName[known.role], byValues[known.role]
		score := 1 - (1-name)*(1-0.75*e.support)
		switch {
		case v.filled == 0:
			score = 0.6 * name
		case e.against:
			score = 0.1 * name
		case name == 0 && understood && slices.Contains(times, known.role):
			score *= 0.7 // 更新日時, 退勤: a time, but another one
		}
		if score < enough {
			continue
		}
		var why []string
		if name > 0 {
			why = append(why, s.text.f("name: %s", "名前: %s", strings.Join(n.told(s.text), " + ")))
		}
		if e.why != "" {
			why = append(why, e.why)
		}
		if v.filled == 0 {
			why = append(why, s.text.f("it is empty", "値が入っていない"))
		}
		guesses = append(guesses, Guess{Role: known.role, Confidence: min(0.99, score), Reason: strings.Join(why, "; ")})
	}
	slices.SortStableFunc(guesses, func(a, b Guess) int {
		switch {
		case a.Confidence > b.Confidence:
			return -1
		case a.Confidence < b.Confidence:
			return 1
		}
		return 0
	})
	return guesses
}

// assign gives each role to one column at most and each column one role: the surest pair first.
func assign(guesses [][]Guess) []*Guess {
	type pair struct {
		column int
		guess  *Guess
	}
	var pairs []pair
	for column := range guesses {
		for i := range guesses[column] {
			pairs = append(pairs, pair{column, &guesses[column][i]})
		}
	}
	slices.SortStableFunc(pairs, func(a, b pair) int {
		switch {
		case a.guess.Confidence > b.guess.Confidence:
			return -1
		case a.guess.Confidence < b.guess.Confidence:
			return 1
		}
		return a.column - b.column
	})
	out, taken := make([]*Guess, len(guesses)), map[Role]bool{}
	for _, p := range pairs {
		if out[p.column] != nil || taken[p.guess.Role] {
			continue
		}
		out[p.column] = p.guess
		taken[p.guess.Role] = p.guess.Role != None
	}
	return out
}
