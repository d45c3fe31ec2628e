package web

import (
	"context"
	"maps"
	"math"
	"path/filepath"
	"slices"

	"energyd/engine"
	"energyd/internal/web/signon"
)

// pointsTable is the points table: who was met × how, what else counts, its editions, and what a change of it would do.
type pointsTable struct {
	Version     string          `json:"version"`
	AppliesFrom string          `json:"applies_from,omitempty"`
	File        string          `json:"file"`
	Mode        string          `json:"mode"`  // multiply, add or flat
	Ranks       []pointsRank    `json:"ranks"` // columns of the grid
	Kinds       []pointsKind    `json:"kinds"` // rows of it
	Cues        []pointsCue     `json:"cues"`
	Groups      []pointsGroup   `json:"groups"`
	Bands       []pointsBand    `json:"bands"`
	Numbers     []pointsEntry   `json:"numbers"` // that hold for all contacts
	Others      []pointsOther   `json:"tables"`  // for some products or segments
	Editions    []pointsEdition `json:"editions"`
	Warnings    []string        `json:"warnings,omitempty"`

	MayTry bool        `json:"-"`
	Draft  pointsDraft `json:"-"` // what the reader is trying out
}

// pointsEntry is a number that may be edited.
type pointsEntry struct {
	Path    string  `json:"path"`
	Label   string  `json:"label"`
	Value   float64 `json:"value"`
	Changed bool    `json:"-"` // in the draft
}

// pointsRank is who was met.
type pointsRank struct {
	Name  string      `json:"name"`
	Label string      `json:"label"`
	Class string      `json:"class"`
	Own   pointsEntry `json:"points"`
}

// pointsKind is how: a kind of contact, with what it earns by the rank that was met.
type pointsKind struct {
	Name  string        `json:"name"`
	Label string        `json:"label"`
	Side  string        `json:"direction,omitempty"` // whose act, where that makes a difference
	Group string        `json:"group,omitempty"`
	Own   pointsEntry   `json:"points"`
	Cells []pointsWorth `json:"cells"` // in the order of the ranks
}

// pointsWorth is what one contact earns, without cues.
type pointsWorth struct {
	Points float64 `json:"points"`
	Heat   int     `json:"-"`
	Before float64 `json:"-"` // in the table in use
}

// pointsCue is a sign of interest.
type pointsCue struct {
	Name    string      `json:"name"`
	Label   string      `json:"label"`
	Factor  pointsEntry `json:"factor"`
	Bonus   pointsEntry `json:"bonus"`
	Derived bool        `json:"derived"` // found by energyd itself
	Within  int         `json:"within_days,omitempty"`
}

// pointsGroup is how kinds cool, and how much of them counts.
type pointsGroup struct {
	Name      string       `json:"name"`
	Label     string       `json:"label"`
	Decay     string       `json:"decay"`
	HalfLife  *pointsEntry `json:"half_life_days,omitempty"`
	Cooling   string       `json:"-"` // in words
	Cap       pointsEntry  `json:"cap"`
	PeriodCap pointsEntry  `json:"period_cap"`
	PerDay    int          `json:"per_day,omitempty"`
	Negative  bool         `json:"negative"`
}

// pointsBand is a range of temperatures; nil borders are those of the coldest.
type pointsBand struct {
	Name  string       `json:"name"`
	Label string       `json:"label"`
	Up    *pointsEntry `json:"up,omitempty"`
	Down  *pointsEntry `json:"down,omitempty"`
}

// pointsOther is a table of its own for some products or segments.
type pointsOther struct {
	Name     string   `json:"name"`
	Products []string `json:"products,omitempty"`
	Segments []string `json:"segments,omitempty"`
	Numbers  int      `json:"numbers"` // that differ
}

// pointsEdition is a table that applies, or applied, from a day on.
type pointsEdition struct {
	Version string         `json:"version"`
	From    string         `json:"from,omitempty"`
	Until   string         `json:"until,omitempty"` // the day before the next one's
	Changes []pointsChange `json:"changes"`         // against the edition before
}

func viewPoints(ctx context.Context, v *visit) (*pointsTable, error) {
	present := v.p.Table()
	t := &pointsTable{MayTry: v.reader.Role >= signon.Manager}
	shown, compiled := present, v.p.Points()
	if t.MayTry {
		draft, err := v.draft(ctx)
		if err != nil {
			return nil, err
		}
		if t.Draft = *draft; draft.table != nil {
			shown, compiled = draft.table, draft.points
		}
	}
	t.Version, t.AppliesFrom, t.File, t.Mode = present.Version, present.AppliesFrom, filepath.Base(v.p.Config().Points), present.Mode
	if t.Mode == "" {
		t.Mode = "multiply"
	}
	t.Warnings = compiled.Warnings()
	e := v.entries(present, shown)
	t.grid(v, e, shown, compiled)
	t.rules(v, e, shown)
	t.Editions = editionsOf(present)
	return t, nil
}

// entries give the numbers of a table by their paths, those marked that the table in use has otherwise.
func (v *visit) entries(present, shown *engine.PointsConfig) func(path, label string) pointsEntry {
	was, is := map[string]float64{}, map[string]float64{}
	for _, n := range numbersOf(present) {
		was[n.Path] = n.Value
	}
	for _, n := range numbersOf(shown) {
		is[n.Path] = n.Value
	}
	return func(path, label string) pointsEntry {
		old, had := was[path]
		return pointsEntry{Path: path, Label: label, Value: is[path], Changed: !had || old != is[path]}
	}
}

// grid fills in who × how.
func (t *pointsTable) grid(v *visit, entry func(path, label string) pointsEntry, c *engine.PointsConfig, points *engine.Points) {
	ranks := slices.SortedFunc(maps.Keys(c.Ranks), func(a, b string) int {
		return compareWorth(*c.Ranks[a].Points, *c.Ranks[b].Points, a == engine.UnknownRank, b == engine.UnknownRank, a, b)
	})
	for _, name := range ranks {
		label := c.Ranks[name].Label.In(v.language)
		t.Ranks = append(t.Ranks, pointsRank{name, label, c.Classes[c.Ranks[name].Class].In(v.language), entry("ranks."+name+".points", label)})
	}
	most := 0.0
	for name, k := range c.Kinds {
		label := k.Label.In(v.language)
		if label == "" {
			label = name
		}
		group := ""
		for _, g := range c.Groups {
			if g.Name == k.Group && k.Group != "" {
				group = g.Label.In(v.language)
			}
		}
		for _, side := range sides {
			p := *side.of(&k)
			if p == nil {
				continue
			}
			row := pointsKind{Name: name, Label: label, Side: side.label.In(v.language), Group: group}
			row.Own = entry("kinds."+name+"."+side.path, label+" "+row.Side)
			for _, rank := range ranks {
				w := pointsWorth{Points: float64(points.Worth(name, side.direction, rank, v.today())) / 1000,
					Before: float64(v.p.Points().Worth(name, side.direction, rank, v.today())) / 1000}
				most = max(most, w.Points)
				row.Cells = append(row.Cells, w)
			}
			t.Kinds = append(t.Kinds, row)
		}
	}
	slices.SortStableFunc(t.Kinds, func(a, b pointsKind) int {
		return compareWorth(b.Own.Value, a.Own.Value, a.Group != "", b.Group != "", a.Name+a.Own.Path, b.Name+b.Own.Path)
	})
	for i := range t.Kinds {
		for j := range t.Kinds[i].Cells {
			if w := &t.Kinds[i].Cells[j]; most > 0 {
				w.Heat = min(9, int(9.99*math.Sqrt(max(0, w.Points)/most))) // by the root, so that a mail is told from a call
			}
		}
	}
}

// rules fills in what holds beside the grid.
func (t *pointsTable) rules(v *visit, entry func(path, label string) pointsEntry, c *engine.PointsConfig) {
	t.Numbers = []pointsEntry{
		entry("half_life_days", v.t("半減期（日）", "Half-life in days")), entry("keyman_factor", v.t("キーマンの倍率", "Keyman counts")),
		entry("cc_factor", v.t("Cc の倍率", "Cc of a mail counts")), entry("cue_limit", v.t("きざし全体の上限倍率", "All cues together at most")),
	}
	for _, name := range slices.Sorted(maps.Keys(c.Cues)) {
		q := c.Cues[name]
		label := q.Label.In(v.language)
		t.Cues = append(t.Cues, pointsCue{name, label, entry("cues."+name+".factor", v.t("%s：倍率", "%s: factor", label)),
			entry("cues."+name+".bonus", v.t("%s：加点", "%s: added points", label)), q.Derive || name == engine.RepeatCue, q.WithinDays})
	}
	for _, g := range c.Groups {
		label, path := g.Label.In(v.language), "groups."+g.Name+"."
		row := pointsGroup{Name: g.Name, Label: label, Decay: g.Decay, Cooling: v.cooling(&g, c.HalfLifeDays), Negative: g.Negative, PerDay: g.PerDay,
			Cap: entry(path+"cap", v.t("%s：温度の上限", "%s: most of the temperature", label)), PeriodCap: entry(path+"period_cap", v.t("%s：期間の上限", "%s: most in a period", label))}
		if g.HalfLifeDays > 0 {
			h := entry(path+"half_life_days", v.t("%s：半減期（日）", "%s: half-life in days", label))
			row.HalfLife = &h
		}
		t.Groups = append(t.Groups, row)
	}
	for i, b := range c.Bands {
		row := pointsBand{Name: b.Name, Label: b.Label.In(v.language)}
		if i > 0 {
			up, down := entry("bands."+b.Name+".up", v.t("%s：入る温度", "%s: entered at", row.Label)), entry("bands."+b.Name+".down", v.t("%s：出る温度", "%s: left below", row.Label))
			row.Up, row.Down = &up, &down
		}
		t.Bands = append(t.Bands, row)
	}
	for _, o := range c.Tables {
		t.Others = append(t.Others, pointsOther{o.Name, o.Product, o.Segment, len(o.Kinds) + len(o.Ranks) + len(o.Cues)})
	}
}

// compareWorth sorts numbers, what is set apart last, and equal ones by name.
func compareWorth(x, y float64, xLast, yLast bool, xName, yName string) int {
	switch {
	case xLast != yLast && xLast:
		return 1
	case xLast != yLast:
		return -1
	case x < y:
		return -1
	case x > y:
		return 1
	case xName < yName:
		return -1
	case xName > yName:
		return 1
	}
	return 0
}

// cooling says how a group cools.
func (v *visit) cooling(g *engine.GroupConfig, halfLife float64) string {
	if g.HalfLifeDays > 0 {
		halfLife = g.HalfLifeDays
	}
	switch g.Decay {
	case "grace_exp":
		return v.t("最後の接触から%d日は減らず、その後%g日で半分", "nothing for %d days, then half in %g days", g.GraceDays, halfLife)
	case "step":
		return v.t("接触のない%[2]d日ごとに%[1]g点減る", "%g points less after each %d days without contact", g.StepPoints, g.StepDays)
	case "linear":
		return v.t("%d日で0になる", "to nothing in %d days", g.FadeDays)
	case "none":
		return v.t("減らない", "nothing is lost")
	}
	return v.t("%g日で半分", "half in %g days", halfLife)
}

// editionsOf lists a table and its earlier editions, newest first, each with what it changed.
func editionsOf(c *engine.PointsConfig) []pointsEdition {
	list := []pointsEdition{}
	until := ""
	for ; c != nil; c = c.EarlierEdition {
		e := pointsEdition{Version: c.Version, From: c.AppliesFrom, Until: until, Changes: []pointsChange{}}
		if c.EarlierEdition != nil {
			e.Changes = changesOf(c.EarlierEdition, c)
		} else {
			e.From = "" // the oldest holds for all days before, too
		}
		if d, err := engine.ParseDate(c.AppliesFrom); err == nil {
			until = (d - 1).String()
		}
		list = append(list, e)
	}
	return list
}
