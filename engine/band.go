package engine

// band is where an entity stands, and the clock's reading when it came there.
type band struct{ at, since int }

// nextBand gives the band at a temperature of milli-points and a reading of the clock, coming from b.
// A band is not left downwards before the least stay.
func (p *Points) nextBand(b band, milli float64, now int) band {
	m, to := round(milli), b.at
	if p.stay == 0 || now-b.since >= p.stay {
		for to > 0 && m < p.bandDown[to] {
			to--
		}
	}
	for to+1 < len(p.bandUp) && m >= p.bandUp[to+1] {
		to++
	}
	if to != b.at {
		return band{to, now}
	}
	return b
}

// quiet gives the band after the days without news from one reading of the clock to another.
func (s *stocks) quiet(b band, from, to int) band {
	if s.p.stay == 0 && !s.rises { // then the last day is the coldest: if the band falls at all, it has fallen there
		if b.at == 0 {
			return b
		}
		return s.p.nextBand(b, s.temperature(to), to)
	}
	for from < to {
		at, changes := s.nextChange(b, from, to)
		if !changes {
			break
		}
		b, from = s.p.nextBand(b, s.temperature(at), at), at
	}
	return b
}

// nextChange gives the first reading of the clock in (from, to] at which the band changes without news.
func (s *stocks) nextChange(b band, from, to int) (at int, changes bool) {
	p := s.p
	if to <= from || b.at == 0 && !s.rises {
		return 0, false
	}
	// Each side only falls. So does what the bounds say of all days between, and no day is asked for in vain.
	plusFirst, minusFirst := s.sides(from + 1)
	plusLast, minusLast := s.sides(to)
	least, most := max(0, plusLast-minusFirst), max(0, plusFirst-minusLast)
	falls := b.at > 0 && round(least) < p.bandDown[b.at] && (p.stay == 0 || to-b.since >= p.stay)
	rises := b.at+1 < len(p.bandUp) && round(most) >= p.bandUp[b.at+1]
	switch {
	case !falls && !rises:
		return 0, false
	case to == from+1:
		return to, true
	}
	middle := from + (to-from)/2
	if at, changes = s.nextChange(b, from, middle); changes {
		return at, true
	}
	return s.nextChange(b, middle, to)
}

// until gives the first day on which the band changes without news, from a reading of the clock on; NoDate = never.
func (s *stocks) until(b band, now int) Date {
	p := s.p
	if b.at == 0 && !s.rises {
		return NoDate
	}
	if k, ok := s.crossing(b, now); ok {
		if k > p.clock.at(lastDate) { // beyond the days that there are
			return NoDate
		}
		return p.clock.firstAt(k)
	}
	if at, changes := s.nextChange(b, now, p.clock.at(lastDate)); changes {
		return p.clock.firstAt(at)
	}
	return NoDate
}

// never is a reading of the clock that does not come.
const never = 1<<31 - 1

// crossing gives the reading of the clock at which an entity with contacts of
// one group has fallen below the band. What is shown is rounded: that decides, within a
// day of the formula. ok is false where the search of nextChange has to do it.
func (s *stocks) crossing(b band, now int) (at int, ok bool) {
	p, only, several := s.p, Group(0), 0
	for g := range p.groups {
		if s.of[g].milli > 0 {
			only = Group(g)
			several++
		}
	}
	if several > 1 || p.groups[only].cap > 0 || p.stay > 0 || s.rises || b.at == 0 {
		return 0, false
	}
	down, st := p.bandDown[b.at], &s.of[only]
	if down == 0 {
		return never, true
	}
	days, ok := p.groups[only].crossing(st.milli, float64(down)-0.5)
	if !ok || days > float64(never)/2 {
		return never, ok
	}
	at = max(now, st.last+int(days)-1)
	for round(s.left(only, at)) >= down {
		at++
	}
	for at > now && round(s.left(only, at-1)) < down {
		at--
	}
	return at, true
}
