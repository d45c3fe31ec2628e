package pipeline

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/fault"
	"energyd/internal/review"
	"energyd/internal/store"
)

// ReviewOptions are what a review out of the store may be told.
type ReviewOptions struct {
	TrainUntil engine.Date // NoDate = the oldest four fifths
	Seed       uint64
}

// Reviewed is a review with the points file that it proposes, whole; "" = none was fitted.
type Reviewed struct {
	*review.Result
	Table string `json:"proposed_table,omitempty"`
}

// Review holds the points table in use against what became of deals, or of customers as "review:" says. It keeps when
// that was and what came of it, so that a next one falls due. Faults: config.
func (p *Pipeline) Review(ctx context.Context, opt ReviewOptions) (Reviewed, error) {
	settings := p.cfg.Review
	cuts, _ := review.ParseCuts(settings.Cuts)
	sample, findings, err := p.sample(ctx, &settings)
	if err != nil {
		return Reviewed{}, err
	}
	last, err := p.lastReview(ctx)
	if err != nil {
		return Reviewed{}, err
	}
	habits := review.NewHabits(p.points, p.AsOf(), last.day())
	for acts, err := range p.accounts(ctx) {
		if err != nil {
			return Reviewed{}, err
		}
		p.points.Contacts(acts, func(a *engine.Activity) {
			if p.points.DateOf(a) <= p.AsOf() {
				sample.Add(a)
				habits.Add(a)
			}
		})
	}
	out := Reviewed{Result: review.Run(sample, review.Options{Cuts: cuts, TrainUntil: opt.TrainUntil, Horizon: settings.Horizon(), Fit: true, Seed: opt.Seed})}
	out.Findings = append(findings, out.Findings...)
	out.Drift = habits.Drifts()
	if out.Proposed != nil {
		if out.Table, err = ProposedTable(p.cfg.Points, p.table, sample.Table(), out.Result); err != nil {
			return out, err
		}
	}
	if out.Verdict.Refused {
		return out, nil
	}
	return out, p.keepReview(ctx, lastReview{On: p.AsOf().String(), Table: p.points.Version(), Change: out.Verdict.Change}, out.Drift)
}

// sample makes the sample that the settings ask for, without contacts.
func (p *Pipeline) sample(ctx context.Context, settings *review.Settings) (*review.Sample, []review.Finding, error) {
	table, ok := review.NewTable(p.table, p.points)
	if !ok {
		text, need := review.NoProduct.In("en")
		return nil, nil, fault.New(fault.Config, p.cfg.Points, text, need, nil)
	}
	deals, undated, err := p.deals(ctx)
	if err != nil {
		return nil, nil, err
	}
	var findings []review.Finding
	if undated > 0 {
		findings = append(findings, review.Undated(undated))
	}
	if settings.Outcome == review.OutcomeWon {
		if len(deals) == 0 {
			return nil, nil, untold
		}
		return review.NewSample(table, deals).Distinct(), findings, nil
	}
	bought := map[string][]engine.Date{}
	for _, d := range deals {
		if d.Won {
			bought[d.Account] = append(bought[d.Account], d.Closed)
		}
	}
	sample, err := review.NewWatch(table, settings, bought)
	if err != nil {
		return nil, nil, err
	}
	return sample.Distinct(), findings, nil
}

// deals gives the deals of the directory with what became of them, and how many have no day of opening.
func (p *Pipeline) deals(ctx context.Context) (deals []review.Deal, undated int, err error) {
	for d, err := range p.store.Profiles(ctx, engine.Deal) {
		if err != nil {
			return nil, 0, err
		}
		if d.Deleted || d.Into != "" {
			continue
		}
		deal := review.Deal{ID: d.ID, Name: d.Name, Account: d.Account, Opened: d.Facts.Day("opened_on", p.points), Closed: engine.NoDate, Won: d.Facts.True("won")}
		if deal.Opened == engine.NoDate {
			undated++
			continue
		}
		if deal.Won || d.Facts.True("closed") {
			// A CRM may leave the day that was planned: what is closed was so by today.
			if deal.Closed = d.Facts.Day("closes_on", p.points); deal.Closed == engine.NoDate {
				undated++
				continue
			}
			deal.Closed = min(deal.Closed, p.AsOf())
		}
		deal.Amount, _ = d.Facts.Number("amount")
		deals = append(deals, deal)
	}
	return deals, undated, nil
}

// untold says that no deal has an outcome, and what to do.
var untold = fault.New(fault.Config, "review", "the directory tells of no deal when it was opened and what became of it",
	"write opened_on, closed, won and closes_on under profile.facts of the mapping of deals, and run energyd pull; docs/review.md has the lines", nil)

// ProposedTable is a points file with the numbers that a review proposes, checked as any points file is. The file stays as it is.
func ProposedTable(file string, cfg *engine.PointsConfig, table *review.Table, r *review.Result) (string, error) {
	edit := config.PointsEdit{Version: fmt.Sprintf("%s reviewed until %s", cfg.Version, r.TrainUntil), Ranks: map[string]float64{}}
	if r.HalfLife.Proposed != r.HalfLife.Present {
		edit.HalfLife, edit.HalfLifePath = r.HalfLife.Proposed, table.HalfLifePath()
	}
	for _, w := range r.How {
		if w.Proposed != w.Present {
			d := engine.Direction(slices.Index([]string{engine.Mutual: "mutual", engine.Inbound: "in", engine.Outbound: "out"}, w.Direction)) // three
			edit.Kinds = append(edit.Kinds, config.KindPoints{Kind: w.Kind, Direction: d, All: w.All, Points: w.Proposed})
		}
	}
	for _, w := range r.Ranks {
		if w.Proposed != w.Present {
			edit.Ranks[w.Name] = w.Proposed
		}
	}
	text, err := config.EditPoints(file, edit)
	return string(text), err
}

// lastReview is what is kept of the last review.
type lastReview struct {
	On     string `json:"on"`
	Table  string `json:"table"` // version that was reviewed
	Change bool   `json:"change"`
}

func (l lastReview) day() engine.Date {
	d, err := engine.ParseDate(l.On)
	if err != nil {
		return engine.NoDate
	}
	return d
}

// lastDrift is what is kept of how contacts moved.
type lastDrift struct {
	Month string         `json:"month"` // the last complete one when it was measured
	Kinds []review.Drift `json:"kinds"`
}

func (p *Pipeline) lastReview(ctx context.Context) (l lastReview, err error) {
	return l, p.noted(ctx, store.LastReview, &l)
}

// noted reads what is kept under a name; what stands for nothing when nothing is.
func (p *Pipeline) noted(ctx context.Context, name string, what any) error {
	text, err := p.store.Note(ctx, name)
	if err != nil || text == "" {
		return err
	}
	return json.Unmarshal([]byte(text), what)
}

func (p *Pipeline) keepReview(ctx context.Context, l lastReview, drift []review.Drift) error {
	if err := p.keepNote(ctx, store.LastReview, l); err != nil {
		return err
	}
	return p.keepDrift(ctx, p.AsOf(), drift)
}

// keepDrift keeps how contacts moved, as it was measured on a day.
func (p *Pipeline) keepDrift(ctx context.Context, on engine.Date, kinds []review.Drift) error {
	return p.keepNote(ctx, store.LastDrift, lastDrift{(p.points.Period(on) - 1).String(), kinds})
}

func (p *Pipeline) keepNote(ctx context.Context, name string, what any) error {
	text, err := json.Marshal(what)
	if err != nil {
		return err
	}
	return p.store.SaveNote(ctx, name, string(text))
}

// toCompare gives what measures how contacts moved, once for each month that is over; nil when this one was measured.
func (p *Pipeline) toCompare(ctx context.Context) (*review.Habits, error) {
	var kept lastDrift
	if err := p.noted(ctx, store.LastDrift, &kept); err != nil {
		return nil, err
	}
	if kept.Month == (p.points.Period(p.today()) - 1).String() {
		return nil, nil
	}
	last, err := p.lastReview(ctx)
	if err != nil {
		return nil, err
	}
	return review.NewHabits(p.points, p.today(), last.day()), nil
}

// ReviewStatus says when the points were last reviewed, and whether they should be again.
type ReviewStatus struct {
	Last    string         `json:"last,omitempty"`  // date; "" = never
	Table   string         `json:"table,omitempty"` // version that was reviewed
	Due     string         `json:"due,omitempty"`   // date; "" = none is known
	Overdue bool           `json:"overdue"`
	Drifted []review.Drift `json:"drifted"` // kinds whose last month is above the limit
}

// reviewStatus looks at what is kept of reviews.
func (p *Pipeline) reviewStatus(ctx context.Context) (ReviewStatus, error) {
	s := ReviewStatus{Drifted: []review.Drift{}}
	last, err := p.lastReview(ctx)
	if err != nil {
		return s, err
	}
	if day := last.day(); day != engine.NoDate {
		from := day.Time()
		due := engine.DateOf(from.Year(), from.Month()+time.Month(p.cfg.Review.EveryMonths), min(from.Day(), 28))
		s.Last, s.Table, s.Due, s.Overdue = last.On, last.Table, due.String(), due <= p.today()
	}
	var drift lastDrift
	if err := p.noted(ctx, store.LastDrift, &drift); err != nil {
		return s, err
	}
	for _, d := range drift.Kinds {
		if len(d.Months) > 0 && d.Latest() > review.DriftLimit {
			s.Drifted = append(s.Drifted, d)
		}
	}
	return s, nil
}
