// Package schedule says when a run starts. It is the only importer of
// robfig/cron, and keeps that library's traps from people: its parser panics
// on a zone without fields, accepts dates that never come, and reads a
// negative interval as one second.
package schedule

import (
	"fmt"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"energyd/internal/fault"
)

// Schedule is a parsed schedule in a zone.
type Schedule struct {
	text string
	zone *time.Location
	cron cron.Schedule
}

const examples = `write five cron fields as "0 2 * * *" (at 02:00 every day), or "@daily", "@every 30m"`

// Parse reads a schedule: five cron fields (minute hour day month weekday),
// "@hourly", "@daily" … or "@every 30m". Times of day are those of zone.
// Faults: config.
func Parse(text string, zone *time.Location) (Schedule, error) {
	bad := func(format string, args ...any) (Schedule, error) {
		return Schedule{}, fault.New(fault.Config, "", fmt.Sprintf("schedule %q: ", text)+fmt.Sprintf(format, args...), examples, nil)
	}
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return bad("is empty")
	case strings.HasPrefix(text, "TZ=") || strings.HasPrefix(text, "CRON_TZ="):
		return bad("has a zone of its own; schedules are in the configuration's timezone, %s", zone)
	case strings.HasPrefix(text, "@every "):
		d, err := time.ParseDuration(strings.TrimPrefix(text, "@every "))
		if err != nil {
			return bad("%q is not a duration", strings.TrimPrefix(text, "@every "))
		}
		if d < time.Minute {
			return bad("the interval %s is below one minute", d)
		}
	}
	c, err := cron.ParseStandard(text)
	if err != nil {
		return bad("%v", err)
	}
	if c.Next(time.Unix(0, 0)).IsZero() {
		return bad("names a date that never comes")
	}
	return Schedule{text, zone, c}, nil
}

// Next gives the first start after t, in the schedule's zone.
func (s Schedule) Next(t time.Time) time.Time { return s.cron.Next(t.In(s.zone)) }

// String gives the schedule as it was written.
func (s Schedule) String() string { return s.text }
