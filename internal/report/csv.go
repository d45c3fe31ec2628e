package report

import (
	"bufio"
	"encoding/csv"
	"io"
	"strconv"

	"energyd/engine"
)

// WriteCSV writes heads and rows as CSV in UTF-8 with a byte order mark, without
// which Excel in Japan takes it for Shift_JIS. Numbers are plain: no separators,
// shares between 0 and 1.
func (t *Table) WriteCSV(w io.Writer, language string) error {
	b := bufio.NewWriter(w)
	if _, err := b.WriteString("\uFEFF"); err != nil {
		return err
	}
	c := csv.NewWriter(b)
	if err := c.Write(t.heads(language)); err != nil {
		return err
	}
	cells := make([]string, len(t.Columns))
	for row := range t.Rows {
		for i, v := range row {
			cells[i] = v.plain(t.Columns[i].Type, language)
		}
		if err := c.Write(cells); err != nil {
			return err
		}
	}
	c.Flush()
	if err := c.Error(); err != nil {
		return err
	}
	return b.Flush()
}

// plain gives a cell as programs read it.
func (v Value) plain(t Type, language string) string {
	t = v.as(t)
	switch {
	case v.NA:
		return "n/a"
	case v.None:
		return ""
	case t == Text:
		return Unformula(v.words(language))
	case t == Day:
		return engine.Date(v.Number).String()
	}
	return strconv.FormatFloat(v.Number, 'f', -1, 64)
}

// Unformula keeps a spreadsheet from running a cell that came from outside as a formula.
func Unformula(cell string) string {
	if cell == "" {
		return cell
	}
	switch cell[0] {
	case '=', '+', '-', '@', '\t', '\r':
		if _, err := strconv.ParseFloat(cell, 64); err != nil {
			return "'" + cell
		}
	}
	return cell
}
