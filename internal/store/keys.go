package store

import (
	"cmp"
	"encoding/binary"
)

// keyItem says that an activity with this key hash is kept in this cluster.
// Two activities may share a key hash, so a key may have several clusters;
// the activities themselves decide.
type keyItem struct{ key, cluster uint64 }

func compareKeyItems(a, b keyItem) int {
	if c := cmp.Compare(a.key, b.key); c != 0 {
		return c
	}
	return cmp.Compare(a.cluster, b.cluster)
}

// A key block holds keyItems sorted by both: 16 bytes each, little endian.
const (
	keyVersion = 1
	keySize    = 16
)

var keyTable = table[keyItem]{
	name: "key_block", limit: 7 << 10,
	hash:   func(k keyItem) uint64 { return k.key },
	weight: func(keyItem) int { return keySize },
	decode: func(data []byte) ([]keyItem, error) {
		body, err := unseal(keyVersion, data)
		if err != nil {
			return nil, err
		}
		if len(body)%keySize != 0 {
			return nil, errCorrupt
		}
		items := make([]keyItem, len(body)/keySize)
		for i := range items {
			items[i] = keyAt(body[i*keySize:])
		}
		return items, nil
	},
	encode: func(items []keyItem) ([]byte, []any) {
		b := make([]byte, sealSpace, sealSpace+keySize*len(items))
		for _, k := range items {
			b = appendKey(b, k)
		}
		return seal(keyVersion, b), nil
	},
}

func appendKey(b []byte, k keyItem) []byte {
	b = binary.LittleEndian.AppendUint64(b, k.key)
	return binary.LittleEndian.AppendUint64(b, k.cluster)
}

func keyAt(b []byte) keyItem {
	return keyItem{binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])}
}
