package archtest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestConformance_names_tests_that_exist: the tables in docs have each number of
// their contract once, and each test that they name is there.
func TestConformance_names_tests_that_exist(t *testing.T) {
	there := definedTests(t)
	for _, doc := range []struct {
		file   string
		number string         // of a line
		last   map[string]int // of each letter
	}{
		{"conformance.md", `^[SC]\d{2,3}$`, map[string]int{"S": 122, "C": 70}},
		{"mail-conformance.md", `^\d\d$`, map[string]int{"": 69}},
	} {
		t.Run(doc.file, func(t *testing.T) {
			text, err := os.ReadFile("../../docs/" + doc.file)
			if err != nil {
				t.Fatal(err)
			}
			lines := map[string]int{}
			number, name := regexp.MustCompile(doc.number), regexp.MustCompile("`((?:Test|Benchmark|Fuzz)\\w+|J\\d\\d)`")
			for line := range strings.Lines(string(text)) {
				cells := strings.Split(line, " | ")
				if len(cells) < 2 || strings.HasPrefix(line, "| --- ") {
					continue
				}
				first := strings.TrimPrefix(cells[0], "| ")
				if number.MatchString(first) {
					lines[first]++
				}
				names := name.FindAllStringSubmatch(cells[1], -1)
				if len(names) == 0 && !strings.Contains(line, "**") && cells[1] != "tests" {
					t.Errorf("%s has neither a test nor a reason", first)
				}
				for _, m := range names {
					if !there[m[1]] {
						t.Errorf("%s: there is no %s", first, m[1])
					}
				}
			}
			for letter, last := range doc.last {
				for n := 1; n <= last; n++ {
					line := fmt.Sprintf("%s%02d", letter, n)
					if lines[line] != 1 {
						t.Errorf("%s stands there %d times", line, lines[line])
					}
					delete(lines, line)
				}
			}
			if len(lines) > 0 {
				t.Errorf("the contract has no %v", lines)
			}
		})
	}
}

// definedTests are the names of all tests, and of the jsforce script's steps.
func definedTests(t *testing.T) map[string]bool {
	t.Helper()
	there := map[string]bool{}
	define := regexp.MustCompile(`(?m)^func ((?:Test|Benchmark|Fuzz)\w+)\(|^T\('(J\d\d) `)
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "node_modules" {
			return fs.SkipDir
		}
		if d.IsDir() || !strings.HasSuffix(path, "_test.go") && d.Name() != "conformance.mjs" {
			return nil
		}
		source, err := os.ReadFile(path)
		for _, m := range define.FindAllSubmatch(source, -1) {
			there[string(m[1])+string(m[2])] = true
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return there
}
