package web

import (
	"context"
	"math"

	"energyd/engine"
	"energyd/internal/explain"
	"energyd/internal/pipeline"
)

// account is one customer: how warm it is and will be, why, who was met, and its deals.
type account struct {
	ID          string         `json:"id"`
	Name        string         `json:"name"`
	Code        string         `json:"code,omitempty"`
	Owner       string         `json:"owner,omitempty"` // the sales person's name
	ParentID    string         `json:"parent_id,omitempty"`
	Parent      string         `json:"parent,omitempty"`
	Link        string         `json:"link,omitempty"` // into the CRM
	AsOf        string         `json:"as_of"`
	Temperature float64        `json:"temperature"` // points
	Band        string         `json:"band"`
	Trend       string         `json:"trend,omitempty"`
	Table       string         `json:"table_version"`
	Last        string         `json:"last_contact,omitempty"`
	Since       *explain.Since `json:"since_written,omitempty"` // how the temperature came from what the CRM was last given
	// Steps are the days on which the band changes if nothing happens any more, the next one first.
	Steps       []accountStep         `json:"steps"`
	Alarms      []accountAlarm        `json:"alarms"` // that stand
	Months      []accountMonth        `json:"months"` // the last 13 periods, oldest first
	Course      []accountDay          `json:"course"` // each day of the last year, and those to come as if nothing happened
	People      []accountPerson       `json:"people"` // last met first
	Deals       []accountDeal         `json:"deals"`  // open ones first
	Planned     []accountPlanned      `json:"planned"`
	Undelivered []explain.Undelivered `json:"undelivered,omitempty"` // people whose last mail came back
	// Reasons are all contacts that count; what is left of them adds up to the temperature, as energyd explain has it.
	Reasons []explain.Part `json:"reasons"`
	Earned  float64        `json:"earned"`     // by all reasons, in points
	Left    float64        `json:"left_today"` // of all reasons: the temperature to the thousandth

	Drawing *drawing       `json:"-"`
	Shown   []explain.Part `json:"-"` // of Reasons
	Others  int            `json:"-"` // that are not shown
	Rest    [2]float64     `json:"-"` // what they earned, and what is left of it
}

// accountStep is a day on which the band changes.
type accountStep struct {
	Date        string  `json:"date"`
	Band        string  `json:"band"` // from then on
	Temperature float64 `json:"temperature"`
	Days        int     `json:"days"` // from today
}

// accountAlarm is an alarm that stands, and why nobody is told of it where that is so.
type accountAlarm struct {
	explain.Alarm
	Muted string `json:"muted,omitempty"` // in words
}

// accountMonth is a period: what was earned in it, and how warm the customer was at its end.
type accountMonth struct {
	Month       string  `json:"month"`
	Earned      float64 `json:"earned"`
	Contacts    int     `json:"contacts"`
	Temperature float64 `json:"temperature"` // on the last day; today in the present one
	Band        string  `json:"band"`
}

// accountDay is how warm the customer was, or will be, on a day.
type accountDay struct {
	Date        string  `json:"date"`
	Temperature float64 `json:"temperature"`
	Band        int     `json:"band"` // 0 = coldest
}

// accountPerson is somebody who was met.
type accountPerson struct {
	ID       string `json:"id"`
	Name     string `json:"name,omitempty"`
	Rank     string `json:"rank"`
	Class    string `json:"class"`
	Keyman   bool   `json:"keyman,omitempty"`
	Last     string `json:"last_met"`
	Contacts int    `json:"contacts"`
}

// accountDeal is a deal of the customer.
type accountDeal struct {
	ID          string  `json:"id"`
	Name        string  `json:"name"`
	Link        string  `json:"link,omitempty"`
	Stage       string  `json:"stage,omitempty"`
	Amount      float64 `json:"amount,omitempty"`
	Currency    string  `json:"currency,omitempty"`
	Closes      string  `json:"closes_on,omitempty"`
	Closed      bool    `json:"closed"`
	Won         bool    `json:"won"`
	Temperature float64 `json:"temperature"`
	Band        string  `json:"band"`
	Last        string  `json:"last_contact,omitempty"`
}

// accountPlanned is a contact that is still to come.
type accountPlanned struct {
	Date string `json:"date"`
	Kind string `json:"kind"`
}

// mostReasons is how many contacts the page lists before somebody asks for all.
const mostReasons = 40

func viewAccount(ctx context.Context, v *visit) (*account, error) {
	c, err := v.p.In(v.language).Customer(ctx, v.path("id"))
	if err != nil {
		return nil, err
	}
	if !v.reader.MaySee(c.Profile.Owner) {
		return nil, pipeline.NoCustomer(v.path("id")) // whether there is one is not told either
	}
	if v.reader.OwnOnly && c.Parent != "" {
		parent, _, err := v.store().Profile(ctx, engine.Entity{Kind: engine.Account, ID: c.Parent})
		if err != nil {
			return nil, err
		}
		if !v.reader.MaySee(parent.Owner) {
			c.Parent, c.ParentName = "", ""
		}
	}
	points := v.p.Points()
	a := &account{ID: c.ID, Name: c.Name, Code: c.Keys["code"], Owner: c.OwnerName, ParentID: c.Parent, Parent: c.ParentName, Link: c.Link,
		AsOf: c.Why.AsOf, Temperature: c.Why.Temperature, Band: c.Why.Band, Trend: c.Why.Trend, Table: c.Why.Table, Last: c.Score.Last.String(), Since: c.Why.Since,
		Steps: []accountStep{}, Alarms: []accountAlarm{}, Months: []accountMonth{}, People: []accountPerson{}, Deals: []accountDeal{}, Planned: []accountPlanned{},
		Undelivered: c.Why.Undelivered, Reasons: c.Why.Parts}
	for _, s := range c.Steps {
		a.Steps = append(a.Steps, accountStep{s.Date.String(), v.band(s.Band), s.Temperature, int(s.Date - v.today())})
	}
	for _, r := range c.Why.Alarms {
		muted := ""
		switch r.State {
		case engine.Muted.String():
			muted = explain.ReasonLabel(r.Reason).In(v.language)
		case engine.HeldBack.String():
			muted = v.t("効果測定のため通知しません", "held back, to measure what alarms are worth")
		}
		a.Alarms = append(a.Alarms, accountAlarm{r, muted})
	}
	for _, m := range c.Met {
		a.People = append(a.People, accountPerson{ID: m.ID, Name: m.Name, Rank: points.RankLabel(m.Rank).In(v.language), Class: points.ClassLabel(points.ClassOf(m.Rank)).In(v.language),
			Keyman: m.Keyman, Last: m.Last.String(), Contacts: m.Contacts})
	}
	for i := range c.Deals {
		a.Deals = append(a.Deals, v.dealOf(&c.Deals[i]))
	}
	for _, p := range c.Planned {
		a.Planned = append(a.Planned, accountPlanned{p.Date.String(), v.kind(p.Kind)})
	}
	for _, d := range c.Course {
		a.Course = append(a.Course, accountDay{d.Date.String(), math.Round(d.Temperature*1000) / 1000, d.Band})
	}
	a.months(v, c)
	a.sums(v.query.Get("all") != "")
	a.Drawing = v.drawn(c)
	return a, nil
}

// title is what the page is headed by.
func (a *account) title() string {
	if a.Name == "" {
		return a.ID
	}
	return a.Name
}

// sums adds up the reasons, and keeps the page short where there are many and nobody asked for all.
func (a *account) sums(all bool) {
	a.Shown, a.Others = a.Reasons, 0
	if !all && len(a.Reasons) > mostReasons {
		a.Shown, a.Others = a.Reasons[:mostReasons], len(a.Reasons)-mostReasons
	}
	var earned, left, restEarned, rest int64 // thousandths, so that the sums are exact
	for i, p := range a.Reasons {
		e, l := int64(math.Round(p.Points*1000)), int64(math.Round(p.Share*1000))
		earned, left = earned+e, left+l
		if i >= len(a.Shown) {
			restEarned, rest = restEarned+e, rest+l
		}
	}
	a.Earned, a.Left = float64(earned)/1000, float64(left)/1000
	a.Rest = [2]float64{float64(restEarned) / 1000, float64(rest) / 1000}
}

// months lists the last periods.
func (a *account) months(v *visit, c *pipeline.Customer) {
	points := v.p.Points()
	earned := map[engine.Period]engine.PeriodSum{}
	for _, s := range c.Score.Earned {
		earned[s.Period] = s
	}
	const shown = 13
	present := points.Period(v.today())
	for m := present - shown + 1; m <= present; m++ {
		end := min(points.PeriodStart(m+1)-1, v.today())
		month := accountMonth{Month: m.String(), Earned: float64(earned[m].Milli) / 1000, Contacts: int(earned[m].Contacts)}
		for _, d := range c.Course {
			if d.Date == end {
				month.Temperature, month.Band = d.Temperature, v.band(d.Band)
			}
		}
		if month.Band != "" { // beyond the course nothing is known of the temperature
			a.Months = append(a.Months, month)
		}
	}
}

func (v *visit) dealOf(d *pipeline.Opportunity) accountDeal {
	amount, _ := d.Facts.Number("amount")
	name := d.Name
	if name == "" {
		name = d.ID
	}
	return accountDeal{ID: d.ID, Name: name, Link: d.Link, Stage: d.Facts["stage"], Amount: amount, Currency: d.Facts["currency"],
		Closes: d.Facts.Day("closes_on", v.p.Points()).String(), Closed: d.Closed, Won: d.Facts.True("won"),
		Temperature: d.Temperature, Band: v.band(d.Band), Last: d.Last.String()}
}

// band names a band.
func (v *visit) band(i int) string { return v.p.Points().Band(i).Label.In(v.language) }

// kind names a kind of contact.
func (v *visit) kind(name string) string {
	if label := v.p.Points().KindLabel(name).In(v.language); label != "" {
		return label
	}
	return name
}

// gaveLabels say what a contact has of one of its records.
var gaveLabels = map[engine.Given]text{
	engine.GaveKind: {Ja: "接触方法", En: "kind"}, engine.GaveTime: {Ja: "日時", En: "time"}, engine.GavePeople: {Ja: "参加者", En: "people"},
	engine.GaveRank: {Ja: "役職", En: "rank"}, engine.GaveKeyman: {Ja: "キーマン", En: "keyman"}, engine.GaveCues: {Ja: "きざし・反応", En: "cues"},
	engine.GaveDeals: {Ja: "案件", En: "deals"}, engine.GaveReps: {Ja: "営業担当", En: "sales people"},
}
