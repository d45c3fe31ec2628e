// Package httpclient is the one HTTP client of energyd, and the only importer
// of resty. It knows what connectors should not have to: time-outs at every
// stage, repeating by fault kind with jitter, Retry-After, a bound on answers,
// no secret in errors or logs, and one sentence for each network trouble.
package httpclient

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-resty/resty/v2"

	"energyd/internal/fault"
)

// Options of a Client. A zero value means the default.
type Options struct {
	Log *slog.Logger
	// Timeout bounds one attempt, from dialling to the last byte; of what is
	// streamed, in either direction, it bounds the time without a byte. Default 30 s.
	Timeout  time.Duration
	Attempts int           // in all; default 4
	Pause    time.Duration // before the second attempt, doubled for each further one; default 500 ms
	MaxPause time.Duration // the longest wait for the next attempt; beyond it the fault is returned; default 1 min
	MaxBody  int           // bytes of one answer; default 64 MiB
	// Classify says what is wrong with an answer: nil, or an error whose kind
	// decides about another attempt. The default is ByStatus.
	Classify func(Response) error
}

// Client sends requests. It may be used by several goroutines.
type Client struct {
	options   Options
	rest      *resty.Client
	transport *http.Transport

	mu     sync.Mutex
	hidden []string
}

// Request is one call. It is repeated as a whole, so doing it twice must be harmless.
type Request struct {
	Op     string // what it is for, as fault.Error.Op: "query Contact"
	Method string
	URL    string
	Header map[string]string
	Body   []byte
	// Content gives a body that is sent as it is read, instead of Body; it is
	// opened for each attempt. Its errors end the request, and come back as they are.
	Content func() (io.ReadCloser, error)
	// Before is asked before each attempt; its error ends the request unsent.
	Before func() error
}

// Response is an answer, read to its end unless it is Streamed.
type Response struct {
	Status   int
	Header   http.Header
	Body     []byte
	Streamed bool // a good answer to Stream: the body comes apart
}

// New makes a client.
func New(o Options) *Client {
	setDefault(&o.Timeout, 30*time.Second)
	setDefault(&o.Attempts, 4)
	setDefault(&o.Pause, 500*time.Millisecond)
	setDefault(&o.MaxPause, time.Minute)
	setDefault(&o.MaxBody, 64<<20)
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Classify == nil {
		o.Classify = ByStatus
	}
	dialer := &net.Dialer{Timeout: min(o.Timeout, 10*time.Second)}
	c := &Client{options: o, transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment, // never for loopback, by net/http's own rule
		DialContext:           dialer.DialContext,
		TLSHandshakeTimeout:   min(o.Timeout, 10*time.Second),
		ResponseHeaderTimeout: o.Timeout,
		IdleConnTimeout:       time.Minute,
		MaxIdleConnsPerHost:   4,
		ForceAttemptHTTP2:     true,
	}}
	// One attempt is resty's, its time-out the context's; repeating is ours (repeat.go).
	c.rest = resty.New().
		SetTransport(c.transport).
		SetResponseBodyLimit(o.MaxBody).
		SetLogger(silent{}). // resty would print errors, with URLs, to stderr
		SetHeader("User-Agent", userAgent()).
		SetRedirectPolicy(resty.RedirectPolicyFunc(redirect)).
		SetPreRequestHook(setContent)
	return c
}

func setDefault[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

// Hide makes value invisible in all errors and logs from now on.
func (c *Client) Hide(value string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if value != "" && !slices.Contains(c.hidden, value) {
		c.hidden = append(c.hidden, value, url.QueryEscape(value))
	}
}

// Redact gives text without the hidden values.
func (c *Client) Redact(text string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, h := range c.hidden {
		text = strings.ReplaceAll(text, h, "[redacted]")
	}
	return text
}

// Close drops idle connections.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// Do sends r until an answer is good, its fault is not of a retryable kind, or
// the attempts are used up. The Response is set for every answer that came,
// also beside an error. Faults: as Classify says; unavailable and config for
// network troubles, with the context's error in the chain when it ended.
func (c *Client) Do(ctx context.Context, r Request) (Response, error) {
	response, _, err := c.repeat(ctx, r, false)
	return response, err
}

// Stream is Do for an answer too large to hold: the body of a good one is
// handed out as it comes, unzipped, and belongs to the caller, who closes it.
// It is bound to ctx. Its read errors are faults as those of Do, but nothing is
// repeated once the body began.
func (c *Client) Stream(ctx context.Context, r Request) (Response, io.ReadCloser, error) {
	return c.repeat(ctx, r, true)
}

// classify adds Retry-After to what the connector says of an answer.
func (c *Client) classify(r Response) error {
	err := c.options.Classify(r)
	var f *fault.Error
	if errors.As(err, &f) && f.RetryAfter == 0 {
		withPause := *f
		withPause.RetryAfter = retryAfter(r.Header)
		return &withPause
	}
	return err
}

// ByStatus judges an answer by its HTTP status alone.
func ByStatus(r Response) error {
	kind := fault.Config
	switch s := r.Status; {
	case s < 300:
		return nil
	case s == http.StatusUnauthorized, s == http.StatusForbidden:
		kind = fault.Auth
	case s == http.StatusTooManyRequests:
		kind = fault.RateLimited
	case Transient(s):
		kind = fault.Unavailable
	}
	return fault.New(kind, "", fmt.Sprintf("the server answered %d %s", r.Status, http.StatusText(r.Status)), "", nil)
}

// Transient tells the statuses that heal by themselves. 406 and 420 do occur so.
func Transient(status int) bool {
	switch status {
	case http.StatusNotAcceptable, http.StatusRequestTimeout, statusEnhanceYourCalm, http.StatusTooEarly,
		http.StatusTooManyRequests:
		return true
	}
	return status >= 500 && status != http.StatusNotImplemented
}

// statusEnhanceYourCalm is no standard: busy edges send it, and so does a
// deleted Salesforce org for ever, so it is tried twice only.
const statusEnhanceYourCalm = 420

// retryAfter reads both forms of the header, RFC 9110 section 10.2.3; zero when there is none.
func retryAfter(h http.Header) time.Duration {
	text := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	// By the server's own clock: ours may be wrong.
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil || until.Before(now) {
		return 0
	}
	return until.Sub(now)
}

// redirect follows reading requests a few times, but never to another host nor
// out of TLS: the request carries a token. A write that moved is a
// configuration error, since turning it into a GET would lose it.
func redirect(next *http.Request, via []*http.Request) error {
	first := via[0]
	reads := first.Method == http.MethodGet || first.Method == http.MethodHead
	if !reads || len(via) > 3 || next.URL.Host != first.URL.Host || first.URL.Scheme == "https" && next.URL.Scheme != "https" {
		return http.ErrUseLastResponse
	}
	return nil
}

func userAgent() string {
	version := "devel"
	if info, ok := debug.ReadBuildInfo(); ok && strings.HasPrefix(info.Main.Version, "v") {
		version = info.Main.Version
	}
	return "energyd/" + version
}

func host(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return ""
	}
	return u.Host
}

type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}
