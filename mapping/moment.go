package mapping

import "time"

// Moment is what a text says of when. The zero value says nothing.
type Moment struct {
	Date, Clock bool      // it names a day, a time of day
	Zoned       bool      // it names its zone
	At          time.Time // UTC; without a zone the wall clock as if in UTC
}

// ReadMoment reads a date or time as date() and datetime() do; false when they could not.
func ReadMoment(text string) (Moment, bool) {
	m, err := parseMoment(text)
	if err != nil || !m.hasDate && !m.hasTime {
		return Moment{}, false
	}
	out := Moment{Date: m.hasDate, Clock: m.hasTime, Zoned: m.hasZone}
	if m.hasDate {
		out.At = m.in(time.UTC)
	} else {
		out.At = time.Date(1, 1, 1, m.hour, m.minute, m.second, m.nano, time.UTC)
	}
	return out, true
}
