package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/store"
)

// crowded is flat, but what an activity gives also depends on how many others
// its account has on that day: so every change moves the neighbours too.
type crowded struct{ flat }

// alone scores each activity by itself, and says so.
type alone struct{ flat }

func (alone) Independent() bool { return true }

func (c crowded) Contributions(acts []engine.Activity, emit func(int, engine.Contribution)) {
	days := map[engine.Date]int64{}
	c.flat.Contributions(acts, func(_ int, x engine.Contribution) {
		if x.Entity.Kind == engine.Account {
			days[x.Date]++
		}
	})
	c.flat.Contributions(acts, func(i int, x engine.Contribution) {
		x.Milli *= max(1, days[x.Date])
		emit(i, x)
	})
}

// tangled makes n activities of few keys and accounts: corrections, moves,
// deletions with and without an account, repetitions, and equal versions with different content.
func tangled(r *rand.Rand, n int) []engine.Activity {
	keys, accounts := 1+r.IntN(n), 1+r.IntN(20)
	acts := make([]engine.Activity, n)
	for i := range acts {
		if i > 0 && r.IntN(10) == 0 {
			acts[i] = acts[r.IntN(i)]
			continue
		}
		a := engine.Activity{Source: "日報", ID: strconv.Itoa(r.IntN(keys)), Version: int64(r.IntN(4)) * 1000,
			Kind: kinds[r.IntN(3)], Account: fmt.Sprint("口座", r.IntN(accounts)), Status: engine.Status(r.IntN(3) / 2)}
		if r.IntN(2) == 0 {
			a.At, a.Date = time.Date(2026, 4, 1+r.IntN(9), r.IntN(24), 0, 0, 0, time.UTC), engine.NoDate
		} else {
			a.Date = engine.DateOf(2026, 4, 1+r.IntN(9))
		}
		for range r.IntN(3) {
			a.People = append(a.People, engine.Participant{Contact: fmt.Sprint("担当", r.IntN(50)), Title: titles[r.IntN(7)], Rank: ranks[r.IntN(7)]})
		}
		for range r.IntN(3) {
			a.Reps = append(a.Reps, engine.Share{ID: fmt.Sprint("営業", r.IntN(3)), Weight: float64(r.IntN(3))})
		}
		switch r.IntN(8) {
		case 0:
			a.Deleted = true
		case 1:
			a = engine.Activity{Source: a.Source, ID: a.ID, Version: a.Version, Deleted: true}
		}
		acts[i] = a
	}
	return acts
}

// contents is all that a store holds, apart from what only says how it came there.
type contents struct {
	Activities []engine.Activity
	Ledger     map[engine.Entity]store.Entry
}

func read(tb rapid.TB, s *store.Store) contents {
	ctx := context.Background()
	c := contents{Ledger: map[engine.Entity]store.Entry{}}
	for a, err := range s.Activities(ctx) {
		if err != nil {
			tb.Fatal(err)
		}
		c.Activities = append(c.Activities, a)
	}
	for kind := engine.Account; kind <= engine.Rep; kind++ {
		for e, err := range s.Ledger(ctx, kind) {
			if err != nil {
				tb.Fatal(err)
			}
			one, ok, err := s.LedgerEntry(ctx, e.Entity)
			if diff := cmp.Diff(e, one); diff != "" || !ok || err != nil {
				tb.Fatalf("LedgerEntry and Ledger differ: %v %v %s", ok, err, diff)
			}
			e.Dirty = false
			if len(e.Cells) > 0 {
				c.Ledger[e.Entity] = e
			}
		}
	}
	return c
}

// TestFold_AnyOrder: however activities arrive, in whatever batches and folds,
// the store ends as if they had come all at once; and the ledger is what all
// standing activities give.
func TestFold_AnyOrder(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		rapid.Check(t, func(rt *rapid.T) {
			r := rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "seed"), 0))
			acts := tangled(r, rapid.SampledFrom([]int{1, 5, 40, 400, 3000}).Draw(rt, "activities"))
			sc := rapid.SampledFrom([]store.Scorer{crowded{flat{1}}, alone{flat{1}}}).Draw(rt, "scorer")

			one := open(t, fresh(t))
			saveAll(rt, one, acts)
			foldWith(rt, one, sc)
			want := read(rt, one)

			many := open(t, fresh(t))
			many.Share()
			r.Shuffle(len(acts), func(i, j int) { acts[i], acts[j] = acts[j], acts[i] })
			for rest := acts; len(rest) > 0; {
				n := 1 + r.IntN(len(rest))
				saveAll(rt, many, rest[:n])
				rest = rest[n:]
				if r.IntN(3) == 0 {
					foldWith(rt, many, sc)
				}
				if r.IntN(5) == 0 { // another points table for a while
					foldWith(rt, many, crowded{flat{2}})
				}
			}
			foldWith(rt, many, sc)
			if diff := cmp.Diff(want, read(rt, many)); diff != "" {
				rt.Fatalf("one fold and many differ (-one +many)\n%s", diff)
			}

			cells := map[engine.Entity][]engine.Cell{}
			versions := map[string]int64{}
			for i := range want.Activities {
				versions[want.Activities[i].ID] = want.Activities[i].Version
			}
			for _, group := range byAccount(want.Activities) {
				sc.Contributions(group, func(_ int, c engine.Contribution) { cells[c.Entity] = append(cells[c.Entity], c.Cell) })
			}
			for e, c := range cells {
				if diff := cmp.Diff(engine.SortCells(c), want.Ledger[e].Cells); diff != "" {
					rt.Fatalf("%v: the ledger is not what the activities give\n%s", e, diff)
				}
			}
			if len(versions) != len(want.Activities) || len(cells) != len(want.Ledger) {
				rt.Fatalf("%d activities of %d keys, %d entries of %d entities", len(want.Activities), len(versions), len(want.Ledger), len(cells))
			}
			for _, a := range acts {
				if versions[a.ID] < a.Version {
					rt.Fatalf("%s: version %d stands, %d came", a.ID, versions[a.ID], a.Version)
				}
			}
			if counted := counts(rt, many); !counted.Balanced() || counted.Read != len(acts) {
				rt.Fatalf("the sums do not balance: %+v", counted)
			}
		})
	})
}

const beginning = "r"

func counts(tb rapid.TB, s *store.Store) store.RunSource {
	tb.Helper()
	counted, err := s.Counted(context.Background(), beginning)
	if err != nil {
		tb.Fatal(err)
	}
	return counted
}

func byAccount(acts []engine.Activity) (groups [][]engine.Activity) {
	for len(acts) > 0 {
		n := 1
		for n < len(acts) && acts[n].Account == acts[0].Account && acts[0].Account != "" {
			n++
		}
		groups, acts = append(groups, acts[:n]), acts[n:]
	}
	return groups
}

func saveAll(tb rapid.TB, s *store.Store, acts []engine.Activity) {
	after, err := s.Cursor(context.Background(), "日報")
	if err != nil {
		tb.Fatal(err)
	}
	b := store.Batch{Run: beginning, Source: "日報", After: after, Next: after + "x", Read: len(acts), Activities: acts}
	if err := s.SaveBatch(context.Background(), b); err != nil {
		tb.Fatal(err)
	}
}

func foldWith(tb rapid.TB, s *store.Store, sc store.Scorer) store.FoldStats {
	stats, err := s.Fold(context.Background(), sc, asOf)
	if err != nil {
		tb.Fatal(err)
	}
	return stats
}

func TestFold_Counts(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		s := open(t, fresh(t))
		moved := visit("1", 3, "B")
		gone := engine.Activity{Source: "日報", ID: "2", Version: 9, Deleted: true}
		for _, step := range []struct {
			name string
			acts []engine.Activity
			want store.FoldStats
		}{
			{"nothing", nil, store.FoldStats{}},
			{"two new", []engine.Activity{visit("1", 1, "A"), visit("2", 1, "A")}, store.FoldStats{Arrived: 2, Stored: 2, Entries: 3}},
			{"again", []engine.Activity{visit("1", 1, "A"), visit("2", 1, "A")}, store.FoldStats{Arrived: 2, Unchanged: 2}},
			{"moved", []engine.Activity{moved, visit("1", 2, "A")}, store.FoldStats{Arrived: 2, Stored: 1, Unchanged: 1, Entries: 4}},
			{"older at the old account", []engine.Activity{visit("1", 2, "A")}, store.FoldStats{Arrived: 1, Unchanged: 1}},
			{"deleted without account", []engine.Activity{gone}, store.FoldStats{Arrived: 1, Stored: 1, Entries: 3}},
			{"deleted again, and older", []engine.Activity{gone, visit("2", 5, "A")}, store.FoldStats{Arrived: 2, Unchanged: 2}},
			{"back", []engine.Activity{visit("2", 10, "A")}, store.FoldStats{Arrived: 1, Stored: 1, Entries: 3}},
		} {
			if step.acts != nil {
				saveAll(t, s, step.acts)
			}
			if diff := cmp.Diff(step.want, fold(t, s)); diff != "" {
				t.Errorf("%s: %s", step.name, diff)
			}
		}
		acts, err := s.AccountActivities(t.Context(), "B")
		if diff := cmp.Diff([]engine.Activity{moved}, acts); diff != "" || err != nil {
			t.Error(err, diff)
		}
	})
}

// stopping cancels the fold in the middle of its work.
type stopping struct {
	flat
	after  *int
	cancel context.CancelFunc
}

func (s stopping) Due(kind engine.EntityKind, cells []engine.Cell, asOf engine.Date) engine.Date {
	if *s.after--; *s.after == 0 {
		s.cancel()
	}
	return s.flat.Due(kind, cells, asOf)
}

func TestFold_Interrupted(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		url := fresh(t)
		s := open(t, url)
		acts := tangled(rand.New(rand.NewPCG(1, 2)), 3000)
		saveAll(t, s, acts[:1000])
		fold(t, s)
		before := read(t, s)
		saveAll(t, s, acts[1000:])
		arrived := query(t, url, "SELECT COUNT(*) FROM arrival")
		for _, after := range []int{1, 10, 60} {
			ctx, cancel := context.WithCancel(t.Context())
			if _, err := s.Fold(ctx, stopping{flat{1}, &after, cancel}, asOf); !errors.Is(err, context.Canceled) {
				t.Fatalf("the fold was not interrupted: %v", err)
			}
			if diff := cmp.Diff(before, read(t, s)); diff != "" {
				t.Fatal(diff)
			}
			if n := query(t, url, "SELECT COUNT(*) FROM arrival"); n != arrived {
				t.Fatalf("%d arrivals are left of %d", n, arrived)
			}
		}
		fold(t, s)
		whole := open(t, fresh(t))
		saveAll(t, whole, acts)
		fold(t, whole)
		if diff := cmp.Diff(read(t, whole), read(t, s)); diff != "" {
			t.Error(diff)
		}
	})
}

func TestLedger(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		s, ctx := open(t, fresh(t)), t.Context()
		changed := func(after int64) (ids []string) {
			t.Helper()
			for kind := engine.Account; kind <= engine.Rep; kind++ {
				for e, err := range s.Changed(ctx, kind, after) {
					if err != nil {
						t.Fatal(err)
					}
					ids = append(ids, e.Entity.ID)
				}
			}
			slices.Sort(ids)
			return ids
		}
		expect := func(what string, ids ...string) {
			t.Helper()
			if diff := cmp.Diff(ids, changed(0)); diff != "" {
				t.Errorf("%s: dirty are\n%s", what, diff)
			}
		}
		settle := func(seen int64, ids ...engine.Entity) {
			t.Helper()
			if err := s.Settle(ctx, seen, ids); err != nil {
				t.Fatal(err)
			}
		}
		generation := func() int64 {
			t.Helper()
			n, err := s.Generation(ctx)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		a, c, r := engine.Entity{Kind: engine.Account, ID: "A"}, engine.Entity{Kind: engine.Contact, ID: "c-A"}, engine.Entity{Kind: engine.Rep, ID: "r1"}
		saveAll(t, s, []engine.Activity{visit("1", 1, "A")})
		fold(t, s)
		expect("after the fold", "A", "c-A", "r1")
		settle(generation(), a, c, engine.Entity{Kind: engine.Deal, ID: "unknown"})
		expect("after settling two", "r1")

		seen := generation()
		saveAll(t, s, []engine.Activity{visit("2", 1, "A")})
		fold(t, s)
		settle(seen, a, c, r)
		expect("what changed again stays dirty", "A", "c-A", "r1")
		settle(generation(), a, c, r)
		expect("all settled")

		entry, _, err := s.LedgerEntry(ctx, a)
		if err != nil {
			t.Fatal(err)
		}
		if n, err := s.MarkDue(ctx, flat{1}, entry.Due-1); n != 0 || err != nil {
			t.Errorf("the day before: %d marked, %v", n, err)
		}
		if n, err := s.MarkDue(ctx, flat{1}, entry.Due); n != 3 || err != nil {
			t.Errorf("on the day: %d marked, %v", n, err)
		}
		expect("marked", "A", "c-A", "r1")
		if later, _, _ := s.LedgerEntry(ctx, a); later.Due <= entry.Due {
			t.Errorf("the next due date is %s, was %s", later.Due, entry.Due)
		}
		settle(generation(), a, c, r)

		if err := s.Rebuild(ctx, flat{1}, asOf); err != nil {
			t.Fatal(err)
		}
		expect("rebuilt", "A", "c-A", "r1")
		if again, _, _ := s.LedgerEntry(ctx, a); !cmp.Equal(again.Cells, entry.Cells) {
			t.Errorf("rebuilt cells %v, were %v", again.Cells, entry.Cells)
		}
		settle(generation(), a, c, r)
		if stats, err := s.Fold(ctx, flat{2}, asOf); err != nil || !stats.Rebuilt {
			t.Errorf("a fold by other points: %+v, %v", stats, err)
		}
		expect("other points", "A", "c-A", "r1")

		saveAll(t, s, []engine.Activity{{Source: "日報", ID: "1", Version: 2, Deleted: true}, {Source: "日報", ID: "2", Version: 2, Deleted: true}})
		if _, err := s.Fold(ctx, flat{2}, asOf); err != nil {
			t.Fatal(err)
		}
		if e, ok, err := s.LedgerEntry(ctx, a); !ok || err != nil || len(e.Cells) != 0 || !e.Dirty {
			t.Errorf("an account whose activities went away: %+v %v %v", e, ok, err)
		}
		settle(generation(), a)
		if _, ok, _ := s.LedgerEntry(ctx, a); ok {
			t.Error("a settled entry without cells is still there")
		}

		seen = generation()
		if ids := changed(seen); ids != nil {
			t.Errorf("nothing changed after this generation, and %v are given", ids)
		}
		b := visit("3", 1, "A")
		b.Reps = []engine.Share{{ID: "r2"}}
		saveAll(t, s, []engine.Activity{b})
		if _, err := s.Fold(ctx, flat{2}, asOf); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff([]string{"A", "c-A", "r2"}, changed(seen)); diff != "" {
			t.Errorf("these changed since: %s", diff)
		}
	})
}

// TestConcurrent lets two open stores pull and fold at the same time.
func TestConcurrent(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		url := fresh(t)
		acts := tangled(rand.New(rand.NewPCG(3, 4)), 2000)
		done := make(chan error)
		for i, half := range [][]engine.Activity{acts[:1000], acts[1000:]} {
			s := open(t, url)
			go func() {
				source := fmt.Sprint("s", i)
				after := connectors.Cursor("")
				for part := range slices.Chunk(half, 100) {
					err := s.SaveBatch(context.Background(), store.Batch{Run: source, Source: source, After: after, Next: after + "x", Read: len(part), Activities: part})
					if err == nil {
						_, err = s.Fold(context.Background(), flat{1}, asOf)
					}
					if err != nil {
						done <- err
						return
					}
					after += "x"
				}
				done <- nil
			}()
		}
		for range 2 {
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		whole := open(t, fresh(t))
		saveAll(t, whole, acts)
		fold(t, whole)
		if diff := cmp.Diff(read(t, whole), read(t, open(t, url))); diff != "" {
			t.Error(diff)
		}
	})
}
