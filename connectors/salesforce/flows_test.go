package salesforce

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/internal/crmsim"
	"energyd/internal/fault"
	"energyd/internal/secret"
)

// connWith opens a quick connection to the org whose configuration is changed.
func (o *org) connWith(env connectors.Env, change func(*Config)) *Conn {
	o.t.Helper()
	cfg := config(strings.TrimPrefix(o.url, "http://"))
	change(cfg)
	o.must(cfg.Validate())
	c := newConn(*cfg, env, time.Millisecond)
	o.t.Cleanup(func() { o.must(c.Close()) })
	return c
}

// withKey signs on by the key that the org's app knows.
func (o *org) withKey(cfg *Config) {
	byKey(cfg)
	cfg.PrivateKey = given(o.PrivateKey())
}

func TestC01_signs_on_by_certificate(t *testing.T) {
	o := newOrg(t)
	var form url.Values
	spy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == tokenPath {
			body, _ := io.ReadAll(r.Body)
			form, _ = url.ParseQuery(string(body))
			r.Body = io.NopCloser(strings.NewReader(string(body)))
		}
		o.ServeHTTP(w, r)
	}))
	t.Cleanup(spy.Close)
	for _, audience := range []string{"", "https://test.salesforce.com", "https://login.salesforce.com"} {
		before := time.Now().Unix()
		c := o.connWith(quiet, func(cfg *Config) { o.withKey(cfg); cfg.Audience, cfg.URL = audience, spy.URL })
		if err := c.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		if len(form) != 2 || form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
			t.Errorf("the form holds %v", form)
		}
		payload, err := base64.RawURLEncoding.DecodeString(strings.Split(form.Get("assertion"), ".")[1])
		o.must(err)
		var claims struct {
			Iss, Sub, Aud string
			Exp           json.Number
		}
		o.must(json.Unmarshal(payload, &claims))
		exp, err := claims.Exp.Int64()
		if err != nil || exp < before+100 || exp > time.Now().Unix()+180 {
			t.Errorf("exp is %s: %v", claims.Exp, err)
		}
		want := audience
		if want == "" {
			want = "https://login.salesforce.com"
		}
		if claims.Iss != "CID" || claims.Sub != "integration@crm.example" || claims.Aud != want {
			t.Errorf("claims %+v", claims)
		}
	}
}

func TestC01_a_slow_clock_of_ours_is_put_right(t *testing.T) {
	o := newOrg(t)
	o.advance(time.Hour) // of the org's clock: ours is an hour slow
	c := o.connWith(quiet, o.withKey)
	if err := c.Check(t.Context()); err != nil || o.calls("POST", tokenPath) != 2 {
		t.Errorf("%v after %d sign-ons", err, o.calls("POST", tokenPath))
	}
}

func TestC07_what_each_flow_says_when_it_is_refused(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*org, *Config)
		hint   string
	}{
		"unknown key":       {func(_ *org, c *Config) { byKey(c) }, "holds the certificate of private_key"},
		"unknown user":      {func(o *org, c *Config) { o.withKey(c); c.Username = "nobody@crm.example" }, "admit the user nobody@crm.example"},
		"wrong audience":    {func(o *org, c *Config) { o.withKey(c); c.Audience = "https://elsewhere.example" }, "https://elsewhere.example"},
		"unknown app":       {func(o *org, c *Config) { o.withKey(c); c.ClientID = "nobody" }, "consumer key"},
		"wrong secret":      {func(_ *org, c *Config) { c.ClientSecret = given("wrong") }, "consumer key and secret"},
		"dead token":        {func(_ *org, c *Config) { c.RefreshToken = given("dead") }, "authorise energyd again"},
		"refresh, no app":   {func(_ *org, c *Config) { c.RefreshToken = given("RT"); c.ClientID = "nobody" }, "consumer key"},
		"refresh, no match": {func(_ *org, c *Config) { c.RefreshToken = given("RT"); c.ClientSecret = given("wrong") }, "consumer key"},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOrg(t)
			c := o.connWith(connectors.Env{Log: quiet.Log, Name: "crm", Dir: t.TempDir()}, func(cfg *Config) { tt.change(o, cfg) })
			err := c.Check(t.Context())
			if fault.KindOf(err) != fault.Auth || !strings.Contains(fault.HintOf(err), tt.hint) || o.calls("POST", tokenPath) != 1 {
				t.Errorf("%v; hint %q; %d sign-ons", err, fault.HintOf(err), o.calls("POST", tokenPath))
			}
		})
	}
}

// rotating signs on by refresh token.
func rotating(cfg *Config) { cfg.RefreshToken, cfg.ClientSecret = given("RT"), secret.Secret{} }

func TestC06_refresh_tokens(t *testing.T) {
	o := newOrg(t)
	dir := t.TempDir()
	env := connectors.Env{Log: quiet.Log, Name: "crm", Dir: dir}
	file := filepath.Join(dir, "crm.refresh_token")
	held := func() string {
		t.Helper()
		data, err := os.ReadFile(file)
		if errors.Is(err, fs.ErrNotExist) {
			return ""
		}
		o.must(err)
		info, err := os.Stat(file)
		o.must(err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("others may read the token: %v", info.Mode())
		}
		return string(data)
	}
	// Without rotation the configured token stays.
	for range 2 {
		o.must(o.connWith(env, rotating).Check(t.Context()))
		if held() != "" {
			t.Errorf("kept %q", held())
		}
	}
	// With rotation each sign-on needs the last one.
	o.inject(crmsim.Fault{Name: "rotate"})
	last := ""
	for range 3 {
		c := o.connWith(env, rotating)
		o.must(c.Check(t.Context()))
		o.inject(crmsim.Fault{Name: "expire"})
		o.must(c.Check(t.Context())) // renewed by the token that came last
		if now := held(); now == "" || now == last || strings.TrimSpace(now) != now {
			t.Errorf("kept %q after %q", now, last)
		}
		last = held()
	}
	// An admin who authorises anew writes the new token into the configuration.
	o.must(os.WriteFile(file, []byte("a longer one, dead for some reason or other"), 0o644))
	err := o.connWith(env, rotating).Check(t.Context())
	if fault.KindOf(err) != fault.Auth || !strings.Contains(fault.HintOf(err), "crm.refresh_token") {
		t.Errorf("both are dead: %v; hint %q", err, fault.HintOf(err))
	}
	o.must(o.connWith(env, func(c *Config) { c.RefreshToken, c.ClientSecret = given(last), secret.Secret{} }).Check(t.Context()))
	if now := held(); now == last || strings.Contains(now, "dead") {
		t.Errorf("kept %q", now)
	}
}

// A token whose successor could not be kept is not spent.
func TestC06_no_place_for_the_next_token(t *testing.T) {
	o := newOrg(t)
	c := o.connWith(quiet, func(cfg *Config) {
		rotating(cfg)
		cfg.TokenFile = filepath.Join(t.TempDir(), "nowhere", "token")
	})
	err := c.Check(t.Context())
	if fault.KindOf(err) != fault.Config || !strings.Contains(err.Error(), "nowhere") || o.calls("POST", tokenPath) != 0 {
		t.Errorf("%v after %d sign-ons", err, o.calls("POST", tokenPath))
	}
	big := filepath.Join(t.TempDir(), "big")
	o.must(os.WriteFile(big, make([]byte, 1<<20), 0o600))
	c = o.connWith(quiet, func(cfg *Config) { rotating(cfg); cfg.TokenFile = big })
	if err := c.Check(t.Context()); fault.KindOf(err) != fault.Config || o.calls("POST", tokenPath) != 0 {
		t.Errorf("%v after %d sign-ons", err, o.calls("POST", tokenPath))
	}
}

// What reads the file while it is written sees the token before or the next one, never a part: by a kill it would stay so.
func TestC06_tokens_are_kept_whole(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "crm.refresh_token")
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(path, []byte("a-long-token"), 0o600))
	before, err := os.Open(path)
	must(err)
	defer before.Close()
	held := func(want string) {
		t.Helper()
		if data, err := os.ReadFile(path); err != nil || string(data) != want {
			t.Errorf("it holds %q, %v; want %q", data, err, want)
		}
		if files, err := os.ReadDir(dir); err != nil || len(files) != 1 {
			t.Errorf("left behind: %v, %v", files, err)
		}
	}

	f, err := openTokens(path, secret.Seal{})
	must(err)
	must(f.write("short"))
	f.close()
	held("short")
	if data, err := io.ReadAll(before); err != nil || string(data) != "a-long-token" {
		t.Errorf("who was reading got %q, %v", data, err)
	}

	// A file that cannot be replaced is written over: the token before is void by now.
	f, err = openTokens(path, secret.Seal{})
	must(err)
	must(os.Remove(f.next.Name()))
	must(f.write("last"))
	f.close()
	held("last")
}

// TestC06_kill kills a process with SIGKILL in the moment in which it first uses
// the new access token; the next one signs on by what the first has kept.
func TestC06_kill(t *testing.T) {
	if address := os.Getenv("SALESFORCE_TEST_ORG"); address != "" { // the process
		cfg := config(address)
		rotating(cfg)
		c := newConn(*cfg, connectors.Env{Log: quiet.Log, Name: "crm", Dir: os.Getenv("SALESFORCE_TEST_DIR")}, time.Millisecond)
		fmt.Println(c.Check(t.Context()))
		return
	}
	o := newOrg(t)
	o.inject(crmsim.Fault{Name: "rotate"})
	var deadly atomic.Bool
	victims := make(chan *os.Process, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if deadly.Load() && r.URL.Path != tokenPath {
			_ = (<-victims).Kill()
			panic(http.ErrAbortHandler)
		}
		o.ServeHTTP(w, r)
	}))
	defer server.Close()
	dir := t.TempDir()
	process := func() *exec.Cmd {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestC06_kill$")
		cmd.Env = append(os.Environ(), "SALESFORCE_TEST_ORG="+strings.TrimPrefix(server.URL, "http://"), "SALESFORCE_TEST_DIR="+dir)
		return cmd
	}
	deadly.Store(true)
	for range 3 {
		cmd := process()
		o.must(cmd.Start())
		victims <- cmd.Process
		_ = cmd.Wait()
		if !cmd.ProcessState.Sys().(syscall.WaitStatus).Signaled() {
			t.Fatal("the process ended by itself")
		}
	}
	deadly.Store(false)
	out, err := process().CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "<nil>") {
		t.Errorf("after three kills: %v\n%s", err, out)
	}
	if n := o.calls("POST", tokenPath); n != 4 {
		t.Errorf("%d sign-ons; want one of each process", n)
	}
}
