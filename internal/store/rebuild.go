package store

import (
	"cmp"
	"context"
	"iter"

	"github.com/jmoiron/sqlx"

	"energyd/engine"
)

// Rebuild computes the ledger from all folded activities. Every entry becomes dirty.
func (s *Store) Rebuild(ctx context.Context, sc Scorer, asOf engine.Date) error {
	s.folding.Lock()
	defer s.folding.Unlock()
	if err := s.dissolve(ctx); err != nil {
		return err
	}
	return s.ledgerTx(ctx, "rebuild", func(tx *sqlx.Tx) error {
		f, err := s.newFold(ctx, tx, sc, asOf)
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
	by, err := f.scoredBy()
	if err != nil || by == f.scorer.Fingerprint() {
		return false, err
	}
	return by != "", f.rebuild()
}

// scoredBy is the fingerprint of the scorer that made the ledger; "" when none did.
func (f *fold) scoredBy() (string, error) {
	var prints []string
	err := f.tx.SelectContext(f.ctx, &prints, f.tx.Rebind("SELECT value FROM meta WHERE name = ?"), fingerprintName)
	return append(prints, "")[0], err
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
	shared, err := f.offerParts()
	if err == nil && shared {
		err = f.rescoreParts()
	} else if err == nil {
		err = f.rescore(0, arrivalParts-1, f.tally.flush)
	}
	if err == nil {
		err = f.tally.flush()
	}
	if err != nil {
		return err
	}
	return note(f.ctx, f.tx, fingerprintName, f.scorer.Fingerprint())
}

// rescore scores what is stored of some parts; after about each million activities, full is called.
func (f *fold) rescore(first, last int, full func() error) error {
	from, to := signed(uint64(first)<<partShift), signed(uint64(last)<<partShift|(1<<partShift-1))
	next, stop := iter.Pull2(scan(f.ctx, f.tx, "activity_block", "TRUE", from, to))
	defer stop()
	for more := true; more; {
		err := f.scoring(func() (err error) {
			more, err = f.rescoreSome(next)
			return err
		})
		if err == nil && f.scored >= 4096 {
			f.scored = 0
			err = full()
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// rescoreSome scores rows until it is time to make room, and tells whether there are more.
func (f *fold) rescoreSome(next func() ([]byte, error, bool)) (more bool, err error) {
	for ; f.scored < 4096; f.scored++ {
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
