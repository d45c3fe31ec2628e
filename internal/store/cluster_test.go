package store_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"energyd/engine"
	"energyd/internal/config"
)

// shippedPoints scores as users' installations do.
type shippedPoints struct{ *engine.Points }

func (shippedPoints) Due(engine.EntityKind, []engine.Cell, engine.Date) engine.Date {
	return engine.NoDate
}

func shipped(tb testing.TB) shippedPoints {
	tb.Helper()
	table, err := config.LoadPoints("../../configs/points.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	points, err := engine.Compile(table)
	if err != nil {
		tb.Fatal(err)
	}
	return shippedPoints{points}
}

// told makes n records of several sources about few contacts on few days of few customers: some with times, some of which name the same call.
func told(r *rand.Rand, n int) []engine.Activity {
	acts := make([]engine.Activity, n)
	for i := range acts {
		a := engine.Activity{
			Source: []string{"daily_report", "events", "tasks"}[r.IntN(3)], ID: fmt.Sprint(r.IntN(n)), Version: int64(r.IntN(4)),
			Kind: []string{"visit", "web_meeting", "phone"}[r.IntN(3)], Account: fmt.Sprint("口座", r.IntN(3)),
			Date: engine.DateOf(2026, 4, 1+r.IntN(12)), Deleted: r.IntN(8) == 0,
		}
		if r.IntN(2) == 0 {
			a.At, a.Date = a.Date.Time().Add(time.Duration(r.IntN(96))*15*time.Minute), engine.NoDate
		}
		if r.IntN(2) == 0 {
			a.People = []engine.Participant{{Contact: fmt.Sprint(a.Account, "人", r.IntN(2)), Rank: "staff"}}
		}
		if r.IntN(2) == 0 {
			a.Reps = []engine.Share{{ID: fmt.Sprint("R", r.IntN(3))}}
		}
		if r.IntN(n) == 0 {
			a.Same = &engine.Same{Call: fmt.Sprint(r.IntN(2))}
		}
		acts[i] = a
	}
	return acts
}

// TestFold_ClustersInAnyOrder: a fold that scores only the days that changed
// leaves the ledger that scoring all of the account does, where several sources tell of one contact.
func TestFold_ClustersInAnyOrder(t *testing.T) {
	sc := shipped(t)
	rapid.Check(t, func(rt *rapid.T) {
		r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
		acts := told(r, rapid.SampledFrom([]int{5, 30, 90}).Draw(rt, "records"))
		one := open(t, sqliteURL(t))
		saveAll(rt, one, acts)
		foldWith(rt, one, sc)
		want := read(rt, one)

		many := open(t, sqliteURL(t))
		r.Shuffle(len(acts), func(i, j int) { acts[i], acts[j] = acts[j], acts[i] })
		for rest := acts; len(rest) > 0; {
			n := min(1+r.IntN(8), len(rest))
			saveAll(rt, many, rest[:n])
			foldWith(rt, many, sc)
			rest = rest[n:]
		}
		if diff := cmp.Diff(want, read(rt, many)); diff != "" {
			rt.Fatalf("one fold and many differ (-one +many)\n%s", diff)
		}
	})
}
