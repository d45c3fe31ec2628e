// Package archtest holds the arrows of docs/architecture.md: which package may
// import which. Tests are free to import more; the program is not.
package archtest

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "energyd/"

// mayImport lists what of ours a package may import. "x/*" is x and all below
// it. A package takes the first pattern that fits; one that fits none fails.
var mayImport = []struct {
	pkg     string
	imports []string
}{
	{"connectors", []string{"internal/fault"}},
	{"connectors/connectortest", []string{"connectors", "internal/fault"}},
	{"connectors/all", []string{"connectors/*"}},
	{"connectors/imap/message", nil},
	{"connectors/imap", []string{"connectors", "connectors/imap/message", "internal/fault", "internal/secret", "internal/httpclient", "internal/wholefile"}},
	{"connectors/*", []string{"connectors", "internal/fault", "internal/secret", "internal/httpclient", "internal/wholefile"}},
	{"mapping/freetext", []string{"internal/fault"}},
	{"mapping/matching", nil},
	{"mapping", []string{"engine", "connectors", "mapping/freetext", "mapping/matching", "internal/fault", "internal/expression"}},
	{"engine/chance", nil},
	{"engine", []string{"engine/chance", "internal/fault"}},
	{"sink", []string{"engine", "connectors", "internal/fault"}},
	{"configs", nil},
	{"internal/adversity", nil},
	{"internal/archtest", nil},
	{"internal/config", []string{"connectors", "engine", "mapping", "mapping/freetext", "sink", "configs", "internal/fault", "internal/secret", "internal/expression", "internal/schedule", "internal/survey", "internal/report", "internal/review", "internal/telemetry", "internal/notice", "internal/web/signon"}},
	{"internal/crmsim/*", []string{"internal/crmsim/*"}},
	{"internal/daemon", []string{"sink", "internal/fault", "internal/pipeline", "internal/schedule", "internal/store", "internal/telemetry"}},
	{"internal/notice", []string{"engine", "internal/fault", "internal/httpclient", "internal/secret", "internal/store", "internal/telemetry", "internal/wording"}},
	{"internal/demo", []string{"internal/crmsim", "configs", "internal/fault"}},
	{"internal/explain", []string{"engine"}},
	{"internal/expression", []string{"internal/fault"}},
	{"internal/fault", nil},
	{"internal/httpclient", []string{"internal/fault", "internal/secret"}},
	{"internal/pipeline", []string{"connectors", "mapping", "mapping/matching", "engine", "sink", "internal/*"}},
	{"internal/review", []string{"engine", "internal/fault"}},
	{"internal/review/paper", []string{"engine", "internal/review", "internal/explain", "internal/report"}},
	{"internal/report", []string{"engine", "internal/explain", "internal/fault", "internal/store"}},
	{"internal/schedule", []string{"internal/fault"}},
	{"internal/secret", []string{"internal/fault"}},
	{"internal/store", []string{"engine", "connectors", "sink", "internal/fault", "internal/wholefile"}},
	{"internal/support", []string{"internal/config", "internal/pipeline", "internal/store"}},
	{"internal/survey", []string{"connectors", "engine", "mapping", "mapping/freetext", "mapping/matching", "internal/fault"}},
	{"internal/telemetry", []string{"internal/fault", "internal/secret"}},
	{"internal/testcpu", nil},
	{"internal/testdb", nil},
	{"internal/testmail", nil},
	{"internal/web", []string{"engine", "connectors", "sink", "mapping", "internal/*"}},
	{"internal/web/signon", []string{"internal/fault", "internal/secret"}},
	{"internal/wholefile", nil},
	{"internal/winservice", []string{"internal/fault", "internal/telemetry"}},
	{"internal/wording", nil},
	{"cmd/crmsim", []string{"internal/crmsim/*"}},
	{"cmd/energyd", []string{"*"}},
	{"packaging", nil},
	{"scripts/*", nil},
}

// onlyIn says which packages keep a module's traps to themselves.
var onlyIn = map[string][]string{
	"go.yaml.in/yaml":                 {"internal/config"},
	"gopkg.in/yaml":                   nil,
	"github.com/go-resty/resty":       {"internal/httpclient"},
	"github.com/robfig/cron":          {"internal/schedule"},
	"github.com/prometheus":           {"internal/telemetry"},
	"go.opentelemetry.io":             {"internal/telemetry"},
	"github.com/expr-lang/expr":       {"internal/expression"},
	"github.com/pressly/goose":        {"internal/store"},
	"github.com/emersion/go-imap":     {"connectors/imap", "internal/demo"}, // the demo serves mailboxes, by the part of it that no customer meets
	"github.com/wneessen/go-mail":     {"internal/notice"},
	"github.com/jmoiron/sqlx":         {"internal/store", "internal/testdb", "connectors/sql"},
	"github.com/go-sql-driver/mysql":  {"internal/testdb", "connectors/sql"},
	"github.com/microsoft/go-mssqldb": {"connectors/sql"},
	"github.com/sijms/go-ora":         {"connectors/sql"},
}

// notInEngine are packages by which arithmetic would begin to act.
var notInEngine = []string{"os", "net", "log", "database/sql", "syscall", "path/filepath", "math/rand"}

type pkg struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	list := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	list.Dir = filepath.Join("..", "..")
	out, err := list.Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	var all []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		p.ImportPath = strings.TrimPrefix(p.ImportPath, module)
		all = append(all, p)
	}
	if len(all) < 10 {
		t.Fatalf("go list found %d packages: this test would hold nothing", len(all))
	}
	return all
}

// fits tells whether a package, or an import of a whole tree, falls under pattern.
func fits(name, pattern string) bool {
	tree, whole := strings.CutSuffix(pattern, "*")
	return name == pattern || whole && (tree == "" || strings.HasPrefix(name+"/", tree))
}

func under(name string, trees []string) bool {
	return slices.ContainsFunc(trees, func(tree string) bool { return fits(name, tree+"/*") })
}

func TestArrows(t *testing.T) {
	for _, p := range packages(t) {
		rule := slices.IndexFunc(mayImport, func(r struct {
			pkg     string
			imports []string
		}) bool {
			return fits(p.ImportPath, r.pkg)
		})
		if rule < 0 {
			t.Errorf("%s has no place in docs/architecture.md: give it a row there and here", p.ImportPath)
			continue
		}
		for _, imported := range p.Imports {
			ours, ok := strings.CutPrefix(imported, module)
			if ok && !slices.ContainsFunc(mayImport[rule].imports, func(pattern string) bool { return fits(ours, pattern) }) {
				t.Errorf("%s imports %s, against the arrows of docs/architecture.md", p.ImportPath, ours)
			}
		}
	}
}

func TestThirdParties(t *testing.T) {
	for _, p := range packages(t) {
		for _, imported := range p.Imports {
			for tree, homes := range onlyIn {
				if strings.HasPrefix(imported, tree) && !slices.Contains(homes, p.ImportPath) {
					t.Errorf("%s imports %s, which belongs to %v alone", p.ImportPath, imported, homes)
				}
			}
			if fits(p.ImportPath, "engine/*") && under(imported, notInEngine) {
				t.Errorf("%s imports %s: it is arithmetic, without I/O and dice", p.ImportPath, imported)
			}
		}
	}
}

// A folder without an idea gets one of these names.
func TestFolderNames(t *testing.T) {
	err := filepath.WalkDir(filepath.Join("..", ".."), func(file string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() {
			return err
		}
		switch name := path.Base(filepath.ToSlash(file)); name {
		case ".git", ".cache", "node_modules":
			return filepath.SkipDir
		case "util", "utils", "common", "helper", "helpers", "manager", "misc", "shared":
			t.Errorf("the folder %s is named for nothing: what is its job?", file)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// The rules themselves must be able to fail.
func TestFits(t *testing.T) {
	for _, tt := range []struct {
		name, pattern string
		want          bool
	}{
		{"connectors", "connectors/*", true},
		{"connectors/sql", "connectors/*", true},
		{"connectors/sql", "connectors", false},
		{"connectorsx", "connectors/*", false},
		{"engine", "*", true},
		{"engine", "mapping", false},
	} {
		if got := fits(tt.name, tt.pattern); got != tt.want {
			t.Errorf("fits(%q, %q) = %v", tt.name, tt.pattern, got)
		}
	}
	for imported, want := range map[string]bool{"net/http": true, "os": true, "log/slog": true, "math/bits": false, "ossify": false} {
		if under(imported, notInEngine) != want {
			t.Errorf("under(%q) = %v", imported, !want)
		}
	}
}
