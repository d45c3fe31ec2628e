package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/fault"
	"energyd/mapping"
)

func (a *app) scoreCommand() *cobra.Command {
	var pointsFile, titlesFile, activities string
	c := &cobra.Command{
		Use:   "score --points FILE --activities FILE.jsonl --as-of DATE",
		Short: "The engine alone: files in, scores out, no store",
		Long: `score reads one activity a line as JSON, and prints one score a line as JSON, for
every account, contact, deal and rep. docs/score.md describes both. It needs no configuration.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			if pointsFile == "" || activities == "" {
				return usage("score needs --points and --activities")
			}
			table, err := config.LoadPoints(pointsFile)
			if err != nil {
				return err
			}
			points, err := engine.Compile(table)
			if err != nil {
				return err
			}
			titles, err := config.LoadTitles(titlesFile, points.Ranks())
			if err != nil {
				return err
			}
			asOf := points.BusinessDate(time.Now())
			if a.asOf != "" {
				if asOf, err = engine.ParseDate(a.asOf); err != nil {
					return usage("--as-of: %v", err)
				}
			}
			acts, err := readActivities(activities, titles)
			if err != nil {
				return err
			}
			w := bufio.NewWriter(a.out)
			var line []byte
			for _, s := range points.ScoreAll(acts, asOf) {
				line = append(engine.AppendScore(line[:0], s, points), '\n')
				if _, err := w.Write(line); err != nil {
					return err
				}
			}
			for _, u := range points.Unmapped(acts) {
				if u.Value == "" {
					fmt.Fprintf(a.err, "warning: people without a known %s, scored as unknown: %d\n", u.Field, u.Count)
					continue
				}
				fmt.Fprintf(a.err, "warning: the %s %q is not in %s; activities that have it: %d\n", u.Field, u.Value, pointsFile, u.Count)
			}
			return w.Flush()
		},
	}
	c.Flags().StringVar(&pointsFile, "points", "", "points table (YAML)")
	c.Flags().StringVar(&activities, "activities", "", "activities, one JSON object a line; - for standard input")
	c.Flags().StringVar(&titlesFile, "titles", "", "job titles and their ranks (YAML; default the built-in ones)")
	return a.withAsOf(c)
}

// longestLine bounds one activity's JSON.
const longestLine = 1 << 20

// readActivities reads a JSON lines file and ranks titles that carry no rank.
func readActivities(file string, titles *mapping.Titles) (acts []engine.Activity, err error) {
	err = eachLine(file, titles, func(a *engine.Activity) { acts = append(acts, *a) })
	return acts, err
}

// eachLine gives the activities of a JSON lines file, one after the other.
func eachLine(file string, titles *mapping.Titles, add func(*engine.Activity)) error {
	var in io.Reader = os.Stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return fault.New(fault.Config, "", "cannot read the activities", "name a file of one JSON object a line with --activities", err)
		}
		defer f.Close()
		in = f
	}
	sc := bufio.NewScanner(in)
	sc.Buffer(make([]byte, 64<<10), longestLine)
	n := 0
	for sc.Scan() {
		n++
		line := sc.Bytes()
		if len(line) == 0 {
			continue
		}
		act, err := engine.ParseActivity(line)
		if err != nil {
			return fault.New(fault.Config, fmt.Sprintf("%s:%d", file, n), err.Error(), "mend the line; docs/score.md describes it", nil)
		}
		for i, p := range act.People {
			if p.Rank == "" && p.Title != "" {
				act.People[i].Rank, _ = titles.Rank(p.Title)
			}
		}
		add(&act)
	}
	if err := sc.Err(); err != nil {
		if errors.Is(err, bufio.ErrTooLong) {
			return fault.New(fault.Config, fmt.Sprintf("%s:%d", file, n+1), "the line is longer than 1 MiB", "one activity stands on one line", nil)
		}
		return fmt.Errorf("%s: %w", file, err)
	}
	return nil
}
