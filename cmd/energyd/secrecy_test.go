package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/jmoiron/sqlx"

	"energyd/internal/crmsim"
	"energyd/internal/demo"
	"energyd/internal/testdb"
)

// wire stands before the CRM. It learns all secrets that go by, and answers in
// the CRM's place where a test says so, quoting back whatever it was sent.
type wire struct {
	http.Handler
	mu      sync.Mutex
	secrets map[string]string // secret to what it is
	fault   func(w http.ResponseWriter, r *http.Request, sent string) bool
}

func (w *wire) learn(what, secret string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(secret) > 7 { // the simulator's own first refresh token is the word RT
		w.secrets[secret] = what
	}
}

func (w *wire) trouble(f func(w http.ResponseWriter, r *http.Request, sent string) bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.fault = f
}

const tokenPath = "/services/oauth2/token"

func (w *wire) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	sent := r.Header.Get("Authorization")
	w.learn("access_token", strings.TrimPrefix(sent, "Bearer "))
	if r.URL.Path == tokenPath {
		r.Header.Del("Accept-Encoding") // so that the answer can be read here
		form, _ := url.ParseQuery(string(body))
		for _, name := range []string{"client_secret", "refresh_token", "assertion"} {
			w.learn(name, form.Get(name))
			sent += " " + form.Get(name)
		}
		sent += " " + string(body)
	}
	w.mu.Lock()
	f := w.fault
	w.mu.Unlock()
	if f != nil && f(out, r, sent) {
		return
	}
	if r.URL.Path != tokenPath {
		w.Handler.ServeHTTP(out, r)
		return
	}
	answer := httptest.NewRecorder()
	w.Handler.ServeHTTP(answer, r)
	var granted map[string]any
	if json.Unmarshal(answer.Body.Bytes(), &granted) == nil {
		for _, name := range []string{"access_token", "refresh_token"} {
			secret, _ := granted[name].(string)
			w.learn(name, secret)
		}
	}
	maps.Copy(out.Header(), answer.Header())
	out.WriteHeader(answer.Code)
	_, _ = out.Write(answer.Body.Bytes())
}

// quoting answers requests to path with what was sent, n times.
func quoting(path string, status, n int, contentType, form string) func(http.ResponseWriter, *http.Request, string) bool {
	var mu sync.Mutex
	return func(w http.ResponseWriter, r *http.Request, sent string) bool {
		mu.Lock()
		defer mu.Unlock()
		if !strings.HasPrefix(r.URL.Path, path) || n == 0 {
			return false
		}
		n--
		quoted, _ := json.Marshal(sent)
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Location", "https://elsewhere.example/?token="+url.QueryEscape(sent))
		w.WriteHeader(status)
		fmt.Fprintf(w, form, strings.Trim(string(quoted), `"`))
		return true
	}
}

const (
	asRequest = `[{"errorCode":"%[2]s","message":"you sent %[1]s"}]`
	asSignOn  = `{"error":"invalid_grant","error_description":"you sent %s"}`
	asPage    = "<html>you sent %s</html>"
)

func code(code string) string { return strings.ReplaceAll(asRequest, "%[2]s", code) }

// TestC08_Secrecy runs the commands in success and in every trouble, with all
// logging, and looks for each secret of the connection and of the store in all
// that is printed, logged and kept.
func TestC08_Secrecy(t *testing.T) {
	const (
		api     = "/services/data/v"
		forEver = -1
		page    = "text/html"
		asJSON  = "application/json"
	)
	always := [][]string{
		{"check"}, {"check", "--json"}, {"pull"}, {"plan"}, {"plan", "--json"}, {"apply"}, {"sync", "--json"}, {"fields", "plan"},
		{"status"}, {"status", "--json"}, {"explain", "K0001"},
		{"export", "activities"}, {"export", "scores"}, {"export", "rejects"}, {"export", "runs"},
	}
	once, first := [][]string{{"check"}, {"sync"}, {"sync", "--json"}, {"fields", "plan"}, {"status"}}, [][]string{{"check"}}
	type round struct {
		name     string
		fault    func(http.ResponseWriter, *http.Request, string) bool
		commands [][]string
	}
	rounds := func() []round { // the first ones for all flows
		return []round{
			{"nothing wrong", nil, always},
			{"sign-on refused", quoting(tokenPath, 400, forEver, asJSON, asSignOn), once},
			{"app refused", quoting(tokenPath, 400, forEver, asJSON, strings.Replace(asSignOn, "invalid_grant", "invalid_client", 1)), first},
			{"session dies", quoting(api, 401, 1, asJSON, code("INVALID_SESSION_ID")), once},
			{"bad request", quoting(api, 400, forEver, asJSON, code("JSON_PARSER_ERROR")), once},
			{"sign-on a page", quoting(tokenPath, 404, forEver, page, asPage), first},
			{"sign-on moved", quoting(tokenPath, 302, forEver, page, asPage), first},
			{"sign-on no token", quoting(tokenPath, 200, forEver, asJSON, `{"quoted":"%s"}`), first},
			{"sign-on unwell", quoting(tokenPath, 503, 1, page, asPage), first},
			{"session dead", quoting(api, 401, forEver, asJSON, code("INVALID_SESSION_ID")), once},
			{"forbidden", quoting(api, 403, forEver, page, asPage), once},
			{"no calls left", quoting(api, 403, forEver, asJSON, code("REQUEST_LIMIT_EXCEEDED")), once},
			{"bad field", quoting(api+"66.0/queryAll", 400, forEver, asJSON, code("INVALID_FIELD")), once},
			{"write refused", quoting(api+"66.0/composite", 400, forEver, asJSON, code("INVALID_TYPE")), once},
			{"moved", quoting(api, 301, forEver, page, asPage), once},
			{"not found", quoting(api, 404, forEver, page, asPage), once},
			{"unwell", quoting(api, 503, 1, page, asPage), once},
			{"unwell for ever", quoting(api, 500, forEver, page, asPage), first},
			{"no JSON", quoting(api, 200, 1, page, asPage), first},
			{"cut", func(w http.ResponseWriter, r *http.Request, _ string) bool {
				if strings.HasPrefix(r.URL.Path, api) {
					panic(http.ErrAbortHandler)
				}
				return false
			}, first},
		}
	}
	if err := os.Setenv("STORE_PASSWORD", "planted-store-password"); err != nil { // t.Setenv is not for parallel tests
		t.Fatal(err)
	}
	for flow, settings := range map[string]func(dir string, w *demo.World) (options string, files map[string]string){
		"client credentials": func(string, *demo.World) (string, map[string]string) {
			return "client_secret: ${file:crm-secret}", nil
		},
		"certificate": func(_ string, w *demo.World) (string, map[string]string) {
			return "private_key: ${file:crm.key}\n    username: integration@crm.example", map[string]string{"crm.key": w.CRM().PrivateKey()}
		},
		"refresh token": func(string, *demo.World) (string, map[string]string) {
			return "refresh_token: ${file:crm.first}\n    client_secret: ${file:crm-secret}", map[string]string{"crm.first": "RT"}
		},
	} {
		t.Run(flow, func(t *testing.T) {
			t.Parallel() // they mostly wait for the pauses before something is tried again
			w, config := world(t)
			dir := filepath.Dir(config)
			proxy := &wire{Handler: w.CRM(), secrets: map[string]string{}}
			server := httptest.NewServer(proxy)
			t.Cleanup(server.Close)
			options, files := settings(dir, w)
			edit(t, config, "client_secret: ${file:crm-secret}", options)
			edit(t, config, w.URL, server.URL)
			for name, text := range files {
				write(t, filepath.Join(dir, name), text)
				for line := range strings.Lines(text) {
					if line = strings.TrimSpace(line); !strings.HasPrefix(line, "-----") {
						proxy.learn(name, line)
					}
				}
			}
			if err := w.CRM().Inject(crmsim.Fault{Name: "rotate"}); err != nil {
				t.Fatal(err)
			}
			database := ""
			if flow == "client credentials" {
				// Here the store is a database whose address holds a password.
				database = testdb.Postgres(t)
				proxy.learn("the store's password", "planted-store-password")
				edit(t, config, "store: sqlite:energyd.db", `store: "`+strings.Replace(database, "energyd@", "energyd:${env:STORE_PASSWORD}@", 1)+`"`)
			}
			proxy.learn("the mailboxes' password", "demo-mail-password")
			secretFiles := append(slices.Collect(maps.Keys(files)), "crm-secret", "crm.refresh_token", "mail-secret")

			var shown bytes.Buffer
			all := rounds()
			if flow != "certificate" {
				all = all[:5]
			}
			for _, r := range all {
				for _, args := range r.commands {
					proxy.trouble(r.fault)
					shown.Reset()
					run(t.Context(), slices.Concat(args, []string{"-vv", "--config", config}), &shown, &shown)
					proxy.seek(t, fmt.Sprintf("%s: energyd %s", r.name, strings.Join(args, " ")), shown.Bytes())
					if r.name == "sign-on refused" && args[0] == "check" && !strings.Contains(shown.String(), "[redacted]") {
						t.Errorf("the refusal did not quote anything, so nothing is proved:\n%s", shown.String())
					}
				}
			}
			proxy.trouble(nil)
			// What is left behind: the store, its log, the folder.
			err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() || slices.Contains(secretFiles, d.Name()) {
					return err
				}
				data, err := os.ReadFile(path)
				proxy.seek(t, "file "+d.Name(), data)
				return err
			})
			if err != nil {
				t.Error(err)
			}
			if database != "" {
				proxy.seek(t, "the database", rowsOf(t, database))
			}
			want := map[string]int{"client credentials": 15, "certificate": 50, "refresh token": 15}[flow]
			if len(proxy.secrets) < want {
				t.Errorf("only %d secrets were met: %v", len(proxy.secrets), slices.Sorted(maps.Values(proxy.secrets)))
			}
		})
	}
}

// seek fails for each secret that text shows, plain or as in a form or in JSON.
func (w *wire) seek(t *testing.T, where string, text []byte) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for secret, what := range w.secrets {
		quoted, _ := json.Marshal(secret)
		for _, form := range []string{secret, url.QueryEscape(secret), strings.Trim(string(quoted), `"`)} {
			if at := bytes.Index(text, []byte(form)); at >= 0 {
				t.Errorf("%s shows the %s: …%s…", where, what, text[max(0, at-80):min(len(text), at+20)])
				break
			}
		}
	}
}

// rowsOf gives all rows of a PostgreSQL database as text.
func rowsOf(t *testing.T, address string) []byte {
	t.Helper()
	db, err := sqlx.Open("postgres", address)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var tables []string
	if err := db.Select(&tables, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"); err != nil {
		t.Fatal(err)
	}
	var all bytes.Buffer
	for _, table := range tables {
		var rows []string
		if err := db.Select(&rows, fmt.Sprintf(`SELECT t::text FROM "%s" t`, table)); err != nil {
			t.Fatal(err)
		}
		all.WriteString(strings.Join(rows, "\n"))
	}
	if all.Len() < 10_000 {
		t.Errorf("the database holds only %d bytes", all.Len())
	}
	return all.Bytes()
}
