package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"energyd/internal/pipeline"
	"energyd/sink"
)

func (a *app) applyCommand() *cobra.Command {
	var hash string
	c := &cobra.Command{
		Use:   "apply",
		Short: "Send a plan to the CRM",
		Long:  "apply sends exactly what energyd plan computed: the plan named by --plan, or the latest. It can be interrupted and run again at any time.",
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(c, func(ctx context.Context, p *pipeline.Pipeline) error {
				r, out, err := p.Apply(ctx, hash)
				return a.ended(r, err, func() { a.printOutcome(out) }, out)
			})
		},
	}
	c.Flags().StringVar(&hash, "plan", "", "hash that energyd plan printed")
	return c
}

func (a *app) printOutcome(out sink.Outcome) {
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
				return a.ended(r, err, func() { a.printSync(r, sum, out) }, struct {
					pipeline.Report
					Plan    sink.Summary `json:"plan"`
					Outcome sink.Outcome `json:"outcome"`
				}{r, sum, out})
			})
		},
	}))
}

func (a *app) printSync(r pipeline.Report, sum sink.Summary, out sink.Outcome) {
	a.printPull(r)
	switch {
	case sum.Plan == "": // it did not come to a plan
	case sum.Records == 0:
		a.printPlan(sum, nil)
	default:
		a.printNotes(sum)
		a.printOutcome(out)
	}
	a.printWarnings(r)
}
