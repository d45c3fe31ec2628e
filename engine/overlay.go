package engine

import (
	"fmt"
	"maps"
	"slices"

	"energyd/internal/fault"
)

// TableConfig is a table of other points for contacts about some products, or
// with some segments of customers. What it does not name is as in the table around it.
type TableConfig struct {
	Name    string   `yaml:"name"`
	Product []string `yaml:"product"` // activities about one of these; empty = about anything
	Segment []string `yaml:"segment"` // and with customers of one of these; empty = of all

	Group        string                `yaml:"group"` // where kinds of the first group cool instead: so a table has a half-life of its own
	KeymanFactor *float64              `yaml:"keyman_factor"`
	Kinds        map[string]KindPoints `yaml:"kinds"`
	Ranks        map[string]float64    `yaml:"ranks"` // points
	Cues         map[string]CuePoints  `yaml:"cues"`
}

// KindPoints is what a kind is worth in a TableConfig; a direction without a number has that of Points, or of the table around.
type KindPoints struct {
	Points *float64 `yaml:"points"`
	In     *float64 `yaml:"in"`
	Out    *float64 `yaml:"out"`
	Mutual *float64 `yaml:"mutual"`
	Group  string   `yaml:"group"` // "" = as in the table around
}

// CuePoints is what a cue is worth in a TableConfig.
type CuePoints struct {
	Factor *float64 `yaml:"factor"`
	Bonus  *float64 `yaml:"bonus"`
}

func (v *validation) tables() {
	for i := range v.c.Tables {
		t, path := &v.c.Tables[i], fmt.Sprintf("tables[%d]", i)
		if t.Name == "" || slices.ContainsFunc(v.c.Tables[:i], func(other TableConfig) bool { return other.Name == t.Name }) {
			v.problems.Add(path+".name", "every table needs a name of its own, not %q", t.Name)
		}
		if len(t.Product) == 0 && len(t.Segment) == 0 {
			v.problems.Add(path, "a table without product and segment would be for all; change the points above instead")
		}
		v.group(path+".group", t.Group)
		v.optional(path+".keyman_factor", t.KeymanFactor, 0, maxFactor)
		for _, name := range slices.Sorted(maps.Keys(t.Kinds)) {
			k, path := t.Kinds[name], path+".kinds."+name
			known(v, path, "kind", name, v.c.Kinds)
			v.group(path+".group", k.Group)
			for _, n := range []struct {
				key    string
				points *float64
			}{{"points", k.Points}, {"in", k.In}, {"out", k.Out}, {"mutual", k.Mutual}} {
				v.optional(path+"."+n.key, n.points, 0, maxPoints)
				if n.points != nil && *n.points != 0 && v.c.Kinds[name].Undoes {
					v.problems.Add(path+"."+n.key, "%v points for a report that a message was not delivered; it must be 0", *n.points)
				}
			}
		}
		for _, name := range slices.Sorted(maps.Keys(t.Ranks)) {
			known(v, path+".ranks."+name, "rank", name, v.c.Ranks)
			v.number(path+".ranks."+name, t.Ranks[name], 0, maxPoints)
		}
		for _, name := range slices.Sorted(maps.Keys(t.Cues)) {
			q, path := t.Cues[name], path+".cues."+name
			known(v, path, "cue", name, v.c.Cues)
			v.optional(path+".factor", q.Factor, 0, maxFactor)
			v.optional(path+".bonus", q.Bonus, 0, maxPoints)
		}
	}
}

// known reports a name that the table around does not have.
func known[T any](v *validation, path, what, name string, of map[string]T) {
	if _, ok := of[name]; !ok {
		v.problems = append(v.problems, fault.Problem{Path: path, Key: true,
			Msg: fmt.Sprintf("unknown %s %q%s", what, name, fault.DidYouMean(name, slices.Sorted(maps.Keys(of))))})
	}
}

// optional checks a number that may be absent.
func (v *validation) optional(path string, x *float64, low, high float64) {
	if x != nil {
		v.number(path, *x, low, high)
	}
}

// edition checks when the table applies, and what applied before.
func (v *validation) edition() {
	c := v.c
	if (c.AppliesFrom == "") != (c.Earlier == "") {
		v.problems.Add("applies_from", "applies_from and earlier belong together: the first day of this edition, and the file of the one before; without both, these points hold for all days")
		return
	}
	if c.AppliesFrom == "" {
		return
	}
	from, err := ParseDate(c.AppliesFrom)
	if err != nil {
		v.problems.Add("applies_from", "%q is no day; write it as \"2026-10-01\"", c.AppliesFrom)
		return
	}
	if c.EarlierEdition == nil {
		return
	}
	if was, err := ParseDate(c.EarlierEdition.AppliesFrom); err == nil && was >= from {
		v.problems.Add("applies_from", "%v is not after %v, the first day of the earlier edition", from, was)
	}
}
