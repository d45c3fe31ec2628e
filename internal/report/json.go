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
			cell, err := v.json(t.Columns[i].Type, language)
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

func (v Value) json(t Type, language string) ([]byte, error) {
	switch {
	case v.NA:
		return []byte(`"n/a"`), nil
	case v.None:
		return []byte("null"), nil
	case t == Text:
		return json.Marshal(v.words(language))
	case t == Day:
		return json.Marshal(engine.Date(v.Number).String())
	}
	return json.Marshal(v.Number)
}

func in(labels []Label, language string) []string {
	texts := make([]string, len(labels))
	for i, l := range labels {
		texts[i] = l.In(language)
	}
	return texts
}
