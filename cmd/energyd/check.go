package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"energyd/internal/config"
	"energyd/internal/fault"
	"energyd/internal/pipeline"
)

func (a *app) checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Lint the configuration; test each connection, right and field",
		Args:  noArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return a.with(c, func(ctx context.Context, p *pipeline.Pipeline) error {
				findings := p.Check(ctx)
				failed := 0
				for _, f := range findings {
					if f.Err == nil {
						continue
					}
					failed++
					a.code = max(a.code, exitFailed)
					if fault.KindOf(f.Err) == fault.Config {
						a.code = exitUsage
					}
				}
				if a.json {
					return a.encode(findingsJSON(findings))
				}
				for _, f := range findings {
					if f.Err == nil {
						fmt.Fprintf(a.out, "ok    %s%s\n", f.What, note(f.Note))
						continue
					}
					fmt.Fprintf(a.out, "FAIL  %s\n", f.What)
					for _, line := range findingLines(f.Err) {
						fmt.Fprintln(a.out, "      "+line)
					}
				}
				if failed > 0 {
					fmt.Fprintf(a.out, "%d of %d checks failed\n", failed, len(findings))
					return nil
				}
				fmt.Fprintf(a.out, "all %d checks passed; next: energyd pull, then energyd plan\n", len(findings))
				return nil
			})
		},
	}
}

func note(s string) string {
	if s == "" {
		return ""
	}
	return ": " + s
}

// findingLines are the lines of what a check found.
func findingLines(err error) []string {
	var located config.Errors
	if errors.As(err, &located) {
		return strings.Split(located.Error(), "\n")
	}
	return errorLines(err)
}

func findingsJSON(fs []pipeline.Finding) []map[string]any {
	out := make([]map[string]any, len(fs))
	for i, f := range fs {
		out[i] = map[string]any{"what": f.What, "ok": f.Err == nil}
		if f.Note != "" {
			out[i]["note"] = f.Note
		}
		if f.Err != nil {
			out[i]["error"] = errorJSON(f.Err, fault.KindOf(f.Err))
		}
	}
	return out
}
