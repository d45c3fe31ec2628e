package store

import (
	"cmp"
	"context"
	"encoding/binary"
	"iter"
	"math"
	"slices"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/jmoiron/sqlx"

	"energyd/engine"
)

// Entry is one entity of the ledger.
type Entry struct {
	Entity engine.Entity
	Cells  []engine.Cell // sorted, without zeros; empty when all its activities went away
	Due    engine.Date   // when its score next changes without news; NoDate = never
	Dirty  bool          // a plan has to look at it
}

// A ledger block holds the entries of neighbouring hashes, sorted by
// (hash, kind, id). Its body is made of varints: count, then for each entry
//
//	length of id, id, kind, dirty (generation of the change; 0 = clean), due (zigzag),
//	length of cells, cells, each: zigzag (difference of date)<<6 | form<<4 | direction<<2 | class,
//	[group, zigzag contacts], zigzag milli-points
//
// The forms spare group and contacts of nearly all cells: they are of the first
// group, and of one contact or none. Blocks of version 1, whose cells told
// neither group nor direction nor contacts, are still read, so that all can be
// looked at until the next fold builds the ledger anew.
const (
	ledgerVersion    = 2
	ledgerVersionOne = 1
)

// Forms of a cell.
const (
	oneContact = iota
	noContact
	told // group and contacts follow
)

// entry is an Entry whose cells are still packed: most entries of a block pass through unread.
type entry struct {
	hash  uint64
	id    string
	kind  engine.EntityKind
	dirty uint64 // generation of the last change that no plan has seen; 0 = none
	due   engine.Date
	cells []byte
}

// The ledger's hash has the kind in its top two bits, so that a kind is a range
// of blocks. Groups, which are few, lie among the accounts whose ids they have, under hashes of their own.
const kindShift = 62

func ledgerHash(e engine.Entity) uint64 {
	if e.Kind == engine.CompanyGroup {
		return xxhash.Sum64String("group "+e.ID) >> 2
	}
	return uint64(e.Kind)<<kindShift | xxhash.Sum64String(e.ID)>>2
}

func compareEntries(a, b *entry) int {
	switch {
	case a.hash < b.hash:
		return -1
	case a.hash > b.hash:
		return 1
	}
	return cmp.Or(cmp.Compare(a.kind, b.kind), strings.Compare(a.id, b.id))
}

func (e *entry) entity() engine.Entity { return engine.Entity{Kind: e.kind, ID: e.id} }

var ledgerTable = table[*entry]{
	name: "ledger_block", extra: ", dirty, due", limit: 6 << 10,
	hash:   func(e *entry) uint64 { return e.hash },
	weight: func(e *entry) int { return len(e.id) + len(e.cells) + 8 },
	decode: decodeLedger,
	encode: encodeLedger,
}

// never is NoDate in the column due.
const never = math.MaxInt32

func encodeLedger(entries []*entry) ([]byte, []any) {
	b := make([]byte, sealSpace, 8<<10)
	b = binary.AppendUvarint(b, uint64(len(entries)))
	dirty, due := 0, int64(never)
	for _, e := range entries {
		b = binary.AppendUvarint(b, uint64(len(e.id)))
		b = append(b, e.id...)
		if e.dirty > 0 {
			dirty++
		}
		if e.due != engine.NoDate {
			due = min(due, int64(e.due))
		}
		b = append(b, byte(e.kind))
		b = binary.AppendUvarint(b, e.dirty)
		b = binary.AppendVarint(b, int64(e.due))
		b = binary.AppendUvarint(b, uint64(len(e.cells)))
		b = append(b, e.cells...)
	}
	return seal(ledgerVersion, b), []any{dirty, due}
}

func decodeLedger(sealed []byte) ([]*entry, error) {
	version := byte(ledgerVersion)
	if len(sealed) > 0 && sealed[0] == ledgerVersionOne {
		version = ledgerVersionOne
	}
	body, err := unseal(version, sealed)
	if err != nil {
		return nil, err
	}
	r := reader{b: body}
	items := make([]entry, r.count(5))
	entries := make([]*entry, len(items))
	for i := range items {
		e := &items[i]
		e.id = r.text()
		e.kind, e.dirty = engine.EntityKind(r.byte()), r.uvarint()
		e.due = engine.Date(r.varint())
		e.cells = r.bytes()
		if version == ledgerVersionOne {
			if e.cells, err = fromVersionOne(e.cells); err != nil {
				return nil, err
			}
		}
		e.hash = ledgerHash(e.entity())
		entries[i] = e
	}
	if r.bad || r.i != len(body) {
		return nil, errCorrupt
	}
	return entries, nil
}

func appendCells(b []byte, cells []engine.Cell) []byte {
	date := engine.Date(0)
	for _, c := range cells {
		form := told
		switch {
		case c.Group == 0 && c.Count == 1:
			form = oneContact
		case c.Group == 0 && c.Count == 0:
			form = noContact
		}
		b = binary.AppendVarint(b, (int64(c.Date)-int64(date))<<6|int64(form)<<4|int64(c.Direction)<<2|int64(c.Class))
		if form == told {
			b = append(b, byte(c.Group))
			b = binary.AppendVarint(b, int64(c.Count))
		}
		b = binary.AppendVarint(b, c.Milli)
		date = c.Date
	}
	return b
}

// decodeCells appends the cells of b to cells.
func decodeCells(cells []engine.Cell, b []byte) ([]engine.Cell, error) {
	r := reader{b: b}
	date := int64(0)
	for r.i < len(b) {
		v := r.varint()
		date += v >> 6
		c := engine.Cell{Date: engine.Date(date), Class: engine.Class(v & 3), Direction: engine.Direction(v >> 2 & 3)}
		switch v >> 4 & 3 {
		case oneContact:
			c.Count = 1
		case told:
			c.Group, c.Count = engine.Group(r.byte()), int32(r.varint())
		}
		c.Milli = r.varint()
		if c.Direction >= engine.NumDirections {
			r.bad = true
		}
		cells = append(cells, c)
	}
	if r.bad {
		return nil, errCorrupt
	}
	return cells, nil
}

// fromVersionOne packs the cells of an older ledger anew.
func fromVersionOne(b []byte) ([]byte, error) {
	var cells []engine.Cell
	r := reader{b: b}
	date := int64(0)
	for r.i < len(b) {
		v := r.varint()
		date += v >> 2
		cells = append(cells, engine.Cell{Date: engine.Date(date), Class: engine.Class(v & 3), Milli: r.varint()})
	}
	if r.bad {
		return nil, errCorrupt
	}
	return appendCells(nil, cells), nil
}

func (e *entry) open() (Entry, error) {
	cells, err := decodeCells(nil, e.cells)
	return Entry{Entity: e.entity(), Cells: cells, Due: e.due, Dirty: e.dirty > 0}, err
}

// Ledger gives the entries of a kind, in no order of use. The entries are those of one
// moment as far as each block goes; a fold meanwhile may show in later ones.
func (s *Store) Ledger(ctx context.Context, kind engine.EntityKind) iter.Seq2[Entry, error] {
	return s.ledger(ctx, kind, "dirty >= 0", func(*entry) bool { return true })
}

// Changed gives those entries that a plan has to look at, and that changed after a
// generation; 0 = ever.
func (s *Store) Changed(ctx context.Context, kind engine.EntityKind, after int64) iter.Seq2[Entry, error] {
	return s.ledger(ctx, kind, "dirty > 0", func(e *entry) bool { return e.dirty > uint64(after) })
}

// ledger gives the entries of a kind that are wanted, out of blocks where a condition holds.
func (s *Store) ledger(ctx context.Context, kind engine.EntityKind, where string, wanted func(*entry) bool) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		// The kind's first entries may lie in the row that begins in the kind before.
		low := uint64(kind) << kindShift // of groups the shift leaves that of accounts
		from, err := ledgerTable.rowOf(ctx, s.read, low)
		if err != nil {
			yield(Entry{}, storeError("read the ledger", err))
			return
		}
		for data, err := range scan(ctx, s.read, ledgerTable.name, where, from, signed(low|(1<<kindShift-1))) {
			var entries []*entry
			if err == nil {
				entries, err = decodeLedger(data)
			}
			if err != nil {
				yield(Entry{}, storeError("read the ledger", err))
				return
			}
			for _, e := range entries {
				if e.kind != kind || !wanted(e) {
					continue
				}
				if entry, err := e.open(); !yield(entry, err) || err != nil {
					return
				}
			}
		}
	}
}

// LedgerEntry gives one entity's entry; false when no activity ever touched it.
func (s *Store) LedgerEntry(ctx context.Context, e engine.Entity) (Entry, bool, error) {
	hash := ledgerHash(e)
	entries, err := ledgerTable.find(ctx, s.read, hash)
	if err != nil {
		return Entry{}, false, storeError("read the ledger", err)
	}
	for _, x := range entries {
		if x.kind == e.Kind && x.id == e.ID {
			entry, err := x.open()
			return entry, err == nil, storeError("read the ledger", err)
		}
	}
	return Entry{}, false, nil
}

// Generation numbers the states of the ledger: each fold, rebuild and marking that changes it adds one.
func (s *Store) Generation(ctx context.Context) (int64, error) {
	generation, err := number(ctx, s.read, "generation")
	return generation, storeError("read the ledger", err)
}

// Settle marks entries as looked at, unless they changed again after
// generation seen. Entries that are left without cells are forgotten.
func (s *Store) Settle(ctx context.Context, seen int64, entities []engine.Entity) error {
	return s.ledgerTx(ctx, "settle the ledger", func(tx *sqlx.Tx) error { return settle(ctx, tx, seen, entities) })
}

// settle is Settle inside a transaction that holds lockLedger.
func settle(ctx context.Context, tx *sqlx.Tx, seen int64, entities []engine.Entity) error {
	settled := make([]*entry, len(entities))
	for i, e := range entities {
		settled[i] = &entry{hash: ledgerHash(e), kind: e.Kind, id: e.ID}
	}
	slices.SortFunc(settled, compareEntries)
	return ledgerTable.merge(ctx, tx, &queue[*entry]{settled}, func(old, in []*entry) ([]*entry, bool, error) {
		changed, kept := false, old[:0]
		for _, e := range old {
			if _, found := slices.BinarySearchFunc(in, e, compareEntries); found && e.dirty > 0 && e.dirty <= uint64(seen) {
				e.dirty, changed = 0, true
				if len(e.cells) == 0 {
					continue
				}
			}
			kept = append(kept, e)
		}
		return kept, changed, nil
	})
}

// MarkDue makes the entries dirty whose score changes by asOf without news,
// and gives them their next due date. It returns how many there were.
func (s *Store) MarkDue(ctx context.Context, sc Scorer, asOf engine.Date) (int, error) {
	marked := 0
	err := s.ledgerTx(ctx, "mark due scores", func(tx *sqlx.Tx) error {
		marked = 0
		var firsts []int64
		err := tx.SelectContext(ctx, &firsts, tx.Rebind("SELECT first FROM ledger_block WHERE due <= ? ORDER BY first"), asOf)
		if err != nil || len(firsts) == 0 {
			return err
		}
		generation, err := increase(ctx, tx, "generation")
		if err != nil {
			return err
		}
		w, err := ledgerTable.writer(ctx, tx)
		if err != nil {
			return err
		}
		defer w.close()
		for _, first := range firsts {
			var data []byte
			if err := tx.GetContext(ctx, &data, tx.Rebind("SELECT data FROM ledger_block WHERE first = ?"), first); err != nil {
				return err
			}
			entries, err := decodeLedger(data)
			if err != nil {
				return err
			}
			for _, e := range entries {
				if e.due == engine.NoDate || e.due > asOf {
					continue
				}
				cells, err := decodeCells(nil, e.cells)
				if err != nil {
					return err
				}
				e.dirty, e.due = uint64(generation), sc.Due(e.kind, cells, asOf)
				marked++
			}
			if err := w.write(first, entries); err != nil {
				return err
			}
		}
		return w.drain()
	})
	return marked, err
}
