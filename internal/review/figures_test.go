package review

import (
	"math"
	"slices"
	"testing"
)

func close3(t *testing.T, what string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 0.0005 {
		t.Errorf("%s is %.4f, want %.4f", what, got, want)
	}
}

func labels(bits string) []bool {
	var won []bool
	for _, b := range bits {
		won = append(won, b == '1')
	}
	return won
}

func TestAUC(t *testing.T) {
	for _, c := range []struct {
		name   string
		scores []float64
		won    []bool
		want   float64
	}{
		{"case 65", []float64{9, 7, 5, 6, 4, 4, 1}, labels("1110000"), 0.9167},
		{"case 65, with ties", []float64{5, 5, 3, 5, 2}, labels("11100"), 0.6667},
		{"case 66", []float64{10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, labels("1101001000"), 0.8333},
		{"all equal", []float64{1, 1, 1, 1}, labels("1010"), 0.5},
	} {
		auc, ok := AUC(c.scores, c.won)
		if !ok {
			t.Errorf("%s: not known", c.name)
		}
		close3(t, c.name, auc, c.want)
	}
	if _, ok := AUC([]float64{1, 2}, labels("11")); ok {
		t.Error("an AUC without a lost deal is known")
	}
}

func TestLift(t *testing.T) {
	lift, _ := Lift([]float64{10, 9, 8, 7, 6, 5, 4, 3, 2, 1}, labels("1101001000"), 0.2)
	close3(t, "case 66", lift, 2.5)
	lift, _ = Lift([]float64{1, 1, 1, 1}, labels("1010"), 0.25)
	close3(t, "lift of equal scores", lift, 1)
}

func TestHanleyMcNeil(t *testing.T) {
	close3(t, "case 67", HanleyMcNeil(0.7, 40, 40), 0.0585)
}

func TestRates(t *testing.T) {
	accuracy, recall, precision, f1 := Confusion{TruePositive: 650, FalsePositive: 200, TrueNegative: 100, FalseNegative: 50}.Rates()
	close3(t, "case 68: accuracy", accuracy, 0.75)
	close3(t, "case 68: recall", recall, 0.9286)
	close3(t, "case 68: precision", precision, 0.7647)
	close3(t, "case 68: F1", f1, 0.8387)
}

func TestRounded(t *testing.T) {
	if got := Rounded([]float64{0.60, 0.36, 0.24, 0.12}, 10); !slices.Equal(got, []int{10, 6, 4, 2}) {
		t.Errorf("case 69: %v", got)
	}
}

// The weeks of a deal are no more evidence than the deal: rows that stand ten times in one group leave the interval as it is.
func TestRowsOfOneDealCountOnce(t *testing.T) {
	var a, b, a10, b10 []float64
	var won, won10 []bool
	var group, group10 []int32
	for i := range 60 {
		x, y, w := float64(i*37%60), float64(i*17%60), i%2 == 0
		a, b, won, group = append(a, x), append(b, y), append(won, w), append(group, int32(i))
		for range 10 {
			a10, b10, won10, group10 = append(a10, x), append(b10, y), append(won10, w), append(group10, int32(i))
		}
	}
	_, _, one, _ := compare(a, b, won, group)
	_, _, ten, _ := compare(a10, b10, won10, group10)
	close3(t, "gain", ten.Value, one.Value)
	close3(t, "low end", ten.Low, one.Low)
	close3(t, "high end", ten.High, one.High)
}

func TestLogisticHoldsItsBounds(t *testing.T) {
	// More of the first column is won less often: without a bound its weight would be negative.
	var l logistic
	for i := range 200 {
		l.x = append(l.x, float64(i%10), float64(i/10%10))
		l.won = append(l.won, i/10%10 > 4 && i%10 < 8)
		l.weight, l.offset = append(l.weight, 1), append(l.offset, 0)
	}
	l.width, l.anchor, l.penalty = 2, []float64{0, 0}, 0.1
	_, b := l.fit(0, []float64{0, 0}, 50)
	if b[0] != 0 || b[1] <= 0.1 {
		t.Errorf("weights are %v", b)
	}
	l.penalty, l.anchor = 1e9, []float64{0.3, 0.2}
	_, b = l.fit(0, []float64{0, 0}, 50)
	close3(t, "a weight tied to 0.3", b[0], 0.3)
	close3(t, "a weight tied to 0.2", b[1], 0.2)
}
