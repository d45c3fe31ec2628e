package main

import (
	"fmt"
	"io"
	"slices"

	"energyd/internal/report"
)

// table prints rows under heads, columns aligned by the width that a terminal
// gives each character: a kanji takes two cells.
type table struct {
	heads []string
	right map[int]bool // columns aligned to the right
	full  map[int]bool // columns that are never cut
	rows  [][]string
}

func newTable(heads ...string) *table { return &table{heads: heads, right: map[int]bool{}} }

// alignRight aligns the named columns to the right.
func (t *table) alignRight(columns ...int) *table {
	for _, c := range columns {
		t.right[c] = true
	}
	return t
}

func (t *table) row(cells ...any) {
	r := make([]string, len(cells))
	for i, c := range cells {
		r[i] = fmt.Sprint(c)
	}
	t.rows = append(t.rows, r)
}

// whole keeps the named columns from being cut: what people copy from them.
func (t *table) whole(columns ...int) {
	t.full = map[int]bool{}
	for _, c := range columns {
		t.full[c] = true
	}
}

// widest keeps a cell from pushing all others off the screen.
const widest = 60

func (t *table) print(w io.Writer) {
	_ = report.Align(w, func(yield func([]string) bool) { // what goes to a terminal that is gone interests nobody
		_ = yield(t.heads) && !slices.ContainsFunc(t.rows, func(r []string) bool { return !yield(r) })
	}, func(column int) bool { return t.right[column] }, func(column int) int {
		if t.full[column] {
			return 0
		}
		return widest
	})
}
