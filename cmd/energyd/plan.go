package main

import (
	"context"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"energyd/internal/pipeline"
	"energyd/sink"
)

func (a *app) planCommand() *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:   "plan",
		Short: "Compute the field changes and their API cost; write nothing",
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(c, func(ctx context.Context, p *pipeline.Pipeline) error {
				r, sum, err := p.Plan(ctx)
				if err != nil {
					return err
				}
				limit := planRecords
				if all {
					limit = 0
				}
				changes, err := p.Changes(ctx, r.Run, limit)
				if err != nil {
					return err
				}
				if a.json {
					return a.encode(struct {
						sink.Summary
						List []sink.Change `json:"list"`
					}{sum, changes})
				}
				a.printPlan(sum, changes)
				return nil
			})
		},
	}
	c.Flags().BoolVar(&all, "all", false, fmt.Sprintf("list every record, not only the first %d", planRecords))
	return a.withAsOf(c)
}

// planRecords is how many records a plan lists without --all.
const planRecords = 20

func (a *app) printPlan(sum sink.Summary, changes []sink.Change) {
	if len(changes) > 0 {
		t := newTable("RECORD", "NAME", "FIELD", "OLD", "NEW")
		for _, c := range changes {
			id, name := c.Writing+" "+c.ID, c.Name
			for _, d := range c.Fields {
				t.row(id, name, d.Field, show(d.Old), show(d.New))
				id, name = "", ""
			}
		}
		t.print(a.out)
		if more := sum.Changes - len(changes); more > 0 {
			fmt.Fprintf(a.out, "… and %d more records; energyd plan --all lists them\n", more)
		}
	}
	for _, k := range sum.Kept {
		fmt.Fprintf(a.out, "kept: %s %s (%s) %s was changed to %s by somebody else; ours would be %s\n", k.Writing, k.ID, k.Name, k.Field, show(k.Theirs), show(k.Ours))
	}
	for _, p := range sum.Problems {
		fmt.Fprintln(a.out, "does not fit:", p)
	}
	if sum.Missing > 0 {
		fmt.Fprintf(a.out, "%d scored entities have no record in the CRM\n", sum.Missing)
	}
	if sum.Changes == 0 {
		fmt.Fprintf(a.out, "nothing to write: %d records compared, as of %s\n", sum.Unchanged+sum.Missing, sum.AsOf)
		return
	}
	fmt.Fprintf(a.out, "plan %s: %d fields of %d records, %d unchanged, %d API calls, as of %s\n", sum.Plan, sum.Fields, sum.Changes, sum.Unchanged, sum.Calls, sum.AsOf)
	fmt.Fprintf(a.out, "send it with: energyd apply --plan %s\n", sum.Plan)
}

func show(v any) string {
	switch x := v.(type) {
	case nil:
		return "-"
	case float64:
		return strconv.FormatFloat(x, 'f', -1, 64)
	case string:
		return x
	}
	return fmt.Sprint(v)
}

func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage("unexpected argument %q", args[0])
	}
	return nil
}
