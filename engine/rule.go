package engine

import "slices"

// factors are the numbers of the rule for one participant of one activity.
// In mode multiply: rank × keyman × kind × cue × source × role + bonus.
type factors struct {
	rank, keyman, kind, cue, source, role, bonus float64
	none                                         bool // kind or rank is not in the table, the kind has 0 points, or the person declined
	found                                        found
}

// rule gives the factors that all participants of an activity share; ok is
// false when nobody can earn anything by it. A kind of 0 points earns nothing
// in any mode: an attempt is no contact. trust is what is left of the
// points of a hand-typed record that no machine confirms.
func (r *rules) rule(a *Activity, trust float64) (f factors, ok bool) {
	k, found := r.kinds[a.Kind]
	if !found || int(a.Direction) >= len(k.points) || k.points[a.Direction] == 0 {
		return f, false
	}
	f = factors{kind: k.points[a.Direction], cue: 1, source: trust, role: 1}
	if len(r.sources) > 0 {
		if x, ok := r.sources[a.Source]; ok {
			f.source *= x
		}
	}
	for i, name := range a.Cues {
		if q, ok := r.cues[name]; ok && !slices.Contains(a.Cues[:i], name) {
			f.cue *= q.factor
			f.bonus += q.bonus
		}
	}
	return f, true
}

// factors completes base for one participant, and gives the rank's class.
// signs are the cues that the engine found; those that the record names count once.
func (r *rules) factors(base factors, a *Activity, who *Participant, signs found) (factors, Class) {
	f := base
	k, known := r.ranks[who.Rank]
	switch r.mode {
	case "flat":
		f.rank, f.keyman = 1, 1
	case "add":
		f.rank = k.points
		if who.Keyman {
			f.keyman = r.keyman
		}
	default:
		f.rank, f.keyman = k.points, 1
		if who.Keyman {
			f.keyman = r.keyman
		}
	}
	for i, q := range r.signs {
		if q != nil && signs.has(i) && !slices.Contains(a.Cues, signNames[i]) {
			f.found = f.found.with(i)
			f.cue *= q.factor
			f.bonus += q.bonus
		}
	}
	f.cue = min(f.cue, r.cueLimit)
	switch who.Role {
	case Cc:
		f.role = r.cc
	case Declined:
		f.role = 0
	}
	f.none = who.Role == Declined || !known && r.mode != "flat"
	return f, k.class
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

// trust gives the factor of the contact that activity i stands for: less than 1
// where all its records were typed by hand and the table doubts such.
func (s *scratch) trust(p *Points, acts []Activity, i int) float64 {
	if p.unconfirmed == 1 {
		return 1
	}
	machine := func(j int32) bool {
		word := p.precedence.is(&acts[j])
		return word != reportSource && word != crmSource
	}
	if slices.ContainsFunc(s.clusters.members[int32(i)], machine) || machine(int32(i)) {
		return 1
	}
	return p.unconfirmed
}
