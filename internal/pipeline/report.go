package pipeline

import "energyd/internal/report"

// ReportData is what reports are made of.
func (p *Pipeline) ReportData() *report.Data {
	d := &report.Data{Reader: p.store, Points: p.points, AsOf: p.AsOf(), Settings: p.cfg.Reports}
	if a := p.table.Alarms; a != nil {
		d.Low, d.Halved, d.Scoped = a.Low, a.Halved, a.Important != nil
	}
	return d
}
