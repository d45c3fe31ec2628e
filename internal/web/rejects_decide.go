package web

import (
	"context"
	"slices"

	"energyd/engine"
	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/web/signon"
)

// deciding is the question what becomes of rejects.
type deciding struct {
	Act string `json:"act"` // "retry", "snooze" or "drop"
	chosen
	Count   int         `json:"count"`
	Rejects []rejectRow `json:"rejects"` // the first of them
	May     bool        `json:"-"`

	tomorrow engine.Date
}

// rejectActs are what people decide of rejects, by the functions that energyd rejects has.
var rejectActs = []rejectAct{
	{"retry", text{Ja: "再試行する", En: "Try again"}, untilNews((*pipeline.Pipeline).RetryRejects)},
	{snooze, text{Ja: "後で対処する", En: "Snooze"}, (*pipeline.Pipeline).SnoozeRejects},
	{"drop", text{Ja: "除外する", En: "Drop"}, untilNews((*pipeline.Pipeline).DropRejects)},
}

const snooze = "snooze"

type rejectAct struct {
	name  string
	title text
	do    func(p *pipeline.Pipeline, ctx context.Context, f pipeline.RejectFilter, until engine.Date, reason string) (pipeline.Decided, error)
}

// untilNews makes an act of a function that knows no day.
func untilNews(do func(*pipeline.Pipeline, context.Context, pipeline.RejectFilter, string) (pipeline.Decided, error)) func(*pipeline.Pipeline, context.Context,
	pipeline.RejectFilter, engine.Date, string) (pipeline.Decided, error) {
	return func(p *pipeline.Pipeline, ctx context.Context, f pipeline.RejectFilter, _ engine.Date, reason string) (pipeline.Decided, error) {
		return do(p, ctx, f, reason)
	}
}

// rejectActOf finds what is to be done, and refuses to do it to all rejects at once, as the command does.
func rejectActOf(name string, c chosen) (rejectAct, error) {
	i := slices.IndexFunc(rejectActs, func(a rejectAct) bool { return a.name == name })
	if i < 0 || c.Source == "" && c.Class == "" && c.Code == "" || c.Source == "" && c.Key != "" {
		return rejectAct{}, errNoForm
	}
	return rejectActs[i], nil
}

func viewDeciding(ctx context.Context, v *visit) (*deciding, error) {
	d := &deciding{Act: v.query.Get("act"), chosen: chosenOf(v.query), May: v.reader.MayAct(signon.Admin), tomorrow: v.today() + 1}
	if _, err := rejectActOf(d.Act, d.chosen); err != nil {
		return nil, err
	}
	for _, d.Dropped = range []bool{d.Dropped, !d.Dropped} {
		for x, err := range v.p.In(v.language).Rejects(ctx, d.filter()) {
			if err != nil {
				return nil, err
			}
			if d.Count++; len(d.Rejects) < 20 {
				x.Fields = nil
				d.Rejects = append(d.Rejects, rejectRow{x})
			}
		}
		if d.Count > 0 || d.Key == "" {
			break // one that is named is found in either list
		}
	}
	if d.Count == 0 {
		return nil, errNoReject
	}
	return d, nil
}

// doDecide decides as energyd rejects retry and drop do.
func doDecide(ctx context.Context, v *visit) (to string, err error) {
	if err := v.request.ParseForm(); err != nil {
		return "", errNoForm
	}
	c := chosenOf(v.request.PostForm)
	act, err := rejectActOf(v.request.PostFormValue("act"), c)
	if err != nil {
		return "", err
	}
	reason := v.reason()
	if reason == "" {
		return "", errNoReason
	}
	var until engine.Date
	if act.name == snooze {
		if until, err = engine.ParseDate(v.request.PostFormValue("until")); err != nil {
			return "", errNoDay
		}
	}
	switch _, err := act.do(v.p, ctx, c.filter(), until, reason); {
	case fault.KindOf(err) == fault.Config && c.Key == "": // all of them are decided already, or came through
	case err != nil:
		return "", err
	}
	if c.Key != "" {
		return "/rejects/one?" + chosen{Source: c.Source, Key: c.Key}.Query(), nil
	}
	return "/rejects?" + chosen{Source: c.Source, Dropped: act.name != "retry"}.Query(), nil
}

var errNoDay = fault.New(fault.BadRecord, "", "the day is missing", "say until when, as 2026-12-01", nil)

// Tomorrow is the first day until which anything can be snoozed.
func (d *deciding) Tomorrow() string { return d.tomorrow.String() }

// ActText says what is to be done.
func (d *deciding) ActText() text {
	i := slices.IndexFunc(rejectActs, func(a rejectAct) bool { return a.name == d.Act })
	return rejectActs[i].title
}
