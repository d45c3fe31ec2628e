package store_test

import (
	"context"
	"testing"

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
