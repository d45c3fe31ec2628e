package pipeline

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"unsafe"

	"energyd/engine"
	"energyd/mapping"
	"energyd/mapping/matching"
)

// Names finds customers by a part of their name. It is not changed after it was made, and may be used by many at the same time.
type Names struct{ list []customerName }

type customerName struct {
	Named
	whole, short string   // matching.SearchKeys
	keys         []string // codes and other keys, squeezed
}

// Named is a customer that was found.
type Named struct {
	ID, Name, Code string
	Owner          string // CRM id of the rep
}

// Size is how many bytes they take, about.
func (n *Names) Size() int {
	size := 0
	for i := range n.list {
		c := &n.list[i]
		size += int(unsafe.Sizeof(*c)) + len(c.ID) + len(c.Name) + len(c.Code) + len(c.Owner) + len(c.whole) + len(c.short)
		for _, key := range c.keys {
			size += int(unsafe.Sizeof(key)) + len(key)
		}
	}
	return size
}

// Names reads the names of all customers that are there.
func (p *Pipeline) Names(ctx context.Context) (*Names, error) {
	n := &Names{}
	for profile, err := range p.store.Profiles(ctx, engine.Account) {
		if err != nil {
			return nil, err
		}
		if profile.Deleted || profile.Into != "" {
			continue
		}
		c := customerName{Named: Named{profile.ID, profile.Name, profile.Keys["code"], profile.Owner}}
		c.whole, c.short = matching.SearchKeys(profile.Name)
		for _, v := range profile.Keys {
			c.keys = append(c.keys, mapping.Squeeze(v))
		}
		n.list = append(n.list, c)
	}
	return n, nil
}

// Find gives the customers that fit what was typed, no more than most, and how many fit: those of that id, code or
// name first, then those whose name begins with it, then those that hold it. allowed may leave some out; nil = none.
func (n *Names) Find(typed string, most int, allowed func(Named) bool) (found []Named, all int) {
	typed = strings.TrimSpace(typed)
	whole, short := matching.SearchKeys(typed)
	if whole == "" {
		return nil, 0
	}
	type hit struct {
		*customerName
		place int
	}
	var hits []hit
	for i := range n.list {
		c := &n.list[i]
		if place := c.fits(typed, whole, short); place >= 0 && (allowed == nil || allowed(c.Named)) {
			hits = append(hits, hit{c, place})
		}
	}
	slices.SortFunc(hits, func(a, b hit) int {
		return cmp.Or(cmp.Compare(a.place, b.place), cmp.Compare(len(a.short), len(b.short)), cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})
	for _, h := range hits[:min(most, len(hits))] {
		found = append(found, h.Named)
	}
	return found, len(hits)
}

// fits tells how well a customer fits, 0 being best; -1 = not at all.
func (c *customerName) fits(typed, whole, short string) int {
	switch {
	case c.ID == typed || len(typed) >= shortest && strings.HasPrefix(c.ID, typed) || c.whole == whole || c.short == short ||
		slices.Contains(c.keys, mapping.Squeeze(typed)):
		return 0
	case strings.HasPrefix(c.short, short) || strings.HasPrefix(c.whole, whole):
		return 1
	case strings.Contains(c.short, short) || strings.Contains(c.whole, whole):
		return 2
	}
	return -1
}
