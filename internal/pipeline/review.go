package pipeline

import (
	"context"
)

// review looks at all that is stored when a run may have changed what follows
// from all of it: the ranks that contacts had, and how good the sources are; and once a month
// at how contacts moved away from what points were learnt from (decisions/0121).
// It reads everything once for all of them (decisions/0081).
func (p *Pipeline) review(ctx context.Context, r *Report) error {
	much, err := p.much(ctx, r)
	if err != nil {
		return err
	}
	told, err := p.toLearn(ctx, r, much)
	if err != nil {
		return err
	}
	var found *qualities
	if much {
		found = p.toMeasure(r)
	}
	habits, err := p.toCompare(ctx)
	if err != nil {
		return err
	}
	if told == nil && found == nil && habits == nil {
		return nil
	}
	for a, err := range p.store.Activities(ctx) {
		if err != nil {
			return err
		}
		told.add(&a)
		found.add(a)
		if habits != nil {
			habits.Add(&a)
		}
	}
	if habits != nil {
		if err := p.keepDrift(ctx, p.today(), habits.Drifts()); err != nil {
			return err
		}
	}
	if told != nil {
		if err := p.rerank(ctx, r, told); err != nil {
			return err
		}
	}
	if found == nil {
		return nil
	}
	return p.keepQuality(ctx, r, found)
}

// soon is how many activities are looked at in a second or two.
const soon = 200_000

// much tells whether all that is stored is looked at after a run that changed
// something: always in a store of up to soon activities; in a larger one after
// a complete reading, or when a hundredth of it changed. A night of a thousand reports
// among a million would else cost ten times as long (decisions/0078, 0089).
func (p *Pipeline) much(ctx context.Context, r *Report) (bool, error) {
	changed := 0
	for _, s := range r.Sources {
		if s.Reread != "" {
			return true, nil
		}
		changed += s.Stored + s.Skipped + s.Withdrawn
	}
	all, err := p.store.Size(ctx)
	return changed > 0 && all <= max(soon, 100*changed), err
}
