package pipeline

import (
	"context"
	"errors"
	"maps"
	"slices"

	"energyd/engine"
	"energyd/internal/store"
)

// follow draws the consequences of merges and decisions, alone.
func (p *Pipeline) follow(ctx context.Context) error {
	if err := p.alone(ctx); err != nil {
		return err
	}
	return errors.Join(p.followMerges(ctx), p.followDecisions(ctx), p.hold.Give(store.Scores))
}

// followMerges lets the sources be read again whose activities name an entity
// by a key, when it has gone into another one: they mean the other one now.
// What the CRM itself holds comes again without that, because a merge changes it
// there. The same when such a one stands by itself again.
func (p *Pipeline) followMerges(ctx context.Context) error {
	merged, upTo, err := p.store.Merged(ctx)
	if err != nil {
		return err
	}
	parted, err := p.store.Parted(ctx)
	if err != nil || len(merged)+len(parted) == 0 {
		return err
	}
	for _, e := range parted { // activities name what the others had gone into
		profile, _, err := p.store.Profile(ctx, e)
		if err != nil {
			return err
		}
		profile.Entity = e
		merged = append(merged, profile)
	}
	if _, err := p.fold(ctx); err != nil { // what a run that was killed left
		return err
	}
	again := map[string]bool{}
	for _, e := range merged {
		accounts := []string{e.Account}
		if e.Kind == engine.Account {
			accounts[0] = e.ID
		} else { // a lead has no account; the contact that it became has
			now, err := p.present(ctx, e.Entity)
			if err != nil {
				return err
			}
			into, _, err := p.store.Profile(ctx, now)
			if err != nil {
				return err
			}
			accounts = append(accounts, into.Account)
		}
		for _, account := range accounts {
			activities, err := p.store.AccountActivities(ctx, account)
			if err != nil {
				return err
			}
			for _, a := range activities {
				if m := p.mappings[a.Source]; m != nil && m.Finds() && !a.Deleted && names(a, e.Entity) {
					again[a.Source] = true
				}
			}
		}
	}
	for _, source := range slices.Sorted(maps.Keys(again)) {
		p.log.Info("read again: its activities name what was merged", "source", source)
		if err := p.store.ReadAgain(ctx, source); err != nil {
			return err
		}
	}
	return p.store.Followed(ctx, upTo)
}

// names tells whether an activity names an entity.
func names(a engine.Activity, e engine.Entity) bool {
	is := func(s engine.Share) bool { return s.ID == e.ID }
	switch e.Kind {
	case engine.Account:
		return a.Account == e.ID
	case engine.Contact:
		return slices.ContainsFunc(a.People, func(p engine.Participant) bool { return p.Contact == e.ID })
	case engine.Deal:
		return slices.ContainsFunc(a.Deals, is)
	}
	return slices.ContainsFunc(a.Reps, is)
}
