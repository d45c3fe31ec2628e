package pipeline

import (
	"math"
	"os"
	"runtime/debug"
)

// Memory that a pull is meant to stay in: 256 MB resident. What the collector
// does not count (the program itself, SQLite's pages) takes some 50 of them.
const (
	heapLimit   = 190 << 20
	heapPercent = 400
)

// LimitMemory lets the process use what a pull may have before the garbage
// collector works: at Go's own setting it takes a fifth of a pull's time
// (decision 0008). It is soft: a batch of huge records gets what it needs.
// GOGC and GOMEMLIMIT, when they are set, stay the admin's. For main, once.
func LimitMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapPercent)
	}
	if debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(heapLimit)
	}
}

// reviewLimit is what a review of ten million contacts may hold, beside what the collector does not count.
const reviewLimit = 700 << 20

// LimitReview lets the process use what a review needs: it holds the contacts of all deals at once. For commands that review.
func LimitReview() {
	if os.Getenv("GOMEMLIMIT") == "" {
		debug.SetMemoryLimit(reviewLimit)
	}
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(reviewPercent)
	}
}

// reviewPercent keeps garbage small beside what is held.
const reviewPercent = 50
