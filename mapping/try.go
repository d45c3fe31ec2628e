package mapping

import (
	"errors"
	"slices"
	"time"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/expression"
)

// Step is one expression that was evaluated for a record.
type Step struct {
	Field   string         `json:"field"`             // "activity.kind"
	Contact int            `json:"contact,omitempty"` // which of the record's several, from 1; 0 = the record itself
	Text    string         `json:"expression"`
	Read    map[string]any `json:"read,omitempty"` // the values that it read, by column; fields of an element as "item.kind"
	Value   any            `json:"value"`          // what it gave
	Error   string         `json:"error,omitempty"`
}

// Try maps one record as Apply does, and tells each step on the way.
func (m *Mapping) Try(r connectors.Record, dir Directory) (steps []Step, res Result, err error) {
	steps = []Step{}
	res, err = m.apply(r, dir, &steps, nil)
	return steps, res, err
}

// Watch maps one record as Apply does, and tells misses of each word that a
// word list does not know, also where the mapping has another meaning for those.
func (m *Mapping) Watch(r connectors.Record, dir Directory, misses func(list, word string)) (Result, error) {
	return m.apply(r, dir, nil, misses)
}

func (w *run) step(f *field, v any, err error) {
	s := Step{Field: f.path, Contact: w.part, Text: f.source, Value: plainValue(v), Read: map[string]any{}}
	for _, column := range f.program.Columns() {
		s.Read[column] = plainValue(w.Values[slices.Index(w.columns, column)])
	}
	fields, _ := w.Item.(map[string]any)
	for _, name := range f.program.Fields() {
		if name == "" {
			s.Read["item"] = plainValue(w.Item)
		} else {
			s.Read["item."+name] = plainValue(fields[name])
		}
	}
	if err != nil {
		s.Value, s.Error = nil, err.Error()
		var known *RejectError
		if errors.As(err, &known) {
			s.Error = known.Reason
		}
	}
	*w.steps = append(*w.steps, s)
}

// plainValue is a value as people and JSON have it.
func plainValue(v any) any {
	switch v := v.(type) {
	case expression.Day:
		return engine.Date(v).String()
	case time.Time:
		return v.Format(time.RFC3339Nano)
	}
	return v
}

// Shown is a result as a mapping's tests write it: under activities, profile or skip.
func (m *Mapping) Shown(r Result) map[string]any {
	out := map[string]any{}
	plain := func(r Result) map[string]any {
		fields := shown(r)
		for name, v := range fields {
			fields[name] = plainValue(v)
		}
		return fields
	}
	switch {
	case r.Skip != "":
		out["skip"] = r.Skip
	case r.Parts != nil:
		several := make([]any, len(r.Parts.Activities))
		for i := range r.Parts.Activities {
			several[i] = plain(Result{Activity: &r.Parts.Activities[i]})
		}
		out["activities"] = several
	case r.Profile != nil:
		out["profile"] = plain(r)
	case r.Activity != nil:
		out["activities"] = []any{plain(r)}
	}
	return out
}
