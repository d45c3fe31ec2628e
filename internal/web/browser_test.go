package web

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// TestBrowser opens every page in a real Chromium, in Japanese and light, in English and dark: no findings of axe, nothing that its
// policy refuses, no request elsewhere, no error of a script. Screenshots are kept in the folder screenshots.
func TestBrowser(t *testing.T) {
	file := company(t)
	addressed := dashboard(t, file)
	list := addresses(t, addressed)
	users(t, file, "")
	b := browse(t, dashboard(t, file))
	type cookie struct {
		Name  string `json:"name"`
		Value string `json:"value"`
	}
	type look struct {
		Name    string   `json:"name"`
		URL     string   `json:"url"`
		Locale  string   `json:"locale"`
		Colours string   `json:"colours"`
		Cookies []cookie `json:"cookies"`
	}
	looks := []look{{"sign-on-ja", b.base + "/sign-on", "ja-JP", "light", []cookie{}}, {"sign-on-en", b.base + "/sign-on", "en-GB", "dark", []cookie{}}}
	if status, _, _ := b.signOn("sato", "sato long enough"); status != http.StatusSeeOther {
		t.Fatal(status)
	}
	session := []cookie{{"energyd", b.cookie()}}
	for name, address := range list {
		looks = append(looks, look{name + "-ja", b.base + address, "ja-JP", "light", session}, look{name + "-en", b.base + address, "en-GB", "dark", session})
	}
	in, err := json.Marshal(looks)
	if err != nil {
		t.Fatal(err)
	}
	out := chromium(t, "look.mjs", in)
	seen := 0
	for lines := bufio.NewScanner(bytes.NewReader(out)); lines.Scan(); seen++ {
		var l struct {
			Name     string
			Findings []string
		}
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			t.Fatal(err)
		}
		for _, f := range l.Findings {
			t.Errorf("%s: %s", l.Name, f)
		}
	}
	if seen != len(looks) {
		t.Errorf("%d of %d pages were looked at", seen, len(looks))
	}
}

// chromium has a script of browsertest drive a real Chromium, and gives what it printed. Pictures go into the folder screenshots.
func chromium(t *testing.T, script string, in []byte) []byte {
	t.Helper()
	shots, err := filepath.Abs("../../screenshots")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(shots, 0o755); err != nil {
		t.Fatal(err)
	}
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("run ./scripts/servers: ", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 8*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "node", filepath.Join("browsertest", script))
	cmd.Env = append(os.Environ(), "CHROMIUM="+program, "SHOTS="+shots, "no_proxy=127.0.0.1", "NO_PROXY=127.0.0.1")
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Errorf("%s: %v (packages missing? ./scripts/node)\n%s", script, err, &stderr)
	}
	return out
}
