package daemon

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"energyd/connectors/all"
	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/demo"
	"energyd/internal/fault"
	"energyd/internal/notice"
	"energyd/internal/pipeline"
	"energyd/internal/secret"
	"energyd/internal/store"
)

// demoWork is the work of the demo's company; read is told after each batch.
func demoWork(t *testing.T, read func(), change ...func(*config.Config)) Work {
	t.Helper()
	w, err := demo.Start(t.Context(), t.TempDir(), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(w.Config, all.Connectors)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range change {
		c(cfg)
	}
	p, err := pipeline.Open(t.Context(), cfg, pipeline.Options{Log: slog.New(slog.DiscardHandler), Now: time.Now, AsOf: engine.NoDate,
		Progress: func(string, int) { read() }})
	if err != nil {
		t.Fatal(err)
	}
	work, err := Pipeline(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for _, end := range []func() error{work.Close, w.Close} {
			if err := end(); err != nil {
				t.Error(err)
			}
		}
	})
	return work
}

// TestPipeline_nights: one process lives through several nights, and what a run may use of the CRM's calls is counted anew each night.
func TestPipeline_nights(t *testing.T) {
	work := demoWork(t, func() {})
	var used []int
	for range 3 {
		r := work.Do(t.Context(), Order{Kind: "sync"})
		if r.Err != nil || r.Report.State != store.OK && r.Report.State != store.Partial {
			t.Fatalf("%s: %v %v", r.Report.State, r.Err, r.Report.Notes)
		}
		s, err := work.Standing(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		used = append(used, s.Budgets[0].Run)
	}
	if used[1] >= used[0] || used[2] > used[1] {
		t.Errorf("the runs made %v calls; the later ones found nothing new", used)
	}
	if r := work.Do(t.Context(), Order{Kind: "pull", Sources: []string{"tasks"}, News: true}); r.Err != nil || len(r.Report.Sources) != 1 {
		t.Errorf("%+v", r)
	}
	if err := work.Ping(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestPipeline_interrupted: a run that was told to stop was not done, so that it is made up for; the next one goes on from there.
func TestPipeline_interrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	work := demoWork(t, cancel)
	r := work.Do(ctx, Order{Kind: "sync"})
	if r.Err == nil || r.Report.State != store.Failed {
		t.Fatalf("%s: %v", r.Report.State, r.Err)
	}
	last, err := work.LastStarts(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if sync, ok := last.Of(""); ok {
		t.Errorf("it counts as done: %v", sync)
	}
	if r := work.Do(t.Context(), Order{Kind: "sync"}); r.Err != nil || r.Changes.Written == 0 {
		t.Errorf("%s: %v, %+v", r.Report.State, r.Err, r.Changes)
	}
	if last, err = work.LastStarts(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, ok := last.Of(""); !ok {
		t.Error("the sync that came to its end does not count")
	}
}

// TestPipeline_reads: who writes to no CRM has nights too.
func TestPipeline_reads(t *testing.T) {
	work := demoWork(t, func() {}, func(c *config.Config) { c.Write = nil })
	if r := work.Do(t.Context(), Order{Kind: "sync"}); r.Err != nil || r.Report.State == store.Failed || len(r.Report.Sources) == 0 {
		t.Errorf("%s: %v", r.Report.State, r.Err)
	}
}

// TestPipeline_tells: an alert that was kept goes to the configuration's web hooks at once, and those of alarms get the customers'.
func TestPipeline_tells(t *testing.T) {
	posted := make(chan string, 2)
	chat := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		posted <- string(body)
	}))
	defer chat.Close()
	work := demoWork(t, func() {}, func(c *config.Config) {
		c.Notices.At = "00:00"
		c.Notices.Webhooks = []notice.Webhook{{Name: "it", URL: secret.New("", chat.URL), Shape: notice.Slack, Alerts: true}, {Name: "sales", URL: secret.New("", chat.URL), Alarms: true}}
	})
	if r := work.Do(t.Context(), Order{Kind: "sync"}); r.Err != nil {
		t.Fatal(r.Err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	changed, over := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(over)
		work.Tell(ctx, changed)
	}()
	if got := <-posted; !strings.Contains(got, `"energyd":"alarms"`) || !strings.Contains(got, `"sentence":"`) {
		t.Errorf("posted %s", got)
	}
	if err := work.SetAlert(ctx, store.Alert{What: "sync", State: "failed", Since: time.Now(), Because: "the CRM is away"}); err != nil {
		t.Fatal(err)
	}
	changed <- struct{}{}
	if got := <-posted; !strings.Contains(got, "the CRM is away") || !strings.Contains(got, `"text":"*[energyd] `) {
		t.Errorf("posted %s", got)
	}
	cancel()
	<-over
}

// TestErrand_apply: a plan that somebody has sent by the daemon is in the CRM once, under the person's name,
// however often it was asked for, and by whichever of two daemons.
func TestErrand_apply(t *testing.T) {
	first := demoWork(t, func() {}, func(c *config.Config) { c.Brakes.First = 1 })
	if r := first.Do(t.Context(), Order{Kind: "sync"}); r.Report.State != store.Parked {
		t.Fatalf("%s: %v", r.Report.State, r.Err)
	}
	s := first.(*work).Store()
	plan, ok, err := s.Plan(t.Context(), "")
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	var asked [2]store.Errand
	for i, who := range []string{"aya", "ken"} {
		if asked[i], err = first.Ask(t.Context(), store.Errand{Kind: "apply", Subject: plan.Plan, Reason: "a large import", Who: who}); err != nil {
			t.Fatal(err)
		}
	}
	results := make(chan Result, 2)
	for range 2 {
		go func() { results <- first.Do(t.Context(), Order{Kind: "apply", Errand: asked[0]}) }()
	}
	written, refused := 0, 0
	for range 2 {
		r := <-results
		written += r.Changes.Written
		if fault.KindOf(r.Err) == fault.Conflict {
			refused++
		}
	}
	if asked[0].ID != asked[1].ID || written != plan.Records || refused != 1 {
		t.Errorf("of %d records %d were written, %d daemons found it done", plan.Records, written, refused)
	}
	e, _, err := s.Errand(t.Context(), asked[0].ID)
	if err != nil || e.Ended.IsZero() || e.Run == "" || e.State == store.Failed {
		t.Errorf("it came to %+v, %v", e, err)
	}
	if open, err := first.Errands(t.Context()); err != nil || len(open) != 0 {
		t.Errorf("still asked for: %v, %v", open, err)
	}
}
