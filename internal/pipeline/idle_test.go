package pipeline_test

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"energyd/connectors/all"
	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/pipeline"
)

// TestC61: a run of the starter's sources in which nothing happened costs at
// most 12 of the org's calls, and gives nothing.
func TestC61_idle_run(t *testing.T) {
	n := newNights(t)
	n.night()
	n.later(time.Hour)
	n.night() // brings what this energyd wrote in the first
	n.later(time.Hour)
	calls := len(n.world.CRM().Log())
	cfg, err := config.Load(n.world.Config, all.Connectors)
	if err != nil {
		t.Fatal(err)
	}
	p, err := pipeline.Open(t.Context(), cfg, pipeline.Options{Log: slog.New(slog.DiscardHandler), Now: func() time.Time { return time.Unix(n.clock.Load(), 0).UTC() }, AsOf: engine.NoDate})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	r, err := p.Pull(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sources := 0
	for _, s := range r.Sources {
		if s.Read != 0 {
			t.Errorf("%s: %d records", s.Source, s.Read)
		}
		sources++
	}
	counted := 0
	var paths []string
	for _, c := range n.world.CRM().Log()[calls:] {
		if c.Path != "/services/data" && !strings.HasPrefix(c.Path, "/services/oauth2/") {
			counted++
			paths = append(paths, c.Method+" "+c.Path[:min(len(c.Path), 120)])
		}
	}
	if sources < 7 || counted > 12 {
		t.Errorf("%d sources cost %d calls:\n%s", sources, counted, strings.Join(paths, "\n"))
	}
}
