package httpclient

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"

	"energyd/internal/fault"
)

// A proxy that does not work is set for all tests: whoever asked it for a
// loopback address would fail.
func TestMain(m *testing.M) {
	for _, name := range []string{"HTTP_PROXY", "HTTPS_PROXY"} {
		os.Setenv(name, "http://127.0.0.1:1")
	}
	os.Unsetenv("NO_PROXY")
	os.Unsetenv("no_proxy")
	goleak.VerifyTestMain(m)
}

// serve answers with the given handlers in turn, the last one for ever, and counts.
func serve(t *testing.T, handlers ...http.HandlerFunc) (string, *atomic.Int64) {
	t.Helper()
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		handlers[min(int(calls.Add(1)), len(handlers))-1](w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, &calls
}

func status(code int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(code)
		fmt.Fprintf(w, "status %d", code)
	}
}

func cut(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func client(t *testing.T, o Options) *Client {
	t.Helper()
	if o.Pause == 0 {
		o.Pause = time.Millisecond
	}
	c := New(o)
	t.Cleanup(c.Close)
	return c
}

func get(url string) Request { return Request{Op: "read things", Method: http.MethodGet, URL: url} }

func TestDo(t *testing.T) {
	for name, tt := range map[string]struct {
		handlers []http.HandlerFunc
		kind     fault.Kind
		calls    int64
	}{
		"good at once":             {[]http.HandlerFunc{status(200)}, "", 1},
		"503 heals":                {[]http.HandlerFunc{status(503), status(503), status(200)}, "", 3},
		"429 heals":                {[]http.HandlerFunc{status(429), status(200)}, "", 2},
		"cut heals":                {[]http.HandlerFunc{cut, status(200)}, "", 2},
		"500 stays":                {[]http.HandlerFunc{status(500)}, fault.Unavailable, 4},
		"420 is tried twice":       {[]http.HandlerFunc{status(420)}, fault.Unavailable, 2},
		"400 is final":             {[]http.HandlerFunc{status(400)}, fault.Config, 1},
		"401 is final":             {[]http.HandlerFunc{status(401)}, fault.Auth, 1},
		"501 is final":             {[]http.HandlerFunc{status(501)}, fault.Config, 1},
		"cut stays":                {[]http.HandlerFunc{cut}, fault.Unavailable, 4},
		"a pause too long is told": {[]http.HandlerFunc{status(429, "Retry-After", "3600")}, fault.RateLimited, 1},
	} {
		t.Run(name, func(t *testing.T) {
			url, calls := serve(t, tt.handlers...)
			_, err := client(t, Options{}).Do(t.Context(), get(url))
			if fault.KindOf(err) != tt.kind || calls.Load() != tt.calls {
				t.Errorf("got %v after %d calls; want kind %q after %d", err, calls.Load(), tt.kind, tt.calls)
			}
			var f *fault.Error
			if errors.As(err, &f) && (f.Op != "read things" || f.Msg == "") {
				t.Errorf("the fault does not say where and what: %#v", f)
			}
		})
	}
}

func TestDo_waits_as_long_as_Retry_After_says(t *testing.T) {
	url, _ := serve(t, status(503, "Retry-After", "1"), status(200))
	began := time.Now()
	if _, err := client(t, Options{}).Do(t.Context(), get(url)); err != nil {
		t.Fatal(err)
	}
	if waited := time.Since(began); waited < time.Second {
		t.Errorf("the second attempt came after %v", waited)
	}
}

// C59: pauses double up to a cap, and no two clients wait alike.
func TestPause(t *testing.T) {
	c := client(t, Options{Pause: time.Second, MaxPause: 2 * time.Minute, Attempts: 12})
	for _, tt := range []struct {
		kind    fault.Kind
		status  int
		attempt int
		most    time.Duration // half to all of it; 0 = no further attempt
	}{
		{fault.Unavailable, 503, 1, time.Second}, {fault.Unavailable, 503, 2, 2 * time.Second}, {fault.Unavailable, 503, 4, 8 * time.Second},
		{fault.Unavailable, 503, 11, 2 * time.Minute}, {fault.Unavailable, 503, 12, 0},
		{fault.RateLimited, 403, 1, time.Minute}, {fault.RateLimited, 403, 2, 2 * time.Minute}, {fault.RateLimited, 403, 3, 2 * time.Minute},
		{fault.Unavailable, 420, 1, time.Second}, {fault.Unavailable, 420, 2, 0},
		{fault.Quota, 403, 1, 0}, {fault.Auth, 401, 1, 0}, {fault.Config, 400, 1, 0},
	} {
		seen := map[time.Duration]bool{}
		for range 50 {
			wait, again := c.pause(&fault.Error{Kind: tt.kind}, tt.status, tt.attempt)
			if again != (tt.most > 0) || wait > tt.most || wait < tt.most/2 {
				t.Fatalf("%s %d after attempt %d: %v, %v; want up to %v", tt.kind, tt.status, tt.attempt, wait, again, tt.most)
			}
			seen[wait] = true
		}
		if tt.most > 0 && len(seen) < 10 {
			t.Errorf("%s: only %d different pauses in 50", tt.kind, len(seen))
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 11, 21, 9, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "7": 7 * time.Second, "-1": 0, "soon": 0, "99999999999999999999": 0,
		now.Add(2 * time.Minute).Format(http.TimeFormat): 2 * time.Minute,
		now.Add(-time.Minute).Format(http.TimeFormat):    0,
	} {
		h := http.Header{"Retry-After": {text}, "Date": {now.Format(http.TimeFormat)}}
		if got := retryAfter(h); got != want {
			t.Errorf("%q: %v; want %v", text, got, want)
		}
	}
}

func TestDo_stops_with_its_context(t *testing.T) {
	url, _ := serve(t, status(503))
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	_, err := client(t, Options{Pause: time.Hour, MaxPause: time.Hour}).Do(ctx, get(url))
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v", err)
	}
}

func TestDo_redirects(t *testing.T) {
	for method, want := range map[string]fault.Kind{http.MethodGet: "", http.MethodPatch: fault.Config, http.MethodPost: fault.Config} {
		moved := func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/new", http.StatusFound) }
		url, calls := serve(t, moved, status(200))
		_, err := client(t, Options{}).Do(t.Context(), Request{Method: method, URL: url, Body: []byte("{}")})
		followed := calls.Load() == 2
		if fault.KindOf(err) != want || followed != (want == "") {
			t.Errorf("%s: %v after %d calls", method, err, calls.Load())
		}
	}
}

// A token must not follow a redirect to somebody else, nor out of TLS.
func TestDo_redirects_keep_the_token(t *testing.T) {
	elsewhere, calls := serve(t, status(200))
	moved := func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, elsewhere, http.StatusFound) }
	plain, _ := serve(t, moved)
	_, err := client(t, Options{}).Do(t.Context(), get(plain))
	if fault.KindOf(err) != fault.Config || calls.Load() != 0 {
		t.Errorf("to another host: %v after %d calls there", err, calls.Load())
	}
	for from, to := range map[string]string{"https://crm.example/a": "http://crm.example/b", "https://crm.example/": "https://crm.example.net/"} {
		next, first := httptest.NewRequest(http.MethodGet, to, nil), httptest.NewRequest(http.MethodGet, from, nil)
		if redirect(next, []*http.Request{first}) == nil {
			t.Errorf("%s to %s is followed", from, to)
		}
	}
}

func TestDo_sends_who_it_is_and_the_whole_body_again(t *testing.T) {
	var bodies []string
	url, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		bodies = append(bodies, r.UserAgent()+" "+string(body))
		w.WriteHeader(http.StatusServiceUnavailable)
	})
	_, _ = client(t, Options{Attempts: 2}).Do(t.Context(), Request{Method: http.MethodPost, URL: url, Body: []byte("日報")})
	if len(bodies) != 2 || bodies[0] != bodies[1] || !strings.HasPrefix(bodies[0], "energyd/") || !strings.HasSuffix(bodies[0], " 日報") {
		t.Errorf("sent %q", bodies)
	}
}

func TestClient_hides_secrets(t *testing.T) {
	const planted = "s3cr3t/+value"
	url, _ := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadGateway)
		fmt.Fprintf(w, "you sent %s", planted)
	})
	var log bytes.Buffer
	c := client(t, Options{
		Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Classify: func(r Response) error {
			return fault.New(fault.Unavailable, "", string(r.Body), "", errors.New(string(r.Body)))
		},
	})
	c.Hide(planted)
	_, err := c.Do(t.Context(), get(url+"/?key="+planted))
	c.Close()
	_, refused := c.Do(t.Context(), get("http://127.0.0.1:1/?key="+planted))
	for _, text := range []string{err.Error(), refused.Error(), log.String()} {
		if strings.Contains(text, "s3cr3t") || text == "" {
			t.Errorf("the secret shows, or nothing is said: %s", text)
		}
	}
}

func TestDo_network_troubles(t *testing.T) {
	tls := httptest.NewTLSServer(status(200))
	defer tls.Close()
	plain, _ := serve(t, status(200))
	large, _ := serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 3000)) })
	hanging, err := net.Listen("tcp", "127.0.0.1:0") // takes connections, and that is all
	if err != nil {
		t.Fatal(err)
	}
	defer hanging.Close()
	for name, tt := range map[string]struct {
		url  string
		kind fault.Kind
		msg  string
	}{
		"refused":    {"http://127.0.0.1:1", fault.Unavailable, "nothing listens at 127.0.0.1:1"},
		"unknown CA": {tls.URL, fault.Config, "was issued by somebody this machine does not know"},
		"no TLS":     {strings.Replace(plain, "http:", "https:", 1), fault.Config, "does not speak TLS"},
		"proxy":      {"http://crm.example", fault.Unavailable, "the proxy before crm.example cannot be reached"},
		"too large":  {large, fault.Config, "is larger than"},
		"no answer":  {"http://" + hanging.Addr().String(), fault.Unavailable, "did not answer within 100ms"},
	} {
		t.Run(name, func(t *testing.T) {
			timeout := time.Minute
			if name == "no answer" {
				timeout = 100 * time.Millisecond
			}
			_, err := client(t, Options{Attempts: 1, MaxBody: 2000, Timeout: timeout}).Do(t.Context(), get(tt.url))
			if fault.KindOf(err) != tt.kind || !strings.Contains(err.Error(), tt.msg) || fault.HintOf(err) == "" {
				t.Errorf("got %v (%s); want %q with a hint", err, fault.KindOf(err), tt.msg)
			}
		})
	}
}

func TestTrouble(t *testing.T) {
	c := client(t, Options{})
	for want, err := range map[string]error{
		"there is no host crm.example":                   &net.OpError{Op: "dial", Err: &net.DNSError{Name: "crm.example", IsNotFound: true}},
		"the name crm.example could not be looked up":    &net.DNSError{Name: "crm.example", IsTemporary: true},
		"there is no way through the network to crm:443": &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ENETUNREACH)},
		"the certificate of crm:443 is for another name": x509.HostnameError{Certificate: &x509.Certificate{}, Host: "crm"},
		"the certificate of crm:443 is not valid now":    x509.CertificateInvalidError{Reason: x509.Expired},
		"crm:443 cut the connection":                     io.ErrUnexpectedEOF,
		"the connection to crm:443 failed":               errors.New("something new"),
	} {
		if got := c.trouble("https://crm:443/x?key=1", err); got.Msg != want || strings.Contains(got.Error(), "key=1") {
			t.Errorf("%v gives %q; want %q", err, got.Msg, want)
		}
	}
}
