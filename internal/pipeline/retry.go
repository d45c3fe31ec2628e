package pipeline

import (
	"context"
	"maps"
	"slices"

	"energyd/connectors"
	"energyd/internal/store"
)

// retry maps the source's rejects again that name what the CRM did not know
// then, when its directory has changed since. Those that still wait for the same are in no sums.
func (p *Pipeline) retry(ctx context.Context, m *mapper, change int64) error {
	var waiting []store.Reject
	tried := 0
	try := func() error {
		tried += len(waiting)
		out := m.empty(len(waiting))
		out.Retried = true
		var columns *connectors.Columns
		for _, w := range waiting {
			rec := waitingRecord(w, columns)
			columns = rec.Columns
			if m.one(&out, rec, w.Seen) {
				m.report.Retried++
			}
		}
		was := make(map[string]string, len(waiting))
		for _, w := range waiting {
			was[w.Key] = w.Code
		}
		out.Rejects = slices.DeleteFunc(out.Rejects, func(r connectors.Reject) bool { return r.Waits && r.Code == was[r.Key] })
		out.Read = len(out.Through) + len(out.Rejects)
		waiting = waiting[:0]
		if out.Read == 0 && len(out.Parts) == 0 { // of a record that still waits some contacts may come through
			return nil
		}
		return p.store.SaveBatch(ctx, out)
	}
	for w, err := range p.store.Waiting(ctx, m.source, m.revision, change) {
		if err != nil {
			return err
		}
		if waiting = append(waiting, w); len(waiting) == batchSize {
			if err := try(); err != nil {
				return err
			}
		}
	}
	if err := try(); err != nil || tried == 0 {
		return err
	}
	return p.store.Tried(ctx, m.source, change)
}

// waitingRecord gives the record that a reject was made of; columns are those of the one before, nil for none.
func waitingRecord(w store.Reject, columns *connectors.Columns) connectors.Record {
	names := slices.Sorted(maps.Keys(w.Fields))
	if columns == nil || !slices.Equal(columns.Names, names) {
		columns = connectors.NewColumns(names)
	}
	rec := connectors.Record{Key: w.Key, ChangedAt: w.ChangedAt, Columns: columns, Origin: w.Origin, Values: make([]any, len(names))}
	for i, name := range names {
		rec.Values[i] = w.Fields[name]
	}
	return rec
}
