package engine

import "math"

// Trend tells whether a customer's energy rises or falls.
type Trend uint8

// The trends. NoTrend: the table has no trend section.
const (
	NoTrend Trend = iota
	Improving
	Steady
	Declining
	TooFew // contacts, to tell
)

var trendNames = []string{NoTrend: "", Improving: "improving", Steady: "steady", Declining: "declining", TooFew: "not enough information"}

// String gives "improving", "steady", "declining", "not enough information", or "".
func (t Trend) String() string { return trendNames[t] }

// trend is a compiled TrendConfig.
type trend struct {
	on          bool
	short, long decay
	rate        [2]float64 // points a day of one milli-point of either stock: ln 2 / half-life / 1000
	ratio       float64    // 2^threshold
	floor       float64
	contacts    int32
	within      int
}

func newTrend(c *TrendConfig) trend {
	if c == nil {
		return trend{}
	}
	return trend{
		on: true, short: newDecay(&GroupConfig{HalfLifeDays: c.ShortHalfLifeDays}, 0), long: newDecay(&GroupConfig{HalfLifeDays: c.LongHalfLifeDays}, 0),
		rate:  [2]float64{math.Ln2 / c.ShortHalfLifeDays / 1000, math.Ln2 / c.LongHalfLifeDays / 1000},
		ratio: math.Exp2(c.Threshold), floor: c.Floor,
		contacts: int32(c.Contacts), within: c.WithinDays,
	}
}

// trendOf gives the trend on a date from the cells up to it, and the day on
// which it changes without news. After WithinDays without news it is TooFew
// for ever, so no look ahead goes further.
func (p *Points) trendOf(cells []Cell, asOf Date) (Trend, Date) {
	t := &p.trend
	if !t.on {
		return NoTrend, NoDate
	}
	now := p.clock.at(asOf)
	first := p.enoughSince(cells, now-t.within)
	if first < 0 {
		return TooFew, NoDate
	}
	// From the day on which that contact leaves the window there are too few.
	end := p.clock.at(cells[first].Date) + t.within
	last := p.clock.at(cells[len(cells)-1].Date)
	u, v := p.quickAndSlow(cells)
	is := t.of(u, v, now-last)
	for k := now + 1; k < end; k++ {
		if t.of(u, v, k-last) != is {
			return is, p.clock.firstAt(k)
		}
	}
	return is, p.clock.firstAt(end)
}

// enoughSince gives the index of the latest cell from which on there are
// enough contacts, all later than a reading of the clock; -1 = too few.
func (p *Points) enoughSince(cells []Cell, after int) int {
	var n int32
	for i := len(cells) - 1; i >= 0 && p.clock.at(cells[i].Date) > after; i-- {
		if n += p.contacts(&cells[i]); n >= p.trend.contacts {
			return i
		}
	}
	return -1
}

// quickAndSlow gives both stocks in milli-points on the date of the last cell.
func (p *Points) quickAndSlow(cells []Cell) (quick, slow float64) {
	t := &p.trend
	last := p.clock.at(cells[len(cells)-1].Date)
	i := len(cells)
	for i > 0 && last-p.clock.at(cells[i-1].Date) <= t.long.window() {
		i--
	}
	for at := p.clock.at(cells[i].Date); i < len(cells); {
		date := cells[i].Date
		var sum int64
		for ; i < len(cells) && cells[i].Date == date; i++ {
			if !p.negatives[cells[i].Group] {
				sum += cells[i].Milli
			}
		}
		k := p.clock.at(date) - at
		quick = float64(quick*t.short.factor(k)) + float64(sum)
		slow = float64(slow*t.long.factor(k)) + float64(sum)
		at += k
	}
	return quick, slow
}

// of gives the trend k days of the clock after both stocks were so large.
func (t *trend) of(quick, slow float64, k int) Trend {
	u := float64(float64(quick*t.short.factor(k))*t.rate[0]) + t.floor
	v := float64(float64(slow*t.long.factor(k))*t.rate[1]) + t.floor
	switch {
	case u >= float64(v*t.ratio):
		return Improving
	case float64(u*t.ratio) <= v:
		return Declining
	}
	return Steady
}
