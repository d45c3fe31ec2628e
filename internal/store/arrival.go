package store

import (
	"cmp"
	"encoding/binary"
	"slices"
	"sync"

	"energyd/engine"
)

// A batch arrives in rows of the table arrival, each of which holds a run of
// its activities, sorted like the activity blocks: a large batch is cut at
// bounds that are the same for all, so that what falls into one range of the
// activity blocks can be taken from all batches, and merged without the rest
// (decisions/0080).
//
// The data of a row is a sequence of activity blocks, each after its length as a uvarint.
const (
	arrivalBlock = 128 // activities in a block: a fold unpacks one of each row at a time
	arrivalParts = 16  // into which the clusters are cut
	wholeArrival = 512 // activities of a batch that is not worth cutting
	partShift    = 60
)

// partOf is the part of the clusters that one falls into.
func partOf(cluster uint64) int { return int(cluster >> partShift) }

// packed is a row of the table arrival.
type packed struct {
	part, last int // of its first and of its last activity
	activities int
	keys       []byte // 16 bytes each: see appendKeys
	data       []byte
}

// packArrival packs a batch's activities for the table arrival. Times are kept to the microsecond.
func packArrival(list []engine.Activity) []packed {
	sorted := make([]act, len(list))
	for i := range list {
		sorted[i] = act{Activity: &list[i], cluster: clusterOf(&list[i])}
	}
	sorted = sortByHash(sorted, func(a act) uint64 { return a.cluster }, compareActs)
	if len(sorted) == 0 {
		return nil
	}
	if len(sorted) <= wholeArrival {
		return []packed{pack(&encoder{}, sorted)}
	}
	var cuts [][]act
	for same := range runs(sorted, func(a, b act) int { return cmp.Compare(partOf(a.cluster), partOf(b.cluster)) }) {
		cuts = append(cuts, same)
	}
	rows := make([]packed, len(cuts))
	half := func(from, to int) {
		e := &encoder{}
		for i := from; i < to; i++ {
			rows[i] = pack(e, cuts[i])
		}
	}
	var packing sync.WaitGroup
	packing.Go(func() { half(0, len(cuts)/2) })
	half(len(cuts)/2, len(cuts))
	packing.Wait()
	return rows
}

// pack packs sorted activities, at least one.
func pack(e *encoder, sorted []act) packed {
	p := packed{part: partOf(sorted[0].cluster), last: partOf(sorted[len(sorted)-1].cluster), activities: len(sorted), keys: appendKeys(make([]byte, 0, keySize*len(sorted)), sorted)}
	for block := range slices.Chunk(sorted, arrivalBlock) {
		sealed := e.encode(block)
		p.data = binary.AppendUvarint(p.data, uint64(len(sealed)))
		p.data = append(p.data, sealed...)
	}
	return p
}

// appendKeys writes where activities are kept by their keys, as key blocks hold it; in any order.
func appendKeys(b []byte, acts []act) []byte {
	for _, a := range acts {
		b = appendKey(b, keyItem{keyHash(a.Source, a.ID), a.cluster})
	}
	return b
}

// cutBlock takes the first block off an arrival's data.
func cutBlock(data []byte) (block, rest []byte, err error) {
	n, size := binary.Uvarint(data)
	if size <= 0 || n > uint64(len(data)-size) {
		return nil, nil, errCorrupt
	}
	return data[size : size+int(n)], data[size+int(n):], nil
}

// activityTable is activity_block. Its encoder keeps buffers: one for each transaction.
func activityTable() *table[act] {
	e := &encoder{}
	return &table[act]{
		name: "activity_block", limit: 8 << 10,
		hash:   func(a act) uint64 { return a.cluster },
		weight: func(a act) int { return len(a.ID) + 24 },
		decode: func(data []byte) ([]act, error) { return new(decoder).decode(data) },
		encode: func(items []act) ([]byte, []any) { return e.encode(items), nil },
	}
}

// confluence merges arrivals, and the activities that were settled, into one
// stream sorted by cluster. It reads an arrival only when its part begins.
type confluence struct {
	fold    *fold
	waiting []int // arrivals that are not yet read, by part
	heap    []*stream
}

// stream is one arrival on its way.
type stream struct {
	rest    []byte // blocks not yet read
	acts    []act
	arrival int32
}

func (s *stream) head() act { return s.acts[0] }

// step drops the head; false at the end.
func (s *stream) step() (bool, error) {
	s.acts = s.acts[1:]
	return s.fill()
}

func (s *stream) fill() (bool, error) {
	for len(s.acts) == 0 {
		if len(s.rest) == 0 {
			return false, nil
		}
		block, rest, err := cutBlock(s.rest)
		if err != nil {
			return false, err
		}
		s.rest = rest
		if s.acts, err = new(decoder).decode(block); err != nil {
			return false, err
		}
		for i := range s.acts {
			s.acts[i].arrival = s.arrival
		}
	}
	return true, nil
}

// newConfluence merges the fold's arrivals, which are sorted by part.
func newConfluence(f *fold, injected []act) (*confluence, error) {
	c := &confluence{fold: f}
	for i := range f.from {
		c.waiting = append(c.waiting, i)
	}
	if len(injected) > 0 {
		c.push(&stream{acts: injected})
	}
	return c, c.read()
}

// read begins with the arrivals of which something may come before what is at hand.
func (c *confluence) read() error {
	for len(c.waiting) > 0 {
		a := &c.fold.from[c.waiting[0]]
		if len(c.heap) > 0 && a.Part > partOf(c.heap[0].head().cluster) {
			return nil
		}
		data, err := c.fold.data(a)
		if err != nil {
			return err
		}
		s := &stream{rest: data, arrival: int32(c.waiting[0])}
		c.waiting = c.waiting[1:]
		if more, err := s.fill(); err != nil {
			return err
		} else if more {
			c.push(s)
		}
	}
	return nil
}

func (c *confluence) peek() (act, bool) {
	if len(c.heap) == 0 {
		return act{}, false
	}
	return c.heap[0].head(), true
}

func (c *confluence) next() error {
	more, err := c.heap[0].step()
	if err != nil {
		return err
	}
	if !more {
		last := len(c.heap) - 1
		c.heap[0] = c.heap[last]
		c.heap[last] = nil
		c.heap = c.heap[:last]
	}
	c.sink()
	return c.read()
}

// push brings a stream to its place.
func (c *confluence) push(s *stream) {
	c.heap = append(c.heap, s)
	for i := len(c.heap) - 1; i > 0; {
		parent := (i - 1) / 2
		if c.heap[parent].head().cluster <= c.heap[i].head().cluster {
			return
		}
		c.heap[i], c.heap[parent] = c.heap[parent], c.heap[i]
		i = parent
	}
}

// sink lets a new head sink to its place.
func (c *confluence) sink() {
	for i := 0; ; {
		child := 2*i + 1
		if child >= len(c.heap) {
			return
		}
		if right := child + 1; right < len(c.heap) && c.heap[right].head().cluster < c.heap[child].head().cluster {
			child = right
		}
		if c.heap[i].head().cluster <= c.heap[child].head().cluster {
			return
		}
		c.heap[i], c.heap[child] = c.heap[child], c.heap[i]
		i = child
	}
}
