package explain

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"energyd/engine"
)

// Alarm is an alarm as people are told of it.
type Alarm struct {
	Kind     string             `json:"alarm"`
	Label    string             `json:"label"` // in the tenant's language
	Since    string             `json:"since"`
	Sentence string             `json:"sentence"`
	P        float64            `json:"p"` // how often chance alone gives as much; 1 where no test applies
	State    string             `json:"state,omitempty"`
	Reason   engine.AlarmReason `json:"reason,omitempty"` // why it is muted
	Evidence engine.Alarm       `json:"evidence"`
}

func (x *Explainer) alarm(a engine.Alarm) Alarm {
	return Alarm{Kind: a.Kind.String(), Label: AlarmLabel(a.Kind).In(x.Language), Since: a.Since.String(), Sentence: x.Alarm(a), P: a.P, Evidence: a}
}

// Raised is an alarm and what became of it.
func (x *Explainer) Raised(r engine.Raised) Alarm {
	a := x.alarm(r.Alarm)
	a.State, a.Reason = r.State.String(), r.Reason
	return a
}

// Became notes what became of one of the alarms.
func (e *Explanation) Became(r engine.Raised) {
	for i := range e.Alarms {
		if a := &e.Alarms[i]; a.Kind == r.Alarm.Kind.String() && a.Since == r.Alarm.Since.String() {
			a.State, a.Reason = r.State.String(), r.Reason
		}
	}
}

// ReasonLabel says in words why an alarm is muted; empty for the empty reason.
func ReasonLabel(r engine.AlarmReason) engine.Label { return reasonLabels[r] }

var reasonLabels = map[engine.AlarmReason]engine.Label{
	engine.MutedByRule:    {Ja: "alarms.mute の設定", En: "muted by alarms.mute"},
	engine.MutedByMeeting: {Ja: "予定あり", En: "a meeting is booked"},
	engine.MutedByShare:   {Ja: "偶然の範囲（false_share）", En: "may be chance (false_share)"},
	engine.MutedByBudget:  {Ja: "担当の今週の上限（per_rep_week）", En: "enough for this sales person this week (per_rep_week)"},
}

// AlarmLabel names a kind of alarm as the CRM shows it.
func AlarmLabel(k engine.AlarmKind) engine.Label { return alarmLabels[k] }

var alarmLabels = map[engine.AlarmKind]engine.Label{
	engine.Surge:   {Ja: "急上昇（きざし）", En: "surge"},
	engine.Cooling: {Ja: "温度低下", En: "cooling"},
	engine.Silence: {Ja: "音沙汰なし", En: "silence"},
	engine.Leaving: {Ja: "離反のおそれ", En: "leaving"},
	engine.Low:     {Ja: "獲得が少ない", En: "earned little"},
	engine.Halved:  {Ja: "獲得が半減", En: "halved"},
}

// TrendLabel names a trend; empty for NoTrend.
func TrendLabel(t engine.Trend) engine.Label { return trendLabels[t] }

var trendLabels = map[engine.Trend]engine.Label{
	engine.Improving: {Ja: "上昇", En: "improving"},
	engine.Steady:    {Ja: "横ばい", En: "steady"},
	engine.Declining: {Ja: "下降", En: "declining"},
	engine.TooFew:    {Ja: "情報不足", En: "not enough information"},
}

// Alarm is the sentence of an alarm with its evidence, in the explainer's
// language. It has the numbers of the day on which it fired, so that it stays
// the same while the alarm stands.
func (x *Explainer) Alarm(a engine.Alarm) string {
	ja := x.Language == "ja"
	say := func(japanese, english string, args ...any) string {
		if ja {
			return fmt.Sprintf(japanese, args...)
		}
		return fmt.Sprintf(english, args...)
	}
	switch a.Kind {
	case engine.Surge:
		return say("%[1]d日間でお客様から%[2]d回、ふだんは%[3]s回。偶然なら%[4]s回に1回",
			"%[2]d contacts by the customer in %[1]d days, usual %[3]s, 1 in %[4]s by chance", a.Days, a.Contacts, decimal(a.Usual), oneIn(a.P))
	case engine.Cooling:
		return say("温度帯が「%s」から「%s」に下がりました（%s、最後の接触は%s）", "fell from %s to %s on %s, the last contact was on %s",
			x.band(a.From), x.band(a.To), a.Since, a.Last)
	case engine.Silence:
		text := say("%s の接触から%d日以上たちました。ふだんは%s日に1回。偶然なら%s回に1回",
			"no contact for %[2]d days since %[1]s, usually one in %[3]s days, 1 in %[4]s by chance", a.Last, a.Days, decimal(a.Usual), oneIn(a.P))
		if a.Booked != engine.NoDate {
			text += say("（%s に予定あり）", "; booked on %s", a.Booked)
		}
		return text
	case engine.Leaving:
		return say("最後の購入は %[1]s（購入 %[2]d回）。取引が続いている見込みは%[3]s", "last bought on %s (%d purchases), still a customer with a probability of %s",
			a.Last, a.Contacts, percent(a.Alive))
	case engine.Low:
		return say("直近%[1]dか月の獲得は%[2]s点（%[3]s点以下）", "earned %[2]s points in the last %[1]d months (%[3]s or less)", a.Days, milli(a.Milli), milli(a.Limit))
	case engine.Halved:
		share := percent(float64(a.Milli) / float64(a.Before))
		now, then := x.periods(a.Period, a.Days), x.periods(a.Period-engine.Period(a.Back), a.Days)
		return say("%[1]s の獲得は%[2]s点で、%[3]s の%[4]s点の%[5]s", "earned %[2]s points in %[1]s, %[5]s of the %[4]s points in %[3]s",
			now, milli(a.Milli), then, milli(a.Before), share)
	}
	return ""
}

func (x *Explainer) band(i int) string { return x.Points.Band(i).Label.In(x.Language) }

// periods names n periods up to the last: "2026-04", "2026-02–2026-04".
func (x *Explainer) periods(last engine.Period, n int) string {
	switch {
	case n == 1:
		return last.String()
	case x.Language == "ja":
		return (last - engine.Period(n-1)).String() + "〜" + last.String()
	}
	return (last - engine.Period(n-1)).String() + "–" + last.String()
}

// decimal writes a number of contacts or days with one place, and without one from 10 on.
func decimal(f float64) string {
	if f >= 9.95 {
		return strconv.FormatFloat(math.Round(f), 'f', -1, 64)
	}
	return strconv.FormatFloat(math.Round(f*10)/10, 'f', -1, 64)
}

func percent(share float64) string { return fmt.Sprintf("%.0f%%", 100*share) }

// oneIn writes the chance p as one in so many, with two digits that count: "3,100".
func oneIn(p float64) string {
	n := 1 / max(p, 1e-9) // beyond a billion nobody believes the law
	unit := math.Pow(10, max(0, math.Floor(math.Log10(n))-1))
	digits := strconv.FormatFloat(math.Round(n/unit)*unit, 'f', 0, 64)
	var b strings.Builder
	for i, d := range digits {
		if i > 0 && (len(digits)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteRune(d)
	}
	return b.String()
}
