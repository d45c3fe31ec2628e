package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"energyd/internal/fault"
	"energyd/internal/pipeline"
)

func (a *app) qualityCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "quality [SOURCE]",
		Short: "How good each source's records are: what is unmapped, unlinked, doubled or oddly dated",
		Long: "quality shows what the last pull of each source found in all that is stored of it, with warnings, and the titles that\n" +
			"nobody ranked yet, as lines for titles.yaml. docs/quality.md says what each line means.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usage("quality takes one source, or none for all")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			return a.withStored(c, func(ctx context.Context, p *pipeline.Pipeline) error { return a.quality(ctx, p, args) })
		},
	}
}

func (a *app) quality(ctx context.Context, p *pipeline.Pipeline, args []string) error {
	var names []string
	for _, s := range p.Config().Sources {
		names = append(names, s.Name)
	}
	only := ""
	if len(args) == 1 {
		if only = args[0]; !slices.Contains(names, only) {
			return fault.New(fault.Config, "quality", fmt.Sprintf("there is no source %q%s", only, fault.DidYouMean(only, names)),
				"the sources of energyd.yaml are "+strings.Join(names, ", "), nil)
		}
	}
	list, err := p.Quality(ctx, only)
	if err != nil {
		return err
	}
	if a.json {
		return a.encode(append([]pipeline.SourceQuality{}, list...)) // [] where nothing was read
	}
	ja := p.Config().Language == "ja"
	if len(list) == 0 {
		fmt.Fprintln(a.out, either(ja, "まだ何も読み込まれていません。energyd pull から始めてください", "nothing was read yet; start with energyd pull"))
	}
	for _, q := range list {
		a.printQuality(q, ja)
	}
	return nil
}

func either(ja bool, japanese, english string) string {
	if ja {
		return japanese
	}
	return english
}

func (a *app) printQuality(q pipeline.SourceQuality, ja bool) {
	if q.Measures != nil {
		fmt.Fprintf(a.out, either(ja, "%s: 接触 %d 件（%s）\n", "%s: %d activities (%s)\n"), q.Source, q.Activities, q.Run)
		var before []pipeline.Measure
		if q.Before != nil {
			before = pipeline.Measures(*q.Before)
		}
		t := newTable("", either(ja, "件数", "RECORDS"), "%", either(ja, "前回", "BEFORE"), "").alignRight(1, 2, 3)
		for i, m := range q.Measures {
			was, warning := "-", ""
			if before != nil {
				was = fmt.Sprintf("%.1f", 100*before[i].Share)
			}
			if m.Warn {
				warning = fmt.Sprintf(either(ja, "警告: %.0f %% を超えています", "warning: more than %.0f %%"), 100*m.Limit)
			}
			t.row(either(ja, m.Label.Ja, m.Label.En), m.Count, fmt.Sprintf("%.1f", 100*m.Share), was, warning)
		}
		t.print(a.out)
	}
	a.printWords(q, ja)
	a.printTitles(q, ja)
	fmt.Fprintln(a.out)
}

// mostWords is how many unknown words and titles are shown; --json has all.
const mostWords = 20

func (a *app) printWords(q pipeline.SourceQuality, ja bool) {
	if len(q.Words) == 0 {
		return
	}
	fmt.Fprintf(a.out, either(ja, "%s: 未登録の語 %d 件。マッピングの lookups か skip に加えてください:\n",
		"%s: %d words that the mapping does not know; add them to its lookups, or a skip rule:\n"), q.Source, len(q.Words))
	for _, w := range q.Words[:min(len(q.Words), mostWords)] {
		fmt.Fprintf(a.out, "  %6d  %s%s\n", w.Records, w.Word, example(w.Example))
	}
	a.printMore(len(q.Words), ja)
}

func (a *app) printTitles(q pipeline.SourceQuality, ja bool) {
	if len(q.Titles) == 0 {
		return
	}
	fmt.Fprintf(a.out, either(ja, "%s: 役職未登録 %d 件。titles.yaml の exact に、正しい階級の下へ移して貼り付けてください:\n",
		"%s: %d titles without a rank; paste them into titles.yaml under exact, each below its rank:\n"), q.Source, len(q.Titles))
	fmt.Fprintln(a.out, "exact:\n  staff:")
	for _, t := range q.Titles[:min(len(q.Titles), mostWords)] {
		fmt.Fprintf(a.out, "    - %q # %d%s\n", t.Word, t.Records, example(t.Example))
	}
	a.printMore(len(q.Titles), ja)
}

func (a *app) printMore(n int, ja bool) {
	if n > mostWords {
		fmt.Fprintf(a.out, either(ja, "  他 %d 件（--json）\n", "  and %d others (--json)\n"), n-mostWords)
	}
}
