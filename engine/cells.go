package engine

import (
	"cmp"
	"slices"
)

// key orders cells by date, class, group and direction.
func (c *Cell) key() int64 {
	return int64(c.Date)<<24 | int64(c.Class)<<16 | int64(c.Group)<<8 | int64(c.Direction)
}

func compareCells(a, b Cell) int { return cmp.Compare(a.key(), b.key()) }

// SortCells sorts cells in place by date, class, group and direction, sums equals, drops zeros, and returns the shortened slice.
func SortCells(c []Cell) []Cell {
	slices.SortFunc(c, compareCells)
	n := 0
	for i := 0; i < len(c); {
		sum := c[i]
		for i++; i < len(c) && c[i].key() == sum.key(); i++ {
			sum.Milli += c[i].Milli
			sum.Count += c[i].Count
		}
		if sum.Milli != 0 || sum.Count != 0 {
			c[n] = sum
			n++
		}
	}
	return c[:n]
}

// MergeCells adds two sorted sets of cells into a new one. To subtract, merge
// cells turned by Minus: what adds up to zero vanishes.
func MergeCells(a, b []Cell) []Cell {
	sum := make([]Cell, 0, len(a)+len(b))
	for len(a) > 0 && len(b) > 0 {
		switch order := compareCells(a[0], b[0]); {
		case order < 0:
			sum, a = append(sum, a[0]), a[1:]
		case order > 0:
			sum, b = append(sum, b[0]), b[1:]
		default:
			c := a[0]
			c.Milli += b[0].Milli
			c.Count += b[0].Count
			if c.Milli != 0 || c.Count != 0 {
				sum = append(sum, c)
			}
			a, b = a[1:], b[1:]
		}
	}
	return append(append(sum, a...), b...)
}
