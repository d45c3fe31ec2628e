package engine

import "slices"

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

// Reported gives an entity's sums as reports about reps show them: those up to
// closed as they were reported, and what changed in them since in the period after it.
func Reported(reported, now []PeriodSum, closed Period) []PeriodSum {
	change := Adjustment(reported, now, closed)
	first, found := slices.BinarySearchFunc(now, closed+1, func(s PeriodSum, m Period) int { return int(s.Period - m) })
	open := now[first:]
	if found {
		change = change.plus(open[0])
		open = open[1:]
	}
	sums := slices.Clone(reported)
	if change != (PeriodSum{Period: change.Period}) {
		sums = append(sums, change)
	}
	return append(sums, open...)
}

// plus adds the sums of the same period.
func (s PeriodSum) plus(other PeriodSum) PeriodSum {
	s.Milli += other.Milli
	s.Lost += other.Lost
	s.Contacts += other.Contacts
	for c, m := range other.ByClass {
		s.ByClass[c] += m
	}
	for d, m := range other.ByDirection {
		s.ByDirection[d] += m
	}
	return s
}
