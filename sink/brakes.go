package sink

import (
	"fmt"
	"math"
	"strings"
	"time"

	"energyd/internal/fault"
)

// Brakes are the section brakes of energyd.yaml: how far a plan may go before a
// person is asked. 0 switches a brake off. See decisions/0103.
type Brakes struct {
	Changed float64       `yaml:"changed"` // percent of the records that hold our values, whose energy would move
	Emptied float64       `yaml:"emptied"` // percent of them whose energy would fall to zero
	Jump    float64       `yaml:"jump"`    // percent by which the energy of those that move may move on average
	Rejects float64       `yaml:"rejects"` // percent of what was read of a source since the last write-back
	Stale   time.Duration `yaml:"stale"`   // since a source was last read
	First   int           `yaml:"first"`   // records that are written at once where nothing was written before
	From    int           `yaml:"from"`    // fewer records than that never brake
}

// DefaultBrakes are those of a configuration without the section.
func DefaultBrakes() Brakes {
	return Brakes{Changed: 50, Emptied: 10, Jump: 200, Rejects: 20, Stale: 72 * time.Hour, First: 1000, From: 20}
}

// Problems finds what is wrong in the section, by paths below "brakes".
func (b Brakes) Problems() fault.Problems {
	var ps fault.Problems
	for _, e := range []struct {
		name    string
		percent float64
		most    float64
	}{{"changed", b.Changed, 100}, {"emptied", b.Emptied, 100}, {"jump", b.Jump, math.Inf(1)}, {"rejects", b.Rejects, 100}} {
		if e.percent < 0 || e.percent > e.most || math.IsNaN(e.percent) {
			ps.Add("brakes."+e.name, "needs percent, or 0 for no such brake; it is %g", e.percent)
		}
	}
	if b.Stale < 0 {
		ps.Add("brakes.stale", "needs a time as 72h, or 0 for no such brake")
	}
	if b.First < 0 {
		ps.Add("brakes.first", "needs a number of records, or 0 for no such brake; it is %d", b.First)
	}
	if b.From < 0 {
		ps.Add("brakes.from", "needs a number of records, 0 or more; it is %d", b.From)
	}
	return ps
}

// String tells people where the brakes stand.
func (b Brakes) String() string {
	var on, off []string
	say := func(name string, is bool, format string, args ...any) {
		if is {
			on = append(on, fmt.Sprintf(format, args...))
		} else {
			off = append(off, name)
		}
	}
	say("changed", b.Changed > 0, "%g %% of the energies move", b.Changed)
	say("emptied", b.Emptied > 0, "%g %% fall to zero", b.Emptied)
	say("jump", b.Jump > 0, "they move by %g %% on average", b.Jump)
	say("rejects", b.Rejects > 0, "%g %% of a source are rejected", b.Rejects)
	say("stale", b.Stale > 0, "a source was not read for %s", coarse(b.Stale))
	say("first", b.First > 0, "the first write-back has %d records", b.First)
	text := "none: every plan is sent by itself"
	if len(on) > 0 {
		text = "a plan waits for you when more than this is so: " + strings.Join(on, ", ")
		if b.From > 1 {
			text += fmt.Sprintf("; fewer than %d records never brake", b.From)
		}
		if len(off) > 0 {
			text += "; off: " + strings.Join(off, ", ")
		}
	}
	return text
}

// Brake is a reason for which a plan waits for a person.
type Brake struct {
	Name string `json:"name"` // the option of the section brakes: "changed"
	Of   string `json:"of"`   // the Writing or the source
	Why  string `json:"why"`
	What string `json:"what_to_do"`
	// Confirm: naming the plan by its hash is enough. Else a reason has to be given.
	Confirm bool `json:"confirm,omitempty"`
}

func (b Brake) String() string { return fmt.Sprintf("brake %s: %s: %s", b.Name, b.Of, b.Why) }

// Read is what was read of a source since the last write-back.
type Read struct {
	Source         string
	Last           time.Time // zero: never
	First          bool      // nothing was ever written back
	Read, Rejected int
}

// OfSource gives the brakes that hold because of how a source was read.
func (b Brakes) OfSource(r Read, now time.Time) []Brake {
	var held []Brake
	switch {
	case b.Stale > 0 && r.Last.IsZero() && r.First:
		// Later on a source without a reading is a new one: it takes nothing away from what was written without it.
		held = append(held, Brake{Name: "stale", Of: r.Source, Why: "it could not be read yet, so what it tells is missing in the first write-back", Confirm: true,
			What: "run energyd pull " + r.Source + "; energyd check tells what keeps it from being read"})
	case b.Stale > 0 && !r.Last.IsZero() && now.Sub(r.Last) > b.Stale:
		held = append(held, Brake{Name: "stale", Of: r.Source, Why: fmt.Sprintf("it was last read %s ago, and more than %s is too long", coarse(now.Sub(r.Last)), coarse(b.Stale)),
			What: "run energyd pull " + r.Source + "; energyd check tells what keeps it from being read"})
	}
	if r.Rejected >= max(1, b.From) && above(r.Rejected, r.Read, b.Rejects) {
		held = append(held, Brake{Name: "rejects", Of: r.Source, Why: fmt.Sprintf("%d of %d records read since the last write-back were rejected (%s; the brake stands at %g %%)",
			r.Rejected, r.Read, percent(r.Rejected, r.Read), b.Rejects),
			What: "energyd rejects list shows each with its reason; mend the mapping or the source, and pull again"})
	}
	return held
}

// above tells whether n of all is more than so many percent; 0 percent is no limit.
func above(n, all int, percent float64) bool {
	return percent > 0 && float64(n)*100 > percent*float64(all)
}

func percent(n, all int) string { return fmt.Sprintf("%.0f %%", 100*float64(n)/float64(max(1, all))) }

// coarse is a duration as people say it.
func coarse(d time.Duration) string {
	if d >= 48*time.Hour {
		return fmt.Sprintf("%d days", int(d.Hours()/24))
	}
	return fmt.Sprintf("%d hours", int(d.Round(time.Hour).Hours()))
}

// moves is what the changes of one Writing come to, for its brakes.
type moves struct {
	records int     // planned
	moved   int     // whose energy moves, of those that held one
	emptied int     // whose energy falls to zero
	jumped  int     // with an energy before and after
	before  float64 // points of those
	by      float64 // points that they move by, up or down
}

// add counts a planned change. On the first of a month earned_3m moves for
// everybody, and takes along how far the energy has cooled since it was written: that does not count.
func (m *moves) add(w Writing, c Change, t Threshold) {
	m.records++
	band, energy, graded, periodic, held := false, false, false, false, false
	for _, f := range w.Fields {
		graded = graded || f.Measure == "energy_now" || f.Measure == "band"
		for _, d := range c.Fields {
			if d.Field != f.Field {
				continue
			}
			me, _ := measure(f.Measure)
			held, periodic = held || !empty(d.Old), periodic || me.Periodic
			switch f.Measure {
			case "band":
				band = !empty(d.Old)
			case "energy_now":
				energy = m.energy(d, t)
			}
		}
	}
	if band || !periodic && (energy || !graded && held) {
		m.moved++
	}
}

// energy counts how the energy moves, and tells whether that is worth mentioning.
func (m *moves) energy(d Delta, t Threshold) bool {
	was, _ := number(d.Old)
	is, _ := number(d.New)
	if was == 0 { // it begins
		return false
	}
	if is == 0 {
		m.emptied++
	} else {
		m.jumped++
		m.before += math.Abs(was)
		m.by += math.Abs(is - was)
	}
	return t.exceeded(was, is)
}

// ofPlan gives the brakes that hold because of what would be written; held is how
// many records hold our values, first that none was ever written.
func (b Brakes) ofPlan(w Writing, m moves, held int, first bool) []Brake {
	var list []Brake
	add := func(name, what string, confirm bool, why string, args ...any) {
		list = append(list, Brake{Name: name, Of: w.Name, Why: fmt.Sprintf(why, args...), What: what, Confirm: confirm})
	}
	const look = "look at the records with energyd plan --show, and at what changed: points table, mappings, sources (energyd status)"
	if first && b.First > 0 && m.records > b.First {
		add("first", "this is the first write-back: look at the plan with energyd plan --show, and send it by its hash", true,
			"%d records would be written at once, and nothing was written there before (the brake stands at %d)", m.records, b.First)
	}
	least := max(1, b.From)
	if m.moved >= least && above(m.moved, held, b.Changed) {
		add("changed", look, false, "the energy of %d of %d records would move (%s; the brake stands at %g %%)", m.moved, held, percent(m.moved, held), b.Changed)
	}
	if m.emptied >= least && above(m.emptied, held, b.Emptied) {
		add("emptied", look, false, "the energy of %d of %d records would fall to zero (%s; the brake stands at %g %%)", m.emptied, held, percent(m.emptied, held), b.Emptied)
	}
	if jump := 100 * m.by / m.before; m.jumped >= least && b.Jump > 0 && jump > b.Jump {
		add("jump", look, false, "the energy of %d records would move by %.0f %% on average (the brake stands at %g %%)", m.jumped, jump, b.Jump)
	}
	return list
}

// Word is a person's for a plan that brakes hold.
type Word struct {
	Named  bool   // the plan was named by its hash
	Reason string // why it goes on all the same; "" = none was given
}

// lifts tells whether the word is enough for a brake.
func (w Word) lifts(b Brake) bool { return w.Reason != "" || w.Named && b.Confirm }

type heldBrakes []Brake

// holding gives the brakes of a plan that a word does not lift. An apply that began had its word.
func (s Summary) holding(w Word) heldBrakes {
	if s.State == Applying {
		return nil
	}
	var held heldBrakes
	for _, b := range s.Brakes {
		if !w.lifts(b) {
			held = append(held, b)
		}
	}
	return held
}

// Release is the command by which a person lets a plan go on that brakes hold.
func (s Summary) Release() string {
	command := "energyd apply --plan " + s.Plan
	if len(s.holding(Word{Named: true})) > 0 {
		command += ` --override "the reason"`
	}
	return command
}
