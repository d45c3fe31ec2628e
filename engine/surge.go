package engine

import "energyd/engine/chance"

// surge looks for a sudden rise of customer-started contacts (energy-model.md
// §4.7). It is tested on each day with such contacts, and not within RestDays
// after it fired, so what stands today depends on what fired before: that is
// replayed, from the last gap of more than RestDays on, before which nothing
// that fired matters any more.
func (p *Points) surge(s *Score, cells []Cell) {
	c := p.alarms.Surge
	if c == nil {
		return
	}
	for i := len(cells) - 1; i >= 0 && s.Stirred == NoDate; i-- {
		if p.stirs(&cells[i]) {
			s.Stirred = cells[i].Date
		}
	}
	first := p.stirredSince(cells, p.clock.at(s.AsOf))
	if first < 0 {
		return
	}
	w := p.judged(cells, p.clock.at(cells[first].Date))
	fired := Alarm{Since: NoDate}
	for i := first; i < len(cells); {
		date := cells[i].Date
		i = p.nextStir(cells, i, date)
		at := p.clock.at(date)
		w.move(at)
		if fired.Since != NoDate && at-p.clock.at(fired.Since) <= c.RestDays {
			continue
		}
		if a, ok := w.test(date); ok {
			fired = a
		}
	}
	if fired.Since != NoDate {
		fired.Until = p.clock.firstAt(p.clock.at(fired.Since) + c.RestDays + 1)
		s.raise(fired)
	}
}

// stirs tells a cell of contacts that the customer started.
func (p *Points) stirs(c *Cell) bool { return c.Direction == Inbound && p.contacts(c) > 0 }

// stirredSince gives the index of the first of the customer's contacts that
// follow each other within RestDays up to now; -1 = none.
func (p *Points) stirredSince(cells []Cell, now int) int {
	first := -1
	for i, next := len(cells)-1, now; i >= 0; i-- {
		at := p.clock.at(cells[i].Date)
		if next-at > p.alarms.Surge.RestDays {
			break
		}
		if p.stirs(&cells[i]) {
			first, next = i, at
		}
	}
	return first
}

// nextStir gives the index of the first of the customer's contacts after date.
func (p *Points) nextStir(cells []Cell, i int, date Date) int {
	for i < len(cells) && (cells[i].Date == date || !p.stirs(&cells[i])) {
		i++
	}
	return i
}

// window counts the customer's contacts in the days that are judged and in
// the history before them, while it moves forward in time.
type window struct {
	p                  *Points
	cells              []Cell
	known              int // reading of the clock on the first day with known contacts
	head, recent, past int // indexes: the first cell after the window, in the window, in the history
	contacts, usual    int32
	milli              int64
	at                 int
}

// judged makes a window that may move to a reading of the clock, and later.
func (p *Points) judged(cells []Cell, at int) window {
	c, h := p.alarms.Surge, p.alarms.History
	i := len(cells)
	for i > 0 && p.clock.at(cells[i-1].Date) > at-c.Days-h.Days {
		i--
	}
	return window{p: p, cells: cells, known: p.knownSince(cells), head: i, recent: i, past: i}
}

// knownSince gives the clock's reading on the first day of which contacts are known.
func (p *Points) knownSince(cells []Cell) int {
	if p.alarms.knownSince != NoDate {
		return p.clock.at(p.alarms.knownSince)
	}
	return p.clock.at(cells[0].Date)
}

// move brings the window to end at a reading of the clock.
func (w *window) move(at int) {
	w.at = at
	c, h := w.p.alarms.Surge, w.p.alarms.History
	for ; w.head < len(w.cells) && w.p.clock.at(w.cells[w.head].Date) <= at; w.head++ {
		if cell := &w.cells[w.head]; w.p.stirs(cell) {
			w.contacts += cell.Count
			w.milli += cell.Milli
		}
	}
	for ; w.recent < w.head && w.p.clock.at(w.cells[w.recent].Date) <= at-c.Days; w.recent++ {
		if cell := &w.cells[w.recent]; w.p.stirs(cell) {
			w.contacts -= cell.Count
			w.milli -= cell.Milli
			w.usual += cell.Count
		}
	}
	for ; w.past < w.recent && w.p.clock.at(w.cells[w.past].Date) <= at-c.Days-h.Days; w.past++ {
		if cell := &w.cells[w.past]; w.p.stirs(cell) {
			w.usual -= cell.Count
		}
	}
}

// test tells whether the window holds more than chance explains.
func (w *window) test(date Date) (Alarm, bool) {
	c, h := w.p.alarms.Surge, w.p.alarms.History
	if int(w.contacts) < c.Contacts || w.milli < milli(c.Points) {
		return Alarm{}, false
	}
	// The day itself is known on which contacts begin to be.
	length := min(h.Days, max(0, w.at-c.Days-w.known+1))
	habit := chance.Rate{Contacts: h.PriorContacts + float64(w.usual), Days: h.PriorDays + float64(length)}
	usual := habit.Expected(float64(c.Days))
	if float64(w.contacts) <= usual { // as most of a busy customer's windows: spares the sum
		return Alarm{}, false
	}
	a := Alarm{Kind: Surge, Since: date, Last: NoDate, Booked: NoDate, P: habit.AtLeast(int(w.contacts), float64(c.Days)),
		Contacts: int(w.contacts), Days: c.Days, Usual: usual, History: length}
	return a, a.P <= c.Chance
}
