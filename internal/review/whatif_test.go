package review

import (
	"fmt"
	"math"
	"slices"
	"testing"

	"energyd/engine"
)

func compiled(t *testing.T, c *engine.PointsConfig) *engine.Points {
	t.Helper()
	p, err := engine.Compile(c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// Case 70: P and Q, which were equal, part.
func TestShiftsOfCase70(t *testing.T) {
	scores := map[string][2]float64{"P": {22, 24}, "Q": {22, 19}, "R": {26, 29}}
	c := madeTable(60)
	c.Bands = []engine.BandConfig{{Name: "cold"}, {Name: "warm", Up: 24, Down: 20}}
	p := compiled(t, c)
	s := NewShifts(p, p)
	for _, id := range []string{"R", "Q", "P"} { // any order
		band := func(v float64) int { return map[bool]int{true: 1}[v >= 24] }
		s.Add(engine.Entity{Kind: engine.Account, ID: id}, engine.Score{Temperature: scores[id][0], Band: band(scores[id][0])}, engine.Score{Temperature: scores[id][1], Band: band(scores[id][1])})
	}
	got := s.Of(engine.Account, 10, "en")
	if fmt.Sprint(got.Bands) != "[{cold [1 1]} {warm [0 1]}]" || got.Warmer != 1 || got.Colder != 0 {
		t.Errorf("bands %v, %d warmer, %d colder", got.Bands, got.Warmer, got.Colder)
	}
	places := ""
	for _, m := range got.Movers {
		places += fmt.Sprintf("%s %g→%g ", m.ID, m.Before.Place, m.After.Place)
	}
	if places != "Q 2.5→3 R 1→1 P 2.5→2 " {
		t.Errorf("movers are %s", places)
	}
	close3(t, "rank correlation", *got.Rank, math.Sqrt(3)/2)
	close3(t, "energy ratio", got.Ratio, 72.0/70)
}

// A table that doubles all points moves nobody.
func TestShiftsOfAnotherScale(t *testing.T) {
	p := compiled(t, madeTable(60))
	s := NewShifts(p, p)
	for i := range 20 {
		s.Add(engine.Entity{Kind: engine.Account, ID: fmt.Sprint(i)}, engine.Score{Temperature: float64(i)}, engine.Score{Temperature: 2 * float64(i)})
	}
	if got := s.Of(engine.Account, 10, "en"); len(got.Movers) != 0 || got.Ratio != 2 || math.Abs(*got.Rank-1) > 1e-12 {
		t.Errorf("%+v", got)
	}
}

func TestTopBy(t *testing.T) {
	values := []float64{3, 0, 5, 1, 5, 2}
	value := func(i int) float64 { return values[i] }
	for n, want := range map[int][]int{1: {2}, 3: {2, 4, 0}, 10: {2, 4, 0, 5, 3}} {
		if got := topBy(len(values), n, value); !slices.Equal(got, want) {
			t.Errorf("the %d largest are %v", n, got)
		}
	}
}

// Replayed from day to day, the alarms that fire are those that each night would have seen.
func TestFiredSeesWhatEachNightSaw(t *testing.T) {
	c := madeTable(20)
	c.Bands = []engine.BandConfig{{Name: "cold"}, {Name: "warm", Up: 10, Down: 8}, {Name: "hot", Up: 30, Down: 24}}
	c.Alarms = &engine.AlarmsConfig{
		Cooling: &engine.CoolingConfig{From: "hot", StandsDays: 14},
		Low:     &engine.LowConfig{Months: 3, Points: 20},
	}
	p := compiled(t, c)
	from, to := engine.DateOf(2025, 1, 1), engine.DateOf(2025, 12, 31)
	var acts []engine.Activity
	for i, day := range []int{-40, -30, 5, 6, 7, 100, 101, 102, 103, 250} {
		acts = append(acts, engine.Activity{ID: fmt.Sprint(i), Account: "A", Kind: "visit", Date: from + engine.Date(day)})
	}
	var cells []engine.Cell
	p.Contributions(acts, func(_ int, c engine.Contribution) {
		if c.Entity.Kind == engine.Account {
			cells = append(cells, c.Cell)
		}
	})
	cells = engine.SortCells(cells)
	seen := map[string]bool{}
	for day := from; day <= to; day++ {
		for _, a := range p.Evaluate(engine.Account, cells, day).Alarms {
			if a.Since >= from {
				seen[a.Kind.String()+a.Since.String()] = true
			}
		}
	}
	fired := map[string]bool{}
	for _, a := range Fired(p, engine.Account, cells, from, to) {
		fired[a.Kind.String()+a.Since.String()] = true
	}
	if len(seen) < 3 || fmt.Sprint(fired) != fmt.Sprint(seen) {
		t.Errorf("the nights saw %v, replayed are %v", seen, fired)
	}
}
