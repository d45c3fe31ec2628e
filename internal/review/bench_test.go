package review

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"strconv"
	"testing"

	"energyd/engine"
	"energyd/internal/testcpu"
)

// BenchmarkReview reviews the deals of a large firm: 10 million contacts, and one deal for each 200 of them, in less
// than 3 minutes of two cores and 1 GB. BENCH_ACTIVITIES changes the size.
func BenchmarkReview(b *testing.B) {
	contacts := 10_000_000
	if text := os.Getenv("BENCH_ACTIVITIES"); text != "" {
		var err error
		if contacts, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		began := testcpu.Used(b)
		s := largeSample(b, contacts)
		r := Run(s, Options{TrainUntil: engine.NoDate, Fit: true})
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		b.ReportMetric((testcpu.Used(b) - began).Seconds(), "cpu-s") // what counts where others use the machine
		b.ReportMetric(float64(m.Sys)/(1<<20), "MB")
		b.ReportMetric(float64(r.Rows), "rows")
		b.ReportMetric(r.Gain.Value, "gain")
		if !r.Verdict.Change {
			b.Errorf("the verdict is: %s", r.Verdict.Reason)
		}
	}
}

// largeSample makes contacts as they come out of a store: account by account, and never all in memory.
func largeSample(b *testing.B, contacts int) *Sample {
	points, err := engine.Compile(madeTable(30))
	if err != nil {
		b.Fatal(err)
	}
	table, _ := NewTable(madeTable(30), points)
	rng := rand.New(rand.NewPCG(9, 9))
	start := engine.DateOf(2024, 1, 1)
	const each = 200
	deals := make([]Deal, contacts/each)
	keen := make([]float64, len(deals))
	for i := range deals {
		keen[i] = rng.Float64()
		deals[i] = Deal{ID: fmt.Sprintf("D%07d", i), Account: fmt.Sprintf("A%07d", i/2), Opened: start + engine.Date(rng.IntN(640))}
		deals[i].Closed, deals[i].Won = deals[i].Opened+30+engine.Date(rng.IntN(100)), rng.Float64() < 0.1+0.6*keen[i]
	}
	s := NewSample(table, deals).Distinct()
	people := []engine.Participant{{}}
	for i := range deals {
		for n := range each {
			k := madeKinds[rng.IntN(len(madeKinds))]
			if k.direction == engine.Inbound && rng.Float64() > keen[i] {
				k = madeKinds[0]
			}
			people[0].Rank = madeRanks[rng.IntN(len(madeRanks))]
			s.Add(&engine.Activity{Source: "crm", ID: strconv.Itoa(i*each + n), Kind: k.name, Direction: k.direction, Account: deals[i].Account,
				Date: deals[i].Opened + engine.Date(rng.IntN(int(deals[i].Closed-deals[i].Opened))), People: people, Deals: []engine.Share{{ID: deals[i].ID}}})
		}
	}
	return s
}
