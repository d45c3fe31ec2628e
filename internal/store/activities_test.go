package store_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"go.uber.org/goleak"
)

// TestActivities_End: whoever stops reading in the middle leaves no goroutine
// behind, and a reading that is cancelled says so instead of looking complete.
func TestActivities_End(t *testing.T) {
	s := open(t, sqliteURL(t))
	saveAll(t, s, newGenerator(0, 7).take(3000)) // several blocks
	fold(t, s)
	before := goleak.IgnoreCurrent()
	for _, err := range s.Activities(t.Context()) {
		if err != nil {
			t.Error(err)
		}
		break
	}
	goleak.VerifyNone(t, before)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n, last := 0, error(nil)
	for _, err := range s.Activities(ctx) {
		cancel()
		n, last = n+1, err
	}
	if !errors.Is(last, context.Canceled) || n >= 3000 {
		t.Errorf("after %d activities the cancelled reading ends with %v", n, last)
	}
}

// TestSize: the number of activities is known without reading them.
func TestSize(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		s := open(t, fresh(t))
		if n, err := s.Size(t.Context()); n != 0 || err != nil {
			t.Errorf("an empty store has %d activities, %v", n, err)
		}
		saveAll(t, s, newGenerator(0, 7).take(1200))
		saveAll(t, s, tangled(rand.New(rand.NewPCG(1, 2)), 100)[:1])
		fold(t, s)
		if n, err := s.Size(t.Context()); n != 1201 || err != nil {
			t.Errorf("%d activities, %v; want 1201", n, err)
		}
	})
}

// TestAccountReader_gives_what_the_store_has, of accounts in any order, of such that there are not, and of an empty store.
func TestAccountReader_gives_what_the_store_has(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		s := open(t, fresh(t))
		if acts, err := s.AccountReader().Activities(t.Context(), "A"); len(acts) != 0 || err != nil {
			t.Errorf("an empty store has %v, %v", acts, err)
		}
		taken := newGenerator(0, 7).take(3000) // several blocks
		saveAll(t, s, taken)
		fold(t, s)
		r := s.AccountReader()
		for i, a := range taken {
			account := a.Account
			if i%10 == 0 {
				account += "?"
			}
			got, err := r.Activities(t.Context(), account)
			if err != nil {
				t.Fatal(err)
			}
			want, err := s.AccountActivities(t.Context(), account)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Fatal(diff)
			}
		}
	})
}
