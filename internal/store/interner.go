package store

import (
	"unsafe"

	"github.com/cespare/xxhash/v2"
)

// interner numbers distinct byte strings and keeps them end to end.
type interner struct {
	slots []uint32 // hash table of numbers + 1
	ends  []uint32
	data  []byte
}

func (t *interner) reset() {
	clear(t.slots)
	t.ends, t.data = t.ends[:0], t.data[:0]
}

func (t *interner) entry(i uint32) []byte {
	from := uint32(0)
	if i > 0 {
		from = t.ends[i-1]
	}
	return t.data[from:t.ends[i]]
}

// number gives the number of s, a new one at its first appearance.
func (t *interner) number(s []byte) uint64 {
	if 2*len(t.ends) >= len(t.slots) {
		t.grow()
	}
	mask := uint64(len(t.slots) - 1)
	for h := xxhash.Sum64(s) & mask; ; h = (h + 1) & mask {
		slot := t.slots[h]
		if slot == 0 {
			t.data = append(t.data, s...)
			t.ends = append(t.ends, uint32(len(t.data)))
			t.slots[h] = uint32(len(t.ends))
			return uint64(len(t.ends) - 1)
		}
		if string(t.entry(slot-1)) == string(s) {
			return uint64(slot - 1)
		}
	}
}

func (t *interner) grow() {
	t.slots = make([]uint32, max(256, 2*len(t.slots)))
	mask := uint64(len(t.slots) - 1)
	for i := range t.ends {
		h := xxhash.Sum64(t.entry(uint32(i))) & mask
		for t.slots[h] != 0 {
			h = (h + 1) & mask
		}
		t.slots[h] = uint32(i + 1)
	}
}

// memo remembers the numbers of strings and lists by where they are in memory:
// the activities of a decoded block share theirs. It holds the pointers, so
// that nothing else can come to be there meanwhile.
type memo [256]struct {
	at     unsafe.Pointer
	size   int
	number uint64
}

// number gives the number of what is at that address, and asks make for it when it has none.
func (m *memo) number(at unsafe.Pointer, size int, make func() uint64) uint64 {
	slot := &m[uint64(uintptr(at))>>3*0x9e3779b97f4a7c15>>56]
	if at == nil || slot.at != at || slot.size != size {
		slot.number = make()
		slot.at, slot.size = at, size
	}
	return slot.number
}
