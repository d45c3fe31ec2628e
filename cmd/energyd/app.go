package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"energyd/connectors/all"
	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/fault"
	"energyd/internal/pipeline"
	"energyd/internal/store"
	"energyd/internal/telemetry"
)

// The exit codes of product.md.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitPartial = 3
	exitParked  = 4
)

// app is what all commands share.
type app struct {
	out, err io.Writer
	config   string
	json     bool
	verbose  int // how often -v was given
	asOf     string
	gone     bool     // what complete readings did not find again
	resend   bool     // what the CRM refused before
	override string   // why a plan goes on that brakes hold
	commands []string // names, for suggestions
	code     int      // of a command that finished without an error: done, partial or parked
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "energyd",
		Short:         "Customer energy, kept up to date inside your CRM",
		Long:          "energyd reads what happened with customers, scores it, and writes the energy back into the CRM as custom fields.",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.PersistentFlags().StringVar(&a.config, "config", "", "configuration file (default energyd.yaml here, then /etc/energyd/energyd.yaml)")
	root.PersistentFlags().BoolVar(&a.json, "json", false, "print JSON instead of text")
	root.PersistentFlags().CountVarP(&a.verbose, "verbose", "v", "log each step to standard error; -vv also what is tried again")
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usage("%v", err)
	})
	root.AddCommand(
		a.initCommand(), a.demoCommand(), a.checkCommand(), a.surveyCommand(), a.mappingCommand(), a.schemaCommand(), a.fieldsCommand(), a.pullCommand(), a.planCommand(), a.applyCommand(), a.undoCommand(),
		a.syncCommand(), a.recountCommand(), a.runCommand(), a.statusCommand(), a.rejectsCommand(), a.qualityCommand(), a.eraseCommand(), a.matchCommand(), a.alarmsCommand(), a.noticeCommand(), a.explainCommand(), a.scoreCommand(), a.backtestCommand(), a.reviewCommand(), a.whatIfCommand(), a.exportCommand(), a.reportCommand(), a.monthsCommand(), a.passwordCommand(), a.storeCommand(), a.supportCommand(), a.pagesCommand(), a.versionCommand(),
	)
	root.AddCommand(a.platformCommands()...)
	root.DisableSuggestions = true // exit suggests, in our words
	root.InitDefaultCompletionCmd()
	for _, c := range root.Commands() {
		if c.Hidden {
			continue
		}
		a.commands = append(a.commands, c.Name())
	}
	return root
}

// withAsOf adds --as-of to a command that scores.
func (a *app) withAsOf(c *cobra.Command) *cobra.Command {
	c.Flags().StringVar(&a.asOf, "as-of", "", "score as of this date, as YYYY-MM-DD (default today in the points table's zone)")
	return c
}

// withResend adds --resend to a command that plans.
func (a *app) withResend(c *cobra.Command) *cobra.Command {
	c.Flags().BoolVar(&a.resend, "resend", false, "send again what the CRM refused before, although its values have not moved: when its rule or rights were corrected")
	return c
}

// usageError is a command line that cannot be understood.
type usageError struct{ msg string }

func (e *usageError) Error() string { return e.msg }

func usage(format string, args ...any) error { return &usageError{fmt.Sprintf(format, args...)} }

// exit prints err for a person (or as JSON) and gives the exit code.
func (a *app) exit(err error) int {
	if err == nil {
		return a.code
	}
	var u *usageError
	kind := fault.KindOf(err)
	code := exitFailed
	switch {
	case errors.As(err, &u) || strings.HasPrefix(err.Error(), "unknown command"):
		kind, code = fault.Config, exitUsage
		text := err.Error()
		if _, name, ok := strings.Cut(text, "unknown command \""); ok {
			name, _, _ = strings.Cut(name, "\"")
			text = fmt.Sprintf("unknown command %q%s", name, fault.DidYouMean(name, a.commands))
		}
		err = fault.New(kind, "", text, "energyd --help lists the commands, energyd COMMAND --help their options", nil)
	case kind == fault.Config:
		code = exitUsage
	case kind == fault.Quota || kind == fault.Braked:
		code = exitParked
	}
	if a.json {
		_ = json.NewEncoder(a.err).Encode(map[string]any{"error": errorJSON(err, kind)})
		return code
	}
	a.printError(err)
	return code
}

// ended shows what a run came to, also when it failed on the way, and gives its error or exit code.
func (a *app) ended(r pipeline.Report, err error, show func(), value any) error {
	if r.Run == "" { // it never began
		return err
	}
	if err == nil {
		a.finish(r.State)
	}
	if a.json {
		return errors.Join(a.encode(value), err)
	}
	if a.onTerminal() {
		fmt.Fprint(a.err, eraseLine)
	}
	show()
	return err
}

// eraseLine takes the progress away.
const eraseLine = "\r\033[K"

// onTerminal tells whether messages go to a person's screen.
func (a *app) onTerminal() bool {
	f, ok := a.err.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func (a *app) printError(err error) {
	var located config.Errors
	switch {
	case errors.As(err, &located):
		fmt.Fprintln(a.err, located.Error())
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(a.err, "energyd: stopped; what was saved stays, and the next run goes on from there")
	default:
		lines := errorLines(err)
		fmt.Fprintf(a.err, "energyd: %s\n", lines[0])
		for _, line := range lines[1:] {
			fmt.Fprintln(a.err, "  "+line)
		}
	}
}

// errorLines are an error's lines: what is wrong, what to do, details.
func errorLines(err error) []string {
	var e *fault.Error
	if !errors.As(err, &e) {
		return []string{err.Error()}
	}
	lines := []string{headline(err, e)}
	if hint := fault.HintOf(err); hint != "" {
		lines = append(lines, "what to do: "+hint)
	}
	if e.Err != nil {
		lines = append(lines, fmt.Sprintf("details: %v (%s)", e.Err, fault.KindOf(err)))
	}
	return lines
}

// headline is the whole chain of messages without the innermost cause, which stands under "details".
func headline(err error, e *fault.Error) string {
	text := err.Error()
	if e.Err != nil {
		text = strings.TrimSuffix(text, ": "+e.Err.Error())
	}
	return text
}

func errorJSON(err error, kind fault.Kind) map[string]any {
	var located config.Errors
	if errors.As(err, &located) {
		return map[string]any{"kind": kind, "message": located.Unwrap().Error(), "problems": located}
	}
	m := map[string]any{"kind": kind, "message": err.Error()}
	if hint := fault.HintOf(err); hint != "" {
		m["what_to_do"] = hint
	}
	return m
}

// encode prints one JSON value on one line.
func (a *app) encode(v any) error { return json.NewEncoder(a.out).Encode(v) }

// configFile is the configuration's path: the one that was named, or the usual one.
func (a *app) configFile() (string, error) {
	file := a.config
	if file == "" {
		for _, f := range []string{"energyd.yaml", "/etc/energyd/energyd.yaml"} {
			if _, err := os.Stat(f); err == nil {
				file = f
				break
			}
		}
	}
	if file == "" {
		return "", fault.New(fault.Config, "", "there is no energyd.yaml here or in /etc/energyd",
			"make one with energyd init, or name it with --config", nil)
	}
	if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
		return "", fault.New(fault.Config, "", "there is no file "+file, "check the path after --config, or make a configuration with energyd init", nil)
	}
	return file, nil
}

// load reads the configuration; at rest for what looks only at the store.
func (a *app) load(atRest bool) (*config.Config, error) {
	file, err := a.configFile()
	if err != nil {
		return nil, err
	}
	load := config.Load
	if atRest {
		load = config.LoadAtRest
	}
	cfg, err := load(file, all.Connectors)
	if err != nil {
		return nil, err
	}
	if !a.json {
		for _, w := range cfg.Warnings {
			fmt.Fprintln(a.err, "warning:", w)
		}
	}
	return cfg, nil
}

// open loads the configuration and opens the pipeline over it.
func (a *app) open(ctx context.Context, atRest bool) (*pipeline.Pipeline, error) {
	cfg, err := a.load(atRest)
	if err != nil {
		return nil, err
	}
	opt := pipeline.Options{Version: versionText(), Log: a.log(), Now: time.Now, AtRest: atRest, AsOf: engine.NoDate, Who: osUser(), Gone: a.gone, Resend: a.resend, Override: a.override}
	if a.onTerminal() && !a.json && a.verbose == 0 {
		opt.Progress = func(source string, read int) { fmt.Fprintf(a.err, eraseLine+"%s: %d records read", source, read) }
	}
	if a.asOf != "" {
		if opt.AsOf, err = engine.ParseDate(a.asOf); err != nil {
			return nil, usage("--as-of: %v", err)
		}
	}
	return pipeline.Open(ctx, cfg, opt)
}

// osUser is who runs this, for the journal.
func osUser() string {
	u, err := user.Current()
	if err != nil || u.Username == "" {
		return "uid " + strconv.Itoa(os.Getuid())
	}
	return u.Username
}

func (a *app) log() *slog.Logger {
	level := slog.LevelWarn
	switch {
	case a.verbose >= 2:
		level = slog.LevelDebug
	case a.verbose == 1:
		level = slog.LevelInfo
	}
	return telemetry.NewLog(a.err, level, telemetry.Text)
}

// with opens the pipeline, runs f and closes it.
func (a *app) with(c *cobra.Command, f func(ctx context.Context, p *pipeline.Pipeline) error) error {
	return a.use(c, false, f)
}

// withStored is with for commands that look only at what is stored: they work
// without the connections' secrets and whatever is wrong with a mapping.
func (a *app) withStored(c *cobra.Command, f func(ctx context.Context, p *pipeline.Pipeline) error) error {
	return a.use(c, true, f)
}

func (a *app) use(c *cobra.Command, atRest bool, f func(ctx context.Context, p *pipeline.Pipeline) error) error {
	p, err := a.open(c.Context(), atRest)
	if err != nil {
		return err
	}
	return errors.Join(f(c.Context(), p), p.Close())
}

// finish turns a run's state into the exit code.
func (a *app) finish(state store.RunState) {
	switch state {
	case store.Partial:
		a.code = exitPartial
	case store.Parked:
		a.code = exitParked
	case store.Failed:
		a.code = exitFailed
	}
}

// relative shortens a path for messages.
func relative(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	if r, err := filepath.Rel(wd, path); err == nil && !strings.HasPrefix(r, "..") {
		return r
	}
	return path
}
