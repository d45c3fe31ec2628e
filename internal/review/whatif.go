package review

import (
	"cmp"
	"math"
	"slices"

	"energyd/engine"
)

// WhatIf is what another points table would do, on one date and over the months before it (energy-model.md §4.10).
type WhatIf struct {
	AsOf       string      `json:"as_of"`
	From       string      `json:"from"` // first day of the months that were replayed
	Months     int         `json:"months"`
	Present    string      `json:"present"`          // version of the table in use
	Candidate  string      `json:"candidate"`        // of the other one, or its file where both have one version
	Sample     int         `json:"sample,omitempty"` // so many customers were looked at, where not all were to be; 0 = all
	Kinds      []Shift     `json:"entities"`
	Alarms     []Firings   `json:"alarms"`
	People     bool        `json:"people"` // Reps are single sales people; else teams
	Reps       []RepTotal  `json:"reps"`
	Frozen     string      `json:"frozen_until,omitempty"` // the last frozen month: its figures stay, what changes is an adjustment
	WriteBacks []WriteBack `json:"write_backs"`
	Judged     *Judged     `json:"outcomes,omitempty"` // nil where too few deals have one
	Notes      []Finding   `json:"notes"`
}

// Shift is what becomes of the entities of one kind.
type Shift struct {
	Kind     string      `json:"entity"`
	Entities int         `json:"entities"`
	Bands    []BandCount `json:"bands"`  // of the table in use
	Next     []string    `json:"next"`   // bands of the other one, coldest first
	Warmer   int         `json:"warmer"` // in a band above the one they were in, by its place in the list
	Colder   int         `json:"colder"`
	Ratio    float64     `json:"energy_ratio"`               // all temperatures by all of before
	Rank     *float64    `json:"rank_correlation,omitempty"` // Spearman's, of temperatures; nil where all are equal
	Movers   []Mover     `json:"movers"`
}

// BandCount is a row of the band matrix: where the entities of a band go.
type BandCount struct {
	Band string `json:"band"`
	To   []int  `json:"to"` // in the order of Shift.Next
}

// Mover is an entity whose temperature moves by more than those of others do.
type Mover struct {
	ID     string   `json:"id"`
	Name   string   `json:"name,omitempty"`
	Before Standing `json:"before"`
	After  Standing `json:"after"`
	Why    []Reason `json:"why"`
	// Of a deal in a review: won, or not; Closed is the day, "" while it is open.
	Won    bool   `json:"won,omitempty"`
	Closed string `json:"closed,omitempty"`
}

// Standing is how an entity stands.
type Standing struct {
	Temperature float64 `json:"temperature"` // points
	Place       float64 `json:"place"`       // 1 = warmest; those that are equal share the mean of their places
	Band        string  `json:"band,omitempty"`
}

// Reason is what one sort of contact gives before and after, in points of the date.
type Reason struct {
	Kind      string  `json:"kind"`
	Direction string  `json:"direction"`
	Contacts  int     `json:"contacts"`
	Before    float64 `json:"before"`
	After     float64 `json:"after"`
}

// Firings are alarms of a kind that fire in the months, by either table. Who is told tonight is decided later, by the budget of a week.
type Firings struct {
	Kind   string `json:"alarm"`
	Before int    `json:"before"`
	After  int    `json:"after"`
	Both   int    `json:"both"` // of the same customer on the same day
}

// RepTotal is what a sales person or team earns in the months, in points.
type RepTotal struct {
	Name   string  `json:"name"`
	Before float64 `json:"before"`
	After  float64 `json:"after"`
}

// WriteBack is how many records of the CRM the next plan would change.
type WriteBack struct {
	Name    string `json:"name"` // "crm.Account"
	Records int    `json:"records"`
	Changed int    `json:"changed"`
	Version int    `json:"version_only"` // beyond Changed: because the table's version stands in a field
}

// Judged compares both tables on deals whose outcome is known.
type Judged struct {
	Deals     int      `json:"deals"`
	Won       int      `json:"won"`
	Lost      int      `json:"lost"`
	Present   Estimate `json:"present"` // AUC
	Candidate Estimate `json:"candidate"`
	Gain      Estimate `json:"gain"`
}

// Shifts collects scores by two tables. Its methods take entities in any order; the same ones give the same figures.
type Shifts struct {
	present, candidate *engine.Points
	kinds              map[engine.EntityKind][]standing
	firings            map[engine.AlarmKind]*Firings
}

// standing is one entity under both tables.
type standing struct {
	id            string
	before, after float64
	was, is       uint8 // band
}

// NewShifts begins to compare the table in use with another one.
func NewShifts(present, candidate *engine.Points) *Shifts {
	return &Shifts{present: present, candidate: candidate, kinds: map[engine.EntityKind][]standing{}, firings: map[engine.AlarmKind]*Firings{}}
}

// Add adds an entity's scores by both tables.
func (s *Shifts) Add(e engine.Entity, before, after engine.Score) {
	s.kinds[e.Kind] = append(s.kinds[e.Kind], standing{e.ID, shown(before), shown(after), uint8(before.Band), uint8(after.Band)}) // some bands
}

// shown is a temperature as it is shown, to the milli-point, so that what looks equal is a tie.
func shown(s engine.Score) float64 { return math.Round(s.Temperature*1000) / 1000 }

// Fired adds the alarms that fire by either table.
func (s *Shifts) Fired(before, after []engine.Alarm) {
	same := func(a engine.Alarm) func(engine.Alarm) bool {
		return func(b engine.Alarm) bool { return a.Kind == b.Kind && a.Since == b.Since }
	}
	at := func(k engine.AlarmKind) *Firings {
		if s.firings[k] == nil {
			s.firings[k] = &Firings{Kind: k.String()}
		}
		return s.firings[k]
	}
	for _, a := range before {
		at(a.Kind).Before++
		if slices.ContainsFunc(after, same(a)) {
			at(a.Kind).Both++
		}
	}
	for _, a := range after {
		at(a.Kind).After++
	}
}

// Alarms gives the alarms that fired, by kind.
func (s *Shifts) Alarms() []Firings {
	list := []Firings{}
	for k := range len(engine.AlarmKinds()) {
		if f := s.firings[engine.AlarmKind(k)]; f != nil { // six kinds
			list = append(list, *f)
		}
	}
	return list
}

// Of gives what becomes of the entities of a kind, with so many movers.
func (s *Shifts) Of(kind engine.EntityKind, movers int, language string) Shift {
	list := s.kinds[kind]
	slices.SortFunc(list, func(a, b standing) int { return cmp.Compare(a.id, b.id) })
	out := Shift{Kind: kind.String(), Entities: len(list), Movers: []Mover{}}
	for i := range s.candidate.Bands() {
		out.Next = append(out.Next, bandName(s.candidate, i, language))
	}
	for i := range s.present.Bands() {
		out.Bands = append(out.Bands, BandCount{bandName(s.present, i, language), make([]int, s.candidate.Bands())})
	}
	before, after := make([]float64, len(list)), make([]float64, len(list))
	for i, e := range list {
		before[i], after[i] = e.before, e.after
		out.Bands[e.was].To[e.is]++
		switch {
		case e.is > e.was:
			out.Warmer++
		case e.is < e.was:
			out.Colder++
		}
	}
	if total := sum(before); total > 0 {
		out.Ratio = sum(after) / total
	}
	wasPlace, isPlace := engine.RankOf(before), engine.RankOf(after)
	if rho, ok := correlation(wasPlace, isPlace); ok {
		out.Rank = &rho
	}
	// A table that doubles all numbers moves nobody: what counts is the way beyond that which all go.
	for _, i := range topBy(len(list), movers, func(i int) float64 { return math.Abs(after[i] - out.Ratio*before[i]) }) {
		e := list[i]
		out.Movers = append(out.Movers, Mover{ID: e.id,
			Before: Standing{e.before, wasPlace[i], bandName(s.present, int(e.was), language)},
			After:  Standing{e.after, isPlace[i], bandName(s.candidate, int(e.is), language)}})
	}
	return out
}

func bandName(p *engine.Points, i int, language string) string {
	b := p.Band(i)
	return cmp.Or(b.Label.In(language), b.Name)
}

// topBy gives the indexes of the n largest values above nought, the largest first; of equal ones the first.
func topBy(all, n int, value func(int) float64) []int {
	var top []int
	for i := range all {
		v := value(i)
		if v < 1e-9 || len(top) == n && v <= value(top[n-1]) {
			continue
		}
		at, _ := slices.BinarySearchFunc(top, v, func(j int, v float64) int {
			if value(j) >= v {
				return -1
			}
			return 1
		})
		top = slices.Insert(top[:min(len(top), n-1)], min(at, n-1), i)
	}
	return top
}

// correlation is Pearson's, which is Spearman's of places; not known where one of the two is all ties.
func correlation(a, b []float64) (r float64, ok bool) {
	n := float64(len(a))
	meanA, meanB := sum(a)/n, sum(b)/n
	var aa, bb, ab float64
	for i := range a {
		x, y := a[i]-meanA, b[i]-meanB
		aa, bb, ab = aa+x*x, bb+y*y, ab+x*y
	}
	if aa == 0 || bb == 0 {
		return 0, false
	}
	return ab / math.Sqrt(aa*bb), true
}

// Compare judges two tables by the same deals, on the weeks from a day on while the deals were open; each sample is under one of the tables.
// ok is false where no week has deals of both outcomes.
func Compare(present, candidate *Sample, from engine.Date) (j Judged, ok bool) {
	end := max(present.end, candidate.end)
	present.end, candidate.end = end, end
	present.prepare()
	candidate.prepare()
	rows, _ := present.rows(Cuts{}, usualHorizon)
	rows = slices.DeleteFunc(rows, func(r row) bool { return r.cut < from })
	j.Deals = partOf(rows).Deals
	j.Won, j.Lost = present.outcomes()
	var scores [2][]float64
	for i, s := range []*Sample{present, candidate} {
		how, rank := s.table.signed()
		scores[i] = s.cool(rows, s.table.HalfLife).energy(how, rank)
	}
	j.Present, j.Candidate, j.Gain, ok = compare(scores[0], scores[1], wonOf(rows), dealsOf(rows))
	return j, ok
}

// Fired gives the alarms of an entity that fire from one day to another, by what is known today. It goes from day to
// day on which anything changes, as the nights would have.
func Fired(p *engine.Points, kind engine.EntityKind, cells []engine.Cell, from, to engine.Date) (list []engine.Alarm) {
	for day := from; ; {
		s := p.Evaluate(kind, cells, day)
		for _, a := range s.Alarms {
			if a.Since >= from && !slices.ContainsFunc(list, func(b engine.Alarm) bool { return b.Kind == a.Kind && b.Since == a.Since }) {
				list = append(list, a)
			}
		}
		if s.Due == engine.NoDate || s.Due <= day || s.Due > to {
			return list
		}
		day = s.Due
	}
}

// Why compares what each sort of contact gives by both tables, the one that makes the largest difference first. ratio is that of all temperatures.
func Why(before, after []engine.Part, ratio float64) []Reason {
	type sort struct {
		kind      string
		direction engine.Direction
	}
	found := map[sort]*Reason{}
	var order []sort
	add := func(parts []engine.Part, to func(*Reason, engine.Part)) {
		for _, p := range parts {
			k := sort{p.Kind, p.Direction}
			if found[k] == nil {
				found[k] = &Reason{Kind: p.Kind, Direction: p.Direction.String()}
				order = append(order, k)
			}
			to(found[k], p)
		}
	}
	add(before, func(r *Reason, p engine.Part) { r.Before += p.Share; r.Contacts++ })
	contacts := map[sort]int{}
	add(after, func(r *Reason, p engine.Part) { r.After += p.Share; contacts[sort{p.Kind, p.Direction}]++ })
	list := make([]Reason, 0, len(order))
	for _, k := range order {
		r := found[k]
		r.Contacts = max(r.Contacts, contacts[k])
		if math.Abs(r.After-r.Before) >= 0.0005 {
			list = append(list, *r)
		}
	}
	return mostMoving(list, ratio)
}

// mostMoving gives the three reasons that make the largest difference, beyond that of all temperatures.
func mostMoving(list []Reason, ratio float64) []Reason {
	slices.SortFunc(list, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(math.Abs(b.After-ratio*b.Before), math.Abs(a.After-ratio*a.Before)), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Direction, b.Direction))
	})
	return list[:min(len(list), 3)]
}
