package pipeline

import (
	"context"
	"fmt"
	"slices"

	"energyd/connectors"
	"energyd/internal/config"
)

// withdraw takes back what complete readings did not find again.
func (p *Pipeline) withdraw(ctx context.Context, r *Report) error {
	activities := 0
	for i := range r.Sources {
		sr := &r.Sources[i]
		if sr.Error != "" || p.mappings[sr.Source].MakesProfiles() {
			continue // it was not read to its end, or is done
		}
		n, err := p.withdrawOlder(ctx, r, sr)
		if err != nil {
			return err
		}
		activities += n
	}
	if activities == 0 {
		return nil
	}
	_, err := p.fold(ctx)
	return err
}

func (p *Pipeline) withdrawOlder(ctx context.Context, r *Report, sr *SourceReport) (activities int, err error) {
	if !p.opt.Gone && p.vanishes(sr.Source) {
		return 0, p.store.EndReading(ctx, sr.Source, sr.revision)
	}
	w, err := p.store.WithdrawOlder(ctx, sr.Source, sr.revision, p.opt.Gone)
	if err != nil {
		return 0, err
	}
	sr.Withdrawn += w.Activities + w.Profiles
	if w.Kept > 0 {
		why := "A right or a filter may have changed there"
		if w.Rejected > 0 {
			why = fmt.Sprintf("%d were rejected: look at them first (energyd rejects list)", w.Rejected)
		}
		sr.Kept = fmt.Sprintf("its complete reading found %d records to use, and not the %d others that energyd knows; they stay. %s. "+
			"If they are really gone, tell so with: energyd pull --gone %s", w.Came, w.Kept, why, sr.Source)
		r.partial("%s: %s", sr.Source, sr.Kept)
	}
	return w.Activities, nil
}

// vanishes tells whether a source's records may go while what they told stays true.
func (p *Pipeline) vanishes(source string) bool {
	return slices.ContainsFunc(p.cfg.Sources, func(s config.Source) bool {
		v, ok := s.Stream.(connectors.Vanishing)
		return s.Name == source && ok && v.Vanishes()
	})
}
