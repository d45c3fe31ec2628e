package daemon

import (
	"context"
	"time"

	"energyd/internal/fault"
	"energyd/internal/schedule"
)

// job is a job and what is known of it.
type job struct {
	schedule.Job
	last     time.Time // when it started last or, when it never did, when it became known
	known    time.Time // runs that began before are known
	again    time.Time // not before: it failed in a way that may heal, or another process was at work; zero: it did not
	failures int       // one after the other

	at, atOf time.Time // when it is due after a start at atOf, since that is asked each minute
	shown    time.Time // in the metrics
}

// Pauses before a job is tried again.
const (
	settle       = time.Second // news seldom comes alone
	occupied     = time.Minute // another process has the store
	firstPause   = 5 * time.Minute
	longestPause = time.Hour // also until a budget of calls, which is one of 24 hours, is looked at again
)

// label is the job's name in metrics.
func (j *job) label() string {
	if j.Source == "" {
		return "sync"
	}
	return j.Source
}

func (j *job) name() string {
	if j.Source == "" {
		return "sync"
	}
	return "pull " + j.Source
}

// due is when the job starts next; zero for one that waits for something else than a time.
func (j *job) due(now time.Time) time.Time {
	if j.again.After(now.Add(longestPause)) { // the clock was set back
		j.again = now.Add(longestPause)
	}
	if schedule.TurnedBack(j.last, now) {
		j.last = now
	}
	if !j.again.IsZero() {
		return j.again
	}
	if j.at.IsZero() || j.Missed == schedule.Skip || !j.atOf.Equal(j.last) {
		j.at, j.atOf = j.Due(j.last, now), j.last
	}
	return j.at
}

// pause puts the job off, longer each time.
func (j *job) pause(now time.Time) {
	j.again = now.Add(min(firstPause<<min(j.failures, 8), longestPause))
	j.failures++
}

// rest is how long no job is to start, and heartbeat at most.
func (d *Daemon) rest(now time.Time) time.Duration {
	rest := heartbeat
	for _, j := range d.jobs {
		at := d.at(j, now)
		if !at.Equal(j.shown) {
			d.Metrics.Next(j.label(), at)
			j.shown = at
		}
		if !at.IsZero() && (at.After(now) || d.mayBegin(j, now)) { // else the end of a run is waited for
			rest = min(rest, max(at.Sub(now), 0))
		}
	}
	return rest
}

// ask wants sources to be read.
func (d *Daemon) ask(why asking, sources ...string) {
	for _, source := range sources {
		if _, ok := d.asked[source]; !ok {
			d.asked[source] = why
		}
	}
}

// at is when a job is to start, by its schedule or because it is asked for; zero when it waits.
func (d *Daemon) at(j *job, now time.Time) time.Time {
	at := j.due(now)
	asked, ok := d.asked[j.Source]
	if !ok {
		return at
	}
	if j.again.After(asked.from) {
		asked.from = j.again
	}
	if at.IsZero() || asked.from.Before(at) {
		return asked.from
	}
	return at
}

// ready tells that a job is to start now.
func (d *Daemon) ready(j *job, now time.Time) bool {
	at := d.at(j, now)
	return !at.IsZero() && !at.After(now)
}

// upToDate takes from the store what other processes did meanwhile: a person's
// sync at 02:00 is this night's.
func (d *Daemon) upToDate(ctx context.Context, now time.Time) bool {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	last, err := d.work.LastStarts(ctx)
	if err != nil {
		for _, j := range d.jobs {
			if d.ready(j, now) {
				j.again = now.Add(occupied)
			}
		}
		d.alerts.set("store", "unreachable", err.Error(), fault.HintOf(err))
		return false
	}
	d.alerts.set("store", "ok", "", "")
	d.seen = last
	for _, j := range d.jobs {
		// Another machine's clock may be ahead of this one's.
		if l, ok := last.Of(j.Source); ok && l.At.After(j.known) && l.At.After(j.last) && !schedule.TurnedBack(l.At, now) {
			j.last, j.again, j.failures = l.At, time.Time{}, 0
		}
	}
	return true
}
