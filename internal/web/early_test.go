package web

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"slices"
	"testing"

	"energyd/internal/daemon"
	"energyd/internal/telemetry"
)

// TestEarly: what most pages need is made before anybody asks, and made anew after a sync that changed something. Nothing else is.
func TestEarly(t *testing.T) {
	t.Parallel()
	file := seeded(t, 20)
	made := make(announced, 100)
	d := New(slog.New(slog.NewJSONHandler(made, &slog.HandlerOptions{Level: slog.LevelDebug})), telemetry.HTTPDefaults(), daemon.NewDesk())
	if err := d.Use(open(t, file)); err != nil {
		t.Fatal(err)
	}
	most := []string{"names", "report attention 12", "report month 12", "report rank 12"}
	next := func(n int, want ...string) {
		t.Helper()
		var got []string
		for range n {
			got = append(got, <-made)
		}
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Fatalf("made %q, not %q", got, want)
		}
	}
	next(4, most...)
	p := open(t, file)
	keep(t, p, accounts(20, 21), contacts(p.AsOf(), 20, 21))
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	d.Synced()
	next(4, most...)
	d.Synced() // nothing was read
	for _, page := range []string{"/months", "/attention", "/ranks", "/past"} {
		if w := get(t, d, page, "en"); w.Code != http.StatusOK {
			t.Fatalf("%s: %d", page, w.Code)
		}
	}
	next(1, "report past 12")
	if err := d.Close(); err != nil {
		t.Fatal(err)
	}
	d.Synced() // there is nothing to be made
	if len(made) > 0 {
		t.Errorf("%s was made for nobody", <-made)
	}
}

// announced is a log that tells what was made.
type announced chan string

func (a announced) Write(line []byte) (int, error) {
	var entry struct{ Msg, What string }
	err := json.Unmarshal(line, &entry)
	if entry.Msg == "made for the dashboard" {
		a <- entry.What
	}
	return len(line), err
}
