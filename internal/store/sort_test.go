package store

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// TestSortByHash: in lots or at once, the order is that of the comparison, also
// of hashes that are all in one lot, at the ends, or the same.
func TestSortByHash(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for name, hash := range map[string]func() uint64{
		"spread":      random.Uint64,
		"in one lot":  func() uint64 { return random.Uint64() >> 8 },
		"at the ends": func() uint64 { return -(random.Uint64() & 1) },
	} {
		for _, n := range []int{0, 1, manyItems - 1, manyItems, 3*manyItems + 7} {
			items := make([]keyItem, n)
			for i := range items {
				items[i] = keyItem{hash(), random.Uint64N(50)}
			}
			want := slices.SortedFunc(slices.Values(items), compareKeyItems)
			if got := sortByHash(items, func(k keyItem) uint64 { return k.key }, compareKeyItems); !slices.Equal(got, want) {
				t.Errorf("%s, %d items: not in order", name, n)
			}
		}
	}
}

// BenchmarkSortByHash sorts the keys of 700,000 activities, as a fold does, in both ways.
func BenchmarkSortByHash(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	keys := make([]keyItem, 700_000)
	for i := range keys {
		keys[i] = keyItem{random.Uint64(), random.Uint64()}
	}
	b.Run("at_once", func(b *testing.B) {
		for b.Loop() {
			slices.SortFunc(slices.Clone(keys), compareKeyItems)
		}
	})
	b.Run("in_lots", func(b *testing.B) {
		for b.Loop() {
			sortByHash(slices.Clone(keys), func(k keyItem) uint64 { return k.key }, compareKeyItems)
		}
	})
}
