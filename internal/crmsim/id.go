package crmsim

import "strings"

const base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// instance are the characters between key prefix and number in every id of this org.
const instance = "5g0"

// newID gives the n-th 18-character id with a 3-character key prefix. Ids sort
// by bytes in the order they were made.
func newID(prefix string, n uint64) string {
	var number [9]byte
	for i := len(number) - 1; i >= 0; i-- {
		number[i] = base62[n%62]
		n /= 62
	}
	id := prefix + instance + string(number[:])
	return id + checksum(id)
}

// idNumber is the n that newID was given.
func idNumber(id string) (n uint64) {
	for _, c := range []byte(id[len("003")+len(instance) : 15]) {
		n = 62*n + uint64(strings.IndexByte(base62, c))
	}
	return n
}

// checksum gives the three characters that tell the letter case of a
// 15-character id, so that it survives systems which ignore case.
func checksum(id15 string) string {
	var sum [3]byte
	for i := range sum {
		bits := 0
		for j := range 5 {
			if c := id15[i*5+j]; c >= 'A' && c <= 'Z' {
				bits |= 1 << j
			}
		}
		sum[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"[bits]
	}
	return string(sum[:])
}

// normalID gives the 18-character form of an id of 15 or 18 characters, and
// whether it is one at all.
func normalID(id string) (string, bool) {
	if len(id) != 15 && len(id) != 18 {
		return "", false
	}
	for i := range len(id) {
		if strings.IndexByte(base62, id[i]) < 0 {
			return "", false
		}
	}
	if len(id) == 15 {
		return id + checksum(id), true
	}
	return id, checksum(id[:15]) == id[15:]
}
