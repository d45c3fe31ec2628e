// Package testcpu tells benchmarks how long their process has worked: unlike
// the clock, that says the same on a busy machine.
package testcpu

import (
	"testing"
	"time"
)

// Used is the processor time that this process has taken so far, on all cores.
func Used(tb testing.TB) time.Duration {
	tb.Helper()
	d, err := used()
	if err != nil {
		tb.Fatal(err)
	}
	return d
}
