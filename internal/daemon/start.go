package daemon

import (
	"context"
	"slices"
	"time"

	"energyd/internal/store"
)

// next starts what is due and has its lanes free, and says how long there is nothing to do.
func (d *Daemon) next(ctx context.Context) time.Duration {
	now := d.Now()
	rest := min(d.rest(now), d.doErrands(ctx, now))
	if rest > 0 || !d.upToDate(ctx, now) {
		return d.rest(now)
	}
	if j := d.syncJob(); j != nil && d.ready(j, now) && d.mayBegin(j, now) {
		d.sync(ctx, now)
	}
	for _, j := range d.jobs {
		if j.Source != "" && d.ready(j, now) && d.mayBegin(j, now) {
			d.pull(ctx, j, now)
		}
	}
	return d.rest(now)
}

// syncJob is the job of the sync; nil when it has no schedule.
func (d *Daemon) syncJob() *job {
	if i := slices.IndexFunc(d.jobs, func(j *job) bool { return j.Source == "" }); i >= 0 {
		return d.jobs[i]
	}
	return nil
}

// order is the run of a job by itself.
func (j *job) order() Order {
	if j.Source == "" {
		return Order{Kind: "sync"}
	}
	return Order{Kind: "pull", Sources: []string{j.Source}}
}

// mayBegin tells that no run of this process has a lane that the job needs, that
// the pulls are not too many, and that a pull does not get ahead of a sync that waits for a lane.
func (d *Daemon) mayBegin(j *job, now time.Time) bool {
	needs := d.work.Lanes(j.order()).Must
	if d.busy(needs) {
		return false
	}
	if j.Source == "" {
		return true
	}
	if d.fresh(now) >= atOnce {
		return false
	}
	sync := d.syncJob()
	if sync == nil || !d.ready(sync, now) {
		return true
	}
	first := d.work.Lanes(sync.order()).Must
	return !slices.ContainsFunc(needs, func(lane string) bool { return slices.Contains(first, lane) })
}

// atOnce is how many pulls a daemon has at work at most: so many batches are in memory, and what else is due is left
// to other daemons. One that goes on for longer than lasting is a first reading, which waits for its system most of the
// time: it keeps none of the others waiting.
const (
	atOnce  = 4
	lasting = time.Hour
)

// fresh is how many pulls are at work that count for atOnce.
func (d *Daemon) fresh(now time.Time) (n int) {
	for _, r := range d.running {
		if r.Kind == "pull" && now.Sub(r.started) < lasting {
			n++
		}
	}
	return n
}

// busy tells that a run of this process has one of the lanes.
func (d *Daemon) busy(lanes []string) bool {
	return slices.ContainsFunc(lanes, func(lane string) bool {
		return slices.ContainsFunc(d.running, func(r *running) bool { return slices.Contains(r.lanes, lane) })
	})
}

// sync starts the sync of all: it reads every source whose connection is free, so nothing else of these is left to do.
func (d *Daemon) sync(ctx context.Context, now time.Time) {
	known, _ := d.seen.Of("")
	r := Order{Kind: "sync", Done: func(last store.LastStarts) bool {
		l, ok := last.Of("")
		return ok && !l.At.Equal(known.At)
	}}
	begun := d.launch(ctx, r, now)
	for _, j := range d.jobs {
		if j.Source != "" && holds(begun.lanes, d.work.Lanes(j.order()).Must) {
			delete(d.asked, j.Source)
		}
	}
}

// holds tells that all of the lanes are among those.
func holds(those, lanes []string) bool {
	return !slices.ContainsFunc(lanes, func(lane string) bool { return !slices.Contains(those, lane) })
}

// pull starts the pull of a job, and of all others that are to start now and read from the same connection.
func (d *Daemon) pull(ctx context.Context, first *job, now time.Time) {
	lanes := d.work.Lanes(first.order()).Must
	r := Order{Kind: "pull", News: true} // if all of them were told of: what is read by schedule may take its time
	for _, j := range d.jobs {
		if j.Source != "" && d.ready(j, now) && slices.Equal(d.work.Lanes(j.order()).Must, lanes) {
			r.Sources = append(r.Sources, j.Source)
			r.News = r.News && d.asked[j.Source].news
		}
	}
	asked := slices.ContainsFunc(r.Sources, func(source string) bool { _, ok := d.asked[source]; return ok })
	for _, source := range r.Sources {
		delete(d.asked, source)
	}
	known := d.seen
	r.Done = func(last store.LastStarts) bool {
		return !asked && !slices.ContainsFunc(r.Sources, func(source string) bool {
			before, _ := known.Of(source)
			now, _ := last.Of(source)
			return now.At.Equal(before.At)
		})
	}
	d.launch(ctx, r, now)
}

// launch starts a run. It outlives ctx for a while: see stop.
func (d *Daemon) launch(ctx context.Context, r Order, now time.Time) *running {
	lanes := d.work.Lanes(r)
	at := &running{Order: r, work: d.work, lanes: slices.Clone(lanes.Must), started: now}
	for _, lane := range lanes.May {
		if !d.busy([]string{lane}) {
			at.lanes = append(at.lanes, lane)
		}
	}
	ctx, at.cancel = context.WithCancel(context.WithoutCancel(ctx))
	d.running = append(d.running, at)
	d.Metrics.Began()
	go func() {
		e := ended{at, at.work.Do(ctx, r)}
		select {
		case d.ended <- e:
		case <-d.gone: // it was dropped where it was
		}
	}()
	return at
}
