package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"energyd/connectors"
	"energyd/internal/config"
	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/store"
	"energyd/mapping"
)

func (a *app) mappingCommand() *cobra.Command {
	c := &cobra.Command{Use: "mapping", Short: "Test mapping files, try them on a record, see what falls through", Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			return usage("say what to do: energyd mapping test, energyd mapping try, or energyd mapping coverage")
		}}
	c.AddCommand(a.mappingTestCommand(), a.mappingTryCommand(), a.mappingCoverageCommand())
	return c
}

// mappingConfig is the configuration for commands that need it only for the
// words of its files: nil when none is named and there is none.
func (a *app) mappingConfig() (*config.Config, error) {
	if _, err := a.configFile(); err != nil && a.config == "" {
		return nil, nil
	}
	return a.load(true)
}

func (a *app) mappingTestCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "test [FILE…]",
		Short: "Run the mapping files' own tests; needs no connection and no secret",
		Long:  "Runs the tests that stand in mapping files: of the files that are named, else of all that energyd.yaml names.",
		RunE: func(_ *cobra.Command, files []string) error {
			cfg, err := a.mappingConfig()
			if err != nil {
				return err
			}
			if len(files) == 0 {
				if cfg == nil {
					return usage("name the mapping files: there is no energyd.yaml here that does")
				}
				for _, s := range cfg.Sources {
					if !slices.Contains(files, s.Mapping) {
						files = append(files, s.Mapping)
					}
				}
			}
			return a.mappingTests(cfg, files)
		},
	}
}

func (a *app) mappingTests(cfg *config.Config, files []string) error {
	type outcome struct {
		File  string `json:"file"`
		Line  int    `json:"line"`
		Name  string `json:"name"`
		OK    bool   `json:"ok"`
		Error string `json:"error,omitempty"`
	}
	all, failed := []outcome{}, 0
	var wrong []error
	for _, file := range files {
		m, err := pipeline.Mapping(cfg, file)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		for _, t := range m.RunTests() {
			o := outcome{File: relative(file), Line: t.Line, Name: t.Name, OK: t.Err == nil}
			if t.Err != nil {
				failed++
				o.Error = t.Err.Error()
			}
			all = append(all, o)
		}
	}
	if err := pipeline.Problems(wrong); err != nil {
		return err
	}
	if failed > 0 {
		a.code = exitFailed
	}
	if a.json {
		return a.encode(map[string]any{"tests": all, "failed": failed})
	}
	for _, o := range all {
		if !o.OK {
			fmt.Fprintf(a.out, "%s:%d: test %q\n    %s\n", o.File, o.Line, o.Name, strings.ReplaceAll(o.Error, "\n", "\n    "))
		}
	}
	if failed > 0 {
		fmt.Fprintf(a.out, "%d of %d tests failed\n", failed, len(all))
	} else {
		fmt.Fprintf(a.out, "all %d tests of %d files pass\n", len(all), len(files))
	}
	return nil
}

func (a *app) mappingTryCommand() *cobra.Command {
	var file, key string
	c := &cobra.Command{
		Use:   "try FILE --record R.json",
		Short: "Map one record and show each step; stores nothing",
		Long: "Maps one record, a JSON object of its columns, and shows each expression with the values that it read and what it gave. " +
			"Customers and people are looked up in the directory as it is stored, where energyd.yaml names a store that is there.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("mapping try takes one mapping file")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			if file == "" {
				return usage("--record is missing: a file with the record as a JSON object, or - for standard input")
			}
			cfg, err := a.mappingConfig()
			if err != nil {
				return err
			}
			m, err := pipeline.Mapping(cfg, args[0])
			if err != nil {
				return err
			}
			rec, err := readRecord(c.InOrStdin(), file, key, m.Columns())
			if err != nil {
				return err
			}
			dir, closeStore, err := storedDirectory(c.Context(), cfg)
			if err != nil {
				return err
			}
			steps, res, err := m.Try(rec, dir)
			return errors.Join(a.printTry(m, steps, res, err), closeStore())
		},
	}
	c.Flags().StringVar(&file, "record", "", "file with the record as a JSON object; - reads standard input")
	c.Flags().StringVar(&key, "key", "record", "the record's key")
	return c
}

// readRecord reads a record; columns that it leaves out are null.
func readRecord(in io.Reader, file, key string, columns []string) (connectors.Record, error) {
	const op = "mapping try"
	var text []byte
	var err error
	if file == "-" {
		text, err = io.ReadAll(io.LimitReader(in, 4<<20))
	} else {
		text, err = os.ReadFile(file)
	}
	if err != nil {
		return connectors.Record{}, fault.New(fault.Config, op, "cannot read the record", "name a file with a JSON object after --record", err)
	}
	fields, err := store.ParseFields(text)
	if err != nil || fields == nil {
		return connectors.Record{}, fault.New(fault.Config, op, "the record is no JSON object", `write it as {"report_id": 1, "memo": "…"}`, err)
	}
	for _, name := range columns {
		if _, ok := fields[name]; !ok {
			fields[name] = nil
		}
	}
	names := slices.Sorted(maps.Keys(fields))
	rec := connectors.Record{Key: key, ChangedAt: time.Unix(0, 0).UTC(), Columns: connectors.NewColumns(names)}
	for _, name := range names {
		rec.Values = append(rec.Values, fields[name])
	}
	return rec, nil
}

// storedDirectory is the directory as it is stored; nil where there is no store yet.
func storedDirectory(ctx context.Context, cfg *config.Config) (mapping.Directory, func() error, error) {
	none := func() error { return nil }
	if cfg == nil {
		return nil, none, nil
	}
	if file, sqlite := strings.CutPrefix(cfg.Store, "sqlite:"); sqlite {
		if _, err := os.Stat(file); err != nil { // it would be made
			return nil, none, nil
		}
	}
	s, err := store.Open(ctx, cfg.Store)
	if err != nil {
		return nil, none, err
	}
	d, err := pipeline.StoredDirectory(ctx, cfg, s)
	if err != nil {
		return nil, none, errors.Join(err, s.Close())
	}
	return d, s.Close, nil
}

func (a *app) printTry(m *mapping.Mapping, steps []mapping.Step, res mapping.Result, err error) error {
	outcome := m.Shown(res)
	var reject *mapping.RejectError
	if errors.As(err, &reject) {
		outcome["reject"] = map[string]any{"code": reject.Code, "reason": reject.Reason}
		a.code = exitPartial
	}
	if a.json {
		return a.encode(map[string]any{"steps": steps, "result": outcome})
	}
	t := newTable("field", "reads", "gives")
	for _, s := range steps {
		field := s.Field
		if s.Contact > 0 {
			field = fmt.Sprintf("%d: %s", s.Contact, field)
		}
		var read []string
		for _, name := range slices.Sorted(maps.Keys(s.Read)) {
			read = append(read, name+" = "+asJSON(s.Read[name]))
		}
		gives := asJSON(s.Value)
		if s.Error != "" {
			gives = "not: " + s.Error
		}
		t.row(field, strings.Join(read, ", "), gives)
	}
	t.print(a.out)
	for _, name := range slices.Sorted(maps.Keys(outcome)) {
		fmt.Fprintf(a.out, "\n%s: %s\n", name, asJSON(outcome[name]))
	}
	return nil
}

func asJSON(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSpace(b.String())
}

func (a *app) mappingCoverageCommand() *cobra.Command {
	limit := 0
	c := &cobra.Command{
		Use:   "coverage SOURCE",
		Short: "Read a source, and tell which of its values its mapping does not know; stores nothing",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usage("mapping coverage takes one source of energyd.yaml")
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			return a.with(c, func(ctx context.Context, p *pipeline.Pipeline) error {
				found, err := p.Coverage(ctx, args[0], limit)
				if err != nil {
					return err
				}
				if a.json {
					return a.encode(found)
				}
				a.printCoverage(found)
				return nil
			})
		},
	}
	c.Flags().IntVar(&limit, "limit", 0, "read so many records at most; 0 reads all")
	return c
}

func (a *app) printCoverage(c pipeline.Coverage) {
	fmt.Fprintf(a.out, "%s: %d records read, %d used", c.Source, c.Read, c.Used)
	if c.More {
		fmt.Fprint(a.out, "; there are more")
	}
	fmt.Fprintln(a.out)
	counts := func(head string, words map[string]pipeline.Seen) {
		if len(words) == 0 {
			return
		}
		fmt.Fprintln(a.out, "\n"+head)
		for i, word := range mostFirst(words) {
			if i == mostWords {
				fmt.Fprintf(a.out, "  and %d others (--json lists all)\n", len(words)-i)
				break
			}
			fmt.Fprintf(a.out, "  %6d  %s%s\n", words[word].Records, word, example(words[word].Example))
		}
	}
	plain := func(words map[string]int) map[string]pipeline.Seen {
		out := map[string]pipeline.Seen{}
		for word, n := range words {
			out[word] = pipeline.Seen{Records: n}
		}
		return out
	}
	for _, list := range slices.Sorted(maps.Keys(c.Words)) {
		counts("not in lookups."+list+":", c.Words[list])
	}
	counts("titles without a rank (titles.yaml):", c.Titles)
	counts("not known to the CRM:", plain(c.Unfound))
	counts("left out, by the rule's reason:", plain(c.Skips))
	for _, code := range slices.Sorted(maps.Keys(c.Rejects)) {
		r := c.Rejects[code]
		fmt.Fprintf(a.out, "\nrejected as %s: %d, the first %s\n  %s\n", code, r.Count, r.Where, r.Example)
	}
}

// mostFirst gives words by their counts.
func mostFirst(words map[string]pipeline.Seen) []string {
	list := slices.Collect(maps.Keys(words))
	slices.SortFunc(list, func(a, b string) int {
		return cmp.Or(cmp.Compare(words[b].Records, words[a].Records), cmp.Compare(a, b))
	})
	return list
}

// example names a record behind a word; "" for none.
func example(record string) string {
	if record == "" {
		return ""
	}
	return " (" + record + ")"
}
