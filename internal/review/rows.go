package review

import (
	"cmp"
	"slices"

	"energyd/engine"
)

// Cuts says on which days deals are looked at.
type Cuts struct {
	AgeDays int // once, this many days after a deal was opened; 0 = each week, while it is open
}

// row is a deal on the day of a cut: what was known then, and what became of it.
type row struct {
	deal  int32
	cut   engine.Date
	known engine.Date // when the outcome was known
	won   bool        // within the horizon
	// standsFor is how many deals this one was drawn for; 0 = itself.
	standsFor float32
}

// rows gives the deals at their cuts, oldest first. Left out is a row whose deal was decided by the cut, and one whose
// horizon had not passed on the last day of the data while the deal was still open.
func (s *Sample) rows(cuts Cuts, horizon int) (rows []row, immature int) {
	for i := range s.deals {
		d := &s.deals[i]
		if s.watch != nil {
			s.looks(int32(i), horizon, func(cut, success engine.Date) {
				r := row{deal: int32(i), cut: cut, known: cut + engine.Date(horizon)}
				if success != engine.NoDate {
					r.known, r.won = success, true
				}
				if r.known > s.end {
					immature++
					return
				}
				rows = append(rows, r)
			})
			continue
		}
		add := func(cut engine.Date) {
			if d.Closed != engine.NoDate && d.Closed <= cut || cut > s.end {
				return
			}
			r := row{deal: int32(i), cut: cut, known: cut + engine.Date(horizon)}
			if d.Closed != engine.NoDate && d.Closed <= r.known {
				r.known, r.won = d.Closed, d.Won
			}
			if r.known > s.end {
				immature++
				return
			}
			rows = append(rows, r)
		}
		if cuts.AgeDays > 0 {
			add(d.Opened + engine.Date(cuts.AgeDays))
			continue
		}
		last := s.end
		if d.Closed != engine.NoDate {
			last = min(last, d.Closed)
		}
		// All deals are cut on the same day of the week, so that a cut is one evening's list.
		for cut := d.Opened + (7-d.Opened%7)%7; cut <= last; cut += 7 {
			add(cut)
		}
	}
	slices.SortStableFunc(rows, func(a, b row) int { return int(a.cut) - int(b.cut) })
	return rows, immature
}

// cell is what a row has of one kind of contact with one rank: sums of weights, cooled down to the cut.
type cell struct {
	how, rank uint16
	value     float32
}

// features are the cells of rows under one half-life.
type features struct {
	cells []cell
	from  []int // index of each row's first cell, and the end
}

func (f *features) of(row int) []cell { return f.cells[f.from[row]:f.from[row+1]] }

// maxCount limits what a row may have of one kind and rank: a hundred mails a month are a habit, not a hundred signs.
const maxCount = 30

// cool gives the features of rows under a half-life in days of the clock. Nothing from after a row's cut is in them.
func (s *Sample) cool(rows []row, halfLife float64) *features {
	f := &features{from: make([]int, len(rows)+1)}
	byDeal := make([][]int32, len(s.deals))
	for i, r := range rows {
		byDeal[r.deal] = append(byDeal[r.deal], int32(i))
	}
	width := len(s.table.Ranks)
	sums := make([]float64, len(s.table.How)*width)
	lives := make([]float64, len(s.table.How))
	for k, h := range s.table.How {
		lives[k] = cmp.Or(h.life, halfLife)
	}
	var present []int
	found := make([][]cell, len(rows))
	for d, list := range byDeal {
		if len(list) == 0 {
			continue
		}
		touches := s.of(int32(d))
		for _, at := range present {
			sums[at] = 0
		}
		present = present[:0]
		clock, next := int32(0), 0
		if len(touches) > 0 {
			clock = s.clock(touches[0].day)
		}
		for _, i := range list { // cuts in order
			cut := rows[i].cut
			for ; next < len(touches) && touches[next].day <= cut; next++ {
				t := &touches[next]
				if now := s.clock(t.day); now > clock {
					for _, at := range present {
						sums[at] *= forget(now-clock, lives[at/width])
					}
					clock = now
				}
				at := int(t.how)*width + t.who()
				if sums[at] == 0 {
					present = append(present, at)
				}
				sums[at] += float64(t.weight)
			}
			since := int32(0)
			if len(present) > 0 {
				since = s.clock(cut) - clock
			}
			cells := make([]cell, 0, len(present))
			for _, at := range present {
				if v := min(sums[at]*forget(since, lives[at/width]), maxCount); v > 1e-6 {
					cells = append(cells, cell{uint16(at / width), uint16(at % width), float32(v)})
				}
			}
			found[i] = cells
		}
	}
	for i, cells := range found {
		f.from[i] = len(f.cells)
		f.cells = append(f.cells, cells...)
	}
	f.from[len(rows)] = len(f.cells)
	return f
}

// energy is the score of each row: points of how × who, negative kinds taken off.
func (f *features) energy(how, rank []float64) []float64 {
	scores := make([]float64, len(f.from)-1)
	for i := range scores {
		sum := 0.0
		for _, c := range f.of(i) {
			sum += how[c.how] * rank[c.rank] * float64(c.value)
		}
		scores[i] = sum
	}
	return scores
}
