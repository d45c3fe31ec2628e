package store_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/engine"
	"energyd/internal/fault"
	"energyd/internal/store"
)

// TestFreeze: what is frozen is read back as it was, of two who freeze from the same state one does, and who looked at whom is kept.
func TestFreeze(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		ctx, s := t.Context(), open(t, fresh(t))
		before, err := s.Frozen(ctx)
		if err != nil || before.Any {
			t.Fatalf("nothing is frozen: %+v, %v", before, err)
		}
		march := engine.Period(2026*12 + 2)
		sum := engine.PeriodSum{Period: march, Contacts: 3, Milli: 18_001, Lost: 15_000, ByClass: [engine.NumClasses]int64{1: 18_001}, ByDirection: [engine.NumDirections]int64{1: 6000, 2: 12_001}}
		sums := map[string][]engine.PeriodSum{"u1": {sum}, "u2": nil}
		at := time.Date(2026, 4, 2, 3, 4, 5, 6000, time.UTC)
		var wait sync.WaitGroup
		errs := make([]error, 2)
		for i := range errs {
			wait.Go(func() {
				errs[i] = s.Freeze(ctx, before, store.Freezing{Period: march, At: at, Who: "boss"}, sums)
			})
		}
		wait.Wait()
		if (errs[0] == nil) == (errs[1] == nil) {
			t.Fatalf("of two at once one freezes: %v", errs)
		}
		frozen, err := s.Frozen(ctx)
		if err != nil {
			t.Fatal(err)
		}
		want := store.Frozen{Any: true, Closed: march, Sums: map[string][]engine.PeriodSum{"u1": {sum}}}
		if diff := cmp.Diff(want, frozen); diff != "" {
			t.Error(diff)
		}
		err = s.Freeze(ctx, before, store.Freezing{Period: march + 1, At: at, Who: "other"}, sums)
		var f *fault.Error
		if !errors.As(err, &f) || f.Kind != fault.Config || !strings.Contains(f.Msg, "somebody else froze") {
			t.Errorf("from a state that is over: %v", err)
		}
		if err := s.Freeze(ctx, frozen, store.Freezing{Period: march + 1, At: at.Add(time.Hour), Who: "boss"}, nil); err != nil {
			t.Error(err)
		}
		list, err := s.Freezings(ctx)
		if err != nil || len(list) != 2 || list[0].Period != march+1 || !list[1].At.Equal(at) || list[1].Who != "boss" {
			t.Errorf("who froze: %+v, %v", list, err)
		}
		for i, report := range []string{"reps", "kpi"} {
			if err := s.SaveLook(ctx, store.Look{At: at.Add(time.Duration(i) * time.Minute), Who: "営業部長", Report: report}); err != nil {
				t.Fatal(err)
			}
		}
		looks, err := s.Looks(ctx, 10)
		if diff := cmp.Diff([]store.Look{{At: at.Add(time.Minute), Who: "営業部長", Report: "kpi"}, {At: at, Who: "営業部長", Report: "reps"}}, looks); diff != "" || err != nil {
			t.Error(diff, err)
		}
	})
}
