package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestAlone: the packages that make test runs without the race detector start no goroutine, nor do their
// tests, so that it could find nothing there (decisions/0079).
func TestAlone(t *testing.T) {
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	list := regexp.MustCompile(`(?m)^ALONE := ((?:.*\\\n)*.*)`).FindSubmatch(makefile)
	if list == nil {
		t.Fatal("the Makefile has no ALONE any more")
	}
	cmd := exec.CommandContext(t.Context(), "go", append([]string{"list", "-f", "{{.Dir}}"}, strings.Fields(strings.ReplaceAll(string(list[1]), "\\\n", " "))...)...)
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	dirs := strings.Fields(string(out))
	if len(dirs) < 10 {
		t.Fatalf("ALONE is only %v", dirs)
	}
	for _, dir := range dirs {
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			for _, found := range starts(t, file, nil) {
				t.Errorf("%s: take its package out of ALONE in the Makefile", found)
			}
		}
	}
	probe := "package p\nimport \"net/http\"\nfunc f(t *T) { go f(t); t.Parallel(); group.Go(f); s := \"go f()\" }"
	if found := starts(t, "probe.go", []byte(probe)); len(found) != 4 {
		t.Errorf("of four goroutines %v were seen", found)
	}
}

// starts are the places in a file that start goroutines, or use what does.
func starts(t *testing.T, file string, src any) (found []string) {
	t.Helper()
	set := token.NewFileSet()
	parsed, err := parser.ParseFile(set, file, src, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(parsed, func(n ast.Node) bool {
		starts := false
		switch n := n.(type) {
		case *ast.GoStmt:
			starts = true
		case *ast.ImportSpec:
			starts = strings.HasPrefix(n.Path.Value, `"net/http`) || n.Path.Value == `"database/sql"`
		case *ast.SelectorExpr:
			starts = n.Sel.Name == "Parallel" || n.Sel.Name == "Go"
		}
		if starts {
			found = append(found, set.Position(n.Pos()).String())
		}
		return true
	})
	return found
}
