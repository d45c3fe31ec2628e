package daemon

import (
	"context"
	"time"

	"energyd/internal/store"
	"energyd/internal/telemetry"
)

// count tells the metrics what a run came to.
func (d *Daemon) count(r ended, now time.Time) {
	if r.Report.Run == "" {
		d.Metrics.Waited()
		return
	}
	state := r.Report.State
	if state == store.Running { // its end could not be kept
		state = store.Failed
	}
	d.Metrics.Ended(r.Kind, string(state), r.started, now)
	for _, s := range r.Report.Sources {
		d.Metrics.SourceRead(telemetry.Read{Source: s.Source, Failed: s.Error != "",
			Read: s.Read, Stored: s.Stored, Unchanged: s.Unchanged, Skipped: s.Skipped, Rejected: s.Rejected}, now)
	}
	c := r.Changes
	d.Metrics.Changed("written", c.Written)
	d.Metrics.Changed("rejected", c.Rejected)
	d.Metrics.Changed("deferred", c.Deferred)
	d.Metrics.Changed("edited", c.Edited)
	d.Metrics.Changed("not_sent", c.Parked)
}

// remember tells the metrics what other processes, and this one's predecessors, did.
func (d *Daemon) remember(ctx context.Context) {
	s, ok := d.stand(ctx)
	if !ok {
		return
	}
	seen, good := map[string]bool{}, map[string]bool{}
	for _, r := range s.Recent {
		if r.Ended.IsZero() {
			continue
		}
		if !seen[r.Kind] {
			seen[r.Kind] = true
			d.Metrics.Was(r.Kind, string(r.State), r.Ended)
		}
		if !good[r.Kind] && (r.State == store.OK || r.State == store.Partial) {
			good[r.Kind] = true
			d.Metrics.Succeeded(r.Kind, r.Ended)
		}
	}
}

// stand tells the metrics how things stand in the store.
func (d *Daemon) stand(ctx context.Context) (Standing, bool) {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	s, err := d.work.Standing(ctx)
	if err != nil {
		d.Log.Warn("the metrics of the store stay as they were", "error", err)
		return s, false
	}
	kept := map[string]int{}
	for _, r := range s.Rejects {
		kept[r.Source] += r.Count
	}
	for _, source := range d.work.Sources() {
		d.Metrics.Kept(source, kept[source])
	}
	for _, b := range s.Budgets {
		d.Metrics.Calls(b.Connection, b.Used, b.Limit, b.Left)
	}
	return s, true
}
