package connectors

import (
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"5m": 5 * time.Minute, "90s": 90 * time.Second, "1h30m": 90 * time.Minute, "2h": 2 * time.Hour, "250ms": 250 * time.Millisecond, "0": 0,
	} {
		var d, back Duration
		if err := d.UnmarshalText([]byte(text)); err != nil || time.Duration(d) != want {
			t.Errorf("%q: %v, %v", text, d, err)
		}
		shown, err := d.MarshalText()
		if err != nil || back.UnmarshalText(shown) != nil || back != d {
			t.Errorf("%q is shown as %q, %v", text, shown, err)
		}
	}
	for d, want := range map[Duration]string{Duration(5 * time.Minute): "5m", Duration(150 * time.Second): "2m30s", Duration(24 * time.Hour): "24h"} {
		if d.String() != want {
			t.Errorf("%v; want %s", d, want)
		}
	}
	for _, text := range []string{"", "5", "-5m", "5 minutes", "五分"} {
		var d Duration
		if d.UnmarshalText([]byte(text)) == nil {
			t.Errorf("%q is taken for %v", text, d)
		}
	}
}
