package review

import (
	"cmp"
	"math"
	"slices"

	"energyd/engine"
)

// Table is a points table as a review sees it: points for how, factors for who, one half-life.
type Table struct {
	How      []How
	Ranks    []Rank
	HalfLife float64 // days of the table's clock; of all groups that have none of their own

	points     *engine.Points
	config     *engine.PointsConfig
	hows       map[howKey]int
	ranks      map[string]int
	additional engine.AdditionalParticipants
	fullDeals  bool

	ownHalfLife bool // the half-life stands at the first group
}

// How is a kind of contact and whose act it was, with its points.
type How struct {
	Kind      string
	Direction engine.Direction
	Points    float64 // 0 or more, also of a negative kind
	Negative  bool    // its points are taken off
	own       bool    // the kind has a number for this direction
	life      float64 // a half-life of its group's own; +Inf = it does not cool, 0 = the table's
}

// Rank is who was met, with the factor.
type Rank struct {
	Name   string
	Points float64
}

type howKey struct {
	kind      string
	direction engine.Direction
}

// NewTable makes a Table of a points table that engine.Compile took. Tables in
// mode "add" have no factors for who, and are refused: ok is false.
func NewTable(config *engine.PointsConfig, points *engine.Points) (t *Table, ok bool) {
	if config.Mode == "add" {
		return nil, false
	}
	t = &Table{
		HalfLife: config.HalfLifeDays, points: points, config: config, hows: map[howKey]int{}, ranks: map[string]int{},
		additional: config.AdditionalParticipants, fullDeals: config.Deals.Split == "full",
	}
	// The group of kinds that name none, and each group by its name.
	groups := map[string]engine.GroupConfig{"": {}}
	for i, g := range config.Groups {
		groups[g.Name] = g
		if i == 0 {
			groups[""] = g
			t.HalfLife = cmp.Or(g.HalfLifeDays, t.HalfLife)
			t.ownHalfLife = g.HalfLifeDays > 0
		}
	}
	for _, kind := range points.Kinds() {
		k := config.Kinds[kind]
		for d, own := range [engine.NumDirections]*float64{engine.Mutual: k.Mutual, engine.Inbound: k.In, engine.Outbound: k.Out} {
			h := How{Kind: kind, Direction: engine.Direction(d), Negative: groups[k.Group].Negative, own: own != nil, life: lifeOf(groups[k.Group], groups[""])}
			if p := cmp.Or(own, k.Points); p != nil {
				h.Points = *p
			}
			t.hows[howKey{kind, h.Direction}] = len(t.How)
			t.How = append(t.How, h)
		}
	}
	for _, name := range points.Ranks() {
		factor := *config.Ranks[name].Points
		if config.Mode == "flat" {
			factor = 1
		}
		t.ranks[name] = len(t.Ranks)
		t.Ranks = append(t.Ranks, Rank{name, factor})
	}
	return t, true
}

// lifeOf gives the half-life of a group that is not to be fitted with the table's: one of its own, or none at all.
func lifeOf(g, first engine.GroupConfig) float64 {
	switch {
	case g.Decay == "none":
		return math.Inf(1)
	case g.Name == first.Name:
		return 0
	case g.Decay == "step" || g.Decay == "linear":
		return max(1, float64(g.FadeDays)/2)
	}
	return g.HalfLifeDays
}

func (t *Table) how(a *engine.Activity) (int, bool) {
	n, ok := t.hows[howKey{a.Kind, a.Direction}]
	return n, ok
}

func (t *Table) rank(name string) int {
	if n, ok := t.ranks[name]; ok {
		return n
	}
	return t.ranks[engine.UnknownRank]
}

// role is what a participant counts by the part taken, and as keyman.
func (t *Table) role(p *engine.Participant) float64 {
	w := 1.0
	switch p.Role {
	case engine.Declined:
		return 0
	case engine.Cc:
		w = t.config.CcFactor
	}
	if p.Keyman && t.config.Mode != "flat" {
		w *= t.config.KeymanFactor
	}
	return w
}

// factor is what cues and the source make of a contact.
func (t *Table) factor(a *engine.Activity) float64 {
	f := 1.0
	for i, name := range a.Cues {
		if q := t.config.Cues[name]; q.Factor != nil && !slices.Contains(a.Cues[:i], name) {
			f *= *q.Factor
		}
	}
	f = min(f, max(1, t.config.CueLimit))
	if s, ok := t.config.SourceFactors[a.Source]; ok {
		f *= s
	}
	return f
}

// HalfLifePath is where the half-life stands in the points file.
func (t *Table) HalfLifePath() string {
	if t.ownHalfLife {
		return "groups[0].half_life_days"
	}
	return "half_life_days"
}

// flattened gives the table with its factors of who to a power: 1 as they are, 0 the same for everybody.
func (t *Table) flattened(power float64) *Table {
	if power == 1 {
		return t
	}
	rank := make([]float64, len(t.Ranks))
	for i, r := range t.Ranks {
		rank[i] = math.Round(math.Pow(r.Points, power)*10) / 10
	}
	return t.with(nil, rank, t.HalfLife)
}
