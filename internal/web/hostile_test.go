package web

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"

	"energyd/internal/demo"
)

// markup is a name that would do something on a page that believed it; a file would run it as a formula.
const markup = `=1+1"'><img src=x onerror=alert(1)><script>alert(1)</script>`

var nameRule = regexp.MustCompile(`(?m)^(  name:) Name$`)

// TestHostile_names: names of customers, people, deals and sales people that are markup stay text on every page, in both languages.
func TestHostile_names(t *testing.T) {
	w, err := demo.Start(t.Context(), t.TempDir(), demoDay)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	})
	for _, name := range []string{"crm_account", "crm_contact", "crm_opportunity", "crm_user"} {
		file := filepath.Join(filepath.Dir(w.Config), "mappings", name+".yaml")
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		changed := nameRule.ReplaceAllString(string(text), `$1 '"`+strings.NewReplacer(`"`, `\"`, `'`, `''`).Replace(markup)+`" + Id'`)
		if changed == string(text) {
			t.Fatalf("%s names nothing", file)
		}
		if before, _, tested := strings.Cut(changed, "\ntests:"); tested {
			changed = before + "\n" // they expect other names
		}
		if err := os.WriteFile(file, []byte(changed), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p := open(t, w.Config)
	if _, _, _, err := p.Sync(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	d := dashboard(t, w.Config)
	shown := 0
	for name, address := range addresses(t, d) {
		for _, language := range languages {
			answer := get(t, d, address, language)
			if answer.Code != http.StatusOK {
				t.Errorf("%s: %d", address, answer.Code)
				continue
			}
			page := answer.Body.String()
			if strings.Contains(page, "onerror") {
				shown++
			}
			harmless(t, name, page)
		}
	}
	if shown < 16 {
		t.Errorf("only %d pages show the names: this proves little", shown)
	}
}

// harmless holds that a page has no elements and attributes but its own.
func harmless(t *testing.T, name, page string) {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	if err != nil {
		t.Fatal(err)
	}
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		if n.Data == "img" || n.Data == "script" || n.Data == "iframe" || n.Data == "object" {
			t.Errorf("%s: <%s> stands in the page", name, n.Data)
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || strings.HasPrefix(strings.ToLower(strings.TrimSpace(a.Val)), "javascript:") {
				t.Errorf("%s: <%s %s=%q>", name, n.Data, a.Key, a.Val)
			}
		}
	}
}

// TestHostile_addresses: what an address names is looked up, never opened, run or repeated as markup.
func TestHostile_addresses(t *testing.T) {
	d := dashboard(t, company(t))
	value := regexp.MustCompile(`\{[a-z]+\}`)
	bad := []string{"..%2f..%2f..%2fetc%2fpasswd", "%2e%2e", "%00", "%3Cscript%3Ealert(1)%3C%2Fscript%3E", "'%20OR%20'1'='1", "%F0%28%8C%28", strings.Repeat("x", 4000)}
	for _, p := range pages {
		if !strings.Contains(p.path, "{") {
			for _, b := range bad { // as a value of what pages ask for
				answer := get(t, d, p.path+"?q="+b+"&owner="+b+"&sort="+b+"&source="+b+"&file="+b+"&page="+b+"&act="+b+"&key="+b+"&months="+b, "en")
				if answer.Code >= http.StatusInternalServerError {
					t.Errorf("%s with %.40s: %d", p.path, b, answer.Code)
				}
				harmless(t, p.path, answer.Body.String())
			}
			continue
		}
		for _, b := range bad {
			answer := get(t, d, value.ReplaceAllString(p.path, b), "en")
			if answer.Code < 300 || answer.Code >= http.StatusInternalServerError {
				t.Errorf("%s with %.40s: %d", p.path, b, answer.Code)
			}
			harmless(t, p.path, answer.Body.String())
		}
	}
	for _, address := range []string{"/static/..%2fweb.go", "/static/%2e%2e/templates/layout.html", "/static/..%2ftemplates%2flayout.html", "/static/", "/static/%00", "/static/style.css%00"} {
		if answer := get(t, d, address, "en"); answer.Code == http.StatusOK || strings.Contains(answer.Body.String(), "package web") {
			t.Errorf("%s: %d", address, answer.Code)
		}
	}
}
