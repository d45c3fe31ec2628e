package engine

import "slices"

// repeats finds second meetings: the cue "repeat" holds for a contact on the
// second date of a run of meetings in which no gap is longer than the window.
// It compares dates, not instants, so that one meeting in two records, or two
// on one day, do not repeat each other.
type repeats struct {
	number map[string]uint32 // contacts met
	dates  []uint64          // contact number and date of all meetings
	second []uint64          // those that are second, ascending
}

func (r *repeats) reset() {
	clear(r.number)
	r.dates, r.second = r.dates[:0], r.second[:0]
}

// find collects the meetings of one account's activities, each contact once.
// Only held meetings that the person did not decline count.
func (r *repeats) find(p *Points, acts []Activity, s *scratch) {
	if r.number == nil {
		r.number = make(map[string]uint32)
	}
	for i := range acts {
		a := s.contact(acts, i)
		if a == nil || !a.counts() || !p.kinds[a.Kind].meeting {
			continue
		}
		date := p.DateOf(a)
		for _, who := range a.People {
			if who.Contact == "" || who.Role == Declined {
				continue
			}
			n, ok := r.number[who.Contact]
			if !ok {
				n = uint32(len(r.number))
				r.number[who.Contact] = n
			}
			r.dates = append(r.dates, contactDate(n, date))
		}
	}
	slices.Sort(r.dates)
	r.dates = slices.Compact(r.dates)
	run := 0
	for i, d := range r.dates {
		if i > 0 && d>>32 == r.dates[i-1]>>32 && p.clock.at(dateOf(d))-p.clock.at(dateOf(r.dates[i-1])) <= p.repeatDays {
			run++
		} else {
			run = 1
		}
		if run == 2 {
			r.second = append(r.second, d)
		}
	}
}

// is tells whether a meeting with the contact on that date is a second one.
func (r *repeats) is(contact string, date Date) bool {
	if len(r.second) == 0 {
		return false
	}
	n, ok := r.number[contact]
	if !ok {
		return false
	}
	_, found := slices.BinarySearch(r.second, contactDate(n, date))
	return found
}

// contactDate packs a contact's number and a date so that numbers, then dates, sort.
func contactDate(n uint32, d Date) uint64 { return uint64(n)<<32 | uint64(uint32(d)^1<<31) }

func dateOf(packed uint64) Date { return Date(uint32(packed) ^ 1<<31) }
