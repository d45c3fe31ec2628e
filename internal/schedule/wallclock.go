package schedule

import (
	"time"

	"github.com/robfig/cron/v3"
)

// eachHour tells schedules whose hour is *: they count hours as they pass, also
// the one that comes twice, and the one that is left out is not missed.
func eachHour(c cron.Schedule) bool {
	const star = 1 << 63 // cron marks a field so that was written as *
	spec, ok := c.(*cron.SpecSchedule)
	return ok && spec.Hour&star != 0
}

// nextByWallClock gives the first start after t of a schedule whose hours are
// named, in t's zone. Such a schedule starts once for each time that it names:
// where the clocks go back, at the first of the two; where they go forward over
// it, at the moment they do.
func nextByWallClock(c cron.Schedule, t time.Time) time.Time {
	for wall := reading(t); ; {
		// In UTC no hour is missing or doubled, so cron's own arithmetic holds.
		if wall = c.Next(wall); wall.IsZero() {
			return time.Time{}
		}
		if at := instant(wall, t.Location()); at.After(t) {
			return at
		}
	}
}

// reading is what a clock on the wall shows at t, written as a time in UTC.
func reading(t time.Time) time.Time {
	y, m, d := t.Date()
	return time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
}

// instant is when a zone's clock shows wall: the first time that it does, or
// the change that leaves it out.
func instant(wall time.Time, zone *time.Location) time.Time {
	y, m, d := wall.Date()
	at := time.Date(y, m, d, wall.Hour(), wall.Minute(), wall.Second(), 0, zone)
	begins, ends := at.ZoneBounds()
	switch shown := reading(at); {
	case shown.After(wall):
		return begins
	case shown.Before(wall):
		return ends
	case begins.IsZero():
		return at
	}
	_, before := begins.Add(-time.Second).Zone()
	if first := wall.Add(-time.Duration(before) * time.Second).In(zone); first.Before(begins) && reading(first).Equal(wall) {
		return first
	}
	return at
}
