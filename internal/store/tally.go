package store

import (
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/jmoiron/sqlx"

	"energyd/engine"
	"energyd/internal/fault"
)

// tally collects contributions and adds them to the ledger. Contributions
// first sum up by entity in a small map; then they are packed into spill,
// which goes into the ledger, sorted, when it is flushed.
type tally struct {
	ctx         context.Context
	tx          *sqlx.Tx
	scorer      Scorer
	independent bool // activities are scored one by one
	asOf        engine.Date
	generation  uint64
	changed     int // entries

	index map[engine.Entity]int
	sums  []sum
	last  [engine.CompanyGroup + 1]int // of each kind, the entity that was last added to
	cells int                          // in sums
	spill [][]byte                     // chunks of about a megabyte: one long slice would be copied as it grows
	spots []spot

	acts    []engine.Activity // of the account at hand
	was, is []part
}

type sum struct {
	entity engine.Entity
	cells  []engine.Cell
}

// spot is where an entity's cells are in spill: uvarint length of id, id, kind, uvarint length of cells, cells.
type spot struct {
	hash      uint64
	chunk, at int32
}

const (
	tallyCells = 1 << 16 // in the map, before they are packed
	keptCells  = 64      // room that an entity's place in the map keeps for the next
	spillChunk = 1 << 20

	keptActivities = 4096 // room that is kept for the next account
)

func newTally(ctx context.Context, tx *sqlx.Tx, sc Scorer, asOf engine.Date, generation uint64) *tally {
	alone, ok := sc.(interface{ Independent() bool })
	return &tally{ctx: ctx, tx: tx, scorer: sc, independent: ok && alone.Independent(), asOf: asOf, generation: generation, index: map[engine.Entity]int{}}
}

// add adds what a change of one account's activities changes. Most of them are
// the same before and after, and give the same, so only what differs is added.
func (t *tally) add(c change) error {
	if len(c.was) == 0 {
		return t.addNew(c)
	}
	if t.independent {
		switch linked, several := c.bonds(); {
		case linked || len(c.is) == 0:
		case several:
			c = c.around(c.differing())
		default:
			c = c.differing()
		}
	}
	was, err := t.score(&t.was, c.was)
	if err != nil {
		return err
	}
	is, err := t.score(&t.is, c.is)
	if err != nil {
		return err
	}
	for i, j := 0, 0; i < len(c.was) || j < len(c.is); {
		order := 0
		switch {
		case i == len(c.was):
			order = 1
		case j == len(c.is):
			order = -1
		case c.was[i].Activity != c.is[j].Activity:
			order = compareActs(c.was[i], c.is[j])
		}
		var gone, come []part
		if order <= 0 {
			gone, was = partsOf(was, i)
			i++
		}
		if order >= 0 {
			come, is = partsOf(is, j)
			j++
		}
		if slices.EqualFunc(gone, come, func(x, y part) bool { return x.c == y.c }) {
			continue
		}
		for _, p := range gone {
			p.c.Cell = p.c.Minus()
			t.put(p.c)
		}
		for _, p := range come {
			t.put(p.c)
		}
	}
	t.added()
	return nil
}

// addNew adds what an account gives that had nothing.
func (t *tally) addNew(c change) error {
	acts := c.packed
	if acts == nil {
		acts = t.copied(c.is)
	}
	var err error
	t.scorer.Contributions(acts, func(_ int, c engine.Contribution) {
		err = cmp.Or(err, unsound(c))
		t.put(c)
	})
	t.added()
	return err
}

// added makes room after each account.
func (t *tally) added() {
	if t.cells >= tallyCells {
		t.pack()
	}
	if cap(t.acts) > keptActivities { // a large account's room is not kept for the others
		t.acts, t.was, t.is = nil, nil, nil
	}
}

// part is what activity i of an account gives.
type part struct {
	i int
	c engine.Contribution
}

// partsOf cuts the parts of activity i off a sorted list.
func partsOf(parts []part, i int) (these, rest []part) {
	n := 0
	for n < len(parts) && parts[n].i == i {
		n++
	}
	return parts[:n], parts[n:]
}

// score gives the parts of all acts of an account by activity, in a buffer that is used again.
func (t *tally) score(buffer *[]part, acts []act) ([]part, error) {
	*buffer = (*buffer)[:0]
	if len(acts) == 0 {
		return nil, nil
	}
	var err error
	t.scorer.Contributions(t.copied(acts), func(i int, c engine.Contribution) {
		err = cmp.Or(err, unsound(c))
		*buffer = append(*buffer, part{i, c})
	})
	byActivity := func(a, b part) int { return cmp.Compare(a.i, b.i) }
	if !slices.IsSortedFunc(*buffer, byActivity) {
		slices.SortStableFunc(*buffer, byActivity)
	}
	return *buffer, err
}

// copied gives activities one after the other, in a buffer that is used again.
func (t *tally) copied(acts []act) []engine.Activity {
	t.acts = t.acts[:0]
	for _, a := range acts {
		t.acts = append(t.acts, *a.Activity)
	}
	return t.acts
}

// unsound refuses what a ledger block cannot hold.
func unsound(c engine.Contribution) error {
	if c.Class < engine.NumClasses && c.Direction < engine.NumDirections {
		return nil
	}
	return fault.New(fault.Internal, "fold", fmt.Sprintf("the score of %s has the rank class %d and the direction %d", c.Entity.ID, c.Class, c.Direction), "report this", nil)
}

func (t *tally) put(c engine.Contribution) {
	// An account's contributions come one after the other: mostly it is as the last time.
	if last := t.last[c.Entity.Kind]; last < len(t.sums) && t.sums[last].entity == c.Entity {
		t.sums[last].cells = append(t.sums[last].cells, c.Cell)
		t.cells++
		return
	}
	i, ok := t.index[c.Entity]
	if !ok {
		i = len(t.sums)
		t.index[c.Entity] = i
		if i < cap(t.sums) {
			t.sums = t.sums[:i+1]
		} else {
			t.sums = append(t.sums, sum{})
		}
		t.sums[i].entity, t.sums[i].cells = c.Entity, t.sums[i].cells[:0]
	}
	t.last[c.Entity.Kind] = i
	t.sums[i].cells = append(t.sums[i].cells, c.Cell)
	t.cells++
}

// pack empties the sums into spill.
func (t *tally) pack() {
	var cells []byte
	for i := range t.sums {
		s := &t.sums[i]
		cells = appendCells(cells[:0], engine.SortCells(s.cells))
		if len(cells) > 0 {
			if n := len(t.spill); n == 0 || len(t.spill[n-1]) > spillChunk {
				t.spill = append(t.spill, make([]byte, 0, spillChunk+spillChunk/8))
			}
			last := &t.spill[len(t.spill)-1]
			t.spots = append(t.spots, spot{ledgerHash(s.entity), int32(len(t.spill) - 1), int32(len(*last))})
			*last = binary.AppendUvarint(*last, uint64(len(s.entity.ID)))
			*last = append(*last, s.entity.ID...)
			*last = append(*last, byte(s.entity.Kind))
			*last = binary.AppendUvarint(*last, uint64(len(cells)))
			*last = append(*last, cells...)
		}
		s.entity = engine.Entity{}
		if cap(s.cells) > keptCells { // else each place would grow as large as the largest entity that ever came by
			s.cells = nil
		}
	}
	clear(t.index)
	t.sums, t.cells = t.sums[:0], 0
}

// spillChunks is how many chunks are in memory at most, before they go elsewhere.
const spillChunks = 24

// drain gives the chunks that were collected, and forgets them.
func (t *tally) drain() [][]byte {
	t.pack()
	chunks := t.spill
	t.spill, t.spots = nil, nil
	return chunks
}

// take adds a chunk that another tally collected.
func (t *tally) take(chunk []byte) error {
	for r := (reader{b: chunk}); r.i < len(chunk); {
		at := r.i
		e := engine.Entity{ID: r.text()}
		e.Kind = engine.EntityKind(r.byte())
		if r.bytes(); r.bad {
			return errCorrupt
		}
		t.spots = append(t.spots, spot{ledgerHash(e), int32(len(t.spill)), int32(at)})
	}
	t.spill = append(t.spill, chunk)
	return nil
}

// flush adds all that was collected to the ledger.
func (t *tally) flush() error {
	t.pack()
	t.spots = sortByHash(t.spots, func(s spot) uint64 { return s.hash }, func(a, b spot) int { return cmp.Compare(a.hash, b.hash) })
	err := ledgerTable.merge(t.ctx, t.tx, (*spilled)(t), t.merge)
	t.spill, t.spots = nil, nil
	return err
}

// spilled is a tally's spill as incoming entries.
type spilled tally

func (t *spilled) peek() (*entry, bool) {
	if len(t.spots) == 0 {
		return nil, false
	}
	r := reader{b: t.spill[t.spots[0].chunk], i: int(t.spots[0].at)}
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
