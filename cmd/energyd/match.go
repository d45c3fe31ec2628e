package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/store"
)

func (a *app) matchCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "match",
		Short: "Decide whom names mean that may be several customers",
		Long: `match shows names in records that may mean several accounts or contacts, and keeps what you decide.
The next pull follows it. See docs/matching.md.`,
		Args: func(c *cobra.Command, args []string) error {
			return usage("match takes one of list, accept, reject, forget, export, import%s", fault.DidYouMean(strings.Join(args, " "),
				[]string{"list", "accept", "reject", "forget", "export", "import"}))
		},
		RunE: func(*cobra.Command, []string) error { return nil },
	}
	exactly := func(n int, what string) cobra.PositionalArgs {
		return func(c *cobra.Command, args []string) error {
			if len(args) != n {
				return usage("%s takes %s; put a KEY with blanks into quotes", c.CommandPath()[len("energyd "):], what)
			}
			return nil
		}
	}
	c.AddCommand(
		&cobra.Command{Use: "list", Short: "What waits for a decision", Args: exactly(0, "nothing"),
			RunE: func(c *cobra.Command, _ []string) error { return a.withStored(c, a.listQuestions) }},
		&cobra.Command{Use: "accept KEY ID", Short: "Records that say KEY mean the account or contact ID", Args: exactly(2, "a KEY and an ID"),
			RunE: func(c *cobra.Command, args []string) error { return a.decide(c, args[0], args[1], false) }},
		&cobra.Command{Use: "reject KEY ID", Short: "Records that say KEY do not mean ID", Args: exactly(2, "a KEY and an ID"),
			RunE: func(c *cobra.Command, args []string) error { return a.decide(c, args[0], args[1], true) }},
		&cobra.Command{Use: "forget KEY", Short: "Take back what was decided of KEY", Args: exactly(1, "a KEY"),
			RunE: func(c *cobra.Command, args []string) error {
				return a.withStored(c, func(ctx context.Context, p *pipeline.Pipeline) error {
					key, err := p.Forget(ctx, args[0])
					if err != nil {
						return err
					}
					if a.json {
						return a.encode(map[string]string{"forgotten": key})
					}
					fmt.Fprintf(a.out, "%s: forgotten; the next pull follows it\n", key)
					return nil
				})
			}},
		&cobra.Command{Use: "export", Short: "All decisions as CSV", Args: exactly(0, "nothing"),
			RunE: func(c *cobra.Command, _ []string) error { return a.withStored(c, a.exportDecisions) }},
		&cobra.Command{Use: "import FILE", Short: "Keep the decisions of an exported CSV file; - is standard input", Args: exactly(1, "a FILE"),
			RunE: func(c *cobra.Command, args []string) error {
				return a.withStored(c, func(ctx context.Context, p *pipeline.Pipeline) error {
					in := c.InOrStdin()
					if args[0] != "-" {
						f, err := os.Open(args[0])
						if err != nil {
							return fault.New(fault.Config, "match", "cannot read "+args[0], "name a file that energyd match export made", err)
						}
						defer f.Close()
						in = f
					}
					return a.importDecisions(ctx, p, in)
				})
			}},
	)
	return c
}

func (a *app) listQuestions(ctx context.Context, p *pipeline.Pipeline) error {
	questions, err := p.Questions(ctx)
	if err != nil {
		return err
	}
	if a.json {
		return a.encode(map[string]any{"questions": append([]pipeline.Question{}, questions...)})
	}
	if len(questions) == 0 {
		fmt.Fprintln(a.out, "nothing waits for a decision")
		return nil
	}
	t := newTable("KEY", "RECORDS", "MAY BE", "NAME", "WHY").alignRight(1)
	t.whole(0, 2)
	for _, q := range questions {
		key, records := q.Key, fmt.Sprint(q.Records)
		for _, c := range q.Candidates {
			t.row(key, records, c.ID, c.Name, c.Reason)
			key, records = "", ""
		}
	}
	t.print(a.out)
	first := questions[0]
	fmt.Fprintf(a.out, "to decide: energyd match accept %q %s; or reject, for one that is not meant\n", first.Key, first.Candidates[0].ID)
	return nil
}

func (a *app) decide(c *cobra.Command, key, id string, not bool) error {
	return a.withStored(c, func(ctx context.Context, p *pipeline.Pipeline) error {
		d, err := p.Decide(ctx, key, id, not)
		if err != nil {
			return err
		}
		if a.json {
			return a.encode(d)
		}
		is := "is"
		if not {
			is = "is not"
		}
		fmt.Fprintf(a.out, "%s %s %s; the next pull follows it\n", d.Key, is, d.ID)
		return nil
	})
}

// decisionHeads are the columns of exported decisions.
var decisionHeads = []string{"key", "verdict", "id", "at"}

func (a *app) exportDecisions(ctx context.Context, p *pipeline.Pipeline) error {
	decisions, _, err := p.Store().Decisions(ctx)
	if err != nil {
		return err
	}
	if a.json {
		return a.encode(map[string]any{"decisions": append([]store.Decision{}, decisions...)})
	}
	w := csv.NewWriter(a.out)
	if err := w.Write(decisionHeads); err != nil {
		return err
	}
	for _, d := range decisions {
		verdict := "is"
		if d.Not {
			verdict = "is not"
		}
		if err := w.Write([]string{d.Key, verdict, d.ID, d.At.Format(time.RFC3339)}); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

func (a *app) importDecisions(ctx context.Context, p *pipeline.Pipeline, in io.Reader) error {
	decisions, err := readDecisions(in)
	if err != nil {
		return err
	}
	if err := p.ImportDecisions(ctx, decisions); err != nil {
		return err
	}
	if a.json {
		return a.encode(map[string]int{"imported": len(decisions)})
	}
	fmt.Fprintf(a.out, "%d decisions kept; the next pull follows them\n", len(decisions))
	return nil
}

// readDecisions reads what exportDecisions wrote, also after Excel saved it.
func readDecisions(in io.Reader) ([]store.Decision, error) {
	bad := func(line int, format string, args ...any) error {
		return fault.New(fault.Config, "match", fmt.Sprintf("line %d: ", line)+fmt.Sprintf(format, args...), "compare it with the output of energyd match export", nil)
	}
	r := csv.NewReader(in)
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll()
	if err != nil {
		return nil, fault.New(fault.Config, "match", "the decisions cannot be read as CSV", "save the file as CSV in UTF-8", err)
	}
	if len(rows) == 0 || len(rows[0]) < 3 || !slices.Equal([]string{strings.TrimPrefix(rows[0][0], "\ufeff"), rows[0][1], rows[0][2]}, decisionHeads[:3]) {
		return nil, bad(1, "the first line is not %s", strings.Join(decisionHeads, ","))
	}
	var decisions []store.Decision
	for i, row := range rows[1:] {
		if len(row) < 3 {
			return nil, bad(i+2, "%d values, and there must be a key, a verdict and an id", len(row))
		}
		d := store.Decision{Key: row[0], ID: strings.TrimSpace(row[2])}
		switch row[1] {
		case "is":
		case "is not":
			d.Not = true
		default:
			return nil, bad(i+2, "the verdict is %q, and not is or is not", row[1])
		}
		if len(row) > 3 && row[3] != "" {
			if d.At, err = time.Parse(time.RFC3339, row[3]); err != nil {
				return nil, bad(i+2, "%q is no time as 2026-09-30T08:30:00Z", row[3])
			}
		}
		decisions = append(decisions, d)
	}
	return decisions, nil
}
