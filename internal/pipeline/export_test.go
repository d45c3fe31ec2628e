package pipeline

import (
	"context"

	"energyd/engine"
	"energyd/internal/store"
	"energyd/sink"
)

// Rescore scores everything that is stored anew, as after a change of the points table.
func (p *Pipeline) Rescore(ctx context.Context) error {
	if err := p.store.Rebuild(ctx, p.scorer(), p.AsOf()); err != nil {
		return err
	}
	return p.raise(ctx, &Report{})
}

// Fold merges what arrived into the scores.
func (p *Pipeline) Fold(ctx context.Context) (store.FoldStats, error) { return p.fold(ctx) }

// Wanted gives how many accounts whose score may have moved have reasons, alarms told of and values for the CRM.
func (p *Pipeline) Wanted(ctx context.Context) (accounts, reasons int, err error) {
	w := sink.Writing{Kind: engine.Account, Fields: []sink.FieldOf{{Measure: "reason_1"}, {Measure: "reason_2"}, {Measure: "reason_3"}, {Measure: "alarm"}}}
	for wanted, err := range p.wanted(ctx, w) {
		if err != nil {
			return accounts, reasons, err
		}
		accounts++
		for _, field := range w.Fields[:3] {
			if wanted.Values[field.Measure] != nil {
				reasons++
			}
		}
	}
	return accounts, reasons, nil
}
