package review

import (
	"cmp"
	"math"
	"slices"

	"energyd/engine"
)

// Calibration tells whether probabilities can be taken at their word: slope 1 and intercept 0 are perfect.
type Calibration struct {
	Slope     float64 `json:"slope"`
	Intercept float64 `json:"intercept"`
	Bins      []Bin   `json:"bins"`
}

// Bin is a tenth of the rows, by probability.
type Bin struct {
	Rows     int     `json:"rows"`
	Foretold float64 `json:"foretold"` // mean probability
	Won      float64 `json:"won"`      // share
}

func figures(scores, logits []float64, won []bool) *Figures {
	f := &Figures{}
	f.Lift, _ = Lift(scores, won, 0.1)
	for i, z := range logits {
		p := sigmoid(z)
		d := p - float64(index(won[i]))
		f.Brier += d * d / float64(len(logits))
		switch {
		case p >= 0.5 && won[i]:
			f.Confusion.TruePositive++
		case p >= 0.5:
			f.Confusion.FalsePositive++
		case won[i]:
			f.Confusion.FalseNegative++
		default:
			f.Confusion.TrueNegative++
		}
	}
	f.Calibration = calibrate(logits, won)
	accuracy, recall, precision, f1 := f.Confusion.Rates()
	f.Rates = map[string]float64{}
	for name, v := range map[string]float64{"accuracy": accuracy, "recall": recall, "precision": precision, "f1": f1} {
		if !math.IsNaN(v) {
			f.Rates[name] = v
		}
	}
	return f
}

func calibrate(logits []float64, won []bool) (c Calibration) {
	n := len(logits)
	ones := make([]float64, n)
	for i := range ones {
		ones[i] = 1
	}
	l := logistic{x: logits, width: 1, won: won, weight: ones, offset: make([]float64, n), anchor: []float64{0}}
	intercept, b := l.fit(0, []float64{0}, 30)
	c.Intercept, c.Slope = intercept, b[0]
	order := make([]int, n)
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(logits[a], logits[b]) })
	for k := range 10 {
		part := order[k*n/10 : (k+1)*n/10]
		if len(part) == 0 {
			continue
		}
		b := Bin{Rows: len(part)}
		for _, i := range part {
			b.Foretold += sigmoid(logits[i]) / float64(len(part))
			b.Won += float64(index(won[i])) / float64(len(part))
		}
		c.Bins = append(c.Bins, b)
	}
	return c
}

// simple judges orders that need no points table: the number of contacts, how recent the last one is, and RFM.
func (r *run) simple(won []bool) map[string]Basis {
	count, recency, rfm := make([]float64, len(r.test)), make([]float64, len(r.test)), make([]float64, len(r.test))
	known := func(row row) (n, days float64) {
		days = 3650
		for _, t := range r.of(row.deal) {
			if t.day > row.cut {
				break
			}
			if t.first() {
				n++
			}
			days = float64(row.cut - t.day)
		}
		return n, days
	}
	// The edges of RFM are those of the training part, so that a row's grade does not depend on the other rows of the test.
	var counts, recencies, amounts []float64
	for _, row := range r.train {
		n, days := known(row)
		counts, recencies, amounts = append(counts, n), append(recencies, -days), append(amounts, r.deals[row.deal].Amount)
	}
	countEdges, recencyEdges, amountEdges := engine.Edges(counts, 5), engine.Edges(recencies, 5), engine.Edges(amounts, 5)
	for i, row := range r.test {
		n, days := known(row)
		count[i], recency[i] = n, -days
		rfm[i] = float64(engine.Grade(n, countEdges) + engine.Grade(-days, recencyEdges) + engine.Grade(r.deals[row.deal].Amount, amountEdges))
	}
	all := map[string]Basis{}
	for name, scores := range map[string][]float64{"contact_count": count, "recency": recency, "rfm": rfm} {
		auc, _ := AUC(scores, won)
		lift, _ := Lift(scores, won, 0.1)
		all[name] = Basis{auc, lift}
	}
	return all
}
