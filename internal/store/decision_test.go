package store_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/internal/store"
)

func TestDecisions(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		st := open(t, fresh(t))
		at := time.Date(2026, 9, 30, 3, 0, 0, 0, time.UTC)
		changes := map[int64]bool{}
		stand := func(step string, recheck []string, want ...store.Decision) {
			t.Helper()
			got, change, err := st.Decisions(t.Context())
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%s: %v (-want +got):\n%s", step, err, diff)
			}
			if changes[change] {
				t.Errorf("%s: the number of changes did not grow", step)
			}
			changes[change] = true
			accounts, err := st.Recheck(t.Context())
			if diff := cmp.Diff(recheck, accounts); diff != "" || err != nil {
				t.Errorf("%s: recheck: %v (-want +got):\n%s", step, err, diff)
			}
		}
		do := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		stand("nothing", nil)
		do(st.Decide(t.Context(), at, []store.Decision{{Key: "青葉", ID: "a1", At: at}}))
		stand("accepted", nil, store.Decision{Key: "青葉", ID: "a1", At: at})
		do(st.Decide(t.Context(), at, []store.Decision{{Key: "青葉", ID: "a2", At: at}, {Key: "青葉", ID: "a3", Not: true, At: at}}, "a1", ""))
		stand("another one, and one ruled out", []string{"a1"},
			store.Decision{Key: "青葉", ID: "a2", At: at}, store.Decision{Key: "青葉", ID: "a3", Not: true, At: at})
		do(st.Decide(t.Context(), at, []store.Decision{{Key: "青葉", ID: "a2", Not: true, At: at}}, "a1", "a2"))
		stand("not that one after all", []string{"a1", "a2"},
			store.Decision{Key: "青葉", ID: "a2", Not: true, At: at}, store.Decision{Key: "青葉", ID: "a3", Not: true, At: at})
		do(st.Rechecked(t.Context(), []string{"a1"}))
		n, err := st.Forget(t.Context(), at, "青葉", "a3")
		if do(err); n != 2 {
			t.Errorf("%d forgotten", n)
		}
		stand("forgotten", []string{"a2", "a3"})
		if n, err := st.Forget(t.Context(), at, "青葉"); n != 0 || err != nil {
			t.Errorf("forgotten twice: %d, %v", n, err)
		}
	})
}

// TestAsked: counts add up within a reading and over sources, and a new reading asks anew.
func TestAsked(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		st := open(t, fresh(t))
		ask := func(source string, revision uint32, asked map[string]store.Asked, want ...store.Asked) {
			t.Helper()
			if err := st.AddAsked(t.Context(), source, revision, asked); err != nil {
				t.Fatal(err)
			}
			got, err := st.Asked(t.Context())
			if diff := cmp.Diff(want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		}
		aoba := map[string]store.Asked{"青葉": {Written: "青葉様", Records: 2}}
		ask("daily", 1, aoba, store.Asked{Key: "青葉", Written: "青葉様", Records: 2})
		ask("daily", 1, aoba, store.Asked{Key: "青葉", Written: "青葉様", Records: 4})
		ask("mail", 5, aoba, store.Asked{Key: "青葉", Written: "青葉様", Records: 6})
		ask("daily", 2, nil, store.Asked{Key: "青葉", Written: "青葉様", Records: 2})
		ask("mail", 6, nil)
	})
}
