package engine

import "time"

// clock counts days for all decay and window lengths: calendar days, or
// business days only, so that nobody cools over Golden Week. Only differences
// of readings mean anything.
type clock struct {
	business bool
	beta     []int32 // of the business clock: reading on tableFirst+i
}

// The business clock's table. Outside of it every weekday counts.
var (
	tableFirst = DateOf(1955, time.January, 1)
	tableLast  = DateOf(2100, time.December, 31)
)

// newClock makes a clock. Shutdown days are "2006-01-02", or "01-02" for every year.
func newClock(business bool, shutdown []string) clock {
	if !business {
		return clock{}
	}
	closed := make(map[string]bool, len(shutdown))
	for _, s := range shutdown {
		closed[s] = true
	}
	c := clock{business: true, beta: make([]int32, tableLast-tableFirst+1)}
	n := int32(weekdays(tableFirst - 1))
	for d := tableFirst; d <= tableLast; d++ {
		day := d.String()
		if isWeekday(d) && !d.holiday() && !closed[day] && !closed[day[len("2006-"):]] {
			n++
		}
		c.beta[d-tableFirst] = n
	}
	return c
}

// at gives the clock's reading at the end of d.
func (c *clock) at(d Date) int {
	switch {
	case !c.business:
		return int(d)
	case d < tableFirst:
		return weekdays(d)
	case d > tableLast:
		return int(c.beta[len(c.beta)-1]) + weekdays(d) - weekdays(tableLast)
	}
	return int(c.beta[d-tableFirst])
}

// firstAt gives the first date on which the clock reads n or more; the last one there is, if none does.
func (c *clock) firstAt(n int) Date {
	if !c.business {
		return Date(min(max(n, int(firstDate)), int(lastDate)))
	}
	low, high := firstDate, lastDate
	for low < high {
		if mid := low + (high-low)/2; c.at(mid) >= n {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return low
}

func isWeekday(d Date) bool {
	w := d.Time().Weekday()
	return w != time.Saturday && w != time.Sunday
}

// weekdays counts Mondays to Fridays since an arbitrary Monday, up to and with d.
func weekdays(d Date) int {
	days := int64(d) + 3 // 1970-01-01 was a Thursday
	week := floorDiv(days, 7)
	return int(5*week + min(days-7*week+1, 5))
}

// Clock gives the reading of the table's clock at a date; differences are days of that clock.
func (p *Points) Clock(d Date) int { return p.clock.at(d) }

// Free tells that a date is a Saturday, a Sunday or one of Japan's national holidays.
func (d Date) Free() bool {
	return d.holiday() || !isWeekday(d)
}
