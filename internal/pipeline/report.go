package pipeline

import (
	"context"

	"energyd/internal/report"
	"energyd/internal/store"
)

// Report makes a report. Where it shows single sales people, it is kept first who asked for it.
func (p *Pipeline) Report(ctx context.Context, name string, o report.Options, who string) (*report.Table, error) {
	if err := p.Look(ctx, name, who); err != nil {
		return nil, err
	}
	return report.Make(ctx, p.ReportData(), name, o)
}

// TellsOfPeople tells whether a report shows single sales people here.
func (p *Pipeline) TellsOfPeople(name string) bool {
	return p.cfg.Reports.Appraisal && report.TellsOfPeople(name)
}

// Look keeps who is about to be shown a report, where it shows single sales people. Who makes it once and shows it often calls it each time.
func (p *Pipeline) Look(ctx context.Context, name, who string) error {
	if !p.TellsOfPeople(name) {
		return nil
	}
	return p.store.SaveLook(ctx, store.Look{At: p.opt.Now(), Who: who, Report: name})
}

// ReportData is what reports are made of.
func (p *Pipeline) ReportData() *report.Data {
	d := &report.Data{Reader: p.store, Points: p.points, AsOf: p.AsOf(), Settings: p.cfg.Reports}
	if a := p.table.Alarms; a != nil {
		d.Low, d.Halved, d.Scoped = a.Low, a.Halved, a.Important != nil
	}
	return d
}
