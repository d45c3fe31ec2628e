package sink

import (
	"fmt"
	"math"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/fault"
)

// Measure is one thing that energyd can write into a CRM field. The
// configuration says which measure goes to which field.
type Measure struct {
	Name string // in energyd.yaml
	Type connectors.FieldType
	// Soft measures drift a little every day. Alone they do not cause a write
	// unless the energy moved by a noticeable amount (energy-model.md §4.6).
	Soft bool
	// Periodic measures move at the turn of a month, for everybody.
	Periodic bool
	// What a CRM field made for it is like: Length of texts, Precision (digits in all) and Scale of numbers.
	Length, Precision, Scale int
	Label, Help              engine.Label // of that field
	of                       func(Subject) any
}

// Subject is what measures are taken of: one entity's score on a day.
type Subject struct {
	Score       engine.Score
	Band        string   // name of the band in the tenant's language
	Reasons     []string // sentences, most important first
	HalfLife    float64  // days of the points table's clock
	Trend       string   // in the tenant's language; "" = the points table has none
	Alarm       string   // what the first alarm that stands is about; "" = none
	AlarmReason string   // its sentence
	// What was earned in the last months, in points, and as a share of what
	// was before; nil where the points table does not ask for it, or there is nothing to compare with.
	Earned3m, EarnedRatio3m *float64
	// Of the last 12 months, in percent: the rank classes that are met, and the contacts with somebody
	// whose rank is known; nil without a contact.
	Coverage, DataQuality *float64
	TableVersion          string
}

// Measures is the field catalogue, in the order in which people see it.
var Measures = []Measure{
	{Name: "energy_now", Type: connectors.Number, Precision: 12, Scale: 3, Soft: true,
		Label: engine.Label{Ja: "温度", En: "Energy"},
		Help: engine.Label{Ja: "接触から計算した、いまの温度（点）。接触がないと毎日下がります。",
			En: "How warm it is now, in points, by the contacts there were. It cools every day without one."},
		of: func(s Subject) any { return math.Round(s.Score.Temperature*1000) / 1000 }},
	{Name: "energy_as_of", Type: connectors.Day, Soft: true,
		Label: engine.Label{Ja: "温度の基準日", En: "Energy as of"},
		Help:  engine.Label{Ja: "温度を計算した日。", En: "The date on which the energy was computed."},
		of:    func(s Subject) any { return day(s.Score.AsOf) }},
	{Name: "band", Type: connectors.Text, Length: 40,
		Label: engine.Label{Ja: "温度帯", En: "Energy band"},
		Help:  engine.Label{Ja: "温度の段階。境目は配点表にあります。", En: "The range that the energy is in. The points table has the borders."},
		of:    func(s Subject) any { return s.Band }},
	{Name: "band_until", Type: connectors.Day,
		Label: engine.Label{Ja: "温度帯の期限", En: "Energy band until"},
		Help:  engine.Label{Ja: "接触がなければ、この日に温度帯が下がります。", En: "Without a contact the band falls on this date."},
		of:    func(s Subject) any { return day(s.Score.BandUntil) }},
	{Name: "last_contact", Type: connectors.Day,
		Label: engine.Label{Ja: "最終接触日", En: "Last contact"},
		Help:  engine.Label{Ja: "点になった最後の接触の日。", En: "The date of the last contact that earned energy."},
		of:    func(s Subject) any { return day(s.Score.Last) }},
	{Name: "reason_1", Type: connectors.Text, Length: 255, Label: reasonLabel(1), Help: reasonHelp, of: reason(0)},
	{Name: "reason_2", Type: connectors.Text, Length: 255, Label: reasonLabel(2), Help: reasonHelp, of: reason(1)},
	{Name: "reason_3", Type: connectors.Text, Length: 255, Label: reasonLabel(3), Help: reasonHelp, of: reason(2)},
	{Name: "half_life", Type: connectors.Number, Precision: 7, Scale: 2,
		Label: engine.Label{Ja: "温度の半減期（日）", En: "Energy half-life (days)"},
		Help:  engine.Label{Ja: "接触がないとき、温度が半分になるまでの日数。", En: "Days without a contact after which half of the energy is left."},
		of:    func(s Subject) any { return s.HalfLife }},
	{Name: "table_version", Type: connectors.Text, Length: 80,
		Label: engine.Label{Ja: "配点表の版", En: "Points table version"},
		Help:  engine.Label{Ja: "温度を計算した配点表の版。", En: "The edition of the points table that the energy was computed with."},
		of:    func(s Subject) any { return s.TableVersion }},
	{Name: "trend", Type: connectors.Text, Length: 40,
		Label: engine.Label{Ja: "温度の傾向", En: "Energy trend"},
		Help:  engine.Label{Ja: "ここ2週間ほどの獲得を、ここ3か月ほどと比べた傾向。", En: "What was earned in about the last two weeks, against the last three months."},
		of:    func(s Subject) any { return s.Trend }},
	{Name: "alarm", Type: connectors.Text, Length: 40,
		Label: engine.Label{Ja: "アラーム", En: "Energy alarm"},
		Help:  engine.Label{Ja: "いま注意すべきこと。なければ空です。", En: "What deserves attention now; empty when nothing does."},
		of:    func(s Subject) any { return s.Alarm }},
	{Name: "alarm_reason", Type: connectors.Text, Length: 255,
		Label: engine.Label{Ja: "アラームの理由", En: "Energy alarm reason"},
		Help:  engine.Label{Ja: "アラームの根拠となる数字。", En: "The figures behind the alarm."},
		of:    func(s Subject) any { return s.AlarmReason }},
	{Name: "earned_3m", Type: connectors.Number, Precision: 12, Scale: 3, Periodic: true,
		Label: engine.Label{Ja: "直近3か月の獲得エネルギー", En: "Energy earned in 3 months"},
		Help: engine.Label{Ja: "直近3か月（配点表の alarms.low の読み方）に獲得した点。減衰しません。",
			En: "Points earned in the last 3 months, as alarms.low of the points table reads them. They do not cool."},
		of: func(s Subject) any { return optional(s.Earned3m) }},
	{Name: "earned_ratio_3m", Type: connectors.Number, Precision: 9, Scale: 3, Periodic: true,
		Label: engine.Label{Ja: "3か月前との獲得比", En: "Energy earned against 3 months ago"},
		Help: engine.Label{Ja: "直近の締め月の獲得 ÷ その3か月前の月の獲得。比べる月に獲得がなければ空です。",
			En: "Earned in the last complete month, divided by the month 3 before. Empty when nothing was earned then."},
		of: func(s Subject) any { return optional(s.EarnedRatio3m) }},
	{Name: "coverage", Type: connectors.Number, Precision: 4, Scale: 1,
		Label: engine.Label{Ja: "階級カバー率（%）", En: "Energy coverage (%)"},
		Help: engine.Label{Ja: "直近12か月に会えている階級（窓口担当・管理者・経営陣）の割合。",
			En: "Share of the rank classes (staff, managers, executives) that were met in the last 12 months."},
		of: func(s Subject) any { return optional(s.Coverage) }},
	{Name: "data_quality", Type: connectors.Number, Precision: 4, Scale: 1,
		Label: engine.Label{Ja: "データの充実度（%）", En: "Energy data quality (%)"},
		Help: engine.Label{Ja: "直近12か月の接触のうち、相手の役職が分かるものの割合。低いほど温度は控えめです。",
			En: "Share of the contacts of the last 12 months whose person's rank is known. The lower, the more the energy is a guess."},
		of: func(s Subject) any { return optional(s.DataQuality) }},
}

// optional gives a number, or nothing.
func optional(f *float64) any {
	if f == nil {
		return nil
	}
	return *f
}

func reasonLabel(n int) engine.Label {
	return engine.Label{Ja: fmt.Sprintf("温度の理由%d", n), En: fmt.Sprintf("Energy reason %d", n)}
}

var reasonHelp = engine.Label{Ja: "温度に大きく効いた接触。大きい順に3つまで。", En: "A contact that the energy comes from; the three that weigh most."}

// CheckMeasure gives nil when the catalogue has a measure of that name.
func CheckMeasure(name string) error {
	if _, ok := measure(name); !ok {
		return fmt.Errorf("unknown measure %q%s", name, fault.DidYouMean(name, MeasureNames()))
	}
	return nil
}

// MeasureNames lists the catalogue's names.
func MeasureNames() []string {
	names := make([]string, len(Measures))
	for i, m := range Measures {
		names[i] = m.Name
	}
	return names
}

// measure finds a measure by name.
func measure(name string) (Measure, bool) {
	for _, m := range Measures {
		if m.Name == name {
			return m, true
		}
	}
	return Measure{}, false
}

func reason(i int) func(Subject) any {
	return func(s Subject) any {
		if i < len(s.Reasons) {
			return s.Reasons[i]
		}
		return nil
	}
}

func day(d engine.Date) any {
	if d == engine.NoDate {
		return nil
	}
	return d.String()
}
