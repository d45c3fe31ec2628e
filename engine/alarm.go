package engine

import "slices"

// AlarmKind is what an alarm is about.
type AlarmKind uint8

// The kinds of alarm. Low and Halved are the plain lists A18 and A19 of the
// contract; the others are told from chance by a test.
const (
	Surge   AlarmKind = iota // the customer comes to us much more often than usual (B8)
	Cooling                  // fell out of a warm band for want of contacts (B9)
	Silence                  // no contact for longer than this customer's habit explains
	Leaving                  // a buyer who has probably left for good
	Low                      // earned little lately (A18)
	Halved                   // earned half or less of what it was (A19)
)

var (
	alarmNames    = []string{Surge: "surge", Cooling: "cooling", Silence: "silence", Leaving: "leaving", Low: "low", Halved: "halved"}
	alarmEntities = []string{Account: "account", Contact: "contact", Deal: "deal"}
)

// AlarmKinds lists the names of the kinds of alarm.
func AlarmKinds() []string { return append([]string(nil), alarmNames...) }

// String gives "surge", "cooling", "silence", "leaving", "low" or "halved".
func (k AlarmKind) String() string { return alarmNames[k] }

// ParseAlarmKind reads what String gives.
func ParseAlarmKind(s string) (AlarmKind, bool) {
	i := slices.Index(alarmNames, s)
	return AlarmKind(max(0, i)), i >= 0
}

// MarshalText gives the kind's name.
func (k AlarmKind) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// Alarm is one reason to look at a customer, with the evidence that people are
// told. It is a function of the entity's cells and the date. Its numbers are
// those of the day on which it fired, so that it reads the same every day; low
// tells what is earned now, halved the last complete period.
type Alarm struct {
	Kind  AlarmKind
	Since Date // the day on which it fired
	Until Date // first day on which it is over without news; NoDate = never
	// P is how often chance alone would give as much; 1 where no test applies.
	P float64

	Contacts int     // surge: the customer's, in Days; silence, low and halved: in the history
	Days     int     // surge: the window; silence: days of the clock without contact; low: months; halved: periods
	Usual    float64 // surge: contacts to be expected in Days; silence: days between contacts, usually
	History  int     // days of the clock that Usual is learnt from

	Last   Date    // silence, leaving: the last contact, or purchase
	Booked Date    // silence: the meeting that is booked, and mutes the alarm; NoDate = none
	From   int     // cooling: band before
	To     int     // cooling: band after
	Alive  float64 // leaving: the probability that it still is a customer

	Milli  int64  // low, halved: earned lately
	Before int64  // halved: earned before
	Limit  int64  // low: milli-points
	Period Period // halved: the last period of the recent ones
	Back   int    // halved: periods between what is compared
}

// alarms is a compiled AlarmsConfig.
type alarms struct {
	AlarmsConfig
	of         [CompanyGroup + 1]bool // by EntityKind
	knownSince Date
	coolFrom   int // band
	important  int // band; 0 = no band makes important
	leaving    Group
}

// newAlarms needs groups and bands to be valid.
func newAlarms(c *PointsConfig) alarms {
	if c.Alarms == nil {
		return alarms{}
	}
	a := alarms{AlarmsConfig: *c.Alarms, knownSince: NoDate}
	if len(a.Entities) == 0 {
		a.of[Account] = true
	}
	for kind, name := range alarmEntities {
		for _, wanted := range a.Entities {
			a.of[kind] = a.of[kind] || name == wanted
		}
	}
	if a.History != nil && a.History.KnownSince != "" {
		a.knownSince, _ = ParseDate(a.History.KnownSince)
	}
	for i, b := range c.Bands {
		if a.Cooling != nil && b.Name == a.Cooling.From {
			a.coolFrom = i
		}
		if a.Important != nil && b.Name == a.Important.Band {
			a.important = i
		}
	}
	if a.Leaving != nil {
		a.leaving = c.group(a.Leaving.Group)
	}
	return a
}

// contacts gives the contacts of a cell that count for habits: not those of
// ignored and negative groups.
func (p *Points) contacts(c *Cell) int32 {
	if p.habitless[c.Group] {
		return 0
	}
	return c.Count
}

// watch fills what is told of the course of an entity's energy: trend, what it
// earned lately, and alarms. cells are those up to s.AsOf, ahead those after it; fell is the last fall that may be an alarm.
func (p *Points) watch(kind EntityKind, s *Score, cells, ahead []Cell, fell fall) {
	var due Date
	s.Trend, due = p.trendOf(cells, s.AsOf)
	s.sooner(due)
	s.Recent, due = p.recent(cells, s.Earned, s.AsOf)
	s.sooner(due)
	if !p.alarms.of[kind] || len(cells) == 0 {
		return
	}
	p.surge(s, cells)
	p.cooling(s, fell)
	p.silence(s, cells, ahead)
	p.leaving(s, cells)
	p.low(s, cells)
	p.halved(s, cells)
}

// sooner notes a day on which something in the score changes without news.
func (s *Score) sooner(d Date) {
	if d > s.AsOf && d <= lastDate && (s.Due == NoDate || d < s.Due) {
		s.Due = d
	}
}

// raise adds an alarm that stands; what is over, or has not begun, only sets Due.
func (s *Score) raise(a Alarm) {
	switch {
	case a.Since > s.AsOf:
		s.sooner(a.Since)
	case a.Until == NoDate || a.Until > s.AsOf:
		s.sooner(a.Until)
		s.Alarms = append(s.Alarms, a)
	}
}
