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
// daemons that start again are no cases of their own:
//
//   - over a clock that was put forward, or a sleep, starts were missed;
//   - a clock that was put back by less than a day repeats no start; by more, last tells nothing any more.
//
// Zero for a job without times of its own.
func (j Job) Due(last, now time.Time) time.Time {
	if last.After(now.Add(turnedBack)) {
		last = now
	}
	at := j.Schedule.Next(last)
	if at.IsZero() || j.Missed != Skip || !at.Before(now.Add(-late)) {
		return at
	}
	if d := j.Schedule.every; d > 0 {
		return at.Add((now.Sub(at)/d + 1) * d)
	}
	return j.Schedule.Next(now)
}
