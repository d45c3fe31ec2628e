package engine

import (
	"fmt"
	"slices"

	"energyd/internal/fault"
)

// GroupConfig is a group of kinds that cool and are limited together. The
// first group of a table is that of all kinds that name none; a table without
// groups has one that cools by half_life_days.
type GroupConfig struct {
	Name  string `yaml:"name"`
	Label Label  `yaml:"label"`

	Decay        string  `yaml:"decay"`          // "exp" (default), "grace_exp", "step", "linear" or "none"
	HalfLifeDays float64 `yaml:"half_life_days"` // of exp and grace_exp: days of the clock; 0 = the table's
	GraceDays    int     `yaml:"grace_days"`     // of grace_exp: days after the last contact before anything is lost
	StepPoints   float64 `yaml:"step_points"`    // of step: lost after each step_days without contact
	StepDays     int     `yaml:"step_days"`
	FadeDays     int     `yaml:"fade_days"` // of linear: days until a contact has faded to nothing, the same part every day

	Cap           float64 `yaml:"cap"`             // most that counts of the group's temperature, in points; 0 = no limit
	PeriodCap     float64 `yaml:"period_cap"`      // most that the group earns in a period, in points; 0 = no limit
	PeriodCapDays int     `yaml:"period_cap_days"` // the limit holds for so many days instead of a period; 0 = for a period
	PerDay        int     `yaml:"per_day"`         // most contacts of a customer that count on one day, the largest; 0 = all
	Negative      bool    `yaml:"negative"`        // complaints, cancellations: what it holds is taken off the temperature
}

// maxGroups bounds what a score has to keep in mind at once.
const maxGroups = 16

// decayWords are the kinds of decay.
var decayWords = []string{"exp", "grace_exp", "step", "linear", "none"}

// GroupInfo names a group.
type GroupInfo struct {
	Name     string // "" in a table without groups
	Label    Label
	Negative bool
}

// Groups names the groups; Cell.Group is the index. There is always one.
func (p *Points) Groups() []GroupInfo {
	if len(p.config.Groups) == 0 {
		return []GroupInfo{{}}
	}
	groups := make([]GroupInfo, len(p.config.Groups))
	for i, g := range p.config.Groups {
		groups[i] = GroupInfo{g.Name, g.Label, g.Negative}
	}
	return groups
}

// group gives the index of the group of that name; the first for "".
func (c *PointsConfig) group(name string) Group {
	return Group(max(0, slices.IndexFunc(c.Groups, func(g GroupConfig) bool { return g.Name == name })))
}

func (v *validation) groups() {
	groups := v.c.Groups
	if len(groups) > maxGroups {
		v.problems.Add("groups", "%d groups; %d at most", len(groups), maxGroups)
	}
	for i := range groups {
		g, path := &groups[i], fmt.Sprintf("groups[%d]", i)
		switch {
		case g.Name == "" || slices.ContainsFunc(groups[:i], func(other GroupConfig) bool { return other.Name == g.Name }):
			v.problems.Add(path+".name", "every group needs a name of its own, not %q", g.Name)
		case i == 0 && g.Negative:
			v.problems.Add(path+".negative", "the first group is that of all kinds that name none; it cannot be negative")
		}
		v.oneOf(path+".decay", g.Decay, decayWords...)
		v.decay(path, g)
		v.number(path+".cap", g.Cap, 0, 1e9)
		v.number(path+".period_cap", g.PeriodCap, 0, 1e9)
		v.number(path+".period_cap_days", float64(g.PeriodCapDays), 0, 3650)
		v.number(path+".per_day", float64(g.PerDay), 0, 10_000)
		if g.PeriodCapDays != 0 && g.PeriodCap == 0 {
			v.problems.Add(path+".period_cap_days", "there is no period_cap that would hold for so many days")
		}
	}
}

// group reports the name of a group that there is not.
func (v *validation) group(path, name string) {
	if v.c.group(name) != 0 || name == "" {
		return
	}
	names := make([]string, len(v.c.Groups))
	for i, g := range v.c.Groups {
		names[i] = g.Name
	}
	if !slices.Contains(names, name) {
		v.problems.Add(path, "there is no group %q%s", name, fault.DidYouMean(name, names))
	}
}

// decay checks that a group has the numbers that its decay needs, and no others.
func (v *validation) decay(path string, g *GroupConfig) {
	for _, n := range []struct {
		key       string
		value     float64
		low, high float64
		of        []string // kinds of decay
		optional  bool
	}{
		{"half_life_days", g.HalfLifeDays, 0.1, 36_500, []string{"", "exp", "grace_exp"}, true},
		{"grace_days", float64(g.GraceDays), 0, 36_500, []string{"grace_exp"}, false},
		{"step_points", g.StepPoints, 0.001, 1e9, []string{"step"}, false},
		{"step_days", float64(g.StepDays), 1, 36_500, []string{"step"}, false},
		{"fade_days", float64(g.FadeDays), 1, 36_500, []string{"linear"}, false},
	} {
		switch used := slices.Contains(n.of, g.Decay); {
		case !used && n.value != 0:
			v.problems.Add(path+"."+n.key, "a group with decay %q has no %s; it is of %q", g.Decay, n.key, n.of[len(n.of)-1])
		case used && !(n.optional && n.value == 0):
			v.number(path+"."+n.key, n.value, n.low, n.high)
		}
	}
}
