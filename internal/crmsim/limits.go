package crmsim

import (
	"fmt"
	"time"
)

// usage counts the calls of the last 24 hours, to the minute.
type usage struct {
	max, used int
	minutes   []spent // oldest first; used is their sum
	bursts    string  // what the fault quota adds to the header
	app       string  // with its own use, when the header is to tell that, too
	appUsed   int
	appMax    int
}

// spent is what one minute cost.
type spent struct {
	minute int64 // Unix minutes
	calls  int
}

// add counts calls of this moment, and forgets those that are 24 hours old.
func (u *usage) add(calls int, now time.Time) {
	u.expire(now)
	minute := now.Unix() / 60
	if n := len(u.minutes); n > 0 && u.minutes[n-1].minute >= minute { // >=: the clock may be set back
		u.minutes[n-1].calls += calls
	} else {
		u.minutes = append(u.minutes, spent{minute, calls})
	}
	u.used += calls
}

func (u *usage) expire(now time.Time) {
	const day = 24 * 60
	for len(u.minutes) > 0 && u.minutes[0].minute <= now.Unix()/60-day {
		u.used -= u.minutes[0].calls
		u.minutes = u.minutes[1:]
	}
}

// count adds one call, and tells whether the day's limit allows it.
func (c *control) count(now time.Time) (allowed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	u := &c.usage
	u.expire(now)
	if u.used >= u.max {
		return false
	}
	u.add(1, now)
	if u.app != "" {
		u.appUsed++
	}
	return true
}

// setQuota is the fault quota; a Max of 0 leaves the limit as it is.
func (c *control) setQuota(f Fault, now time.Time) {
	u := usage{max: c.usage.max, bursts: f.Bursts, app: f.App, appUsed: f.AppUsed, appMax: f.AppMax}
	if f.Max > 0 {
		u.max = f.Max
	}
	u.add(f.Used, now)
	c.usage = u
}

// limitInfo is the value of Sforce-Limit-Info.
func (c *control) limitInfo() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	info := fmt.Sprintf("api-usage=%d/%d", c.usage.used, c.usage.max)
	if u := c.usage; u.app != "" {
		info += fmt.Sprintf("; per-app-api-usage=%d/%d(appName=%s)", u.appUsed, u.appMax, u.app)
	}
	if c.usage.bursts != "" {
		info += "; " + c.usage.bursts
	}
	return info
}

type allowance struct{ Max, Remaining int }

func (s *Server) limits(*call) reply {
	s.control.mu.Lock()
	u := s.control.usage
	s.control.mu.Unlock()
	list := map[string]allowance{
		"DailyApiRequests": {u.max, u.max - u.used},
		"DataStorageMB":    {1024, 1000},
	}
	s.bulkAllowances(list)
	return answer(list)
}
