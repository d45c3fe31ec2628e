package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/lib/pq"

	"energyd/engine"
	"energyd/internal/fault"
)

// A large fold into PostgreSQL, and a large ledger that is built anew, are cut
// into jobs by account, each of some of the parts of the clusters: whoever has
// the scores offers them in ledger_job and does them one after the other, and
// every other process takes those that nobody is at (Help). Who does a job has
// its row locked, so that a job of a process that dies is free again; what it
// changes and that it is done are one transaction (decisions/0150).
//
// No two jobs that are to be done have a part in common, and nobody else writes
// activities while there are such jobs (alone).

// portion is how many activities a job is for, at least, and portions how many jobs there are at most: each goes
// through most of the ledger, so twice as many take a third longer.
const (
	portion  = 250_000
	portions = 8
)

// ledgerJob is a row of ledger_job that is to be done.
type ledgerJob struct {
	ID         int64
	AsOf       engine.Date `db:"as_of"`
	First      int         `db:"first_part"`
	Last       int         `db:"last_part"`
	Activities int
	Arrivals   string // ids as JSON; "" = what is stored is scored anew
}

// alike tells scorers apart that give other points, or roll up into other groups.
func alike(sc Scorer) string {
	if s, ok := sc.(interface{ Alike() string }); ok {
		return s.Alike()
	}
	return sc.Fingerprint()
}

// Offered tells whether there is something for Help.
func (s *Store) Offered(ctx context.Context) (any bool, err error) {
	if !s.postgres || !s.folding.TryLock() {
		return false, nil
	}
	s.folding.Unlock()
	err = s.read.GetContext(ctx, &any, "SELECT EXISTS (SELECT 1 FROM ledger_job WHERE done = 0)")
	return any, storeError("fold", err)
}

// Help does what folds of other processes offer, one job after the other, until
// there is none left, and tells how many it did. It takes none of those that are scored in another way than sc does,
// and none while this process folds. In SQLite, which has one writer, there are none.
// Faults: unavailable.
func (s *Store) Help(ctx context.Context, sc Scorer) (jobs int, err error) {
	if !s.postgres || !s.folding.TryLock() {
		return 0, nil
	}
	defer s.folding.Unlock()
	for {
		did, err := s.do(ctx, sc, false)
		if err != nil || did == 0 {
			return jobs, err
		}
		jobs += did
	}
}

// do does jobs that nobody is at, and tells how many: one, or several at once if that is allowed and nobody else is at work.
func (s *Store) do(ctx context.Context, sc Scorer, several bool) (did int, err error) {
	err = s.tx(ctx, "fold", func(tx *sqlx.Tx) error {
		most := 1
		if several {
			if most, err = unshared(ctx, tx, sc); err != nil {
				return err
			}
		}
		jobs, err := freeJobs(ctx, tx, sc, most)
		if err != nil || len(jobs) == 0 {
			return err
		}
		if jobs[0].Arrivals == "" {
			did = 1
			return jobs[0].rescore(ctx, tx, sc)
		}
		for activities := 0; did < len(jobs); did++ {
			if activities += jobs[did].Activities; did > 0 && activities > s.slice.activities {
				break
			}
		}
		return foldJobs(ctx, tx, sc, jobs[:did])
	})
	if err != nil {
		return 0, err
	}
	return did, nil
}

// unshared is how many jobs who is alone does at once: half of them, since somebody may come yet.
func unshared(ctx context.Context, tx *sqlx.Tx, sc Scorer) (int, error) {
	if _, err := tx.ExecContext(ctx, "SAVEPOINT looked"); err != nil {
		return 0, err
	}
	free, err := freeJobs(ctx, tx, sc, arrivalParts)
	if err != nil {
		return 0, err
	}
	if _, err := tx.ExecContext(ctx, "ROLLBACK TO SAVEPOINT looked"); err != nil { // they are free again
		return 0, err
	}
	var open int
	if err := tx.GetContext(ctx, &open, "SELECT COUNT(*) FROM ledger_job WHERE done = 0"); err != nil || open > len(free) {
		return 1, err
	}
	return max(1, len(free)/2), nil
}

// freeJobs takes so many that nobody is at, until the transaction ends.
func freeJobs(ctx context.Context, tx *sqlx.Tx, sc Scorer, most int) (jobs []ledgerJob, err error) {
	err = tx.SelectContext(ctx, &jobs, `SELECT id, as_of, first_part, last_part, activities, arrivals FROM ledger_job
		WHERE done = 0 AND scorer = $1 ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED`, alike(sc), most)
	return jobs, err
}

func (j *ledgerJob) done(ctx context.Context, tx *sqlx.Tx, stats FoldStats) error {
	_, err := tx.ExecContext(ctx, "UPDATE ledger_job SET done = 1, arrived = $1, stored = $2, unchanged = $3, entries = $4 WHERE id = $5",
		stats.Arrived, stats.Stored, stats.Unchanged, stats.Entries, j.ID)
	return err
}

// foldJobs merges the jobs' arrivals into the activities, beside others, and then what they give into the ledger, alone.
func foldJobs(ctx context.Context, tx *sqlx.Tx, sc Scorer, jobs []ledgerJob) error {
	f := &fold{ctx: ctx, tx: tx, scorer: sc, came: map[uint64]int{}, tally: newTally(ctx, tx, sc, jobs[0].AsOf, 0)}
	if err := f.take(jobs); err != nil {
		return err
	}
	if err := f.merged(nil); err != nil {
		return err
	}
	if err := lockForLedger(ctx, tx); err != nil {
		return err
	}
	// Who offered it may have lost its lane meanwhile, and another one built the ledger anew.
	if by, err := f.scoredBy(); err != nil || by != sc.Fingerprint() {
		return cmp.Or(err, errFolding())
	}
	generation, err := increase(ctx, tx, "generation")
	if err != nil {
		return err
	}
	f.tally.generation = uint64(generation)
	if err := f.flushed(); err != nil {
		return err
	}
	for _, j := range jobs {
		if err := j.done(ctx, tx, f.stats); err != nil {
			return err
		}
		f.stats = FoldStats{} // it was counted
	}
	return nil
}

// take makes the fold one of the jobs' arrivals.
func (f *fold) take(jobs []ledgerJob) error {
	var list []int64
	for _, j := range jobs {
		var ids []int64
		if err := json.Unmarshal([]byte(j.Arrivals), &ids); err != nil {
			return err
		}
		list = append(list, ids...)
	}
	err := f.tx.SelectContext(f.ctx, &f.from, "SELECT "+arrivalColumns+" FROM arrival WHERE id = ANY($1) ORDER BY part, id", pq.Array(list))
	if err == nil && len(f.from) != len(list) {
		err = errCorrupt
	}
	return err
}

// foldShared folds what arrived in parts, as jobs, when it is a lot. What is left is for its caller to fold: small
// batches, which are not cut into parts, and activities that moved from one account to another.
func (s *Store) foldShared(ctx context.Context, sc Scorer, asOf engine.Date) (stats FoldStats, err error) {
	left := map[int64]bool{}
	for {
		var arrivals []arrival
		err := s.read.SelectContext(ctx, &arrivals, "SELECT "+arrivalColumns+" FROM arrival WHERE part = last_part ORDER BY part, id")
		if err != nil {
			return stats, storeError("fold", err)
		}
		arrivals = slices.DeleteFunc(arrivals, func(a arrival) bool { return left[a.ID] })
		jobs := s.slice.jobs(arrivals)
		if len(jobs) < 2 {
			return stats, nil
		}
		err = s.ledgerTx(ctx, "fold", func(tx *sqlx.Tx) error {
			f, err := s.newFold(ctx, tx, sc, asOf)
			if err != nil {
				return err
			}
			if f.stats.Rebuilt, err = f.rebuildIfOther(); err != nil {
				return err
			}
			stats.add(f.stats)
			return activityTable().cut(ctx, tx)
		})
		if err != nil {
			return stats, err
		}
		if err := s.offer(ctx, sc, asOf, jobs, left); err != nil {
			return stats, err
		}
		own, err := s.doJobs(ctx, sc)
		if err != nil {
			return stats, err
		}
		if err := s.collect(ctx, own, &stats); err != nil {
			return stats, err
		}
	}
}

// jobs makes jobs of arrivals, which come by part. Of a part's arrivals one job takes as many as fit into memory; the
// others wait until it is done.
func (s slice) jobs(arrivals []arrival) (jobs [][]arrival) {
	total := 0
	for _, a := range arrivals {
		total += a.Activities
	}
	least := min(max(s.portion, total/portions), s.activities)
	var job []arrival
	activities := 0
	for same := range runs(arrivals, func(a, b arrival) int { return a.Part - b.Part }) {
		size := int64(0)
		for i, a := range same {
			if i > 0 && (size+a.Size > s.size || activities+a.Activities > s.activities) {
				break
			}
			job = append(job, a)
			activities, size = activities+a.Activities, size+a.Size
		}
		if activities >= least {
			jobs, job, activities = append(jobs, job), nil, 0
		}
	}
	if len(job) > 0 {
		jobs = append(jobs, job)
	}
	return jobs
}

// errMoved says that keys of arrivals are kept in other clusters than theirs.
var errMoved = errors.New("activities have moved")

// offer brings the keys of arrivals to their places, and offers the jobs. Arrivals with activities that moved are
// left: what stands of these is in parts of other jobs.
func (s *Store) offer(ctx context.Context, sc Scorer, asOf engine.Date, jobs [][]arrival, left map[int64]bool) error {
	for len(jobs) > 0 {
		n := 0
		for activities := 0; n < len(jobs); n++ {
			for _, a := range jobs[n] {
				activities += a.Activities
			}
			if n > 0 && activities > s.slice.activities { // their keys are in memory
				break
			}
		}
		err := s.ledgerTx(ctx, "fold", func(tx *sqlx.Tx) error { return offer(ctx, tx, sc, asOf, jobs[:n], left) })
		if err == nil {
			jobs = jobs[n:]
		} else if !errors.Is(err, errMoved) {
			return err
		}
	}
	return nil
}

func offer(ctx context.Context, tx *sqlx.Tx, sc Scorer, asOf engine.Date, jobs [][]arrival, left map[int64]bool) error {
	f := &fold{ctx: ctx, tx: tx, contested: map[uint64]bool{}}
	for i := range jobs {
		jobs[i] = slices.DeleteFunc(jobs[i], func(a arrival) bool { return left[a.ID] })
		f.from = append(f.from, jobs[i]...)
	}
	if _, err := f.place(); err != nil {
		return err
	}
	if len(f.contested) > 0 {
		return cmp.Or(f.leave(left), errMoved)
	}
	for _, job := range jobs {
		if len(job) == 0 {
			continue
		}
		ids, activities := make([]int64, len(job)), 0
		for i, a := range job {
			ids[i] = a.ID
			activities += a.Activities
		}
		list, err := json.Marshal(ids)
		if err != nil {
			return err
		}
		if err := offerJob(ctx, tx, sc, asOf, ledgerJob{First: job[0].Part, Last: job[len(job)-1].Part, Activities: activities, Arrivals: string(list)}); err != nil {
			return err
		}
	}
	return nil
}

// leave notes the arrivals that hold contested keys.
func (f *fold) leave(left map[int64]bool) error {
	for i := range f.from {
		keys, err := f.keysOf(&f.from[i])
		if err != nil {
			return err
		}
		for ; len(keys) >= keySize; keys = keys[keySize:] {
			if f.contested[keyAt(keys).key] {
				left[f.from[i].ID] = true
			}
		}
	}
	return nil
}

// offerJob keeps a job, unless one with the same parts is to be done.
func offerJob(ctx context.Context, tx *sqlx.Tx, sc Scorer, asOf engine.Date, j ledgerJob) error {
	kept, err := tx.ExecContext(ctx, `INSERT INTO ledger_job (scorer, as_of, first_part, last_part, activities, arrivals)
		SELECT CAST($1 AS TEXT), CAST($2 AS BIGINT), CAST($3 AS BIGINT), CAST($4 AS BIGINT), CAST($5 AS BIGINT), CAST($6 AS TEXT)
		WHERE NOT EXISTS (SELECT 1 FROM ledger_job WHERE done = 0 AND first_part <= $4 AND last_part >= $3)`, alike(sc), asOf, j.First, j.Last, j.Activities, j.Arrivals)
	if err != nil {
		return err
	}
	if n, err := kept.RowsAffected(); err != nil || n == 1 {
		return err
	}
	return errFolding()
}

func errFolding() error {
	return fault.New(fault.Conflict, "fold", "another process folds into this store", "wait until it ends; energyd status shows it", nil)
}

// doJobs does what nobody else is at, and waits for the others. own are those that this process did.
func (s *Store) doJobs(ctx context.Context, sc Scorer) (own int, err error) {
	for {
		did, err := s.do(ctx, sc, own > 0)
		if err != nil {
			return own, err
		}
		if own += did; did > 0 {
			continue
		}
		if more, err := s.await(ctx); err != nil || !more {
			return own, err
		}
	}
}

// await gives the others at their jobs a moment; false when all are done.
func (s *Store) await(ctx context.Context) (more bool, err error) {
	if err := s.read.GetContext(ctx, &more, "SELECT EXISTS (SELECT 1 FROM ledger_job WHERE done = 0)"); err != nil || !more {
		return false, storeError("fold", err)
	}
	select {
	case <-time.After(50 * time.Millisecond):
	case <-ctx.Done():
	}
	return true, ctx.Err()
}

// collect adds up what the jobs came to, and forgets them.
func (s *Store) collect(ctx context.Context, own int, stats *FoldStats) error {
	return s.tx(ctx, "fold", func(tx *sqlx.Tx) error {
		var done []FoldStats
		if err := tx.SelectContext(ctx, &done, "DELETE FROM ledger_job WHERE done = 1 RETURNING arrived, stored, unchanged, entries"); err != nil {
			return err
		}
		for _, d := range done {
			stats.add(d)
		}
		stats.add(FoldStats{Jobs: len(done), Helped: len(done) - own})
		return nil
	})
}

// offerParts offers to score anew what is stored, part by part; false when that is too little.
func (f *fold) offerParts() (bool, error) {
	if !f.store.postgres {
		return false, nil
	}
	var rows int
	if err := f.tx.GetContext(f.ctx, &rows, "SELECT COUNT(*) FROM activity_block"); err != nil || rows < f.store.slice.rows {
		return false, err
	}
	return true, f.store.tx(f.ctx, "rebuild", func(tx *sqlx.Tx) error { // others have to see them
		for part := range arrivalParts {
			if err := offerJob(f.ctx, tx, f.scorer, f.tally.asOf, ledgerJob{First: part, Last: part}); err != nil {
				return err
			}
		}
		return nil
	})
}

// rescoreParts scores all parts that nobody helps with, and then takes what others made of theirs.
func (f *fold) rescoreParts() error {
	for more := true; more; {
		var jobs []ledgerJob
		err := f.store.tx(f.ctx, "rebuild", func(tx *sqlx.Tx) (err error) {
			if jobs, err = freeJobs(f.ctx, tx, f.scorer, 1); err != nil || len(jobs) == 0 {
				return err
			}
			f.stats.Jobs++
			return jobs[0].done(f.ctx, tx, FoldStats{})
		})
		if err == nil && len(jobs) > 0 {
			err = f.rescore(jobs[0].First, jobs[0].Last, f.tally.flush)
		} else if err == nil {
			more, err = f.store.await(f.ctx)
		}
		if err != nil {
			return err
		}
	}
	f.stats.Helped = arrivalParts - f.stats.Jobs
	f.stats.Jobs = arrivalParts
	return f.absorb()
}

// absorb takes the sums that others made.
func (f *fold) absorb() error {
	var ids []int64
	if err := f.tx.SelectContext(f.ctx, &ids, "SELECT id FROM ledger_sum ORDER BY id"); err != nil {
		return err
	}
	for _, id := range ids {
		var data []byte
		if err := f.tx.GetContext(f.ctx, &data, "SELECT data FROM ledger_sum WHERE id = $1", id); err != nil {
			return err
		}
		if err := f.tally.take(data); err != nil {
			return err
		}
		if len(f.tally.spill) >= spillChunks {
			if err := f.tally.flush(); err != nil {
				return err
			}
		}
	}
	if _, err := f.tx.ExecContext(f.ctx, "DELETE FROM ledger_sum"); err != nil {
		return err
	}
	_, err := f.tx.ExecContext(f.ctx, "DELETE FROM ledger_job WHERE done = 1")
	return err
}

// rescore scores what is stored of the job's parts, for who builds the ledger anew.
func (j *ledgerJob) rescore(ctx context.Context, tx *sqlx.Tx, sc Scorer) error {
	f := &fold{ctx: ctx, tx: tx, scorer: sc, tally: newTally(ctx, tx, sc, j.AsOf, 0)}
	keep := func() error {
		for _, chunk := range f.tally.drain() {
			if _, err := tx.ExecContext(ctx, "INSERT INTO ledger_sum (data) VALUES ($1)", chunk); err != nil {
				return err
			}
		}
		return nil
	}
	if err := f.rescore(j.First, j.Last, keep); err != nil {
		return err
	}
	if err := keep(); err != nil {
		return err
	}
	return j.done(ctx, tx, FoldStats{})
}

// dissolve forgets the jobs of a fold that ended before they were done; it waits for those that somebody is at. What
// they were to fold has arrived still.
func (s *Store) dissolve(ctx context.Context) error {
	var any bool
	if err := s.read.GetContext(ctx, &any, "SELECT EXISTS (SELECT 1 FROM ledger_job)"); err != nil || !any {
		return storeError("fold", err)
	}
	return s.tx(ctx, "fold", func(tx *sqlx.Tx) error {
		if _, err := tx.ExecContext(ctx, "DELETE FROM ledger_job"); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "DELETE FROM ledger_sum")
		return err
	})
}

// alone makes sure, for a transaction with the ledger's lock, that no job is to be done while it lasts.
func (s *Store) alone(ctx context.Context, tx *sqlx.Tx) error {
	if !s.postgres {
		return nil
	}
	var jobs int
	if err := tx.GetContext(ctx, &jobs, "SELECT COUNT(*) FROM ledger_job WHERE done = 0"); err != nil || jobs == 0 {
		return err
	}
	// Nobody waits here for who is at a job, and waits for the ledger.
	orphans, err := tx.ExecContext(ctx, "DELETE FROM ledger_job WHERE id IN (SELECT id FROM ledger_job WHERE done = 0 FOR UPDATE SKIP LOCKED)")
	if err != nil {
		return err
	}
	if n, err := orphans.RowsAffected(); err != nil || int(n) == jobs {
		return err
	}
	return errFolding()
}

// lockForLedger lets a transaction write blocks of keys and of the ledger, one at a time.
func lockForLedger(ctx context.Context, tx *sqlx.Tx) error {
	_, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", lockLedger)
	return err
}

// cut makes a row of the table begin where each part does, so that what is merged into one part writes no row of another.
func (t *table[T]) cut(ctx context.Context, tx *sqlx.Tx) error {
	w, err := t.writer(ctx, tx)
	if err != nil {
		return err
	}
	defer w.close()
	for part := range arrivalParts {
		begin := uint64(part) << partShift
		var rows []struct {
			First int64
			Data  []byte
		}
		err := tx.SelectContext(ctx, &rows, tx.Rebind("SELECT first, data FROM "+t.name+" WHERE first <= ? ORDER BY first DESC LIMIT 1"), signed(begin))
		if err != nil {
			return err
		}
		var items []T
		first := int64(math.MinInt64)
		if len(rows) > 0 {
			if first = rows[0].First; first == signed(begin) {
				continue
			}
			if items, err = t.decode(rows[0].Data); err != nil {
				return err
			}
		}
		n := 0
		for n < len(items) && t.hash(items[n]) < begin {
			n++
		}
		if err := w.write(first, items[:n]); err != nil {
			return err
		}
		if first != signed(begin) {
			if err := w.write(signed(begin), items[n:]); err != nil {
				return err
			}
		}
		if err := w.drain(); err != nil { // the next part may lie in the row just written
			return err
		}
	}
	return nil
}
