package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/mattn/go-runewidth"
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

// eastAsian measures as terminals with a Japanese font do: ambiguous characters stay narrow.
var eastAsian = &runewidth.Condition{EastAsianWidth: false}

func (t *table) print(w io.Writer) {
	widths := make([]int, len(t.heads))
	all := append([][]string{t.heads}, t.rows...)
	for _, r := range all {
		for i, c := range r {
			r[i] = strings.ReplaceAll(c, "\n", " ")
			if !t.full[i] {
				r[i] = eastAsian.Truncate(r[i], widest, "…")
			}
			widths[i] = max(widths[i], eastAsian.StringWidth(r[i]))
		}
	}
	for _, r := range all {
		var b strings.Builder
		for i, c := range r {
			pad := strings.Repeat(" ", widths[i]-eastAsian.StringWidth(c))
			if i > 0 {
				b.WriteString("  ")
			}
			if t.right[i] {
				b.WriteString(pad + c)
			} else {
				b.WriteString(c + pad)
			}
		}
		fmt.Fprintln(w, strings.TrimRight(b.String(), " "))
	}
}
