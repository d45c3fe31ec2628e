package engine

import (
	"fmt"
	"slices"
	"strings"

	"energyd/internal/fault"
)

// TrendConfig says when a customer's energy rises or falls: points a day by a
// quick and by a slow stock are compared (energy-model.md §4.6).
type TrendConfig struct {
	ShortHalfLifeDays float64 `yaml:"short_half_life_days"` // days of the clock
	LongHalfLifeDays  float64 `yaml:"long_half_life_days"`
	Threshold         float64 `yaml:"threshold"` // in doublings: 0.585 = half as much again
	Floor             float64 `yaml:"floor"`     // points a day added to both, so that a single mail is no trend
	Contacts          int     `yaml:"contacts"`  // fewer within WithinDays are too few to tell
	WithinDays        int     `yaml:"within_days"`
}

// AlarmsConfig says what is worth a sales person's attention. A part that is missing is off.
type AlarmsConfig struct {
	Entities     []string         `yaml:"entities"`      // "account" (default), "contact", "deal"
	IgnoreGroups []string         `yaml:"ignore_groups"` // whose contacts are none here, as page views; they earn as ever
	History      *HistoryConfig   `yaml:"history"`       // for surge and silence
	Surge        *SurgeConfig     `yaml:"surge"`
	Silence      *SilenceConfig   `yaml:"silence"`
	Cooling      *CoolingConfig   `yaml:"cooling"`
	Leaving      *LeavingConfig   `yaml:"leaving"`
	Low          *LowConfig       `yaml:"low"`
	Halved       *HalvedConfig    `yaml:"halved"`
	Important    *ImportantConfig `yaml:"important"`

	// What becomes of alarms, not which there are: no score depends on it.
	List    *ListConfig  `yaml:"list" json:"-"`
	HoldOut float64      `yaml:"hold_back" json:"-"` // share of alarms that nobody is told of, to see what they are worth
	Mute    []MuteConfig `yaml:"mute" json:"-"`
}

// HistoryConfig is what a customer's own habits are learnt from.
type HistoryConfig struct {
	Days          int     `yaml:"days"`           // of the clock, at most, before the days that are judged
	PriorContacts float64 `yaml:"prior_contacts"` // what is believed of a customer without history: so many contacts …
	PriorDays     float64 `yaml:"prior_days"`     // … in so many days
	KnownSince    string  `yaml:"known_since"`    // "2024-04-01": all contacts are known from this day; "" = from each customer's first
}

// SurgeConfig is the sudden rise of customer-started contacts (B8, きざし).
type SurgeConfig struct {
	Days     int     `yaml:"days"`
	Chance   float64 `yaml:"chance"`    // fires when chance alone would give as much no more often than this
	Contacts int     `yaml:"contacts"`  // at least
	Points   float64 `yaml:"points"`    // at least, of those contacts
	RestDays int     `yaml:"rest_days"` // a surge stands so long, and no other is looked for
}

// SilenceConfig is a silence that is long for this customer.
type SilenceConfig struct {
	Chance     float64 `yaml:"chance"`      // overdue when a silence as long has this chance
	BookedDays int     `yaml:"booked_days"` // muted while a meeting is booked within so many calendar days
	StandsDays int     `yaml:"stands_days"` // days of the clock until it is old news
}

// CoolingConfig is the fall out of a band for want of contacts (B9).
type CoolingConfig struct {
	From       string `yaml:"from"` // the coldest band whose loss is an alarm
	StandsDays int    `yaml:"stands_days"`
}

// LeavingConfig is the suspicion that a buyer has left for good, by the BG/NBD law.
type LeavingConfig struct {
	Group  string  `yaml:"group"` // of the purchases
	Alive  float64 `yaml:"alive"` // fires when the probability of still being a customer falls below this
	R      float64 `yaml:"r"`     // the law's parameters, in weeks of the clock
	Alpha  float64 `yaml:"alpha"`
	A      float64 `yaml:"a"`
	B      float64 `yaml:"b"`
	Stands int     `yaml:"stands_days"`
}

// LowConfig lists who earned little lately (A18).
type LowConfig struct {
	Points   float64 `yaml:"points"` // as much or less
	Months   int     `yaml:"months"`
	Complete bool    `yaml:"complete_periods"` // the last complete periods instead of the months up to today
}

// HalvedConfig lists who earned much less than before (A19).
type HalvedConfig struct {
	Share   float64 `yaml:"share"`   // as much of it or less
	Back    int     `yaml:"back"`    // periods that lie between what is compared
	Periods int     `yaml:"periods"` // how many are summed on either side
}

// ImportantConfig says whom low and halved are for (A20). Without it: everybody.
type ImportantConfig struct {
	Accounts []string          `yaml:"accounts"` // CRM ids, or values of any key of the directory
	Keys     map[string]string `yaml:"keys"`     // whose key of the directory has this value
	Band     string            `yaml:"band"`     // who ever was in this band or a warmer one
}

// ListConfig says which surges of a night are told of.
type ListConfig struct {
	FalseShare float64 `yaml:"false_share"`  // of surges, no more than this are expected to be chance (Benjamini and Hochberg); 0 = no such limit
	PerRepWeek int     `yaml:"per_rep_week"` // alarms that one sales person gets in seven days, the least likely first; 0 = no limit
}

// MuteConfig keeps alarms of an account quiet.
type MuteConfig struct {
	Account string   `yaml:"account"` // CRM id, or another key or name of the directory
	Kinds   []string `yaml:"kinds"`   // none = all
	Until   string   `yaml:"until"`   // the first day on which they are told of again; "" = never
	Reason  string   `yaml:"reason"`
}

func (v *validation) trend() {
	t := v.c.Trend
	if t == nil {
		return
	}
	v.number("trend.short_half_life_days", t.ShortHalfLifeDays, 1, 3650)
	v.number("trend.long_half_life_days", t.LongHalfLifeDays, 1, 3650)
	if t.LongHalfLifeDays <= t.ShortHalfLifeDays {
		v.problems.Add("trend.long_half_life_days", "%v must be above short_half_life_days (%v)", t.LongHalfLifeDays, t.ShortHalfLifeDays)
	}
	v.number("trend.threshold", t.Threshold, 0.01, 10)
	v.number("trend.floor", t.Floor, 0.001, 1000)
	v.number("trend.contacts", float64(t.Contacts), 1, 1000)
	v.number("trend.within_days", float64(t.WithinDays), 1, 3650)
}

func (v *validation) alarms() {
	a := v.c.Alarms
	if a == nil {
		return
	}
	for i, name := range a.Entities {
		v.oneOf(fmt.Sprintf("alarms.entities[%d]", i), name, alarmEntities...)
	}
	for i, name := range a.IgnoreGroups {
		v.group(fmt.Sprintf("alarms.ignore_groups[%d]", i), name)
	}
	if h := a.History; h != nil {
		v.number("alarms.history.days", float64(h.Days), 1, 3650)
		v.number("alarms.history.prior_contacts", h.PriorContacts, 0.01, 1000)
		v.number("alarms.history.prior_days", h.PriorDays, 0.1, 36_500)
		v.day("alarms.history.known_since", h.KnownSince)
	} else if a.Surge != nil || a.Silence != nil {
		v.problems.Add("alarms", "history is missing: surge and silence compare with it")
	}
	if s := a.Surge; s != nil {
		v.number("alarms.surge.days", float64(s.Days), 1, 365)
		v.number("alarms.surge.chance", s.Chance, 1e-12, 0.5)
		v.number("alarms.surge.contacts", float64(s.Contacts), 1, 1000)
		v.number("alarms.surge.points", s.Points, 0, 1e6)
		v.number("alarms.surge.rest_days", float64(s.RestDays), 0, 365)
	}
	if s := a.Silence; s != nil {
		v.number("alarms.silence.chance", s.Chance, 1e-6, 0.5)
		v.number("alarms.silence.booked_days", float64(s.BookedDays), 0, 3650)
		v.number("alarms.silence.stands_days", float64(s.StandsDays), 1, 3650)
	}
	v.buyers(a)
	v.filters(a)
	v.selection(a)
}

func (v *validation) buyers(a *AlarmsConfig) {
	if c := a.Cooling; c != nil {
		v.band("alarms.cooling.from", c.From)
		v.number("alarms.cooling.stands_days", float64(c.StandsDays), 1, 3650)
	}
	if l := a.Leaving; l != nil {
		if l.Group == "" {
			v.problems.Add("alarms.leaving.group", "missing; the group of purchases")
		}
		v.group("alarms.leaving.group", l.Group)
		v.number("alarms.leaving.alive", l.Alive, 0.01, 0.99)
		v.number("alarms.leaving.stands_days", float64(l.Stands), 1, 3650)
		for _, n := range []struct {
			key   string
			value float64
		}{{"r", l.R}, {"alpha", l.Alpha}, {"a", l.A}, {"b", l.B}} {
			v.number("alarms.leaving."+n.key, n.value, 1e-6, 1e6)
		}
	}
}

func (v *validation) filters(a *AlarmsConfig) {
	if l := a.Low; l != nil {
		v.number("alarms.low.points", l.Points, 0, 1e6)
		v.number("alarms.low.months", float64(l.Months), 1, 36)
	}
	if h := a.Halved; h != nil {
		v.number("alarms.halved.share", h.Share, 0, 1)
		v.number("alarms.halved.back", float64(h.Back), 1, 36)
		v.number("alarms.halved.periods", float64(h.Periods), 1, 36)
		if h.Periods > h.Back {
			v.problems.Add("alarms.halved.periods", "%d periods overlap with those %d before; no more than back", h.Periods, h.Back)
		}
	}
	if i := a.Important; i != nil && i.Band != "" {
		v.band("alarms.important.band", i.Band)
	}
}

func (v *validation) selection(a *AlarmsConfig) {
	if l := a.List; l != nil {
		v.number("alarms.list.false_share", l.FalseShare, 0, 1)
		v.number("alarms.list.per_rep_week", float64(l.PerRepWeek), 0, 1000)
	}
	v.number("alarms.hold_back", a.HoldOut, 0, 0.5)
	for i, m := range a.Mute {
		path := fmt.Sprintf("alarms.mute[%d]", i)
		if m.Account == "" {
			v.problems.Add(path+".account", "missing; a CRM id, or another key or name of the directory")
		}
		for j, kind := range m.Kinds {
			v.oneOf(fmt.Sprintf("%s.kinds[%d]", path, j), kind, alarmNames...)
		}
		v.day(path+".until", m.Until)
	}
}

// day reports a text that is no date; "" is none.
func (v *validation) day(path, text string) {
	if text == "" {
		return
	}
	if _, err := ParseDate(text); err != nil {
		v.problems.Add(path, "%q is no day; write \"2026-08-13\"", text)
	}
}

// band reports the name of a band that there is not, or of the coldest.
func (v *validation) band(path, name string) {
	var names []string
	if slices.ContainsFunc(v.problems, func(p fault.Problem) bool { return strings.HasPrefix(p.Path, "bands") }) {
		return // then their names mean nothing
	}
	for _, b := range v.c.Bands[1:] {
		names = append(names, b.Name)
	}
	if !slices.Contains(names, name) {
		v.problems.Add(path, "%q is none of the bands %q%s", name, names, fault.DidYouMean(name, names))
	}
}
