package web

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"

	"energyd/engine"
)

// pointsNumber is a number of a points table that people change, by the path that it has in the file: "kinds.visit.points".
type pointsNumber struct {
	Path  string
	Value float64
	set   func(*engine.PointsConfig, float64)
}

// numbersOf lists the numbers of a table that the page lets try out, in the order of the file.
func numbersOf(c *engine.PointsConfig) []pointsNumber {
	var list []pointsNumber
	add := func(path string, value float64, set func(*engine.PointsConfig, float64)) {
		list = append(list, pointsNumber{path, value, set})
	}
	add("keyman_factor", c.KeymanFactor, func(c *engine.PointsConfig, n float64) { c.KeymanFactor = n })
	add("cc_factor", c.CcFactor, func(c *engine.PointsConfig, n float64) { c.CcFactor = n })
	add("cue_limit", c.CueLimit, func(c *engine.PointsConfig, n float64) { c.CueLimit = n })
	for _, name := range slices.Sorted(maps.Keys(c.Kinds)) {
		for _, side := range sides {
			if p := *side.of(new(c.Kinds[name])); p != nil {
				add("kinds."+name+"."+side.path, *p, func(c *engine.PointsConfig, n float64) {
					k := c.Kinds[name]
					*side.of(&k) = &n
					c.Kinds[name] = k
				})
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Ranks)) {
		if p := c.Ranks[name].Points; p != nil {
			add("ranks."+name+".points", *p, func(c *engine.PointsConfig, n float64) {
				r := c.Ranks[name]
				r.Points = &n
				c.Ranks[name] = r
			})
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.Cues)) {
		factor := 1.0
		if p := c.Cues[name].Factor; p != nil {
			factor = *p
		}
		add("cues."+name+".factor", factor, func(c *engine.PointsConfig, n float64) {
			q := c.Cues[name]
			q.Factor = &n
			c.Cues[name] = q
		})
		add("cues."+name+".bonus", c.Cues[name].Bonus, func(c *engine.PointsConfig, n float64) {
			q := c.Cues[name]
			q.Bonus = n
			c.Cues[name] = q
		})
	}
	add("half_life_days", c.HalfLifeDays, func(c *engine.PointsConfig, n float64) { c.HalfLifeDays = n })
	for i, g := range c.Groups {
		of := func(name string, value float64, at func(*engine.GroupConfig) *float64) {
			add("groups."+g.Name+"."+name, value, func(c *engine.PointsConfig, n float64) { *at(&c.Groups[i]) = n })
		}
		if g.HalfLifeDays > 0 {
			of("half_life_days", g.HalfLifeDays, func(g *engine.GroupConfig) *float64 { return &g.HalfLifeDays })
		}
		of("cap", g.Cap, func(g *engine.GroupConfig) *float64 { return &g.Cap })
		of("period_cap", g.PeriodCap, func(g *engine.GroupConfig) *float64 { return &g.PeriodCap })
	}
	for i, b := range c.Bands {
		if i == 0 { // the coldest one has no border
			continue
		}
		add("bands."+b.Name+".up", b.Up, func(c *engine.PointsConfig, n float64) { c.Bands[i].Up = n })
		add("bands."+b.Name+".down", b.Down, func(c *engine.PointsConfig, n float64) { c.Bands[i].Down = n })
	}
	return list
}

// sides are whose act a contact may be, and where its points stand.
var sides = []struct {
	path      string
	direction engine.Direction
	of        func(*engine.KindConfig) **float64
	label     text
}{
	{"points", engine.Mutual, func(k *engine.KindConfig) **float64 { return &k.Points }, text{}},
	{"in", engine.Inbound, func(k *engine.KindConfig) **float64 { return &k.In }, text{Ja: "先方から", En: "from them"}},
	{"out", engine.Outbound, func(k *engine.KindConfig) **float64 { return &k.Out }, text{Ja: "当社から", En: "from us"}},
	{"mutual", engine.Mutual, func(k *engine.KindConfig) **float64 { return &k.Mutual }, text{Ja: "双方", En: "both sides"}},
}

// pointsChange is a number that differs between two tables; nil where one of them lacks it.
type pointsChange struct {
	Path   string   `json:"path"`
	Before *float64 `json:"before"`
	After  *float64 `json:"after"`
}

// changesOf lists the numbers that differ between two tables, by path.
func changesOf(before, after *engine.PointsConfig) []pointsChange {
	list := []pointsChange{}
	was := map[string]float64{}
	for _, n := range numbersOf(before) {
		was[n.Path] = n.Value
	}
	for _, n := range numbersOf(after) {
		old, had := was[n.Path]
		delete(was, n.Path)
		switch {
		case !had:
			list = append(list, pointsChange{n.Path, nil, &n.Value})
		case old != n.Value:
			list = append(list, pointsChange{n.Path, &old, &n.Value})
		}
	}
	for path, old := range was {
		list = append(list, pointsChange{path, &old, nil})
	}
	slices.SortFunc(list, func(a, b pointsChange) int { return cmp.Compare(a.Path, b.Path) })
	return list
}

// copyOf gives a table that may be changed.
func copyOf(c *engine.PointsConfig) (*engine.PointsConfig, error) {
	b, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	own := new(engine.PointsConfig)
	return own, json.Unmarshal(b, own)
}
