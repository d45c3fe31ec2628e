package report

import (
	"bufio"
	"fmt"
	"io"
	"iter"
)

// widestText keeps a name from pushing all figures off the screen.
const widestText = 40

// WriteText writes the table for a terminal.
func (t *Table) WriteText(w io.Writer, language string) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s  %s\n\n", t.Title.In(language), t.AsOf)
	if t.Count > 0 {
		if err := Align(b, t.texts(language), func(i int) bool { return t.Columns[i].Type != Text },
			func(i int) int { return map[bool]int{true: widestText}[t.Columns[i].Type == Text] }); err != nil {
			return err
		}
	}
	for i, n := range t.Notes {
		if i == 0 && t.Count > 0 {
			fmt.Fprintln(b)
		}
		fmt.Fprintln(b, "* "+n.In(language))
	}
	return b.Flush()
}

// texts gives heads and rows as texts; values to look at carry a mark.
func (t *Table) texts(language string) iter.Seq[[]string] {
	return func(yield func([]string) bool) {
		if !yield(t.heads(language)) {
			return
		}
		cells := make([]string, len(t.Columns))
		for row := range t.Rows {
			for i, v := range row {
				if cells[i] = v.String(t.Columns[i].Type, language); v.Warn && t.Columns[i].Type != Text {
					cells[i] += "!"
				}
			}
			if !yield(cells) {
				return
			}
		}
	}
}
