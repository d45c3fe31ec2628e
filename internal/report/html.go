package report

import (
	_ "embed"
	"html/template"
	"io"
	"iter"
)

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Funcs(template.FuncMap{
	"class": func(v Value, t Type) string {
		c := ""
		if t != Text {
			c = "n"
		}
		if v.Heat > 0 {
			c += " h" + string('0'+min(v.Heat, uint8(len(heatColours)))) // five colours
		}
		if v.Warn {
			c += " w"
		}
		return c
	},
	"step": func(i int) int { return min(i, len(heatColours)) },
}).Parse(pageText))

// pageCell is a cell of a web page.
type pageCell struct {
	Value
	Type     Type
	language string
}

// Shown is the text of the cell.
func (c pageCell) Shown() string { return c.String(c.Type, c.language) }

// WriteHTML writes the table as a page that stands alone: no script, nothing
// loaded from elsewhere, for screens light and dark and for paper.
func (t *Table) WriteHTML(w io.Writer, language string) error {
	type head struct {
		Label string
		Type  Type
	}
	heads := make([]head, len(t.Columns))
	for i, label := range t.heads(language) {
		heads[i] = head{label, t.Columns[i].Type}
	}
	return page.Execute(w, struct {
		Language, Title, AsOf string
		AsOfLabel             string
		Heads                 []head
		Rows                  iter.Seq[[]pageCell]
		Notes, Legend         []string
		LegendLabel           string
	}{
		language, t.Title.In(language), t.AsOf.String(), Label{Ja: "基準日", En: "as of"}.In(language), heads,
		func(yield func([]pageCell) bool) {
			cells := make([]pageCell, len(t.Columns))
			for row := range t.Rows {
				for i, v := range row {
					cells[i] = pageCell{v, t.Columns[i].Type, language}
				}
				if !yield(cells) {
					return
				}
			}
		},
		in(t.Notes, language), in(t.Legend, language), Label{Ja: "凡例", En: "Legend"}.In(language),
	})
}
