package telemetry

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"energyd/internal/fault"
	"energyd/internal/secret"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const planted = "0123456789abcdef-planted"

// TestHTTP_Problems: an address that others reach needs TLS and sign-on, or somebody who says that a proxy does both.
func TestHTTP_Problems(t *testing.T) {
	token := secret.New("${env:T}", planted)
	for _, tt := range []struct {
		name string
		HTTP
		want string // "" is right
	}{
		{"this machine", HTTP{Listen: "127.0.0.1:9765"}, ""},
		{"this machine by name", HTTP{Listen: "localhost:9765"}, ""},
		{"this machine, IPv6", HTTP{Listen: "[::1]:0"}, ""},
		{"nowhere", HTTP{Listen: "off"}, ""},
		{"all addresses", HTTP{Listen: ":9765"}, "can be reached from other machines"},
		{"all IPv4 addresses", HTTP{Listen: "0.0.0.0:9765"}, "can be reached"},
		{"a name", HTTP{Listen: "energyd.example:9765"}, "can be reached"},
		{"TLS alone", HTTP{Listen: ":9765", Certificate: "c", Key: "k"}, "can be reached"},
		{"sign-on alone", HTTP{Listen: ":9765", Token: token}, "can be reached"},
		{"both", HTTP{Listen: ":9765", Certificate: "c", Key: "k", Token: token}, ""},
		{"a proxy", HTTP{Listen: ":9765", BehindProxy: true}, ""},
		{"half a certificate", HTTP{Listen: "127.0.0.1:9765", Key: "k"}, "go together"},
		{"a short token", HTTP{Listen: "127.0.0.1:9765", Token: secret.New("${env:T}", "secret")}, "fewer than 16 characters"},
		{"no port", HTTP{Listen: "127.0.0.1"}, "is no address"},
	} {
		ps := tt.Problems()
		switch {
		case tt.want == "" && len(ps) > 0:
			t.Errorf("%s: %v", tt.name, ps)
		case tt.want != "" && (len(ps) != 1 || !strings.Contains(ps[0].Msg, tt.want) || strings.Contains(ps.Error(), "planted")):
			t.Errorf("%s: %v does not say %q", tt.name, ps, tt.want)
		}
	}
}

// serve serves on a free port and gives how to ask: path and token, answered by status and text.
func serve(t *testing.T, h HTTP, health *Health, client *http.Client) func(path, token string) (int, string) {
	t.Helper()
	h.Listen = "127.0.0.1:0"
	var log bytes.Buffer
	e, err := Serve(t.Context(), h, health, NewMetrics("1.2.3"), nil, slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	scheme := "http://"
	if h.Certificate != "" {
		scheme = "https://"
	}
	t.Cleanup(func() {
		client.CloseIdleConnections()
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if strings.Contains(log.String(), "planted") {
			t.Errorf("the log holds the token:\n%s", &log)
		}
	})
	return func(path, token string) (int, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, scheme+e.listener.Addr().String()+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		res, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		body, err := io.ReadAll(res.Body)
		if err != nil {
			t.Fatal(err)
		}
		return res.StatusCode, string(body)
	}
}

// TestServe: alive, ready and metrics on this machine need no sign-on; why it is not ready names nobody.
func TestServe(t *testing.T) {
	health := NewHealth()
	get := serve(t, HTTP{}, health, &http.Client{})
	for _, tt := range []struct {
		path string
		code int
		says string
	}{
		{"/healthz", 200, "ok"}, {"/readyz", 503, "has not begun"}, {"/metrics", 200, `energyd_build_info{version="1.2.3"} 1`}, {"/", 404, ""}, {"/debug/pprof/", 404, ""},
	} {
		if code, text := get(tt.path, ""); code != tt.code || !strings.Contains(text, tt.says) {
			t.Errorf("%s gives %d %s", tt.path, code, text)
		}
	}
	health.By(func(context.Context) error { return nil })
	if code, _ := get("/readyz", ""); code != 200 {
		t.Errorf("ready gives %d", code)
	}
	health.By(func(context.Context) error { return errors.New("no store for sato@example.co.jp") })
	if code, text := get("/readyz", ""); code != 503 || !strings.Contains(text, "no store for #") || strings.Contains(text, "sato") {
		t.Errorf("not ready gives %d %s", code, text)
	}
	health.began = health.began.Add(-stuck)
	if code, _ := get("/healthz", ""); code != 503 {
		t.Errorf("a daemon that hangs gives %d", code)
	}
}

// TestServe_TLS: with certificate and token, whoever lacks the token learns only that it is alive. A
// certificate that is renewed is used at once.
func TestServe_TLS(t *testing.T) {
	dir := t.TempDir()
	h := HTTP{Certificate: filepath.Join(dir, "crt"), Key: filepath.Join(dir, "key"), Token: secret.New("${env:T}", planted)}
	first := certify(t, h)
	pool := x509.NewCertPool()
	pool.AddCert(first)
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}
	get := serve(t, h, NewHealth(), &http.Client{Transport: transport})
	for _, tt := range []struct {
		path, token string
		code        int
	}{
		{"/healthz", "", 200}, {"/metrics", "", 401}, {"/metrics", planted + "x", 401}, {"/readyz", "", 401}, {"/metrics", planted, 200}, {"/readyz", planted, 503},
	} {
		if code, text := get(tt.path, tt.token); code != tt.code || strings.Contains(text, planted) {
			t.Errorf("%s with token %q gives %d %s", tt.path, tt.token, code, text)
		}
	}
	transport.CloseIdleConnections()
	transport.TLSClientConfig.RootCAs = x509.NewCertPool()
	transport.TLSClientConfig.RootCAs.AddCert(certify(t, h))
	if code, _ := get("/healthz", ""); code != 200 {
		t.Errorf("with the new certificate it gives %d", code)
	}
}

// certify writes a new certificate and its key where h has them.
func certify(t *testing.T, h HTTP) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(time.Now().UnixNano()), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for file, block := range map[string]*pem.Block{h.Certificate: {Type: "CERTIFICATE", Bytes: der}, h.Key: {Type: "PRIVATE KEY", Bytes: private}} {
		if err := os.WriteFile(file, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// TestServe_refused: an address that is taken, and a certificate that is none, say what to do.
func TestServe_refused(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for _, h := range []HTTP{{Listen: taken.Addr().String()}, {Listen: "127.0.0.1:0", Certificate: "none", Key: "none"}} {
		if _, err := Serve(t.Context(), h, NewHealth(), NewMetrics(""), nil, slog.New(slog.DiscardHandler)); fault.KindOf(err) != fault.Config || fault.HintOf(err) == "" {
			t.Errorf("%+v: %v", h, err)
		}
	}
}
