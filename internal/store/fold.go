package store

import (
	"context"
	"errors"
	"slices"

	"github.com/jmoiron/sqlx"

	"energyd/engine"
)

// Scorer says what activities are worth. It must depend on nothing else, and
// may be called from several goroutines.
type Scorer interface {
	// Contributions computes what the activities of one account give; those without an account come one by one.
	Contributions(acts []engine.Activity, emit func(i int, c engine.Contribution))
	// Due is the next day after asOf on which the score changes without news; NoDate = never.
	Due(kind engine.EntityKind, cells []engine.Cell, asOf engine.Date) engine.Date
	// Fingerprint changes whenever any answer of the two others may.
	Fingerprint() string
	// A scorer may also have Independent() bool: true says that what an activity
	// gives depends on the activities of other sources on its day alone, and on no
	// other day, unless one of the account has a Link or names something by Same.
	// So a small fold need not score all others of the account.
	//
	// And it may have Alike() string, where scorers of one Fingerprint may differ in
	// what they give: only those alike share a fold.
}

// FoldStats tells what a fold did.
type FoldStats struct {
	Arrived   int  `json:"arrived"`          // activities
	Stored    int  `json:"stored"`           // of them new or changed
	Unchanged int  `json:"unchanged"`        // of them equal to or older than what stood
	Entries   int  `json:"entries"`          // ledger entries whose cells changed
	Rebuilt   bool `json:"rebuilt"`          // the points had changed, so the ledger was built anew first
	Jobs      int  `json:"jobs,omitempty"`   // into which it was cut, since it was large
	Helped    int  `json:"helped,omitempty"` // of them done by other processes
}

// add adds what another part of the fold did.
func (s *FoldStats) add(other FoldStats) {
	s.Arrived += other.Arrived
	s.Stored += other.Stored
	s.Unchanged += other.Unchanged
	s.Entries += other.Entries
	s.Rebuilt = s.Rebuilt || other.Rebuilt
	s.Jobs += other.Jobs
	s.Helped += other.Helped
}

// slice is what one transaction folds at most, so that it stays below 256 MB.
type slice struct {
	size       int64 // packed bytes of one part of the clusters: they are in memory at the same time
	activities int   // in all: their keys and contributions are

	portion int // activities of a job that others may do, at least
	rows    int // of activities that are scored anew by several, at least
}

var wholeSlice = slice{size: 24 << 20, activities: 1_400_000, portion: portion, rows: 2048}

// Fold merges the arrivals into the activities, and what they change into the
// ledger. Of several versions of an activity the one that engine.Supersedes names stands, so
// that the order of arrivals never matters. Many arrivals take several
// transactions, each of which is complete in itself. When the scorer is not
// the one of the last fold, the ledger is rebuilt first. A lot of arrivals in PostgreSQL
// are cut into jobs, which other processes may do too (Help).
// Faults: unavailable, conflict (another process folds, though the caller has the scores' lane, or should have).
func (s *Store) Fold(ctx context.Context, sc Scorer, asOf engine.Date) (FoldStats, error) {
	s.folding.Lock()
	defer s.folding.Unlock()
	var stats FoldStats
	if err := s.dissolve(ctx); err != nil {
		return stats, err
	}
	if s.postgres {
		var err error
		if stats, err = s.foldShared(ctx, sc, asOf); err != nil {
			return stats, err
		}
	}
	for more := true; more; {
		var step FoldStats
		err := s.ledgerTx(ctx, "fold", func(tx *sqlx.Tx) error {
			f, err := s.newFold(ctx, tx, sc, asOf)
			if err != nil {
				return err
			}
			if f.stats.Rebuilt, err = f.rebuildIfOther(); err != nil {
				return err
			}
			if more, err = f.arrivals(s.slice); err != nil {
				return err
			}
			step = f.stats
			return nil
		})
		if err != nil {
			return stats, err
		}
		stats.add(step)
	}
	return stats, nil
}

// fold is one transaction's work.
type fold struct {
	store  *Store
	ctx    context.Context
	tx     *sqlx.Tx
	scorer Scorer
	tally  *tally
	stats  FoldStats

	from      []arrival
	contested map[uint64]bool // key hashes whose activities are settled beforehand
	came      map[uint64]int  // how many versions there are of those that arrived in the cluster at hand, by key hash
	all, won  []act
	changes   chan []change
	scored    int // rows scored anew since there was room
}

// arrivalColumns are those of an arrival.
const arrivalColumns = "id, run, source, part, activities, length(data) AS size"

// arrival is a row of the table arrival, but for its data.
type arrival struct {
	ID                int64
	Run, Source       string
	Part, Activities  int
	Size              int64 // of the data
	stored, unchanged int
}

func (s *Store) newFold(ctx context.Context, tx *sqlx.Tx, sc Scorer, asOf engine.Date) (*fold, error) {
	if err := s.alone(ctx, tx); err != nil {
		return nil, err
	}
	generation, err := increase(ctx, tx, "generation")
	if err != nil {
		return nil, err
	}
	f := &fold{store: s, ctx: ctx, tx: tx, scorer: sc, contested: map[uint64]bool{}, came: map[uint64]int{}}
	f.tally = newTally(ctx, tx, sc, asOf, uint64(generation))
	return f, nil
}

// arrivals folds one slice of the arrivals, and tells whether there are more.
func (f *fold) arrivals(most slice) (more bool, err error) {
	if more, err = f.load(most); err != nil || len(f.from) == 0 {
		return false, err
	}
	injected, err := f.keys()
	if err != nil {
		return false, err
	}
	if err := f.merged(injected); err != nil {
		return false, err
	}
	return more, f.flushed()
}

// merged merges the arrivals, and what was settled, into the activities.
func (f *fold) merged(injected []act) error {
	in, err := newConfluence(f, injected)
	if err != nil {
		return err
	}
	return f.scoring(func() error { return activityTable().merge(f.ctx, f.tx, in, f.merge) })
}

// flushed brings what they give into the ledger, and ends the arrivals.
func (f *fold) flushed() error {
	if err := f.tally.flush(); err != nil {
		return err
	}
	f.stats.Entries = f.tally.changed
	return f.finish()
}

// load takes the first arrivals by part, at least one.
func (f *fold) load(most slice) (more bool, err error) {
	err = f.tx.SelectContext(f.ctx, &f.from, "SELECT "+arrivalColumns+" FROM arrival ORDER BY part, id")
	if err != nil {
		return false, err
	}
	activities, size := 0, int64(0)
	for i, a := range f.from {
		if i > 0 && a.Part != f.from[i-1].Part {
			size = 0
		}
		activities, size = activities+a.Activities, size+a.Size
		if i > 0 && (activities > most.activities || size > most.size) {
			f.from = f.from[:i:i]
			return true, nil
		}
	}
	return false, nil
}

// data reads an arrival's data.
func (f *fold) data(a *arrival) (data []byte, err error) {
	err = f.tx.GetContext(f.ctx, &data, f.tx.Rebind("SELECT data FROM arrival WHERE id = ?"), a.ID)
	return data, err
}

// keysOf gives an arrival's keys as appendKeys writes them.
func (f *fold) keysOf(a *arrival) (keys []byte, err error) {
	if err := f.tx.GetContext(f.ctx, &keys, f.tx.Rebind("SELECT keys FROM arrival WHERE id = ?"), a.ID); err != nil || keys != nil {
		return keys, err
	}
	err = f.eachOf(a, func(acts []act) { keys = appendKeys(keys, acts) }) // it was saved before arrivals had keys
	return keys, err
}

// finish removes the arrivals and counts them in their runs.
func (f *fold) finish() error {
	remove, err := f.tx.PreparexContext(f.ctx, f.tx.Rebind("DELETE FROM arrival WHERE id = ?"))
	if err != nil {
		return err
	}
	defer remove.Close()
	type runSource struct{ run, source string }
	sums := map[runSource]RunSource{}
	for i := range f.from {
		a := &f.from[i]
		// By id, not by range: a batch with a lower id may have been committed meanwhile.
		if _, err := remove.ExecContext(f.ctx, a.ID); err != nil {
			return err
		}
		if a.Run == uncounted {
			continue
		}
		sum := sums[runSource{a.Run, a.Source}]
		sum.Stored += a.stored
		sum.Unchanged += a.unchanged
		sums[runSource{a.Run, a.Source}] = sum
		f.stats.Arrived += a.Activities
		f.stats.Stored += a.stored
		f.stats.Unchanged += a.unchanged
	}
	for key, sum := range sums {
		sum.Source = key.source
		if err := addRunSource(f.ctx, f.tx, key.run, sum); err != nil {
			return err
		}
	}
	return nil
}

// each gives every arrived activity, which is not kept.
func (f *fold) each(do func(a act)) error {
	for i := range f.from {
		err := f.eachOf(&f.from[i], func(acts []act) {
			for _, a := range acts {
				a.arrival = int32(i)
				do(a)
			}
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// eachOf gives the blocks of an arrival, whose activities are not kept.
func (f *fold) eachOf(a *arrival, do func(acts []act)) error {
	data, err := f.data(a)
	if err != nil {
		return err
	}
	var d decoder
	for len(data) > 0 {
		block, rest, err := cutBlock(data)
		if err != nil {
			return err
		}
		acts, err := d.decode(block)
		if err != nil {
			return err
		}
		do(acts)
		data = rest
	}
	return nil
}

// merge is what a row of activities becomes with those that arrived.
func (f *fold) merge(old, in []act) (out []act, changed bool, err error) {
	out = make([]act, 0, len(old)+len(in))
	var list []change
	for len(in) > 0 {
		c := in[0].cluster
		of := func(acts []act) (n int) {
			for n < len(acts) && acts[n].cluster == c {
				n++
			}
			return n
		}
		n := 0
		for n < len(old) && old[n].cluster < c {
			n++
		}
		out, old = append(out, old[:n]...), old[n:]
		n, m, start := of(old), of(in), len(out)
		out = f.cluster(out, old[:n], in[:m])
		list = append(list, changes(old[:n], out[start:])...)
		old, in = old[n:], in[m:]
	}
	if len(list) > 0 {
		f.changes <- list
	}
	return append(out, old...), len(list) > 0, nil
}

// crowd is from how many activities on a cluster gets a map of its own.
const crowd = 1 << 10

// cluster appends what one cluster holds afterwards.
func (f *fold) cluster(out, old, in []act) []act {
	decided := func(a act) bool {
		return a.arrival == mark || a.arrival != settled && len(f.contested) > 0 && f.contested[keyHash(a.Source, a.ID)]
	}
	// Only what has several versions is in doubt; the rest stands in the order in which it lies.
	if len(f.came) > crowd { // clearing takes as long as the map ever was large
		f.came = map[uint64]int{}
	}
	clear(f.came)
	for _, a := range in {
		if !decided(a) {
			f.came[keyHash(a.Source, a.ID)]++
		}
	}
	f.all, f.won = f.all[:0], f.won[:0]
	start := len(out)
	for _, a := range old {
		if decided(a) {
			continue
		}
		key := keyHash(a.Source, a.ID)
		if f.came[key] == 0 {
			out = append(out, a)
			continue
		}
		f.came[key]++
		f.all = append(f.all, a)
	}
	for i, a := range in {
		switch {
		case decided(a):
		case f.came[keyHash(a.Source, a.ID)] > 1:
			f.all = append(f.all, a)
		default:
			f.won = append(f.won, f.stand(in[i:i+1]))
		}
	}
	slices.SortFunc(f.all, compareKeys)
	for same := range runs(f.all, compareKeys) {
		f.won = append(f.won, f.stand(same))
	}
	slices.SortFunc(f.won, compareActs)
	return mergeActs(out, start, f.won)
}

// mergeActs merges the sorted list more into acts[from:], which is sorted too.
func mergeActs(acts []act, from int, more []act) []act {
	i, j := len(acts)-1, len(more)-1
	acts = append(acts, more...)
	for k := len(acts) - 1; j >= 0; k-- {
		if i >= from && compareActs(acts[i], more[j]) > 0 {
			acts[k], i = acts[i], i-1
		} else {
			acts[k], j = more[j], j-1
		}
	}
	return acts
}

// scoring runs work, whose changes are scored in another goroutine meanwhile.
// The tally is complete when it returns.
func (f *fold) scoring(work func() error) error {
	f.changes = make(chan []change, 2) // each holds up to chunk activities, and the blocks that they came in
	done := make(chan error)
	go func() {
		var err error
		for list := range f.changes {
			for _, c := range list {
				if err == nil {
					err = f.tally.add(c)
				}
			}
		}
		done <- err
	}()
	err := work()
	close(f.changes)
	return errors.Join(err, <-done)
}

// runs gives the runs of equal items of a sorted slice.
func runs[T any](items []T, compare func(a, b T) int) func(yield func([]T) bool) {
	return func(yield func([]T) bool) {
		for len(items) > 0 {
			n := 1
			for n < len(items) && compare(items[0], items[n]) == 0 {
				n++
			}
			if !yield(items[:n:n]) {
				return
			}
			items = items[n:]
		}
	}
}
