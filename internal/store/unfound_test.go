package store_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/internal/store"
)

// TestUnfound: counts add up within a reading, and a new reading counts anew.
func TestUnfound(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		st := open(t, fresh(t))
		for _, add := range []struct {
			source   string
			revision uint32
			counts   map[string]int
			want     []store.Unfound
		}{
			{"mail", 1, map[string]int{"account a.example": 2, "contact @b.example": 5}, []store.Unfound{{"mail", "contact @b.example", 5}, {"mail", "account a.example", 2}}},
			{"mail", 1, map[string]int{"account a.example": 4}, []store.Unfound{{"mail", "account a.example", 6}, {"mail", "contact @b.example", 5}}},
			{"daily", 7, map[string]int{"contact T9": 1}, []store.Unfound{{"daily", "contact T9", 1}, {"mail", "account a.example", 6}, {"mail", "contact @b.example", 5}}},
			{"mail", 2, map[string]int{"contact @b.example": 1}, []store.Unfound{{"daily", "contact T9", 1}, {"mail", "contact @b.example", 1}}},
			{"daily", 8, nil, []store.Unfound{{"mail", "contact @b.example", 1}}},
		} {
			if err := st.AddUnfound(t.Context(), add.source, add.revision, add.counts); err != nil {
				t.Fatal(err)
			}
			got, err := st.Unfound(t.Context())
			if diff := cmp.Diff(add.want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		}
	})
}
