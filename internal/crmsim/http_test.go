package crmsim

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
)

const api = "/services/data/v66.0"

// org is a simulated CRM behind a real listener, with a client that is signed on.
type org struct {
	*Server
	t     testing.TB
	url   string
	token string
	clock *time.Time
}

func newOrg(t testing.TB, opt Options) *org {
	t.Helper()
	clock := time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC)
	if opt.Now == nil {
		opt.Now = func() time.Time { return clock }
	}
	s, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	web := httptest.NewServer(s)
	t.Cleanup(web.Close)
	o := &org{Server: s, t: t, url: web.URL, clock: &clock}
	o.signOn()
	return o
}

func (o *org) signOn() {
	o.t.Helper()
	a := o.send("POST", "/services/oauth2/token", url.Values{"grant_type": {"client_credentials"},
		"client_id": {o.opt.ClientID}, "client_secret": {o.opt.ClientSecret}}.Encode())
	o.token = a.object()["access_token"].(string)
}

// got is an answer with its body read.
type got struct {
	t      testing.TB
	status int
	header http.Header
	body   string
}

// send makes one request; headers come in pairs after the body.
func (o *org) send(method, path, body string, headers ...string) got {
	o.t.Helper()
	a, err := o.try(method, path, body, headers...)
	if err != nil {
		o.t.Fatal(err)
	}
	return a
}

func (o *org) try(method, path, body string, headers ...string) (got, error) {
	r, err := http.NewRequest(method, o.url+path, strings.NewReader(body))
	if err != nil {
		return got{}, err
	}
	if o.token != "" {
		r.Header.Set("Authorization", "Bearer "+o.token)
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		return got{}, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return got{o.t, res.StatusCode, res.Header, string(b)}, err
}

func (o *org) query(soql string, headers ...string) got {
	o.t.Helper()
	return o.send("GET", api+"/query?q="+url.QueryEscape(soql), "", headers...)
}

func (o *org) insert(object string, values map[string]any) string {
	o.t.Helper()
	id, err := o.Insert(object, values)
	if err != nil {
		o.t.Fatal(err)
	}
	return id
}

func (o *org) inject(f Fault) {
	o.t.Helper()
	if err := o.Inject(f); err != nil {
		o.t.Fatal(err)
	}
}

// value gives one field of a row as the Go API sees it.
func (o *org) value(object, id, field string) any {
	o.t.Helper()
	row, ok := o.Get(object, id)
	if !ok {
		o.t.Fatalf("no %s %s", object, id)
	}
	return row[field]
}

func (g got) decode(v any) {
	g.t.Helper()
	if err := json.Unmarshal([]byte(g.body), v); err != nil {
		g.t.Fatalf("%d %s: %v", g.status, g.body, err)
	}
}

func (g got) object() (m map[string]any)  { g.t.Helper(); g.decode(&m); return m }
func (g got) array() (a []map[string]any) { g.t.Helper(); g.decode(&a); return a }
func (g got) records() []map[string]any {
	g.t.Helper()
	var page struct{ Records []map[string]any }
	g.decode(&page)
	return page.Records
}

// refused checks a request that is refused as a whole.
func (g got) refused(status int, code string) {
	g.t.Helper()
	if g.status != status {
		g.t.Errorf("status %d, want %d: %s", g.status, status, g.body)
		return
	}
	if e := g.array(); len(e) != 1 || e[0]["errorCode"] != code || e[0]["message"] == "" {
		g.t.Errorf("got %s, want %s", g.body, code)
	}
}

// rowCodes gives "ok" or the status code for each row of a collection's answer.
func (g got) rowCodes() string {
	g.t.Helper()
	var codes []string
	var rows []rowResult
	g.decode(&rows)
	for _, r := range rows {
		switch {
		case r.Success:
			codes = append(codes, "ok")
		default:
			codes = append(codes, r.Errors[0].Code)
		}
	}
	return strings.Join(codes, " ")
}

// S01, S02, S05, S12: headers that every answer has.
func TestS01_S02_S05_S12_headers(t *testing.T) {
	o := newOrg(t, Options{})
	a := o.send("GET", api+"/limits", "")
	if got := a.header.Get("Content-Type"); got != "application/json;charset=UTF-8" {
		t.Errorf("S01: Content-Type %q", got)
	}
	if got := a.header.Get("Sforce-Limit-Info"); got != "api-usage=1/15000" {
		t.Errorf("S02: Sforce-Limit-Info %q", got)
	}
	if got := o.send("GET", "/services/data", "").header.Get("Sforce-Limit-Info"); got != "" {
		t.Errorf("S02: the versions URI has Sforce-Limit-Info %q", got)
	}
	if got := a.header.Get("Date"); got != "Wed, 01 Apr 2026 09:00:00 GMT" {
		t.Errorf("Date is not the org's clock: %q", got)
	}
	b := o.send("GET", api+"/limits", "", "Authorization", "OAuth "+o.token)
	if b.status != 200 {
		t.Errorf("S05: OAuth prefix gives %d", b.status)
	}
	if x, y := a.header.Get("X-Sfdc-Request-Id"), b.header.Get("X-Sfdc-Request-Id"); len(x) != 32 || x == y {
		t.Errorf("S12: request ids %q and %q", x, y)
	}
	o.send("GET", api+"/limits", "", "Authorization", "Basic "+o.token).refused(401, "INVALID_SESSION_ID")
	o.token = ""
	o.send("GET", api+"/limits", "").refused(401, "INVALID_SESSION_ID")
}

// S03: a body without Content-Length.
func TestS03_chunked_bodies(t *testing.T) {
	o := newOrg(t, Options{})
	body := io.MultiReader(strings.NewReader("grant_type=client_credentials&client_id=CID&"), strings.NewReader("client_secret=SEC"))
	res, err := http.Post(o.url+"/services/oauth2/token", "application/x-www-form-urlencoded", body)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != 200 {
		t.Errorf("status %d", res.StatusCode)
	}
}

// S04: gzip both ways.
func TestS04_gzip(t *testing.T) {
	o := newOrg(t, Options{})
	id := o.insert("Account", map[string]any{"Name": "東海精密"})
	plain := o.send("GET", api+"/sobjects", "", "Accept-Encoding", "identity")
	packed := o.send("GET", api+"/sobjects", "", "Accept-Encoding", "gzip") // set by hand, so net/http does not unpack
	if plain.header.Get("Content-Encoding") != "" || packed.header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("Content-Encoding %q and %q", plain.header.Get("Content-Encoding"), packed.header.Get("Content-Encoding"))
	}
	if len(packed.body) >= len(plain.body) {
		t.Error("gzip made it longer")
	}
	if a := o.send("GET", api+"/sobjects", ""); a.body != plain.body {
		t.Error("net/http could not unpack the answer")
	}
	body := string(zipped([]byte(`{"Phone":"052-000-0000"}`)))
	if a := o.send("PATCH", api+"/sobjects/Account/"+id, body, "Content-Encoding", "gzip"); a.status != 204 {
		t.Errorf("gzip request: %d %s", a.status, a.body)
	}
	o.send("PATCH", api+"/sobjects/Account/"+id, "no gzip", "Content-Encoding", "gzip").refused(400, "JSON_PARSER_ERROR")
}

// S06: the length of URI and headers.
func TestS06_long_requests(t *testing.T) {
	o := newOrg(t, Options{})
	if a := o.query("SELECT Id FROM Account WHERE Name = '" + strings.Repeat("x", 20000) + "'"); a.status != 414 {
		t.Errorf("URI: %d", a.status)
	}
	if a := o.send("GET", api+"/limits", "", "X-Long", strings.Repeat("x", 16384)); a.status != 431 {
		t.Errorf("headers: %d", a.status)
	}
}

// S07, S09, S11: wrong resource, wrong method, wrong JSON.
func TestS07_S09_S11_wrong_requests(t *testing.T) {
	o := newOrg(t, Options{})
	id := o.insert("Account", map[string]any{"Name": "東海精密"})
	for _, path := range []string{api + "/nope", api + "/sobjects/Nope__c/describe", "/services/data/v12.0/limits", "/services/nope", api + "/sobjects/Nope__c/" + id} {
		o.send("GET", path, "").refused(404, "NOT_FOUND")
	}
	a := o.send("PUT", api+"/sobjects/Account/"+id, "{}")
	a.refused(405, "METHOD_NOT_ALLOWED")
	if got := a.header.Get("Allow"); got != "GET,PATCH,DELETE" {
		t.Errorf("Allow %q", got)
	}
	if a := o.send("POST", api+"/sobjects/Account/"+id+"?_HttpMethod=PATCH", `{"Phone":"1"}`); a.status != 204 || o.value("Account", id, "Phone") != "1" {
		t.Errorf("_HttpMethod: %d %s", a.status, a.body)
	}
	for _, body := range []string{"", "{", `{"Phone":"2"} x`, `[1]`, `{"NumberOfEmployees":"many"}`, `{"NumberOfEmployees":true}`, `{"Phone":{"a":1}}`} {
		o.send("PATCH", api+"/sobjects/Account/"+id, body).refused(400, "JSON_PARSER_ERROR")
	}
	if got := o.value("Account", id, "Phone"); got != "1" {
		t.Errorf("a refused body wrote %v", got)
	}
}

// S10: neither Retry-After nor a redirect, whatever happens.
func TestS10_no_retry_after(t *testing.T) {
	o := newOrg(t, Options{})
	o.inject(Fault{Name: "status", Status: 503, Times: 1})
	a := o.send("PATCH", api+"/composite/sobjects", `{}`)
	a.refused(503, "SERVER_UNAVAILABLE")
	o.inject(Fault{Name: "quota", Used: 10, Max: 10})
	b := o.send("PATCH", api+"/composite/sobjects", `{}`)
	for _, g := range []got{a, b} {
		if g.header.Get("Retry-After") != "" || g.header.Get("Location") != "" || g.status/100 == 3 {
			t.Errorf("%d %v", g.status, g.header)
		}
	}
}

// S107, S108, S109, S110: the day's calls.
func TestS107_to_S110_limits(t *testing.T) {
	o := newOrg(t, Options{DailyCalls: 3})
	o.send("GET", "/services/data", "")
	o.send("GET", api+"/limits", "")
	if a := o.send("GET", api+"/limits", "").object()["DailyApiRequests"].(map[string]any); a["Max"] != 3.0 || a["Remaining"] != 1.0 {
		t.Errorf("S107: %v", a)
	}
	o.send("GET", api+"/nope", "")
	a := o.send("GET", api+"/limits", "")
	a.refused(403, "REQUEST_LIMIT_EXCEEDED")
	if !strings.Contains(a.body, "TotalRequests Limit exceeded.") || a.header.Get("Sforce-Limit-Info") != "api-usage=3/3" {
		t.Errorf("S108: %s %v", a.body, a.header)
	}
	if a := o.send("GET", "/services/data", ""); a.status != 200 {
		t.Errorf("S108: versions %d", a.status)
	}
	*o.clock = o.clock.Add(24 * time.Hour)
	o.signOn()
	if a := o.send("GET", api+"/limits", ""); a.status != 200 {
		t.Errorf("the next day: %d", a.status)
	}
	o.inject(Fault{Name: "concurrent", Times: 1})
	a = o.send("GET", api+"/limits", "")
	a.refused(403, "REQUEST_LIMIT_EXCEEDED")
	if !strings.Contains(a.body, "ConcurrentRequests") {
		t.Errorf("S109: %s", a.body)
	}
	o.inject(Fault{Name: "quota", Used: 5, Max: 100, Bursts: "api-bursts=1/750"})
	if got := o.send("GET", api+"/limits", "").header.Get("Sforce-Limit-Info"); got != "api-usage=6/100; api-bursts=1/750" {
		t.Errorf("S110: %q", got)
	}
}

// S111: answers that are not the org's own, and cut connections.
func TestS111_faulty_answers(t *testing.T) {
	o := newOrg(t, Options{})
	id := o.insert("Account", map[string]any{"Name": "東海精密"})
	o.inject(Fault{Name: "status", Match: "GET /limits$", Times: 2, Skip: 1, Status: 502, Body: "<html>maintenance</html>", ContentType: "text/html"})
	for i, want := range []int{200, 502, 502, 200} {
		if a := o.send("GET", api+"/limits", ""); a.status != want || (want == 502 && a.body != "<html>maintenance</html>") {
			t.Errorf("call %d: %d %s", i, a.status, a.body)
		}
	}
	o.inject(Fault{Name: "status", Status: 420, Times: 1})
	if a := o.send("GET", api+"/limits", ""); a.status != 420 || a.body != "" {
		t.Errorf("%d %q", a.status, a.body)
	}
	for _, status := range []int{406, 420, 429, 500, 502, 503, 504} {
		for _, body := range []string{"<html>maintenance</html>", ""} {
			o.inject(Fault{Name: "status", Status: status, Body: body, ContentType: "text/html", Times: 1})
			a := o.send("POST", api+"/sobjects/Account", `{"Name":"nie"}`)
			if a.status != status || a.body != body || a.header.Get("Content-Type") != "text/html" || a.header.Get("Retry-After") != "" {
				t.Errorf("%d: got %d %q %v", status, a.status, a.body, a.header)
			}
		}
	}
	if n := o.query("SELECT COUNT() FROM Account").object()["totalSize"]; n != 1.0 {
		t.Errorf("a refused request was carried out: %v rows", n)
	}
	patch := func(phone string) error {
		_, err := o.try("PATCH", api+"/composite/sobjects", `{"records":[{"attributes":{"type":"Account"},"id":"`+id+`","Phone":"`+phone+`"}]}`)
		return err
	}
	for _, tc := range []struct {
		cut     string
		written bool
	}{{"before", false}, {"middle", true}, {"after", true}} {
		o.inject(Fault{Name: "status", Match: "PATCH /composite", Times: 1, Cut: tc.cut})
		if err := patch(tc.cut); err == nil {
			t.Errorf("cut %s: no error", tc.cut)
		}
		if written := o.value("Account", id, "Phone") == tc.cut; written != tc.written {
			t.Errorf("cut %s: written %v", tc.cut, written)
		}
	}
	o.inject(Fault{Name: "slow", DelayMS: 50, Times: 1})
	start := time.Now()
	o.send("GET", api+"/limits", "")
	if took := time.Since(start); took < 50*time.Millisecond {
		t.Errorf("slow took %v", took)
	}
}

func TestInjectRefuses(t *testing.T) {
	o := newOrg(t, Options{})
	for _, f := range []Fault{
		{Name: "nope"}, {Name: "status"}, {Name: "status", Cut: "sideways"}, {Name: "slow", Match: "("}, {Name: "slow", Match: "GET ("},
		{Name: "fls", Object: "Account", Field: "Name"}, {Name: "fls", Object: "Nope", Access: "hidden"}, {Name: "fls", Object: "Account", Field: "Nope", Access: "hidden"},
		{Name: "known", Line: "S68", Outcome: "guessed"}, {Name: "edit", Object: "Account"}, {Name: "page_max", Rows: -1},
	} {
		if err := o.Inject(f); err == nil {
			t.Errorf("%+v was taken", f)
		}
	}
}

// The control surface is not there unless it is asked for.
func TestControl(t *testing.T) {
	if a := newOrg(t, Options{}).send("GET", "/__sim/log", ""); a.status != 404 {
		t.Errorf("without Control: %d", a.status)
	}
	o := newOrg(t, Options{Control: true})
	id := o.insert("Account", map[string]any{"Name": "東海精密"})
	for _, tc := range []struct {
		body   string
		status int
	}{
		{`{"name":"edit","object":"Account","id":"` + id + `","change":"update","values":{"NumberOfEmployees":12,"Phone":"1"}}`, 200},
		{`{"name":"clock","advance_s":3600}`, 200},
		{`{"name":"nope"}`, 400}, {`{"nmae":"slow"}`, 400}, {`{`, 400},
	} {
		if a := o.send("POST", "/__sim/fault", tc.body); a.status != tc.status {
			t.Errorf("%s: %d %s", tc.body, a.status, a.body)
		}
	}
	rows := o.send("GET", "/__sim/rows/Account", "").array()
	if len(rows) != 1 || rows[0]["NumberOfEmployees"] != 12.0 || rows[0]["SystemModstamp"] != "2026-04-01T09:00:00Z" {
		t.Errorf("rows: %v", rows)
	}
	if a := o.query("SELECT Id FROM Account"); a.header.Get("Date") != "Wed, 01 Apr 2026 10:00:00 GMT" {
		t.Errorf("the clock stands at %s", a.header.Get("Date"))
	}
	if key := o.send("GET", "/__sim/key", ""); key.body != o.PrivateKey() || !strings.HasPrefix(key.body, "-----BEGIN PRIVATE KEY-----") {
		t.Errorf("the key: %d %s", key.status, key.body)
	}
	if known := o.send("GET", "/__sim/known", "").object(); len(known) != len(Outcomes) || fmt.Sprint(known["S68"]) != "[rounded kept refused]" {
		t.Errorf("known: %v", known)
	}
	log := o.send("GET", "/__sim/log", "").array()
	last := log[len(log)-1]
	if last["method"] != "GET" || last["status"] != 200.0 || last["rows"] != 1.0 || last["soql"] != "SELECT Id FROM Account" || last["bytes"].(float64) < 50 {
		t.Errorf("log: %v", last)
	}
	if a := o.send("POST", "/__sim/reset", `{"seed":"small"}`); a.status != 200 {
		t.Errorf("reset: %s", a.body)
	}
	if rows := o.send("GET", "/__sim/rows/Account", "").array(); len(rows) != len(smallCompanies) || len(o.Log()) != 0 {
		t.Errorf("after the reset: %d accounts, %d requests", len(rows), len(o.Log()))
	}
	o.send("GET", api+"/limits", "").refused(401, "INVALID_SESSION_ID")
	if a := o.send("POST", "/__sim/reset", "", "Origin", "https://elsewhere.example"); a.status != 403 {
		t.Errorf("from a foreign page: %d", a.status)
	}
	if a := o.send("POST", "/__sim/reset", `{"seed":"nope"}`); a.status != 400 {
		t.Errorf("unknown seed: %d", a.status)
	}
}

func marshal(t testing.TB, v any) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
