package all

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// TestConnectors_call_their_suites looks into each connector's folder: who
// reads must pass RunSource, who writes RunTarget.
func TestConnectors_call_their_suites(t *testing.T) {
	seen := map[string]bool{}
	for _, c := range Connectors {
		if c.Name == "" || c.Title == "" || seen[c.Name] || c.NewConfig == nil || c.NewStream == nil || c.Open == nil {
			t.Errorf("the entry of %q is not whole, or not the only one", c.Name)
		}
		seen[c.Name] = true
		files, err := filepath.Glob(filepath.Join("..", c.Name, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		var tests []byte
		for _, f := range files {
			text, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			tests = append(tests, text...)
		}
		for call, due := range map[string]bool{"connectortest.RunSource(t,": c.Reads, "connectortest.RunTarget(t,": c.Writes} {
			if due && !bytes.Contains(tests, []byte(call)) {
				t.Errorf("connectors/%s does not call %s…)", c.Name, call)
			}
		}
	}
}
