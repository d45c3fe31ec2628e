package store_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/internal/store"
)

// TestFold_Slices: however few of the arrivals one transaction takes, the store ends the same.
func TestFold_Slices(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		acts := tangled(rand.New(rand.NewPCG(5, 6)), 3000)
		acts = append(acts, newGenerator(0, 7).take(2000)...) // of many accounts
		whole := open(t, fresh(t))
		saveAll(t, whole, acts)
		fold(t, whole)
		want := read(t, whole)
		for name, of := range map[string]struct {
			batch, activities int
			size              int64
		}{
			"by activities":          {700, 300, 1 << 20},
			"by size":                {1000, 1 << 20, 8 << 10},
			"batches that are whole": {100, 250, 1 << 20},
		} {
			s := open(t, fresh(t))
			s.Slice(of.activities, of.size)
			for batch := range slices.Chunk(acts, of.batch) {
				saveAll(t, s, batch)
			}
			got := fold(t, s)
			if diff := cmp.Diff(want, read(t, s)); diff != "" {
				t.Errorf("%s: %s", name, diff)
			}
			if got.Arrived != len(acts) || got.Stored+got.Unchanged != got.Arrived {
				t.Errorf("%s: %+v of %d activities", name, got, len(acts))
			}
		}
	})
}

// TestFold_OldArrivals: what a version without parts and keys had saved is folded like everything else.
func TestFold_OldArrivals(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		acts := tangled(rand.New(rand.NewPCG(8, 9)), 500)
		var stores [2]*store.Store
		for i := range stores {
			url := fresh(t)
			stores[i] = open(t, url)
			saveAll(t, stores[i], acts[:400])
			if i == 1 {
				raw(t, url).MustExec("UPDATE arrival SET part = 0, keys = NULL")
			}
			saveAll(t, stores[i], acts[400:])
			fold(t, stores[i])
		}
		if diff := cmp.Diff(read(t, stores[0]), read(t, stores[1])); diff != "" {
			t.Error(diff)
		}
	})
}
