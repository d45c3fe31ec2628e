package schedule

import "time"

// Job is what is started again and again.
type Job struct {
	Source   string // whose records are pulled; "" is the sync of all
	Schedule Schedule
	Missed   Missed
}

// Missed says what becomes of starts that nobody was there for: the machine was
// off, or another run was at work.
type Missed string

// What becomes of missed starts.
const (
	Once Missed = "once" // one run makes up for all of them, as soon as it can; also the default
	Skip Missed = "skip" // the next start is the next of the schedule
)

const (
	// late is by how much a start may be behind and still be no missed one.
	late = 10 * time.Minute
	// turnedBack is from which step on a clock that was set back makes starts of before its future.
	turnedBack = 24 * time.Hour
)

// Due says when the job starts next: at once when that is not after now. last is
// when it started last or, when it never did, when it became known. It is a
// function of these alone, so that clocks that jump, machines that sleep and
// daemons that start again are no cases of their own: starts between last and
// now were missed, and a clock that was put back repeats none (but see TurnedBack).
// Zero for a job without times of its own.
func (j Job) Due(last, now time.Time) time.Time {
	since := now.Add(-late) // a start before is missed
	switch at := j.Schedule.Next(last); {
	case j.Missed != Skip || !at.Before(since):
		return at
	case j.Schedule.every > 0:
		d := j.Schedule.every
		return at.Add((since.Sub(at) + d - 1) / d * d)
	}
	return j.Schedule.Next(since)
}

// TurnedBack tells that the clock was put back by so much since last that last
// tells nothing any more: it is as if the job became known now.
func TurnedBack(last, now time.Time) bool { return last.After(now.Add(turnedBack)) }
