package engine_test

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"energyd/engine"
)

func within(tolerance float64) cmp.Option { return cmpopts.EquateApprox(0, tolerance) }

func TestCase59_frozen_edges_move_nobody(t *testing.T) {
	edges := []float64{10, 15, 25}
	grades := func(values ...float64) []int {
		var got []int
		for _, v := range values {
			got = append(got, engine.Grade(v, edges))
		}
		return got
	}
	if diff := cmp.Diff([]int{2, 2, 2, 3, 4}, grades(10, 10, 10, 20, 30)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]int{2, 2, 2, 3, 4, 1}, grades(10, 10, 10, 20, 30, 9.999)); diff != "" {
		t.Error(diff)
	}
	if got := engine.Grade(7, nil); got != 1 {
		t.Errorf("without edges the grade is %d", got)
	}
}

func TestCase60_rankings_side_by_side(t *testing.T) {
	rankings := [][]float64{{1, 2, 3}, {3, 1, 2}, {2, 1, 3}} // A, B, C in each
	if diff := cmp.Diff([]float64{6, 4, 8}, engine.Borda(rankings)); diff != "" {
		t.Error(diff)
	}
	if w, ok := engine.Concordance(rankings); !ok || math.Abs(w-0.444) > 0.001 {
		t.Errorf("W is %v, %v; want 0.444", w, ok)
	}
}

func TestConcordance(t *testing.T) {
	for name, c := range map[string]struct {
		rankings [][]float64
		want     float64
		ok       bool
	}{
		"the same twice":            {[][]float64{{1, 2, 3, 4}, {1, 2, 3, 4}}, 1, true},
		"the same twice, with ties": {[][]float64{{1.5, 1.5, 3}, {1.5, 1.5, 3}}, 1, true},
		"turned round":              {[][]float64{{1, 2, 3}, {3, 2, 1}}, 0, true},
		"one ranking":               {[][]float64{{1, 2, 3}}, 0, false},
		"all tied":                  {[][]float64{{2, 2, 2}, {2, 2, 2}}, 0, false},
	} {
		if w, ok := engine.Concordance(c.rankings); ok != c.ok || math.Abs(w-c.want) > 1e-9 {
			t.Errorf("%s: %v, %v; want %v, %v", name, w, ok, c.want, c.ok)
		}
	}
}

func TestRankOf_equal_values_share_their_places(t *testing.T) {
	if diff := cmp.Diff([]float64{3.5, 1, 3.5, 2, 5}, engine.RankOf([]float64{10, 40, 10, 20, 0})); diff != "" {
		t.Error(diff)
	}
}

func TestEdges_cut_into_grades_that_somebody_is_in(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   []float64
	}{
		{[]float64{1, 2, 3, 4, 5, 6, 7, 8}, []float64{3, 5, 7}},
		{[]float64{0, 0, 0, 0, 0, 0, 0, 5}, nil},
		{[]float64{0, 0, 0, 5, 5, 5, 5, 5}, []float64{5}},
		{nil, nil},
	} {
		if diff := cmp.Diff(c.want, engine.Edges(slices.Clone(c.values), 4)); diff != "" {
			t.Errorf("%v: %s", c.values, diff)
		}
	}
}

func TestCase72_lift(t *testing.T) {
	if lift, ok := engine.Lift(30, 100, 100, 1000); !ok || math.Abs(lift-3) > 1e-9 {
		t.Errorf("lift %v, %v; want 3.0", lift, ok)
	}
	if _, ok := engine.Lift(0, 0, 10, 100); ok {
		t.Error("a lift of what nobody owns")
	}
}
