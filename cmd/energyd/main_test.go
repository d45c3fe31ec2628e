package main

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"energyd/internal/crmsim"
	"energyd/internal/demo"
)

func TestMain(m *testing.M) {
	testscript.Main(withProgram{m}, map[string]func(){"energyd": func() { os.Exit(Main()) }})
}

// TestScripts runs sessions as a person would type them; -update rewrites what they print.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("CRM_CLIENT_SECRET", "planted-secret")
			e.Setenv("REPORTS_PASSWORD", "planted-password")
			return nil
		},
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"crm": startCRM},
		UpdateScripts:       os.Getenv("UPDATE") != "",
		RequireExplicitExec: true,
	})
}

// startCRM is "crm [RIGHT…]": a simulated CRM without any of energyd's fields, at
// $CRM_URL until the script ends. Its run-as user lacks these rights.
func startCRM(ts *testscript.TestScript, neg bool, lacks []string) {
	if neg {
		ts.Fatalf("crm cannot be expected to fail")
	}
	crm, err := crmsim.New(crmsim.Options{ClientID: "your-client-id", ClientSecret: "planted-secret"})
	ts.Check(err)
	for _, right := range lacks {
		ts.Check(crm.SetRight(right, false))
	}
	server := httptest.NewServer(crm)
	ts.Defer(server.Close)
	ts.Setenv("CRM_URL", server.URL)
}

// program is energyd as it is shipped, built when a test first starts it as a process. Nothing that
// is killed can tell of a data race, so that the race detector would only make these processes slower.
var program = struct {
	sync.Mutex
	dir string
}{}

// withProgram removes the program after all tests.
type withProgram struct{ *testing.M }

func (m withProgram) Run() int {
	defer func() { _ = os.RemoveAll(program.dir) }()
	return m.M.Run()
}

func built(t *testing.T) string {
	t.Helper()
	program.Lock()
	defer program.Unlock()
	path := filepath.Join(program.dir, "energyd")
	if program.dir != "" {
		return path
	}
	dir, err := os.MkdirTemp("", "energyd-built-")
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(dir, "energyd")
	build := exec.CommandContext(t.Context(), "go", "build", "-buildvcs=false", "-o", path, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		_ = os.RemoveAll(dir)
		t.Fatalf("%v: %v\n%s", build.Args, err, out)
	}
	program.dir = dir
	return path
}

// process makes a command that runs energyd as a process of its own.
func process(ctx context.Context, t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	return exec.CommandContext(ctx, built(t), args...)
}

// mustEnd runs energyd as a process and gives what it printed.
func mustEnd(t *testing.T, want []int, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := process(t.Context(), t, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); cmd.ProcessState == nil || !slices.Contains(want, cmd.ProcessState.ExitCode()) {
		t.Fatalf("energyd %s: %v, want exit code %v\n%s%s", strings.Join(args, " "), err, want, &out, &errs)
	}
	return out.String()
}

// mustRun runs energyd in this process and gives what it printed.
func mustRun(t *testing.T, want int, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if code := run(t.Context(), args, &out, &errs); code != want {
		t.Fatalf("energyd %s: exit code %d, want %d\n%s%s", strings.Join(args, " "), code, want, out.String(), errs.String())
	}
	return out.String()
}

// world starts the demo's company in a folder of its own.
func world(t *testing.T) (*demo.World, string) {
	t.Helper()
	dir := t.TempDir()
	w, err := demo.Start(t.Context(), dir, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	return w, filepath.Join(dir, "energyd.yaml")
}

// saying gives what runs a command over a configuration, and holds its exit code and what it prints.
func saying(t *testing.T, config string) func(code int, want string, args ...string) string {
	return func(code int, want string, args ...string) string {
		t.Helper()
		out := mustRun(t, code, append(args, "--config", config)...)
		if !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("energyd %s says\n%s\nwant %s", strings.Join(args, " "), out, want)
		}
		return out
	}
}
