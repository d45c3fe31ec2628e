package main

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

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
				a.finish(r.State)
				changes := []sink.Change{} // in JSON a list, also of nothing
				for c, err := range p.Changes(ctx, r.Run) {
					if err != nil {
						return err
					}
					if changes = append(changes, c); len(changes) == planRecords && !all && !a.json {
						break
					}
				}
				if a.json {
					return a.encode(struct {
						sink.Summary
						Changes  []sink.Change `json:"changes"`
						Warnings []string      `json:"warnings,omitempty"`
					}{sum, changes, r.Warnings})
				}
				a.printPlan(sum, changes)
				a.printWarnings(r)
				return a.sayUnread(ctx, p)
			})
		},
	}
	c.Flags().BoolVar(&all, "all", false, fmt.Sprintf("list every record, not only the first %d", planRecords))
	return a.withResend(a.withAsOf(c))
}

// sayUnread tells somebody who plans before anything was read why there is nothing to plan.
func (a *app) sayUnread(ctx context.Context, p *pipeline.Pipeline) error {
	s, err := p.Status(ctx)
	if err == nil && !slices.ContainsFunc(s.Sources, func(src pipeline.SourceStatus) bool { return src.Read }) {
		fmt.Fprintln(a.out, "nothing has been read yet; start with: energyd pull")
	}
	return err
}

// planRecords is how many records a plan lists without --all.
const planRecords = 20

func (a *app) printPlan(sum sink.Summary, changes []sink.Change) {
	if len(changes) > 0 {
		a.printChanges(changes)
		if more := sum.Records - len(changes); more > 0 {
			fmt.Fprintf(a.out, "… and %d more records; energyd plan --all lists them\n", more)
		}
	}
	a.printNotes(sum)
	if sum.Records == 0 {
		fmt.Fprintf(a.out, "nothing to write: %d records compared, as of %s\n", sum.Unchanged+sum.Missing, sum.AsOf)
		return
	}
	fmt.Fprintf(a.out, "plan %s: %d fields of %d records, %d unchanged, %d API calls, as of %s\n", sum.Plan, sum.Fields, sum.Records, sum.Unchanged, sum.Calls, sum.AsOf)
	a.printCost(sum)
	fmt.Fprintf(a.out, "send it with: energyd apply --plan %s\n", sum.Plan)
}

// printChanges prints each field's old and new value.
func (a *app) printChanges(changes []sink.Change) {
	t := newTable("RECORD", "NAME", "FIELD", "OLD", "NEW")
	for _, c := range changes {
		id, name := c.Writing+" "+c.ID, c.Name
		for _, d := range c.Fields {
			t.row(id, name, d.Field, show(d.Old), show(d.New))
			id, name = "", ""
		}
	}
	t.print(a.out)
}

// printWarnings prints what to look at before a plan is sent.
func (a *app) printWarnings(r pipeline.Report) {
	for _, w := range r.Warnings {
		fmt.Fprintln(a.out, "warning:", w)
	}
}

// printCost tells what the plan took and what apply will, step by step, and what
// part of the CRM's day that is.
func (a *app) printCost(sum sink.Summary) {
	var spent, coming []string
	for _, s := range sum.Steps {
		list := &coming
		if s.Spent {
			list = &spent
		}
		*list = append(*list, fmt.Sprintf("%s %d", s.Name, s.Calls))
	}
	fmt.Fprintf(a.out, "calls of apply: %s", strings.Join(coming, ", "))
	if sum.Limit > 0 {
		fmt.Fprintf(a.out, "; together %.2f %% of the %d that the CRM allows a day", 100*float64(sum.Calls)/float64(sum.Limit), sum.Limit)
	}
	fmt.Fprintf(a.out, " (the plan itself took: %s)\n", strings.Join(spent, ", "))
	if sum.Limit > 0 && sum.Left < sum.Calls {
		fmt.Fprintf(a.out, "the budget leaves %d calls: apply will stop before its end, and go on when it is run again later\n", sum.Left)
	}
}

// heldShown is how many records that hold something back are named without --json.
const heldShown = 5

// printNotes prints what a plan leaves out, and why.
func (a *app) printNotes(sum sink.Summary) {
	for _, k := range sum.Kept {
		fmt.Fprintf(a.out, "kept: %s %s (%s) %s was changed to %s by somebody else; ours would be %s\n", k.Writing, k.ID, k.Name, k.Field, show(k.Theirs), show(k.Ours))
	}
	if more := sum.KeptCount - len(sum.Kept); more > 0 {
		fmt.Fprintf(a.out, "kept: … and %d more fields that somebody else changed\n", more)
	}
	if sum.HeldCount > 0 {
		fmt.Fprintf(a.out, "held: undone: %d records keep what an undo restored, until their score's values move\n", sum.HeldCount)
	}
	for _, h := range sum.Held[:min(heldShown, len(sum.Held))] {
		fmt.Fprintf(a.out, "held: undone: %s %s (%s) by run %s\n", h.Writing, h.ID, h.Name, h.Undo)
	}
	for _, p := range sum.Problems {
		fmt.Fprintln(a.out, "does not fit:", p)
	}
	if more := sum.Unfit - len(sum.Problems); more > 0 {
		fmt.Fprintf(a.out, "does not fit: … and %d more values\n", more)
	}
	if sum.Refused > 0 {
		fmt.Fprintf(a.out, "%d records were refused by the CRM before and are not sent again until their values move; when its rule or rights were corrected: energyd rejects retry, or energyd plan --resend\n", sum.Refused)
	}
	if sum.Waived > 0 {
		fmt.Fprintf(a.out, "%d records stay as they are: what the CRM refused was dropped (energyd rejects list --dropped)\n", sum.Waived)
	}
	if sum.Missing > 0 {
		fmt.Fprintf(a.out, "%d scored entities have no record in the CRM that the run-as user can see\n", sum.Missing)
	}
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
