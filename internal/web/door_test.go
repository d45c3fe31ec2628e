package web

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alexedwards/argon2id"
	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/coreos/go-oidc/v3/oidc/oidctest"
	"golang.org/x/oauth2"

	"energyd/internal/daemon"
	"energyd/internal/telemetry"
	"energyd/internal/web/signon"
)

// users is a configuration's section with three of them, whose passwords are their names and " long enough".
func users(t *testing.T, file, more string) {
	t.Helper()
	section := "\ndashboard:\n" + more + "  users:\n"
	for name, role := range map[string]string{"sato": "admin", "suzuki": "manager", "tanaka": "viewer"} {
		hash, err := argon2id.CreateHash(name+" long enough", &argon2id.Params{Memory: 64, Iterations: 1, Parallelism: 1, SaltLength: 16, KeyLength: 32})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(filepath.Dir(file), "password-"+name), []byte(hash+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		section += fmt.Sprintf("    - {name: %s, role: %s, password: \"${file:password-%s}\"}\n", name, role, name)
	}
	appendTo(t, file, section)
}

func appendTo(t *testing.T, file, text string) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, append(b, text...), 0o600); err != nil {
		t.Fatal(err)
	}
}

// browser is a reader's: it keeps cookies, and follows nothing by itself.
type browser struct {
	*http.Client
	t    *testing.T
	base string
}

// browse serves a dashboard and opens a browser at it.
func browse(t *testing.T, h http.Handler) *browser {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return another(t, s.URL)
}

func another(t *testing.T, base string) *browser {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &browser{&http.Client{Jar: jar, Timeout: 20 * time.Second, Transport: transport,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, t, base}
}

// ask gives an answer's status, where it leads, and what it says.
func (b *browser) ask(r *http.Request) (status int, to, body string) {
	b.t.Helper()
	answer, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return answer.StatusCode, answer.Header.Get("Location"), string(text)
}

func (b *browser) get(address string) (status int, to, body string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.base+address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.ask(r)
}

// post sends a form as a page of the dashboard does, or with another Sec-Fetch-Site.
func (b *browser) post(address string, form url.Values, site string) (status int, to, body string) {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.base+address, strings.NewReader(form.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", site)
	return b.ask(r)
}

const sameSite = "same-origin"

func (b *browser) signOn(name, password string) (status int, to, body string) {
	b.t.Helper()
	return b.post("/sign-on", url.Values{"name": {name}, "password": {password}, "back": {"/today"}}, sameSite)
}

// cookie is the session's.
func (b *browser) cookie() string {
	u, err := url.Parse(b.base)
	if err != nil {
		b.t.Fatal(err)
	}
	for _, c := range b.Jar.Cookies(u) {
		if c.Name == "energyd" {
			return c.Value
		}
	}
	return ""
}

// TestSignOn: nobody sees a page before; a wrong name or password says the same; after it the page is shown until sign-off.
func TestSignOn(t *testing.T) {
	file := company(t)
	users(t, file, "")
	d := dashboard(t, file)
	b := browse(t, d)
	for _, p := range pages {
		if status, to, body := b.get(strings.ReplaceAll(p.path, "{", "")); status != http.StatusSeeOther && status != http.StatusNotFound || to != "" && !strings.HasPrefix(to, "/sign-on?back=") {
			t.Errorf("%s without sign-on: %d %s\n%s", p.path, status, to, body)
		}
	}
	if status, _, body := b.get(api + "/today"); status != http.StatusUnauthorized || strings.Contains(body, "alarms") {
		t.Errorf("JSON without sign-on: %d %s", status, body)
	}
	if status, _, body := b.get("/sign-on?back=/today"); status != http.StatusOK || !strings.Contains(body, `type="password"`) || strings.Contains(body, "openid") {
		t.Errorf("the door: %d\n%s", status, body)
	} else {
		wellFormed(t, body, "ja")
	}
	var said []string
	for name, password := range map[string]string{"sato": "wrong wrong wrong", "nobody": "sato long enough", "": ""} {
		status, _, body := b.signOn(name, password)
		if status != http.StatusForbidden {
			t.Errorf("%q came in: %d", name, status)
		}
		said = append(said, strings.ReplaceAll(body, `value="`+name+`"`, ""))
	}
	if said[0] != said[1] || said[1] != said[2] {
		t.Error("what is said tells which names there are")
	}
	before := b.cookie()
	if status, to, body := b.signOn("ｓａｔｏ", "sato long enough"); status != http.StatusSeeOther || to != "/today" {
		t.Fatalf("sign-on: %d %s\n%s", status, to, body)
	}
	session := b.cookie()
	if session == "" || session == before {
		t.Error("the session has the token that it had before the sign-on: whoever planted it is in")
	}
	if status, _, body := b.get("/today"); status != http.StatusOK || !strings.Contains(body, ">sato<") {
		t.Errorf("after the sign-on: %d\n%s", status, body)
	}
	if status, to, _ := b.post("/sign-off", nil, sameSite); status != http.StatusSeeOther || to != "/sign-on" {
		t.Errorf("sign-off: %d %s", status, to)
	}
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.base+"/today", nil)
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(&http.Cookie{Name: "energyd", Value: session})
	if status, _, _ := another(t, b.base).ask(r); status != http.StatusSeeOther {
		t.Errorf("the session goes on after the sign-off: %d", status)
	}
}

// TestSignOn_besideFold: who signs on, and off, does not wait until a fold of the SQLite store has ended.
func TestSignOn_besideFold(t *testing.T) {
	file := company(t)
	users(t, file, "")
	b := browse(t, dashboard(t, file))
	db := database(t, file)
	if _, err := db.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	if status, _, body := b.signOn("sato", "sato long enough"); status != http.StatusSeeOther {
		t.Fatalf("%d\n%s", status, body)
	}
	if status, _, body := b.get("/today"); status != http.StatusOK {
		t.Errorf("%d\n%s", status, body)
	}
	if status, to, body := b.post("/sign-off", nil, sameSite); status != http.StatusSeeOther || to != "/sign-on" {
		t.Errorf("%d %s\n%s", status, to, body)
	}
}

// TestSignOn_guesses: who goes on guessing waits, even with the right password at last.
func TestSignOn_guesses(t *testing.T) {
	file := company(t)
	users(t, file, "")
	b := browse(t, dashboard(t, file))
	for range 5 {
		if status, _, _ := b.signOn("sato", "guess guess guess"); status != http.StatusForbidden {
			t.Fatal(status)
		}
	}
	for range 8 {
		b.signOn("sato", "guess guess guess")
	}
	if status, _, body := b.signOn("sato", "sato long enough"); status != http.StatusTooManyRequests || !strings.Contains(body, "秒") {
		t.Errorf("%d\n%s", status, body)
	}
	if status, _, _ := b.signOn("suzuki", "suzuki long enough"); status != http.StatusSeeOther {
		t.Errorf("somebody else: %d", status)
	}
}

// TestSession: it outlives the daemon, and ends with the user's place in the configuration.
func TestSession(t *testing.T) {
	file := company(t)
	users(t, file, "")
	d := dashboard(t, file)
	b := browse(t, d)
	if status, _, _ := b.signOn("sato", "sato long enough"); status != http.StatusSeeOther {
		t.Fatal(status)
	}
	if err := d.Use(open(t, file)); err != nil { // as after a restart, or SIGHUP
		t.Fatal(err)
	}
	if status, _, _ := b.get("/today"); status != http.StatusOK {
		t.Errorf("after a restart: %d", status)
	}
	change := func(file, from, to string) {
		t.Helper()
		text, err := os.ReadFile(file)
		if err == nil {
			err = os.WriteFile(file, []byte(strings.ReplaceAll(string(text), from, to)), 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	use := func() {
		t.Helper()
		if err := d.Use(open(t, file)); err != nil {
			t.Fatal(err)
		}
	}
	change(file, "{name: sato, role: admin", "{name: sato, role: viewer")
	use()
	if status, _, _ := b.get("/journal"); status != http.StatusForbidden {
		t.Errorf("who is no admin any more reads the journal: %d", status)
	}
	if status, _, _ := b.post("/runs/start", url.Values{"asked": {"0"}}, sameSite); status != http.StatusForbidden {
		t.Errorf("who is no admin any more acts: %d", status)
	}
	beside := another(t, b.base)
	if status, _, _ := beside.signOn("suzuki", "suzuki long enough"); status != http.StatusSeeOther {
		t.Fatal(status)
	}
	hash, err := os.ReadFile(filepath.Join(filepath.Dir(file), "password-tanaka"))
	if err == nil {
		err = os.WriteFile(filepath.Join(filepath.Dir(file), "password-suzuki"), hash, 0o600) // as by energyd password
	}
	if err != nil {
		t.Fatal(err)
	}
	change(file, "{name: sato,", "{name: kato,")
	use()
	if status, _, _ := b.get("/today"); status != http.StatusSeeOther {
		t.Errorf("who is no longer a user looks on: %d", status)
	}
	if status, _, _ := beside.get("/today"); status != http.StatusSeeOther {
		t.Errorf("whose password is another now looks on: %d", status)
	}
}

// TestSession_fixed: a token that somebody planted in a reader's browser is worth nothing after the sign-on, nor before.
func TestSession_fixed(t *testing.T) {
	file := company(t)
	users(t, file, "")
	b := browse(t, dashboard(t, file))
	u, err := url.Parse(b.base)
	if err != nil {
		t.Fatal(err)
	}
	const planted = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	b.Jar.SetCookies(u, []*http.Cookie{{Name: "energyd", Value: planted}})
	if status, _, _ := b.signOn("sato", "sato long enough"); status != http.StatusSeeOther {
		t.Fatal(status)
	}
	if b.cookie() == planted {
		t.Error("the planted token is kept")
	}
	thief := another(t, b.base)
	thief.Jar.SetCookies(u, []*http.Cookie{{Name: "energyd", Value: planted}})
	if status, _, _ := thief.get("/today"); status != http.StatusSeeOther {
		t.Errorf("who planted it is in: %d", status)
	}
}

// TestRoles: each page and each button asks for its role, and nobody who has not signed on does anything.
func TestRoles(t *testing.T) {
	file := company(t)
	users(t, file, "")
	base := browse(t, dashboard(t, file)).base
	for name, role := range map[string]signon.Role{"": signon.Nobody, "tanaka": signon.Viewer, "suzuki": signon.Manager, "sato": signon.Admin} {
		b := another(t, base)
		if name != "" {
			if status, _, _ := b.signOn(name, name+" long enough"); status != http.StatusSeeOther {
				t.Fatal(status)
			}
		}
		for _, p := range pages {
			if strings.Contains(p.path, "{") {
				continue
			}
			want := http.StatusOK
			switch {
			case role == signon.Nobody:
				want = http.StatusSeeOther
			case role < p.role:
				want = http.StatusForbidden
			}
			if status, _, _ := b.get(p.path); status != want && (want != http.StatusOK || status != http.StatusUnprocessableEntity) { // which a form says that was not told about what
				t.Errorf("%s for a %s: %d, not %d", p.path, role, status, want)
			}
			if want == http.StatusSeeOther {
				want = http.StatusUnauthorized
			}
			if status, _, _ := b.get(api + p.path); status != want && (want != http.StatusOK || status != http.StatusUnprocessableEntity) {
				t.Errorf("%s as JSON for a %s: %d, not %d", p.path, role, status, want)
			}
			if status, _, _ := b.get(p.path + "?format=csv"); role < p.role && status == http.StatusOK {
				t.Errorf("%s as a file for a %s: %d", p.path, role, status)
			}
		}
		for _, a := range actions {
			status, to, _ := b.post(strings.NewReplacer("{", "", "}", "").Replace(a.path), nil, sameSite)
			if role == signon.Nobody && (status != http.StatusSeeOther || !strings.HasPrefix(to, "/sign-on")) {
				t.Errorf("%s without sign-on: %d %s", a.path, status, to)
			}
			if role != signon.Nobody && role < a.role && status != http.StatusForbidden {
				t.Errorf("%s for a %s: %d", a.path, role, status)
			}
		}
	}
}

// TestOtherSites: what a page of another site posts is refused, whatever it posts to (CSRF).
func TestOtherSites(t *testing.T) {
	file := company(t)
	users(t, file, "")
	b := browse(t, dashboard(t, file))
	if status, _, _ := b.signOn("sato", "sato long enough"); status != http.StatusSeeOther {
		t.Fatal(status)
	}
	to := []string{"/sign-off", "/sign-on", "/preferences"}
	for _, a := range actions {
		to = append(to, strings.NewReplacer("{", "", "}", "").Replace(a.path))
	}
	for _, address := range to {
		for _, site := range []string{"cross-site", "same-site"} {
			if status, _, _ := b.post(address, url.Values{"language": {"en"}}, site); status != http.StatusForbidden {
				t.Errorf("%s from a %s page: %d", address, site, status)
			}
		}
	}
	if status, _, _ := b.get("/today"); status != http.StatusOK {
		t.Errorf("a page of another site has signed the reader off: %d", status)
	}
}

// TestWithoutUsers: the dashboard is this machine's alone, by its own name, and nobody acts.
func TestWithoutUsers(t *testing.T) {
	file := company(t)
	local := dashboard(t, file)
	public := New(slog.New(slog.DiscardHandler), telemetry.HTTP{Listen: "0.0.0.0:9765", BehindProxy: true}, daemon.NewDesk())
	if err := public.Use(open(t, file)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := public.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, c := range []struct {
		d    *Dashboard
		host string
		want int
	}{
		{local, "127.0.0.1:9765", http.StatusOK}, {local, "localhost:9765", http.StatusOK}, {local, "[::1]:9765", http.StatusOK},
		{local, "evil.example", http.StatusForbidden}, {local, "127.0.0.1.evil.example:9765", http.StatusForbidden},
		{public, "127.0.0.1:9765", http.StatusForbidden}, {public, "energyd.example.co.jp", http.StatusForbidden},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/today", nil)
		r.Host = c.host
		w := httptest.NewRecorder()
		c.d.ServeHTTP(w, r)
		if w.Code != c.want {
			t.Errorf("%s: %d, not %d", c.host, w.Code, c.want)
		}
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:9765/today", nil)
	r.Header.Set("X-Forwarded-For", "192.0.2.1")
	w := httptest.NewRecorder()
	if local.ServeHTTP(w, r); w.Code != http.StatusForbidden {
		t.Errorf("through a proxy on this machine: %d", w.Code)
	}
	r = httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:9765/today", nil)
	r.Proto, r.ProtoMinor = "HTTP/1.0", 0
	w = httptest.NewRecorder()
	if local.ServeHTTP(w, r); w.Code != http.StatusForbidden {
		t.Errorf("through a proxy that says nothing of itself: %d", w.Code)
	}
	b := browse(t, local)
	for _, a := range actions {
		if status, _, _ := b.post(strings.NewReplacer("{", "", "}", "").Replace(a.path), nil, sameSite); status != http.StatusForbidden {
			t.Errorf("%s by nobody: %d", a.path, status)
		}
	}
	if status, _, _ := b.get("/sign-on"); status != http.StatusNotFound {
		t.Errorf("a door that leads nowhere: %d", status)
	}
}

// TestFrom: guesses are counted by the reader's address: what our proxy saw, and nothing that readers say of themselves.
func TestFrom(t *testing.T) {
	for _, c := range []struct {
		behind bool
		told   []string
		want   string
	}{
		{false, nil, "192.0.2.1"}, {false, []string{"198.51.100.1"}, "192.0.2.1"},
		{true, nil, "192.0.2.1"}, {true, []string{"198.51.100.1"}, "198.51.100.1"},
		{true, []string{"203.0.113.9, 198.51.100.1"}, "198.51.100.1"}, {true, []string{"203.0.113.9", "198.51.100.1"}, "198.51.100.1"},
		{true, []string{"unknown\nhost"}, "192.0.2.1"},
	} {
		d := &Dashboard{served: telemetry.HTTP{BehindProxy: c.behind}}
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/sign-on", nil) // from 192.0.2.1
		r.Header["X-Forwarded-For"] = c.told
		if got := d.from(r); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

// TestByTLS: the session's cookie is kept to https wherever readers come by it, also by a proxy of which only that is known.
func TestByTLS(t *testing.T) {
	for _, c := range []struct {
		served  telemetry.HTTP
		address string
		want    bool
	}{
		{telemetry.HTTP{}, "", false}, {telemetry.HTTP{Certificate: "c.pem"}, "", true}, {telemetry.HTTP{Certificate: "c.pem"}, "http://e.example", true},
		{telemetry.HTTP{BehindProxy: true}, "", true}, {telemetry.HTTP{BehindProxy: true}, "https://e.example", true}, {telemetry.HTTP{BehindProxy: true}, "http://e.example", false},
	} {
		if byTLS(c.served, c.address) != c.want {
			t.Errorf("%+v", c)
		}
	}
}

// TestCookie: scripts do not see the session's, other sites do not send it, and https keeps it to itself.
func TestCookie(t *testing.T) {
	file := company(t)
	users(t, file, "  url: https://energyd.example.co.jp\n")
	d := dashboard(t, file)
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/sign-on", strings.NewReader("name=sato&password=sato+long+enough"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", "https://energyd.example.co.jp") // the proxy in front calls us by another name
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	cookies := w.Result().Cookies()
	if w.Code != http.StatusSeeOther || len(cookies) != 1 {
		t.Fatalf("%d %v\n%s", w.Code, cookies, w.Body)
	}
	if c := cookies[0]; !c.HttpOnly || !c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || !strings.HasPrefix(c.Name, "__Host-") {
		t.Errorf("%+v", c)
	}
}

// provider is a sign-on service: discovery and keys are go-oidc's, authorization and token endpoint hold energyd to RFC 6749 and 7636.
type provider struct {
	*httptest.Server
	claims map[string]any // of who signs on next

	challenge, asked, redirect string
}

func startProvider(t *testing.T) *provider {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &provider{}
	described := &oidctest.Server{PublicKeys: []oidctest.PublicKey{{PublicKey: key.Public(), KeyID: "k", Algorithm: oidc.RS256}}}
	mux := http.NewServeMux()
	mux.Handle("/", described)
	mux.HandleFunc("GET /auth", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		p.challenge, p.asked, p.redirect = q.Get("code_challenge"), q.Get("nonce"), q.Get("redirect_uri")
		if q.Get("client_id") != "energyd" || q.Get("response_type") != "code" || q.Get("code_challenge_method") != "S256" || !strings.Contains(q.Get("scope"), "openid") {
			http.Error(w, "bad request", http.StatusBadRequest)
			return
		}
		http.Redirect(w, r, p.redirect+"?"+url.Values{"code": {"the-code"}, "state": {q.Get("state")}}.Encode(), http.StatusFound)
	})
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		id, secret, _ := r.BasicAuth()
		if id != "energyd" || secret != "openid-secret-of-ours" || r.FormValue("code") != "the-code" || r.FormValue("redirect_uri") != p.redirect ||
			oauth2.S256ChallengeFromVerifier(r.FormValue("code_verifier")) != p.challenge {
			http.Error(w, `{"error":"invalid_grant"}`, http.StatusBadRequest)
			return
		}
		claims := map[string]any{"iss": p.URL, "aud": "energyd", "sub": "1", "exp": time.Now().Add(time.Hour).Unix(), "nonce": p.asked}
		for k, v := range p.claims {
			claims[k] = v
		}
		text, err := json.Marshal(claims)
		if err != nil {
			t.Error(err)
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"access_token":"a","token_type":"Bearer","id_token":%q}`, oidctest.SignIDToken(key, "k", oidc.RS256, string(text)))
	})
	p.Server = httptest.NewServer(mux)
	t.Cleanup(p.Close)
	described.SetIssuer(p.URL)
	return p
}

// TestOpenID: the company's sign-on lets in whom the configuration names, as what it says they are, and nobody by a forged answer.
func TestOpenID(t *testing.T) {
	p := startProvider(t)
	file := company(t)
	secretFile := filepath.Join(filepath.Dir(file), "openid-secret")
	if err := os.WriteFile(secretFile, []byte("openid-secret-of-ours"), 0o600); err != nil {
		t.Fatal(err)
	}
	appendTo(t, file, fmt.Sprintf("\ndashboard:\n  url: http://127.0.0.1:9765\n  openid: {issuer: %q, client_id: energyd, client_secret: \"${file:%s}\"}\n  users:\n    - {name: Yamada@example.co.jp, role: manager}\n", p.URL, secretFile))
	d := dashboard(t, file)
	base := browse(t, d).base
	// through goes to the service and back, and gives what is answered to what it sent.
	through := func(b *browser, change func(url.Values)) (int, string, string) {
		t.Helper()
		status, to, body := b.get("/sign-on/openid?back=%2Ftoday%3Fx%3D1")
		if status != http.StatusSeeOther {
			t.Fatalf("%d\n%s", status, body)
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, to, nil)
		if err != nil {
			t.Fatal(err)
		}
		_, back, _ := another(t, p.URL).ask(r)
		u, err := url.Parse(back)
		if err != nil || u.Path != "/sign-on/callback" || u.Host != "127.0.0.1:9765" {
			t.Fatalf("the service sends readers to %q", back)
		}
		q := u.Query()
		change(q)
		return b.get(u.Path + "?" + q.Encode())
	}
	asIs := func(url.Values) {}
	for name, c := range map[string]struct {
		claims map[string]any
		change func(url.Values)
		in     bool
	}{
		"named":              {map[string]any{"email": "yamada@example.co.jp", "email_verified": true}, asIs, true},
		"unverified address": {map[string]any{"email": "yamada@example.co.jp", "email_verified": false}, asIs, false},
		"somebody else":      {map[string]any{"email": "other@example.co.jp"}, asIs, false},
		"no name":            {map[string]any{}, asIs, false},
		"for another client": {map[string]any{"email": "yamada@example.co.jp", "aud": "another"}, asIs, false},
		"out of date":        {map[string]any{"email": "yamada@example.co.jp", "exp": time.Now().Add(-time.Hour).Unix()}, asIs, false},
		"another's nonce":    {map[string]any{"email": "yamada@example.co.jp", "nonce": "another"}, asIs, false},
		"another's state":    {map[string]any{"email": "yamada@example.co.jp"}, func(q url.Values) { q.Set("state", "another") }, false},
		"another's code":     {map[string]any{"email": "yamada@example.co.jp"}, func(q url.Values) { q.Set("code", "another") }, false},
		"refused":            {map[string]any{"email": "yamada@example.co.jp"}, func(q url.Values) { q.Set("error", "access_denied") }, false},
	} {
		t.Run(name, func(t *testing.T) {
			p.claims = c.claims
			b := another(t, base)
			status, to, body := through(b, c.change)
			if c.in {
				if status != http.StatusSeeOther || to != "/today?x=1" {
					t.Fatalf("%d %s\n%s", status, to, body)
				}
				if status, _, body := b.get("/today"); status != http.StatusOK || !strings.Contains(body, ">Yamada@example.co.jp<") {
					t.Errorf("%d\n%s", status, body)
				}
				return
			}
			if status != http.StatusForbidden {
				t.Errorf("%d %s\n%s", status, to, body)
			}
			if status, _, _ := b.get("/today"); status != http.StatusSeeOther {
				t.Errorf("came in all the same: %d", status)
			}
		})
	}
	t.Run("begun and left", func(t *testing.T) { // which anybody can do, as often as they like
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/sign-on/openid", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := another(t, base).Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		if c := answer.Cookies(); len(c) != 1 || c[0].MaxAge > 16*60 {
			t.Errorf("it is kept for long: %v", c)
		}
	})
	t.Run("an answer that nobody asked for", func(t *testing.T) {
		if status, _, _ := another(t, base).get("/sign-on/callback?code=the-code&state="); status != http.StatusForbidden {
			t.Errorf("%d", status)
		}
	})
	t.Run("the same answer again", func(t *testing.T) {
		p.claims = map[string]any{"email": "yamada@example.co.jp"}
		b := another(t, base)
		var sent string
		through(b, func(q url.Values) { sent = q.Encode() })
		if status, _, _ := b.get("/sign-on/callback?" + sent); status != http.StatusForbidden {
			t.Errorf("%d", status)
		}
	})
}
