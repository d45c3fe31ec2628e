package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"energyd/internal/pipeline"
	"energyd/sink"
)

func (a *app) applyCommand() *cobra.Command {
	var hash string
	c := &cobra.Command{
		Use:   "apply",
		Short: "Send a plan to the CRM",
		Long: "apply sends exactly what energyd plan computed: the plan named by --plan, or the latest. It can be interrupted and run again at any time.\n\n" +
			"A plan that brakes hold goes on by --plan and --override, with the reason, which stays in the journal. See docs/plan.md.",
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if c.Flags().Changed("override") {
				if a.override = strings.TrimSpace(a.override); a.override == "" {
					return usage("--override takes the reason, in a few words: it stays in the journal")
				}
				if hash == "" {
					return usage("--override goes with --plan HASH: name the plan that you looked at")
				}
			}
			return a.with(c, func(ctx context.Context, p *pipeline.Pipeline) error {
				r, out, err := p.Apply(ctx, hash)
				o, err := withEdited(ctx, p, out, err)
				return a.ended(r, err, func() { a.printOutcome(o) }, o)
			})
		},
	}
	c.Flags().StringVar(&hash, "plan", "", "hash that energyd plan printed")
	c.Flags().StringVar(&a.override, "override", "", "send the plan although brakes hold it, for this reason")
	return c
}

// outcome is what an apply came to, with the records that it left alone.
type outcome struct {
	sink.Outcome
	EditedRecords []editedRecord `json:"edited_records,omitempty"`
}

// editedRecord is a record that somebody changed after the plan was made.
type editedRecord struct {
	Writing string `json:"writing"`
	ID      string `json:"id"`
	Name    string `json:"name"`
}

// withEdited names the records that were left alone, also of an apply that failed on the way.
func withEdited(ctx context.Context, p *pipeline.Pipeline, out sink.Outcome, err error) (outcome, error) {
	o := outcome{Outcome: out}
	if out.Edited == 0 {
		return o, err
	}
	edited, readErr := p.Edited(context.WithoutCancel(ctx), out.Plan)
	for _, c := range edited {
		o.EditedRecords = append(o.EditedRecords, editedRecord{c.Writing, c.ID, c.Name})
	}
	return o, errors.Join(err, readErr)
}

// editedShown is how many edited records are named without --json.
const editedShown = 10

func (a *app) printOutcome(out outcome) {
	if out.Plan == "" { // it was refused before anything was sent
		return
	}
	for _, p := range out.Problems {
		fmt.Fprintln(a.out, "refused:", p)
	}
	if out.Planned == 0 {
		fmt.Fprintf(a.out, "plan %s: nothing to write\n", out.Plan)
		return
	}
	fmt.Fprintf(a.out, "plan %s: %d planned = %d written + %d rejected + %d deferred + %d edited meanwhile + %d not sent\n",
		out.Plan, out.Planned, out.Written, out.Rejected, out.Deferred, out.Edited, out.Parked)
	for _, e := range out.EditedRecords[:min(editedShown, len(out.EditedRecords))] {
		fmt.Fprintf(a.out, "edited meanwhile: %s %s (%s)\n", e.Writing, e.ID, e.Name)
	}
	if more := len(out.EditedRecords) - editedShown; more > 0 {
		fmt.Fprintf(a.out, "edited meanwhile: … and %d more; --json names all\n", more)
	}
	if out.Edited > 0 {
		fmt.Fprintln(a.out, "what somebody edited after the plan was made was left alone; the next energyd plan looks at it again")
	}
	if out.Parked > 0 {
		fmt.Fprintf(a.out, "go on with: energyd apply --plan %s\n", out.Plan)
	}
}

func (a *app) syncCommand() *cobra.Command {
	return a.withResend(a.withAsOf(&cobra.Command{
		Use:   "sync",
		Short: "Pull, plan and apply once: what the nightly schedule runs",
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(c, func(ctx context.Context, p *pipeline.Pipeline) error {
				r, sum, out, err := p.Sync(ctx)
				o, err := withEdited(ctx, p, out, err)
				return a.ended(r, err, func() { a.printSync(r, sum, o) }, struct {
					pipeline.Report
					Plan    sink.Summary `json:"plan"`
					Outcome outcome      `json:"outcome"`
				}{r, sum, o})
			})
		},
	}))
}

func (a *app) printSync(r pipeline.Report, sum sink.Summary, out outcome) {
	a.printPull(r)
	switch {
	case sum.Plan == "": // it did not come to a plan
	case sum.Records == 0:
		a.printPlan(sum, 0)
	case out.Plan == "" && len(sum.Brakes) > 0:
		a.printNotes(sum)
		a.printBrakes(sum)
	default:
		a.printNotes(sum)
		a.printOutcome(out)
	}
	a.printWarnings(r)
}
