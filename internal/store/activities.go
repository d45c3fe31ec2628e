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

// Size tells how many activities are stored, tombstones included, without
// reading them: it counts their keys. One that moved may count twice.
func (s *Store) Size(ctx context.Context) (n int, err error) {
	err = s.read.GetContext(ctx, &n, s.read.Rebind("SELECT CAST(COALESCE(SUM((length(data) - ?) / ?), 0) AS BIGINT) FROM key_block"), sealSpace, keySize)
	return n, storeError("count activities", err)
}

// Activities gives all folded activities, tombstones included. Those of one
// account come together, sorted by time and id. Equal lists inside share
// memory: do not write into them. Blocks are unpacked ahead, in a goroutine.
func (s *Store) Activities(ctx context.Context) iter.Seq2[engine.Activity, error] {
	type unpacked struct {
		acts []act
		err  error
	}
	return func(yield func(engine.Activity, error) bool) {
		within, cancel := context.WithCancel(ctx)
		blocks := make(chan unpacked, 4)
		go func() {
			defer close(blocks)
			for data, err := range scan(within, s.read, "activity_block", "TRUE", math.MinInt64, math.MaxInt64) {
				b := unpacked{err: err}
				if err == nil {
					b.acts, b.err = new(decoder).decode(data)
				}
				select {
				case blocks <- b:
				case <-within.Done():
				}
				if b.err != nil || within.Err() != nil {
					return
				}
			}
		}()
		defer func() {
			cancel()
			for range blocks { // until the goroutine has ended
			}
		}()
		for b := range blocks {
			if b.err != nil {
				yield(engine.Activity{}, storeError("read activities", b.err))
				return
			}
			for i := range b.acts {
				if !yield(*b.acts[i].Activity, nil) {
					return
				}
			}
		}
		if err := ctx.Err(); err != nil {
			yield(engine.Activity{}, err)
		}
	}
}
