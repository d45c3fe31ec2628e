package pipeline

import (
	"context"

	"energyd/internal/report"
	"energyd/internal/store"
)

// Report makes a report. Where it shows single sales people, it is kept first who asked for it.
func (p *Pipeline) Report(ctx context.Context, name string, o report.Options, who string) (*report.Table, error) {
	if p.cfg.Reports.Appraisal && report.TellsOfPeople(name) {
		if err := p.store.SaveLook(ctx, store.Look{At: p.opt.Now(), Who: who, Report: name}); err != nil {
			return nil, err
		}
	}
	return report.Make(ctx, p.ReportData(), name, o)
}

// ReportData is what reports are made of.
func (p *Pipeline) ReportData() *report.Data {
	d := &report.Data{Reader: p.store, Points: p.points, AsOf: p.AsOf(), Settings: p.cfg.Reports}
	if a := p.table.Alarms; a != nil {
		d.Low, d.Halved, d.Scoped = a.Low, a.Halved, a.Important != nil
	}
	return d
}
