// Package schedule says when a run starts: schedule.go reads what people write,
// wallclock.go holds the rules for days on which the clocks change, job.go says
// what is due and what was missed. It is the only importer of robfig/cron, and
// keeps that library's traps from people: its parser panics on a zone without
// fields, accepts dates that never come, reads a negative interval as one
// second, and skips or doubles 02:30 when the clocks change.
package schedule

import (
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"energyd/internal/fault"
)

// Schedule is a parsed schedule: times of day in a zone, an interval, what it
// follows, or the news that it waits for.
type Schedule struct {
	text  string
	zone  *time.Location
	cron  cron.Schedule // of times of day; nil else
	every time.Duration // of intervals
	after string        // the source that it follows
}

// watch is the schedule of what is read when its system tells of news.
const watch = "watch"

const examples = `write five cron fields as "0 2 * * *" (at 02:00 every day), "@daily", "every 15m", "after SOURCE", or "watch"`

// Parse reads a schedule: five cron fields (minute hour day month weekday),
// "@hourly", "@daily" …, "every 15m" (also "@every 15m"), "after SOURCE", or
// "watch". Times of day are those of zone, or of the zone that stands before
// the fields: "CRON_TZ=Europe/Berlin 0 2 * * *". Faults: config.
func Parse(text string, zone *time.Location) (Schedule, error) {
	bad := func(format string, args ...any) (Schedule, error) {
		return Schedule{}, fault.New(fault.Config, "", fmt.Sprintf("schedule %q: ", text)+fmt.Sprintf(format, args...), examples, nil)
	}
	text = strings.TrimSpace(text)
	s := Schedule{text: text, zone: zone}
	fields := text
	if name, rest, ok := cutZone(text); ok {
		named, err := time.LoadLocation(name)
		if err != nil || name == "" || name == "Local" {
			return bad("unknown time zone %q", name)
		}
		if s.zone, fields = named, strings.TrimSpace(rest); fields == "" {
			return bad("names a zone and no time")
		}
	}
	word, rest, _ := strings.Cut(fields, " ")
	rest = strings.TrimSpace(rest)
	switch {
	case fields == "":
		return bad("is empty")
	case fields == watch:
		return s, nil
	case word == "after":
		if rest == "" || strings.ContainsAny(rest, " \t") {
			return bad("names no source; one name follows after")
		}
		s.after = rest
		return s, nil
	case word == "every" || word == "@every":
		d, err := time.ParseDuration(rest)
		if err != nil {
			return bad("%q is not a duration", rest)
		}
		if d < time.Minute {
			return bad("the interval %s is below one minute", d)
		}
		s.every = d
		return s, nil
	}
	c, err := cron.ParseStandard(fields)
	if err != nil {
		return bad("%v", err)
	}
	if c.Next(time.Unix(0, 0)).IsZero() {
		return bad("names a date that never comes")
	}
	s.cron = c
	return s, nil
}

// cutZone takes the zone from before a schedule's fields.
func cutZone(text string) (zone, rest string, ok bool) {
	for _, prefix := range []string{"CRON_TZ=", "TZ="} {
		if after, found := strings.CutPrefix(text, prefix); found {
			zone, rest, _ = strings.Cut(after, " ")
			return zone, rest, true
		}
	}
	return "", text, false
}

// Next gives the first start after t, in the schedule's zone; an interval
// begins at t. Zero for what follows a source, or waits for news.
func (s Schedule) Next(t time.Time) time.Time {
	switch {
	case s.every > 0:
		return t.Add(s.every).In(s.zone)
	case s.cron == nil:
		return time.Time{}
	case eachHour(s.cron):
		return s.cron.Next(t.In(s.zone))
	}
	return nextByWallClock(s.cron, t.In(s.zone))
}

// After names the source whose reading this follows, "" for none.
func (s Schedule) After() string { return s.after }

// OnNews tells that the source's own system says when there is something to read.
func (s Schedule) OnNews() bool { return s.text == watch }

// String gives the schedule as it was written.
func (s Schedule) String() string { return s.text }
