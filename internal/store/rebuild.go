package store

import (
	"cmp"
	"context"
	"iter"
	"math"

	"github.com/jmoiron/sqlx"

	"energyd/engine"
)

// Rebuild computes the ledger from all folded activities. Every entry becomes dirty.
func (s *Store) Rebuild(ctx context.Context, sc Scorer, asOf engine.Date) error {
	return s.ledgerTx(ctx, "rebuild", func(tx *sqlx.Tx) error {
		f, err := newFold(ctx, tx, sc, asOf)
		if err != nil {
			return err
		}
		return f.rebuild()
	})
}

const fingerprintName = "points"

// FirstTable gives the fingerprint of the points table that was first used
// under a version's name: the given one, when there was none before.
func (s *Store) FirstTable(ctx context.Context, version, fingerprint string) (first string, err error) {
	err = s.tx(ctx, "points table", func(tx *sqlx.Tx) error {
		name := "points " + plain(version)
		_, err := tx.ExecContext(ctx, tx.Rebind("INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING"), name, fingerprint)
		if err != nil {
			return err
		}
		return tx.GetContext(ctx, &first, tx.Rebind("SELECT value FROM meta WHERE name = ?"), name)
	})
	return first, err
}

// rebuildIfOther rebuilds the ledger when another scorer made it.
func (f *fold) rebuildIfOther() (bool, error) {
	var prints []string
	if err := f.tx.SelectContext(f.ctx, &prints, f.tx.Rebind("SELECT value FROM meta WHERE name = ?"), fingerprintName); err != nil {
		return false, err
	}
	if len(prints) == 1 && prints[0] == f.scorer.Fingerprint() {
		return false, nil
	}
	return len(prints) == 1, f.rebuild()
}

// rebuild empties all ledger entries and fills them again.
func (f *fold) rebuild() error {
	firsts, err := ledgerTable.firsts(f.ctx, f.tx)
	if err != nil {
		return err
	}
	w, err := ledgerTable.writer(f.ctx, f.tx)
	if err != nil {
		return err
	}
	defer w.close()
	for _, first := range firsts {
		var data []byte
		if err := f.tx.GetContext(f.ctx, &data, f.tx.Rebind("SELECT data FROM ledger_block WHERE first = ?"), first); err != nil {
			return err
		}
		entries, err := decodeLedger(data)
		if err != nil {
			return err
		}
		for _, e := range entries {
			e.cells, e.due, e.dirty = nil, engine.NoDate, f.tally.generation
		}
		if err := w.write(first, entries); err != nil {
			return err
		}
	}
	if err := w.drain(); err != nil {
		return err
	}
	next, stop := iter.Pull2(scan(f.ctx, f.tx, "activity_block", "TRUE", math.MinInt64, math.MaxInt64))
	defer stop()
	for more := true; more; {
		err := f.scoring(func() (err error) {
			more, err = f.rescore(next)
			return err
		})
		if err != nil {
			return err
		}
		if err := f.tally.flush(); err != nil {
			return err
		}
	}
	return note(f.ctx, f.tx, fingerprintName, f.scorer.Fingerprint())
}

// rescore scores about a million activities, and tells whether there are more.
func (f *fold) rescore(next func() ([]byte, error, bool)) (more bool, err error) {
	for range 4096 {
		data, err, ok := next()
		if err != nil || !ok {
			return false, err
		}
		d := new(decoder)
		acts, err := d.decode(data)
		if err != nil {
			return false, err
		}
		var list []change
		packed := d.list
		for same := range runs(acts, func(a, b act) int {
			return cmp.Or(cmp.Compare(a.cluster, b.cluster), cmp.Compare(a.Account, b.Account))
		}) {
			list = append(list, change{is: same, packed: packed[:len(same)]})
			packed = packed[len(same):]
		}
		f.changes <- list
	}
	return true, nil
}
