package store_test

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/store"
)

// duePoints are the shipped points without what looks at months: only bands fall due.
type duePoints struct{ *engine.Points }

func (p duePoints) Due(kind engine.EntityKind, cells []engine.Cell, asOf engine.Date) engine.Date {
	return p.Evaluate(kind, cells, asOf).Due
}

// Case 48: of three accounts, one with news, one whose band falls today and one with neither, a night looks at exactly two.
func TestCase48ANightVisitsChangedAndDue(t *testing.T) {
	t.Parallel()
	table, err := config.LoadPoints("../../configs/points.yaml")
	if err != nil {
		t.Fatal(err)
	}
	table.Trend, table.Alarms = nil, nil
	points, err := engine.Compile(table)
	if err != nil {
		t.Fatal(err)
	}
	sc, ctx, s := duePoints{points}, context.Background(), open(t, sqliteURL(t))
	day := engine.DateOf(2026, 4, 1)
	visit := func(id, account string, on engine.Date) engine.Activity {
		return engine.Activity{Source: "sfa", ID: id, Version: 1, Kind: "visit_by_customer", Account: account, Date: on}
	}
	night := func(asOf engine.Date) (visited []string) {
		t.Helper()
		if _, err := s.Fold(ctx, sc, asOf); err != nil {
			t.Fatal(err)
		}
		if _, err := s.MarkDue(ctx, sc, asOf); err != nil {
			t.Fatal(err)
		}
		seen, err := s.Generation(ctx)
		if err != nil {
			t.Fatal(err)
		}
		var entities []engine.Entity
		for e, err := range s.Changed(ctx, engine.Account, 0) {
			if err != nil {
				t.Fatal(err)
			}
			entities, visited = append(entities, e.Entity), append(visited, e.Entity.ID)
		}
		if err := s.Settle(ctx, seen, entities); err != nil {
			t.Fatal(err)
		}
		return visited
	}
	// 10 points are lukewarm, and below 8 on the 20th day.
	saveAll(t, s, []engine.Activity{visit("1", "falls", day), visit("2", "news", day+5), visit("3", "neither", day+5)})
	if got := night(day + 5); len(got) != 3 {
		t.Fatalf("the first night looks at %v", got)
	}
	if got := night(day + 19); len(got) != 0 {
		t.Fatalf("a night without anything looks at %v", got)
	}
	saveAll(t, s, []engine.Activity{visit("4", "news", day+20)})
	got := night(day + 20)
	if len(got) != 2 || got[0] == "neither" || got[1] == "neither" {
		t.Fatalf("the night looks at %v, want those with news and with a falling band", got)
	}
	for range 3 { // the same day again: nothing more (case 26)
		if got := night(day + 20); len(got) != 0 {
			t.Fatalf("once more it looks at %v", got)
		}
	}
}

var _ store.Scorer = duePoints{}

// countingPoints counts what a night looks at: activities that are scored, and entities that are evaluated.
type countingPoints struct {
	duePoints
	scored, evaluated *atomic.Int64
}

func (p countingPoints) Contributions(acts []engine.Activity, emit func(int, engine.Contribution)) {
	p.scored.Add(int64(len(acts)))
	p.duePoints.Contributions(acts, emit)
}

func (p countingPoints) Due(kind engine.EntityKind, cells []engine.Cell, asOf engine.Date) engine.Date {
	p.evaluated.Add(1)
	return p.duePoints.Due(kind, cells, asOf)
}

// night is what a store looked at in one night.
type night struct{ Visited, Scored, Evaluated int }

// quiet fills a store with so many customers of so many contacts each, long ago, and has it settled: then a night without news has nothing to do but for
// those who fall due. Each run is the next night, with a contact of as many customers as change.
func quiet(tb testing.TB, accounts, contacts, changed int) (run func() night) {
	tb.Helper()
	table, err := config.LoadPoints("../../configs/points.yaml")
	if err != nil {
		tb.Fatal(err)
	}
	table.Trend, table.Alarms = nil, nil
	points, err := engine.Compile(table)
	if err != nil {
		tb.Fatal(err)
	}
	ctx, s, first := context.Background(), open(tb, sqliteURL(tb)), engine.DateOf(2025, 4, 1)
	sc := countingPoints{duePoints{points}, new(atomic.Int64), new(atomic.Int64)}
	look := func(asOf engine.Date, acts []engine.Activity) (n night) {
		for some := range slices.Chunk(acts, 20_000) {
			saveAll(tb, s, some)
		}
		sc.scored.Store(0)
		sc.evaluated.Store(0)
		if _, err := s.Fold(ctx, sc, asOf); err != nil {
			tb.Fatal(err)
		}
		if _, err := s.MarkDue(ctx, sc, asOf); err != nil {
			tb.Fatal(err)
		}
		seen, err := s.Generation(ctx)
		if err != nil {
			tb.Fatal(err)
		}
		var entities []engine.Entity
		for e, err := range s.Changed(ctx, engine.Account, 0) {
			if err != nil {
				tb.Fatal(err)
			}
			entities = append(entities, e.Entity)
		}
		if err := s.Settle(ctx, seen, entities); err != nil {
			tb.Fatal(err)
		}
		return night{len(entities), int(sc.scored.Load()), int(sc.evaluated.Load())}
	}
	visit := func(i, n int, on engine.Date) engine.Activity {
		return engine.Activity{Source: "日報", ID: fmt.Sprint(i, "/", n), Version: 1, Kind: "visit", Account: fmt.Sprintf("0015g%010dAAA", i), Date: on}
	}
	tonight := first + 2000 // all have long been cold
	const atOnce = 20_000   // customers
	for from := 0; from < accounts; from += atOnce {
		var acts []engine.Activity
		for i := from; i < min(from+atOnce, accounts); i++ {
			for n := range contacts {
				acts = append(acts, visit(i, n, first+engine.Date(180*n/contacts)))
			}
		}
		look(tonight-1, acts)
	}
	nights := 0
	return func() night {
		var news []engine.Activity
		for i := range changed {
			news = append(news, visit(i*accounts/changed, contacts+nights, tonight+engine.Date(nights)))
		}
		nights++
		return look(tonight+engine.Date(nights-1), news)
	}
}

// Case 74: a night looks at those with news and at nobody else, however many customers there are.
func TestCase74_a_night_costs_what_changed(t *testing.T) {
	t.Parallel()
	const changed = 20
	few, many := quiet(t, 500, 3, changed)(), quiet(t, 1000, 3, changed)()
	if few != many {
		t.Errorf("with 500 customers a night looks at %+v, with 1,000 at %+v", few, many)
	}
	if few.Visited != changed || few.Scored != changed || few.Evaluated != changed {
		t.Errorf("%d customers have one contact each, and a night looks at %+v", changed, few)
	}
}

// BenchmarkCase74 is a night in which 2,000 customers have news, of 100,000 and of 200,000 of 30 contacts each
// (BENCH_CONTACTS changes it): doubled is the larger one's time to the smaller one's. Nights of both by turns, the best of
// nine each.
//
//	go test ./internal/store -run '^$' -bench Case74 -benchtime 1x
func BenchmarkCase74(b *testing.B) {
	const changed, nights = 2000, 9
	contacts, err := strconv.Atoi(cmp.Or(os.Getenv("BENCH_CONTACTS"), "30"))
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		stores := []func() night{quiet(b, 100_000, contacts, changed), quiet(b, 200_000, contacts, changed)}
		var best [2]time.Duration
		for range nights {
			for i, run := range stores {
				began := time.Now()
				if n := run(); n.Visited != changed {
					b.Fatalf("%+v", n)
				}
				if took := time.Since(began); best[i] == 0 || took < best[i] {
					best[i] = took
				}
			}
		}
		b.ReportMetric(best[0].Seconds(), "s/night-of-100k")
		b.ReportMetric(best[1].Seconds(), "s/night-of-200k")
		b.ReportMetric(best[1].Seconds()/best[0].Seconds(), "doubled")
		b.ReportMetric(0, "ns/op")
	}
}
