package daemon

import (
	"context"
	"log/slog"
	"time"

	"energyd/internal/store"
)

// alerts tells people when something changes its state, and only then: "sync",
// "source tasks", "configuration", "store". The log is told of at once; how things
// stand is kept, so that a restart tells nothing again, and so that web hooks and
// mails, which may be away for a while, are told by what is kept (Work.Tell).
type alerts struct {
	log    *slog.Logger
	keep   func(store.Alert)
	states map[string]string
}

// known is how something stood before, without telling.
func (a *alerts) known(what, state string) {
	if a.states == nil {
		a.states = map[string]string{}
	}
	a.states[what] = state
}

// set tells of what stands otherwise than before; that all was well before anything was known is taken for granted.
func (a *alerts) set(what, state, about, do string) {
	was, ok := a.states[what]
	if !ok {
		was = string(store.OK)
	}
	a.known(what, state)
	if state == was {
		return
	}
	attrs := []slog.Attr{slog.String("of", what), slog.String("state", state), slog.String("was", was)}
	if about != "" {
		attrs = append(attrs, slog.String("because", about))
	}
	if do != "" {
		attrs = append(attrs, slog.String("what_to_do", do))
	}
	level, message := slog.LevelError, "alert"
	switch store.RunState(state) {
	case store.OK:
		level, message = slog.LevelInfo, "alert over"
	case store.Partial:
		level = slog.LevelWarn
	}
	a.log.LogAttrs(context.Background(), level, message, attrs...)
	a.keep(store.Alert{What: what, State: state, Because: about, ToDo: do})
}

// keepAlert keeps how something stands, and has readers told of it. That the store is away cannot be kept in it.
func (d *Daemon) keepAlert(a store.Alert) {
	if a.What == "store" || d.work == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	a.Since = d.Now()
	if err := d.work.SetAlert(ctx, a); err != nil {
		d.Log.Warn("an alert is told by the log alone: it could not be kept", "of", a.What, "error", err)
		return
	}
	select {
	case d.changed <- struct{}{}:
	default: // they are to look anyway
	}
}

// recall takes from the store how things stood when the process before ended. A
// sync that somebody ran by hand since may have set right what was wrong.
func (d *Daemon) recall(ctx context.Context, last store.LastStarts) error {
	kept, err := d.work.Alerts(ctx)
	if err != nil {
		return err
	}
	for _, a := range kept {
		d.alerts.known(a.What, a.State)
	}
	switch sync, ok := last.Of(""); {
	case !ok:
	case sync.State == store.OK:
		d.alerts.set("sync", string(store.OK), "", "")
	default:
		d.alerts.known("sync", string(sync.State))
	}
	return nil
}

// refresh takes from the store how runs and sources stand: another daemon on it may have told of them since.
func (d *Daemon) refresh(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	kept, err := d.work.Alerts(ctx)
	if err != nil {
		return // what was known here is told of
	}
	for _, a := range kept {
		if a.What != "configuration" && a.What != "store" { // these are this process's own
			d.alerts.known(a.What, a.State)
		}
	}
}
