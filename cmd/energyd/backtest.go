package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/review"
)

// backtestFlags are the options of backtest.
type backtestFlags struct {
	activities, deals, points, titles string
	cuts, until                       string
	horizon                           int
	review                            bool
	seed                              uint64
	out                               []string
}

func (a *app) backtestCommand() *cobra.Command {
	var f backtestFlags
	c := &cobra.Command{
		Use:   "backtest --activities FILE --deals FILE.csv --points FILE.yaml",
		Short: "Judge a points table by deals that were won and lost: files in, figures out, no store",
		Long: `backtest looks at each deal as it stood on past days, scores it by the points table, and
compares the scores with what became of the deals. With --review it also fits points to
the older deals and tests them on the newest ones. docs/review.md describes files and figures.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.backtest(&f) },
	}
	c.Flags().StringVar(&f.activities, "activities", "", "activities: JSON lines as for score, or CSV (.csv)")
	c.Flags().StringVar(&f.deals, "deals", "", "deals and their outcomes (CSV)")
	c.Flags().StringVar(&f.points, "points", "", "points table (YAML)")
	c.Flags().StringVar(&f.titles, "titles", "", "job titles and their ranks (YAML; default the built-in ones)")
	c.Flags().StringVar(&f.cuts, "cuts", "weekly", "when deals are looked at: weekly while they are open, or once at an age in days, as age:30d")
	c.Flags().StringVar(&f.until, "train-until", "", "last day that points are learned from, as YYYY-MM-DD; later days test them (default: four fifths of the cuts)")
	c.Flags().IntVar(&f.horizon, "horizon", 180, "days within which a deal must be won to count")
	c.Flags().BoolVar(&f.review, "review", false, "fit points to the outcomes and propose a table")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "for the intervals of weights; the same seed gives the same output")
	c.Flags().StringArrayVar(&f.out, "out", nil, "write the figures to FILE.json, or the proposed table to FILE.yaml; may be given twice")
	return c
}

// options reads the flags that are words.
func (f *backtestFlags) options() (opt review.Options, err error) {
	opt = review.Options{TrainUntil: engine.NoDate, Horizon: f.horizon, Fit: f.review, Seed: f.seed}
	if f.activities == "" || f.deals == "" || f.points == "" {
		return opt, usage("backtest needs --activities, --deals and --points")
	}
	if f.horizon < 1 || f.horizon > 3650 {
		return opt, usage("--horizon takes 1 to 3650 days")
	}
	var ok bool
	if opt.Cuts, ok = review.ParseCuts(f.cuts); !ok {
		return opt, usage("--cuts takes weekly, or an age in days such as age:30d")
	}
	if f.until != "" {
		if opt.TrainUntil, err = engine.ParseDate(f.until); err != nil {
			return opt, usage("--train-until: %v", err)
		}
	}
	for _, file := range f.out {
		ending := filepath.Ext(file)
		if isTable(ending) && !f.review {
			return opt, usage("--out %s is for the proposed table; add --review", file)
		}
		if ending != ".json" && !isTable(ending) {
			return opt, usage("--out takes FILE.json for the figures or FILE.yaml for the proposed table")
		}
	}
	return opt, nil
}

func isTable(ending string) bool { return ending == ".yaml" || ending == ".yml" }

func (a *app) backtest(f *backtestFlags) error {
	opt, err := f.options()
	if err != nil {
		return err
	}
	pipeline.LimitReview()
	cfg, err := config.LoadPoints(f.points)
	if err != nil {
		return err
	}
	points, err := engine.Compile(cfg)
	if err != nil {
		return err
	}
	table, ok := review.NewTable(cfg, points)
	if !ok {
		return fault.New(fault.Config, f.points, "the table is in mode add, in which points are no products of who and how",
			"backtest judges tables in mode multiply or flat", nil)
	}
	ranks := points.Ranks()
	if f.titles == "" {
		ranks = nil // a table to be tried may have fewer ranks than the built-in titles; who has none of them counts as unknown
	}
	titles, err := config.LoadTitles(f.titles, ranks)
	if err != nil {
		return err
	}
	lexicon, err := config.LoadSurveyWords("")
	if err != nil {
		return err
	}
	deals, err := readDeals(f.deals, points)
	if err != nil {
		return err
	}
	sample := review.NewSample(table, deals)
	words := &eventWords{points: points, titles: titles, lexicon: lexicon}
	if err := eachActivity(f.activities, words, sample.Add); err != nil {
		return err
	}
	result := pipeline.Reviewed{Result: review.Run(sample, opt)}
	if result.Proposed != nil {
		if result.Table, err = pipeline.ProposedTable(f.points, cfg, table, result.Result); err != nil {
			return err
		}
	}
	if err := f.write(&result); err != nil {
		return err
	}
	if result.Verdict.Refused {
		a.code = exitFailed
	}
	if a.json {
		return a.encode(result)
	}
	return review.WriteText(a.out, result.Result)
}

// write writes the files of --out.
func (f *backtestFlags) write(r *pipeline.Reviewed) error {
	for _, file := range f.out {
		data := []byte(r.Table)
		if !isTable(filepath.Ext(file)) {
			var b bytes.Buffer
			enc := json.NewEncoder(&b)
			enc.SetIndent("", "  ")
			enc.SetEscapeHTML(false)
			if err := enc.Encode(r); err != nil {
				return err
			}
			data = b.Bytes()
		} else if r.Table == "" {
			continue // no table was fitted; the verdict says why
		}
		if err := os.WriteFile(file, data, 0o644); err != nil {
			return fault.New(fault.Config, "", "cannot write "+file, "name a file in a folder that exists with --out", err)
		}
	}
	return nil
}
