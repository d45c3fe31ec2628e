package engine

import (
	"cmp"
	"time"
)

// Same names what several sources may tell of in records of their own: a call,
// an appointment, another source's record. Records that name the same are one
// contact (energy-model 4.3), whatever else they say.
type Same struct {
	Call   string // the telephone system's id of the call
	Event  string // the appointment's UID in its calendar; a series has one for all its meetings
	Start  string // which of them: the start that the series gave it, see StartOf and StartOn; "" = the activity's own time
	Record string // the id of another source's activity
}

// StartOf writes an appointment's start for Same.Start.
func StartOf(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// StartOn writes the start of an appointment without a time of day.
func StartOn(d Date) string { return d.String() }

// occurrence is one meeting of a series of appointments.
type occurrence struct{ event, start string }

// occurrence gives the meeting that an activity with Same.Event tells of.
func (a *Activity) occurrence() occurrence {
	own := StartOn(a.Date)
	if !a.At.IsZero() {
		own = StartOf(a.At)
	}
	return occurrence{a.Same.Event, cmp.Or(a.Same.Start, own)}
}
