package main

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/fault"
	"energyd/internal/pipeline"
)

var rejectsSub = []string{"list", "show", "retry", "drop", "snooze"}

func (a *app) rejectsCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "rejects",
		Short: "What is kept back, of sources and by the CRM: look, try again, drop",
		Long: `rejects shows source records that could not be used, and changes that the CRM refused, with what to do.
See docs/rejects.md.`,
		Args: func(c *cobra.Command, args []string) error {
			return usage("rejects takes one of %s%s", strings.Join(rejectsSub, ", "), fault.DidYouMean(strings.Join(args, " "), rejectsSub))
		},
		RunE: func(*cobra.Command, []string) error { return nil },
	}
	c.AddCommand(a.rejectsList(), a.rejectsShow(),
		a.rejectsDecide("retry", "Try rejects again: records at the next pull, refused changes in the next plan", (*pipeline.Pipeline).RetryRejects),
		a.rejectsDecide("drop", "Tell of rejects no more, until their record or the value to be written is another one", (*pipeline.Pipeline).DropRejects),
		a.rejectsSnooze())
	return c
}

// filterFlags adds what chooses rejects, and gives the filter as it was typed.
func filterFlags(c *cobra.Command) func(args []string) (pipeline.RejectFilter, error) {
	var source, class, code string
	var dropped, person bool
	c.Flags().StringVar(&source, "source", "", "only of this source, or of what is written to this object (crm.Account)")
	c.Flags().StringVar(&class, "class", "", "only of this class: "+joined(connectors.Classes))
	c.Flags().StringVar(&code, "code", "", "only of this code")
	c.Flags().BoolVar(&dropped, "dropped", false, "those that were dropped or snoozed")
	c.Flags().BoolVar(&person, "needs-a-person", false, "only those that no run heals by itself")
	return func(args []string) (pipeline.RejectFilter, error) {
		f := pipeline.RejectFilter{Person: person, Source: source, Class: connectors.Class(class), Code: code, Dropped: dropped}
		if class != "" && !slices.Contains(connectors.Classes, f.Class) {
			return f, usage("--class takes one of %s%s", joined(connectors.Classes), fault.DidYouMean(class, texts(connectors.Classes)))
		}
		if len(args) > 0 {
			if source != "" && source != args[0] {
				return f, usage("two sources: %s and %s", args[0], source)
			}
			f.Source = args[0]
		}
		if len(args) > 1 {
			f.Keys = args[1:]
		}
		return f, nil
	}
}

func texts(classes []connectors.Class) []string {
	list := make([]string, len(classes))
	for i, c := range classes {
		list[i] = string(c)
	}
	return list
}

func joined(classes []connectors.Class) string { return strings.Join(texts(classes), ", ") }

func (a *app) rejectsList() *cobra.Command {
	var limit int
	c := &cobra.Command{Use: "list", Short: "What is kept back, and what to do", Args: noArgs}
	filter := filterFlags(c)
	c.Flags().IntVar(&limit, "limit", 50, "how many to show; 0 = all. They are counted all the same")
	c.RunE = func(c *cobra.Command, _ []string) error {
		f, err := filter(nil)
		if err != nil {
			return err
		}
		if limit < 0 {
			return usage("--limit takes 0 or more")
		}
		return a.withStored(c, func(ctx context.Context, p *pipeline.Pipeline) error { return a.listRejects(ctx, p, f, limit) })
	}
	return c
}

// group is a source's rejects of one code and one advice.
type group struct {
	Source string           `json:"source"`
	Class  connectors.Class `json:"class"`
	Code   string           `json:"code"`
	ToDo   string           `json:"what_to_do"`
}

func (a *app) listRejects(ctx context.Context, p *pipeline.Pipeline, f pipeline.RejectFilter, limit int) error {
	shown := []pipeline.Reject{}
	counts := map[group]int{}
	all := 0
	for r, err := range p.Rejects(ctx, f) {
		if err != nil {
			return err
		}
		all++
		counts[group{r.Source, r.Class, r.Code, r.ToDo}]++
		if limit == 0 || len(shown) < limit {
			shown = append(shown, r)
		}
	}
	if a.json {
		return a.encode(map[string]any{"count": all, "rejects": shown})
	}
	if all == 0 {
		what := "nothing is kept back"
		if f.Source != "" || f.Class != "" || f.Code != "" || f.Dropped || f.Person {
			what = "no such reject"
		}
		fmt.Fprintln(a.out, what)
		return nil
	}
	t := newTable("SOURCE", "KEY", "CLASS", "CODE", "WAITS FOR", "REASON")
	t.whole(1)
	for _, r := range shown {
		t.row(r.Source, r.Key, r.Class, r.Code, waiting(r, p), r.Reason)
	}
	t.print(a.out)
	if all > len(shown) {
		fmt.Fprintf(a.out, "… and %d more; --limit 0 shows all\n", all-len(shown))
	}
	fmt.Fprintln(a.out)
	groups := slices.SortedFunc(maps.Keys(counts), func(x, y group) int {
		if n := counts[y] - counts[x]; n != 0 {
			return n
		}
		return strings.Compare(fmt.Sprint(x), fmt.Sprint(y))
	})
	for _, g := range groups {
		fmt.Fprintf(a.out, "%s: %d × %s (%s): %s\n", g.Source, counts[g], g.Code, g.Class, g.ToDo)
	}
	return nil
}

// waitWords say on what a reject waits.
var waitWords = map[pipeline.Await]string{
	pipeline.NextPull:  "next pull",
	pipeline.NextPlan:  "next plan",
	pipeline.Directory: "the CRM's entry",
	pipeline.Person:    "a person",
	pipeline.Another:   "a change",
}

// waiting says on what a reject waits, or until when.
func waiting(r pipeline.Reject, p *pipeline.Pipeline) string {
	switch day := r.Until.In(p.Zone()).Format(time.DateOnly); r.WaitsFor {
	case pipeline.Snooze:
		return "snoozed until " + day
	case pipeline.Paused:
		return "a plan from " + day
	}
	return waitWords[r.WaitsFor]
}

func (a *app) rejectsShow() *cobra.Command {
	return &cobra.Command{
		Use:   "show SOURCE KEY",
		Short: "One reject with all that is kept of it",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 2 {
				return usage("rejects show takes a SOURCE and a KEY, as energyd rejects list shows them")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			return a.withStored(c, func(ctx context.Context, p *pipeline.Pipeline) error {
				f := pipeline.RejectFilter{Source: args[0], Keys: args[1:]}
				for _, f.Dropped = range []bool{false, true} {
					for r, err := range p.Rejects(ctx, f) {
						if err != nil {
							return err
						}
						return a.showReject(r, p)
					}
				}
				return fault.New(fault.Config, "rejects", fmt.Sprintf("%s has no reject %q", args[0], args[1]), "energyd rejects list shows what is kept back", nil)
			})
		},
	}
}

func (a *app) showReject(r pipeline.Reject, p *pipeline.Pipeline) error {
	if a.json {
		return a.encode(r)
	}
	line := func(name string, value any) {
		if text := fmt.Sprint(value); text != "" && text != "0" {
			fmt.Fprintf(a.out, "%-11s %s\n", name+":", text)
		}
	}
	line("source", r.Source)
	line("key", r.Key)
	line("where", r.Origin)
	line("class", r.Class)
	line("code", r.Code)
	line("reason", r.Reason)
	line("what to do", r.ToDo)
	line("waits for", waiting(r, p))
	line("attempts", r.Attempts)
	if !r.Seen.IsZero() {
		line("read", r.Seen.In(p.Zone()).Format(clock))
	}
	line("run", r.Run)
	if r.Fields == nil {
		return nil
	}
	text, err := json.MarshalIndent(r.Fields, "", "  ")
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "fields:\n%s\n", text)
	return nil
}

func (a *app) rejectsDecide(name, short string, decide func(*pipeline.Pipeline, context.Context, pipeline.RejectFilter, string) (pipeline.Decided, error)) *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use:   name + " [SOURCE [KEY…]]",
		Short: short,
		Long:  short + `. Without KEY all of the source, of --class or of --code. The journal keeps who did it, when and why.`,
	}
	filter := filterFlags(c)
	c.Flags().StringVar(&reason, "reason", "", "why, for the journal (needed)")
	c.RunE = func(c *cobra.Command, args []string) error {
		f, err := decisionOf(name, filter, args, reason)
		if err != nil {
			return err
		}
		return a.withStored(c, func(ctx context.Context, p *pipeline.Pipeline) error {
			done, err := decide(p, ctx, f, strings.TrimSpace(reason))
			if err != nil {
				return err
			}
			if a.json {
				return a.encode(done)
			}
			if done.Rejects == 0 {
				fmt.Fprintln(a.out, "nothing to do: so it was decided before")
				return nil
			}
			if name == "drop" {
				fmt.Fprintf(a.out, "%d rejects dropped, until their record or the value to be written is another one; energyd rejects retry brings them back\n", done.Rejects)
				return nil
			}
			if n := done.Rejects - done.CRM; n > 0 {
				fmt.Fprintf(a.out, "%d records are tried again by the next energyd pull\n", n)
			}
			for _, source := range done.Read {
				fmt.Fprintf(a.out, "%s is read from its beginning by then\n", source)
			}
			if done.CRM > 0 {
				fmt.Fprintf(a.out, "%d refused changes are in the next energyd plan again\n", done.CRM)
			}
			return nil
		})
	}
	return c
}

// decisionOf is the choice of a decision, which needs one and a reason.
func decisionOf(name string, filter func([]string) (pipeline.RejectFilter, error), args []string, reason string) (pipeline.RejectFilter, error) {
	f, err := filter(args)
	switch {
	case err != nil:
		return f, err
	case f.Source == "" && f.Class == "" && f.Code == "":
		return f, usage("rejects %s takes a SOURCE with or without KEYs, --class or --code", name)
	case strings.TrimSpace(reason) == "":
		return f, usage("rejects %s needs --reason \"…\": the journal keeps it", name)
	}
	return f, nil
}

func (a *app) rejectsSnooze() *cobra.Command {
	var reason, until string
	c := &cobra.Command{
		Use:   "snooze [SOURCE [KEY…]]",
		Short: "Tell of rejects no more until a day",
		Long:  "Tell of rejects no more until a day, or until their record or the value to be written is another one. Without KEY all of the source, of --class or of --code. The journal keeps who did it, when and why.",
	}
	filter := filterFlags(c)
	c.Flags().StringVar(&reason, "reason", "", "why, for the journal (needed)")
	c.Flags().StringVar(&until, "until", "", "the day from which you want to hear of them again, as 2026-12-24 (needed)")
	c.RunE = func(c *cobra.Command, args []string) error {
		f, err := decisionOf("snooze", filter, args, reason)
		if err != nil {
			return err
		}
		day, err := engine.ParseDate(until)
		if err != nil {
			return usage("rejects snooze needs --until with a day, as 2026-12-24")
		}
		return a.withStored(c, func(ctx context.Context, p *pipeline.Pipeline) error {
			done, err := p.SnoozeRejects(ctx, f, day, strings.TrimSpace(reason))
			if err != nil {
				return err
			}
			if a.json {
				return a.encode(done)
			}
			fmt.Fprintf(a.out, "%d rejects snoozed until %s; energyd rejects retry brings them back before\n", done.Rejects, day)
			return nil
		})
	}
	return c
}
