package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/report"
	"energyd/internal/wholefile"
)

// writers are the formats of report, and how many rows each has unless told otherwise; 0 = all.
var writers = map[string]struct {
	write func(*report.Table, io.Writer, string) error
	rows  int
}{
	"text": {(*report.Table).WriteText, 50},
	"csv":  {(*report.Table).WriteCSV, 0},
	"xlsx": {(*report.Table).WriteXLSX, 0},
	"html": {(*report.Table).WriteHTML, 2000}, // more than a browser likes to lay out
	"json": {(*report.Table).WriteJSON, 0},
}

var formats = []string{"text", "csv", "xlsx", "html", "json"}

// reportFlags are the options of a report.
type reportFlags struct {
	report.Options
	format, file, language string
	rows                   int
	rowsSet                bool
}

func (a *app) reportCommand() *cobra.Command {
	var f reportFlags
	c := &cobra.Command{
		Use:   "report NAME",
		Short: "Print a report: customer × month, deals, lists of customers to act on …",
		Long: "report prints what is stored as a table, or writes it as CSV, Excel, web page or JSON. docs/reports.md says what each\n" +
			"shows and what it needs. The reports:\n\n" + aboutReports(),
		ValidArgs: report.Names(),
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("report takes one of %s", strings.Join(report.Names(), ", "))
			}
			if !slices.Contains(report.Names(), args[0]) {
				return usage("report takes one of %s%s", strings.Join(report.Names(), ", "), fault.DidYouMean(args[0], report.Names()))
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			f.rowsSet = c.Flags().Changed("limit")
			if err := f.check(a.json); err != nil {
				return err
			}
			return a.withStored(c, func(ctx context.Context, p *pipeline.Pipeline) error { return a.report(ctx, p, args[0], &f) })
		},
	}
	c.Flags().StringVar(&f.format, "format", "", "text, csv, xlsx, html or json (default by the file's name, else text)")
	c.Flags().StringVar(&f.file, "out", "", "write to this file instead of printing")
	c.Flags().StringVar(&f.language, "language", "", "ja or en (default that of energyd.yaml)")
	c.Flags().IntVar(&f.Months, "months", 12, "months shown, the present one included")
	c.Flags().IntVar(&f.rows, "limit", 0, "rows at most, 0 for all (default 50 as text, 2000 as html, else all)")
	c.Flags().BoolVar(&f.Important, "important", false, "important customers only")
	return a.withAsOf(c)
}

func aboutReports() string {
	var b strings.Builder
	for _, name := range report.Names() {
		fmt.Fprintf(&b, "  %-10s %s\n", name, report.About(name).En)
	}
	return b.String()
}

// check completes the options and finds what cannot be.
func (f *reportFlags) check(json bool) error {
	ending := strings.TrimPrefix(filepath.Ext(f.file), ".")
	switch {
	case f.format == "" && json:
		f.format = "json"
	case f.format == "" && slices.Contains(formats[1:], ending):
		f.format = ending
	case f.format == "":
		f.format = "text"
	}
	if !slices.Contains(formats, f.format) {
		return usage("--format takes %s%s", strings.Join(formats, ", "), fault.DidYouMean(f.format, formats))
	}
	if f.format == "xlsx" && f.file == "" {
		return usage("a workbook is no text for a terminal; name a file with --out report.xlsx")
	}
	if f.language != "" && f.language != "ja" && f.language != "en" {
		return usage("--language takes ja or en")
	}
	if f.Months < 1 || f.Months > 120 {
		return usage("--months takes 1 to 120")
	}
	if f.rows < 0 {
		return usage("--limit takes a number of rows, 0 for all")
	}
	return nil
}

func (a *app) report(ctx context.Context, p *pipeline.Pipeline, name string, f *reportFlags) error {
	language := p.Config().Language
	if f.language != "" {
		language = f.language
	}
	t, err := p.Report(ctx, name, f.Options, whoRuns())
	if err != nil {
		return err
	}
	w := writers[f.format]
	if f.rowsSet {
		w.rows = f.rows
	}
	t.Limit(w.rows)
	if f.file == "" {
		return w.write(t, a.out, language)
	}
	if err := keepFile(f.file, func(out io.Writer) error { return w.write(t, out, language) }); err != nil {
		return err
	}
	fmt.Fprintf(a.err, either(language == "ja", "%s に %d 行を書きました\n", "%s: %d rows written\n"), f.file, t.Count)
	return nil
}

// keepFile makes a file whole or not at all. It is readable by its owner alone: it names customers.
func keepFile(name string, write func(io.Writer) error) error {
	half, err := wholefile.Create(name)
	if err != nil {
		return fault.New(fault.Config, "report", "cannot write "+name, "name a folder that is there and that you may write to", err)
	}
	b := bufio.NewWriter(half)
	if err := errors.Join(write(b), b.Flush()); err != nil {
		return errors.Join(err, half.Close())
	}
	return half.Keep()
}
