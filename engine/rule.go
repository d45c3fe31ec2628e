package engine

import "slices"

// factors are the numbers of the rule for one participant of one activity.
// In mode multiply: rank × keyman × kind × cue × source × role + bonus.
type factors struct {
	rank, keyman, kind, cue, source, role, bonus float64
	none                                         bool // kind or rank is not in the table, the kind has 0 points, or the person declined
	repeat                                       bool // the cue "repeat" was found here
}

// rule gives the factors that all participants of an activity share; ok is
// false when nobody can earn anything by it. A kind of 0 points earns nothing
// in any mode: an attempt is no contact.
func (p *Points) rule(a *Activity) (f factors, ok bool) {
	k, found := p.kinds[a.Kind]
	if !found || int(a.Direction) >= len(k.points) || k.points[a.Direction] == 0 {
		return f, false
	}
	f = factors{kind: k.points[a.Direction], cue: 1, source: 1, role: 1}
	if len(p.config.SourceFactors) > 0 {
		if x, ok := p.config.SourceFactors[a.Source]; ok {
			f.source = x
		}
	}
	for i, name := range a.Cues {
		if q, ok := p.cues[name]; ok && !slices.Contains(a.Cues[:i], name) {
			f.cue *= q.factor
			f.bonus += q.bonus
		}
	}
	return f, true
}

// factors completes base for one participant, and gives the rank's class.
func (p *Points) factors(base factors, a *Activity, who *Participant, repeat bool) (factors, Class) {
	f := base
	r, found := p.ranks[who.Rank]
	switch p.mode {
	case "flat":
		f.rank, f.keyman = 1, 1
	case "add":
		f.rank = r.points
		if who.Keyman {
			f.keyman = p.config.KeymanFactor
		}
	default:
		f.rank, f.keyman = r.points, 1
		if who.Keyman {
			f.keyman = p.config.KeymanFactor
		}
	}
	if repeat && p.kinds[a.Kind].meeting && !slices.Contains(a.Cues, RepeatCue) {
		f.repeat = true
		f.cue *= p.repeat.factor
		f.bonus += p.repeat.bonus
	}
	f.cue = min(f.cue, p.config.CueLimit)
	switch who.Role {
	case Cc:
		f.role = p.config.CcFactor
	case Declined:
		f.role = 0
	}
	f.none = who.Role == Declined || !found && p.mode != "flat"
	return f, r.class
}

// milli gives the milli-points of the factors: the one place where they are rounded.
func (f *factors) milli(mode string) int64 {
	if f.none {
		return 0
	}
	points := f.rank * f.keyman * f.kind
	if mode == "add" {
		points = f.rank + f.keyman + f.kind
	}
	// The conversion keeps the compiler from fusing product and sum, which would give other last bits on some machines.
	return milli(float64(points*f.cue*f.source*f.role) + f.bonus)
}
