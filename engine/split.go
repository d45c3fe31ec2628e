package engine

import (
	"math"
	"math/bits"
	"slices"
)

// split divides total by weights into parts that add up to total exactly
// (largest remainder; of equal remainders the first gets the thousandth).
// total is not negative; all weights zero gives all zero parts. A negative
// weight, as the difference of two sets of cells may have, is none.
func (s *scratch) split(total int64, weights, parts []int64) {
	var sum uint64
	used := 0
	for i, w := range weights {
		parts[i] = 0
		if w > 0 {
			sum += uint64(w)
			used++
		}
	}
	if used == 0 {
		return
	}
	s.rest = slices.Grow(s.rest[:0], len(weights))[:len(weights)]
	left := total
	for i, w := range weights {
		if w <= 0 {
			s.rest[i] = 0
			continue
		}
		if used == 1 { // the usual case: one class
			parts[i] = total
			return
		}
		high, low := bits.Mul64(uint64(total), uint64(w))
		q, r := bits.Div64(high, low, sum)
		parts[i], s.rest[i] = int64(q), r
		left -= int64(q)
	}
	for ; left > 0; left-- {
		largest := 0
		for i, r := range s.rest {
			if r > s.rest[largest] {
				largest = i
			}
		}
		parts[largest]++
		s.rest[largest] = 0
	}
}

// usable gives the share's weight, 0 for what is no weight (negative, infinite, not a number).
func (s Share) usable() float64 {
	if s.Weight > 0 && !math.IsInf(s.Weight, 1) {
		return s.Weight
	}
	return 0
}

func round(x float64) int64 { return int64(math.Round(x)) }
