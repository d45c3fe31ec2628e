package pipeline

import (
	"context"
	"fmt"

	"energyd/engine"
	"energyd/internal/explain"
)

// since tells what became of the temperature that the CRM last accepted; nil
// when it was given none with its date, or the same as today's.
func (p *Pipeline) since(ctx context.Context, e engine.Entity, cells []engine.Cell) (*explain.Since, error) {
	for _, w := range p.cfg.Write {
		if w.Entity != e.Kind || w.Fields["energy_now"] == "" || w.Fields["energy_as_of"] == "" {
			continue
		}
		written, err := p.store.LastWritten(ctx, w.Name(), []string{e.ID})
		if err != nil {
			return nil, err
		}
		was, isNumber := written[e.ID][w.Fields["energy_now"]].(float64)
		on, err := engine.ParseDate(fmt.Sprint(written[e.ID][w.Fields["energy_as_of"]]))
		if !isNumber || err != nil || on > p.AsOf() {
			return nil, nil
		}
		c := p.points.Since(cells, was, on, p.AsOf())
		if c == (engine.Change{}) {
			return nil, nil
		}
		points := func(milli int64) float64 { return float64(milli) / 1000 }
		return &explain.Since{Date: on.String(), Was: was, New: points(c.New), Decay: points(c.Decay), Corrections: points(c.Corrections)}, nil
	}
	return nil, nil
}
