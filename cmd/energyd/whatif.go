package main

import (
	"context"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"energyd/internal/config"
	"energyd/internal/pipeline"
	"energyd/internal/review/paper"
)

// paperFlags say how a document is asked for.
type paperFlags struct{ html, language string }

func (f *paperFlags) flags(c *cobra.Command) {
	c.Flags().StringVar(&f.html, "html", "", "write a web page to this file; it stands alone, and can be sent on")
	c.Flags().StringVar(&f.language, "language", "", "ja or en (default that of energyd.yaml)")
}

func (f *paperFlags) check() error {
	if f.language != "" && f.language != "ja" && f.language != "en" {
		return usage("--language takes ja or en")
	}
	return nil
}

// print prints a document, or writes its page and tells so.
func (f *paperFlags) print(a *app, d *paper.Document) error {
	if f.html == "" {
		return d.WriteText(a.out)
	}
	if err := keepFile(f.html, d.WriteHTML); err != nil {
		return err
	}
	_, err := fmt.Fprintln(a.out, d.Lead)
	fmt.Fprintf(a.err, either(d.Language == "ja", "%s に書きました\n", "%s written\n"), f.html)
	return err
}

func (a *app) whatIfCommand() *cobra.Command {
	var f paperFlags
	months := 6
	c := &cobra.Command{
		Use:   "whatif POINTS.yaml",
		Short: "What another points table would do: bands, alarms, reps, records to write; writes nothing",
		Long: `whatif scores all that is stored by another points table too, and compares: who goes to which
band, who moves most and why, which alarms would have fired, what reps would have earned, how
many records the next plan would change, and which table foretells orders better. Neither the
store nor the CRM is written to. docs/review.md describes the figures.`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("whatif takes the points file to try, as energyd whatif next.yaml")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if err := f.check(); err != nil {
				return err
			}
			if months < 1 || months > 120 {
				return usage("--months takes 1 to 120")
			}
			pipeline.LimitReview()
			return a.withStored(c, func(ctx context.Context, p *pipeline.Pipeline) error {
				table, err := config.LoadPoints(args[0])
				if err != nil {
					return err
				}
				w, err := p.WhatIf(ctx, pipeline.Trial{Table: table, Name: filepath.Base(args[0]), Months: months}, whoRuns())
				if err != nil {
					return err
				}
				if a.json {
					return a.encode(w)
				}
				return f.print(a, paper.OfWhatIf(w, paper.WordsOf(p.Points(), table), orLanguage(f.language, p)))
			})
		},
	}
	c.Flags().IntVar(&months, "months", months, "months of alarms, reps' points and outcomes, the present one included")
	f.flags(c)
	return a.withAsOf(c)
}

func orLanguage(language string, p *pipeline.Pipeline) string {
	if language != "" {
		return language
	}
	return p.Config().Language
}
