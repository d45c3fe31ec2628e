package pipeline

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/explain"
	"energyd/internal/review"
	"energyd/internal/store"
	"energyd/sink"
)

// Trial is a points table that is tried out.
type Trial struct {
	Table     *engine.PointsConfig
	Name      string // what the table is called where it has the version of the one in use
	Months    int    // of alarms, points of reps and outcomes, the present one included
	Customers int    // no more than so many are looked at, always the same ones, as chance has it; 0 = all
}

// WhatIf tells what another points table would do to what is stored, as of today. It writes nothing: only where reports
// may show single sales people, that they were looked at. Of some customers alone (decisions/0128) it tells neither of groups
// nor of single sales people, nor which table foretells orders better. Faults: config.
func (p *Pipeline) WhatIf(ctx context.Context, t Trial, who string) (*review.WhatIf, error) {
	q, err := p.under(t.Table)
	if err != nil {
		return nil, err
	}
	if p.groups, _, err = p.hierarchy(ctx); err != nil {
		return nil, err
	}
	q.groups = p.groups
	asOf := p.AsOf()
	w := &whatIf{tables: [2]*Pipeline{p, q}, asOf: asOf, from: p.points.PeriodStart(p.points.Period(asOf) - engine.Period(t.Months) + 1), // 120 at most
		shifts: review.NewShifts(p.points, q.points), profiles: map[engine.Entity]engine.Profile{}, reader: p.store.AccountReader(), some: t.Customers > 0}
	w.result = &review.WhatIf{AsOf: asOf.String(), From: w.from.String(), Months: t.Months, Present: p.points.Version(), Candidate: q.points.Version(),
		People: p.cfg.Reports.Appraisal && !w.some, Reps: []review.RepTotal{}, WriteBacks: []review.WriteBack{}, Notes: []review.Finding{}}
	if w.result.Candidate == w.result.Present { // who tries numbers does not count versions
		w.result.Candidate = t.Name
	}
	for i := range w.piles {
		w.piles[i] = map[engine.Entity]*pile{}
	}
	if err := w.prepare(ctx); err != nil {
		return nil, err
	}
	if err := w.walk(ctx, t.Customers); err != nil {
		return nil, err
	}
	if err := w.rest(ctx); err != nil {
		return nil, err
	}
	if err := w.finish(ctx); err != nil {
		return nil, err
	}
	if w.result.People {
		err = p.store.SaveLook(ctx, store.Look{At: p.opt.Now(), Who: who, Report: "whatif"})
	}
	return w.result, err
}

// walk compares all accounts, or the first of them: they lie in the order of a hash of their ids, so the first are as good as drawn by lot.
func (w *whatIf) walk(ctx context.Context, most int) error {
	for acts, err := range w.tables[0].accounts(ctx) {
		if err == nil && acts[0].Account != "" {
			if w.some && w.result.Sample == most {
				return nil
			}
			w.result.Sample++
		}
		if err == nil {
			err = w.account(ctx, acts)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// under is this pipeline with another points table, for looking alone.
func (p *Pipeline) under(table *engine.PointsConfig) (*Pipeline, error) {
	points, err := engine.Compile(table)
	if err != nil {
		return nil, err
	}
	if _, err := config.LoadTitles(p.cfg.Titles, points.Ranks()); err != nil { // what would stop its adoption
		return nil, err
	}
	return &Pipeline{cfg: p.cfg, opt: p.opt, store: p.store, points: points, table: table}, nil
}

// whatIf is a comparison of two tables on its way: [0] is the one in use, [1] the other.
type whatIf struct {
	tables     [2]*Pipeline
	asOf, from engine.Date
	kinds      []engine.EntityKind // that are compared
	some       bool                // some customers alone are looked at: what is more than one customer's would be half of it
	writings   map[engine.EntityKind]*writing
	piles      [2]map[engine.Entity]*pile // cells of what several accounts may give to
	samples    [2]*review.Sample          // nil where outcomes are too few
	profiles   map[engine.Entity]engine.Profile
	reader     *store.AccountReader
	shifts     *review.Shifts
	result     *review.WhatIf
}

// writing is what the CRM is given of a kind of entity.
type writing struct {
	sink.Writing
	reasons, version bool
	count            review.WriteBack
}

// pile is a growing set of cells.
type pile struct {
	cells  []engine.Cell
	sorted int
}

func (l *pile) add(c engine.Cell) {
	if l.cells = append(l.cells, c); len(l.cells) > 2*l.sorted+256 { // what falls on one day is one cell
		l.cells = engine.SortCells(l.cells)
		l.sorted = len(l.cells)
	}
}

// prepare finds out what is compared.
func (w *whatIf) prepare(ctx context.Context) error {
	p := w.tables[0]
	w.kinds = []engine.EntityKind{engine.Account, engine.Deal}
	w.writings = map[engine.EntityKind]*writing{}
	for _, c := range p.cfg.Write {
		if w.some && c.Entity == engine.CompanyGroup {
			continue
		}
		if !slices.Contains(w.kinds, c.Entity) {
			w.kinds = append(w.kinds, c.Entity)
		}
		to := &writing{Writing: sink.Writing{Name: c.Name(), Kind: c.Entity}, count: review.WriteBack{Name: c.Name()}}
		for name, field := range c.Fields {
			switch {
			case name == "table_version":
				to.version = p.points.Version() != w.tables[1].points.Version()
			default:
				to.reasons = to.reasons || strings.HasPrefix(name, "reason_")
				to.Fields = append(to.Fields, sink.FieldOf{Measure: name, Field: field})
			}
		}
		w.writings[c.Entity] = to
	}
	slices.Sort(w.kinds)
	if w.some {
		return nil
	}
	return w.outcomes(ctx)
}

// outcomes makes samples of the deals that were closed in the months, if they are enough to compare by.
func (w *whatIf) outcomes(ctx context.Context) error {
	deals, _, err := w.tables[0].deals(ctx)
	if err != nil {
		return err
	}
	deals = slices.DeleteFunc(deals, func(d review.Deal) bool { return d.Closed == engine.NoDate || d.Closed < w.from })
	won := 0
	for _, d := range deals {
		if d.Won {
			won++
		}
	}
	if note, few := review.Lacking(won, len(deals)-won); few {
		w.result.Notes = append(w.result.Notes, note)
		return nil
	}
	for i, p := range w.tables {
		table, ok := review.NewTable(p.table, p.points)
		if !ok {
			w.samples = [2]*review.Sample{}
			w.result.Notes = append(w.result.Notes, review.NoProduct)
			return nil
		}
		w.samples[i] = review.NewSample(table, deals)
	}
	return nil
}

// account compares one account, and keeps what it gives to others.
func (w *whatIf) account(ctx context.Context, acts []engine.Activity) error {
	own := engine.Entity{Kind: engine.Account, ID: acts[0].Account}
	var cells [2][]engine.Cell
	for i, p := range w.tables {
		scorer{Points: p.points, groups: p.groups}.Contributions(acts, func(_ int, c engine.Contribution) {
			switch {
			case c.Entity == own:
				cells[i] = append(cells[i], c.Cell)
			case c.Entity.Kind == engine.Rep || slices.Contains(w.kinds, c.Entity.Kind):
				l := w.piles[i][c.Entity]
				if l == nil {
					l = &pile{}
					w.piles[i][c.Entity] = l
				}
				l.add(c.Cell)
			}
		})
		cells[i] = engine.SortCells(cells[i])
		if s := w.samples[i]; s != nil {
			p.points.Contacts(acts, s.Add)
		}
	}
	if own.ID == "" || len(cells[0])+len(cells[1]) == 0 {
		return nil
	}
	return w.entity(ctx, own, cells)
}

// rest compares what is not an account.
func (w *whatIf) rest(ctx context.Context) error {
	all := map[engine.Entity]bool{}
	for i := range w.piles {
		for e := range w.piles[i] {
			all[e] = true
		}
	}
	entities := slices.SortedFunc(maps.Keys(all), func(a, b engine.Entity) int {
		return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ID, b.ID))
	})
	totals := map[string]*review.RepTotal{}
	for _, e := range entities {
		var cells [2][]engine.Cell
		for i := range w.piles {
			if l := w.piles[i][e]; l != nil {
				cells[i] = engine.SortCells(l.cells)
				delete(w.piles[i], e)
			}
		}
		if e.Kind != engine.Rep {
			if err := w.entity(ctx, e, cells); err != nil {
				return err
			}
			continue
		}
		name, err := w.repName(ctx, e)
		if err != nil {
			return err
		}
		if totals[name] == nil {
			totals[name] = &review.RepTotal{Name: name}
		}
		totals[name].Before += w.earned(0, cells[0])
		totals[name].After += w.earned(1, cells[1])
	}
	for _, name := range slices.Sorted(maps.Keys(totals)) {
		if t := totals[name]; t.Before != 0 || t.After != 0 {
			w.result.Reps = append(w.result.Reps, *t)
		}
	}
	return nil
}

// repName is under what a sales person's points are told: the team, or the name where reports may show people.
func (w *whatIf) repName(ctx context.Context, e engine.Entity) (string, error) {
	profile, err := w.profile(ctx, e)
	if w.result.People {
		return cmp.Or(profile.Name, e.ID), err
	}
	return profile.Facts["team"], err
}

// earned is what cells of a rep earned in the months, in points.
func (w *whatIf) earned(table int, cells []engine.Cell) (points float64) {
	p := w.tables[table].points
	for _, s := range p.Evaluate(engine.Rep, cells, w.asOf).Earned {
		if s.Period >= p.Period(w.from) {
			points += float64(s.Milli) / 1000
		}
	}
	return points
}

// entity compares one entity by both tables.
func (w *whatIf) entity(ctx context.Context, e engine.Entity, cells [2][]engine.Cell) error {
	var scores [2]engine.Score
	var fired [2][]engine.Alarm
	for i, p := range w.tables {
		scores[i] = p.points.Evaluate(e.Kind, cells[i], w.asOf)
		if !p.points.AlarmsOf(e.Kind) {
			continue
		}
		fired[i] = review.Fired(p.points, e.Kind, cells[i], w.from, w.asOf)
		if len(fired[i]) == 0 || e.Kind != engine.Account {
			continue
		}
		account, err := w.profile(ctx, e)
		if err != nil {
			return err
		}
		if account.ID = e.ID; !p.points.Important(account, scores[i].Best) {
			fired[i] = slices.DeleteFunc(fired[i], func(a engine.Alarm) bool { return a.Kind == engine.Low || a.Kind == engine.Halved })
		}
	}
	w.shifts.Add(e, scores[0], scores[1])
	w.shifts.Fired(fired[0], fired[1])
	return w.writeBack(ctx, e, scores)
}

// writeBack counts an entity's record among those that the CRM would be given anew.
func (w *whatIf) writeBack(ctx context.Context, e engine.Entity, scores [2]engine.Score) error {
	to := w.writings[e.Kind]
	if to == nil {
		return nil
	}
	to.count.Records++
	var wanted [2]sink.Wanted
	for i, p := range w.tables {
		s := p.subject(scores[i])
		if len(scores[i].Alarms) > 0 {
			s.Alarm = explain.AlarmLabel(scores[i].Alarms[0].Kind).In(p.cfg.Language)
		}
		wanted[i] = sink.Want(e.ID, "", "", s)
	}
	moved := to.Moved(wanted[0], wanted[1], w.tables[0].cfg.Plans.Smallest)
	if !moved && to.reasons && !to.version {
		var err error
		if moved, err = w.reasonsDiffer(ctx, e); err != nil {
			return err
		}
	}
	switch {
	case moved:
		to.count.Changed++
	case to.version:
		to.count.Version++
	}
	return nil
}

// reasonsDiffer tells whether other reasons would stand in an entity's fields.
func (w *whatIf) reasonsDiffer(ctx context.Context, e engine.Entity) (bool, error) {
	profile, err := w.profile(ctx, e)
	if err != nil {
		return false, err
	}
	acts, err := w.tables[0].near(ctx, w.reader, e, profile)
	if err != nil {
		return false, err
	}
	var sentences [2][]string
	for i, p := range w.tables {
		x := p.explainer(ctx)
		x.Names = func(engine.Entity) (string, error) { return "", nil } // the same in both
		for _, r := range x.Reasons(acts, e, w.asOf, 3) {
			sentence, err := x.Sentence(r)
			if err != nil {
				return false, err
			}
			sentences[i] = append(sentences[i], sentence)
		}
	}
	return !slices.Equal(sentences[0], sentences[1]), nil
}

// profile asks the directory, and remembers sales people.
func (w *whatIf) profile(ctx context.Context, e engine.Entity) (engine.Profile, error) {
	if known, ok := w.profiles[e]; ok {
		return known, nil
	}
	profile, _, err := w.tables[0].store.Profile(ctx, e)
	if e.Kind == engine.Rep {
		w.profiles[e] = profile
	}
	return profile, err
}

// movers is of how many entities of a kind it is told why they move.
const movers = 10

// finish puts the result together.
func (w *whatIf) finish(ctx context.Context) error {
	p, r := w.tables[0], w.result
	for _, kind := range w.kinds {
		shift := w.shifts.Of(kind, movers, p.cfg.Language)
		for i := range shift.Movers {
			if err := w.why(ctx, kind, &shift.Movers[i], shift.Ratio); err != nil {
				return err
			}
		}
		r.Kinds = append(r.Kinds, shift)
	}
	r.Alarms = w.shifts.Alarms()
	if !w.some {
		r.Sample = 0
	}
	for _, c := range p.cfg.Write {
		if to := w.writings[c.Entity]; to != nil {
			r.WriteBacks = append(r.WriteBacks, to.count)
		}
	}
	frozen, err := p.store.Frozen(ctx)
	if err != nil {
		return err
	}
	if frozen.Any {
		r.Frozen = frozen.Closed.String()
	}
	if w.samples[0] != nil {
		judged, ok := review.Compare(w.samples[0], w.samples[1], w.from)
		if ok {
			r.Judged = &judged
		}
	}
	return nil
}

// why tells who a mover is, and which contacts move it.
func (w *whatIf) why(ctx context.Context, kind engine.EntityKind, m *review.Mover, ratio float64) error {
	e := engine.Entity{Kind: kind, ID: m.ID}
	profile, err := w.profile(ctx, e)
	if err != nil {
		return err
	}
	m.Name = profile.Name
	acts, err := w.tables[0].near(ctx, w.reader, e, profile)
	if err != nil {
		return err
	}
	var parts [2][]engine.Part
	for i, p := range w.tables {
		if kind == engine.CompanyGroup {
			parts[i] = p.points.ExplainGroup(acts, p.groups, e.ID, w.asOf)
		} else {
			parts[i] = p.points.Explain(acts, e, w.asOf)
		}
	}
	m.Why = review.Why(parts[0], parts[1], ratio)
	return nil
}
