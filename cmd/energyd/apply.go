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
				if err != nil {
					return err
				}
				a.finish(r.State)
				if a.json {
					return a.encode(out)
				}
				a.printOutcome(out)
				return nil
			})
		},
	}
	c.Flags().StringVar(&hash, "plan", "", "hash that energyd plan printed")
	return c
}

func (a *app) printOutcome(out sink.Outcome) {
	for _, p := range out.Problems {
		fmt.Fprintln(a.out, "refused:", p)
	}
	fmt.Fprintf(a.out, "plan %s applied: %d planned = %d written + %d rejected + %d deferred + %d parked, %d API calls\n",
		out.Plan, out.Planned, out.Written, out.Rejected, out.Deferred, out.Parked, out.Calls)
}

func (a *app) syncCommand() *cobra.Command {
	return a.withAsOf(&cobra.Command{
		Use:   "sync",
		Short: "Pull, plan and apply once: what the nightly schedule runs",
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(c, func(ctx context.Context, p *pipeline.Pipeline) error {
				r, sum, out, err := p.Sync(ctx)
				if err != nil {
					return err
				}
				a.finish(r.State)
				if a.json {
					return a.encode(map[string]any{"run": r, "plan": sum, "outcome": out})
				}
				a.printSync(r, sum, out)
				return nil
			})
		},
	})
}

func (a *app) printSync(r pipeline.Report, sum sink.Summary, out sink.Outcome) {
	a.printPull(r)
	if sum.Changes == 0 {
		a.printPlan(sum, nil)
		return
	}
	a.printOutcome(out)
}
