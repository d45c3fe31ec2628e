package engine

import (
	"cmp"
	"slices"
)

// daily finds the contacts of a customer that are more than a group lets count
// on one day. The largest stay, of equal ones those of the lowest id, whatever came first.
type daily struct {
	over map[int]bool // by the activity that stands for the contact
	list []ofDay
}

// ofDay is a contact of a group with such a limit.
type ofDay struct {
	at    int
	group Group
	date  Date
	milli int64
}

func (d *daily) reset() {
	clear(d.over)
	d.list = d.list[:0]
}

func (d *daily) find(p *Points, acts []Activity, s *scratch) {
	if d.over == nil {
		d.over = map[int]bool{}
	}
	for i := range acts {
		a := s.contact(acts, i)
		if a == nil || !a.counts() {
			continue
		}
		date := p.DateOf(a)
		if total := s.weigh(p, a, date, s.trust(p, acts, i)); total != 0 && p.groups[s.group].perDay > 0 {
			d.list = append(d.list, ofDay{i, s.group, date, total})
		}
	}
	slices.SortFunc(d.list, func(x, y ofDay) int {
		return cmp.Or(cmp.Compare(x.group, y.group), cmp.Compare(x.date, y.date), cmp.Compare(y.milli, x.milli),
			cmp.Compare(acts[x.at].ID, acts[y.at].ID), cmp.Compare(acts[x.at].Source, acts[y.at].Source))
	})
	n := 0
	for i, x := range d.list {
		if i > 0 && (x.group != d.list[i-1].group || x.date != d.list[i-1].date) {
			n = 0
		}
		if n++; n > p.groups[x.group].perDay {
			d.over[x.at] = true
		}
	}
}
