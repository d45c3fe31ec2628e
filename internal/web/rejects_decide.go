package web

import (
	"context"
	"slices"

	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/web/signon"
)

// deciding is the question what becomes of rejects.
type deciding struct {
	Act string `json:"act"` // "retry" or "drop"
	chosen
	Count   int         `json:"count"`
	Rejects []rejectRow `json:"rejects"` // the first of them
	May     bool        `json:"-"`
}

// rejectActs are what people decide of rejects, by the functions that energyd rejects has.
var rejectActs = []rejectAct{
	{"retry", text{Ja: "再試行する", En: "Try again"}, (*pipeline.Pipeline).RetryRejects},
	{"drop", text{Ja: "除外する", En: "Drop"}, (*pipeline.Pipeline).DropRejects},
}

type rejectAct struct {
	name  string
	title text
	do    func(*pipeline.Pipeline, context.Context, pipeline.RejectFilter, string) (pipeline.Decided, error)
}

// rejectActOf finds what is to be done, and refuses to do it to all rejects at once, as the command does.
func rejectActOf(name string, c chosen) (rejectAct, error) {
	i := slices.IndexFunc(rejectActs, func(a rejectAct) bool { return a.name == name })
	if i < 0 || c.Source == "" && c.Class == "" && c.Code == "" || c.Source == "" && c.Key != "" {
		return rejectAct{}, errNoForm
	}
	return rejectActs[i], nil
}

func viewDeciding(ctx context.Context, v *visit) (any, error) {
	d := &deciding{Act: v.query.Get("act"), chosen: chosenOf(v.query), May: v.reader.MayAct(signon.Admin)}
	if _, err := rejectActOf(d.Act, d.chosen); err != nil {
		return nil, err
	}
	for _, d.Dropped = range []bool{d.Dropped, !d.Dropped} {
		for x, err := range v.p.Rejects(ctx, d.filter()) {
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
	switch _, err := act.do(v.p, ctx, c.filter(), reason); {
	case fault.KindOf(err) == fault.Config && c.Key == "": // all of them are decided already, or came through
	case err != nil:
		return "", err
	}
	if c.Key != "" {
		return "/rejects/one?" + chosen{Source: c.Source, Key: c.Key}.Query(), nil
	}
	return "/rejects?" + chosen{Source: c.Source, Dropped: act.name == "drop"}.Query(), nil
}

// ActText says what is to be done.
func (d *deciding) ActText() text {
	i := slices.IndexFunc(rejectActs, func(a rejectAct) bool { return a.name == d.Act })
	return rejectActs[i].title
}
