package web

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"energyd/internal/fault"
	"energyd/internal/store"
	"energyd/internal/web/signon"
	"energyd/sink"
)

// Actions does what takes long on a reader's behalf, one thing after the other, and when it is its turn: the daemon.
type Actions interface {
	// Ask keeps an errand until it is done. One that was asked for already and has not ended is given instead.
	Ask(ctx context.Context, e store.Errand) (store.Errand, error)
}

// The kinds of errands.
const (
	toApply = "apply" // Subject is the plan's hash
	toUndo  = "undo"  // Subject is the run
	toPull  = "pull"  // Subject is the source
	toSync  = "sync"
)

// errand is work that somebody handed to the daemon, and how it goes.
type errand struct {
	store.Errand
	Plan   string       `json:"plan,omitempty"`   // hash of the plan that it sends
	States []stateCount `json:"states,omitempty"` // of that plan's changes, while it is sent and after
	Sent   int          `json:"sent"`             // of them that were answered
	All    int          `json:"all"`
	follow bool         // the page looks again by itself
}

func viewErrand(ctx context.Context, v *visit) (*errand, error) {
	id, err := strconv.ParseInt(v.path("errand"), 10, 64)
	if err != nil {
		return nil, errNoErrand
	}
	kept, ok, err := v.store().Errand(ctx, id)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, errNoErrand
	}
	e := &errand{Errand: kept, follow: v.query.Has("follow")}
	if e.Kind != toApply && e.Kind != toUndo || e.Run == "" {
		return e, nil
	}
	plan, err := v.store().PlanOf(ctx, e.Run)
	if fault.KindOf(err) == fault.Config { // it was refused before it had one
		return e, nil
	}
	if err != nil {
		return nil, err
	}
	e.Plan = plan.Plan
	if e.States, err = v.states(ctx, plan.Run); err != nil {
		return nil, err
	}
	for _, s := range e.States {
		e.All += s.Count
		if s.State != sink.Planned && s.State != sink.Sending {
			e.Sent += s.Count
		}
	}
	return e, nil
}

var errNoErrand = fault.New(fault.Config, "", "there is no such work", "the page of runs shows what was asked for", nil)

// Open tells that it waits or is at work.
func (e errand) Open() bool { return e.Ended.IsZero() }

// again is how soon the page looks again; zero for not by itself.
func (e *errand) again() time.Duration {
	if !e.follow || !e.Open() {
		return 0
	}
	return 3 * time.Second
}

// Follows tells that the page looks again by itself.
func (e errand) Follows() bool { return e.again() > 0 }

// Path is the errand's page.
func (e errand) Path() string { return errandPath(e.ID) }

func errandPath(id int64) string { return "/errands/" + strconv.FormatInt(id, 10) }

// KindText says what it is.
func (e errand) KindText() text { return worded(errandKinds, e.Kind) }

// StateText says how it stands.
func (e errand) StateText() text {
	switch {
	case !e.Open():
		return worded(runStates, string(e.State))
	case e.Run == "":
		return text{Ja: "待っています", En: "waiting"}
	}
	return worded(runStates, "running")
}

// State is how it stands, as pages colour it.
func (e errand) Colour() string {
	if e.Open() {
		return "running"
	}
	return string(e.State)
}

var errandKinds = map[string]text{
	toApply: {Ja: "計画の反映", En: "Send a plan"}, toUndo: {Ja: "書き込みの取消", En: "Take back what a run wrote"},
	toPull: {Ja: "取得", En: "Read a source"}, toSync: {Ja: "同期（取得・計画・反映）", En: "Sync: read, plan, send"},
}

// askedBefore is what a page of confirmation knew when it was drawn: what was asked for
// before. Its form brings it back, so that a button that is pressed twice leads to
// the same work, also when the first is done already.
func (v *visit) askedBefore(ctx context.Context, kind, subject, record string) (last int64, err error) {
	e, _, err := v.store().LastErrand(ctx, kind, subject, record)
	return e.ID, err
}

// pressed finds the work for which the form's button was pressed before.
func (v *visit) pressed(ctx context.Context, kind, subject, record string) (e store.Errand, was bool, err error) {
	before, err := strconv.ParseInt(v.request.PostFormValue("asked"), 10, 64)
	if err != nil {
		return e, false, errNoForm
	}
	e, was, err = v.store().LastErrand(ctx, kind, subject, record)
	return e, was && e.ID > before, err
}

// ask hands work to the daemon in the reader's name, and gives the page that shows how it goes.
func (v *visit) ask(ctx context.Context, e store.Errand) (to string, err error) {
	last, was, err := v.pressed(ctx, e.Kind, e.Subject, e.Record)
	if err == nil && !was {
		e.Who, e.Asked = v.reader.Name, v.p.Now()
		last, err = v.actions.Ask(ctx, e)
	}
	return errandPath(last.ID) + "?follow", err
}

var errNoForm = fault.New(fault.BadRecord, "", "this form is not one of energyd's pages", "go back to the page, and press the button there", nil)

// pulling is the question whether a source, or everything, is to be read now.
type pulling struct {
	Source string `json:"source"` // "" = all, and what follows is written to the CRM
	Asked  int64  `json:"-"`
	May    bool   `json:"-"`
}

func viewPulling(ctx context.Context, v *visit) (*pulling, error) {
	p := &pulling{Source: v.query.Get("source"), May: v.reader.MayAct(signon.Admin)}
	if err := v.source(p.Source); err != nil {
		return nil, err
	}
	var err error
	p.Asked, err = v.askedBefore(ctx, pullKind(p.Source), p.Source, "")
	return p, err
}

func doPull(ctx context.Context, v *visit) (to string, err error) {
	source := v.request.PostFormValue("source")
	if err := v.source(source); err != nil {
		return "", err
	}
	return v.ask(ctx, store.Errand{Kind: pullKind(source), Subject: source})
}

func pullKind(source string) string {
	if source == "" {
		return toSync
	}
	return toPull
}

// source refuses the name of a source that there is not.
func (v *visit) source(name string) error {
	if name == "" {
		return nil
	}
	for _, s := range v.p.Config().Sources {
		if s.Name == name {
			return nil
		}
	}
	return fault.New(fault.Config, "", "there is no such source", "the page of connections lists them", nil)
}

// pathOf is an address with a part that may hold anything.
func pathOf(before, part, after string) string { return before + url.PathEscape(part) + after }
