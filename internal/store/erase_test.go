package store_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/fault"
	"energyd/internal/store"
	"energyd/sink"
)

// TestErase_IncrementalEqualsFull: after an erasure the ledger is what the
// activities that are left give, and nobody has the person in it (rule 10).
func TestErase_IncrementalEqualsFull(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		for seed := range uint64(12) {
			r := rand.New(rand.NewPCG(seed, 66))
			acts := tangled(r, []int{1, 40, 400}[seed%3])
			sc := []store.Scorer{crowded{flat{1}}, alone{flat{1}}}[seed%2]
			s := open(t, fresh(t))
			saveAll(t, s, acts)
			foldWith(t, s, sc)
			before := read(t, s)
			person := store.Person{Contacts: []string{fmt.Sprint("担当", r.IntN(50)), fmt.Sprint("担当", r.IntN(50))}}
			is := func(p engine.Participant) bool { return slices.Contains(person.Contacts, p.Contact) }

			counted, err := s.Erase(t.Context(), "", person, sc, asOf)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(before, read(t, s)); diff != "" {
				t.Fatalf("counting changed something (-before +after)\n%s", diff)
			}
			erased, err := s.Erase(t.Context(), "run", person, sc, asOf)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(counted, erased); diff != "" {
				t.Fatalf("what was counted and what was erased differ\n%s", diff)
			}

			want := contents{Ledger: map[engine.Entity]store.Entry{}}
			gone := 0
			for _, a := range before.Activities {
				if slices.ContainsFunc(a.People, is) {
					if a.People = slices.DeleteFunc(slices.Clone(a.People), is); len(a.People) == 0 {
						gone++
						continue
					}
				}
				want.Activities = append(want.Activities, a)
			}
			got := read(t, s)
			if diff := cmp.Diff(want.Activities, got.Activities); diff != "" || gone != erased.Activities {
				t.Fatalf("%d of %d activities removed (-want +got)\n%s", erased.Activities, gone, diff)
			}
			cells := map[engine.Entity][]engine.Cell{}
			for _, group := range byAccount(want.Activities) {
				sc.Contributions(group, func(_ int, c engine.Contribution) { cells[c.Entity] = append(cells[c.Entity], c.Cell) })
			}
			if len(cells) != len(got.Ledger) {
				t.Fatalf("%d entries, want %d", len(got.Ledger), len(cells))
			}
			for e, c := range cells {
				if diff := cmp.Diff(engine.SortCells(c), got.Ledger[e].Cells); diff != "" {
					t.Fatalf("%v (-full +incremental)\n%s", e, diff)
				}
			}
			if err := s.Rebuild(t.Context(), sc, asOf); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, read(t, s)); diff != "" {
				t.Fatalf("a rebuild gives other cells (-erased +rebuilt)\n%s", diff)
			}
			// What was removed can come again: nothing remembers its key but as if it had never been.
			saveAll(t, s, acts)
			foldWith(t, s, sc)
			if diff := cmp.Diff(before, read(t, s)); diff != "" && erased.Shared == 0 {
				t.Fatalf("the same activities do not give the same store again (-before +again)\n%s", diff)
			}
		}
	})
}

// TestErase_WhileChangesAreOnTheirWay: the journal is needed to settle what a kill left unanswered.
func TestErase_WhileChangesAreOnTheirWay(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		s := open(t, fresh(t))
		ctx := t.Context()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		must(s.BeginPlan(ctx, "r1"))
		must(s.AddChanges(ctx, "r1", []sink.Change{{Seq: 1, Writing: "crm.Contact", ID: "003", State: sink.Planned}}, nil))
		must(s.EndPlan(ctx, sink.Summary{Run: "r1", Plan: "h", State: sink.Open, Records: 1}))
		must(s.MarkSending(ctx, "r1", []int64{1}))
		person := store.Person{Contacts: []string{"003"}, Writings: []string{"crm.Contact"}}
		if _, err := s.Erase(ctx, "r2", person, flat{1}, asOf); fault.KindOf(err) != fault.Conflict {
			t.Fatalf("erasing gives %v, want a conflict", err)
		}
		must(s.Keep(ctx, "r1", []sink.Change{{Seq: 1, State: sink.Written}}, nil))
		e, err := s.Erase(ctx, "r2", person, flat{1}, asOf)
		if err != nil || e.Changes != 1 {
			t.Fatalf("erased %+v, %v", e, err)
		}
	})
}

// TestErased: people are known again by their id, keys and addresses, and by nothing else.
func TestErased(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		url := fresh(t)
		s := open(t, url)
		if e, err := s.Erased(t.Context()); e != nil || err != nil || e.Has("id", "003") {
			t.Fatalf("an empty store knows of %v, %v", e, err)
		}
		for run, p := range map[string]store.Person{
			"r1": {Contacts: []string{"003"}, Keys: map[string][]string{"code": {"P1"}}, Addresses: []string{"taro@cust.example"}, Names: []string{"山田 太郎"}},
			"r2": {Addresses: []string{"jiro@cust.example"}},
		} {
			if _, err := s.Erase(t.Context(), run, p, flat{1}, asOf); err != nil {
				t.Fatal(err)
			}
		}
		e, err := open(t, url).Erased(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct {
			key, value string
			want       bool
		}{
			{"id", "003", true}, {"code", "P1", true}, {"email", "Taro@CUST.example", true}, {"other", "jiro@cust.example", true},
			{"code", "003", false}, {"id", "P1", false}, {"name", "山田 太郎", false}, {"email", "saburo@cust.example", false}, {"code", "", false},
		} {
			if got := e.Has(tt.key, tt.value); got != tt.want {
				t.Errorf("Has(%q, %q) = %v", tt.key, tt.value, got)
			}
		}
	})
}

// TestErase_Rejects: a reject that holds the person goes; a namesake's family name, or a part of a code, is no reason.
func TestErase_Rejects(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		s := open(t, fresh(t))
		b := store.Batch{Run: "r", Source: "mail", Next: "x", Rejects: []connectors.Reject{
			{Key: "address", Fields: map[string]any{"participants": []any{map[string]any{"Address": "Taro@cust.example"}}}},
			{Key: "in a text", Fields: map[string]any{"to": `"山田" <taro@cust.example>, b@x.example`}},
			{Key: "code", Fields: map[string]any{"contact": "P1"}},
			{Key: "name", Fields: map[string]any{"who": "山田　太郎 様"}},
			{Key: "reason", Reason: "no time for taro@cust.example"},
			{Key: "other code", Fields: map[string]any{"contact": "P10", "points": 7}},
			{Key: "other name", Fields: map[string]any{"who": "山田製作所"}},
			{Key: "nothing"},
		}}
		b.Read = len(b.Rejects)
		if err := s.SaveBatch(t.Context(), b); err != nil {
			t.Fatal(err)
		}
		e, err := s.Erase(t.Context(), "r2", store.Person{Contacts: []string{"003"}, Keys: map[string][]string{"code": {"P1"}},
			Addresses: []string{"taro@cust.example"}, Names: []string{"山田 太郎", "山田"}}, flat{1}, asOf)
		if err != nil {
			t.Fatal(err)
		}
		var left []string
		for r, err := range s.Rejects(t.Context(), "") {
			if err != nil {
				t.Fatal(err)
			}
			left = append(left, r.Key)
		}
		if diff := cmp.Diff([]string{"nothing", "other code", "other name"}, left); diff != "" || e.Rejects != 5 {
			t.Errorf("%d rejects erased (-want +left)\n%s", e.Rejects, diff)
		}
	})
}
