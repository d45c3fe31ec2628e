package store

import (
	"context"
	"iter"
	"math"

	"github.com/cespare/xxhash/v2"

	"energyd/engine"
)

// AccountActivities gives the folded activities of an account, tombstones
// included, sorted by time and id. Equal lists inside share memory: do not write into them.
func (s *Store) AccountActivities(ctx context.Context, account string) ([]engine.Activity, error) {
	acts, err := activityTable().find(ctx, s.read, xxhash.Sum64String(account))
	if err != nil {
		return nil, storeError("read activities", err)
	}
	var list []engine.Activity
	for _, a := range acts {
		if a.Account == account {
			list = append(list, *a.Activity)
		}
	}
	return list, nil
}

// Activities gives all folded activities, tombstones included. Those of one
// account come together, sorted by time and id. Equal lists inside share
// memory: do not write into them.
func (s *Store) Activities(ctx context.Context) iter.Seq2[engine.Activity, error] {
	return func(yield func(engine.Activity, error) bool) {
		for data, err := range scan(ctx, s.read, "activity_block", "TRUE", math.MinInt64, math.MaxInt64) {
			var acts []act
			if err == nil {
				acts, err = new(decoder).decode(data)
			}
			if err != nil {
				yield(engine.Activity{}, storeError("read activities", err))
				return
			}
			for i := range acts {
				if !yield(*acts[i].Activity, nil) {
					return
				}
			}
		}
	}
}
