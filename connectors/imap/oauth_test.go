package imap

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"energyd/internal/fault"
	"energyd/internal/secret"
)

// rotating is a token service at which each refresh token is good for one time.
type rotating struct {
	*httptest.Server
	mu      sync.Mutex
	good    string // the refresh token that is taken
	issued  int
	refused []string
}

func newRotating(t *testing.T) *rotating {
	k := &rotating{good: "first-r3fresh"}
	k.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		k.mu.Lock()
		defer k.mu.Unlock()
		if got := r.FormValue("refresh_token"); got != k.good {
			k.refused = append(k.refused, got)
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":"invalid_grant"}`)
			return
		}
		k.issued++
		k.good = fmt.Sprintf("r3fresh-%d", k.issued)
		fmt.Fprintf(w, `{"access_token":"t0ken-%d","expires_in":3600,"refresh_token":%q}`, k.issued, k.good)
	}))
	t.Cleanup(k.Close)
	return k
}

// process is a connection as a new process opens it.
func (k *rotating) process(t *testing.T, dir, configured string) (*conn, *lines) {
	cfg := newConfig()
	cfg.Host, cfg.InternalDomains, cfg.Auth = "mail.example.com", []string{"our.example"}, authOAuth2
	cfg.OAuth = OAuth{TokenURL: k.URL, ClientID: "energyd"}
	cfg.Mailboxes = []Mailbox{{User: "../rep1@our.example", RefreshToken: secret.New("${env:T}", configured)}}
	r := newReader(t, cfg)
	c := r.conn.(*conn)
	c.env.Dir = dir
	return c, r.log
}

func TestARotatedRefreshTokenSurvivesARestart(t *testing.T) {
	k, dir := newRotating(t), t.TempDir()
	for n := 1; n <= 3; n++ { // three processes with the same configuration
		c, log := k.process(t, dir, "first-r3fresh")
		token, err := c.token(t.Context(), c.boxes[0], "")
		if err != nil || token != fmt.Sprintf("t0ken-%d", n) {
			t.Fatalf("process %d: %v", n, err)
		}
		if token, err = c.token(t.Context(), c.boxes[0], ""); err != nil || token != fmt.Sprintf("t0ken-%d", n) {
			t.Errorf("process %d asks for a token that it has: %v", n, err)
		}
		if strings.Contains(log.String(), "r3fresh") || strings.Contains(log.String(), "t0ken") {
			t.Errorf("a token shows: %s", log)
		}
	}
	if len(k.refused) != 0 {
		t.Errorf("used-up tokens were sent: %d", len(k.refused))
	}
	files, err := os.ReadDir(filepath.Join(dir, "mail.tokens"))
	if err != nil || len(files) != 1 {
		t.Fatalf("%v, %v", files, err)
	}
	info, err := files[0].Info()
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("the file has mode %v", info.Mode())
	}
	if outside, err := os.ReadDir(dir); err != nil || len(outside) != 1 {
		t.Errorf("a user's name leads out of the folder: %v", outside)
	}

	// An admin signs on anew and changes the configuration.
	k.mu.Lock()
	k.good = "second-r3fresh"
	k.mu.Unlock()
	c, _ := k.process(t, dir, "second-r3fresh")
	if _, err := c.token(t.Context(), c.boxes[0], ""); err != nil {
		t.Errorf("the new token of the configuration is not used: %v", err)
	}
	// And when nothing is any good: one try with each, and what to do.
	k.mu.Lock()
	k.good, k.refused = "nobody has it", nil
	k.mu.Unlock()
	c, _ = k.process(t, dir, "second-r3fresh")
	_, err = c.token(t.Context(), c.boxes[0], "")
	if fault.KindOf(err) != fault.Auth || !strings.Contains(fault.HintOf(err), "delete "+dir) || len(k.refused) != 2 {
		t.Errorf("%v after %d tries", err, len(k.refused))
	}
}

func TestARefreshTokenThatCannotBeKeptIsToldOf(t *testing.T) {
	k, dir := newRotating(t), t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mail.tokens"), nil, 0o600); err != nil { // no folder can be made
		t.Fatal(err)
	}
	c, log := k.process(t, dir, "first-r3fresh")
	for n := 1; n <= 2; n++ {
		if _, err := c.token(t.Context(), c.boxes[0], fmt.Sprintf("t0ken-%d", n-1)); err != nil {
			t.Fatal(err)
		}
	}
	if !strings.Contains(log.String(), "token_dir") || strings.Contains(log.String(), "r3fresh") {
		t.Errorf("the log says %s", log)
	}
}
