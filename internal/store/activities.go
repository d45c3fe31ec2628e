package store

import (
	"context"
	"database/sql"
	"errors"
	"iter"
	"math"
	"sort"

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

// AccountReader reads accounts' activities, one account after the other. It keeps
// the block that it read last: for accounts in the order of the ledger each block
// is read once. What it gave stays valid. Not for concurrent use.
type AccountReader struct {
	s           *Store
	acts        []act
	list        []engine.Activity // those of acts
	first, next int64             // the block's hashes, signed: from first on, before next
	read, last  bool              // there is a block; none follows it
}

// AccountReader makes a reader.
func (s *Store) AccountReader() *AccountReader { return &AccountReader{s: s} }

// Activities is Store.AccountActivities.
func (r *AccountReader) Activities(ctx context.Context, account string) ([]engine.Activity, error) {
	cluster := xxhash.Sum64String(account)
	if at := signed(cluster); !r.read || at < r.first || at >= r.next && !r.last {
		if err := r.block(ctx, at); err != nil {
			return nil, storeError("read activities", err)
		}
	}
	from := sort.Search(len(r.acts), func(i int) bool {
		a := &r.acts[i]
		return a.cluster > cluster || a.cluster == cluster && a.Account >= account
	})
	to := from
	for to < len(r.acts) && r.acts[to].cluster == cluster && r.acts[to].Account == account {
		to++
	}
	return r.list[from:to:to], nil
}

// block reads the block that a signed hash falls into.
func (r *AccountReader) block(ctx context.Context, hash int64) error {
	r.read = false
	var row struct {
		First int64
		Data  []byte
		Next  sql.NullInt64
	}
	err := r.s.read.GetContext(ctx, &row, r.s.read.Rebind("SELECT first, data, (SELECT MIN(first) FROM activity_block WHERE first > ?) AS next FROM activity_block WHERE first <= ? ORDER BY first DESC LIMIT 1"), hash, hash)
	if errors.Is(err, sql.ErrNoRows) { // nothing was ever stored
		r.acts, r.list = nil, nil
		return nil
	}
	if err != nil {
		return err
	}
	d := new(decoder)
	if r.acts, err = d.decode(row.Data); err != nil {
		return err
	}
	r.list, r.first, r.next, r.last, r.read = d.list, row.First, row.Next.Int64, !row.Next.Valid, true
	return nil
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
