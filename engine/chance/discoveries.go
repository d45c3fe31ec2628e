package chance

import "slices"

// Discoveries gives the largest of the chances ps that is to be believed, so
// that of all that are believed no more than the share false is expected to be
// chance after all (Benjamini and Hochberg, 1995). It gives 0 when none is. ps
// are those of all tests that were made, also of the dull ones; any order.
func Discoveries(ps []float64, share float64) float64 {
	sorted := slices.Sorted(slices.Values(ps))
	for k := len(sorted); k > 0; k-- {
		if p := sorted[k-1]; p <= share*float64(k)/float64(len(sorted)) {
			return p
		}
	}
	return 0
}
