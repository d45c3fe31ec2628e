package engine

import (
	"cmp"
	"maps"
	"slices"
)

// rules are the numbers by which contacts earn: those of a table, of one of
// its overlays, or of an earlier edition. What a kind is (a meeting, of a
// family), how energy cools and when a customer is warm are the table's alone.
type rules struct {
	from       Date // first day of the edition; the oldest one holds for all days before too
	mode       string
	keyman     float64
	cc         float64
	cueLimit   float64
	additional AdditionalParticipants
	sources    map[string]float64
	kinds      map[string]worth
	ranks      map[string]rank
	cues       map[string]cue
	signs      [numSigns]*cue // of the cues that the engine finds by itself; nil = no effect
	overlays   []overlay
}

// worth is what a kind is worth.
type worth struct {
	points [NumDirections]float64
	group  Group
}

type rank struct {
	points float64
	class  Class
}

type cue struct{ factor, bonus float64 }

// overlay is a compiled TableConfig.
type overlay struct {
	products, segments []string
	rules              *rules
}

// newRules compiles an edition. Groups and kinds' groups are those of the present table.
func newRules(c, present *PointsConfig) *rules {
	r := &rules{
		from: NoDate, mode: c.Mode, keyman: c.KeymanFactor, cc: c.CcFactor, cueLimit: c.CueLimit,
		additional: c.AdditionalParticipants, sources: maps.Clone(c.SourceFactors),
		kinds: make(map[string]worth, len(c.Kinds)), ranks: make(map[string]rank, len(c.Ranks)+1), cues: make(map[string]cue, len(c.Cues)),
	}
	if d, err := ParseDate(c.AppliesFrom); err == nil {
		r.from = d
	}
	for name, k := range c.Kinds {
		r.kinds[name] = worth{
			points: [NumDirections]float64{Mutual: first(k.Mutual, k.Points), Inbound: first(k.In, k.Points), Outbound: first(k.Out, k.Points)},
			group:  present.group(present.Kinds[name].Group),
		}
	}
	for name, k := range c.Ranks {
		r.ranks[name] = rank{points: *k.Points, class: Class(max(0, slices.Index(classNames, k.Class)))}
	}
	r.ranks[""] = r.ranks[UnknownRank]
	one := 1.0
	for name, q := range c.Cues {
		r.cues[name] = cue{factor: first(q.Factor, &one), bonus: q.Bonus}
	}
	r.sign(c)
	for i := range c.Tables {
		t := &c.Tables[i]
		own := r.under(t, present)
		own.sign(c)
		r.overlays = append(r.overlays, overlay{t.Product, t.Segment, own})
	}
	return r
}

// sign notes which of the cues that the engine finds by itself have an effect under these rules.
func (r *rules) sign(c *PointsConfig) {
	for i, name := range signNames {
		r.signs[i] = nil
		if q, ok := r.cues[name]; ok && q != (cue{factor: 1}) && (name == RepeatCue || c.Cues[name].Derive) {
			r.signs[i] = &q
		}
	}
}

// looked gives the cues that have to be looked for, for the rules or one of their overlays.
func (r *rules) looked() (f found) {
	for i, q := range r.signs {
		if q != nil || slices.ContainsFunc(r.overlays, func(o overlay) bool { return o.rules.signs[i] != nil }) {
			f = f.with(i)
		}
	}
	return f
}

// under gives the rules with what a table of its own says of some products or segments.
func (r *rules) under(t *TableConfig, present *PointsConfig) *rules {
	own := *r
	own.overlays = nil
	own.keyman = first(t.KeymanFactor, &r.keyman)
	own.kinds, own.ranks, own.cues = maps.Clone(r.kinds), maps.Clone(r.ranks), maps.Clone(r.cues)
	for name, w := range own.kinds {
		if t.Group != "" && w.group == 0 {
			w.group = present.group(t.Group)
			own.kinds[name] = w
		}
	}
	for name, k := range t.Kinds {
		w := own.kinds[name]
		for d, points := range [NumDirections]*float64{Mutual: k.Mutual, Inbound: k.In, Outbound: k.Out} {
			w.points[d] = first(cmp.Or(points, k.Points), &w.points[d])
		}
		if k.Group != "" {
			w.group = present.group(k.Group)
		}
		own.kinds[name] = w
	}
	for name, points := range t.Ranks {
		own.ranks[name] = rank{points, own.ranks[name].class}
	}
	own.ranks[""] = own.ranks[UnknownRank]
	for name, q := range t.Cues {
		was := own.cues[name]
		own.cues[name] = cue{factor: first(q.Factor, &was.factor), bonus: first(q.Bonus, &was.bonus)}
	}
	return &own
}

// rulesOf gives the rules of an activity: of the edition of its day, the first overlay that fits.
func (p *Points) rulesOf(a *Activity, date Date) *rules {
	r := p.editions[0]
	for i := 1; i < len(p.editions) && date < r.from; i++ {
		r = p.editions[i]
	}
	for i := range r.overlays {
		if r.overlays[i].fits(a) {
			return r.overlays[i].rules
		}
	}
	return r
}

func (o *overlay) fits(a *Activity) bool {
	return (o.products == nil || slices.Contains(o.products, a.Product)) && (o.segments == nil || slices.Contains(o.segments, a.Segment))
}

// editions gives the table and its earlier editions, newest first.
func (c *PointsConfig) editions() []*PointsConfig {
	var list []*PointsConfig
	for ; c != nil; c = c.EarlierEdition {
		list = append(list, c)
	}
	return list
}
