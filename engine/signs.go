package engine

import (
	"cmp"
	"slices"
)

// The cues that the engine finds by itself, from all contacts of a customer.
const (
	repeatSign = iota // the second meeting of a run with somebody
	bossSign          // somebody of a higher rank than all met before
	joinedSign        // somebody who had no part in the deal before
	topSign           // the first meeting with top management
	numSigns
)

// signNames are the cues' names in the points table.
var signNames = [numSigns]string{repeatSign: RepeatCue, bossSign: "boss_introduced", joinedSign: "people_joined", topSign: "met_top_management"}

// found is a set of signs.
type found uint8

func (f found) with(sign int) found { return f | 1<<sign }

func (f found) has(sign int) bool { return f&(1<<sign) != 0 }

// signs finds cues in the contacts of one account: each holds for a person and
// a date. It compares dates, not instants, so that one meeting in two records, or two
// on one day, do not follow each other.
type signs struct {
	number map[string]uint32 // people
	met    []meeting
	deals  []dealing
	marks  [numSigns][]uint64 // person and date, ascending
}

// meeting is somebody's part in a meeting.
type meeting struct {
	who   uint32
	date  Date
	rank  float64 // 0 = not known
	class Class
}

// dealing is somebody's part in a deal.
type dealing struct {
	deal string
	date Date
	who  uint32
}

func (s *signs) reset() {
	clear(s.number)
	s.met, s.deals = s.met[:0], s.deals[:0]
	for i := range s.marks {
		s.marks[i] = s.marks[i][:0]
	}
}

// find looks at one account's contacts. Only held ones that the person did not decline count.
func (s *signs) find(p *Points, acts []Activity, work *scratch) {
	if s.number == nil {
		s.number = make(map[string]uint32)
	}
	for i := range acts {
		a := work.contact(acts, i)
		if a == nil || !a.counts() {
			continue
		}
		date := p.DateOf(a)
		if p.kinds[a.Kind].meeting {
			s.meet(p, a, date)
		}
		if _, contact := p.rulesOf(a, date).rule(a, 1); contact && p.derives.has(joinedSign) {
			s.deal(a, date)
		}
	}
	slices.SortFunc(s.met, func(x, y meeting) int { return cmp.Or(cmp.Compare(x.date, y.date), cmp.Compare(x.who, y.who)) })
	if p.derives.has(repeatSign) {
		s.repeats(p)
	}
	if p.derives.has(bossSign) || p.derives.has(topSign) {
		s.bosses()
	}
	s.joined()
	for i := range s.marks {
		slices.Sort(s.marks[i])
	}
}

// person numbers the people.
func (s *signs) person(contact string) uint32 {
	n, ok := s.number[contact]
	if !ok {
		n = uint32(len(s.number))
		s.number[contact] = n
	}
	return n
}

func (s *signs) meet(p *Points, a *Activity, date Date) {
	for _, who := range a.People {
		if who.Contact == "" || who.Role == Declined {
			continue
		}
		m := meeting{who: s.person(who.Contact), date: date}
		if !p.noRank(who.Rank) {
			m.rank, m.class = p.editions[0].ranks[who.Rank].points, p.editions[0].ranks[who.Rank].class
		}
		s.met = append(s.met, m)
	}
}

func (s *signs) deal(a *Activity, date Date) {
	for _, who := range a.People {
		if who.Contact == "" || who.Role == Declined || who.Role == Cc {
			continue
		}
		for _, d := range a.Deals {
			s.deals = append(s.deals, dealing{d.ID, date, s.person(who.Contact)})
		}
	}
}

// repeats finds second meetings: the second date of a run of meetings with one
// person in which no gap is longer than the window (decisions/0010).
func (s *signs) repeats(p *Points) {
	dates := make([]uint64, len(s.met))
	for i, m := range s.met {
		dates[i] = onDate(m.who, m.date)
	}
	slices.Sort(dates)
	dates = slices.Compact(dates)
	run := 0
	for i, d := range dates {
		if i > 0 && d>>32 == dates[i-1]>>32 && p.clock.at(dateOf(d))-p.clock.at(dateOf(dates[i-1])) <= p.repeatDays {
			run++
		} else {
			run = 1
		}
		if run == 2 {
			s.marks[repeatSign] = append(s.marks[repeatSign], d)
		}
	}
}

// bosses finds, meeting date by meeting date, who is met for the first time and is of a higher rank
// than all met before, and the executives of the first date on which there are any.
func (s *signs) bosses() {
	seen := make(map[uint32]bool, len(s.number))
	highest, top := 0.0, false
	for rest := s.met; len(rest) > 0; {
		n := 0
		for n < len(rest) && rest[n].date == rest[0].date {
			n++
		}
		today := rest[:n]
		above, executive := highest, false
		for _, m := range today {
			if above > 0 && m.rank > above && !seen[m.who] {
				s.marks[bossSign] = append(s.marks[bossSign], onDate(m.who, m.date))
			}
			if m.class == ClassExecutive && !top {
				s.marks[topSign] = append(s.marks[topSign], onDate(m.who, m.date))
				executive = true
			}
		}
		for _, m := range today {
			seen[m.who] = true
			highest = max(highest, m.rank)
		}
		top = top || executive
		rest = rest[n:]
	}
}

// joined finds, deal by deal, who has a part in it for the first time on a later date than the first people.
func (s *signs) joined() {
	slices.SortFunc(s.deals, func(x, y dealing) int {
		return cmp.Or(cmp.Compare(x.deal, y.deal), cmp.Compare(x.date, y.date), cmp.Compare(x.who, y.who))
	})
	seen := map[uint32]bool{}
	var begun Date
	for i, d := range s.deals {
		if i == 0 || d.deal != s.deals[i-1].deal {
			clear(seen)
			begun = d.date
		}
		if !seen[d.who] && d.date > begun {
			s.marks[joinedSign] = append(s.marks[joinedSign], onDate(d.who, d.date))
		}
		seen[d.who] = true
	}
}

// of gives the signs that hold for a person in a contact of that date.
func (s *signs) of(p *Points, a *Activity, contact string, date Date) found {
	var f found
	if p.derives == 0 || contact == "" {
		return f
	}
	n, ok := s.number[contact]
	if !ok {
		return f
	}
	for i := range s.marks {
		if !p.derives.has(i) {
			continue
		}
		if i == joinedSign && len(a.Deals) == 0 || i != joinedSign && !p.kinds[a.Kind].meeting {
			continue
		}
		if _, is := slices.BinarySearch(s.marks[i], onDate(n, date)); is {
			f = f.with(i)
		}
	}
	return f
}

// onDate packs a person's number and a date so that numbers, then dates, sort.
func onDate(n uint32, d Date) uint64 { return uint64(n)<<32 | uint64(uint32(d)^1<<31) }

func dateOf(packed uint64) Date { return Date(uint32(packed) ^ 1<<31) }
