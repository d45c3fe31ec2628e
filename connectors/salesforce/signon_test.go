package salesforce

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/internal/crmsim"
	"energyd/internal/fault"
)

// conn opens a quick connection to the org.
func (o *org) conn() *Conn {
	o.t.Helper()
	c := newConn(*config(strings.TrimPrefix(o.url, "http://")), quiet, time.Millisecond)
	o.t.Cleanup(func() { o.must(c.Close()) })
	return c
}

// calls counts the logged requests whose method and path begin so.
func (o *org) calls(method, path string) int {
	n := 0
	for _, r := range o.Log() {
		if r.Method == method && strings.HasPrefix(r.Path, path) {
			n++
		}
	}
	return n
}

const (
	tokenPath = "/services/oauth2/token"
	dataPath  = "/services/data/v66.0"
)

func TestC02_calls_go_to_the_instance(t *testing.T) {
	o := newOrg(t)
	instance, err := url.Parse(o.url)
	o.must(err)
	login := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != tokenPath {
			t.Errorf("the login host got %s %s", r.Method, r.URL.Path)
		}
		r.Host = instance.Host // as which the simulator then names its instance
		o.ServeHTTP(w, r)
	}))
	t.Cleanup(login.Close)
	c := newConn(*config(strings.TrimPrefix(login.URL, "http://")), quiet, time.Millisecond)
	defer c.Close()
	if err := c.Check(t.Context()); err != nil {
		t.Error(err)
	}
	if _, err := c.Describe(t.Context(), "Task"); err != nil {
		t.Error(err)
	}
}

func TestC03_dead_sessions(t *testing.T) {
	t.Run("one renewal heals", func(t *testing.T) {
		o := newOrg(t)
		c := o.conn()
		o.must(c.Check(t.Context()))
		o.inject(crmsim.Fault{Name: "expire"})
		if err := c.Check(t.Context()); err != nil || o.calls("POST", tokenPath) != 2 {
			t.Errorf("%v after %d sign-ons", err, o.calls("POST", tokenPath))
		}
	})
	t.Run("a second 401 ends it", func(t *testing.T) {
		o := newOrg(t)
		o.inject(crmsim.Fault{Name: "status", Match: "GET ^" + dataPath, Status: 401, ContentType: "application/json",
			Body: `[{"errorCode":"INVALID_SESSION_ID","message":"Session expired or invalid"}]`})
		err := o.conn().Check(t.Context())
		if fault.KindOf(err) != fault.Auth || o.calls("POST", tokenPath) != 2 || o.calls("GET", dataPath) != 2 {
			t.Errorf("%v after %d sign-ons and %d calls", err, o.calls("POST", tokenPath), o.calls("GET", dataPath))
		}
	})
	t.Run("what never heals is not renewed", func(t *testing.T) {
		o := newOrg(t)
		o.inject(crmsim.Fault{Name: "status", Match: "GET ^" + dataPath, Status: 401, ContentType: "application/json",
			Body: `[{"errorCode":"INVALID_SESSION_ID","message":"This session is not valid for use with the REST API"}]`})
		err := o.conn().Check(t.Context())
		if fault.KindOf(err) != fault.Auth || o.calls("POST", tokenPath) != 1 {
			t.Errorf("%v after %d sign-ons", err, o.calls("POST", tokenPath))
		}
	})
}

func TestC04_parallel_calls_renew_once(t *testing.T) {
	o := newOrg(t)
	c := o.conn()
	o.must(c.Check(t.Context()))
	o.inject(crmsim.Fault{Name: "expire"})
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if _, err := c.Describe(t.Context(), "Account"); err != nil {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if n := o.calls("POST", tokenPath); n != 2 {
		t.Errorf("%d token requests; want the first and one renewal", n)
	}
}

func TestC05_streams_renew_a_dead_session(t *testing.T) {
	o := newOrg(t)
	c := o.conn()
	o.must(c.Check(t.Context()))
	o.inject(crmsim.Fault{Name: "expire"})
	header, body, err := c.stream(t.Context(), call{op: "list objects", method: http.MethodGet, path: "/sobjects"})
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if text, err := io.ReadAll(body); err != nil || !strings.Contains(string(text), `"Account"`) || header.Get("Sforce-Limit-Info") == "" {
		t.Errorf("%s, %v", text, err)
	}
	o.inject(crmsim.Fault{Name: "expire"})
	opened := 0
	var rows []map[string]any
	err = c.call(t.Context(), call{op: "read Account", method: http.MethodPost, path: "/composite/sobjects/Account",
		header: map[string]string{"Content-Type": "application/json"},
		content: func() (io.ReadCloser, error) {
			opened++
			return io.NopCloser(strings.NewReader(`{"ids":["0014C00000VaYfKQAV"],"fields":["Id"]}`)), nil
		}}, &rows)
	if err != nil || opened != 2 || len(rows) != 1 {
		t.Errorf("%v, %v after the content was opened %d times", rows, err, opened)
	}
}

func TestC07_refused_sign_on_is_not_repeated(t *testing.T) {
	o := newOrg(t)
	for name, body := range map[string]string{
		"invalid_grant":  `{"error":"invalid_grant","error_description":"no client credentials user enabled"}`,
		"invalid_client": `{"error":"invalid_client","error_description":"invalid client credentials"}`,
	} {
		before := o.calls("POST", tokenPath)
		o.inject(crmsim.Fault{Name: "status", Match: "POST ^" + tokenPath, Times: 1, Status: 400, ContentType: "application/json", Body: body})
		err := o.conn().Check(t.Context())
		if fault.KindOf(err) != fault.Auth || fault.HintOf(err) == "" || o.calls("POST", tokenPath) != before+1 {
			t.Errorf("%s: %v after %d sign-ons", name, err, o.calls("POST", tokenPath)-before)
		}
	}
	o.inject(crmsim.Fault{Name: "status", Match: "POST ^" + tokenPath, Times: 2, Status: 503})
	if err := o.conn().Check(t.Context()); err != nil {
		t.Errorf("503 of the token endpoint does not heal: %v", err)
	}
}

func TestCheck_unknown_version(t *testing.T) {
	o := newOrg(t)
	c := o.conn()
	c.cfg.APIVersion = "v99.0"
	err := c.Check(t.Context())
	if fault.KindOf(err) != fault.Config || !strings.Contains(fault.HintOf(err), "v67.0") {
		t.Errorf("%v; hint %q", err, fault.HintOf(err))
	}
}

func TestC56_stops_at_its_own_ceilings(t *testing.T) {
	for ceiling, f := range map[connectors.Ceiling]crmsim.Fault{
		connectors.Reserve: {Used: 10_497, Max: 15_000},
		connectors.PerRun:  {Used: 5, Max: 30},
		connectors.PerApp:  {Used: 5, Max: 15_000, App: "energyd", AppUsed: 247, AppMax: 250},
	} {
		o := newOrg(t)
		c := o.conn()
		f.Name = "quota"
		o.inject(f)
		for range 3 {
			o.must(c.Check(t.Context()))
		}
		err := c.Check(t.Context())
		if fault.KindOf(err) != fault.Quota || o.calls("GET", dataPath) != 3 || c.Usage().Ceiling != ceiling || c.Usage().Left != 0 {
			t.Errorf("%s: %v after %d calls: %+v", ceiling, err, o.calls("GET", dataPath), c.Usage())
		}
	}
}

func TestC56_calls_of_earlier_runs_count(t *testing.T) {
	o := newOrg(t)
	env := quiet
	env.Calls = []connectors.Calls{{Hour: time.Now().Add(-5 * time.Hour).Truncate(time.Hour), N: 2_998}}
	c := o.connWith(env, func(*Config) {})
	o.must(c.Check(t.Context()))
	o.must(c.Check(t.Context()))
	if err := c.Check(t.Context()); fault.KindOf(err) != fault.Quota || !strings.Contains(err.Error(), "made 3000 calls in 24 hours") {
		t.Errorf("%v: %+v", err, c.Usage())
	}
}

func TestC57_the_days_limit_is_not_repeated(t *testing.T) {
	o := newOrg(t)
	c := o.conn()
	// Without the header that tells the day's use: it would stop a second call by itself.
	o.inject(crmsim.Fault{Name: "status", Match: "GET ^" + dataPath, Status: 403, ContentType: "application/json",
		Body: `[{"errorCode":"REQUEST_LIMIT_EXCEEDED","message":"TotalRequests Limit exceeded."}]`})
	err := c.Check(t.Context())
	if fault.KindOf(err) != fault.Quota || o.calls("GET", dataPath) != 1 {
		t.Errorf("%v after %d calls", err, o.calls("GET", dataPath))
	}
}

// While the org complains, fewer calls run at once, and all of them come to their end.
func TestC58_too_many_at_once(t *testing.T) {
	o := newOrg(t)
	var now, most atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == tokenPath {
			o.ServeHTTP(w, r)
			return
		}
		n := now.Add(1)
		defer now.Add(-1)
		for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
		}
		o.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	c := o.connWith(quiet, func(cfg *Config) { cfg.URL = server.URL })
	together := func() {
		t.Helper()
		var wait sync.WaitGroup
		for range 20 {
			wait.Go(func() {
				if _, err := c.Describe(t.Context(), "Account"); err != nil {
					t.Error(err)
				}
			})
		}
		wait.Wait()
	}
	o.inject(crmsim.Fault{Name: "concurrent", Times: 1})
	together()
	if most.Load() > maxLanes {
		t.Errorf("%d calls at once", most.Load())
	}
	most.Store(0)
	together()
	if most.Load() > maxLanes/2 {
		t.Errorf("%d calls at once after the org complained", most.Load())
	}
}

func TestLanes_close_by_halves(t *testing.T) {
	l, now := newLanes(8), time.Unix(0, 0)
	for range 6 { // of 8 are under way
		if err := l.enter(t.Context(), ""); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		after time.Duration
		left  int
		done  bool
	}{{time.Hour, 4, true}, {time.Second, 4, false}, {time.Hour, 2, true}, {time.Hour, 1, true}, {time.Hour, 1, false}} {
		now = now.Add(tt.after)
		if left, done := l.narrow(now, time.Minute); left != tt.left || done != tt.done {
			t.Errorf("%d lanes, %v; want %+v", left, done, tt)
		}
	}
	for range 6 {
		l.leave()
	}
	if len(l.free) != 1 {
		t.Errorf("%d lanes are free", len(l.free))
	}
}

func TestC08_echoed_secrets_do_not_show(t *testing.T) {
	o := newOrg(t)
	c := o.conn()
	o.must(c.Check(t.Context()))
	for match, secret := range map[string]string{"POST ^" + tokenPath: plantedSecret, "GET ^" + dataPath: c.sessions.current.Load().token} {
		o.inject(crmsim.Fault{Name: "status", Match: match, Times: 1, Status: 400, ContentType: "application/json",
			Body: `[{"errorCode":"JSON_PARSER_ERROR","message":"cannot read ` + secret + `"}]`})
		if strings.HasPrefix(match, "POST") {
			c.sessions.current.Store(nil)
		}
		err := c.Check(t.Context())
		if err == nil || strings.Contains(err.Error(), secret) || !strings.Contains(err.Error(), "[redacted]") {
			t.Errorf("%s: %v", match, err)
		}
	}
}
