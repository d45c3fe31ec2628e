package salesforce

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"energyd/connectors"
	"energyd/internal/fault"
	"energyd/internal/httpclient"
	"energyd/internal/secret"
)

func TestConfig_Validate(t *testing.T) {
	for name, tt := range map[string]struct {
		spoil func(*Config)
		path  string
	}{
		"no scheme":       {func(c *Config) { c.URL = "example.my.salesforce.com" }, "url"},
		"in the open":     {func(c *Config) { c.URL = "http://example.my.salesforce.com" }, "url"},
		"user interface":  {func(c *Config) { c.URL = "https://example.lightning.force.com" }, "url"},
		"login host":      {func(c *Config) { c.URL = "https://login.salesforce.com" }, "url"},
		"password in url": {func(c *Config) { c.URL = "https://a:b@example.my.salesforce.com" }, "url"},
		"no secret":       {func(c *Config) { c.ClientSecret = secret.Secret{} }, "client_secret"},
		"two flows":       {func(c *Config) { c.PrivateKey, c.Username = given(keyPEM), "a@b.example" }, "client_secret"},
		"two other flows": {func(c *Config) { byKey(c); c.RefreshToken = given("RT") }, "refresh_token"},
		"no user":         {func(c *Config) { byKey(c); c.Username = "" }, "username"},
		"no key":          {func(c *Config) { c.Username = "a@b.example" }, "username"},
		"audience alone":  {func(c *Config) { c.Audience = "https://login.salesforce.com" }, "audience"},
		"audience":        {func(c *Config) { byKey(c); c.Audience = "login" }, "audience"},
		"token file":      {func(c *Config) { c.TokenFile = "x" }, "token_file"},
		"certificate":     {func(c *Config) { byKey(c); c.PrivateKey = given("-----BEGIN CERTIFICATE-----\n") }, "private_key"},
		"password":        {func(c *Config) { byKey(c); c.PrivateKey = given("-----BEGIN ENCRYPTED PRIVATE KEY-----\n") }, "private_key"},
		"short key":       {func(c *Config) { byKey(c); c.PrivateKey = given(pemOf(1024)) }, "private_key"},
		"version":         {func(c *Config) { c.APIVersion = "66" }, "api_version"},
		"page":            {func(c *Config) { c.PageSize = 5000 }, "page_size"},
		"lag":             {func(c *Config) { c.Lag = 0 }, "lag"},
		"lookback":        {func(c *Config) { c.Lookback = 0 }, "lookback"},
		"budget":          {func(c *Config) { c.Budget.PerRun = 0 }, "budget.per_run"},
		"C60 timeout":     {func(c *Config) { c.Timeout = connectors.Duration(time.Minute) }, "timeout"},
	} {
		cfg := config("127.0.0.1:1")
		if err := cfg.Validate(); err != nil {
			t.Fatal(err)
		}
		tt.spoil(cfg)
		var ps fault.Problems
		if err := cfg.Validate(); !errors.As(err, &ps) || len(ps) != 1 || ps[0].Path != tt.path {
			t.Errorf("%s: %v; want one problem at %s", name, err, tt.path)
		}
	}
	for name, good := range map[string]func(*Config){
		"key at the login host": func(c *Config) { byKey(c); c.URL = "https://login.salesforce.com" },
		"key in one line":       func(c *Config) { byKey(c); c.PrivateKey = given(strings.ReplaceAll(keyPEM, "\n", `\n`)) },
		"refresh token alone":   func(c *Config) { c.ClientSecret, c.RefreshToken = secret.Secret{}, given("RT") },
		"refresh and secret":    func(c *Config) { c.RefreshToken = given("RT") },
	} {
		cfg := config("127.0.0.1:1")
		good(cfg)
		if err := cfg.Validate(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	stream := Stream{Object: "Task; DROP", Fields: []string{"Subject", "Id FROM User"}}
	var ps fault.Problems
	if err := stream.Validate(); !errors.As(err, &ps) || len(ps) != 2 || ps[1].Path != "fields[1]" {
		t.Errorf("stream: %v", err)
	}
}

var keyPEM = pemOf(2048)

// pemOf makes an RSA key.
func pemOf(bits int) string {
	key, err := rsa.GenerateKey(rand.Reader, bits)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
}

// byKey makes cfg sign on by JWT bearer.
func byKey(cfg *Config) {
	cfg.PrivateKey, cfg.Username, cfg.ClientSecret = given(keyPEM), "integration@crm.example", secret.Secret{}
}

func TestConfig_audience(t *testing.T) {
	for url, want := range map[string]string{
		"https://acme.my.salesforce.com":                     "https://login.salesforce.com",
		"https://acme-dev-ed.develop.my.salesforce.com":      "https://login.salesforce.com",
		"https://acme--uat.sandbox.my.salesforce.com":        "https://test.salesforce.com",
		"https://acme--uat.my.salesforce.com":                "https://test.salesforce.com",
		"https://power-force-1234.scratch.my.salesforce.com": "https://test.salesforce.com",
		"https://test.salesforce.com":                        "https://test.salesforce.com",
		"https://login.salesforce.com":                       "https://login.salesforce.com",
	} {
		if got := (&Config{URL: url}).audience(); got != want {
			t.Errorf("%s: %s; want %s", url, got, want)
		}
	}
	if got := (&Config{URL: "https://test.salesforce.com", Audience: "https://acme.example"}).audience(); got != "https://acme.example" {
		t.Errorf("the configured one is not taken: %s", got)
	}
}

func TestC18_both_stamp_forms_are_the_same_instant(t *testing.T) {
	want := time.Date(2026, 11, 21, 9, 30, 5, 0, time.UTC)
	for _, text := range []string{"2026-11-21T09:30:05.000+0000", "2026-11-21T09:30:05.000Z", "2026-11-21T18:30:05.000+0900"} {
		if got, err := parseStamp(text); err != nil || !got.Equal(want) || got.Location() != time.UTC {
			t.Errorf("%s: %v, %v", text, got, err)
		}
	}
	if _, err := parseStamp("yesterday"); err == nil {
		t.Error("\"yesterday\" is taken for a stamp")
	}
}

func TestC19_unknown_types_pass(t *testing.T) {
	if got := fieldType("hologram"); got != connectors.Other {
		t.Errorf("fieldType: %s", got)
	}
	for _, v := range []any{"text", 1.5, true, nil, map[string]any{"a": 1.0}} {
		if got := convert(v, "hologram"); !cmp.Equal(got, v) {
			t.Errorf("%v becomes %v", v, got)
		}
	}
	if got := convert(60.0, "int"); got != int64(60) {
		t.Errorf("int: %T %v", got, got)
	}
}

func TestC30_ids_of_15_characters(t *testing.T) {
	for text, want := range map[string]string{
		"0034C00000VaYfK":    "0034C00000VaYfKQAV", // recorded from a real org
		"0034C00000VaYfKQAV": "0034C00000VaYfKQAV",
		"0034c00000vayfkqav": "", // the case of the 15 is lost
		"0034C00000VaYfKQAW": "",
		"0034C00000VaYf'":    "",
		"":                   "",
		"日報日報日":              "",
	} {
		if got := longID(text); got != want {
			t.Errorf("%q gives %q; want %q", text, got, want)
		}
	}
}

// unquote is the org's reading of a SOQL string, up to its closing quote.
func unquote(text string) (value, rest string) {
	text = strings.TrimPrefix(text, "'")
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '\'':
			return b.String(), text[i+1:]
		case '\\':
			i++
			b.WriteString(map[byte]string{'n': "\n", 'r': "\r", 't': "\t", 'b': "\b", 'f': "\f"}[text[i]])
			if strings.IndexByte(`\'"`, text[i]) >= 0 {
				b.WriteByte(text[i])
			}
		default:
			b.WriteByte(text[i])
		}
	}
	return b.String(), "no end"
}

func TestC29_quoted_text_stays_inside(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune("a山'\\\"\n\r\t\b\f%_;-)"))).Draw(t, "text")
		if value, rest := unquote(quote(text)); value != text || rest != "" {
			t.Fatalf("%q reads as %q, rest %q", text, value, rest)
		}
	})
}

func TestC55_limit_header(t *testing.T) {
	for header, want := range map[string]connectors.Usage{
		"api-usage=18/5000": {Used: 18, Limit: 5000, Left: 500, Ceiling: connectors.PerRun},
		"api-usage=25/5000; per-app-api-usage=17/250(appName=x)": {Used: 25, Limit: 5000, Left: 233, Ceiling: connectors.PerApp},
		"api-usage=10018/100000; api-bursts=1/750":               {Used: 10018, Limit: 100000, Left: 10000, Ceiling: connectors.PerRun},
		"per-app-api-usage=17/250(appName=x); api-usage=3/40":    {Used: 3, Limit: 40, Left: 4, Ceiling: connectors.PerRun},
		"": {}, "api-usage": {}, "api-usage=/": {}, ";;=": {}, "api-usage=99999999999999999999/1": {}, "api-usage=1/0": {}, "api-usage=1/-5": {},
	} {
		c := Conn{meter: connectors.NewMeter(connectors.DefaultBudget, nil, time.Now)}
		c.noteUsage(http.Header{"Sforce-Limit-Info": {header}})
		if diff := cmp.Diff(want, c.Usage()); diff != "" {
			t.Errorf("%q: %s", header, diff)
		}
	}
}

func TestClassify(t *testing.T) {
	body := func(code, message string) string {
		return `[{"errorCode":"` + code + `","message":"` + message + `"}]`
	}
	for name, tt := range map[string]struct {
		status int
		body   string
		want   fault.Kind
	}{
		"good":                  {200, `[]`, ""},
		"200 without body":      {200, ``, fault.Unavailable},
		"200 with HTML":         {200, `<html>Down for maintenance</html>`, fault.Unavailable},
		"session":               {401, body("INVALID_SESSION_ID", "Session expired or invalid"), fault.Auth},
		"day's limit":           {403, body("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."), fault.Quota},
		"concurrent limit":      {403, body("REQUEST_LIMIT_EXCEEDED", "ConcurrentRequests (Concurrent API Requests) Limit exceeded."), fault.RateLimited},
		"API off":               {403, body("API_DISABLED_FOR_ORG", "off"), fault.Auth},
		"other 403":             {403, ``, fault.Auth},
		"field":                 {400, body("INVALID_FIELD", `No such column`), fault.Config},
		"query timeout as 500":  {500, body("QUERY_TIMEOUT", "too long"), fault.Config},
		"unknown code with 500": {500, body("UNKNOWN_EXCEPTION", "?"), fault.Unavailable},
		"unknown code with 400": {400, body("SOMETHING_NEW", "?"), fault.Config},
		"406":                   {406, ``, fault.Unavailable},
		"420":                   {420, ``, fault.Unavailable},
		"429":                   {429, ``, fault.RateLimited},
		"503 HTML":              {503, `<h1>Sorry</h1>`, fault.Unavailable},
		"wrong secret":          {400, `{"error":"invalid_client","error_description":"invalid client credentials"}`, fault.Auth},
		"not My Domain":         {404, `<html>`, fault.Config},
		"moved":                 {301, ``, fault.Config},
		"URI":                   {414, `<h1>`, fault.Config},
	} {
		err := classify(httpclient.Response{Status: tt.status, Body: []byte(tt.body)})
		if got := fault.KindOf(err); got != tt.want {
			t.Errorf("%s: %q (%v); want %q", name, got, err, tt.want)
		}
	}
	if got := beginning([]byte(strings.Repeat("停", 200))); !strings.HasSuffix(got, "…") || strings.ContainsRune(got, '\uFFFD') {
		t.Errorf("a cut text: %q", got)
	}
}

// TestCursor_windows checks that the windows of a round, however they are
// halved, cover it without a gap, and that text and back changes nothing.
func TestCursor_windows(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		read := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
		until := read.Add(time.Duration(rapid.IntRange(1, 1_000).Draw(t, "seconds")) * time.Second)
		stream := quietSource()
		c := stream.parse("")
		c.Read = read
		if !c.begin(until, 10*time.Minute) {
			t.Fatal("nothing to read")
		}
		edge := read.Add(-10 * time.Minute)
		for steps := 0; c.Open != nil; steps++ {
			for range rapid.IntRange(0, 8).Draw(t, "halvings") {
				c.Open.halve()
			}
			if back := stream.parse(c.text()); !cmp.Equal(back, c) {
				t.Fatalf("%s reads back as %+v", c.text(), back)
			}
			got := c.finish(false)
			if !got.From.Equal(edge) || !got.To.After(got.From) {
				t.Fatalf("window %v after %v", got, edge)
			}
			edge = got.To
			if steps > 10_000 {
				t.Fatal("no end")
			}
		}
		if !edge.Equal(until) || !c.Read.Equal(until) {
			t.Fatalf("the round ends at %v, read is %v; want %v", edge, c.Read, until)
		}
	})
}

// quietSource is a source without an org and without a log.
func quietSource() *source {
	return &source{conn: &Conn{log: slog.New(slog.DiscardHandler)}, object: "Task"}
}

// A damaged cursor never panics, and gives one that can be gone on with.
func FuzzCursor(f *testing.F) {
	stream := quietSource()
	mine := string(stream.parse("").text())
	for _, more := range []string{
		``, `,"read":"2026-01-01T00:00:00Z"`, `,"read":"0000-01-01T00:00:00Z"`,
		`,"open":{"from":"2026-01-01T00:00:00Z","to":"2025-01-01T00:00:00Z"}`,
		`,"open":{"from":"2026-01-01T00:00:00Z","to":"2026-01-02T00:00:00Z","until":"2026-01-03T00:00:00Z"}`,
	} {
		f.Add(strings.Replace(mine, "}", more+"}", 1))
	}
	f.Add(`{"v":2}`)
	f.Add("日報")
	f.Fuzz(func(t *testing.T, text string) {
		c := stream.parse(connectors.Cursor(text))
		if c.Open != nil {
			c.Open.halve()
			c.finish(true)
		} else {
			c.begin(time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC), 10*time.Minute)
		}
		if back := stream.parse(c.text()); back.text() != c.text() {
			t.Errorf("%s reads back as %s", c.text(), back.text())
		}
	})
}
