package pipeline

import (
	"context"
	"fmt"
	"iter"
	"math"
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
	if w.Once {
		return p.wantedTasks(ctx)
	}
	return func(yield func(sink.Wanted, error) bool) {
		b := p.wanting(ctx, w)
		entries := make([]store.Entry, 0, entriesAtOnce)
		give := func() bool {
			list, err := b.want(ctx, entries)
			entries = entries[:0]
			if err != nil {
				yield(sink.Wanted{}, err)
				return false
			}
			for _, wanted := range list {
				if !yield(wanted, nil) {
					return false
				}
			}
			return true
		}
		for entry, err := range p.store.Changed(ctx, w.Kind, 0) {
			if err != nil {
				yield(sink.Wanted{}, err)
				return
			}
			if entries = append(entries, entry); len(entries) == entriesAtOnce && !give() {
				return
			}
		}
		give()
	}
}

// entriesAtOnce is of how many entities the store is asked at once: one by one, asking takes longer than scoring.
const entriesAtOnce = 400

// wanting makes the values of one Writing.
type wanting struct {
	*Pipeline
	kind            engine.EntityKind
	x               *explain.Explainer
	reader          *store.AccountReader
	reasons, alarms bool
}

func (p *Pipeline) wanting(ctx context.Context, w sink.Writing) *wanting {
	has := func(measure string) bool {
		return slices.ContainsFunc(w.Fields, func(f sink.FieldOf) bool { return strings.HasPrefix(f.Measure, measure) })
	}
	return &wanting{p, w.Kind, p.explainer(ctx), p.store.AccountReader(), has("reason_"), has("alarm")}
}

// want gives the values of entities of its kind.
func (w *wanting) want(ctx context.Context, entries []store.Entry) ([]sink.Wanted, error) {
	ids := make([]string, len(entries))
	for i, e := range entries {
		ids[i] = e.Entity.ID
	}
	profiles, err := w.store.ProfilesOf(ctx, w.kind, ids)
	if err != nil {
		return nil, err
	}
	var alarms map[string][]store.Alarm
	if w.alarms {
		if alarms, err = w.store.AlarmsOfEach(ctx, w.kind, ids); err != nil {
			return nil, err
		}
	}
	sentences, err := w.sentences(ctx, entries, profiles)
	if err != nil {
		return nil, err
	}
	list := make([]sink.Wanted, len(entries))
	for i, e := range entries {
		id, profile := e.Entity.ID, profiles[e.Entity.ID]
		s := w.subject(w.points.Evaluate(w.kind, e.Cells, w.AsOf()))
		s.Coverage, s.DataQuality = w.breadth(e.Cells)
		if a, is := firstTold(alarms[id]); is {
			s.Alarm, s.AlarmReason = explain.AlarmLabel(a.Kind).In(w.cfg.Language), w.x.Alarm(a)
		}
		s.Reasons = sentences[i]
		// The CRM rolls contacts and deals up to their account, and locks it for that.
		parent := ""
		if w.kind == engine.Contact || w.kind == engine.Deal {
			parent = profile.Account
		}
		list[i] = sink.Want(id, profile.Name, parent, s)
	}
	return list, nil
}

// subject is a score as the CRM is told it.
func (p *Pipeline) subject(score engine.Score) sink.Subject {
	s := sink.Subject{Score: score, Band: p.points.Band(score.Band).Label.In(p.cfg.Language),
		HalfLife: p.table.HalfLifeDays, TableVersion: p.points.Version(),
		Trend: explain.TrendLabel(score.Trend).In(p.cfg.Language)}
	s.Earned3m, s.EarnedRatio3m = p.lately(score.Recent)
	return s
}

// sentences gives the reasons of each entity. All people that they name are asked for together.
func (w *wanting) sentences(ctx context.Context, entries []store.Entry, profiles map[string]engine.Profile) ([][]string, error) {
	sentences := make([][]string, len(entries))
	if !w.reasons {
		return sentences, nil
	}
	reasons := make([][]explain.Reason, len(entries))
	named := map[engine.EntityKind][]string{}
	for i, e := range entries {
		acts, err := w.near(ctx, w.reader, e.Entity, profiles[e.Entity.ID])
		if err != nil {
			return nil, err
		}
		reasons[i] = w.x.Reasons(acts, e.Entity, w.AsOf(), 3)
		for _, r := range reasons[i] {
			for _, e := range r.Names() {
				named[e.Kind] = append(named[e.Kind], e.ID)
			}
		}
	}
	for kind, ids := range named {
		slices.Sort(ids)
		ids = slices.Compact(ids)
		profiles, err := w.store.ProfilesOf(ctx, kind, ids)
		if err != nil {
			return nil, err
		}
		for _, id := range ids {
			w.x.Learn(engine.Entity{Kind: kind, ID: id}, profiles[id].Name)
		}
	}
	for i, list := range reasons {
		sentences[i] = make([]string, len(list))
		for k, r := range list {
			var err error
			if sentences[i][k], err = w.x.Sentence(r); err != nil {
				return nil, err
			}
		}
	}
	return sentences, nil
}

// breadth gives what the measures coverage and data_quality say of an entity's last
// year, in percent with one decimal; nil without a contact in it.
func (p *Pipeline) breadth(cells []engine.Cell) (coverage, known *float64) {
	const year = 365
	var milli [engine.NumClasses]int64
	var all, ranked int32
	for _, c := range cells {
		if c.Date > p.AsOf() || c.Date <= p.AsOf()-year || c.Group == engine.Booked {
			continue
		}
		milli[c.Class] += c.Milli
		all += c.Count
		if c.Class != engine.ClassUnknown {
			ranked += c.Count
		}
	}
	if all <= 0 {
		return nil, nil
	}
	percent := func(share float64) *float64 {
		p := math.Round(1000*share) / 10
		return &p
	}
	met := new(engine.Spread).Coverage(milli, int64(1000*p.cfg.Reports.Coverage.ClassPoints))
	return percent(met.Classes), percent(float64(ranked) / float64(all))
}

// near gives the activities that an entity's reasons come from: those of its
// account, of a group those of all its accounts. A rep's would be everybody's, so a rep has no reasons.
func (p *Pipeline) near(ctx context.Context, r *store.AccountReader, e engine.Entity, profile engine.Profile) ([]engine.Activity, error) {
	switch {
	case e.Kind == engine.Account:
		return r.Activities(ctx, e.ID)
	case e.Kind == engine.CompanyGroup:
		return p.below(ctx, e.ID)
	case e.Kind != engine.Rep && profile.Account != "":
		return r.Activities(ctx, profile.Account)
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
	return p.why(ctx, e, entry.Cells, acts)
}

// why explains an entity's score; acts are all activities that may belong to it.
func (p *Pipeline) why(ctx context.Context, e engine.Entity, cells []engine.Cell, acts []engine.Activity) (explain.Explanation, error) {
	why, err := p.explainer(ctx).Explain(acts, e, p.points.Evaluate(e.Kind, cells, p.AsOf()))
	if err != nil {
		return why, err
	}
	if why.Since, err = p.since(ctx, e, cells); err != nil {
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
