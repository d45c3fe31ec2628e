package mapping

import (
	"testing"
	"time"

	"energyd/engine"
	"energyd/internal/expression"
)

// TestDate_MidnightUTC: a meeting at 09:00 in Japan is midnight UTC; elsewhere it is still the day before.
func TestDate_MidnightUTC(t *testing.T) {
	at := time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)
	for zone, want := range map[string]engine.Date{
		"Asia/Tokyo":          engine.DateOf(2026, 5, 1),
		"America/Los_Angeles": engine.DateOf(2026, 4, 30),
	} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		got, err := date(loc, []any{at})
		if err != nil || got != expression.Day(want) {
			t.Errorf("%s: date(%s) = %v, %v; want %s", zone, at, got, err, want)
		}
	}
}
