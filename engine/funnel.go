package engine

import (
	"cmp"
	"slices"
)

// Entry is a case's reaching of a step of the funnel; steps are numbered from 0.
type Entry struct {
	Step int
	Date Date
}

// Passage is a case's way through the funnel.
type Passage struct {
	At      []Date // of each step up to the furthest: when it was reached first
	Imputed []bool // of each: nobody entered it, it was skipped; its date is that of the next, so it took no time
}

// Pass makes a case's way of its entries, in any order. Steps that were
// skipped are imputed, the first included: who has an order was on the list.
// Of several entries of a step, the first counts.
func Pass(entries []Entry) Passage {
	furthest := -1
	for _, e := range entries {
		furthest = max(furthest, e.Step)
	}
	p := Passage{At: make([]Date, furthest+1), Imputed: make([]bool, furthest+1)}
	for i := range p.Imputed {
		p.Imputed[i] = true
	}
	for _, e := range entries {
		if e.Step >= 0 && (p.Imputed[e.Step] || e.Date < p.At[e.Step]) {
			p.At[e.Step], p.Imputed[e.Step] = e.Date, false
		}
	}
	for i := furthest - 1; i >= 0; i-- {
		if p.Imputed[i] || p.At[i] > p.At[i+1] { // a later step that was entered before means that this one was over
			p.At[i] = p.At[i+1]
		}
	}
	return p
}

// Cohort counts how far the cases got that entered the funnel in the same
// time: by step, those that reached it and those of them that skipped it.
// No conversion of a cohort can exceed 100 %.
func Cohort(passages []Passage, steps int) (reached, skipped []int) {
	reached, skipped = make([]int, steps), make([]int, steps)
	for _, p := range passages {
		for i := range p.At {
			if i < steps {
				reached[i]++
				if p.Imputed[i] {
					skipped[i]++
				}
			}
		}
	}
	return reached, skipped
}

// Spell is time spent in a step. Open cases are censored: they last at least so long.
type Spell struct {
	Days int
	Open bool
}

// Survival is a point of a Kaplan-Meier curve: the share still in the step after so many days.
type Survival struct {
	Days  int
	Share float64
}

// KaplanMeier gives the curve of spells: one point for each day on which some
// ended. Open ones count as long as they are known to last; leaving them out
// would call slow steps quick.
func KaplanMeier(spells []Spell) []Survival {
	sorted := slices.SortedFunc(slices.Values(spells), func(a, b Spell) int { return cmp.Compare(a.Days, b.Days) })
	var curve []Survival
	share := 1.0
	for i := 0; i < len(sorted); {
		j, ended := i, 0
		for ; j < len(sorted) && sorted[j].Days == sorted[i].Days; j++ {
			if !sorted[j].Open {
				ended++
			}
		}
		if ended > 0 {
			share *= 1 - float64(ended)/float64(len(sorted)-i)
			curve = append(curve, Survival{sorted[i].Days, share})
		}
		i = j
	}
	return curve
}

// MedianDays gives the day by which half have left the step; false while more than half are still in it.
func MedianDays(curve []Survival) (days int, ok bool) {
	for _, s := range curve {
		if s.Share <= 0.5 {
			return s.Days, true
		}
	}
	return 0, false
}
