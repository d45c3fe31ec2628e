package engine

import (
	"encoding/json"
	"fmt"
	"slices"
)

// evidence is an Alarm as it is kept and exported: dates and periods as texts, points instead of milli-points.
type evidence struct {
	Alarm    string  `json:"alarm"`
	Since    string  `json:"since"`
	Until    string  `json:"until,omitempty"`
	P        float64 `json:"p"`
	Contacts int     `json:"contacts,omitempty"`
	Days     int     `json:"days,omitempty"`
	Usual    float64 `json:"usual,omitempty"`
	History  int     `json:"history_days,omitempty"`
	Last     string  `json:"last,omitempty"`
	Booked   string  `json:"booked,omitempty"`
	From     int     `json:"from_band,omitempty"`
	To       int     `json:"to_band,omitempty"`
	Alive    float64 `json:"alive,omitempty"`
	Milli    int64   `json:"earned_milli,omitempty"`
	Before   int64   `json:"before_milli,omitempty"`
	Limit    int64   `json:"limit_milli,omitempty"`
	Period   string  `json:"period,omitempty"`
	Back     int     `json:"periods_back,omitempty"`
}

// MarshalJSON gives the alarm with its evidence; what does not belong to its kind is left out.
func (a Alarm) MarshalJSON() ([]byte, error) {
	e := evidence{Alarm: a.Kind.String(), Since: a.Since.String(), Until: a.Until.String(), P: a.P,
		Contacts: a.Contacts, Days: a.Days, Usual: a.Usual, History: a.History, Last: a.Last.String(), Booked: a.Booked.String(),
		From: a.From, To: a.To, Alive: a.Alive, Milli: a.Milli, Before: a.Before, Limit: a.Limit, Back: a.Back}
	if a.Kind == Halved {
		e.Period = a.Period.String()
	}
	return json.Marshal(e)
}

// UnmarshalJSON reads what MarshalJSON gave.
func (a *Alarm) UnmarshalJSON(data []byte) error {
	var e evidence
	if err := json.Unmarshal(data, &e); err != nil {
		return err
	}
	kind := slices.Index(alarmNames, e.Alarm)
	if kind < 0 {
		return fmt.Errorf("there is no alarm %q", e.Alarm)
	}
	*a = Alarm{Kind: AlarmKind(kind), P: e.P, Contacts: e.Contacts, Days: e.Days, Usual: e.Usual, History: e.History,
		From: e.From, To: e.To, Alive: e.Alive, Milli: e.Milli, Before: e.Before, Limit: e.Limit, Back: e.Back}
	for _, d := range []struct {
		text string
		date *Date
	}{{e.Since, &a.Since}, {e.Until, &a.Until}, {e.Last, &a.Last}, {e.Booked, &a.Booked}} {
		*d.date = NoDate
		if d.text == "" {
			continue
		}
		var err error
		if *d.date, err = ParseDate(d.text); err != nil {
			return err
		}
	}
	if e.Period != "" {
		first, err := ParseDate(e.Period + "-01")
		if err != nil {
			return err
		}
		year, month, _ := first.Time().Date()
		a.Period = Period(year*12 + int(month) - 1)
	}
	return nil
}
