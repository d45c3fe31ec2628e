package main

import (
	"bytes"
	"context"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"energyd/internal/crmsim"
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
