package sink

import (
	"context"
	"fmt"
	"math"
	"strings"
	"time"

	"energyd/internal/fault"
)

// Plans are the section plans of energyd.yaml.
type Plans struct {
	Expires  time.Duration `yaml:"expires"` // a plan waits no longer than that to be applied; 0 = as by default
	Keep     time.Duration `yaml:"keep"`    // records' changes are kept for so long, and can be undone; 0 = for ever
	Smallest Threshold     `yaml:"smallest"`
}

// Threshold is how far an energy has to move to be written for that alone: by
// both so many points and so many percent (energy-model.md §4.6).
type Threshold struct {
	Points  float64 `yaml:"points"`
	Percent float64 `yaml:"percent"`
}

// DefaultPlans are those of a configuration without the section.
func DefaultPlans() Plans {
	return Plans{Expires: 48 * time.Hour, Keep: 90 * 24 * time.Hour, Smallest: Threshold{Points: 1, Percent: 5}}
}

// Problems finds what is wrong in the section, by paths below "plans".
func (p Plans) Problems() fault.Problems {
	var ps fault.Problems
	if p.Expires < 0 {
		ps.Add("plans.expires", "needs a time as 48h")
	}
	if p.Keep < 0 || p.Keep > 0 && p.Keep < 7*24*time.Hour {
		ps.Add("plans.keep", "needs a week or more, as 2160h for 90 days, or 0 for ever: what is not kept cannot be undone")
	}
	for name, v := range map[string]float64{"points": p.Smallest.Points, "percent": p.Smallest.Percent} {
		if v < 0 || math.IsNaN(v) {
			ps.Add("plans.smallest."+name, "needs a number, 0 or more; it is %g", v)
		}
	}
	return ps
}

// exceeded tells whether an energy moved far enough. Without a threshold the default one holds.
func (t Threshold) exceeded(was, is float64) bool {
	if t == (Threshold{}) {
		t = DefaultPlans().Smallest
	}
	return math.Abs(is-was) >= max(t.Points, t.Percent/100*math.Abs(was))
}

// Ready finds the plan with this hash, or the latest for "", and tells whether it may be sent.
// Faults: conflict (no such plan, applied, replaced, too old), braked.
func (s *Sink) Ready(ctx context.Context, hash string, now time.Time) (Summary, error) {
	plan, ok, err := s.Store.Plan(ctx, hash)
	if err != nil {
		return Summary{}, err
	}
	refuse := func(hint, format string, args ...any) (Summary, error) {
		return Summary{}, fault.New(fault.Conflict, "apply", fmt.Sprintf(format, args...), hint, nil)
	}
	expires := s.Plans.Expires
	if expires == 0 {
		expires = DefaultPlans().Expires
	}
	switch {
	case !ok && hash == "":
		return refuse("run energyd plan first", "there is no plan")
	case !ok:
		return refuse("run energyd plan, and take the hash that it prints", "there is no plan %s", hash)
	case plan.Records == 0:
		return plan, nil
	case plan.State == Superseded:
		return refuse("apply the newer plan; energyd status names it", "plan %s was replaced by a newer one", plan.Plan)
	case plan.State == Done:
		return refuse("run energyd plan for what has changed since", "plan %s has been applied already", plan.Plan)
	case now.Sub(plan.Created) > expires:
		return refuse("run energyd plan again: the energies and the CRM have moved on since (plans.expires says how long a plan may wait)",
			"plan %s is from %s and older than %s", plan.Plan, plan.Created.Format("2006-01-02 15:04 MST"), coarse(expires))
	}
	if held := plan.holding(s.Word); len(held) > 0 {
		return plan, held.refusal(plan)
	}
	return plan, nil
}

// refusal says which brakes hold a plan, and how a person lets it go on.
func (held heldBrakes) refusal(plan Summary) error {
	lines := make([]string, len(held))
	for i, b := range held {
		lines[i] = b.String()
	}
	return fault.New(fault.Braked, "apply", fmt.Sprintf("plan %s waits for you: %s", plan.Plan, strings.Join(lines, "; ")),
		"look at it with energyd plan --show "+plan.Plan+"; if it is right, send it with "+plan.Release(), nil)
}
