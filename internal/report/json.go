package report

import (
	"bufio"
	"encoding/json"
	"io"

	"energyd/engine"
)

// columnJSON describes a column for programs.
type columnJSON struct {
	Key   string `json:"key"`
	Label string `json:"label"`
	Type  string `json:"type"`
	Unit  string `json:"unit,omitempty"`
}

// typeNames are the columns' types in JSON.
var typeNames = [...]string{Text: "text", Day: "day", Points: "points", Count: "count", Money: "money", Share: "share", Figure: "number", Place: "place"}

// WriteJSON writes the table as one object. Rows are objects by the columns'
// keys; null is no value, "n/a" one that cannot be told.
func (t *Table) WriteJSON(w io.Writer, language string) error {
	b := bufio.NewWriter(w)
	columns := make([]columnJSON, len(t.Columns))
	keys := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		columns[i] = columnJSON{c.Key, c.Label.In(language), typeNames[c.Type], c.Unit}
		key, err := json.Marshal(c.Key)
		if err != nil {
			return err
		}
		keys[i] = string(key)
	}
	head, err := json.Marshal(struct {
		Name    string       `json:"report"`
		Title   string       `json:"title"`
		AsOf    string       `json:"as_of"`
		Columns []columnJSON `json:"columns"`
		Notes   []string     `json:"notes"`
		Legend  []string     `json:"legend,omitempty"`
	}{t.Name, t.Title.In(language), t.AsOf.String(), columns, in(t.Notes, language), in(t.Legend, language)})
	if err != nil {
		return err
	}
	b.Write(head[:len(head)-1]) // errors stay with the writer until Flush
	b.WriteString(`,"rows":[`)
	first := true
	for row := range t.Rows {
		if !first {
			b.WriteByte(',')
		}
		first = false
		b.WriteString("\n{")
		for i, v := range row {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteString(keys[i])
			b.WriteByte(':')
			cell, err := json.Marshal(v.JSON(t.Columns[i].Type, language))
			if err != nil {
				return err
			}
			b.Write(cell)
		}
		b.WriteByte('}')
	}
	b.WriteString("]}\n")
	return b.Flush()
}

// JSON is a cell of a column as programs have it: a number, a text, or nil for none.
func (v Value) JSON(t Type, language string) any {
	switch {
	case v.NA:
		return "n/a"
	case v.None:
		return nil
	case t == Text:
		return v.words(language)
	case t == Day:
		return engine.Date(v.Number).String()
	}
	return v.Number
}

// String is the type's name in JSON.
func (t Type) String() string { return typeNames[t] }

func in(labels []Label, language string) []string {
	texts := make([]string, len(labels))
	for i, l := range labels {
		texts[i] = l.In(language)
	}
	return texts
}
