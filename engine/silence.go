package engine

import (
	"math"

	"energyd/engine/chance"
)

// silence tells when this customer's silence is longer than habit explains:
// its day is known from the last contact on, and so it is a day in the due
// queue. While a meeting is booked the alarm stands, muted.
func (p *Points) silence(s *Score, cells, ahead []Cell) {
	c, h := p.alarms.Silence, p.alarms.History
	if c == nil {
		return
	}
	last := len(cells) - 1
	for last >= 0 && p.contacts(&cells[last]) == 0 {
		last--
	}
	if last < 0 {
		return
	}
	at := p.clock.at(cells[last].Date)
	contacts := 0
	for i := last; i >= 0 && p.clock.at(cells[i].Date) > at-h.Days; i-- {
		contacts += int(p.contacts(&cells[i]))
	}
	length := min(h.Days, max(0, at-p.knownSince(cells)+1))
	habit := chance.Rate{Contacts: h.PriorContacts + float64(contacts), Days: h.PriorDays + float64(length)}
	gap := int(math.Floor(habit.SilentFor(c.Chance))) + 1 // the first whole day beyond
	a := Alarm{Kind: Silence, Since: p.clock.firstAt(at + gap), P: habit.Silent(float64(gap)),
		Contacts: contacts, Days: gap, Usual: habit.Days / habit.Contacts, History: length,
		Last: cells[last].Date, Booked: NoDate}
	a.Until = p.clock.firstAt(at + gap + c.StandsDays)
	if a.Since <= s.AsOf && s.AsOf < a.Until {
		a.Booked = booked(s, ahead, Date(c.BookedDays))
	}
	s.raise(a)
}

// booked gives the day of the next meeting, if it is within so many days, and
// notes when that changes.
func booked(s *Score, ahead []Cell, within Date) Date {
	if len(ahead) == 0 {
		return NoDate
	}
	next := ahead[0].Date
	if next-s.AsOf > within {
		s.sooner(next - within)
		return NoDate
	}
	s.sooner(next)
	return next
}

// Booked is the group of cells that stand for meetings that are planned: they
// have contacts and no points. A meeting that took place leaves it, one that
// was cancelled too, and days that have passed mean nothing.
const Booked Group = 255

// book emits a meeting that is planned, for whom it may mute a silence.
func (p *Points) book(i int, a *Activity, emit func(i int, c Contribution)) {
	if a.Status != Planned || a.Deleted || p.alarms.Silence == nil || !p.kinds[a.Kind].meeting {
		return
	}
	cell := Cell{Date: p.DateOf(a), Group: Booked, Direction: a.Direction, Count: 1}
	put := func(kind EntityKind, id string) {
		if id != "" && p.alarms.of[kind] {
			emit(i, Contribution{Entity{kind, id}, cell})
		}
	}
	put(Account, a.Account)
	for _, who := range a.People {
		put(Contact, who.Contact)
	}
	for _, d := range a.Deals {
		put(Deal, d.ID)
	}
}

// whose gives whose act a contact of this kind was: of one that is both
// sides', the customer's if the kind is always the customer's idea.
func (k kind) whose(d Direction) Direction {
	if d == Mutual && k.theirs {
		return Inbound
	}
	return d
}

// withoutBooked leaves out the meetings that are planned, which earn nothing.
// Few entities have one in the past, so that cells are seldom copied.
func withoutBooked(cells []Cell) []Cell {
	for i := range cells {
		if cells[i].Group != Booked {
			continue
		}
		rest := append(make([]Cell, 0, len(cells)), cells[:i]...)
		for _, c := range cells[i:] {
			if c.Group != Booked {
				rest = append(rest, c)
			}
		}
		return rest
	}
	return cells
}
