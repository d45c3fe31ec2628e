package engine

import (
	"cmp"
	"slices"
)

func compareCells(a, b Cell) int {
	if a.Date != b.Date {
		return cmp.Compare(a.Date, b.Date)
	}
	return cmp.Compare(a.Class, b.Class)
}

// SortCells sorts cells in place by date and class, sums equals, drops zeros, and returns the shortened slice.
func SortCells(c []Cell) []Cell {
	slices.SortFunc(c, compareCells)
	n := 0
	for i := 0; i < len(c); {
		sum := c[i]
		for i++; i < len(c) && c[i].Date == sum.Date && c[i].Class == sum.Class; i++ {
			sum.Milli += c[i].Milli
		}
		if sum.Milli != 0 {
			c[n] = sum
			n++
		}
	}
	return c[:n]
}

// MergeCells adds two sorted sets of cells into a new one. To subtract, merge
// cells with negated Milli: what adds up to zero vanishes.
func MergeCells(a, b []Cell) []Cell {
	sum := make([]Cell, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch order := compareCells(a[0], b[0]); {
		case order < 0:
			sum, a = append(sum, a[0]), a[1:]
		case order > 0:
			sum, b = append(sum, b[0]), b[1:]
		default:
			if m := a[0].Milli + b[0].Milli; m != 0 {
				sum = append(sum, Cell{a[0].Date, a[0].Class, m})
			}
			a, b = a[1:], b[1:]
		}
	}
	return append(append(sum, a...), b...)
}
