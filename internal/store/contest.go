package store

import (
	"cmp"
	"math"
	"slices"

	"energyd/engine"
)

// keys brings the keys of all arrivals into key_block. Activities whose key
// was or is seen in more than one cluster (they moved, or were deleted without
// an account) are settled here: it returns the versions that stand, and marks
// of the clusters that lose one, sorted by cluster.
func (f *fold) keys() (injected []act, err error) {
	clusters, err := f.place()
	if err != nil || len(f.contested) == 0 {
		return nil, err
	}
	return f.settle(clusters)
}

// place brings the keys of all arrivals into key_block, finds the contested ones, and gives where these were kept.
func (f *fold) place() (clusters []uint64, err error) {
	total := 0
	for _, a := range f.from {
		total += a.Activities
	}
	keys := make([]keyItem, 0, total)
	for i := range f.from {
		packed, err := f.keysOf(&f.from[i])
		if err != nil {
			return nil, err
		}
		for ; len(packed) >= keySize; packed = packed[keySize:] {
			keys = append(keys, keyAt(packed))
		}
	}
	keys = slices.Compact(sortByHash(keys, keyTable.hash, compareKeyItems))
	err = keyTable.merge(f.ctx, f.tx, &queue[keyItem]{keys}, func(old, in []keyItem) ([]keyItem, bool, error) {
		out := make([]keyItem, 0, len(old)+len(in))
		grown := false
		for len(in) > 0 {
			key := in[0].key
			for len(old) > 0 && old[0].key < key {
				out, old = append(out, old[0]), old[1:]
			}
			start, kept := len(out), 0
			for len(old) > 0 && old[0].key == key {
				out, old = append(out, old[0]), old[1:]
				kept++
			}
			for len(in) > 0 && in[0].key == key {
				if !slices.Contains(out[start:start+kept], in[0]) {
					out, grown = append(out, in[0]), true
				}
				in = in[1:]
			}
			if len(out) > start+1 {
				f.contested[key] = true
				for _, k := range out[start : start+kept] {
					clusters = append(clusters, k.cluster)
				}
				slices.SortFunc(out[start:], compareKeyItems)
			}
		}
		return append(out, old...), grown, nil
	})
	return clusters, err
}

// settle decides all activities of contested keys.
func (f *fold) settle(clusters []uint64) (injected []act, err error) {
	var candidates []act
	take := func(a act) {
		if f.contested[keyHash(a.Source, a.ID)] {
			kept := *a.Activity
			// The lists' arrays are used again by the decoder.
			kept.Deals, kept.Reps = slices.Clone(a.Deals), slices.Clone(a.Reps)
			kept.People, kept.Cues = slices.Clone(a.People), slices.Clone(a.Cues)
			if a.Link != nil {
				link := *a.Link
				kept.Link = &link
			}
			if a.Same != nil {
				same := *a.Same
				kept.Same = &same
			}
			a.Activity = &kept
			candidates = append(candidates, a)
		}
	}
	if err := f.each(take); err != nil {
		return nil, err
	}
	slices.Sort(clusters)
	clusters = slices.Compact(clusters)
	if err := f.stored(clusters, take); err != nil {
		return nil, err
	}
	for _, c := range clusters {
		injected = append(injected, act{&engine.Activity{}, c, mark})
	}
	slices.SortFunc(candidates, compareKeys)
	var places []keyItem
	for same := range runs(candidates, compareKeys) {
		winner := f.stand(same)
		winner.arrival = settled
		injected = append(injected, winner)
		places = append(places, keyItem{keyHash(winner.Source, winner.ID), winner.cluster})
	}
	slices.SortFunc(injected, compareActs)
	slices.SortFunc(places, compareKeyItems)
	err = keyTable.merge(f.ctx, f.tx, &queue[keyItem]{places}, func(old, in []keyItem) ([]keyItem, bool, error) {
		out := slices.DeleteFunc(old, func(k keyItem) bool { return f.contested[k.key] })
		out = append(slices.Clone(out), in...)
		slices.SortFunc(out, compareKeyItems)
		return slices.Compact(out), true, nil
	})
	return injected, err
}

// stored gives the activities of the rows that hold these sorted clusters; they are not kept.
func (f *fold) stored(clusters []uint64, do func(a act)) error {
	t := activityTable()
	firsts, err := t.firsts(f.ctx, f.tx)
	if err != nil {
		return err
	}
	var d decoder
	last := -1
	for _, c := range clusters {
		row, found := slices.BinarySearch(firsts, signed(c))
		if !found {
			row--
		}
		if row < 0 || row == last {
			continue
		}
		last = row
		var data []byte
		if err := f.tx.GetContext(f.ctx, &data, f.tx.Rebind("SELECT data FROM activity_block WHERE first = ?"), firsts[row]); err != nil {
			return err
		}
		acts, err := d.decode(data)
		if err != nil {
			return err
		}
		for i := range acts {
			do(acts[i])
		}
	}
	return nil
}

// stand gives which of the versions of one activity stands, and counts the others.
func (f *fold) stand(same []act) act {
	winner := same[0]
	for _, a := range same[1:] {
		if c := newer(a, winner); c > 0 || c == 0 && a.arrival == stands {
			winner = a
		}
	}
	held := slices.IndexFunc(same, func(a act) bool { return a.arrival == stands })
	for _, a := range same {
		switch {
		case a.arrival < 0:
		case a == winner && (held < 0 || !sayTheSame(a.Activity, same[held].Activity)):
			f.from[a.arrival].stored++
		default:
			f.from[a.arrival].unchanged++
		}
	}
	return winner
}

// newer compares two versions of an activity: 0 = they are the same.
func newer(a, b act) int {
	switch c := cmp.Or(cmp.Compare(a.Revision, b.Revision), cmp.Compare(a.Version, b.Version)); {
	case c != 0:
		return c
	case equal(a.Activity, b.Activity):
		return 0
	}
	if engine.Supersedes(a.Activity, b.Activity) {
		return 1
	}
	return -1
}

// sayTheSame tells whether two versions differ in nothing but their version:
// a source without change times gives all its records a new one each night.
func sayTheSame(a, b *engine.Activity) bool {
	c := *b
	c.Version, c.Revision = a.Version, a.Revision
	return equal(a, &c)
}

func equal(a, b *engine.Activity) bool {
	sameShares := func(x, y []engine.Share) bool {
		return slices.EqualFunc(x, y, func(s, t engine.Share) bool {
			return s.ID == t.ID && math.Float64bits(s.Weight) == math.Float64bits(t.Weight)
		})
	}
	return a.Source == b.Source && a.ID == b.ID && a.Version == b.Version && a.At.Equal(b.At) && a.Date == b.Date &&
		a.Product == b.Product && a.Segment == b.Segment && a.Kind == b.Kind && a.Status == b.Status && a.Account == b.Account && a.Mapping == b.Mapping && a.Revision == b.Revision &&
		a.Deleted == b.Deleted && a.Direction == b.Direction && sameShares(a.Deals, b.Deals) && sameShares(a.Reps, b.Reps) &&
		slices.Equal(a.People, b.People) && slices.Equal(a.Cues, b.Cues) &&
		(a.Link == b.Link || a.Link != nil && b.Link != nil && *a.Link == *b.Link) &&
		(a.Same == b.Same || a.Same != nil && b.Same != nil && *a.Same == *b.Same)
}
