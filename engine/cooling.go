package engine

import "energyd/engine/chance"

// fall is a fall from a band for want of contacts.
type fall struct {
	on       Date // the first day in the lower band
	from, to int  // to == from: there was none
}

// fallen gives the last fall from a band that alarms are about, in the days
// without news from one reading of the clock to another.
func (s *stocks) fallen(b band, from, to int) (fell fall) {
	p := s.p
	if p.alarms.Cooling == nil || b.at < p.alarms.coolFrom {
		return fall{}
	}
	for at := from; ; {
		on := s.until(b, at)
		if on == NoDate || p.clock.at(on) > to {
			return fell
		}
		at = p.clock.at(on)
		next := p.nextBand(b, s.temperature(at), at)
		if next.at < b.at && b.at >= p.alarms.coolFrom {
			fell = fall{on, b.at, next.at}
		}
		b = next
	}
}

// cooling raises the alarm of who fell out of a warm band (B9). A contact ends it.
func (p *Points) cooling(s *Score, fell fall) {
	c := p.alarms.Cooling
	if c == nil || fell.from == fell.to {
		return
	}
	s.raise(Alarm{Kind: Cooling, Since: fell.on, Until: p.clock.firstAt(p.clock.at(fell.on) + c.StandsDays), P: 1,
		From: fell.from, To: fell.to, Last: s.Last, Booked: NoDate})
}

// leaving raises the alarm of a buyer who has probably left for good. Who
// bought once cannot be judged.
func (p *Points) leaving(s *Score, cells []Cell) {
	c := p.alarms.Leaving
	if c == nil {
		return
	}
	first, last, days := NoDate, NoDate, 0
	for i := range cells {
		if cells[i].Group != p.alarms.leaving || cells[i].Count == 0 || cells[i].Date == last {
			continue
		}
		if last = cells[i].Date; first == NoDate {
			first = last
		}
		days++
	}
	if days < 2 {
		return
	}
	const week = 7.0
	begin := p.clock.at(first)
	at := float64(p.clock.at(last)-begin) / week
	law := chance.Buyers{R: c.R, Alpha: c.Alpha, A: c.A, B: c.B}
	age, _ := law.AliveUntil(days-1, at, c.Alive)
	// The first day on which it is lower, and not before the purchase that raised the question.
	on := max(p.clock.at(last), begin+int(min(age*week, never))+1)
	alive, _ := law.Alive(days-1, at, float64(on-begin)/week)
	s.raise(Alarm{Kind: Leaving, Since: p.clock.firstAt(on), Until: p.clock.firstAt(on + c.Stands), P: 1,
		Contacts: days, Last: last, Alive: alive, Booked: NoDate})
}
