package report

import (
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/mattn/go-runewidth"
)

// cell measures as terminals with a Japanese font do: a kanji takes two cells, ambiguous characters stay narrow.
var cell = &runewidth.Condition{EastAsianWidth: false}

// Align prints rows in columns. right tells which columns are aligned to the
// right, widest the cells after which a column's texts are cut; 0 = never.
func Align(w io.Writer, rows iter.Seq[[]string], right func(column int) bool, widest func(column int) int) error {
	var widths []int
	cut := func(column int, s string) string {
		s = strings.ReplaceAll(s, "\n", " ")
		if most := widest(column); most > 0 {
			s = Cut(s, most)
		}
		return s
	}
	for r := range rows {
		for i, s := range r {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], cell.StringWidth(cut(i, s)))
		}
	}
	for r := range rows {
		var b strings.Builder
		for i, s := range r {
			s = cut(i, s)
			pad := strings.Repeat(" ", widths[i]-cell.StringWidth(s))
			if i > 0 {
				b.WriteString("  ")
			}
			if right(i) {
				b.WriteString(pad + s)
			} else {
				b.WriteString(s + pad)
			}
		}
		if _, err := fmt.Fprintln(w, strings.TrimRight(b.String(), " ")); err != nil {
			return err
		}
	}
	return nil
}

// Cut shortens a text to so many cells of a terminal.
func Cut(s string, most int) string { return cell.Truncate(s, most, "…") }
