// Command testlog reads "go test -json" and prints what go test would: a line
// for each package, and the output of tests that fail. It fails when a test did,
// and when one was skipped: what does not run proves nothing.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
)

// event is one line of test2json ("go doc test2json").
type event struct{ Action, Package, Test, Output string }

func main() {
	failed, skipped, err := report(os.Stdin, os.Stdout)
	for _, name := range skipped {
		fmt.Printf("SKIP\t%s: a skipped test counts as a failure\n", name)
	}
	if err != nil {
		fmt.Println("testlog:", err)
	}
	if failed || len(skipped) > 0 || err != nil {
		os.Exit(1)
	}
}

// report tells whether anything failed and which tests were skipped.
func report(in io.Reader, out io.Writer) (failed bool, skipped []string, err error) {
	pending := map[string]*strings.Builder{} // what each running test printed
	lines := bufio.NewReader(in)
	for {
		line, err := lines.ReadBytes('\n')
		if len(line) == 0 && err == io.EOF {
			break
		} else if err != nil && err != io.EOF {
			return failed, skipped, err
		}
		var e event
		if json.Unmarshal(line, &e) != nil { // go test's own complaints are not JSON
			fmt.Fprintf(out, "%s", line)
			continue
		}
		name := e.Package + "." + e.Test
		switch {
		case e.Action == "build-output":
			fmt.Fprint(out, e.Output)
		case e.Action == "build-fail":
			failed = true
		case e.Action == "output" && e.Test == "":
			if e.Output != "PASS\n" {
				fmt.Fprint(out, e.Output)
			}
		case e.Action == "output":
			if pending[name] == nil {
				pending[name] = &strings.Builder{}
			}
			pending[name].WriteString(e.Output)
		case e.Action == "fail":
			failed = true
			if printed := pending[name]; printed != nil {
				fmt.Fprint(out, printed)
			}
			delete(pending, name)
		case e.Action == "skip" && e.Test != "":
			skipped = append(skipped, name)
			delete(pending, name)
		case e.Action == "pass":
			delete(pending, name)
		}
	}
	for name, printed := range pending { // a panic or time-out ended them
		failed = true
		fmt.Fprintf(out, "%s did not end:\n%s", name, printed)
	}
	return failed, skipped, nil
}
