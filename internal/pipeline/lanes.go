package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"energyd/internal/config"
	"energyd/internal/store"
)

// Lanes are what a run takes of the store, so that runs which do not meet go on
// side by side (decisions/0136): a lane for each connection, and one for scores and plans.
type Lanes struct {
	Must []string // without one of them it does not begin
	May  []string // connections whose sources it leaves out while another run has them
}

// PullLanes are those of a pull of sources: their connections.
func (p *Pipeline) PullLanes(names ...string) Lanes {
	var l Lanes
	for _, s := range p.cfg.Sources {
		if (len(names) == 0 || slices.Contains(names, s.Name)) && !slices.Contains(l.Must, s.Connection) {
			l.Must = append(l.Must, s.Connection)
		}
	}
	return l
}

// SyncLanes are those of a sync: what other sources look things up in, and what
// is written to. The rest may be at work already: a first reading of years of
// mails does not keep a night waiting.
func (p *Pipeline) SyncLanes() Lanes {
	l := Lanes{Must: append([]string{store.Syncs}, p.written()...)}
	for _, s := range p.cfg.Sources {
		if m := p.mappings[s.Name]; m != nil && m.MakesProfiles() && !slices.Contains(l.Must, s.Connection) {
			l.Must = append(l.Must, s.Connection)
		}
	}
	for _, name := range p.PullLanes().Must {
		if !slices.Contains(l.Must, name) {
			l.May = append(l.May, name)
		}
	}
	return l
}

// WriteLanes are those of what plans or writes.
func (p *Pipeline) WriteLanes() Lanes {
	return Lanes{Must: append([]string{store.Scores}, p.written()...)}
}

// everything keeps all others away.
func (p *Pipeline) everything() Lanes {
	l := Lanes{Must: []string{store.Scores, store.Syncs}}
	for _, c := range p.cfg.Connections {
		l.Must = append(l.Must, c.Name)
	}
	return l
}

// written names the connections that are written to.
func (p *Pipeline) written() (names []string) {
	for _, w := range p.cfg.Write {
		if !slices.Contains(names, w.Connection) {
			names = append(names, w.Connection)
		}
	}
	return names
}

// lock takes a run's lanes.
func (p *Pipeline) lock(ctx context.Context, l Lanes) (*store.Hold, error) {
	h, err := p.store.Lock(ctx, l.Must...)
	if err != nil {
		return nil, err
	}
	for _, lane := range l.May {
		if _, err := h.Try(ctx, lane); err != nil {
			return nil, errors.Join(err, h.Leave())
		}
	}
	return h, nil
}

// alone waits until nobody else changes scores or plans, and helps with that. The lane stays the run's until it gives it back, or ends.
func (p *Pipeline) alone(ctx context.Context) error {
	return p.hold.Wait(ctx, store.Scores, p.Help)
}

// free gives the sources whose connections the run has, and notes which it has not.
func (p *Pipeline) free(r *Report, sources []config.Source) (free []config.Source) {
	var taken []string
	for _, s := range sources {
		if slices.Contains(p.hold.Lanes(), s.Connection) {
			free = append(free, s)
		} else {
			taken = append(taken, s.Name)
		}
	}
	if len(taken) > 0 {
		r.Notes = append(r.Notes, fmt.Sprintf("not read here, since another run reads from the same connection: %s", strings.Join(taken, ", ")))
	}
	return free
}

// ForRun gives a pipeline for a run beside others; its user disconnects it. done tells of the last starts,
// when the run has its lanes, that another process has done meanwhile what it was to do; nil: none may have.
func (p *Pipeline) ForRun(done func(store.LastStarts) bool) *Pipeline {
	q := p.Beside(p.opt.Who)
	q.groups, q.hold, q.done = nil, nil, done
	return q
}
