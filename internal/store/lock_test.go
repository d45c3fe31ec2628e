package store_test

import "testing"

// TestLocked tells of a run in this process and in others, and takes nothing.
func TestLocked(t *testing.T) {
	onBoth(t, func(t *testing.T, fresh func(testing.TB) string) {
		url := fresh(t)
		ours, theirs := open(t, url), open(t, url)
		locked := func(want bool) {
			t.Helper()
			for range 2 {
				if got, err := ours.Locked(t.Context()); got != want || err != nil {
					t.Errorf("Locked gives %v, %v; want %v", got, err, want)
				}
			}
		}
		locked(false)
		unlock, err := theirs.Lock(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		locked(true)
		if err := unlock(); err != nil {
			t.Fatal(err)
		}
		locked(false)
	})
}
