package store

import (
	"cmp"
	"encoding/binary"
	"slices"
	"sync"

	"energyd/engine"
)

// An arrival's data is a row of activity blocks, each after its length as a
// uvarint, whose activities are sorted through all of them. So any number of
// arrivals can be merged without ever holding more than a block of each.
const arrivalBlock = 256 // activities in a block

// packArrival packs activities for the table arrival. Times are kept to the microsecond.
func packArrival(list []engine.Activity) []byte {
	sorted := make([]act, len(list))
	for i := range list {
		sorted[i] = act{Activity: &list[i], cluster: clusterOf(&list[i])}
	}
	sorted = sortByHash(sorted, func(a act) uint64 { return a.cluster }, compareActs)
	half := (len(sorted)/arrivalBlock + 1) / 2 * arrivalBlock
	var first, second []byte
	var packing sync.WaitGroup
	packing.Go(func() { first = packBlocks(sorted[:half]) })
	second = packBlocks(sorted[half:])
	packing.Wait()
	return append(first, second...)
}

func packBlocks(sorted []act) (data []byte) {
	var e encoder
	for block := range slices.Chunk(sorted, arrivalBlock) {
		packed := e.encode(block)
		data = binary.AppendUvarint(data, uint64(len(packed)))
		data = append(data, packed...)
	}
	return data
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

// confluence merges arrivals, and the activities that were settled, into one stream sorted by cluster.
type confluence struct{ heap []*stream }

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

func newConfluence(from []arrival, injected []act) (*confluence, error) {
	c := &confluence{}
	for i, a := range from {
		c.heap = append(c.heap, &stream{rest: a.Data, arrival: int32(i)})
	}
	standing := &stream{acts: injected}
	kept := c.heap[:0]
	for _, s := range append(c.heap, standing) {
		if more, err := s.fill(); err != nil {
			return nil, err
		} else if more {
			kept = append(kept, s)
		}
	}
	c.heap = kept
	slices.SortFunc(c.heap, func(a, b *stream) int { return cmp.Compare(a.head().cluster, b.head().cluster) })
	return c, nil
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
		c.heap = c.heap[:last]
	}
	// Let the new head sink to its place.
	for i := 0; ; {
		child := 2*i + 1
		if child >= len(c.heap) {
			return nil
		}
		if right := child + 1; right < len(c.heap) && c.heap[right].head().cluster < c.heap[child].head().cluster {
			child = right
		}
		if c.heap[i].head().cluster <= c.heap[child].head().cluster {
			return nil
		}
		c.heap[i], c.heap[child] = c.heap[child], c.heap[i]
		i = child
	}
}
