package engine

import "sort"

// Reading is an entity's cells under a points table, read on a date.
type Reading struct {
	Points *Points
	Cells  []Cell
	On     Date
}

// milli gives the temperature in milli-points, rounded as it is shown.
func (r Reading) milli() int64 {
	return round(r.Points.Evaluate(Account, r.Cells, r.On).Temperature * 1000)
}

// Change says why a temperature is another one than before, in milli-points:
// Total = New + Decay + Corrections + Table, to the last one.
type Change struct {
	Total       int64
	New         int64 // contacts that came since
	Decay       int64 // what the contacts of before lost, and planned ones that took place
	Corrections int64 // of contacts of before: changed, moved, deleted
	Table       int64 // another points table
}

// Decompose splits the change from one reading to a later one. Of the cells in
// between, arrived are those of activities that came since, under before's
// table; under the same table the rest of what differs are corrections. With
// another one, restated are the cells of after's activities under before's table.
//
// The parts are steps of one walk: time passes, what was known is corrected,
// the news are added, the table is exchanged. Each is the difference of two
// temperatures as they are shown, so that they add up whatever is limited or negative.
func Decompose(before, after Reading, arrived, restated []Cell) Change {
	if before.Points.Fingerprint() == after.Points.Fingerprint() {
		restated = after.Cells
	}
	known := make([]Cell, len(arrived))
	for i, c := range arrived {
		known[i] = c.Minus()
	}
	known = MergeCells(restated, SortCells(known))
	was := before.milli()
	aged := Reading{before.Points, before.Cells, after.On}.milli()
	corrected := Reading{before.Points, known, after.On}.milli()
	news := Reading{before.Points, restated, after.On}.milli()
	now := after.milli()
	return Change{Total: now - was, Decay: aged - was, Corrections: corrected - aged, New: news - corrected, Table: now - news}
}

// Since splits the change of a temperature since it was written as points on an
// earlier day, from today's cells alone. What is neither of a later day nor
// decay was corrected since, came late, or is the doing of another table: Corrections has it all.
func (p *Points) Since(cells []Cell, was float64, on, asOf Date) Change {
	n := sort.Search(len(cells), func(i int) bool { return cells[i].Date > on })
	then := round(was * 1000)
	old, aged, now := Reading{p, cells[:n], on}.milli(), Reading{p, cells[:n], asOf}.milli(), Reading{p, cells, asOf}.milli()
	return Change{Total: now - then, Corrections: old - then, Decay: aged - old, New: now - aged}
}
