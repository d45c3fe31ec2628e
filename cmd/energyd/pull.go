package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"energyd/internal/pipeline"
	"energyd/internal/store"
)

func (a *app) pullCommand() *cobra.Command {
	var watch, dry bool
	var opt pipeline.DryRunOptions
	c := a.withAsOf(&cobra.Command{
		Use:   "pull [SOURCE...]",
		Short: "Read new and changed source records into the store",
		Long: "pull reads what is new or changed in the named sources (all without a name), maps it and scores it. It does not touch the CRM's fields.\n\n" +
			"With --watch it stays, and reads mailboxes each time something new has come, until it is ended by Ctrl-C or SIGTERM.",
		RunE: func(c *cobra.Command, args []string) error {
			if !dry && (opt.FromBeginning || c.Flags().Changed("limit")) {
				return usage("--from-beginning and --limit belong to --dry-run")
			}
			if dry && watch {
				return usage("--dry-run and --watch do not go together")
			}
			if watch && (a.gone || a.asOf != "") {
				return usage("--watch goes with neither --gone nor --as-of")
			}
			if opt.Limit < 0 {
				return usage("--limit takes a number of records, or 0 for all")
			}
			return a.with(c, func(ctx context.Context, p *pipeline.Pipeline) error {
				if dry {
					return a.dryRun(ctx, p, opt, args)
				}
				if watch {
					if a.onTerminal() {
						fmt.Fprintln(a.err, "watching; Ctrl-C ends it")
					}
					return p.Watch(ctx, args, a.pulled)
				}
				r, err := p.Pull(ctx, args...)
				return a.ended(r, err, func() { a.printPull(r); a.printWarnings(r) }, r)
			})
		},
	})
	c.Flags().BoolVar(&watch, "watch", false, "stay, and read mailboxes each time something new has come")
	c.Flags().BoolVar(&a.gone, "gone", false, "what a complete reading did not find again is gone, even when it is more than half")
	c.Flags().BoolVar(&dry, "dry-run", false, "show exactly what would be stored, and store nothing")
	c.Flags().BoolVar(&opt.FromBeginning, "from-beginning", false, "with --dry-run: read from the beginning, not from where the last pull ended")
	c.Flags().IntVar(&opt.Limit, "limit", 100, "with --dry-run: how many records of each source; 0 = all")
	return c
}

// pulled shows a pull of those that go on and on, when it did something.
func (a *app) pulled(r pipeline.Report) {
	if a.onTerminal() && !a.json {
		fmt.Fprint(a.err, eraseLine)
	}
	switch {
	case r.Quiet():
	case a.json:
		_ = a.encode(r) // whoever reads it is gone, and the pulls go on
	default:
		a.printPull(r)
		a.printWarnings(r)
	}
}

func (a *app) printPull(r pipeline.Report) {
	t := newTable("SOURCE", "READ", "STORED", "UNCHANGED", "SKIPPED", "REJECTED").alignRight(1, 2, 3, 4, 5)
	for _, s := range r.Sources {
		t.row(s.Source, s.Read, s.Stored, s.Unchanged, s.Skipped, s.Rejected)
	}
	if len(r.Sources) > 0 {
		t.print(a.out)
	}
	for _, s := range r.Sources {
		switch s.Reread {
		case store.OtherMapping:
			fmt.Fprintf(a.out, "%s: its mapping has changed, so everything was read again\n", s.Source)
		case store.Periodic:
			fmt.Fprintf(a.out, "%s: everything was read again, to find what is gone\n", s.Source)
		}
		if s.Withdrawn > 0 {
			fmt.Fprintf(a.out, "%s: %d that did not come again were withdrawn\n", s.Source, s.Withdrawn)
		}
		if s.Kept != "" {
			fmt.Fprintf(a.out, "%s: %s\n", s.Source, s.Kept)
		}
		if s.Retried > 0 {
			fmt.Fprintf(a.out, "%s: %d that had been rejected came through: the CRM knows their customers now, or you decided whom they mean\n", s.Source, s.Retried)
		}
		if s.Undecided > 0 {
			fmt.Fprintf(a.out, "%s: %d names may mean several customers or people; energyd match list shows them\n", s.Source, s.Undecided)
		}
		if len(s.Unfound) > 0 {
			fmt.Fprintf(a.out, "%s: not known in the CRM when it was read, so left out: %s\n", s.Source, mostFrequent(s.Unfound, 8))
		}
		for _, reason := range slices.Sorted(maps.Keys(s.Skips)) {
			fmt.Fprintf(a.out, "%s: %d skipped: %s\n", s.Source, s.Skips[reason], reason)
		}
		if s.Rejected > 0 {
			fmt.Fprintf(a.out, "%s: %d rejected; energyd rejects list shows each, with what to do\n", s.Source, s.Rejected)
		}
	}
	if len(r.Titles) > 0 {
		fmt.Fprintf(a.out, "titles without a rank, scored as unknown: %s\n", mostFrequent(r.Titles, 8))
	}
	for _, err := range r.Errors {
		a.printError(err)
	}
	for _, s := range r.Sources {
		if strings.HasPrefix(s.Error, "not read:") {
			fmt.Fprintf(a.out, "%s: %s\n", s.Source, s.Error)
		}
	}
	fmt.Fprintf(a.out, "run %s: %s\n", r.Run, r.State)
}

// mostFrequent lists the most frequent words with their counts.
func mostFrequent(counts map[string]int, most int) string {
	words := slices.SortedFunc(maps.Keys(counts), func(x, y string) int {
		if counts[x] != counts[y] {
			return counts[y] - counts[x]
		}
		if x < y {
			return -1
		}
		return 1
	})
	s := ""
	for i, w := range words[:min(most, len(words))] {
		if i > 0 {
			s += ", "
		}
		s += fmt.Sprintf("%s (%d)", w, counts[w])
	}
	if len(words) > most {
		s += fmt.Sprintf(" and %d more", len(words)-most)
	}
	return s
}
