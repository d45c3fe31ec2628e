// Package web is the dashboard: pages for people who would rather look than
// read, and the same as JSON under /api/v1.
//
//   - pages.go is the table of pages and actions. A page is one file with a struct
//     (what it shows) and a view (which makes it), and one template of the same name.
//   - visit.go is what a view is given; render.go and templates/ make HTML of what it returns;
//   - held.go keeps what is dear to read until the store has moved on, and early.go has the most used of it made before somebody asks;
//   - queries.go declares the query parameters of each page;
//   - answer.go writes pages, JSON, downloads and errors; preferences.go language and colours.
//
// Nothing is computed here that a command computes too: views ask internal/pipeline and internal/report.
package web

import (
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"energyd/internal/pipeline"
	"energyd/internal/telemetry"
	"energyd/internal/web/signon"
)

// Dashboard serves the pages over the configuration that Use gave last.
// It may be used by many at the same time.
type Dashboard struct {
	log     *slog.Logger
	mux     *http.ServeMux
	served  telemetry.HTTP
	actions Actions

	mu   sync.Mutex
	site *site // nil before the first Use and after Close

	closing sync.WaitGroup // sites that were replaced
}

// site is one configuration and what is known of its store.
type site struct {
	p    *pipeline.Pipeline
	zone *time.Location // in which times are told
	held *held
	draw renderers
	gate *signon.Gate
	// origin refuses what pages of other sites would have a reader's browser post (CSRF).
	origin  *http.CrossOriginProtection
	actions Actions

	visits sync.WaitGroup // at work; it is closed after them
	moved  chan struct{}  // the store has moved on
}

// New makes a dashboard, reached as served says, that answers "not yet" until Use. What takes long is handed to actions.
func New(log *slog.Logger, served telemetry.HTTP, actions Actions) *Dashboard {
	d := &Dashboard{log: log, served: served, actions: actions}
	d.mux = d.routes()
	return d
}

// Use shows this pipeline's store from now on, and takes it over: it is closed
// when another one comes or with the dashboard, after what is being shown of it.
func (d *Dashboard) Use(p *pipeline.Pipeline) error {
	zone, err := time.LoadLocation(p.Config().Zone)
	if err != nil {
		return err
	}
	settings := p.Config().Dashboard
	next := &site{p: p, zone: zone, held: newHeld(d.log), actions: d.actions, origin: http.NewCrossOriginProtection(), moved: make(chan struct{}, 1)}
	if settings.URL != "" {
		if err := next.origin.AddTrustedOrigin(strings.TrimSuffix(settings.URL, "/")); err != nil {
			return err
		}
	}
	next.gate = signon.NewGate(settings, signon.Options{
		Sessions: p.Store(), Secure: byTLS(d.served, settings.URL),
		Failed: func(err error) { d.log.Error("a session cannot be kept", "error", err) },
	})
	if next.draw, err = newRenderers(zone); err != nil {
		return err
	}
	next.held.work.Go(next.makeEarly)
	next.anew()
	if before := d.swap(next); before != nil {
		d.closing.Go(func() {
			if err := before.close(); err != nil {
				d.log.Warn("a configuration that is no longer shown was not closed", "error", err)
			}
		})
	}
	return nil
}

// byTLS tells that readers come by https: to us, or, unless the address says otherwise, to the proxy in front.
func byTLS(served telemetry.HTTP, address string) bool {
	return served.Certificate != "" || strings.HasPrefix(address, "https://") || address == "" && served.BehindProxy
}

// Synced says that a sync has ended, so that the next reader is shown what it brought and waits for nothing.
func (d *Dashboard) Synced() {
	s, leave := d.enter()
	defer leave()
	if s != nil {
		s.anew()
	}
}

// Close ends the dashboard, after what is being shown.
func (d *Dashboard) Close() error {
	defer d.closing.Wait()
	if before := d.swap(nil); before != nil {
		return before.close()
	}
	return nil
}

func (d *Dashboard) swap(next *site) (before *site) {
	d.mu.Lock()
	defer d.mu.Unlock()
	before, d.site = d.site, next
	return before
}

// close ends a site that nobody enters any more.
func (s *site) close() error {
	s.visits.Wait()
	s.held.close()
	return s.p.Close()
}

// enter gives the site, which stays open until leave is called; nil when there is none.
func (d *Dashboard) enter() (s *site, leave func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.site == nil {
		return nil, func() {}
	}
	d.site.visits.Add(1)
	return d.site, d.site.visits.Done
}

// ServeHTTP answers under the rules that hold for every page.
func (d *Dashboard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store") // customers' names stay in no cache
	ctx, cancel := context.WithTimeout(r.Context(), patience)
	defer cancel()
	d.mux.ServeHTTP(w, r.WithContext(ctx))
}

// policy lets a page use nothing but our own style sheet, pictures and forms.
const policy = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// patience is how long an answer may take; the server's own time-out of writing is a little longer.
const patience = 25 * time.Second

// routes are the addresses.
func (d *Dashboard) routes() *http.ServeMux {
	mux := http.NewServeMux()
	for i := range pages {
		p := &pages[i]
		mux.Handle("GET "+p.path, d.visited(func(w http.ResponseWriter, v *visit) error { return v.show(w, p) }))
		if slices.Contains(forms, p.name) {
			mux.Handle("POST "+p.path, d.visited(func(w http.ResponseWriter, v *visit) error { return v.show(w, p) }))
		}
		mux.Handle("GET "+api+p.path, d.visited(func(w http.ResponseWriter, v *visit) error { return v.tell(w, p) }))
	}
	mux.Handle("GET "+api+"/openapi.json", d.visited(func(w http.ResponseWriter, v *visit) error { return v.describe(w) }))
	for i := range actions {
		a := &actions[i]
		mux.Handle("POST "+a.path, d.visited(func(w http.ResponseWriter, v *visit) error { return v.act(w, a) }))
	}
	mux.Handle("GET /{$}", http.RedirectHandler(pages[0].path, http.StatusSeeOther))
	mux.Handle("GET /static/{file}", static)
	mux.Handle("POST /preferences", d.visited(func(w http.ResponseWriter, v *visit) error { prefer(w, v.request); return nil }))
	d.doors(mux)
	mux.Handle("/", d.visited(func(http.ResponseWriter, *visit) error { return errNoPage }))
	return mux
}
