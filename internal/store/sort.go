package store

import "slices"

// manyItems is from how many items on sortByHash goes by lots.
const manyItems = 4096

// sortByHash sorts items whose order begins with a hash; of many it gives a new
// array. The first byte of hashes parts them into lots of about one size, and
// sorting those takes half the time.
func sortByHash[T any](items []T, hash func(T) uint64, compare func(a, b T) int) []T {
	if len(items) < manyItems {
		slices.SortFunc(items, compare)
		return items
	}
	var ends [256]int
	for _, item := range items {
		ends[hash(item)>>56]++
	}
	for i := range len(ends) - 1 {
		ends[i+1] += ends[i]
	}
	sorted, begins := make([]T, len(items)), ends
	for _, item := range items {
		lot := hash(item) >> 56
		begins[lot]--
		sorted[begins[lot]] = item
	}
	for lot, end := range ends {
		slices.SortFunc(sorted[begins[lot]:end], compare)
	}
	return sorted
}
