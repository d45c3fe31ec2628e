package pipeline

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"strings"

	"energyd/engine"
	"energyd/internal/explain"
	"energyd/internal/fault"
	"energyd/internal/store"
	"energyd/sink"
)

// wanted gives what the CRM shall hold in the records of one Writing whose score may have moved.
func (p *Pipeline) wanted(ctx context.Context, w sink.Writing) iter.Seq2[sink.Wanted, error] {
	x := p.explainer(ctx)
	reasons := slices.ContainsFunc(w.Fields, func(f sink.FieldOf) bool { return strings.HasPrefix(f.Measure, "reason_") })
	alarms := slices.ContainsFunc(w.Fields, func(f sink.FieldOf) bool { return strings.HasPrefix(f.Measure, "alarm") })
	return func(yield func(sink.Wanted, error) bool) {
		for entry, err := range p.store.Changed(ctx, w.Kind, 0) {
			var wanted sink.Wanted
			if err == nil {
				wanted, err = p.want(ctx, x, entry, reasons, alarms)
			}
			if !yield(wanted, err) || err != nil {
				return
			}
		}
	}
}

func (p *Pipeline) want(ctx context.Context, x *explain.Explainer, entry store.Entry, reasons, alarms bool) (sink.Wanted, error) {
	e := entry.Entity
	profile, _, err := p.store.Profile(ctx, e)
	if err != nil {
		return sink.Wanted{}, err
	}
	score := p.points.Evaluate(e.Kind, entry.Cells, p.AsOf())
	s := sink.Subject{Score: score, Band: p.points.Band(score.Band).Label.In(p.cfg.Language),
		HalfLife: p.table.HalfLifeDays, TableVersion: p.points.Version(),
		Trend: explain.TrendLabel(score.Trend).In(p.cfg.Language)}
	s.Earned3m, s.EarnedRatio3m = p.lately(score.Recent)
	if alarms {
		a, told, err := p.toldOf(ctx, e)
		if err != nil {
			return sink.Wanted{}, err
		}
		if told {
			s.Alarm, s.AlarmReason = explain.AlarmLabel(a.Kind).In(p.cfg.Language), x.Alarm(a)
		}
	}
	if reasons {
		acts, err := p.near(ctx, e, profile)
		if err != nil {
			return sink.Wanted{}, err
		}
		if s.Reasons, err = x.Reasons(acts, e, score.AsOf, 3); err != nil {
			return sink.Wanted{}, err
		}
	}
	// The CRM rolls contacts and deals up to their account, and locks it for that.
	parent := ""
	if e.Kind == engine.Contact || e.Kind == engine.Deal {
		parent = profile.Account
	}
	return sink.Want(e.ID, profile.Name, parent, s), nil
}

// near gives the activities that an entity's reasons come from: those of its
// account, of a group those of all its accounts. A rep's would be everybody's, so a rep has no reasons.
func (p *Pipeline) near(ctx context.Context, e engine.Entity, profile engine.Profile) ([]engine.Activity, error) {
	switch {
	case e.Kind == engine.Account:
		return p.store.AccountActivities(ctx, e.ID)
	case e.Kind == engine.CompanyGroup:
		return p.below(ctx, e.ID)
	case e.Kind != engine.Rep && profile.Account != "":
		return p.store.AccountActivities(ctx, profile.Account)
	}
	return nil, nil
}

// Scores gives the scores of all entities of one kind.
func (p *Pipeline) Scores(ctx context.Context, kind engine.EntityKind) iter.Seq2[engine.EntityScore, error] {
	return func(yield func(engine.EntityScore, error) bool) {
		for entry, err := range p.store.Ledger(ctx, kind) {
			s := engine.EntityScore{Entity: entry.Entity}
			if err == nil {
				s.Score = p.points.Evaluate(kind, entry.Cells, p.AsOf())
			}
			if !yield(s, err) || err != nil {
				return
			}
		}
	}
}

// Explain says why an entity's number is what it is. name is "kind:id" or an
// id, another key or a name of the directory; of accounts first.
// Faults: config (not found, ambiguous).
func (p *Pipeline) Explain(ctx context.Context, name string) (explain.Explanation, error) {
	e, err := p.find(ctx, name)
	if err != nil {
		return explain.Explanation{}, err
	}
	entry, ok, err := p.store.LedgerEntry(ctx, e)
	if err != nil {
		return explain.Explanation{}, err
	}
	if !ok {
		return explain.Explanation{}, fault.New(fault.Config, "explain", fmt.Sprintf("%s %s has no energy: no activity of it is stored", e.Kind, e.ID),
			"pull first, or look for its records among the rejects (energyd rejects list)", nil)
	}
	var acts []engine.Activity
	switch e.Kind {
	case engine.Account:
		acts, err = p.store.AccountActivities(ctx, e.ID)
	case engine.CompanyGroup:
		if p.groups, _, err = p.hierarchy(ctx); err == nil {
			acts, err = p.below(ctx, e.ID)
		}
	default:
		acts, err = p.of(ctx, e)
	}
	if err != nil {
		return explain.Explanation{}, err
	}
	why, err := p.explainer(ctx).Explain(acts, e, p.points.Evaluate(e.Kind, entry.Cells, p.AsOf()))
	if err != nil {
		return why, err
	}
	if why.Since, err = p.since(ctx, e, entry.Cells); err != nil {
		return why, err
	}
	kept, err := p.store.AlarmsOf(ctx, e)
	for _, a := range kept {
		why.Became(a.Raised)
	}
	return why, err
}

// Undelivered is a customer's person whose last mail came back.
type Undelivered struct {
	explain.Undelivered
	Account, AccountName string
}

// Undelivered lists the people whose last mail came back, account by account.
func (p *Pipeline) Undelivered(ctx context.Context) iter.Seq2[Undelivered, error] {
	return func(yield func(Undelivered, error) bool) {
		x := p.explainer(ctx)
		for acts, err := range p.accounts(ctx) {
			var list []explain.Undelivered
			if err == nil {
				list, err = x.Undelivered(acts, p.AsOf())
			}
			if err != nil {
				yield(Undelivered{}, err)
				return
			}
			if len(list) == 0 {
				continue
			}
			account, _, err := p.store.Profile(ctx, engine.Entity{Kind: engine.Account, ID: acts[0].Account})
			for _, u := range list {
				if !yield(Undelivered{u, acts[0].Account, account.Name}, err) || err != nil {
					return
				}
			}
		}
	}
}

// accounts gives the activities of all accounts, those of one account at a time; they are not kept.
func (p *Pipeline) accounts(ctx context.Context) iter.Seq2[[]engine.Activity, error] {
	return func(yield func([]engine.Activity, error) bool) {
		var acts []engine.Activity
		for a, err := range p.store.Activities(ctx) {
			if err != nil {
				yield(nil, err)
				return
			}
			if len(acts) > 0 && acts[0].Account != a.Account {
				if !yield(acts, nil) {
					return
				}
				acts = acts[:0]
			}
			acts = append(acts, a)
		}
		if len(acts) > 0 {
			yield(acts, nil)
		}
	}
}

// of gives the activities of all accounts that a contact, deal or rep takes part in.
func (p *Pipeline) of(ctx context.Context, e engine.Entity) ([]engine.Activity, error) {
	var acts []engine.Activity
	for account, err := range p.accounts(ctx) {
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(account, func(a engine.Activity) bool { return involves(a, e) }) {
			acts = append(acts, account...)
		}
	}
	return acts, nil
}

func involves(a engine.Activity, e engine.Entity) bool {
	is := func(s engine.Share) bool { return s.ID == e.ID }
	switch e.Kind {
	case engine.Contact:
		return slices.ContainsFunc(a.People, func(t engine.Participant) bool { return t.Contact == e.ID })
	case engine.Deal:
		return slices.ContainsFunc(a.Deals, is)
	case engine.Rep:
		return slices.ContainsFunc(a.Reps, is)
	}
	return a.Account == e.ID
}
