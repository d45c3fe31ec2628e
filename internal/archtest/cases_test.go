package archtest

import (
	"fmt"
	"regexp"
	"strconv"
	"testing"
)

// TestCases_of_the_energy_model_have_tests: each of its worked cases is in the name of a
// test: TestCase50…, TestCases52To54…, TestCases39And40…. Those of the review, 65 to 71, are in
// internal/review's tables of figures.
func TestCases_of_the_energy_model_have_tests(t *testing.T) {
	numbers := regexp.MustCompile(`^TestCases?(\d+)a?(?:_?([Tt]o|And)_?(\d+))?`)
	named := map[int]bool{}
	for name := range definedTests(t) {
		m := numbers.FindStringSubmatch(name)
		if m == nil {
			continue
		}
		first, _ := strconv.Atoi(m[1])
		last := first
		if m[3] != "" {
			last, _ = strconv.Atoi(m[3])
		}
		for n := first; n <= last; n++ {
			named[n] = true
		}
	}
	var missing []string
	for n := 1; n <= 74; n++ {
		if !named[n] && (n < 65 || n > 71) {
			missing = append(missing, fmt.Sprint(n))
		}
	}
	if len(missing) > 0 {
		t.Errorf("no test is named after the cases %v", missing)
	}
}
