package web

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"energyd/internal/pipeline"
	"energyd/internal/store"
	"energyd/internal/telemetry"
	"energyd/internal/web/signon"
	"energyd/sink"
)

// office is a dashboard as its readers have it: by HTTP, with what takes long done at once.
type office struct {
	*testing.T
	file   string
	reader string // who has signed on
	server *httptest.Server
	client *http.Client
}

// Ask does what the daemon does when it is its turn.
func (o *office) Ask(ctx context.Context, e store.Errand) (store.Errand, error) {
	p := open(o.T, o.file)
	defer p.Close()
	e, err := p.Store().Ask(ctx, e)
	if err != nil {
		return e, err
	}
	if _, _, err := p.DoErrand(ctx, e); err != nil {
		o.Log(err) // it stands in the errand
	}
	return e, nil
}

// at opens the dashboard over a configuration to an admin.
func at(t *testing.T, file string) *office {
	t.Helper()
	users(t, file, "")
	o := &office{T: t, file: file}
	d := New(slog.New(slog.DiscardHandler), telemetry.HTTPDefaults(), o)
	if err := d.Use(open(t, file)); err != nil {
		t.Fatal(err)
	}
	o.server = httptest.NewServer(d)
	o.become("sato")
	t.Cleanup(func() {
		o.server.Close()
		if err := d.Close(); err != nil {
			t.Error(err)
		}
	})
	return o
}

// become signs on as another reader; "" is nobody.
func (o *office) become(name string) {
	o.Helper()
	b := another(o.T, o.server.URL)
	o.reader, o.client = name, b.Client
	if name == "" {
		return
	}
	if status, _, body := b.signOn(name, name+" long enough"); status != http.StatusSeeOther {
		o.Fatalf("%s signs on: %d\n%s", name, status, body)
	}
}

// do sends a request as a browser on this page does, or as one on another site.
func (o *office) do(method, path, from string, form url.Values) (status int, to, body string) {
	o.Helper()
	r, err := http.NewRequestWithContext(o.Context(), method, o.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		o.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Accept-Language", "en")
	r.Header.Set("Sec-Fetch-Site", from)
	answer, err := o.client.Do(r)
	if err != nil {
		o.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		o.Fatal(err)
	}
	return answer.StatusCode, answer.Header.Get("Location"), string(text)
}

func (o *office) get(path string) string {
	o.Helper()
	status, _, body := o.do(http.MethodGet, path, "same-origin", nil)
	if status != http.StatusOK {
		o.Fatalf("%s: %d\n%s", path, status, body)
	}
	return body
}

var hidden = regexp.MustCompile(`<input type="hidden" name="([a-z]+)" value="([^"]*)">`)

// form is what a page's own form sends, with more filled in.
func (o *office) form(path string, more url.Values) url.Values {
	o.Helper()
	form := url.Values{}
	for _, m := range hidden.FindAllStringSubmatch(o.get(path), -1) {
		if m[1] != "back" {
			form.Set(m[1], m[2])
		}
	}
	for name, value := range more {
		form[name] = value
	}
	return form
}

// press sends a form, and gives where it leads.
func (o *office) press(path string, form url.Values) (to string) {
	o.Helper()
	status, to, body := o.do(http.MethodPost, path, "same-origin", form)
	if status != http.StatusSeeOther {
		o.Fatalf("POST %s: %d\n%s", path, status, body)
	}
	return to
}

// twice presses a button twice, as people do: both lead to the same.
func (o *office) twice(path string, form url.Values) (to string) {
	o.Helper()
	to = o.press(path, form)
	if again := o.press(path, form); again != to {
		o.Errorf("%s: pressed twice it leads to %s and then to %s", path, to, again)
	}
	return to
}

// acts are the journal's entries of an act.
func (o *office) acts(act string) []store.JournalEntry {
	o.Helper()
	p := open(o.T, o.file)
	defer p.Close()
	entries, err := p.Store().Journal(o.Context(), store.JournalFilter{Act: act})
	if err != nil {
		o.Fatal(err)
	}
	return entries
}

// once holds that an act was done once, by the reader, for this reason.
func (o *office) once(act, reason string) {
	o.Helper()
	if entries := o.acts(act); len(entries) != 1 || entries[0].Who != o.reader || entries[0].Reason != reason {
		o.Errorf("the journal has of %s: %+v", act, entries)
	}
}

// made pulls and plans, and sends nothing.
func made(t *testing.T) func(*pipeline.Pipeline) error {
	return func(p *pipeline.Pipeline) error {
		if _, err := p.Pull(t.Context()); err != nil {
			return err
		}
		_, _, err := p.Plan(t.Context())
		return err
	}
}

// plan is a plan as the store has it; "" is the latest.
func (o *office) plan(hash string) sink.Summary {
	o.Helper()
	p := open(o.T, o.file)
	defer p.Close()
	sum, err := p.Planned(o.Context(), hash)
	if err != nil {
		o.Fatal(err)
	}
	return sum
}

// TestPlan_sentOnce: a plan is sent by its page, in the reader's name, and once however often the button is pressed; what it wrote is taken back.
func TestPlan_sentOnce(t *testing.T) {
	o := at(t, companyAfter(t, nil, made(t)))
	plan := o.plan("")
	page := "/plans/" + plan.Plan
	if body := o.get(page); !strings.Contains(body, page+"/apply") || !strings.Contains(body, "Energy__c") {
		t.Errorf("the page of the plan neither shows its fields nor leads on:\n%s", body)
	}
	shown := o.twice(page+"/apply", o.form(page+"/apply", nil))
	if shown != "/errands/1?follow" {
		t.Errorf("it leads to %s", shown)
	}
	if plan = o.plan(plan.Plan); plan.State != sink.Done {
		t.Errorf("the plan is %s", plan.State)
	}
	o.once(store.Applied, "")
	if body := o.get("/errands/1"); !strings.Contains(body, ">ok<") || !strings.Contains(body, plan.Plan) {
		t.Errorf("the page of the errand does not tell how it went:\n%s", body)
	}

	undo := "/runs/" + plan.Run + "/undo"
	to := o.twice(undo, o.form(undo, nil))
	o.once(store.Undid, "")
	var e errand
	if err := json.Unmarshal([]byte(o.get(api+strings.TrimSuffix(to, "?follow"))), &e); err != nil {
		t.Fatal(err)
	}
	if e.State != store.OK || e.All != plan.Records || e.Sent != e.All {
		t.Errorf("the undo came to %+v of %d records", e, plan.Records)
	}
}

// brakes are those of the demo's configuration.
var brakes = regexp.MustCompile(`(?m)^brakes:.*(\n[ \t]+.*)*`)

// TestPlan_overridden: a plan that a brake holds is sent by a reason, which the journal keeps, and not without.
func TestPlan_overridden(t *testing.T) {
	o := at(t, companyAfter(t, func(s string) string { return brakes.ReplaceAllString(s, "brakes: {rejects: 1, from: 1}") }, made(t)))
	plan := o.plan("")
	if !(planRow{plan}).NeedsReason() {
		t.Fatalf("no brake holds the plan: %+v", plan.Brakes)
	}
	page := "/plans/" + plan.Plan + "/apply"
	form := o.form(page, url.Values{"reason": {"  "}})
	if status, _, _ := o.do(http.MethodPost, page, "same-origin", form); status != http.StatusUnprocessableEntity {
		t.Errorf("without a reason: %d", status)
	}
	if got := o.plan(plan.Plan); got.State != sink.Open {
		t.Errorf("without a reason the plan is %s", got.State)
	}
	form.Set("reason", "the three records are tests")
	o.press(page, form)
	if got := o.plan(plan.Plan); got.State != sink.Done {
		t.Errorf("with a reason the plan is %s", got.State)
	}
	o.once(store.Overrode, "the three records are tests")
}

// TestRejects_decided: rejects are dropped and tried again for a reason, once, one by one and by their sort.
func TestRejects_decided(t *testing.T) {
	o := at(t, company(t))
	one := "/rejects/one?key=119&source=daily_report"
	if body := o.get(one); !strings.Contains(body, "FAX") || !strings.Contains(body, "act=drop") {
		t.Errorf("the reject's page shows neither its record nor what to do:\n%s", body)
	}
	page := "/rejects/decide?act=drop&key=119&source=daily_report"
	if status, _, _ := o.do(http.MethodPost, "/rejects/decide", "same-origin", o.form(page, nil)); status != http.StatusUnprocessableEntity {
		t.Errorf("without a reason: %d", status)
	}
	formula := `=HYPERLINK("http://evil.example")`
	if to := o.twice("/rejects/decide", o.form(page, url.Values{"reason": {formula}})); to != one {
		t.Errorf("it leads to %s", to)
	}
	o.once(store.Waived, formula)
	if body := o.get(one); !strings.Contains(body, "dropped, until it changes") {
		t.Errorf("the reject was not dropped:\n%s", body)
	}
	if file := o.get("/journal?format=csv"); !strings.Contains(file, `'=HYPERLINK`) {
		t.Errorf("a reason is a formula in the file:\n%s", file)
	}

	page = "/rejects/decide?act=snooze&key=120&source=daily_report"
	for _, day := range []string{"", "soon", "2020-01-01"} {
		if status, _, _ := o.do(http.MethodPost, "/rejects/decide", "same-origin", o.form(page, url.Values{"reason": {"asked"}, "until": {day}})); status == http.StatusSeeOther {
			t.Errorf("snoozed until %q", day)
		}
	}
	if to := o.twice("/rejects/decide", o.form(page, url.Values{"reason": {"the report is being mended"}, "until": {"2099-12-01"}})); to != "/rejects/one?key=120&source=daily_report" {
		t.Errorf("it leads to %s", to)
	}
	o.once(store.Snoozed, "until 2099-12-01: the report is being mended")

	page = "/rejects/decide?act=retry&code=account&source=daily_report"
	if to := o.twice("/rejects/decide", o.form(page, url.Values{"reason": {"entered"}})); to != "/rejects?source=daily_report" {
		t.Errorf("it leads to %s", to)
	}
	o.once(store.Retried, "entered")
	for _, bad := range []url.Values{{"act": {"drop"}}, {"act": {"erase"}, "source": {"daily_report"}}, {"act": {"drop"}, "key": {"1"}}} {
		bad.Set("reason", "all")
		if status, _, _ := o.do(http.MethodPost, "/rejects/decide", "same-origin", bad); status != http.StatusUnprocessableEntity {
			t.Errorf("%v: %d", bad, status)
		}
	}
}

// TestActions_refused: nothing is done for who may not, nor for a page of another site.
func TestActions_refused(t *testing.T) {
	o := at(t, companyAfter(t, nil, made(t)))
	plan := o.plan("")
	fill := strings.NewReplacer("{plan}", plan.Plan, "{run}", plan.Run)
	form := url.Values{"asked": {"0"}, "reason": {"because"}, "act": {"drop"}, "source": {"daily_report"}}
	for _, a := range actions {
		path := fill.Replace(a.path)
		for name, role := range map[string]signon.Role{"": signon.Nobody, "tanaka": signon.Viewer, "suzuki": signon.Manager} {
			if role >= a.role {
				continue
			}
			want := http.StatusForbidden
			if name == "" {
				want = http.StatusSeeOther // to the door
			}
			o.become(name)
			if status, to, _ := o.do(http.MethodPost, path, "same-origin", form); status != want || to != "" && !strings.HasPrefix(to, "/sign-on") {
				t.Errorf("%s by %q: %d %s", path, name, status, to)
			}
		}
		o.become("sato")
		if status, _, _ := o.do(http.MethodPost, path, "cross-site", form); status != http.StatusForbidden {
			t.Errorf("%s from another site: %d", path, status)
		}
		if status, _, _ := o.do(http.MethodGet, path, "same-origin", nil); status >= http.StatusInternalServerError {
			t.Errorf("GET %s: %d", path, status)
		}
	}
	for _, act := range []string{store.Applied, store.Undid, store.Waived, store.Overrode} {
		if entries := o.acts(act); len(entries) != 0 {
			t.Errorf("done all the same: %+v", entries)
		}
	}
}

// TestPull_asked: a source is read when somebody asks for it, and only one that there is.
func TestPull_asked(t *testing.T) {
	o := at(t, company(t))
	page := "/runs/start?source=daily_report"
	if to := o.twice("/runs/start", o.form(page, nil)); !strings.HasPrefix(to, "/errands/") {
		t.Errorf("it leads to %s", to)
	}
	if body := o.get("/runs"); strings.Count(body, "<td>pull</td>") != 1 {
		t.Errorf("not read once:\n%s", body)
	}
	if status, _, _ := o.do(http.MethodPost, "/runs/start", "same-origin", url.Values{"source": {"nothing"}, "asked": {"0"}}); status != http.StatusNotFound {
		t.Errorf("a source that there is not: %d", status)
	}
	if status, _, _ := o.do(http.MethodPost, "/runs/start", "same-origin", url.Values{"source": {"daily_report"}}); status != http.StatusUnprocessableEntity {
		t.Errorf("a form that is none of ours: %d", status)
	}
}

// TestErrand_follows: the page of work that has not ended looks again by itself, when it is asked to, and only then.
func TestErrand_follows(t *testing.T) {
	d := dashboard(t, company(t))
	e, err := d.site.p.Store().Ask(t.Context(), store.Errand{Kind: toSync, Who: "sato", Asked: demoDay()})
	if err != nil {
		t.Fatal(err)
	}
	refresh := func(query string) string { return get(t, d, errandPath(e.ID)+query, "en").Header().Get("Refresh") }
	if refresh("") != "" || refresh("?follow") == "" {
		t.Errorf("it looks again after %q, and followed after %q", refresh(""), refresh("?follow"))
	}
	if err := d.site.p.Store().EndErrand(t.Context(), e.ID, demoDay(), store.OK, ""); err != nil {
		t.Fatal(err)
	}
	if got := refresh("?follow"); got != "" {
		t.Errorf("what has ended is looked at again after %q", got)
	}
	if w := get(t, d, "/errands/x", "en"); w.Code != http.StatusNotFound {
		t.Errorf("no errand: %d", w.Code)
	}
}

// TestOperations_notThere: what there is not is told so, and no file but the configuration's is shown.
func TestOperations_notThere(t *testing.T) {
	d := dashboard(t, company(t))
	for _, path := range []string{"/runs/none", "/runs/none/undo", "/plans/none", "/plans/none/apply", "/rejects/one?source=daily_report&key=none", "/rejects?source=none",
		"/runs/start?source=none", "/journal?act=none", "/journal?since=yesterday", "/configuration?file=../crm-secret", "/configuration?file=crm-secret", "/errands/99"} {
		if w := get(t, d, path, "en"); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	w := get(t, d, "/configuration?file=energyd.yaml", "en")
	if body := w.Body.String(); !strings.Contains(body, "${file:crm-secret}") || strings.Contains(body, "demo-secret") {
		t.Errorf("%d\n%s", w.Code, body)
	}
	if !strings.Contains(get(t, d, "/runs", "en").Body.String(), ">balances<") {
		t.Error("the sums of the night are not shown to balance")
	}
}
