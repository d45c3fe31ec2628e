package main

import (
	"context"
	"fmt"
	"os"
	"os/user"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"energyd/engine"
	"energyd/internal/pipeline"
	"energyd/internal/store"
)

func (a *app) monthsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "months",
		Short: "Show which months are frozen for sales people, and who looked at single people's figures",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usage("months takes nothing, or freeze YYYY-MM")
			}
			return nil
		},
		RunE: func(c *cobra.Command, _ []string) error { return a.withStored(c, a.months) },
	}
	c.AddCommand(&cobra.Command{
		Use:   "freeze YYYY-MM",
		Short: "Freeze the figures of sales people up to a month that is over, for good",
		Long: `freeze keeps what energyd report reps shows for a month and all months before it. What changes in
them later, by late or corrected records or by another points table, is an adjustment of the month
after it. It cannot be taken back. Other reports always show months as they are known now.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("months freeze takes a month, as 2026-03")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			month, err := time.Parse("2006-01", args[0])
			if err != nil {
				return usage("%q is no month; write it as 2026-03", args[0])
			}
			return a.withStored(c, func(ctx context.Context, p *pipeline.Pipeline) error {
				period := engine.Period(month.Year()*12 + int(month.Month()) - 1)
				if err := p.Freeze(ctx, period, whoRuns()); err != nil {
					return err
				}
				if a.json {
					return a.encode(map[string]string{"frozen": period.String()})
				}
				fmt.Fprintf(a.out, "%s and the months before it are frozen for sales people\n", period)
				return nil
			})
		},
	})
	return c
}

func (a *app) months(ctx context.Context, p *pipeline.Pipeline) error {
	froze, looked, err := p.Months(ctx)
	if err != nil {
		return err
	}
	if a.json {
		type freezing struct {
			Month string    `json:"month"`
			At    time.Time `json:"at"`
			Who   string    `json:"who"`
		}
		list := make([]freezing, len(froze))
		for i, f := range froze {
			list[i] = freezing{f.Period.String(), f.At, f.Who}
		}
		return a.encode(struct {
			Frozen []freezing   `json:"frozen"`
			Looked []store.Look `json:"looked"`
		}{list, looked})
	}
	if len(froze)+len(looked) == 0 {
		fmt.Fprintln(a.out, "no month is frozen, and nobody looked at single people's figures")
		return nil
	}
	t := newTable("AT (UTC)", "WHO", "WHAT")
	for _, f := range froze {
		t.row(f.At.Format(time.DateTime), f.Who, "froze the months up to "+f.Period.String())
	}
	for _, l := range looked {
		t.row(l.At.Format(time.DateTime), l.Who, "looked at single people: report "+l.Report)
	}
	t.print(a.out)
	return nil
}

// whoRuns names who runs the command, for the audit: the user of this machine.
func whoRuns() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return "uid " + strconv.Itoa(os.Getuid())
}
