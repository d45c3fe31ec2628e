package store

import (
	"context"
	"encoding/json"

	"energyd/sink"
)

// Plans gives up to limit plans that were finished, the latest first. The changes of old ones may be gone (PurgePlans).
func (s *Store) Plans(ctx context.Context, limit int) ([]sink.Summary, error) {
	var rows []struct{ State, Summary string }
	err := s.read.SelectContext(ctx, &rows, s.read.Rebind("SELECT state, summary FROM plan WHERE hash <> '' ORDER BY created_us DESC LIMIT ?"), limit)
	if err != nil {
		return nil, storeError("read plans", err)
	}
	plans := make([]sink.Summary, len(rows))
	for i, r := range rows {
		if err := json.Unmarshal([]byte(r.Summary), &plans[i]); err != nil {
			return nil, storeError("read plans", err)
		}
		plans[i].State = sink.PlanState(r.State)
	}
	return plans, nil
}
