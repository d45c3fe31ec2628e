package schedule

import (
	"testing"
	"time"
	_ "time/tzdata"
)

// TestNext_clockChanges: each time that a schedule names starts once, on days with 23, 24, 24½ and 25 hours.
func TestNext_clockChanges(t *testing.T) {
	for _, tt := range []struct {
		name, zone, schedule, from string
		want                       []string
	}{
		{"forward over it", "Europe/Berlin", "30 2 * * *", "2026-03-28T12:00:00+01:00",
			[]string{"2026-03-29T03:00:00+02:00", "2026-03-30T02:30:00+02:00"}},
		{"forward over several of one night", "Europe/Berlin", "*/20 1-3 * * *", "2026-03-29T01:30:00+01:00",
			[]string{"2026-03-29T01:40:00+01:00", "2026-03-29T03:00:00+02:00", "2026-03-29T03:20:00+02:00"}},
		{"back over it", "Europe/Berlin", "30 2 * * *", "2026-10-24T12:00:00+02:00",
			[]string{"2026-10-25T02:30:00+02:00", "2026-10-26T02:30:00+01:00"}},
		{"back, seen between the two", "Europe/Berlin", "30 2 * * *", "2026-10-25T02:10:00+01:00",
			[]string{"2026-10-26T02:30:00+01:00"}},
		{"each hour of the day of 25", "Europe/Berlin", "15 * * * *", "2026-10-25T01:30:00+02:00",
			[]string{"2026-10-25T02:15:00+02:00", "2026-10-25T02:15:00+01:00", "2026-10-25T03:15:00+01:00"}},
		{"each hour of the day of 23", "Europe/Berlin", "15 * * * *", "2026-03-29T01:00:00+01:00",
			[]string{"2026-03-29T01:15:00+01:00", "2026-03-29T03:15:00+02:00"}},
		{"America, at the hour itself", "America/New_York", "0 2 * * *", "2026-03-07T12:00:00-05:00",
			[]string{"2026-03-08T03:00:00-04:00", "2026-03-09T02:00:00-04:00"}},
		{"midnight that is missing", "Africa/Cairo", "0 0 * * *", "2026-04-23T12:00:00+02:00",
			[]string{"2026-04-24T01:00:00+03:00", "2026-04-25T00:00:00+03:00"}},
		{"by half an hour forward", "Australia/Lord_Howe", "15 2 * * *", "2026-10-03T12:00:00+10:30",
			[]string{"2026-10-04T02:30:00+11:00", "2026-10-05T02:15:00+11:00"}},
		{"by half an hour back", "Australia/Lord_Howe", "45 1 * * *", "2026-04-04T12:00:00+11:00",
			[]string{"2026-04-05T01:45:00+11:00", "2026-04-06T01:45:00+10:30"}},
		{"a whole day that is missing", "Pacific/Apia", "0 2 * * *", "2011-12-29T12:00:00-10:00",
			[]string{"2011-12-31T00:00:00+14:00", "2011-12-31T02:00:00+14:00"}},
		{"no change", "Asia/Tokyo", "0 2 * * *", "2026-03-28T12:00:00+09:00",
			[]string{"2026-03-29T02:00:00+09:00", "2026-03-30T02:00:00+09:00"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := parse(t, tt.schedule, tt.zone)
			at := moment(t, tt.from)
			for _, want := range tt.want {
				if at = s.Next(at); at.Format(time.RFC3339) != want {
					t.Fatalf("%s, want %s", at.Format(time.RFC3339), want)
				}
			}
		})
	}
}

// TestDue: what is due follows from the last start and the clock alone.
func TestDue(t *testing.T) {
	for _, tt := range []struct {
		name, schedule string
		missed         Missed
		last, now      string
		want           string
	}{
		{"in time", "0 2 * * *", Once, "2026-11-21T02:00:00+09:00", "2026-11-22T01:00:00+09:00", "2026-11-22T02:00:00+09:00"},
		{"off for a week: once", "0 2 * * *", Once, "2026-11-15T02:00:00+09:00", "2026-11-22T09:00:00+09:00", "2026-11-16T02:00:00+09:00"},
		{"off for a week: skip", "0 2 * * *", Skip, "2026-11-15T02:00:00+09:00", "2026-11-22T09:00:00+09:00", "2026-11-23T02:00:00+09:00"},
		{"a little late is not missed", "0 2 * * *", Skip, "2026-11-21T02:00:00+09:00", "2026-11-22T02:09:00+09:00", "2026-11-22T02:00:00+09:00"},
		{"after what was made up for, the next night", "0 2 * * *", Once, "2026-11-22T09:00:00+09:00", "2026-11-22T09:01:00+09:00", "2026-11-23T02:00:00+09:00"},
		{"a run by hand in the evening takes no night's place", "0 2 * * *", Once, "2026-11-21T23:00:00+09:00", "2026-11-22T02:00:00+09:00", "2026-11-22T02:00:00+09:00"},
		{"an interval that was slept over: once", "every 15m", Once, "2026-11-22T09:00:00+09:00", "2026-11-22T12:07:00+09:00", "2026-11-22T09:15:00+09:00"},
		{"an interval that was slept over: skip", "every 15m", Skip, "2026-11-22T09:00:00+09:00", "2026-11-22T12:12:00+09:00", "2026-11-22T12:15:00+09:00"},
		{"an interval, a little late: skip", "every 15m", Skip, "2026-11-22T09:00:00+09:00", "2026-11-22T12:07:00+09:00", "2026-11-22T12:00:00+09:00"},
		{"the next start after those that were skipped", "0 2 * * *", Skip, "2026-11-15T02:00:00+09:00", "2026-11-23T02:00:00+09:00", "2026-11-23T02:00:00+09:00"},
		{"a clock put back by an hour repeats nothing", "0 2 * * *", Once, "2026-11-22T02:00:00+09:00", "2026-11-22T01:01:00+09:00", "2026-11-23T02:00:00+09:00"},
		{"what follows another has no time", "after tasks", Once, "2026-11-22T02:00:00+09:00", "2026-11-22T01:01:00+09:00", "0001-01-01T00:00:00Z"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j := Job{Schedule: parse(t, tt.schedule, "Asia/Tokyo"), Missed: tt.missed}
			if got := j.Due(moment(t, tt.last), moment(t, tt.now)).Format(time.RFC3339); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
		})
	}
}

// FuzzNext: the next start lies after now, and one moment before it the answer is the same.
func FuzzNext(f *testing.F) {
	f.Add("30 2 * * *", "Europe/Berlin", int64(1774742400))
	f.Add("*/7 1,2 * * *", "America/New_York", int64(1793512800))
	f.Add("15 * * * *", "Australia/Lord_Howe", int64(1775314800))
	f.Fuzz(func(t *testing.T, text, zone string, unix int64) {
		loc, err := time.LoadLocation(zone)
		if err != nil || unix < 0 || unix > 4e9 {
			return
		}
		s, err := Parse(text, loc)
		if err != nil || s.cron == nil {
			return
		}
		from := time.Unix(unix, 0)
		next := s.Next(from)
		if next.IsZero() { // a 29th of February on a Monday
			return
		}
		if !next.After(from) {
			t.Fatalf("%q in %s: %s is not after %s", text, zone, next, from)
		}
		if again := s.Next(next.Add(-time.Second)); !again.Equal(next) {
			t.Errorf("%q in %s: %s after %s, but %s a second before it", text, zone, next, from, again)
		}
	})
}

func parse(t *testing.T, text, zone string) Schedule {
	t.Helper()
	loc, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Parse(text, loc)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func moment(t *testing.T, text string) time.Time {
	t.Helper()
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		t.Fatal(err)
	}
	return at
}
