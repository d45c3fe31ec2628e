package store

import (
	"cmp"
	"context"
	"encoding/binary"
	"slices"

	"github.com/jmoiron/sqlx"

	"energyd/engine"
)

// tally collects contributions and adds them to the ledger. Contributions
// first sum up by entity in a small map; then they are packed into spill,
// which goes into the ledger, sorted, when it is large and at the end.
type tally struct {
	ctx        context.Context
	tx         *sqlx.Tx
	scorer     Scorer
	asOf       engine.Date
	generation uint64
	changed    int // entries

	index map[engine.Entity]int
	sums  []sum
	cells int // in sums
	spill []byte
	spots []spot
}

type sum struct {
	entity engine.Entity
	cells  []engine.Cell
}

// spot is where an entity's cells are in spill: uvarint length of id, id, kind, uvarint length of cells, cells.
type spot struct {
	hash uint64
	at   int
}

const (
	tallyCells = 1 << 16
	spillBytes = 32 << 20
)

func newTally(ctx context.Context, tx *sqlx.Tx, sc Scorer, asOf engine.Date, generation uint64) *tally {
	return &tally{ctx: ctx, tx: tx, scorer: sc, asOf: asOf, generation: generation, index: map[engine.Entity]int{}}
}

// add adds sign times what the activities of one account give.
func (t *tally) add(sc Scorer, acts []engine.Activity, sign int64) error {
	if len(acts) == 0 {
		return nil
	}
	var err error
	last := -1
	sc.Contributions(acts, func(_ int, c engine.Contribution) {
		if c.Class >= engine.NumClasses {
			err = errClass(c)
			return
		}
		i := last
		if i < 0 || t.sums[i].entity != c.Entity {
			var ok bool
			if i, ok = t.index[c.Entity]; !ok {
				i = len(t.sums)
				t.index[c.Entity] = i
				if i < cap(t.sums) {
					t.sums = t.sums[:i+1]
				} else {
					t.sums = append(t.sums, sum{})
				}
				t.sums[i].entity, t.sums[i].cells = c.Entity, t.sums[i].cells[:0]
			}
			last = i
		}
		c.Milli *= sign
		t.sums[i].cells = append(t.sums[i].cells, c.Cell)
		t.cells++
	})
	if err != nil || t.cells < tallyCells {
		return err
	}
	t.pack()
	if len(t.spill) < spillBytes {
		return nil
	}
	return t.flush()
}

// pack empties the sums into spill.
func (t *tally) pack() {
	var cells []byte
	for i := range t.sums {
		s := &t.sums[i]
		cells = appendCells(cells[:0], engine.SortCells(s.cells))
		if len(cells) > 0 {
			t.spots = append(t.spots, spot{ledgerHash(s.entity), len(t.spill)})
			t.spill = binary.AppendUvarint(t.spill, uint64(len(s.entity.ID)))
			t.spill = append(t.spill, s.entity.ID...)
			t.spill = append(t.spill, byte(s.entity.Kind))
			t.spill = binary.AppendUvarint(t.spill, uint64(len(cells)))
			t.spill = append(t.spill, cells...)
		}
		s.entity = engine.Entity{}
	}
	clear(t.index)
	t.sums, t.cells = t.sums[:0], 0
}

// flush adds all that was collected to the ledger.
func (t *tally) flush() error {
	t.pack()
	slices.SortFunc(t.spots, func(a, b spot) int { return cmp.Compare(a.hash, b.hash) })
	err := ledgerTable.merge(t.ctx, t.tx, (*spilled)(t), t.merge)
	t.spill, t.spots = t.spill[:0], t.spots[:0]
	return err
}

// spilled is a tally's spill as incoming entries.
type spilled tally

func (t *spilled) peek() (*entry, bool) {
	if len(t.spots) == 0 {
		return nil, false
	}
	r := reader{b: t.spill, i: t.spots[0].at}
	e := &entry{hash: t.spots[0].hash, due: engine.NoDate}
	e.id = r.text()
	e.kind = engine.EntityKind(r.byte())
	e.cells = r.bytes()
	return e, true
}

func (t *spilled) next() error {
	t.spots = t.spots[1:]
	return nil
}

// merge adds incoming cells to the entries of a row.
func (t *tally) merge(old, in []*entry) ([]*entry, bool, error) {
	slices.SortStableFunc(in, compareEntries)
	out := make([]*entry, 0, len(old)+len(in))
	changed := false
	var had, came []engine.Cell
	for same := range runs(in, compareEntries) {
		var err error
		came = came[:0]
		for _, e := range same {
			if came, err = decodeCells(came, e.cells); err != nil {
				return nil, false, err
			}
		}
		if len(same) > 1 {
			came = engine.SortCells(came)
		}
		for len(old) > 0 && compareEntries(old[0], same[0]) < 0 {
			out, old = append(out, old[0]), old[1:]
		}
		e := same[0]
		had = had[:0]
		stood := len(old) > 0 && compareEntries(old[0], e) == 0
		if stood {
			if had, err = decodeCells(had, old[0].cells); err != nil {
				return nil, false, err
			}
			e, old = old[0], old[1:]
		}
		if len(came) == 0 {
			if stood {
				out = append(out, e)
			}
			continue
		}
		cells := came
		if len(had) > 0 {
			cells = engine.MergeCells(had, came)
		}
		e.cells = appendCells(make([]byte, 0, 5*len(cells)), cells)
		e.due, e.dirty = t.scorer.Due(e.kind, cells, t.asOf), t.generation
		out = append(out, e)
		changed = true
		t.changed++
	}
	return append(out, old...), changed, nil
}
