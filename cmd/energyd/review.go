package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"energyd/engine"
	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/review/paper"
)

// reviewFlags are the options of review.
type reviewFlags struct {
	paperFlags
	until, out string
	seed       uint64
}

func (a *app) reviewCommand() *cobra.Command {
	var f reviewFlags
	c := &cobra.Command{
		Use:   "review",
		Short: "Review the points table by what became of deals: keep, raise, lower, or too little data",
		Long: `review looks at deals as they stood on past days, and at what became of them; fits points to the
older ones and tries them on the newest. It says of each weight whether to keep, raise or lower it,
and on the whole whether to change anything. If so, it writes the proposed table as a new file beside
the one in use, which stays as it is: try it with energyd whatif, adopt it by naming it in energyd.yaml.
Nothing is sent to the CRM. docs/review.md describes the figures.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return err
			}
			opt := pipeline.ReviewOptions{TrainUntil: engine.NoDate, Seed: f.seed}
			if f.until != "" {
				var err error
				if opt.TrainUntil, err = engine.ParseDate(f.until); err != nil {
					return usage("--train-until: %v", err)
				}
			}
			if f.out != "" && !isTable(filepath.Ext(f.out)) {
				return usage("--out takes FILE.yaml for the proposed table")
			}
			pipeline.LimitReview()
			return a.withStored(c, func(ctx context.Context, p *pipeline.Pipeline) error { return a.review(ctx, p, opt, &f) })
		},
	}
	c.Flags().StringVar(&f.out, "out", "", "write the proposed table to this file, also when no change is proposed (default points-DATE.yaml beside the one in use, when one is)")
	c.Flags().StringVar(&f.until, "train-until", "", "last day that points are learned from, as YYYY-MM-DD; later days test them (default: four fifths of what was looked at)")
	c.Flags().Uint64Var(&f.seed, "seed", 1, "for the intervals of weights; the same seed gives the same output")
	f.flags(c)
	return a.withAsOf(c)
}

func (a *app) review(ctx context.Context, p *pipeline.Pipeline, opt pipeline.ReviewOptions, f *reviewFlags) error {
	file := f.out
	if file == "" {
		file = filepath.Join(filepath.Dir(p.Config().Points), "points-"+p.AsOf().String()+".yaml")
	}
	// Before the minutes that a review takes.
	if _, err := os.Lstat(file); f.out != "" && !errors.Is(err, fs.ErrNotExist) {
		return fault.New(fault.Config, "review", relative(file)+" is there already", "a review writes over no points table; name another file with --out", nil)
	}
	r, err := p.Review(ctx, opt)
	if err != nil {
		return err
	}
	if r.Verdict.Refused {
		a.code = exitFailed
	}
	language := orLanguage(f.language, p)
	if r.Table != "" && (r.Verdict.Change || f.out != "") {
		if err := writeNew(file, r.Table); err != nil {
			return err
		}
		name := relative(file)
		fmt.Fprintf(a.err, either(language == "ja", "%s に見直し案を書きました。energyd whatif %s で試し、よければ energyd.yaml の points に書いてください。\n",
			"%s: the proposed table. Try it with energyd whatif %s, and name it under points in energyd.yaml to adopt it.\n"), name, name)
	}
	if a.json {
		return a.encode(r)
	}
	words := func(word string) engine.Label {
		if label := p.Points().KindLabel(word); label != (engine.Label{}) {
			return label
		}
		return p.Points().RankLabel(word)
	}
	return f.print(a, paper.OfReview(r.Result, words, p.AsOf().String(), language))
}

// writeNew writes a file that is not there yet.
func writeNew(name, text string) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err == nil {
		_, err = f.WriteString(text)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return fault.New(fault.Config, "review", "cannot write "+relative(name), "a review writes over no points table; name another file in a folder that exists with --out", err)
	}
	return nil
}
