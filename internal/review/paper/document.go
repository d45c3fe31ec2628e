// Package paper tells of a review, and of what another points table would do, in words that a sales manager understands:
// one document, written for the terminal or as a page that stands alone, in Japanese or English.
package paper

import (
	"fmt"
	"io"
	"strings"

	"energyd/internal/report"
)

// Document is a text with tables and drawings.
type Document struct {
	Language string // "ja" or "en"
	Title    string
	AsOf     string
	Lead     string // what it comes to
	Good     bool   // Lead tells to change something
	Sections []Section
}

// Section is a part of a document. A drawing stands on the page alone; its figures are in Table or Words.
type Section struct {
	Heading string
	Words   []string
	Bars    []Bar
	Plot    *Plot
	Table   *Table
	Notes   []string
}

// Table has a head and rows. Columns are numbers, and aligned to the right, where Right is true.
type Table struct {
	Heads []string
	Right []bool
	Rows  [][]Cell
}

// Cell is a text with a class of the page's style: "" or "up", "down", "faint".
type Cell struct{ Text, Class string }

// Bar is a share, 0 to 1.
type Bar struct {
	Label string
	Share float64
	Class string // "base", "before", "after"
}

// table begins a table; a head that begins with ">" is one of numbers.
func table(heads ...string) *Table {
	t := &Table{}
	for _, h := range heads {
		name, right := strings.CutPrefix(h, ">")
		t.Heads, t.Right = append(t.Heads, name), append(t.Right, right)
	}
	return t
}

func (t *Table) row(cells ...Cell) { t.Rows = append(t.Rows, cells) }

func plain(text string) Cell { return Cell{Text: text} }

func plainf(format string, args ...any) Cell { return Cell{Text: fmt.Sprintf(format, args...)} }

// WriteText writes the document for a terminal.
func (d *Document) WriteText(w io.Writer) error {
	b := &strings.Builder{}
	fmt.Fprintf(b, "%s  %s\n\n%s\n", d.Title, d.AsOf, d.Lead)
	for _, s := range d.Sections {
		fmt.Fprintf(b, "\n%s\n", s.Heading)
		for _, p := range s.Words {
			fmt.Fprintln(b, p)
		}
		if s.Table != nil {
			if err := s.Table.write(b); err != nil {
				return err
			}
		}
		for _, n := range s.Notes {
			fmt.Fprintln(b, "* "+n)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// widestText keeps a name from pushing all figures off the screen.
const widestText = 110

func (t *Table) write(w io.Writer) error {
	return report.Align(w, func(yield func([]string) bool) {
		if !yield(t.Heads) {
			return
		}
		line := make([]string, len(t.Heads))
		for _, row := range t.Rows {
			for i, c := range row {
				line[i] = c.Text
			}
			if !yield(line) {
				return
			}
		}
	}, func(i int) bool { return t.Right[i] }, func(int) int { return widestText })
}

// speaker says things in the document's language.
type speaker string

// say formats a text in the document's language.
func (s speaker) say(ja, en string, args ...any) string {
	if s == "ja" {
		en = ja
	}
	if len(args) == 0 {
		return en
	}
	return fmt.Sprintf(en, args...)
}

func (s speaker) percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }
