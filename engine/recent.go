package engine

import "energyd/engine/chance"

// Recent is what an entity earned lately, undecayed, for the lists A18 and A19.
type Recent struct {
	Milli  int64  // in the last months (A18)
	Low    bool   // as little as the table's limit, or less
	Now    int64  // in the last complete period, or periods (A19)
	Before int64  // in those that lie so many periods before
	Period Period // the last complete one; it moves with the calendar
	Halved bool   // Now is the table's share of Before or less; never without a Before
}

// Ratio gives Now as a share of Before; false = no base to compare with.
func (r Recent) Ratio() (float64, bool) {
	if r.Before <= 0 {
		return 0, false
	}
	return float64(r.Now) / float64(r.Before), true
}

// Recent gives what an entity of these sorted cells earned up to a date; its
// zero value when the table has neither alarms.low nor alarms.halved. No cells at all are a customer who earned nothing.
func (p *Points) Recent(cells []Cell, asOf Date) Recent {
	return p.Evaluate(Account, cells, asOf).Recent
}

// recent gives also the day on which it changes without news.
func (p *Points) recent(cells []Cell, earned []PeriodSum, asOf Date) (r Recent, due Date) {
	due = NoDate
	this, end := p.periodOf(asOf)
	r.Period = this - 1
	if c := p.alarms.Low; c != nil {
		first, last := p.lately(asOf)
		i := len(cells)
		for ; i > 0 && cells[i-1].Date >= first; i-- {
			switch cell := &cells[i-1]; {
			case cell.Date > last: // of a period that is not complete
				due = p.entersLately(cell.Date)
			default:
				r.Milli += p.earns(cell)
			}
		}
		if i < len(cells) && cells[i].Date <= last {
			due = sooner(due, p.leavesLately(cells[i].Date))
		}
		r.Low = r.Milli <= milli(c.Points)
	}
	if c := p.alarms.Halved; c != nil {
		r.Now, r.Before = c.compared(earned, r.Period)
		r.Halved = c.halved(r.Now, r.Before)
		due = sooner(due, p.nextCompared(earned, this, end))
	}
	return r, due
}

func sooner(a, b Date) Date {
	if a == NoDate || b != NoDate && b < a {
		return b
	}
	return a
}

// earns gives the milli-points of a cell as earned energy, as PeriodSum.Milli has it.
func (p *Points) earns(c *Cell) int64 {
	if p.negatives[c.Group] {
		return 0
	}
	return c.Milli
}

// lately gives the first and the last of the days that count as the last
// months on a date: those after the same day so many months ago, cut to the
// month's end, or the last complete periods.
func (p *Points) lately(asOf Date) (first, last Date) {
	c := p.alarms.Low
	if c.Complete {
		m := p.Period(asOf)
		return p.begins(m - Period(c.Months)), p.begins(m) - 1
	}
	return monthsBefore(asOf, c.Months) + 1, asOf
}

// entersLately gives the day from which on contacts of a date count as lately.
func (p *Points) entersLately(d Date) Date {
	if p.alarms.Low.Complete {
		return p.begins(p.Period(d) + 1)
	}
	return d
}

// leavesLately gives the day from which on they no longer do.
func (p *Points) leavesLately(d Date) Date {
	c := p.alarms.Low
	if c.Complete {
		return p.begins(p.Period(d) + 1 + Period(c.Months))
	}
	return monthsAfter(d, c.Months)
}

// begins gives the first date of a period.
func (p *Points) begins(m Period) Date {
	// The day after the closing day of the month before.
	before := m - 1
	return before.first() + Date(p.closing(before))
}

// first gives the first date of the calendar month.
func (m Period) first() Date {
	return DateOf(int(floorDiv(int64(m), 12)), m.month(), 1)
}

// monthsBefore gives the same day n calendar months before, or the last of that month.
func monthsBefore(d Date, n int) Date {
	year, month, day := d.Time().Date()
	m := Period(year*12+int(month)-1) - Period(n)
	return m.first() + Date(min(day, m.days())-1)
}

// monthsAfter gives the first date whose monthsBefore is d or later: the same
// day n months later, or the first of the month after where there is none.
func monthsAfter(d Date, n int) Date {
	year, month, day := d.Time().Date()
	m := Period(year*12+int(month)-1) + Period(n)
	if day > m.days() {
		return (m + 1).first()
	}
	return m.first() + Date(day-1)
}

// compared sums the periods up to last, and as many that lie Back before.
func (c *HalvedConfig) compared(earned []PeriodSum, last Period) (now, before int64) {
	for i := len(earned) - 1; i >= 0; i-- {
		switch age := int(last - earned[i].Period); {
		case age >= c.Back+c.Periods:
			return now, before
		case age >= c.Back:
			before += earned[i].Milli
		case age >= 0 && age < c.Periods:
			now += earned[i].Milli
		}
	}
	return now, before
}

// halved tells whether now is so small a share of before, in whole milli-points.
func (c *HalvedConfig) halved(now, before int64) bool {
	return before > 0 && now <= round(c.Share*float64(before))
}

// nextCompared gives the day on which a period's end changes what is compared.
func (p *Points) nextCompared(earned []PeriodSum, this Period, end Date) Date {
	if len(earned) == 0 {
		return NoDate
	}
	c := p.alarms.Halved
	now, before := c.compared(earned, this-1)
	if c.halved(now, before) { // its sentence names the periods
		return end + 1
	}
	for m := this; m <= earned[len(earned)-1].Period+Period(c.Back+c.Periods); m++ {
		if n, b := c.compared(earned, m); n != now || b != before {
			if m == this {
				return end + 1
			}
			return p.begins(m + 1)
		}
	}
	return NoDate
}

// low raises the alarm of who earned little lately (A18). It fired on the day
// on which the last contact too many left the months that count.
func (p *Points) low(s *Score, cells []Cell) {
	if c := p.alarms.Low; c != nil && s.Recent.Low {
		limit := milli(c.Points)
		since := p.lowSince(cells, s.AsOf, s.Recent.Milli, limit)
		first, last := p.lately(since)
		s.raise(Alarm{Kind: Low, Since: since, Until: NoDate, P: p.few(cells, first, last), Milli: s.Recent.Milli, Limit: limit, Days: c.Months, Last: NoDate, Booked: NoDate})
	}
}

// lowSince walks back from a date on which sum is within the limit to the
// first such day without a break: at the latest the day of the first contact.
func (p *Points) lowSince(cells []Cell, asOf Date, sum, limit int64) Date {
	first, last := p.lately(asOf)
	in := len(cells)
	for in > 0 && cells[in-1].Date > last {
		in--
	}
	out := in // cells[out:in] count on the day that is looked at
	for out > 0 && cells[out-1].Date >= first {
		out--
	}
	for {
		// What happened last before: a contact came to count, or ceased to.
		came, left := NoDate, NoDate
		if in > out {
			came = p.entersLately(cells[in-1].Date)
		}
		if out > 0 {
			left = p.leavesLately(cells[out-1].Date)
		}
		day := max(came, left)
		if day == NoDate {
			return cells[0].Date
		}
		// On the day before, neither had happened.
		for ; in > out && p.entersLately(cells[in-1].Date) == day; in-- {
			sum -= p.earns(&cells[in-1])
		}
		for ; out > 0 && p.leavesLately(cells[out-1].Date) == day; out-- {
			sum += p.earns(&cells[out-1])
		}
		if sum > limit {
			return day
		}
	}
}

// halved raises the alarm of who earned half or less of what it was (A19).
func (p *Points) halved(s *Score, cells []Cell) {
	c := p.alarms.Halved
	if c == nil || !s.Recent.Halved {
		return
	}
	last := s.Recent.Period
	for {
		if now, before := c.compared(s.Earned, last-1); !c.halved(now, before) {
			break
		}
		last--
	}
	r := s.Recent
	s.raise(Alarm{Kind: Halved, Since: p.begins(last + 1), Until: NoDate,
		P:     p.few(cells, p.begins(r.Period-Period(c.Periods-1)), p.begins(r.Period+1)-1),
		Milli: r.Now, Before: r.Before, Period: r.Period, Days: c.Periods, Back: c.Back, Last: NoDate, Booked: NoDate})
}

// few gives the chance that a customer whose habit has not changed has so few
// contacts from first to last, by which low and halved are ranked. Without history it is 1.
func (p *Points) few(cells []Cell, first, last Date) float64 {
	h := p.alarms.History
	if h == nil {
		return 1
	}
	from, to := p.clock.at(first-1), p.clock.at(last)
	contacts, before := 0, 0
	for i := len(cells) - 1; i >= 0; i-- {
		at := p.clock.at(cells[i].Date)
		if at <= from-h.Days {
			break
		}
		switch n := int(p.contacts(&cells[i])); {
		case at > to:
		case at > from:
			contacts += n
		default:
			before += n
		}
	}
	length := min(h.Days, max(0, from-p.knownSince(cells)+1))
	habit := chance.Rate{Contacts: h.PriorContacts + float64(before), Days: h.PriorDays + float64(length)}
	return habit.AtMost(contacts, float64(to-from))
}
