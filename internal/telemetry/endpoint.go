package telemetry

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"energyd/internal/fault"
	"energyd/internal/secret"
)

// HTTP is the section http of energyd.yaml: where health and metrics are served.
type HTTP struct {
	Listen      string        `yaml:"listen"`       // "127.0.0.1:9765"; "off" for nowhere
	Certificate string        `yaml:"certificate"`  // PEM file, with the chain
	Key         string        `yaml:"key"`          // PEM file
	Token       secret.Secret `yaml:"token"`        // that who asks has to send: Authorization: Bearer …
	BehindProxy bool          `yaml:"behind_proxy"` // a proxy in front does TLS and sign-on
}

// Off is the address of an endpoint that is not wanted.
const Off = "off"

// HTTPDefaults are those of a configuration without the section.
func HTTPDefaults() HTTP { return HTTP{Listen: "127.0.0.1:9765"} }

// shortestToken is the fewest characters of a token that nobody guesses.
const shortestToken = 16

// Problems finds what is wrong in the section, by paths below "http". Whoever
// can reach another address than this machine's own could read what is served,
// so that needs TLS and sign-on, or somebody who says that a proxy does both.
func (h *HTTP) Problems() fault.Problems {
	var ps fault.Problems
	if h.Listen == Off {
		return nil
	}
	host, _, err := net.SplitHostPort(h.Listen)
	if err != nil {
		ps = append(ps, fault.Problem{Path: "http.listen", Msg: fmt.Sprintf("%q is no address", h.Listen), Hint: "write ADDRESS:PORT as 127.0.0.1:9765, or off"})
		return ps
	}
	if (h.Certificate == "") != (h.Key == "") {
		ps.Add("http", "certificate and key go together")
	}
	if !h.Token.IsZero() && len(h.Token.Reveal()) < shortestToken {
		ps.Add("http.token", "the token has fewer than %d characters; make one with: openssl rand -hex 32", shortestToken)
	}
	if !Loopback(host) && !h.BehindProxy && (h.Certificate == "" || h.Token.IsZero()) {
		ps = append(ps, fault.Problem{Path: "http.listen", Msg: fmt.Sprintf("%s can be reached from other machines, without TLS and sign-on", h.Listen),
			Hint: "give certificate, key and token; or listen on 127.0.0.1; or write behind_proxy: true where a proxy does TLS and sign-on and nobody else reaches this address"})
	}
	return ps
}

// Loopback tells hosts that only this machine reaches.
func Loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Local tells that only this machine reaches the address, and that no proxy is said to stand before it.
func (h *HTTP) Local() bool {
	host, _, err := net.SplitHostPort(h.Listen)
	return err == nil && Loopback(host) && !h.BehindProxy
}

// Endpoint serves health and metrics.
type Endpoint struct {
	server   http.Server
	listener net.Listener
	done     chan struct{}
}

// Serve listens and serves until Close: health, metrics and, at every other address, pages, which may be nil. Faults: config (the address is taken, or
// not ours; certificate and key cannot be used).
func Serve(ctx context.Context, h HTTP, health *Health, metrics *Metrics, pages http.Handler, log *slog.Logger) (*Endpoint, error) {
	bad := func(msg, hint string, err error) (*Endpoint, error) {
		return nil, fault.New(fault.Config, "http", msg, hint, err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", h.Listen)
	if err != nil {
		return bad("cannot listen on "+h.Listen, "if another energyd runs here already, stop it or give this one another port under http.listen", err)
	}
	scheme := "http"
	if h.Certificate != "" {
		load := func(*tls.ClientHelloInfo) (*tls.Certificate, error) { // anew each time: certificates are renewed
			pair, err := tls.LoadX509KeyPair(h.Certificate, h.Key)
			return &pair, err
		}
		if _, err := load(nil); err != nil {
			return bad("certificate and key cannot be used", "both are PEM files, and the key belongs to the certificate", errors.Join(err, listener.Close()))
		}
		listener = tls.NewListener(listener, &tls.Config{GetCertificate: load, MinVersion: tls.VersionTLS12})
		scheme = "https"
	}
	e := &Endpoint{listener: listener, done: make(chan struct{})}
	e.server = http.Server{
		Handler:           handler(h.Token, health, metrics, pages),
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: time.Minute,
		MaxHeaderBytes: 16 << 10, ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	go func() {
		defer close(e.done)
		if err := e.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("health and metrics are no longer served", "error", err)
		}
	}()
	log.Info("health and metrics are served", "at", scheme+"://"+listener.Addr().String())
	return e, nil
}

// Address is where it listens: HOST:PORT.
func (e *Endpoint) Address() string { return e.listener.Addr().String() }

// Close ends the endpoint; what is being answered has a moment to end.
func (e *Endpoint) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	err := e.server.Shutdown(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = e.server.Close()
	}
	<-e.done
	return err
}

// handler serves. Whether the process is alive is told to everybody; the rest only to who knows the token, where there is one.
func handler(token secret.Secret, health *Health, metrics *Metrics, pages http.Handler) http.Handler {
	known := func(next http.Handler) http.Handler {
		if token.IsZero() {
			return next
		}
		want := sha256.Sum256([]byte(token.Reveal()))
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			given, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
			if got := sha256.Sum256([]byte(given)); subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
				w.Header().Set("WWW-Authenticate", "Bearer")
				http.Error(w, "send the token of http.token: Authorization: Bearer …", http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if !health.Alive() {
			http.Error(w, "the daemon does not go on", http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ok\n") // whoever asked is gone
	})
	mux.Handle("GET /readyz", known(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
		defer cancel()
		if err := health.Ready(ctx); err != nil {
			http.Error(w, addresses.ReplaceAllStringFunc(err.Error(), shortHash), http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ready\n")
	})))
	mux.Handle("GET /metrics", known(metrics.Handler()))
	if pages != nil {
		mux.Handle("/", pages)
	}
	return mux
}
