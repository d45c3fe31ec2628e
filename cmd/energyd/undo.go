package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"energyd/internal/pipeline"
	"energyd/sink"
)

func (a *app) undoCommand() *cobra.Command {
	var record string
	var dryRun bool
	c := &cobra.Command{
		Use:   "undo RUN",
		Short: "Take back what a run wrote to the CRM",
		Long: `undo restores what the CRM held before a run of sync or apply, field by field, wherever it still holds what
that run wrote. What somebody changed since is kept, and told. An undo can itself be undone, by its own run.
RUN is a run of energyd status, or a plan's hash. See docs/undo.md.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("undo takes one RUN; energyd status lists the last runs")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(c, func(ctx context.Context, p *pipeline.Pipeline) error {
				if dryRun {
					u, err := p.PreviewUndo(ctx, args[0], record)
					if err != nil {
						return err
					}
					if a.json {
						return a.encode(u)
					}
					a.printUndoPreview(u)
					return nil
				}
				r, u, err := p.Undo(ctx, args[0], record)
				o, err := withEdited(ctx, p, u.Outcome, err)
				return a.ended(r, err, func() { a.printUndo(r, u, o) }, struct {
					pipeline.Report
					pipeline.Undoing
					Outcome outcome `json:"outcome"`
				}{r, u, o})
			})
		},
	}
	c.Flags().StringVar(&record, "record", "", "only this record, by its CRM id")
	c.Flags().BoolVar(&dryRun, "dry-run", false, "show what would be restored; write nothing")
	return c
}

func (a *app) printUndoPreview(u pipeline.Undoing) {
	if len(u.Changes) > 0 {
		_, _ = a.printChanges(func(yield func(sink.Change, error) bool) { // which do not fail
			for _, c := range u.Changes {
				if !yield(c, nil) {
					return
				}
			}
		}, nil, planRecords)
		if more := len(u.Changes) - planRecords; more > 0 {
			fmt.Fprintf(a.out, "… and %d more records; --json lists them\n", more)
		}
	}
	a.printLeft(u)
	fmt.Fprintf(a.out, "undo of run %s would restore %d fields of %d records, with about %d API calls; %d records hold their old values already\n",
		u.Plan.Undoes, u.Plan.Fields, u.Plan.Records, u.Plan.Calls, u.Plan.Unchanged)
	fmt.Fprintln(a.out, "nothing was written; without --dry-run it is")
}

func (a *app) printUndo(r pipeline.Report, u pipeline.Undoing, out outcome) {
	if u.Plan.Plan == "" { // it was refused before anything was planned
		return
	}
	a.printLeft(u)
	if u.Plan.Records == 0 {
		fmt.Fprintf(a.out, "undo of run %s: nothing to restore; %d records hold their old values already\n", u.Plan.Undoes, u.Plan.Unchanged)
		return
	}
	a.printOutcome(out)
	if out.Written == 0 {
		return
	}
	for _, d := range u.Verified.Differ {
		fmt.Fprintln(a.out, "not as restored:", d)
	}
	fmt.Fprintf(a.out, "undo of run %s: %d records restored, %d held their old values already; read back: %d of %d fields hold what they held before\n",
		u.Plan.Undoes, out.Written, u.Plan.Unchanged, u.Verified.Held, u.Verified.Fields)
	fmt.Fprintln(a.out, "what was taken back is not written again until the score's values move")
	fmt.Fprintf(a.out, "to take this undo back: energyd undo %s\n", r.Run)
}

// printLeft prints what an undo leaves as it is, and why.
func (a *app) printLeft(u pipeline.Undoing) {
	for _, k := range u.Plan.Kept {
		why := "was changed by somebody else since"
		if k.Later {
			why = "was written again by a later run of energyd; undo that one first"
		}
		fmt.Fprintf(a.out, "kept: %s %s (%s) %s holds %s and %s; before the run it was %s\n", k.Writing, k.ID, k.Name, k.Field, show(k.Theirs), why, show(k.Ours))
	}
	if more := u.Plan.KeptCount - len(u.Plan.Kept); more > 0 {
		fmt.Fprintf(a.out, "kept: … and %d more fields that hold something else by now\n", more)
	}
	for _, p := range u.Plan.Problems {
		fmt.Fprintln(a.out, "cannot be restored:", p)
	}
	if u.Plan.Missing > 0 {
		fmt.Fprintf(a.out, "%d records are not in the CRM any more, as far as the run-as user sees\n", u.Plan.Missing)
	}
}
