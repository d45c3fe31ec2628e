package sink

import (
	"context"
	"fmt"

	"energyd/connectors"
)

// Verification is what reading the CRM back after an apply found.
type Verification struct {
	Fields int      `json:"fields"`           // read back
	Held   int      `json:"held"`             // hold what was written
	Differ []string `json:"differ,omitempty"` // first 20 that do not
}

// Verify reads back from the CRM every field that a plan wrote.
func (s *Sink) Verify(ctx context.Context, run string) (Verification, error) {
	var v Verification
	for after := 0; ; {
		some, err := s.Store.Changes(ctx, run, after, chunk, Written)
		if err != nil || len(some) == 0 {
			return v, err
		}
		w, ok := s.writing(some[0].Writing)
		if !ok {
			return v, fmt.Errorf("verify: %s is no longer in the configuration", some[0].Writing)
		}
		n := 0
		for n < len(some) && some[n].Writing == w.Name {
			n++
		}
		some = some[:n]
		after = some[n-1].Seq
		rows, err := w.read(ctx, some)
		if err != nil {
			return v, err
		}
		for i, row := range rows {
			for _, d := range some[i].Fields {
				v.Fields++
				if !row.Missing && same(row.Values[d.Field], d.New) {
					v.Held++
					continue
				}
				v.Differ = append(v.Differ, limited(v.Differ, []string{fmt.Sprintf("%s %s %s holds %v, wrote %v", w.Name, row.ID, d.Field, row.Values[d.Field], d.New)})...)
			}
		}
	}
}

// read gives what the CRM holds now in the fields of changes, in their order.
func (w Writing) read(ctx context.Context, changes []Change) ([]connectors.Row, error) {
	ids := make([]string, len(changes))
	for i, c := range changes {
		ids[i] = c.ID
	}
	fields := make([]string, len(w.Fields))
	for i, f := range w.Fields {
		fields[i] = f.Field
	}
	return w.Target.Current(ctx, w.Object, ids, fields)
}
