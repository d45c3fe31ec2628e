package mapping

import (
	"strconv"
	"sync"
)

// cache remembers what texts of the source mean: people write the same few
// words all day. It is bounded, so that a column of free text cannot fill the memory.
type cache[V any] struct {
	mu sync.RWMutex
	m  map[string]V
}

const maxCached = 4096

func (c *cache[V]) get(key string) (V, bool) {
	c.mu.RLock()
	v, ok := c.m[key]
	c.mu.RUnlock()
	return v, ok
}

func (c *cache[V]) put(key string, v V) {
	if len(key) > 200 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.m) >= maxCached || c.m == nil {
		c.m = map[string]V{}
	}
	c.m[key] = v
}

// at gives the path of a list's item.
func at(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

func quote(s string) string { return strconv.Quote(s) }
