package store_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"energyd/engine"
	"energyd/internal/store"
	"energyd/internal/testdb"
)

const million = 1_000_000

var (
	kinds  = []string{"visit", "phone", "mail", "web", "visit_by_customer", "budget_request", "approval_request"}
	titles = []string{"部長", "課長", "担当", "役員", "主任", "代表取締役社長", ""}
	ranks  = []string{"部長", "課長", "担当", "役員", "主任", "社長", ""}
)

// generator makes activities like those of a sales force: over three years,
// oldest first, skewed over 100,000 accounts. It makes a million and goes on.
type generator struct {
	r    *rand.Rand
	skew *rand.Zipf
	n    int
}

func newGenerator(first int, seed uint64) *generator {
	r := rand.New(rand.NewPCG(seed, 1))
	return &generator{r, rand.NewZipf(r, 1.05, 20, 99_999), first}
}

func (g *generator) take(n int) []engine.Activity {
	acts := make([]engine.Activity, n)
	start := time.Date(2023, 10, 1, 0, 0, 0, 0, time.UTC)
	for i := range acts {
		account := int(g.skew.Uint64())
		person := account*3 + g.r.IntN(3)
		rank := person % len(ranks)
		at := start.Add(time.Duration(g.n) * (3 * 365 * 24 * time.Hour / million)).Truncate(time.Minute)
		a := engine.Activity{
			Source: "daily_report", ID: strconv.Itoa(1_000_000 + g.n), Version: at.Add(time.Duration(g.r.IntN(100_000)) * time.Second).UnixMicro(),
			At: at, Date: engine.NoDate, Kind: kinds[g.r.IntN(len(kinds))], Account: fmt.Sprintf("0015g%010dAAA", account),
			Direction: engine.Direction(g.r.IntN(3)), Mapping: "mappings/daily_report.yaml:14",
			Reps:   []engine.Share{{ID: fmt.Sprintf("0055g%010dAAA", (account*7+g.r.IntN(2))%500)}},
			People: []engine.Participant{{Title: titles[rank], Rank: ranks[rank]}},
		}
		if g.r.IntN(10) < 6 {
			a.People[0].Contact, a.People[0].Keyman = fmt.Sprintf("0035g%010dAAA", person), person%9 == 0
		}
		if g.r.IntN(2) == 0 {
			a.Deals = []engine.Share{{ID: fmt.Sprintf("0065g%010dAAA", account/2)}}
		}
		acts[i] = a
		g.n++
	}
	return acts
}

// flat gives every participant points by rank, and shares them out like the
// real points table, at almost no cost: what is measured is the store.
type flat struct{ factor int64 }

func (f flat) Fingerprint() string { return fmt.Sprint("flat", f.factor) }

func (f flat) Due(_ engine.EntityKind, cells []engine.Cell, asOf engine.Date) engine.Date {
	if len(cells) == 0 {
		return engine.NoDate
	}
	return max(asOf, cells[len(cells)-1].Date) + engine.Date(10+cells[0].Milli%50)
}

func (f flat) Contributions(acts []engine.Activity, emit func(int, engine.Contribution)) {
	for i := range acts {
		a := &acts[i]
		if a.Status != engine.Held || a.Deleted {
			continue
		}
		date := a.Date
		if !a.At.IsZero() {
			date = engine.Date(a.At.Unix() / 86400)
		}
		milli, class := f.factor*1000, engine.ClassUnknown
		if len(a.People) > 0 {
			class = engine.Class(len(a.People[0].Rank) % engine.NumClasses)
		}
		cell := engine.Cell{Date: date, Class: class, Milli: milli * int64(1+len(a.Kind))}
		put := func(kind engine.EntityKind, id string) {
			if id != "" {
				emit(i, engine.Contribution{Entity: engine.Entity{Kind: kind, ID: id}, Cell: cell})
			}
		}
		put(engine.Account, a.Account)
		for _, p := range a.People {
			put(engine.Contact, p.Contact)
		}
		for _, d := range a.Deals {
			put(engine.Deal, d.ID)
		}
		for _, r := range a.Reps {
			put(engine.Rep, r.ID)
		}
	}
}

var asOf = engine.DateOf(2026, 10, 1)

// save saves n activities as one run in batches of 20,000, and tells how long it took.
func save(tb testing.TB, s *store.Store, g *generator, n int) (took time.Duration) {
	tb.Helper()
	ctx := context.Background()
	after, err := s.Cursor(ctx, "daily_report")
	if err != nil {
		tb.Fatal(err)
	}
	for n > 0 {
		acts := g.take(min(20_000, n))
		began := time.Now()
		err := s.SaveBatch(ctx, store.Batch{Run: "r", Source: "daily_report", After: after, Next: after + "x", Read: len(acts), Activities: acts})
		took += time.Since(began)
		if err != nil {
			tb.Fatal(err)
		}
		n, after = n-len(acts), after+"x"
	}
	return took
}

func fold(tb testing.TB, s *store.Store) store.FoldStats {
	tb.Helper()
	stats, err := s.Fold(context.Background(), flat{1}, asOf)
	if err != nil {
		tb.Fatal(err)
	}
	return stats
}

// BenchmarkMillion measures, in one pass each: saving and folding a million
// new activities; folding the same again; 1,000 changed ones; a rebuild;
// reading all. Run it with -benchtime 1x.
func BenchmarkMillion(b *testing.B) {
	for b.Loop() {
		path := filepath.Join(b.TempDir(), "store.db")
		s, err := store.Open(context.Background(), "sqlite:"+path)
		if err != nil {
			b.Fatal(err)
		}
		step := func(name string, f func()) {
			began := time.Now()
			f()
			b.ReportMetric(time.Since(began).Seconds(), name+"-s")
		}
		b.ReportMetric(save(b, s, newGenerator(0, 7), million).Seconds(), "save-s")
		step("fold", func() { fold(b, s) })
		b.ReportMetric(resident(b, "VmHWM"), "peak-MB")
		step("rebuild", func() {
			if err := s.Rebuild(context.Background(), flat{1}, asOf); err != nil {
				b.Fatal(err)
			}
		})
		step("read", func() {
			n := 0
			for _, err := range s.Activities(context.Background()) {
				if err != nil {
					b.Fatal(err)
				}
				n++
			}
			if n != million {
				b.Fatalf("%d activities", n)
			}
		})
		changed := newGenerator(500_000, 8) // the same keys in other accounts
		save(b, s, changed, 1000)
		step("fold1000moved", func() { fold(b, s) })
		save(b, s, newGenerator(million, 9), 1000)
		step("fold1000new", func() { fold(b, s) })
		if info, err := os.Stat(path); err == nil {
			b.ReportMetric(float64(info.Size())/million, "B/activity")
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// resident reads a memory figure of this process from the kernel, in MB.
func resident(tb testing.TB, name string) float64 {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		tb.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if rest, ok := strings.CutPrefix(line, name+":"); ok {
			kb, _ := strconv.ParseFloat(strings.Fields(rest)[0], 64)
			return kb / 1024
		}
	}
	return 0
}

// BenchmarkShared measures a large fold into PostgreSQL, and a ledger that is built anew, by one process that shares
// nothing, by one that shares and is alone, and with another one at work (here in the same process, on the same cores).
// ACTIVITIES says how many there are (2,000,000).
func BenchmarkShared(b *testing.B) {
	n := 2 * million
	if s := os.Getenv("ACTIVITIES"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			b.Fatal(err)
		}
	}
	for _, how := range []string{"whole", "alone", "helped"} {
		b.Run(how, func(b *testing.B) {
			for b.Loop() {
				url := testdb.Postgres(b)
				s, other := open(b, url), open(b, url)
				if how == "whole" {
					s.ShareNothing()
				}
				save(b, s, newGenerator(0, 7), n)
				ctx, cancel := context.WithCancel(b.Context())
				var helping sync.WaitGroup
				helping.Go(func() {
					for how == "helped" && ctx.Err() == nil {
						for factor := range int64(2) {
							if _, err := other.Help(ctx, flat{factor + 1}); err != nil && ctx.Err() == nil {
								b.Error(err)
							}
						}
						time.Sleep(50 * time.Millisecond)
					}
				})
				for factor, step := range []string{"fold", "rebuild"} {
					began := time.Now()
					stats, err := s.Fold(ctx, flat{int64(factor + 1)}, asOf)
					if err != nil {
						b.Fatal(err)
					}
					b.ReportMetric(time.Since(began).Seconds(), step+"-s")
					b.ReportMetric(float64(stats.Helped), step+"-helped")
				}
				cancel()
				helping.Wait()
				b.ReportMetric(resident(b, "VmHWM"), "peak-MB")
			}
		})
	}
}
