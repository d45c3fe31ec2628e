package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"

	"github.com/jmoiron/sqlx"
)

// errCorrupt is what a damaged or foreign block gives.
var errCorrupt = errors.New("a packed block is damaged")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// sealSpace is the frame that seal puts before a body: version, CRC-32C of the body.
const sealSpace = 5

// seal fills the frame that b begins with, and gives a copy of b.
func seal(version byte, b []byte) []byte {
	out := append(make([]byte, 0, len(b)), b...)
	out[0] = version
	binary.LittleEndian.PutUint32(out[1:], crc32.Checksum(out[sealSpace:], castagnoli))
	return out
}

// unseal gives the body of a sealed block.
func unseal(version byte, sealed []byte) ([]byte, error) {
	if len(sealed) < sealSpace || crc32.Checksum(sealed[sealSpace:], castagnoli) != binary.LittleEndian.Uint32(sealed[1:]) {
		return nil, errCorrupt
	}
	if sealed[0] != version {
		return nil, fmt.Errorf("a packed block has version %d; this energyd reads version %d", sealed[0], version)
	}
	return sealed[sealSpace:], nil
}

// reader reads a block's body. After bad input it only gives zeros, and bad is set.
type reader struct {
	b   []byte
	i   int
	bad bool
}

func (r *reader) uvarint() uint64 {
	if r.i < len(r.b) && r.b[r.i] < 0x80 {
		r.i++
		return uint64(r.b[r.i-1])
	}
	v, n := binary.Uvarint(r.b[r.i:])
	if n <= 0 {
		r.bad, r.i = true, len(r.b)
		return 0
	}
	r.i += n
	return v
}

func (r *reader) varint() int64 {
	v := r.uvarint()
	return int64(v>>1) ^ -int64(v&1)
}

func (r *reader) byte() byte {
	if r.i >= len(r.b) {
		r.bad = true
		return 0
	}
	r.i++
	return r.b[r.i-1]
}

// length reads a length that is at most limit.
func (r *reader) length(limit int) int {
	v := r.uvarint()
	if v > uint64(limit) {
		r.bad, r.i = true, len(r.b)
		return 0
	}
	return int(v)
}

// count reads how many items follow, each of at least size bytes: so no
// damaged count makes anybody allocate more than the block could hold.
func (r *reader) count(size int) int { return r.length((len(r.b)-r.i)/size + 1) }

// bytes reads a length and that many bytes, which are not copied.
func (r *reader) bytes() []byte {
	n := r.length(len(r.b) - r.i)
	if r.i+n > len(r.b) {
		return nil
	}
	r.i += n
	return r.b[r.i-n : r.i : r.i]
}

func (r *reader) text() string { return string(r.bytes()) }

// pick reads the number of a string.
func (r *reader) pick(table []string) string {
	n := r.uvarint()
	if n >= uint64(len(table)) {
		r.bad = true
		return ""
	}
	return table[n]
}

// table is one clustered table: rows (first, data, …), each holding the items
// whose hash is in [first, first of the next row), sorted. The first row begins
// at hash 0, so that every hash has its row once there is any.
type table[T any] struct {
	name   string
	extra  string // further columns, as ", dirty, due"
	limit  int    // weight above which a row is split
	hash   func(T) uint64
	weight func(T) int // about how many bytes the item takes
	decode func(data []byte) ([]T, error)
	encode func(items []T) (data []byte, extra []any)
}

// signed maps a hash to the integer that the database sorts the same way.
func signed(h uint64) int64 { return int64(h ^ 1<<63) }

// firsts lists the beginnings of all rows, in order.
func (t *table[T]) firsts(ctx context.Context, q sqlx.QueryerContext) ([]int64, error) {
	var firsts []int64
	err := sqlx.SelectContext(ctx, q, &firsts, "SELECT first FROM "+t.name+" ORDER BY first")
	return firsts, err
}

// rowOf gives the first of the row that hash falls into.
func (t *table[T]) rowOf(ctx context.Context, q sqlx.ExtContext, hash uint64) (int64, error) {
	first := sql.NullInt64{}
	err := sqlx.GetContext(ctx, q, &first, q.Rebind("SELECT MAX(first) FROM "+t.name+" WHERE first <= ?"), signed(hash))
	return first.Int64, err
}

// find gives the items of the row that hash falls into.
func (t *table[T]) find(ctx context.Context, q sqlx.ExtContext, hash uint64) ([]T, error) {
	var rows [][]byte
	err := sqlx.SelectContext(ctx, q, &rows,
		q.Rebind("SELECT data FROM "+t.name+" WHERE first <= ? ORDER BY first DESC LIMIT 1"), signed(hash))
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	return t.decode(rows[0])
}

// incoming are items sorted by hash, taken one by one.
type incoming[T any] interface {
	peek() (item T, ok bool)
	next() error
}

// queue is a sorted slice as incoming.
type queue[T any] struct{ items []T }

func (q *queue[T]) peek() (item T, ok bool) {
	if len(q.items) == 0 {
		return item, false
	}
	return q.items[0], true
}

func (q *queue[T]) next() error {
	q.items = q.items[1:]
	return nil
}

// chunk is how many incoming items are merged at once, so that filling an empty table needs little memory.
const chunk = 2048

// merge brings sorted incoming items into the table. Each row that they fall
// into is read, change makes new items of its old and the incoming ones (all of
// a hash come together), and the row is written, split when it is too large.
// change returns false when nothing changed; then nothing is written.
func (t *table[T]) merge(ctx context.Context, tx *sqlx.Tx, in incoming[T], change func(old, in []T) ([]T, bool, error)) error {
	item, ok := in.peek()
	if !ok {
		return nil
	}
	// The row after it is known before anybody splits the one at hand, and no other row is looked at: a night that
	// touches a few rows costs the same in a table of any size (decisions/0118).
	read, err := tx.PrepareContext(ctx, tx.Rebind("SELECT first, data, (SELECT MIN(after.first) FROM "+t.name+" after WHERE after.first > at.first) FROM "+
		t.name+" at WHERE first <= ? ORDER BY first DESC LIMIT 1"))
	if err != nil {
		return err
	}
	defer read.Close()
	w, err := t.writer(ctx, tx)
	if err != nil {
		return err
	}
	defer w.close()
	for ok {
		var (
			first int64
			data  []byte
			after sql.NullInt64
			old   []T
		)
		switch err := read.QueryRowContext(ctx, signed(t.hash(item))).Scan(&first, &data, &after); {
		case errors.Is(err, sql.ErrNoRows): // the first items of all
			first = math.MinInt64
		case err != nil:
			return err
		default:
			if old, err = t.decode(data); err != nil {
				return fmt.Errorf("%s %d: %w", t.name, first, err)
			}
		}
		holds := func(item T) bool { return !after.Valid || signed(t.hash(item)) < after.Int64 }
		p := packer[T]{t: t, w: w, first: first}
		changed := false
		for ok && holds(item) {
			batch := make([]T, 0, 64)
			for ok && holds(item) && (len(batch) < chunk || t.hash(item) == t.hash(batch[len(batch)-1])) {
				batch = append(batch, item)
				if err := in.next(); err != nil {
					return err
				}
				item, ok = in.peek()
			}
			n := 0
			for last := t.hash(batch[len(batch)-1]); n < len(old) && t.hash(old[n]) <= last; {
				n++
			}
			out, did, err := change(old[:n:n], batch)
			if err != nil {
				return err
			}
			old, changed = old[n:], changed || did
			if err := p.add(out); err != nil {
				return err
			}
		}
		if !changed && p.first == first {
			continue // nothing new, and nothing written on the way
		}
		if err := p.end(old); err != nil {
			return err
		}
	}
	return w.drain()
}

// packer cuts a row's new items into rows of a good size.
type packer[T any] struct {
	t     *table[T]
	w     *rowWriter[T]
	first int64 // of the row that items will make
	items []T
	size  int
}

// add takes further items, and writes rows when there is enough for several.
func (p *packer[T]) add(items []T) error {
	p.items = append(p.items, items...)
	for _, item := range items {
		p.size += p.t.weight(item)
	}
	if p.size > 4*p.t.limit {
		return p.cut(2 * p.t.limit)
	}
	return nil
}

// end takes the last items and writes what is left.
func (p *packer[T]) end(items []T) error {
	if err := p.add(items); err != nil {
		return err
	}
	if p.size > p.t.limit {
		if err := p.cut(p.t.limit * 3 / 4); err != nil {
			return err
		}
	}
	return p.w.write(p.first, p.items)
}

// cut writes rows of about 3/4 of the limit until at most keep is left.
func (p *packer[T]) cut(keep int) error {
	n, size := 0, 0
	for n < len(p.items) && p.size > keep {
		size += p.t.weight(p.items[n])
		n++
		full := size >= p.t.limit*3/4 && n < len(p.items) && p.t.hash(p.items[n]) != p.t.hash(p.items[n-1])
		if !full {
			continue
		}
		if err := p.w.write(p.first, p.items[:n]); err != nil {
			return err
		}
		p.first = signed(p.t.hash(p.items[n]))
		p.items, p.size = p.items[n:], p.size-size
		n, size = 0, 0
	}
	return nil
}

// rowWriter writes rows of a table in a transaction. Rows are packed in
// another goroutine, some behind the caller; drain waits for them. The items
// of a row are not changed after write.
type rowWriter[T any] struct {
	ctx     context.Context
	stmt    *sqlx.Stmt
	items   chan unpacked[T]
	rows    chan []any // arguments of stmt; has room for all that wait
	waiting int
}

type unpacked[T any] struct {
	first int64
	items []T
}

const rowsAhead = 8

func (t *table[T]) writer(ctx context.Context, tx *sqlx.Tx) (*rowWriter[T], error) {
	marks, sets := "", ""
	for _, column := range columns(t.extra) {
		marks += ", ?"
		sets += ", " + column + " = excluded." + column
	}
	stmt, err := tx.PreparexContext(ctx, tx.Rebind("INSERT INTO "+t.name+" (first, data"+t.extra+") VALUES (?, ?"+marks+
		") ON CONFLICT (first) DO UPDATE SET data = excluded.data"+sets))
	if err != nil {
		return nil, err
	}
	w := &rowWriter[T]{ctx: ctx, stmt: stmt, items: make(chan unpacked[T], rowsAhead), rows: make(chan []any, rowsAhead)}
	go func() {
		for u := range w.items {
			data, extra := t.encode(u.items)
			w.rows <- append([]any{u.first, data}, extra...)
		}
	}()
	return w, nil
}

func (w *rowWriter[T]) write(first int64, items []T) error {
	if w.waiting == rowsAhead {
		if err := w.one(); err != nil {
			return err
		}
	}
	w.waiting++
	w.items <- unpacked[T]{first, items}
	return nil
}

// one executes the row that waits longest.
func (w *rowWriter[T]) one() error {
	w.waiting--
	_, err := w.stmt.ExecContext(w.ctx, <-w.rows...)
	return err
}

// drain executes all rows that wait.
func (w *rowWriter[T]) drain() error {
	for w.waiting > 0 {
		if err := w.one(); err != nil {
			return err
		}
	}
	return nil
}

func (w *rowWriter[T]) close() {
	close(w.items)
	_ = w.stmt.Close()
}
