package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The report of a real go test: what fails is shown, what passes is not, and a skip is found.
func TestReport(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"go.mod": "module sample\n\ngo 1.26\n",
		"a_test.go": `package a

import "testing"

func TestGood(t *testing.T) { t.Log("quiet") }
func TestBad(t *testing.T)  { t.Run("inner", func(t *testing.T) { t.Error("loud") }) }
func TestIdle(t *testing.T) { t.` + `Skip("no reason") }
`,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		run     string
		failed  bool
		skipped string
	}{
		{"TestGood", false, ""},
		{"TestBad", true, ""},
		{"TestIdle", false, "sample.TestIdle"},
		{".", true, "sample.TestIdle"},
	} {
		t.Run(tt.run, func(t *testing.T) {
			c := exec.Command("go", "test", "-json", "-run", tt.run, ".")
			c.Dir = dir
			events, _ := c.Output() // its exit status is what report must find by itself
			var out strings.Builder
			failed, skipped, err := report(strings.NewReader(string(events)), &out)
			if err != nil || failed != tt.failed || strings.Join(skipped, " ") != tt.skipped {
				t.Errorf("failed %v, skipped %q, error %v; output:\n%s", failed, skipped, err, out.String())
			}
			if strings.Contains(out.String(), "loud") != tt.failed || strings.Contains(out.String(), "quiet") || !strings.Contains(out.String(), "sample") {
				t.Errorf("output:\n%s", out.String())
			}
		})
	}
}
