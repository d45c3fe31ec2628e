package pipeline

import (
	"context"
	"fmt"

	"energyd/engine"
	"energyd/internal/explain"
	"energyd/internal/store"
)

// raise looks for alarms among the entities whose score may have moved since it
// last did, and keeps what becomes of them (decisions/0095). What was decided before stays.
func (p *Pipeline) raise(ctx context.Context, r *Report) error {
	asOf := p.AsOf()
	muted, err := p.muted(ctx, r)
	if err != nil {
		return err
	}
	decidedUpTo, err := p.store.AlarmsUpTo(ctx)
	if err != nil {
		return err
	}
	upTo, err := p.store.Generation(ctx)
	if err != nil {
		return err
	}
	var looked []engine.Entity
	var night []engine.Raised
	tests := 0
	for _, kind := range []engine.EntityKind{engine.Account, engine.Contact, engine.Deal} {
		if !p.points.AlarmsOf(kind) {
			if err := p.store.EndAlarms(ctx, asOf, kind); err != nil {
				return err
			}
			continue
		}
		var some []scored // of those looked at, with alarms
		for entry, err := range p.store.Changed(ctx, kind, decidedUpTo) {
			if err != nil {
				return err
			}
			score := p.points.Evaluate(kind, entry.Cells, asOf)
			looked = append(looked, entry.Entity)
			if p.points.Stirs(score) {
				tests++
			}
			if len(score.Alarms) == 0 {
				continue
			}
			some = append(some, scored{entry.Entity.ID, score.Best, score.Alarms})
			if len(some) == profilesAtOnce {
				if night, err = p.gather(ctx, night, kind, some, muted); err != nil {
					return err
				}
				some = some[:0]
			}
		}
		if night, err = p.gather(ctx, night, kind, some, muted); err != nil {
			return err
		}
	}
	if len(looked) == 0 {
		return nil
	}
	before, err := p.store.Standing(ctx, looked)
	if err != nil {
		return err
	}
	told, err := p.store.ToldOf(ctx, asOf-6, asOf)
	if err != nil {
		return err
	}
	decided(night, before)
	p.points.Decide(night, tests, told)
	return p.store.SaveAlarms(ctx, asOf, upTo, before, night)
}

// profilesAtOnce is of how many entities with alarms the directory is asked at once.
const profilesAtOnce = 400

// scored is an entity with alarms: what of its score decides who is told.
type scored struct {
	id     string
	best   int
	alarms []engine.Alarm
}

// gather adds alarms of entities of a kind, but those of customers that are not important enough for them.
func (p *Pipeline) gather(ctx context.Context, night []engine.Raised, kind engine.EntityKind, some []scored, muted map[string][]engine.MuteConfig) ([]engine.Raised, error) {
	ids := make([]string, len(some))
	for i, s := range some {
		ids[i] = s.id
	}
	profiles, err := p.store.ProfilesOf(ctx, kind, ids)
	if err != nil {
		return nil, err
	}
	accounts := profiles
	if kind != engine.Account {
		ids = ids[:0]
		for _, profile := range profiles {
			ids = append(ids, profile.Account)
		}
		if accounts, err = p.store.ProfilesOf(ctx, engine.Account, ids); err != nil {
			return nil, err
		}
	}
	for _, s := range some {
		profile, id := profiles[s.id], s.id
		if kind != engine.Account {
			id = profile.Account
		}
		account := accounts[id]
		account.ID = id // also when the CRM never told of it
		rep := profile.Owner
		if rep == "" {
			rep = account.Owner
		}
		important := p.points.Important(account, s.best)
		for _, a := range s.alarms {
			if !important && (a.Kind == engine.Low || a.Kind == engine.Halved) {
				continue
			}
			raised := engine.Raised{Entity: engine.Entity{Kind: kind, ID: s.id}, Rep: rep, Alarm: a, New: true}
			for _, m := range muted[account.ID] {
				raised.Muted = raised.Muted || m.Mutes(a.Kind, p.AsOf())
			}
			night = append(night, raised)
		}
	}
	return night, nil
}

// decided brings back what earlier nights decided.
func decided(night []engine.Raised, before []store.Standing) {
	type key struct {
		engine.Entity
		kind  engine.AlarmKind
		since engine.Date
	}
	stood := make(map[key]store.Standing, len(before))
	for _, a := range before {
		stood[key{a.Entity, a.Alarm, a.Since}] = a
	}
	for i := range night {
		r := &night[i]
		if a, ok := stood[key{r.Entity, r.Alarm.Kind, r.Alarm.Since}]; ok {
			r.New, r.State, r.Reason = false, a.State, a.Reason
		}
	}
}

// muted gives the rules of alarms.mute by account id, and has a plan look at
// all whom one concerns: rules come and go without any news of the customer.
func (p *Pipeline) muted(ctx context.Context, r *Report) (map[string][]engine.MuteConfig, error) {
	rules := map[string][]engine.MuteConfig{}
	var concerned []engine.Entity
	for _, m := range p.points.Mutes() {
		e, err := p.find(ctx, "account:"+m.Account)
		if err != nil {
			r.Warnings = append(r.Warnings, fmt.Sprintf("alarms.mute in the points table: %v", err))
			continue
		}
		rules[e.ID] = append(rules[e.ID], m)
		concerned = append(concerned, e)
	}
	muted, err := p.store.MutedByRule(ctx)
	if err != nil {
		return nil, err
	}
	for _, a := range muted {
		concerned = append(concerned, a.Entity)
	}
	return rules, p.store.Touch(ctx, concerned)
}

// firstTold gives the first of an entity's alarms that people are told of; false when there is none.
func firstTold(list []store.Alarm) (engine.Alarm, bool) {
	for _, a := range list {
		if a.State == engine.Fired {
			return a.Alarm, true
		}
	}
	return engine.Alarm{}, false
}

// lately gives what was earned lately as the CRM shows it.
func (p *Pipeline) lately(r engine.Recent) (earned, ratio *float64) {
	if p.table.Alarms == nil {
		return nil, nil
	}
	if p.table.Alarms.Low != nil {
		points := float64(r.Milli) / 1000
		earned = &points
	}
	if share, ok := r.Ratio(); ok && p.table.Alarms.Halved != nil {
		ratio = &share
	}
	return earned, ratio
}

// Raised is an alarm that stands, with the names that people know.
type Raised struct {
	explain.Alarm
	Entity  string `json:"entity"`
	ID      string `json:"id"`
	Name    string `json:"name,omitempty"`
	Rep     string `json:"rep_id,omitempty"`
	RepName string `json:"rep,omitempty"`
	Link    string `json:"link,omitempty"` // where it stands in the CRM
	Decided string `json:"decided"`        // on which it was decided what becomes of it
}

// Alarms gives the alarms that stand, the least likely first: those that
// people are told of, or all. The last pull or plan decided what becomes of each.
func (p *Pipeline) Alarms(ctx context.Context, all bool) ([]Raised, error) {
	standing, err := p.store.Alarms(ctx)
	if err != nil {
		return nil, err
	}
	x := &explain.Explainer{Points: p.points, Language: p.cfg.Language} // without the groups, which a run may be changing
	list := []Raised{}
	for _, a := range standing {
		if !all && a.State != engine.Fired {
			continue
		}
		profile, _, err := p.store.Profile(ctx, a.Entity)
		if err != nil {
			return nil, err
		}
		rep, _, err := p.store.Profile(ctx, engine.Entity{Kind: engine.Rep, ID: a.Rep})
		if err != nil {
			return nil, err
		}
		list = append(list, Raised{Alarm: x.Raised(a.Raised), Entity: a.Entity.Kind.String(), ID: a.Entity.ID, Name: profile.Name,
			Rep: a.Rep, RepName: rep.Name, Link: p.link(profile.Source, a.Entity.ID), Decided: a.Told.String()})
	}
	return list, nil
}
