package web

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/configs"
	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/web/signon"
)

// try posts a form to the page of the points table; a name that ends in ".yaml" is a file's.
func try(t *testing.T, d http.Handler, fields map[string]string) string {
	t.Helper()
	var b bytes.Buffer
	form := multipart.NewWriter(&b)
	for name, value := range fields {
		w, err := form.CreateFormField(name)
		if strings.HasSuffix(name, ".yaml") {
			w, err = form.CreateFormFile("file", name)
		}
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write([]byte(value)); err != nil {
			t.Fatal(err)
		}
	}
	if err := form.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://127.0.0.1:9765/points?language=en", &b)
	r.Header.Set("Content-Type", form.FormDataContentType())
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	w := httptest.NewRecorder()
	d.ServeHTTP(w, r)
	if w.Code != http.StatusOK {
		t.Fatalf("%d\n%s", w.Code, w.Body)
	}
	wellFormed(t, strings.ReplaceAll(w.Body.String(), "[]", ""), "en") // lists of a pasted table
	return w.Body.String()
}

// TestPoints_grid: each cell is what the engine gives for such a contact, in both directions where they differ.
func TestPoints_grid(t *testing.T) {
	t.Parallel()
	d := dashboard(t, company(t))
	got := told[pointsTable](t, d, "/points")
	cells := map[string]float64{}
	for _, k := range got.Kinds {
		for i, c := range k.Cells {
			cells[k.Own.Path+" "+got.Ranks[i].Name] = c.Points
		}
	}
	for cell, want := range map[string]float64{
		"kinds.visit.points department_manager": 18, "kinds.visit_by_customer.points staff": 10, "kinds.phone.in executive": 20, "kinds.phone.out executive": 10,
		"kinds.view.points unknown": 0.5, "kinds.attempt.points president": 0,
	} {
		if points, is := cells[cell]; !is || points != want {
			t.Errorf("%s: %v (%v), want %v", cell, points, is, want)
		}
	}
	if len(got.Editions) != 1 || len(got.Bands) != 4 || got.Bands[3].Up.Value != 60 || len(got.Groups) != 3 || got.Groups[1].Cap.Value != 10 || len(got.Cues) == 0 {
		t.Errorf("%+v", got)
	}
}

// TestPoints_tried: a change of the grid is told with what it would do, and nothing is written.
func TestPoints_tried(t *testing.T) {
	t.Parallel()
	file := company(t)
	d := dashboard(t, file)
	before := folder(t, filepath.Dir(file))
	page := try(t, d, map[string]string{"kinds.visit.points": "12", "ranks.president.points": "8", "cues.question.factor": " 1.5 "})
	for _, want := range []string{"What this change would do", "<code>kinds.visit.points</code> 6 → <b>12</b>", "<code>cues.question.factor</code> 1.2 → <b>1.5</b>",
		"Customers that move most", "Of 16 customers alone.", `name="kinds.visit.points" value="12"`, `changed" type="number" step="any" name="cues.question.factor" value="1.5"`} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not on the page", want)
		}
	}
	if strings.Contains(page, "<code>ranks.president.points</code>") {
		t.Error("what stays is told as changed")
	}
	if diff := cmp.Diff(before, folder(t, filepath.Dir(file))); diff != "" {
		t.Errorf("files were written (-before +after):\n%s", diff)
	}
	if page := try(t, d, map[string]string{"kinds.visit.points": "6"}); strings.Contains(page, "What this change would do") {
		t.Error("no change at all is told to do something")
	}
}

// folder is what lies in a folder, but for the store's own files beside it.
func folder(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, pattern := range []string{"*.yaml", "*.db", "mappings/*"} {
		names, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			all[filepath.Base(name)] = string(b)
		}
	}
	return all
}

// TestPoints_refused: what is wrong with a draft is told with its place, and the draft stays in the form.
func TestPoints_refused(t *testing.T) {
	t.Parallel()
	d := dashboard(t, company(t))
	secret := filepath.Join(t.TempDir(), "secret.yaml")
	if err := os.WriteFile(secret, []byte("password: swordfish\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		form map[string]string
		want string
	}{
		"no number":              {map[string]string{"kinds.visit.points": "six"}, "kinds.visit.points: &#34;six&#34; is not a number"},
		"bands out of order":     {map[string]string{"bands.hot.up": "5"}, "bands[3]"},
		"a mistake in the file":  {map[string]string{"next.yaml": strings.Replace(string(configs.Points), "half_life_days: 60", "half_life_dayz: 60", 1)}, "did you mean &#34;half_life_days&#34;"},
		"a file of this machine": {map[string]string{"text": string(configs.Points) + "\napplies_from: 2027-01-01\nearlier: " + secret + "\n"}, "is not an edition that is in use"},
		"markup":                 {map[string]string{"text": "<script>alert(1)</script>"}, "&lt;script&gt;"},
	} {
		page := try(t, d, test.form)
		if !strings.Contains(page, "This table cannot be used") || !strings.Contains(page, test.want) {
			t.Errorf("%s: %q is not told", name, test.want)
		}
		if strings.Contains(page, "swordfish") || strings.Contains(page, "<script>") {
			t.Errorf("%s: the page holds what it must not", name)
		}
		if text := test.form["text"]; text != "" && !strings.Contains(page, "<textarea") {
			t.Errorf("%s: the draft is lost", name)
		}
	}
}

// TestPoints_pasted: a whole table is tried out as a file or as a text, and may name the one in use as its earlier edition.
func TestPoints_pasted(t *testing.T) {
	t.Parallel()
	d := dashboard(t, company(t))
	next := strings.Replace(string(configs.Points), "visit_by_customer: {points: 10,", "visit_by_customer: {points: 20,", 1)
	for name, form := range map[string]map[string]string{"text": {"text": next}, "file": {"next.yaml": next},
		"edition": {"text": next + "\napplies_from: 2026-10-01\nearlier: points.yaml\n"}} {
		page := try(t, d, form)
		if !strings.Contains(page, "<code>kinds.visit_by_customer.points</code> 10 → <b>20</b>") || !strings.Contains(page, "Customers that move most") {
			t.Errorf("%s: it is not told what the table would do", name)
		}
	}
}

// TestPoints_role: who only looks sees the table, and tries nothing.
func TestPoints_role(t *testing.T) {
	t.Parallel()
	d := dashboard(t, company(t))
	s, leave := d.enter()
	t.Cleanup(leave)
	for role, may := range map[signon.Role]bool{signon.Viewer: false, signon.Manager: true} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/points", strings.NewReader("kinds.visit.points=12"))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		v := &visit{site: s, p: s.p, request: r, query: r.URL.Query(), language: "en", reader: signon.Reader{Role: role}, log: func(string, ...any) {}}
		got, err := viewPoints(t.Context(), v)
		if err != nil {
			t.Fatal(err)
		}
		if got.MayTry != may || (got.Draft.Outcome != nil) != may {
			t.Errorf("role %v: %v, %+v", role, got.MayTry, got.Draft)
		}
	}
}

// TestNumbersOf: every number of a table can be set by its path, and a copy scores as the table does.
func TestNumbersOf(t *testing.T) {
	t.Parallel()
	table, err := config.ParsePoints("points.yaml", configs.Points, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range numbersOf(table) {
		own, err := copyOf(table)
		if err != nil {
			t.Fatal(err)
		}
		n.set(own, n.Value+0.25)
		changed := changesOf(table, own)
		if len(changed) != 1 || changed[0].Path != n.Path || *changed[0].Before != n.Value || *changed[0].After != n.Value+0.25 {
			t.Errorf("%s: %+v", n.Path, changed)
		}
	}
	own, err := copyOf(table)
	if err != nil {
		t.Fatal(err)
	}
	var prints [2]string
	for i, c := range []*engine.PointsConfig{table, own} {
		p, err := engine.Compile(c)
		if err != nil {
			t.Fatal(err)
		}
		prints[i] = p.Fingerprint()
	}
	if prints[0] != prints[1] || len(changesOf(table, own)) != 0 {
		t.Errorf("a copy scores otherwise: %v", prints)
	}
	delete(own.Kinds, "meal")
	if changed := changesOf(table, own); len(changed) != 1 || changed[0].After != nil {
		t.Errorf("a kind that is gone: %+v", changed)
	}
}

// TestEditionsOf: each edition holds until the day before the next one, and tells what it changed.
func TestEditionsOf(t *testing.T) {
	t.Parallel()
	first, err := config.ParsePoints("first.yaml", configs.Points, nil)
	if err != nil {
		t.Fatal(err)
	}
	second, err := copyOf(first)
	if err != nil {
		t.Fatal(err)
	}
	second.Version, second.AppliesFrom, second.EarlierEdition, second.HalfLifeDays = "2027", "2027-04-01", first, 30
	sixty, thirty := 60.0, 30.0
	want := []pointsEdition{
		{Version: "2027", From: "2027-04-01", Changes: []pointsChange{{"half_life_days", &sixty, &thirty}}},
		{Version: first.Version, Until: "2027-03-31", Changes: []pointsChange{}},
	}
	if diff := cmp.Diff(want, editionsOf(second)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
