package connectortest

import (
	"slices"
	"time"

	"energyd/connectors"
)

// testWindows counts and reads windows of a source that can: each has the rows whose last change lies in it, and no others.
func testWindows(b *sourceBench) {
	source := b.source(b.Addr)
	counter, ok := source.(connectors.Counter)
	if !ok || !counter.Counts() {
		return
	}
	keys := b.insert(9)
	b.Change(keys[0])
	b.settle()
	all := records(b.walk(source, "", 4))
	if len(all) < len(keys) {
		b.Fatalf("got %d records of %d rows", len(all), len(keys))
	}
	slices.SortStableFunc(all, func(x, y connectors.Record) int { return x.ChangedAt.Compare(y.ChangedAt) })
	at := func(i int) time.Time { return all[i].ChangedAt.Truncate(time.Second) } // some systems compare no finer
	first, middle, last := at(0), at(len(all)/2), at(len(all)-1)
	for _, w := range []connectors.Interval{
		{To: last.AddDate(0, 0, 1)}, // all
		{To: middle}, {From: middle, To: last.AddDate(0, 0, 1)},
		{From: first, To: last},
		{From: last.AddDate(0, 0, 1), To: last.AddDate(0, 0, 2)}, // none
	} {
		var want []string
		for _, r := range all {
			if !r.ChangedAt.Before(w.From) && r.ChangedAt.Before(w.To) {
				want = append(want, r.Key)
			}
		}
		n, err := counter.Count(b.ctx, w)
		if err != nil || n != len(want) {
			b.Errorf("%v: counted %d, %v; want %d", w, n, err, len(want))
		}
		for _, limit := range []int{2, 100} {
			got := records(b.walk(b.source(b.Addr), counter.Window(w), limit))
			b.wantKeys("window", got, want)
			if len(got) != len(want) {
				b.Errorf("%v: a window of %d rows gives %d records", w, len(want), len(got))
			}
		}
	}
	b.wantKeys("all, after windows were read", records(b.walk(b.source(b.Addr), "", 4)), keys)
}
