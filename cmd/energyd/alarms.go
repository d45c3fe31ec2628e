package main

import (
	"cmp"
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"energyd/engine"
	"energyd/internal/explain"
	"energyd/internal/pipeline"
)

func (a *app) alarmsCommand() *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:   "alarms",
		Short: "What deserves attention tonight, with the evidence",
		Long: `alarms lists what stands since the last pull or plan, the least likely first: customers who come to
us much more often than usual, who cool down, who are silent for longer than their habit explains,
who earned little or half of before. docs/alarms.md tells what each means, and how often it is wrong.
The numbers stand in the points table under alarms.`,
		Args: noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.withStored(c, func(ctx context.Context, p *pipeline.Pipeline) error {
				list, err := p.Alarms(ctx, all)
				if err != nil {
					return err
				}
				if a.json {
					return a.encode(list)
				}
				a.printAlarms(list, all, p.Config().Language)
				return nil
			})
		},
	}
	c.Flags().BoolVar(&all, "all", false, "also those that are muted or held back, with the reason")
	return c
}

func (a *app) printAlarms(list []pipeline.Raised, all bool, language string) {
	ja := language == "ja"
	if len(list) == 0 {
		fmt.Fprintln(a.out, either(ja, "いま知らせるアラームはありません", "no alarms"))
		return
	}
	heads := []string{either(ja, "開始日", "SINCE"), either(ja, "アラーム", "ALARM"), either(ja, "顧客", "CUSTOMER"), either(ja, "担当", "SALES PERSON"), either(ja, "根拠", "EVIDENCE")}
	if all {
		heads = append(heads, either(ja, "状態", "STATE"))
	}
	t := newTable(heads...)
	t.whole(4)
	for _, r := range list {
		row := []any{r.Since, r.Label, cmp.Or(r.Name, r.ID), cmp.Or(r.RepName, r.Rep, "-"), r.Sentence}
		if all {
			row = append(row, stateWords(r.Alarm, language))
		}
		t.row(row...)
	}
	t.print(a.out)
}

// stateWords says what became of an alarm: "muted: a meeting is booked".
func stateWords(r explain.Alarm, language string) string {
	ja := language == "ja"
	switch r.State {
	case engine.Muted.String():
		return either(ja, "消音: ", "muted: ") + explain.ReasonLabel(r.Reason).In(language)
	case engine.HeldBack.String():
		return either(ja, "保留（効果測定）", "held back, to measure the effect")
	case engine.Fired.String():
		return either(ja, "通知", "told")
	}
	return ""
}
