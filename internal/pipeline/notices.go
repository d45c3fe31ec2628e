package pipeline

import (
	"cmp"
	"context"

	"energyd/engine"
	"energyd/internal/notice"
)

// Notices gives who tells the readers that the configuration names. It may be used beside a run.
func (p *Pipeline) Notices() *notice.Sender {
	return &notice.Sender{Settings: p.cfg.Notices, Store: p.store, Log: p.opt.Log, Now: p.opt.Now, Zone: p.Zone(), Language: p.cfg.Language,
		Alarms: p.toldAlarms, Address: p.mailAddress}
}

// toldAlarms are the alarms that stand and that people are told of.
func (p *Pipeline) toldAlarms(ctx context.Context) ([]notice.Alarm, error) {
	standing, err := p.Alarms(ctx, false)
	if err != nil {
		return nil, err
	}
	alarms := make([]notice.Alarm, len(standing))
	for i, a := range standing {
		alarms[i] = notice.Alarm{ID: a.ID, Customer: cmp.Or(a.Name, a.ID), Rep: a.Rep, RepName: a.RepName, Kind: a.Kind, Label: a.Label, Sentence: a.Sentence, Since: a.Since, Link: a.Link}
	}
	return alarms, nil
}

// mailAddress is a sales person's, as the CRM's users are mapped: the key email.
func (p *Pipeline) mailAddress(ctx context.Context, rep string) (string, error) {
	profile, _, err := p.store.Profile(ctx, engine.Entity{Kind: engine.Rep, ID: rep})
	return profile.Keys["email"], err
}
