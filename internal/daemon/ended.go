package daemon

import (
	"context"
	"slices"
	"time"

	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/store"
)

// end draws the consequences of a run.
func (d *Daemon) end(ctx context.Context, r Result) {
	run := d.running
	now := d.Now()
	d.tell(r)
	d.count(run, r, now)
	d.stand(ctx)
	for _, j := range d.jobs {
		if !run.sync && !slices.Contains(run.sources, j.Source) {
			continue
		}
		switch {
		case r.Report.Run == "": // it did not begin
			if run.sync && j.Source != "" {
				continue
			}
			if fault.KindOf(r.Err) == fault.Conflict {
				j.again = now.Add(occupied)
			} else {
				j.pause(now)
			}
		case mayHeal(run, j, r):
			j.last, j.known = run.started, now
			j.pause(now)
		default:
			j.last, j.known, j.again, j.failures = run.started, now, time.Time{}, 0
		}
	}
	if r.Report.Run != "" {
		d.follow(run, r.Report)
	}
	if d.waiting != nil {
		work := d.waiting
		d.waiting = nil
		d.swap(ctx, work)
	}
}

// mayHeal tells that a job failed, and that trying it again later can help: a
// system was away, or a budget of calls was used up. The sync answers for all of
// its run, the pull of a source for that source.
func mayHeal(run *running, j *job, r Result) bool {
	later := func(err error) bool {
		kind := fault.KindOf(err)
		return fault.Retryable(kind) || kind == fault.Quota
	}
	if r.Err != nil && later(r.Err) {
		return true
	}
	if j.Source == "" {
		return slices.ContainsFunc(r.Report.Errors, later)
	}
	return !run.sync && failed(r.Report, j.Source) && slices.ContainsFunc(r.Report.Errors, later)
}

// failed tells that a source was not read to its end.
func failed(r pipeline.Report, source string) bool {
	return slices.ContainsFunc(r.Sources, func(s pipeline.SourceReport) bool { return s.Source == source && s.Error != "" })
}

// follow asks for the sources that are read after others.
func (d *Daemon) follow(run *running, r pipeline.Report) {
	if run.sync {
		return // it has read them all
	}
	for _, j := range d.jobs {
		name := j.Schedule.After()
		read := slices.ContainsFunc(r.Sources, func(s pipeline.SourceReport) bool { return s.Source == name && s.Error == "" })
		if name != "" && read && !slices.Contains(run.sources, j.Source) {
			d.ask(asking{from: d.Now()}, j.Source)
		}
	}
}

// tell tells people what a run came to, and that it is over.
func (d *Daemon) tell(r Result) {
	run := d.running
	d.running = nil
	run.cancel()
	kind := fault.KindOf(r.Err)
	switch {
	case r.Report.Run == "" && kind == fault.Conflict:
		d.Log.Info("another process is at work on the store; the run waits for it", "kind", run.kind())
		return
	case slices.Equal(r.Report.Notes, []string{store.Interrupted}):
		return // by ourselves
	}
	for _, s := range r.Report.Sources {
		if s.Error != "" {
			d.alerts.set("source "+s.Source, string(store.Failed), s.Error, hintOf(r.Report.Errors, s.Error))
		} else {
			d.alerts.set("source "+s.Source, string(store.OK), "", "")
		}
	}
	state, about := r.Report.State, ""
	if !run.sync && r.Err == nil {
		state = store.OK // its sources have said the rest
	}
	if len(r.Report.Notes) > 0 && state != store.OK {
		about = r.Report.Notes[0]
	}
	if r.Err != nil {
		about = r.Err.Error()
		if state == store.Running {
			state = store.Failed
		}
	}
	d.alerts.set(run.kind(), string(state), about, fault.HintOf(r.Err))
}

// hintOf finds what to do about a source's error among a run's errors.
func hintOf(errs []error, text string) string {
	for _, err := range errs {
		if err.Error() == text {
			return fault.HintOf(err)
		}
	}
	return ""
}
