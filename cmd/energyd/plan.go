package main

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"energyd/internal/pipeline"
	"energyd/sink"
)

func (a *app) planCommand() *cobra.Command {
	var all, show bool
	var page string
	c := &cobra.Command{
		Use:   "plan [HASH]",
		Short: "Compute the field changes and their API cost; write nothing",
		Long: "plan compares what each record shall hold with what was last written and with what the CRM holds, keeps the changes under a hash, and shows them.\n\n" +
			"With --show it computes nothing and shows a plan that is kept: the one with HASH, or the latest. See docs/plan.md.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 || len(args) > 0 && !show {
				return usage("unexpected argument %q; --show takes a HASH", args[len(args)-1])
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			l := listing{page: page, records: planRecords}
			if all || a.json {
				l.records = math.MaxInt
			}
			if show {
				return a.withStored(c, func(ctx context.Context, p *pipeline.Pipeline) error {
					hash := ""
					if len(args) > 0 {
						hash = args[0]
					}
					sum, err := p.Planned(ctx, hash)
					if err != nil {
						return err
					}
					return a.showPlan(ctx, p, pipeline.Report{}, sum, l)
				})
			}
			return a.with(c, func(ctx context.Context, p *pipeline.Pipeline) error {
				r, sum, err := p.Plan(ctx)
				if err != nil {
					return err
				}
				a.finish(r.State)
				if err := a.showPlan(ctx, p, r, sum, l); err != nil || a.json {
					return err
				}
				return a.sayUnread(ctx, p)
			})
		},
	}
	c.Flags().BoolVar(&all, "all", false, fmt.Sprintf("list every record, not only the first %d", planRecords))
	c.Flags().BoolVar(&show, "show", false, "show a plan that is kept, by its HASH; without one the latest")
	c.Flags().StringVar(&page, "html", "", "also write all records into this file, as a page for the browser")
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

// listing is how a plan is shown.
type listing struct {
	records int    // at most so many
	page    string // file for all of them as a web page; "" = none
}

func (a *app) showPlan(ctx context.Context, p *pipeline.Pipeline, r pipeline.Report, sum sink.Summary, l listing) error {
	if l.page != "" {
		if err := writePlanPage(ctx, p, sum, l.page); err != nil {
			return err
		}
	}
	if a.json {
		return writePlanJSON(a.out, sum, r.Warnings, p.Changes(ctx, sum.Run))
	}
	n, err := a.printChanges(p.Changes(ctx, sum.Run), p.Causes, l.records)
	if err != nil {
		return err
	}
	a.printPlan(sum, n)
	a.printWarnings(r)
	if l.page != "" {
		fmt.Fprintf(a.out, "all records stand in %s\n", l.page)
	}
	return nil
}

// planRecords is how many records a plan lists without --all.
const planRecords = 20

func (a *app) printPlan(sum sink.Summary, listed int) {
	if more := sum.Records + sum.Refused + sum.Waived - listed; listed > 0 && more > 0 {
		fmt.Fprintf(a.out, "… and %d more records; energyd plan --show --all lists them\n", more)
	}
	a.printNotes(sum)
	if sum.Records == 0 {
		fmt.Fprintf(a.out, "nothing to write: %d records compared, as of %s\n", sum.Unchanged+sum.Missing, sum.AsOf)
		return
	}
	fmt.Fprintf(a.out, "plan %s: %d fields of %d records, %d unchanged, %d API calls, as of %s\n", sum.Plan, sum.Fields, sum.Records, sum.Unchanged, sum.Calls, sum.AsOf)
	a.printCost(sum)
	if len(sum.Brakes) > 0 {
		a.printBrakes(sum)
		return
	}
	fmt.Fprintf(a.out, "send it with: %s\n", sum.Release())
}

// printBrakes tells why a plan waits for a person, and how it goes on.
func (a *app) printBrakes(sum sink.Summary) {
	for _, b := range sum.Brakes {
		fmt.Fprintf(a.out, "%v\n  what to do: %s\n", b, b.What)
	}
	fmt.Fprintf(a.out, "plan %s is not sent by itself: %d records wait. If it is right: %s\n", sum.Plan, sum.Records, sum.Release())
}

// printChanges prints each field's old and new value, of so many records at most, and counts these.
// Page by page, so that it takes no memory for all of them.
func (a *app) printChanges(changes iter.Seq2[sink.Change, error], causes func(sink.Change) []string, most int) (n int, err error) {
	const page = 500
	heads := []string{"RECORD", "NAME", "FIELD", "OLD", "NEW"}
	if causes != nil {
		heads = append(heads, "WHY")
	}
	t := newTable(heads...)
	for c, err := range changes {
		if err != nil {
			return n, err
		}
		if n == most {
			break
		}
		if n++; n%page == 0 {
			t.print(a.out)
			t = newTable(heads...)
		}
		cells := []any{c.Writing + " " + c.ID, c.Name, "", "", ""}
		if causes != nil {
			cells = append(cells, cmp.Or(strings.Join(causes(c), ", "), "first values"))
		}
		for _, d := range c.Fields {
			cells[2], cells[3], cells[4] = d.Field, show(d.Old), show(d.New)
			t.row(cells...)
			cells = []any{"", "", "", "", "", ""}[:len(cells)]
		}
	}
	if len(t.rows) > 0 {
		t.print(a.out)
	}
	return n, nil
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
	for _, n := range sum.Narrow {
		fmt.Fprintln(a.out, "field:", n)
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
		shown := args[0]
		if u, err := url.Parse(shown); err == nil && u.User != nil { // a store's address, whose --to was forgotten
			shown = u.Redacted()
		}
		return usage("unexpected argument %q", shown)
	}
	return nil
}
