package crmsim

import (
	"fmt"
	"time"
)

// usage counts the day's calls. The real sum rolls over 24 hours; here a day
// begins with its first call, which a client cannot tell apart.
type usage struct {
	max, used int
	since     time.Time
	bursts    string
}

// count adds one call, and tells whether the day's limit allows it.
func (c *control) count(now time.Time) (allowed bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	u := &c.usage
	if now.Sub(u.since) >= 24*time.Hour {
		u.since, u.used = now, 0
	}
	if u.used >= u.max {
		return false
	}
	u.used++
	return true
}

// limitInfo is the value of Sforce-Limit-Info.
func (c *control) limitInfo() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	info := fmt.Sprintf("api-usage=%d/%d", c.usage.used, c.usage.max)
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
	return answer(map[string]allowance{
		"DailyApiRequests":     {u.max, u.max - u.used},
		"DailyBulkApiBatches":  {15000, 15000},
		"DailyBulkV2QueryJobs": {10000, 10000},
		"DataStorageMB":        {1024, 1000},
	})
}
