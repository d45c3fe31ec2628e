package testcpu

import (
	"testing"
	"time"
)

func TestUsed(t *testing.T) {
	before, began := Used(t), time.Now()
	for Used(t)-before < 50*time.Millisecond {
		if time.Since(began) > time.Minute {
			t.Fatalf("a minute of work took %v of the processor", Used(t)-before)
		}
	}
}
