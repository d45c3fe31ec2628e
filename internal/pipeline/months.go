package pipeline

import (
	"context"
	"fmt"

	"energyd/engine"
	"energyd/internal/fault"
	"energyd/internal/store"
)

// Freeze freezes the figures of sales people in a month and in all months
// before it: what changes in them later is an adjustment of the month after it (case 30).
func (p *Pipeline) Freeze(ctx context.Context, month engine.Period, who string) error {
	today := p.AsOf()
	if month >= p.points.Period(today) {
		return fault.New(fault.Config, "months freeze", fmt.Sprintf("the month %s is not over", month),
			fmt.Sprintf("it can be frozen from %s on", p.points.PeriodStart(month+1)), nil)
	}
	frozen, err := p.store.Frozen(ctx)
	if err != nil {
		return err
	}
	if frozen.Any && month <= frozen.Closed {
		return fault.New(fault.Config, "months freeze", fmt.Sprintf("the month %s is frozen already", month),
			fmt.Sprintf("the next one is %s; energyd months shows who froze what", frozen.Closed+1), nil)
	}
	sums := map[string][]engine.PeriodSum{}
	keep := func(rep string, reported []engine.PeriodSum) {
		for _, s := range reported {
			if s.Period <= month && (!frozen.Any || s.Period > frozen.Closed) {
				sums[rep] = append(sums[rep], s)
			}
		}
	}
	for e, err := range p.store.Ledger(ctx, engine.Rep) {
		if err != nil {
			return err
		}
		now := p.points.Evaluate(engine.Rep, e.Cells, today).Earned
		if frozen.Any {
			now = engine.Reported(frozen.Sums[e.Entity.ID], now, frozen.Closed)
		}
		keep(e.Entity.ID, now)
		delete(frozen.Sums, e.Entity.ID)
	}
	for rep, reported := range frozen.Sums { // of whom nothing is left
		keep(rep, engine.Reported(reported, nil, frozen.Closed))
	}
	if err := p.store.Freeze(ctx, frozen, store.Freezing{Period: month, At: p.opt.Now(), Who: who}, sums); err != nil {
		return err
	}
	return p.journal(ctx, store.Froze, "", month.String(), "")
}

// Months tells who froze which months, and who looked lately at figures of single sales people.
func (p *Pipeline) Months(ctx context.Context) ([]store.Freezing, []store.Look, error) {
	froze, err := p.store.Freezings(ctx)
	if err != nil {
		return nil, nil, err
	}
	const most = 1000
	looked, err := p.store.Looks(ctx, most)
	return froze, looked, err
}
