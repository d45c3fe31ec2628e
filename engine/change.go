package engine

import "sort"

// Change says why a temperature is another one than before, in milli-points:
// Total = New + Decay + Corrections, to the last one.
type Change struct {
	Total       int64
	New         int64 // contacts that came since
	Decay       int64 // what the contacts of before lost, and planned ones that took place
	Corrections int64 // of contacts of before: changed, moved, deleted, come late; and of the points table
}

// Since splits the change of a temperature since it was written as points on an
// earlier day, from today's cells alone. What is neither of a later day nor
// decay was corrected since, came late, or is the doing of another table: Corrections has it all.
// The parts are differences of temperatures as they are shown, so that they add up.
func (p *Points) Since(cells []Cell, was float64, on, asOf Date) Change {
	milli := func(cells []Cell, day Date) int64 { return round(p.Evaluate(Account, cells, day).Temperature * 1000) }
	n := sort.Search(len(cells), func(i int) bool { return cells[i].Date > on })
	then, old, aged, now := round(was*1000), milli(cells[:n], on), milli(cells[:n], asOf), milli(cells, asOf)
	return Change{Total: now - then, Corrections: old - then, Decay: aged - old, New: now - aged}
}
