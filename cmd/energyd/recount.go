package main

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"energyd/internal/pipeline"
)

func (a *app) recountCommand() *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:   "recount [SOURCE…]",
		Short: "Hold what sources count, month by month, against what was read of them",
		Long: `recount asks the sources how many records they have, month by month of their last change, and reads a
month again where they have more than were read. A nightly sync does some of it by itself. See docs/recount.md.`,
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(c, func(ctx context.Context, p *pipeline.Pipeline) error {
				r, done, err := p.Recount(ctx, all, args...)
				return a.ended(r, err, func() { a.printRecount(r, done) }, map[string]any{"run": r.Run, "state": r.State, "notes": r.Notes, "windows": append([]pipeline.Recounted{}, done...)})
			})
		},
	}
	c.Flags().BoolVar(&all, "all", false, "count all windows, and read what differs however much it is; without it a night's share")
	return c
}

func (a *app) printRecount(r pipeline.Report, done []pipeline.Recounted) {
	switch {
	case len(done) == 0 && len(r.Errors) > 0: // the notes say why
	case len(done) == 0:
		fmt.Fprintln(a.out, "nothing to count: no source tells change times and was read to its end")
	default:
		t := newTable("SOURCE", "CHANGED FROM", "TO", "COUNTED", "KNOWN", "READ AGAIN", "STATE").alignRight(3, 4, 5)
		for _, w := range done {
			from, known := "the beginning", "-"
			if !w.From.IsZero() {
				from = w.From.Format(time.DateOnly)
			}
			if w.Known >= 0 {
				known = strconv.Itoa(w.Known)
			}
			t.row(w.Source, from, w.To.Format(time.DateOnly), w.Counted, known, w.Read, w.State)
		}
		t.print(a.out)
	}
	for _, note := range r.Notes {
		fmt.Fprintln(a.out, note)
	}
	fmt.Fprintf(a.out, "run %s: %s\n", r.Run, r.State)
}
