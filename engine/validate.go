package engine

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"energyd/internal/fault"
)

// UnknownRank is the rank of a participant whose rank is not known. Every table has it.
const UnknownRank = "unknown"

// RepeatCue is the cue that the engine finds by itself: the second meeting with the same contact.
const RepeatCue = "repeat"

// The words of a points table. Index = value of the type they name.
var (
	classNames     = []string{ClassUnknown: "unknown", ClassStaff: "staff", ClassManager: "manager", ClassExecutive: "executive"}
	directionNames = []string{Mutual: "mutual", Inbound: "in", Outbound: "out"}
)

// Limits that keep every sum of milli-points far inside an int64: a person
// earns 1e11 at one contact at most (rank × keyman × kind × cue), so that ten
// thousand contacts with a hundred people each stay below 2 % of it.
const (
	maxPoints = 1000
	maxFactor = 10
)

// Validate checks a points table without compiling it. It returns fault.Problems, or nil.
func (c *PointsConfig) Validate() error {
	v := validation{c: c}
	v.time()
	v.rules()
	v.groups()
	v.kinds()
	v.tables()
	v.edition()
	v.ranks()
	v.cues()
	v.bands()
	v.trend()
	v.alarms()
	return v.problems.Or()
}

type validation struct {
	c        *PointsConfig
	problems fault.Problems
}

func (v *validation) time() {
	c, ps := v.c, &v.problems
	if c.Version == "" {
		ps.Add("version", "missing; name this table, for example by its date: \"2026-10\"")
	}
	if c.Timezone == "" || c.Timezone == "Local" { // Local would make scores depend on the machine
		ps.Add("timezone", "must be an IANA zone such as Asia/Tokyo, not %q", c.Timezone)
	} else if _, err := time.LoadLocation(c.Timezone); err != nil {
		ps.Add("timezone", "unknown time zone %q; write an IANA name such as Asia/Tokyo", c.Timezone)
	}
	if c.ClosingDay < 0 || c.ClosingDay > 31 {
		ps.Add("closing_day", "%d is no day of a month; 1 to 30, or 31 for the month's end", c.ClosingDay)
	}
	if c.FiscalYearStart < 0 || c.FiscalYearStart > 12 {
		ps.Add("fiscal_year_start", "%d is no month; 1 to 12", c.FiscalYearStart)
	}
	v.oneOf("clock", c.Clock, "calendar", "business")
	for i, s := range c.ShutdownDays {
		_, errDay := ParseDate(s)
		_, errYearly := ParseDate("2000-" + s)
		if errDay != nil && errYearly != nil {
			ps.Add(fmt.Sprintf("shutdown_days[%d]", i), "%q is no day; write \"2026-08-13\", or \"12-29\" for every year", s)
		}
	}
	if !(c.HalfLifeDays >= 0.1 && c.HalfLifeDays <= 36_500) {
		ps.Add("half_life_days", "%v is out of range; 0.1 to 36500 days", c.HalfLifeDays)
	}
}

func (v *validation) rules() {
	c, ps := v.c, &v.problems
	v.oneOf("mode", c.Mode, "multiply", "add", "flat")
	v.number("keyman_factor", c.KeymanFactor, 0, maxFactor)
	if c.KeymanFactor == 0 && c.Mode != "add" {
		ps.Add("keyman_factor", "missing; 1 gives the keyman no extra weight")
	}
	v.number("cc_factor", c.CcFactor, 0, 1)
	v.optional("unconfirmed_factor", c.UnconfirmedFactor, 0, 1)
	v.number("cue_limit", c.CueLimit, 1, maxFactor)
	for _, name := range slices.Sorted(maps.Keys(c.SourceFactors)) {
		v.number("source_factors."+name, c.SourceFactors[name], 0, 1)
	}
	v.sources()
	v.number("additional_participants.share", c.AdditionalParticipants.Share, 0, 1)
	if c.AdditionalParticipants.Limit != 0 {
		v.number("additional_participants.limit", c.AdditionalParticipants.Limit, 1, 1000)
	}
	v.oneOf("deals.split", c.Deals.Split, "equal", "full")
}

func (v *validation) sources() {
	c := v.c
	for _, name := range slices.Sorted(maps.Keys(c.Sources)) {
		if word := c.Sources[name]; word == "" {
			v.problems.Add("sources."+name, "missing; one of %q", sourceWords)
		} else {
			v.oneOf("sources."+name, word, sourceWords...)
		}
	}
	for _, list := range []struct {
		path  string
		words []string
	}{{"precedence.kind", c.Precedence.Kind}, {"precedence.time", c.Precedence.Time}, {"precedence.people", c.Precedence.People}} {
		for i, word := range list.words {
			if path := fmt.Sprintf("%s[%d]", list.path, i); word == "" || slices.Contains(list.words[:i], word) {
				v.problems.Add(path, "%q stands here without use; each source, or what sources are, once", word)
			}
		}
	}
}

func (v *validation) kinds() {
	if len(v.c.Kinds) == 0 {
		v.problems.Add("kinds", "missing; without kinds of contact nothing earns points")
	}
	for _, name := range slices.Sorted(maps.Keys(v.c.Kinds)) {
		k, path := v.c.Kinds[name], "kinds."+name
		v.group(path+".group", k.Group)
		for _, n := range []struct {
			key    string
			points *float64
		}{{"points", k.Points}, {"in", k.In}, {"out", k.Out}, {"mutual", k.Mutual}} {
			if n.points != nil {
				v.number(path+"."+n.key, *n.points, 0, maxPoints)
			} else if n.key != "points" && k.Points == nil {
				v.problems.Add(path, "no points for direction %q; give points: for all directions, or %s:", n.key, n.key)
			}
			if k.Undoes && n.points != nil && *n.points != 0 {
				v.problems.Add(path+"."+n.key, "%v points for a report that a message was not delivered; with undoes: true it must be 0", *n.points)
			}
		}
	}
}

func (v *validation) ranks() {
	v.oneOf("rank", v.c.Rank, "contact", "today")
	v.oneOf("parent", v.c.Parent, "contact", "today")
	if _, ok := v.c.Ranks[UnknownRank]; !ok {
		v.problems.Add("ranks", "no rank %q: the points of a person whose rank is not known", UnknownRank)
	}
	for _, name := range slices.Sorted(maps.Keys(v.c.Ranks)) {
		r, path := v.c.Ranks[name], "ranks."+name
		if r.Points == nil {
			v.problems.Add(path, "no points")
		} else {
			v.number(path+".points", *r.Points, 0, maxPoints)
		}
		if r.Class == "" && name != UnknownRank {
			v.problems.Add(path, "no class; one of %q", classNames[ClassStaff:])
		}
		v.oneOf(path+".class", r.Class, classNames...)
	}
	for _, name := range slices.Sorted(maps.Keys(v.c.Classes)) {
		if !slices.Contains(classNames, name) {
			v.problems = append(v.problems, fault.Problem{Path: "classes." + name, Key: true,
				Msg: fmt.Sprintf("unknown class %q%s", name, fault.DidYouMean(name, classNames))})
		}
	}
}

func (v *validation) cues() {
	for _, name := range slices.Sorted(maps.Keys(v.c.Cues)) {
		cue, path := v.c.Cues[name], "cues."+name
		if cue.Factor != nil {
			v.number(path+".factor", *cue.Factor, 0, maxFactor)
		}
		v.number(path+".bonus", cue.Bonus, 0, maxPoints)
		if cue.Derive && (name == RepeatCue || !slices.Contains(signNames[:], name)) {
			v.problems.Add(path+".derive", "energyd finds by itself %q, and always %q", signNames[1:], RepeatCue)
		}
		switch {
		case name != RepeatCue && cue.WithinDays != 0:
			v.problems.Add(path+".within_days", "only the cue %q has a window", RepeatCue)
		case name == RepeatCue && (cue.WithinDays < 1 || cue.WithinDays > 3650):
			v.problems.Add(path+".within_days", "%d is out of range; 1 to 3650 days, 90 is usual", cue.WithinDays)
		}
	}
}

func (v *validation) bands() {
	v.number("band_stay_days", float64(v.c.BandStayDays), 0, 3650)
	bands := v.c.Bands
	if len(bands) == 0 {
		v.problems.Add("bands", "missing; at least one band")
		return
	}
	names := make(map[string]bool)
	for i, b := range bands {
		path := fmt.Sprintf("bands[%d]", i)
		if b.Name == "" || names[b.Name] {
			v.problems.Add(path+".name", "every band needs a name of its own, not %q", b.Name)
		}
		names[b.Name] = true
		v.number(path+".up", b.Up, 0, 1e9)
		v.number(path+".down", b.Down, 0, 1e9)
		switch {
		case i == 0 && (b.Up != 0 || b.Down != 0):
			v.problems.Add(path, "the coldest band begins at 0; leave out up and down")
		case b.Down > b.Up:
			v.problems.Add(path+".down", "%v is above up (%v); a band is left below the points that enter it", b.Down, b.Up)
		case i > 0 && (b.Up <= bands[i-1].Up || b.Down <= bands[i-1].Down):
			v.problems.Add(path, "up and down must be above those of the band before; the coldest band comes first")
		}
	}
}

func (v *validation) number(path string, x, low, high float64) {
	if !(x >= low && x <= high) || math.IsNaN(x) {
		v.problems.Add(path, "%v is out of range; %v to %v", x, low, high)
	}
}

// oneOf reports a word that is not among words; the empty word is the default.
func (v *validation) oneOf(path, word string, words ...string) {
	if word != "" && !slices.Contains(words, word) {
		v.problems.Add(path, "%q is none of %q%s", word, words, fault.DidYouMean(word, words))
	}
}
