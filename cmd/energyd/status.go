package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"energyd/connectors"
	"energyd/internal/pipeline"
	"energyd/internal/review"
	"energyd/internal/store"
	"energyd/sink"
)

func (a *app) statusCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "status",
		Short: "Runs, how far each source was read, rejects, the open plan, the next run",
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withStored(c, func(ctx context.Context, p *pipeline.Pipeline) error {
				s, err := p.Status(ctx)
				if err != nil {
					return err
				}
				if a.json {
					return a.encode(statusJSON(s))
				}
				a.printStatus(s)
				return nil
			})
		},
	}
}

func (a *app) printStatus(s pipeline.Status) {
	if len(s.Runs) == 0 {
		fmt.Fprintln(a.out, "no run yet; start with energyd check, then energyd pull")
	} else {
		t := newTable("RUN", "KIND", "STATE", "STARTED", "TOOK", "READ", "STORED", "REJECTED").alignRight(4, 5, 6, 7)
		for _, r := range s.Runs {
			var read, stored, rejected int
			for _, src := range r.Sources {
				read += src.Read
				stored += src.Stored
				rejected += src.Rejected
			}
			took := "-"
			if r.State != store.Running {
				took = r.Ended.Sub(r.Started).Round(time.Millisecond).String()
			}
			t.row(r.ID, r.Kind, s.StateOf(r), r.Started.In(s.Zone).Format(clock), took, read, stored, rejected)
		}
		t.print(a.out)
	}
	for _, r := range s.Runs[:min(1, len(s.Runs))] {
		if s.StateOf(r) == "interrupted" {
			fmt.Fprintf(a.out, "%s interrupted: its process ended before the run did; what was saved stays, and the next run goes on from there\n", r.Kind)
		}
		for line := range strings.Lines(r.Message) {
			fmt.Fprintf(a.out, "%s %s: %s\n", r.Kind, r.State, strings.TrimSuffix(line, "\n"))
		}
	}
	for _, r := range s.AtWork {
		fmt.Fprintf(a.out, "at work: %s %s, by %s\n", r.Kind, r.ID, r.By)
	}
	fmt.Fprintln(a.out)
	t := newTable("SOURCE", "READ UP TO", "VERIFIED UP TO", "REJECTS KEPT").alignRight(3)
	for _, src := range s.Sources {
		until := "not read yet"
		switch {
		case !src.Until.IsZero():
			until = src.Until.In(s.Zone).Format(clock)
		case src.Read:
			until = "read; it tells no change times"
		}
		verified := "-"
		if !src.Verified.IsZero() {
			verified = fmt.Sprintf("%s, looked at since %s", src.Verified.In(s.Zone).Format(time.DateOnly), src.Checked.In(s.Zone).Format(time.DateOnly))
		}
		t.row(src.Name, until, verified, src.Rejects)
	}
	t.print(a.out)
	fmt.Fprintln(a.out)
	a.printBudgets(s)
	for _, c := range s.Rejects {
		fmt.Fprintf(a.out, "rejects: %s: %d × %s\n", c.Source, c.Count, c.Code)
	}
	if s.People > 0 {
		fmt.Fprintf(a.out, "rejects: %d need a person: energyd rejects list --needs-a-person\n", s.People)
	}
	for _, advice := range s.Advice {
		fmt.Fprintln(a.out, "warning:", advice)
	}
	for _, line := range s.Quality {
		fmt.Fprintln(a.out, "quality:", line)
	}
	a.printReview(s.Review)
	for _, x := range s.Arrivals {
		fmt.Fprintf(a.out, "arrived: %s (%s), whom you know from %s with %.1f points, is at %s since %s\n",
			x.Name, x.Contact, x.FromName, x.Earned, x.ToName, x.On)
	}
	for _, name := range s.Unconfigured {
		fmt.Fprintf(a.out, "source %s is no longer in %s, but its activities still count\n", name, s.File)
	}
	if s.Plan != nil && len(s.Plan.Brakes) > 0 && s.Plan.State == sink.Open {
		fmt.Fprintf(a.out, "plan %s is parked, as of %s\n", s.Plan.Plan, s.Plan.AsOf)
		a.printBrakes(*s.Plan)
	} else if s.Plan != nil {
		fmt.Fprintf(a.out, "plan %s is %s: %d records, as of %s; send it with energyd apply\n", s.Plan.Plan, s.Plan.State, s.Plan.Records, s.Plan.AsOf)
	}
	a.printStarts(s.Starts)
}

// printStarts shows what energyd run starts next.
func (a *app) printStarts(starts []pipeline.Start) {
	if len(starts) == 0 {
		return
	}
	fmt.Fprintln(a.out)
	t := newTable("ENERGYD RUN STARTS", "BY", "NEXT")
	for _, s := range starts {
		job, next := "sync", "-"
		if s.Source != "" {
			job = "pull " + s.Source
		}
		switch {
		case s.Schedule.OnNews():
			next = "when there is something new"
		case s.Schedule.After() != "":
			next = "when " + s.Schedule.After() + " was read"
		case s.Missed:
			next = "at once: missed at " + s.At.Format(clock)
		default:
			next = s.At.Format(clock)
		}
		t.row(job, s.Schedule, next)
	}
	t.print(a.out)
}

// printReview says when the points were reviewed, and why they should be again.
func (a *app) printReview(s pipeline.ReviewStatus) {
	switch {
	case s.Overdue:
		fmt.Fprintf(a.out, "review: due since %s; the points were last reviewed on %s (table %s): energyd review\n", s.Due, s.Last, s.Table)
	case s.Last != "":
		fmt.Fprintf(a.out, "review: the points were reviewed on %s (table %s); due again on %s\n", s.Last, s.Table, s.Due)
	}
	for _, d := range s.Drifted {
		m := d.Months[len(d.Months)-1]
		fmt.Fprintf(a.out, "review: contacts of kind %s are no longer as they were (stability index %.2f in %s, above %.1f): energyd review\n", d.Kind, m.Index, m.Month, review.DriftLimit)
	}
}

// printBudgets shows how each connection that counts its calls stood when it was last seen.
func (a *app) printBudgets(s pipeline.Status) {
	if len(s.Budgets) == 0 {
		return
	}
	t := newTable("CALLS IN 24 H", "ALL PROGRAMS", "OF", "OURS", "LEFT FOR US", "BOUNDED BY", "SEEN").alignRight(1, 2, 3, 4)
	for _, b := range s.Budgets {
		ceiling := string(b.Ceiling)
		if b.Ceiling == connectors.PerRun {
			ceiling += " (of that run)"
		}
		t.row(b.Connection, b.Used, b.Limit, b.Day, b.Left, ceiling, b.Seen.In(s.Zone).Format(clock))
	}
	t.print(a.out)
	fmt.Fprintln(a.out)
}

// clock is how times are shown: in the configuration's zone, which is named.
const clock = "2006-01-02 15:04:05 MST"

func runJSON(r store.Run) map[string]any {
	sources := make([]map[string]any, len(r.Sources))
	for i, s := range r.Sources {
		sources[i] = map[string]any{"source": s.Source, "read": s.Read, "stored": s.Stored, "unchanged": s.Unchanged, "skipped": s.Skipped, "rejected": s.Rejected}
	}
	return map[string]any{"run": r.ID, "kind": r.Kind, "state": r.State, "started": timestamp(r.Started), "ended": timestamp(r.Ended), "message": r.Message, "sources": sources}
}

func statusJSON(s pipeline.Status) map[string]any {
	runs := make([]map[string]any, len(s.Runs))
	for i, r := range s.Runs {
		runs[i] = runJSON(r)
		runs[i]["state"] = s.StateOf(r)
	}
	sources := make([]map[string]any, len(s.Sources))
	for i, src := range s.Sources {
		sources[i] = map[string]any{"source": src.Name, "read_up_to": timestamp(src.Until), "verified_up_to": timestamp(src.Verified), "verified_since": timestamp(src.Checked), "rejects": src.Rejects}
	}
	return map[string]any{"runs": runs, "sources": sources, "advice": s.Advice, "rejects_for_people": s.People, "quality": s.Quality, "review": s.Review, "arrivals": s.Arrivals, "budgets": s.Budgets, "plan": s.Plan, "starts": startsJSON(s.Starts)}
}

func startsJSON(starts []pipeline.Start) []map[string]any {
	list := make([]map[string]any, len(starts))
	for i, s := range starts {
		list[i] = map[string]any{"source": s.Source, "schedule": s.Schedule.String(), "next": timestamp(s.At), "missed": s.Missed}
	}
	return list
}

// timestamp is RFC 3339 in UTC, "" for no time.
func timestamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
