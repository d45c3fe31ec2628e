package sink

import (
	"context"
	"fmt"
	"iter"
	"time"

	"energyd/connectors"
	"energyd/internal/fault"
)

// Job is a CRM's job as the journal knows it. At most one of a plan's Writing is
// between opening and answered: its changes are those that are being sent.
type Job struct {
	Run     string // of the plan
	Writing string
	ID      string    // in the CRM; "" until it is known
	Opened  time.Time // UTC, by the CRM's clock
	State   JobState
}

// JobState follows a job.
type JobState string

// The states of a job.
const (
	JobOpening  JobState = "opening"  // the CRM was asked for it; nothing is in it
	JobSent     JobState = "sent"     // updates are on their way; the CRM may or may not have them
	JobAnswered JobState = "answered" // the answers are kept; it only has to be removed
)

// sendJobs sends all that waits of a Writing as jobs: one, unless a job carries
// less. A rest that is not worth a job goes call by call.
func (s *Sink) sendJobs(ctx context.Context, run string, w Writing, limits connectors.JobLimits, out *Outcome) error {
	target := w.Target.(connectors.JobTarget)
	states := []ChangeState{Planned, Deferred}
	for first := true; ; first = false {
		if !first { // what a job defers is not for the next one; and it took its time
			states = states[:1]
			if err := s.leaveAllEdited(ctx, run, w, states...); err != nil {
				return err
			}
		}
		n, err := s.Store.CountChanges(ctx, run, w.Name)
		if err != nil {
			return err
		}
		waiting := 0
		for _, state := range states {
			waiting += n[state]
		}
		if waiting <= limits.From {
			return s.sendPages(ctx, run, w, false, out, states...)
		}
		opened, err := target.Clock(ctx)
		if err != nil {
			return err
		}
		job := Job{Run: run, Writing: w.Name, Opened: opened.UTC()}
		if err := s.Store.BeginJob(ctx, job); err != nil {
			return err
		}
		if job.ID, err = target.OpenJob(ctx, w.Object); err != nil {
			return fmt.Errorf("write %s: %w", w.Name, err)
		}
		if job.ID == "" {
			if err := s.Store.DropJob(ctx, job); err != nil {
				return err
			}
			return s.sendPages(ctx, run, w, false, out, states...)
		}
		// Invariant 2: the changes, and the job by whose id they are found, are in the journal before they are sent.
		sent, err := s.Store.SendJob(ctx, job, states...)
		if err != nil {
			return err
		}
		result, err := target.RunJob(ctx, job.ID, w.Object, s.updates(ctx, run, w))
		if err != nil {
			return fmt.Errorf("write %s: %w", w.Name, err)
		}
		if err := s.keepJob(ctx, job, w, result, out); err != nil {
			return err
		}
		if n, err = s.Store.CountChanges(ctx, run, w.Name); err != nil {
			return err
		}
		if n[Planned] >= sent {
			return fault.New(fault.Internal, "write "+w.Name, "a job took none of the changes", "report this", nil)
		}
	}
}

// updates gives what is being sent of a Writing, in its order, from the store and not from memory.
func (s *Sink) updates(ctx context.Context, run string, w Writing) iter.Seq2[connectors.Update, error] {
	return func(yield func(connectors.Update, error) bool) {
		stopped := false
		err := s.pages(ctx, run, w, func(changes []Change) error {
			for _, c := range changes {
				if !yield(c.update(), nil) {
					stopped = true
					return errStopped
				}
			}
			return nil
		}, Sending)
		if err != nil && !stopped {
			yield(connectors.Update{}, err)
		}
	}
}

var errStopped = fault.New(fault.Internal, "", "nobody wants more", "", nil)

// keepJob stores the answers to a job's changes, and removes it from the CRM.
func (s *Sink) keepJob(ctx context.Context, job Job, w Writing, result connectors.JobResult, out *Outcome) error {
	var stop error
	// What the CRM answered is kept even when we were told to stop.
	keep := context.WithoutCancel(ctx)
	err := s.pages(keep, job.Run, w, func(changes []Change) error {
		results := make([]connectors.Result, len(changes))
		for i, c := range changes {
			results[i] = result(c.ID)
		}
		halt, err := s.keep(keep, job.Run, w, changes, results, out)
		if halt != nil {
			stop = halt // the answers after it count all the same
		}
		return err
	}, Sending)
	if err != nil {
		return err
	}
	if err := s.Store.SetJobAnswered(keep, job); err != nil {
		return err
	}
	if err := s.endJob(ctx, job, w); err != nil && stop == nil && out != nil {
		// All is written and kept; whoever comes next tries again to tidy up.
		out.Problems = append(out.Problems, limited(out.Problems, []string{fmt.Sprintf("%s: job %s is still in the CRM: %v", w.Name, job.ID, err)})...)
	}
	return stop
}

func (s *Sink) endJob(ctx context.Context, job Job, w Writing) error {
	if err := w.Target.(connectors.JobTarget).EndJob(ctx, job.ID); err != nil {
		return err
	}
	return s.Store.DropJob(ctx, job)
}

// recoverJobs settles the jobs of runs that were killed or lost sight of them.
func (s *Sink) recoverJobs(ctx context.Context) error {
	jobs, err := s.Store.Jobs(ctx)
	if err != nil {
		return err
	}
	for _, job := range jobs {
		if err := s.recoverJob(ctx, job); err != nil {
			return err
		}
	}
	return nil
}

func (s *Sink) recoverJob(ctx context.Context, job Job) error {
	w, ok := s.writing(job.Writing)
	target, takes := w.Target.(connectors.JobTarget)
	switch {
	case !ok || !takes: // no longer configured: there is nobody to ask
		return s.Store.DropJob(ctx, job)
	case job.State == JobOpening:
		if err := target.AbandonJobs(ctx, w.Object, job.Opened); err != nil {
			return err
		}
		return s.Store.DropJob(ctx, job)
	case job.State == JobAnswered:
		return s.endJob(ctx, job, w)
	}
	n, err := s.Store.CountChanges(ctx, job.Run, job.Writing)
	if err != nil {
		return err
	}
	result, known, err := target.SettleJob(ctx, job.ID, w.Object, n[Sending])
	if err != nil {
		return fmt.Errorf("settle %s: %w", job.Writing, err)
	}
	if !known { // its changes are settled by reading the records
		return s.Store.DropJob(ctx, job)
	}
	return s.keepJob(ctx, job, w, result, nil)
}
