package main

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"energyd/internal/demo"
)

// asEnergyd makes the test binary be energyd, so that tests can start and kill it as a process.
const asEnergyd = "ENERGYD_TEST_MAIN"

func TestMain(m *testing.M) {
	if os.Getenv(asEnergyd) != "" {
		os.Exit(Main())
	}
	testscript.Main(m, map[string]func(){"energyd": func() { os.Exit(Main()) }})
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
		UpdateScripts:       os.Getenv("UPDATE") != "",
		RequireExplicitExec: true,
	})
}

// process makes a command that runs energyd as a process of its own.
func process(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, os.Args[0], args...)
	cmd.Env = append(os.Environ(), asEnergyd+"=1")
	return cmd
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
