package daemon

import (
	"context"
	"log/slog"

	"energyd/internal/store"
)

// alerts tells people when something changes its state, and only then: "sync",
// "source tasks", "configuration", "store". What a log cannot reach (a mail, a
// web hook) is told of in set, too.
type alerts struct {
	log    *slog.Logger
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
}
