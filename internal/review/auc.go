package review

import (
	"cmp"
	"math"
	"slices"
)

// AUC is how often a deal that was won had a higher score than one that was not; a tie is half. It is not known where
// one of the two is missing: ok is false.
func AUC(scores []float64, won []bool) (auc float64, ok bool) {
	auc, _, ok = placements(scores, won)
	return auc, ok
}

// placements gives the AUC, and each row's part in it: which share of the rows of the other outcome it is on the right
// side of. DeLong's test is made of these.
func placements(scores []float64, won []bool) (auc float64, parts []float64, ok bool) {
	order := make([]int32, len(scores))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int { return cmp.Compare(scores[a], scores[b]) })
	wins, losses := 0.0, 0.0
	for _, w := range won {
		if w {
			wins++
		} else {
			losses++
		}
	}
	if wins == 0 || losses == 0 {
		return 0, nil, false
	}
	parts = make([]float64, len(scores))
	winsBelow, lossesBelow := 0.0, 0.0
	for i := 0; i < len(order); {
		j, tiedWins, tiedLosses := i, 0.0, 0.0
		for ; j < len(order) && scores[order[j]] == scores[order[i]]; j++ {
			if won[order[j]] {
				tiedWins++
			} else {
				tiedLosses++
			}
		}
		for ; i < j; i++ {
			if won[order[i]] {
				parts[order[i]] = (lossesBelow + tiedLosses/2) / losses
				auc += parts[order[i]] / wins
			} else {
				parts[order[i]] = (wins - winsBelow - tiedWins/2) / wins
			}
		}
		winsBelow, lossesBelow = winsBelow+tiedWins, lossesBelow+tiedLosses
	}
	return auc, parts, true
}

// Estimate is a figure with its 95 % interval.
type Estimate struct {
	Value float64 `json:"value"`
	Low   float64 `json:"low"`
	High  float64 `json:"high"`
}

// sure is how many standard errors a 95 % interval has on each side.
const sure = 1.959964

// compare gives the AUC of two scores of the same rows, and of their difference b − a, with DeLong's intervals. Rows of
// one group, such as the weeks of one deal, are no independent witnesses: they count as one (Obuchowski 1997).
func compare(a, b []float64, won []bool, group []int32) (first, second, difference Estimate, ok bool) {
	aucA, partsA, ok := placements(a, won)
	if !ok {
		return first, second, difference, false
	}
	aucB, partsB, _ := placements(b, won)
	n := [2]float64{}
	for _, w := range won {
		n[index(w)]++
	}
	sums := map[int32]*[2]float64{}
	for i, g := range group {
		if sums[g] == nil {
			sums[g] = new([2]float64)
		}
		k := n[index(won[i])]
		sums[g][0] += (partsA[i] - aucA) / k
		sums[g][1] += (partsB[i] - aucB) / k
	}
	groups := make([]int32, 0, len(sums))
	for g := range sums {
		groups = append(groups, g)
	}
	slices.Sort(groups) // floating sums in one order
	var varA, varB, varD float64
	for _, g := range groups {
		s := sums[g]
		varA += s[0] * s[0]
		varB += s[1] * s[1]
		varD += (s[1] - s[0]) * (s[1] - s[0])
	}
	small := float64(len(groups)) / max(1, float64(len(groups)-1))
	around := func(v, variance float64) Estimate {
		e := sure * math.Sqrt(variance*small)
		return Estimate{v, v - e, v + e}
	}
	within := func(e Estimate) Estimate { return Estimate{e.Value, max(0, e.Low), min(1, e.High)} }
	return within(around(aucA, varA)), within(around(aucB, varB)), around(aucB-aucA, varD), true
}

func index(won bool) int {
	if won {
		return 1
	}
	return 0
}

// HanleyMcNeil is the standard error of an AUC of so many won and lost deals (Hanley and McNeil 1982), for planning: it
// needs no scores.
func HanleyMcNeil(auc float64, won, lost int) float64 {
	q1, q2, w, l := auc/(2-auc), 2*auc*auc/(1+auc), float64(won), float64(lost)
	return math.Sqrt((auc*(1-auc) + (w-1)*(q1-auc*auc) + (l-1)*(q2-auc*auc)) / (w * l))
}

// Lift is how much more often the highest share of rows was won than all of them. Rows that tie at the border count in part.
func Lift(scores []float64, won []bool, share float64) (lift float64, ok bool) {
	order := make([]int, len(scores))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(scores[b], scores[a]) })
	take := share * float64(len(scores))
	wins, all, taken := 0.0, 0.0, 0.0
	for i := 0; i < len(order); {
		j, tied := i, 0.0
		for ; j < len(order) && scores[order[j]] == scores[order[i]]; j++ {
			tied += float64(index(won[order[j]]))
		}
		part := min(1, max(0, (take-taken)/float64(j-i)))
		wins, all, taken = wins+part*tied, all+tied, taken+float64(j-i)
		i = j
	}
	if take == 0 || all == 0 {
		return 0, false
	}
	return wins / take / (all / float64(len(scores))), true
}

// Confusion counts what a rule said of deals against what became of them.
type Confusion struct {
	TruePositive, FalsePositive, TrueNegative, FalseNegative int
}

// Rates gives accuracy, recall, precision and F1; NaN where the divisor is 0.
func (c Confusion) Rates() (accuracy, recall, precision, f1 float64) {
	tp, fp, tn, fn := float64(c.TruePositive), float64(c.FalsePositive), float64(c.TrueNegative), float64(c.FalseNegative)
	recall, precision = tp/(tp+fn), tp/(tp+fp)
	return (tp + tn) / (tp + fp + tn + fn), recall, precision, 2 * precision * recall / (precision + recall)
}
