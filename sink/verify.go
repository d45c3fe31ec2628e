package sink

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"energyd/connectors"
)

// Verification is what reading the CRM back after an apply found.
type Verification struct {
	Fields int      `json:"fields"`           // read back
	Held   int      `json:"held"`             // hold what was written
	Differ []string `json:"differ,omitempty"` // those that do not, the first of them
}

// Verify reads back from the CRM every field that a plan wrote.
func (s *Sink) Verify(ctx context.Context, run string) (Verification, error) {
	var v Verification
	for after := int64(0); ; {
		changes, err := s.Store.Changes(ctx, run, "", after, chunk, Written)
		if err != nil || len(changes) == 0 {
			return v, err
		}
		after = changes[len(changes)-1].Seq
		for some := range byWriting(changes) {
			w, ok := s.writing(some[0].Writing)
			if !ok {
				return v, fmt.Errorf("verify: %s is no longer in the configuration", some[0].Writing)
			}
			rows, err := w.read(ctx, some)
			if err != nil {
				return v, err
			}
			for i, row := range rows {
				v.add(w, some[i], row)
			}
		}
	}
}

func (v *Verification) add(w Writing, c Change, row connectors.Row) {
	for _, d := range c.Fields {
		v.Fields++
		if !row.Missing && same(row.Values[d.Field], d.New) {
			v.Held++
			continue
		}
		v.Differ = append(v.Differ, limited(v.Differ, []string{fmt.Sprintf("%s %s %s holds %v, wrote %v", w.Name, c.ID, d.Field, row.Values[d.Field], d.New)})...)
	}
}

// read gives what the CRM holds now in the fields of changes, in their order.
func (w Writing) read(ctx context.Context, changes []Change) ([]connectors.Row, error) {
	ids := make([]string, len(changes))
	fields := map[string]bool{}
	for i, c := range changes {
		ids[i] = c.ID
		for _, d := range c.Fields {
			fields[d.Field] = true
		}
	}
	return w.Target.Current(ctx, w.Object, ids, slices.Sorted(maps.Keys(fields)))
}
