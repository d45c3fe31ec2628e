package engine

// Adjustment is what changed in closed periods since they were reported:
// now − reported over all periods up to closed, carried by the open period
// after it. reported holds the sums as reported, earlier adjustments included.
// Reports about reps show it as a line of the open period; analysis restates.
func Adjustment(reported, now []PeriodSum, closed Period) PeriodSum {
	sum := PeriodSum{Period: closed + 1}
	for _, side := range []struct {
		sums []PeriodSum
		sign int64
	}{{now, 1}, {reported, -1}} {
		for _, s := range side.sums {
			if s.Period > closed {
				continue
			}
			sum.Milli += side.sign * s.Milli
			sum.Lost += side.sign * s.Lost
			sum.Contacts += int32(side.sign) * s.Contacts
			for c, m := range s.ByClass {
				sum.ByClass[c] += side.sign * m
			}
			for d, m := range s.ByDirection {
				sum.ByDirection[d] += side.sign * m
			}
		}
	}
	return sum
}
