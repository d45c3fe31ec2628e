package pipeline

import (
	"context"
	"slices"

	"energyd/internal/config"
	"energyd/internal/store"
	"energyd/internal/telemetry"
)

// observe begins what is told of a run to others: its trace, and where its data come from and go. told
// ends it. Nobody who does not listen stops a run.
func (p *Pipeline) observe(ctx context.Context, kind, run string) (_ context.Context, told func(*Report, error)) {
	ctx, span := p.tracer.Run(ctx, kind, run)
	p.tellLineage(ctx, p.cfg.Lineage.Event("START", kind, run, p.opt.Now()))
	return ctx, func(r *Report, err error) {
		span.State(string(r.State))
		span.End(err)
		e := p.cfg.Lineage.Event(lineageOf(r.State), kind, run, p.opt.Now())
		for _, s := range r.Sources {
			i := slices.IndexFunc(p.cfg.Sources, func(src config.Source) bool { return src.Name == s.Source })
			if i >= 0 && s.Error == "" {
				e.Reads(p.cfg.Sources[i].Connection+"."+s.Source, s.Read)
			}
		}
		if len(r.Sources) > 0 {
			e.Writes("store")
		}
		if slices.Contains([]string{"sync", "apply", "undo"}, kind) {
			for _, w := range p.cfg.Write {
				e.Writes(w.Name())
			}
		}
		end := context.WithoutCancel(ctx)
		if ctx.Err() != nil { // told to stop
			var cancel context.CancelFunc
			end, cancel = context.WithTimeout(end, telemetry.Parting)
			defer cancel()
		}
		p.tellLineage(end, e)
	}
}

// lineageOf is the event that ends a run of this state.
func lineageOf(state store.RunState) string {
	switch state {
	case store.Failed:
		return "FAIL"
	case store.Parked:
		return "ABORT"
	}
	return "COMPLETE"
}

func (p *Pipeline) tellLineage(ctx context.Context, e telemetry.RunEvent) {
	if p.cfg.Lineage.Endpoint == "" {
		return
	}
	if err := p.cfg.Lineage.Send(ctx, e); err != nil {
		p.log.Warn("the lineage of a run was not taken", "event", e.EventType, "error", err)
	}
}
