package web

import (
	"database/sql"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/net/html"

	"energyd/connectors/all"
	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/daemon"
	"energyd/internal/demo"
	"energyd/internal/pipeline"
	"energyd/internal/telemetry"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// demoDay is a morning at the demo's company.
func demoDay() time.Time { return time.Date(2026, 11, 20, 0, 30, 0, 0, time.UTC) }

// open opens a pipeline over a configuration, for a dashboard that takes it over.
func open(t testing.TB, file string) *pipeline.Pipeline {
	t.Helper()
	return openOn(t, file, demoDay)
}

func openOn(t testing.TB, file string, now func() time.Time) *pipeline.Pipeline {
	t.Helper()
	cfg, err := config.Load(file, all.Connectors)
	if err != nil {
		t.Fatal(err)
	}
	p, err := pipeline.Open(t.Context(), cfg, pipeline.Options{Log: slog.New(slog.DiscardHandler), Now: now, AsOf: engine.NoDate, Who: "test"})
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// database opens the SQLite store of a configuration, beside energyd.
func database(t *testing.T, file string) *sql.DB {
	t.Helper()
	cfg, err := config.Load(file, all.Connectors)
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", strings.TrimPrefix(cfg.Store, "sqlite:"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// company is the demo's, whose night is over: pulled, planned and applied.
func company(t *testing.T) (file string) {
	t.Helper()
	return companyAfter(t, nil, func(p *pipeline.Pipeline) error {
		_, _, _, err := p.Sync(t.Context())
		return err
	})
}

// companyAfter is the demo's after these steps, with another configuration unless edit is nil.
func companyAfter(t *testing.T, edit func(string) string, steps func(*pipeline.Pipeline) error) (file string) {
	t.Helper()
	w, err := demo.Start(t.Context(), t.TempDir(), demoDay)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	if edit != nil {
		text, err := os.ReadFile(w.Config)
		if err == nil {
			err = os.WriteFile(w.Config, []byte(edit(string(text))), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	p := open(t, w.Config)
	if err := steps(p); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	return w.Config
}

// dashboard serves a configuration's pages.
func dashboard(t testing.TB, file string) *Dashboard {
	t.Helper()
	d := New(slog.New(slog.NewTextHandler(logOf(t), nil)), telemetry.HTTPDefaults(), daemon.NewDesk())
	if err := d.Use(open(t, file)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return d
}

// logOf writes a log into the test's.
func logOf(t testing.TB) io.Writer { return logWriter{t} }

type logWriter struct{ t testing.TB }

func (l logWriter) Write(b []byte) (int, error) { l.t.Logf("%s", b); return len(b), nil }

// get asks for an address, as who has chosen a language.
func get(t testing.TB, d http.Handler, address, language string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:9765"+address, nil)
	r.AddCookie(&http.Cookie{Name: "language", Value: language})
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	return w
}

// addresses are those of every page of the table. A page that is about one thing says here which one of the demo's.
func addresses(t *testing.T, d *Dashboard) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, p := range pages {
		all[p.name] = p.path
	}
	all["search"] = "/search?q=%E6%A0%AA"
	all["account"] = "/customers/0015g0000000001AAA"
	all["month"] = all["account"] + "/months/2026-11"
	operations(t, d, all)
	return all
}

// TestPages: every page of the table is drawn in both languages, and told as JSON.
func TestPages(t *testing.T) {
	d := dashboard(t, company(t))
	for name, address := range addresses(t, d) {
		if strings.Contains(address, "{") {
			t.Errorf("%s: addresses says of nothing what it is about", name)
			continue
		}
		for _, language := range languages {
			t.Run(name+"/"+language, func(t *testing.T) {
				w := get(t, d, address, language)
				if w.Code != http.StatusOK {
					t.Fatalf("%s: %d\n%s", address, w.Code, w.Body)
				}
				wellFormed(t, w.Body.String(), language)
			})
		}
		t.Run(name+"/json", func(t *testing.T) {
			w := get(t, d, api+address, "ja")
			if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" || !json.Valid(w.Body.Bytes()) {
				t.Errorf("%s: %d %s\n%s", address, w.Code, w.Header().Get("Content-Type"), w.Body)
			}
		})
	}
}

// wellFormed holds what every page needs for a keyboard and a screen reader, and for its policy.
func wellFormed(t *testing.T, page, language string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	count, ids := map[string]int{}, map[string]bool{}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if n.Namespace == "" { // a <title> of a drawing is none of the page's
			count[n.Data]++
		}
		attr := map[string]string{}
		for _, a := range n.Attr {
			attr[a.Key] = a.Val
		}
		if id, ok := attr["id"]; ok && ids[id] {
			t.Errorf("two elements have the id %q", id)
		} else if ok {
			ids[id] = true
		}
		if _, ok := attr["style"]; ok || n.Data == "style" || n.Data == "script" {
			t.Errorf("<%s>: the policy allows neither style nor script in a page", n.Data)
		}
		switch n.Data {
		case "html":
			if attr["lang"] != language {
				t.Errorf("the page says it is in %q", attr["lang"])
			}
		case "th":
			if attr["scope"] == "" {
				t.Error("a head of a table has no scope")
			}
		}
	}
	if count["h1"] != 1 || count["main"] != 1 || count["title"] != 1 || count["table"] != count["caption"] {
		t.Errorf("%d h1, %d main, %d title, %d tables with %d captions", count["h1"], count["main"], count["title"], count["table"], count["caption"])
	}
	for _, left := range []string{"&lt;no value&gt;", "%!", "ZgotmplZ", "[]", "map["} {
		if strings.Contains(page, left) {
			t.Errorf("%q is left in the page", left)
		}
	}
}

// TestProblem: what cannot be shown is a page for people and a problem for programs.
func TestProblem(t *testing.T) {
	d := dashboard(t, company(t))
	for _, language := range languages {
		w := get(t, d, "/nothing/here", language)
		if w.Code != http.StatusNotFound || !strings.Contains(w.Body.String(), titles[http.StatusNotFound].In(language)) {
			t.Errorf("%d\n%s", w.Code, w.Body)
		}
		wellFormed(t, w.Body.String(), language)
		if strings.Contains(w.Body.String(), "there is no such page") != (language == "en") {
			t.Errorf("in %s it says\n%s", language, w.Body)
		}
	}
	w := get(t, d, api+"/nothing", "en")
	var p problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Status != http.StatusNotFound || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Errorf("%d %v: %s", w.Code, err, w.Body)
	}
	w = get(t, d, "/today?format=csv", "en")
	if w.Code != http.StatusNotFound {
		t.Errorf("a page without a table was downloaded: %d", w.Code)
	}
}

// TestLocal: a page leads back to itself, and never elsewhere.
func TestLocal(t *testing.T) {
	for address, want := range map[string]string{
		"/runs?page=2": "/runs?page=2", "https://evil.example/": "/today", "//evil.example": "/today", `/\evil.example`: "/today",
		"javascript:alert(1)": "/today", "": "/today", "/%2f%2fevil.example": "/today", "relative": "/today",
	} {
		if got := local(address); got != want {
			t.Errorf("%q leads to %q, not %q", address, got, want)
		}
	}
}
