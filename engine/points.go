package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"time"
)

// Points is a compiled points table. It is immutable and safe for concurrent use.
type Points struct {
	config      PointsConfig
	fingerprint string

	zone        zone
	clock       clock
	closingDay  int // 0 = month end
	fiscalStart int // month
	groups      []group
	window      int  // the longest of the groups' windows
	periodCaps  bool // some groups have a limit per period
	perDay      bool // some groups have a limit per day
	stay        int  // days of the clock before a band is left downwards

	editions    []*rules // newest first
	kinds       map[string]kind
	families    bool // some kinds have one
	precedence  precedence
	unconfirmed float64 // of hand-typed records that no machine confirms
	derives     found   // cues that are looked for
	repeatDays  int
	bandUp      []int64 // milli-points
	bandDown    []int64
	trend       trend
	alarms      alarms
	habitless   [256]bool // by Group: its contacts do not count for habits
	negatives   [256]bool // by Group

	scratch sync.Pool // of *scratch, for Contributions
}

// kind is what contacts of a kind are; what they are worth is in rules.
type kind struct {
	meeting bool
	undoes  bool
	theirs  bool
	family  string
}

// algorithm is part of every fingerprint: raise it when a change of code may change a score.
const algorithm = 3

// Compile makes Points of a table. It reads the zone from Go's time zone
// database and does no other I/O. Errors: those of Validate.
func Compile(c *PointsConfig) (*Points, error) {
	for _, edition := range c.editions() {
		if err := edition.Validate(); err != nil {
			return nil, err
		}
		if edition.Earlier != "" && edition.EarlierEdition == nil {
			return nil, fmt.Errorf("points table %s: its earlier edition %s was not loaded", edition.Version, edition.Earlier)
		}
	}
	loc, err := time.LoadLocation(c.Timezone)
	if err != nil {
		return nil, fmt.Errorf("time zone: %w", err)
	}
	one := 1.0
	p := &Points{
		config:      c.copied(),
		zone:        newZone(loc),
		clock:       newClock(c.Clock == "business", c.ShutdownDays),
		closingDay:  c.ClosingDay % 31,
		fiscalStart: c.FiscalYearStart,
		groups:      c.groups(),
		stay:        c.BandStayDays,
		kinds:       make(map[string]kind, len(c.Kinds)),
		unconfirmed: first(c.UnconfirmedFactor, &one),
		scratch:     sync.Pool{New: func() any { return new(scratch) }},
	}
	for i := range p.groups {
		g := &p.groups[i]
		p.window = max(p.window, g.window())
		p.periodCaps, p.perDay = p.periodCaps || g.periodCap > 0, p.perDay || g.perDay > 0
	}
	p.precedence = newPrecedence(&p.config)
	if p.fiscalStart == 0 {
		p.fiscalStart = int(time.April)
	}
	for name, k := range c.Kinds {
		p.kinds[name] = kind{meeting: k.Meeting, undoes: k.Undoes, theirs: k.Theirs, family: k.Family}
		p.families = p.families || k.Family != ""
	}
	for _, edition := range c.editions() {
		r := newRules(edition, c)
		p.editions = append(p.editions, r)
		p.derives |= r.looked()
		if p.repeatDays == 0 {
			p.repeatDays = edition.Cues[RepeatCue].WithinDays
		}
	}
	for _, b := range c.Bands {
		p.bandUp = append(p.bandUp, milli(b.Up))
		p.bandDown = append(p.bandDown, milli(b.Down))
	}
	p.trend, p.alarms = newTrend(c.Trend), newAlarms(c)
	p.habitless[Booked] = true
	for i, g := range c.Groups {
		p.negatives[i] = g.Negative
		p.habitless[i] = g.Negative || c.Alarms != nil && slices.Contains(c.Alarms.IgnoreGroups, g.Name)
	}
	p.fingerprint, err = fingerprint(*c)
	return p, err
}

// copied gives a copy with maps and lists of its own. The numbers behind pointers are read by Compile alone.
func (c *PointsConfig) copied() PointsConfig {
	own := *c
	own.Kinds, own.Ranks, own.Cues = maps.Clone(c.Kinds), maps.Clone(c.Ranks), maps.Clone(c.Cues)
	own.SourceFactors, own.Classes, own.Sources = maps.Clone(c.SourceFactors), maps.Clone(c.Classes), maps.Clone(c.Sources)
	own.Precedence = PrecedenceConfig{slices.Clone(c.Precedence.Kind), slices.Clone(c.Precedence.Time), slices.Clone(c.Precedence.People)}
	own.Groups, own.Tables = slices.Clone(c.Groups), slices.Clone(c.Tables)
	own.ShutdownDays, own.Bands = slices.Clone(c.ShutdownDays), slices.Clone(c.Bands)
	return own
}

// first gives the number of the first pointer that is set.
func first(a, b *float64) float64 {
	if a != nil {
		return *a
	}
	return *b
}

// milli rounds points to milli-points.
func milli(points float64) int64 { return int64(math.Round(points * 1000)) }

// fingerprint hashes all of a table that a score depends on: not its version, not its labels.
func fingerprint(c PointsConfig) (string, error) {
	c.Rank = "" // it decides what activities say, before they are scored
	c = c.copied()
	c.Version, c.Classes, c.Earlier = "", nil, ""
	earlier := ""
	if c.EarlierEdition != nil {
		var err error
		if earlier, err = fingerprint(*c.EarlierEdition); err != nil {
			return "", err
		}
		c.EarlierEdition = nil
	}
	days := ""
	if c.Clock == "business" {
		days = holidayText
	}
	for name, k := range c.Kinds {
		k.Label = Label{}
		c.Kinds[name] = k
	}
	for name, r := range c.Ranks {
		r.Label = Label{}
		c.Ranks[name] = r
	}
	for name, q := range c.Cues {
		q.Label = Label{}
		c.Cues[name] = q
	}
	for i := range c.Bands {
		c.Bands[i].Label = Label{}
	}
	for i := range c.Groups {
		c.Groups[i].Label = Label{}
	}
	for i := range c.Tables {
		c.Tables[i].Name = ""
	}
	text, err := json.Marshal(struct {
		Algorithm int
		Holidays  string
		Table     PointsConfig
		Earlier   string
	}{algorithm, days, c, earlier})
	if err != nil {
		return "", fmt.Errorf("fingerprint of the points table: %w", err)
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8]), nil
}

// Version names the table, as its owner did.
func (p *Points) Version() string { return p.config.Version }

// Fingerprint changes when any score could change; labels and the version's name do not count.
func (p *Points) Fingerprint() string { return p.fingerprint }

// Kinds lists the kinds of contact, sorted.
func (p *Points) Kinds() []string { return slices.Sorted(maps.Keys(p.config.Kinds)) }

// Ranks lists the ranks, sorted; UnknownRank is one of them.
func (p *Points) Ranks() []string { return slices.Sorted(maps.Keys(p.config.Ranks)) }

// Cues lists the cues, sorted.
func (p *Points) Cues() []string { return slices.Sorted(maps.Keys(p.config.Cues)) }

// KindLabel gives the label of a kind; empty when the table has none.
func (p *Points) KindLabel(kind string) Label { return p.config.Kinds[kind].Label }

// CueLabel gives the label of a cue; empty when the table has none.
func (p *Points) CueLabel(cue string) Label { return p.config.Cues[cue].Label }

// RankLabel gives the label of a rank; "" is the unknown rank.
func (p *Points) RankLabel(rank string) Label {
	if rank == "" {
		rank = UnknownRank
	}
	return p.config.Ranks[rank].Label
}

// ClassOf gives the class of a rank; ClassUnknown for one that the table lacks.
func (p *Points) ClassOf(rank string) Class {
	return Class(max(0, slices.Index(classNames, p.config.Ranks[rank].Class)))
}

// ClassLabel gives the label of a rank class.
func (p *Points) ClassLabel(c Class) Label { return p.config.Classes[c.String()] }

// String gives "unknown", "staff", "manager" or "executive".
func (c Class) String() string { return classNames[c] }

// BandInfo names a band.
type BandInfo struct {
	Name  string
	Label Label
	Up    float64 // points from which on it is entered
}

// Bands gives the number of bands.
func (p *Points) Bands() int { return len(p.config.Bands) }

// Band names band i, 0 being the coldest.
func (p *Points) Band(i int) BandInfo {
	b := p.config.Bands[i]
	return BandInfo{Name: b.Name, Label: b.Label, Up: b.Up}
}

// CalendarWarning tells that the list of holidays that the business clock goes by
// ends within a year of a date; "" when it does not, or all days count.
func (p *Points) CalendarWarning(asOf Date) string {
	end := holidays().end
	if !p.clock.business || end-asOf > 365 {
		return ""
	}
	return fmt.Sprintf("the Cabinet Office's list of holidays in this energyd ends on %v; a newer energyd has the next one. Later holidays are computed from the law, and may differ where Parliament moves one", end)
}

// expectedOrder is how serious these contacts are, most serious first, whatever the numbers.
var expectedOrder = []struct {
	kind      string
	direction Direction
}{{"visit_by_customer", Mutual}, {"visit", Mutual}, {"phone", Inbound}, {"mail", Inbound}}

// Warnings tells what is allowed in a table but hardly meant: a customer who
// comes to us must count more than a visit of ours, a call, a mail.
func (p *Points) Warnings() []string {
	var warnings []string
	var above string
	var aboveFrom float64
	for _, e := range expectedOrder {
		k, ok := p.editions[0].kinds[e.kind]
		if !ok {
			continue
		}
		points := k.points[e.direction]
		if above != "" && points >= aboveFrom {
			warnings = append(warnings, fmt.Sprintf("kinds.%s: %v points (direction %s) is not below the %v of %s; the order visit_by_customer > visit > phone > mail is expected",
				e.kind, points, directionNames[e.direction], aboveFrom, above))
		}
		above, aboveFrom = e.kind, points
	}
	return warnings
}
