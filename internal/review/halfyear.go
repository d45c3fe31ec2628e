package review

import (
	"cmp"
	"math"
	"slices"

	"energyd/engine"
)

// HalfYear is what would have been different in the newest half-year, or as much of it as the test part has: in figures
// that need no statistics. Hot is what was among the hottest tenth of all that was looked at.
type HalfYear struct {
	From     string  `json:"from"`
	To       string  `json:"to"`
	Deals    int     `json:"deals"`
	All      float64 `json:"won_of_all"`      // share of looks that ended in an order
	Present  float64 `json:"won_of_hot"`      // the same share of the hottest tenth, by the table in use
	Proposed float64 `json:"won_of_hot_then"` // by the proposed one
	Found    int     `json:"won_found"`       // deals that were won, and hot by the proposed table alone
	Missed   int     `json:"won_missed"`      // by the table in use alone
	Spared   int     `json:"lost_spared"`     // deals that were not won, and hot by the table in use alone
	Misled   int     `json:"lost_misled"`     // by the proposed one alone
	Movers   []Mover `json:"movers"`          // deals by their last look, those first whose place changes most
}

const (
	halfYear   = 182 // days
	hottest    = 0.1
	moversTold = 10
)

// side is one of the two tables on the test part.
type side struct {
	table  *Table
	cells  *features
	scores []float64
}

// lately tells of the newest half-year.
func (r *run) lately(before, after side) *HalfYear {
	last := r.test[len(r.test)-1].cut
	from, _ := slices.BinarySearchFunc(r.test, last-halfYear+1, func(x row, d engine.Date) int { return cmp.Compare(x.cut, d) })
	rows := r.test[from:]
	won := wonOf(rows)
	h := &HalfYear{From: rows[0].cut.String(), To: last.String(), Deals: partOf(rows).Deals, Movers: []Mover{}}
	wins := 0.0
	for _, w := range won {
		wins += float64(index(w))
	}
	h.All = wins / float64(len(rows))
	was, is := before.scores[from:], after.scores[from:]
	lift := func(scores []float64) float64 { l, _ := Lift(scores, won, hottest); return l * h.All }
	h.Present, h.Proposed = lift(was), lift(is)
	hotBefore, hotAfter := hot(was, rows), hot(is, rows)
	final := map[int32]int{} // the last look at each deal
	for i, x := range rows {
		final[x.deal] = i
	}
	looks := make([]int, 0, len(final))
	for deal, i := range final {
		looks = append(looks, i)
		counter := map[[3]bool]*int{
			{true, false, true}: &h.Found, {true, true, false}: &h.Missed, {false, true, false}: &h.Spared, {false, false, true}: &h.Misled,
		}[[3]bool{rows[i].won, hotBefore[deal], hotAfter[deal]}]
		if counter != nil {
			*counter++
		}
	}
	slices.Sort(looks)
	h.Movers = r.movers(before, after, from, looks)
	return h
}

// hot gives the deals that were among the hottest tenth of the rows at least once.
func hot(scores []float64, rows []row) map[int32]bool {
	sorted := slices.Sorted(slices.Values(scores))
	border := sorted[len(sorted)-max(1, int(hottest*float64(len(sorted))))]
	deals := map[int32]bool{}
	for i, x := range rows {
		if scores[i] >= border && scores[i] > 0 {
			deals[x.deal] = true
		}
	}
	return deals
}

// movers gives the deals whose place among the others changes most, and why. looks are rows from the one at from on.
func (r *run) movers(before, after side, from int, looks []int) []Mover {
	was, is := make([]float64, len(looks)), make([]float64, len(looks))
	for k, i := range looks {
		was[k], is[k] = before.scores[from+i], after.scores[from+i]
	}
	wasPlace, isPlace := engine.RankOf(was), engine.RankOf(is)
	list := []Mover{}
	ratio := 1.0
	if total := sum(was); total > 0 {
		ratio = sum(is) / total
	}
	for _, k := range topBy(len(looks), moversTold, func(k int) float64 { return math.Abs(isPlace[k] - wasPlace[k]) }) {
		at := from + looks[k]
		d := r.deals[r.test[at].deal]
		list = append(list, Mover{ID: d.ID, Name: d.Name, Won: r.test[at].won, Closed: d.Closed.String(),
			Before: Standing{Temperature: round3(was[k]), Place: wasPlace[k]}, After: Standing{Temperature: round3(is[k]), Place: isPlace[k]},
			Why: r.why(before, after, at, ratio)})
	}
	return list
}

func round3(v float64) float64 { return math.Round(v*1000) / 1000 }

// why compares what each sort of contact gave a deal at a row.
func (r *run) why(before, after side, at int, ratio float64) []Reason {
	x := r.test[at]
	reasons := make([]Reason, len(r.table.How))
	for _, t := range r.of(x.deal) {
		if t.day <= x.cut && t.first() {
			reasons[t.how].Contacts++
		}
	}
	add := func(s side, to func(*Reason) *float64) {
		how, rank := s.table.signed()
		for _, c := range s.cells.of(at) {
			*to(&reasons[c.how]) += how[c.how] * rank[c.rank] * float64(c.value)
		}
	}
	add(before, func(r *Reason) *float64 { return &r.Before })
	add(after, func(r *Reason) *float64 { return &r.After })
	list := []Reason{}
	for k := range reasons {
		if x := reasons[k]; math.Abs(x.After-x.Before) >= 0.0005 {
			h := r.table.How[k]
			list = append(list, Reason{h.Kind, h.Direction.String(), x.Contacts, round3(x.Before), round3(x.After)})
		}
	}
	return mostMoving(list, ratio)
}
