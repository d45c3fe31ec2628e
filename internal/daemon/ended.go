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
func (d *Daemon) end(ctx context.Context, e ended) {
	now := d.Now()
	d.refresh(ctx)
	d.tell(e)
	d.count(e, now)
	d.stand(ctx)
	d.errands.look = true // what waited for its lanes may begin
	begun := e.Report.Run != ""
	if e.Errand.ID != 0 && !begun && fault.KindOf(e.Err) == fault.Conflict {
		d.errands.again[e.Errand.ID] = now.Add(occupied)
	}
	for _, j := range d.jobs {
		switch {
		case !e.covers(j):
		case !begun && j.Source == "" && e.Kind != "sync":
		case !begun && fault.KindOf(e.Err) == fault.Conflict:
			j.again = now.Add(occupied)
		case !begun:
			j.pause(now)
		case mayHeal(e, j):
			j.last, j.known = e.started, now
			j.pause(now)
		default:
			j.last, j.known, j.again, j.failures = e.started, now, time.Time{}, 0
		}
	}
	if begun {
		d.follow(e)
	}
	if begun && e.Kind == "sync" && d.Synced != nil {
		d.Synced()
	}
	d.drop(e.work)
}

// covers tells that a run was, or was to be, the job's: its own, or a sync that read its source.
func (e ended) covers(j *job) bool {
	switch {
	case e.Errand.ID != 0 && e.Report.Run == "": // it is no job's start
		return false
	case j.Source == "" || e.Kind == "pull":
		return j.Source == "" && e.Kind == "sync" || slices.Contains(e.Sources, j.Source)
	}
	return e.Kind == "sync" && slices.ContainsFunc(e.Report.Sources, func(s pipeline.SourceReport) bool { return s.Source == j.Source })
}

// mayHeal tells that a job failed, and that trying it again later can help: a
// system was away, or a budget of calls was used up. The sync answers for all of
// its run, the pull of a source for that source.
func mayHeal(e ended, j *job) bool {
	later := func(err error) bool {
		kind := fault.KindOf(err)
		return fault.Retryable(kind) || kind == fault.Quota || kind == fault.Conflict // another run had it read again from the beginning
	}
	if e.Err != nil && later(e.Err) {
		return true
	}
	if j.Source == "" {
		return slices.ContainsFunc(e.Report.Errors, later)
	}
	return e.Kind == "pull" && failed(e.Report, j.Source) && slices.ContainsFunc(e.Report.Errors, later)
}

// failed tells that a source was not read to its end.
func failed(r pipeline.Report, source string) bool {
	return slices.ContainsFunc(r.Sources, func(s pipeline.SourceReport) bool { return s.Source == source && s.Error != "" })
}

// follow asks for the sources that are read after others.
func (d *Daemon) follow(e ended) {
	if e.Kind != "pull" {
		return // a sync has read them all
	}
	for _, j := range d.jobs {
		name := j.Schedule.After()
		read := slices.ContainsFunc(e.Report.Sources, func(s pipeline.SourceReport) bool { return s.Source == name && s.Error == "" })
		if name != "" && read && !slices.Contains(e.Sources, j.Source) {
			d.ask(asking{from: d.Now()}, j.Source)
		}
	}
}

// tell tells people what a run came to, and that it is over.
func (d *Daemon) tell(e ended) {
	d.running = slices.DeleteFunc(d.running, func(r *running) bool { return r == e.running })
	e.cancel()
	r, kind := e.Report, fault.KindOf(e.Err)
	switch {
	case r.Run == "" && kind == fault.Conflict:
		d.Log.Info("another process is at work on this, or did it just now", "kind", e.Kind)
		return
	case slices.Equal(r.Notes, []string{store.Interrupted}) && kind != fault.Unavailable:
		return // by ourselves
	}
	for _, s := range r.Sources {
		if s.Error != "" {
			d.alerts.set("source "+s.Source, string(store.Failed), s.Error, hintOf(r.Errors, s.Error))
		} else {
			d.alerts.set("source "+s.Source, string(store.OK), "", "")
		}
	}
	if e.Errand.ID != 0 && e.Kind != "sync" {
		return // who asked looks at how it went
	}
	state, about := r.State, ""
	if e.Kind == "pull" && e.Err == nil {
		state = store.OK // its sources have said the rest
	}
	if len(r.Notes) > 0 && state != store.OK {
		about = r.Notes[0]
	}
	if e.Err != nil {
		about = e.Err.Error()
		if state == store.Running {
			state = store.Failed
		}
	}
	d.alerts.set(e.Kind, string(state), about, fault.HintOf(e.Err))
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
