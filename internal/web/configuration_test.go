package web

import (
	"testing"
	"time"
)

func TestLasting(t *testing.T) {
	for d, want := range map[time.Duration]string{48 * time.Hour: "48h", 10 * time.Hour: "10h", 30 * time.Minute: "30m0s", 90 * time.Minute: "1h30m0s", 20 * time.Second: "20s"} {
		if got := lasting(d); got != want {
			t.Errorf("%v is told as %q, not %q", d, got, want)
		}
	}
}
