package mapping

import (
	"hash/maphash"
	"strconv"
	"strings"
	"sync/atomic"
)

// cache remembers what texts of the source mean: people write the same few
// words all day. It is bounded, so that a column of free text cannot fill the
// memory: a text has two places, and takes the one of another when both are
// taken. Nobody waits for another.
type cache[V any] struct {
	places [8192]atomic.Pointer[cached[V]]
}

type cached[V any] struct {
	text  string
	means V
}

var cacheSeed = maphash.MakeSeed()

func (c *cache[V]) placesOf(text string) (first, second *atomic.Pointer[cached[V]]) {
	h, n := maphash.String(cacheSeed, text), uint64(len(c.places))
	return &c.places[h%n], &c.places[h>>32%n]
}

func (c *cache[V]) get(text string) (means V, known bool) {
	first, second := c.placesOf(text)
	for _, place := range [...]*atomic.Pointer[cached[V]]{first, second} {
		if kept := place.Load(); kept != nil && kept.text == text {
			return kept.means, true
		}
	}
	return means, false
}

// put remembers what a text means, unless it is long. The text may be a piece of something larger.
func (c *cache[V]) put(text string, means V) {
	if len(text) > 200 {
		return
	}
	place, second := c.placesOf(text)
	if place.Load() != nil && second.Load() == nil {
		place = second
	}
	place.Store(&cached[V]{strings.Clone(text), means})
}

// at gives the path of a list's item.
func at(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func quote(s string) string { return strconv.Quote(s) }
