// Package httpclient is the one HTTP client of energyd, and the only importer
// of resty. It knows what connectors should not have to: time-outs at every
// stage, repeating by fault kind with jitter, Retry-After, a bound on answers,
// no secret in errors or logs, and one sentence for each network trouble.
package httpclient

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/go-resty/resty/v2"

	"energyd/internal/fault"
)

// Options of a Client. A zero value means the default.
type Options struct {
	Log      *slog.Logger
	Timeout  time.Duration // of one attempt, from dialling to the last byte; default 30 s
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
}

// Response is an answer, read to its end.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
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
	c.rest = resty.New().
		SetTransport(c.transport).
		SetTimeout(o.Timeout).
		SetResponseBodyLimit(o.MaxBody).
		SetLogger(silent{}). // resty would print errors, with URLs, to stderr
		SetHeader("User-Agent", userAgent()).
		SetRedirectPolicy(resty.RedirectPolicyFunc(redirect)).
		SetRetryCount(o.Attempts - 1).
		SetRetryWaitTime(0).
		SetRetryMaxWaitTime(o.MaxPause).
		AddRetryCondition(c.retry).
		SetRetryAfter(c.pause)
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
	if value != "" {
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
	request := c.rest.R().SetContext(ctx).SetHeaders(r.Header)
	if r.Body != nil {
		request.SetBody(r.Body)
	}
	answer, err := request.Execute(r.Method, r.URL)
	var response Response
	if answer != nil && answer.RawResponse != nil && answer.Body() != nil {
		response = c.response(answer)
	}
	// An error of resty beside a whole answer only says that the attempts are over.
	if err == nil || response.Body != nil {
		err = c.classify(response)
	}
	switch {
	case ctx.Err() != nil && err != nil:
		return response, fault.New(fault.Unavailable, r.Op, "stopped before the answer came", "", ctx.Err())
	case err == nil:
		return response, nil
	}
	var f *fault.Error
	if !errors.As(err, &f) {
		f = c.trouble(r.URL, err)
	}
	placed := *f
	if placed.Op == "" {
		placed.Op = r.Op
	}
	placed.Msg = c.Redact(placed.Msg)
	return response, &placed
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

// judge gives the fault of one attempt; nil when it was good.
func (c *Client) judge(answer *resty.Response, err error) error {
	if err != nil {
		return c.trouble(answer.Request.URL, err)
	}
	return c.classify(c.response(answer))
}

// response is resty's answer in our form. Some servers quote the request, so
// what is not a success is redacted before anybody reads it.
func (c *Client) response(answer *resty.Response) Response {
	r := Response{answer.StatusCode(), answer.Header(), answer.Body()}
	if r.Status >= 300 {
		r.Body = []byte(c.Redact(string(r.Body)))
	}
	return r
}

// retry is resty's question whether to try again. Its default would not repeat any status.
func (c *Client) retry(answer *resty.Response, err error) bool {
	if answer == nil || answer.Request.Context().Err() != nil {
		return false
	}
	if answer.StatusCode() == statusEnhanceYourCalm && answer.Request.Attempt >= 2 {
		return false
	}
	return fault.Retryable(fault.KindOf(c.judge(answer, err)))
}

var errTooLong = errors.New("the server asks for a longer pause than a request may wait")

// pause is the wait before the next attempt: what the server asks for, else
// half to all of a doubling pause. Asked to slow down, it begins twenty times
// longer. resty honours no Retry-After by itself and caps waits at 2 s.
func (c *Client) pause(_ *resty.Client, answer *resty.Response) (time.Duration, error) {
	var err error
	if answer.RawResponse == nil {
		err = fault.New(fault.Unavailable, "", "", "", nil)
	} else {
		err = c.judge(answer, nil)
	}
	wait := c.options.Pause
	var f *fault.Error
	if errors.As(err, &f) {
		if f.RetryAfter > c.options.MaxPause {
			return 0, errTooLong
		}
		if f.RetryAfter > 0 {
			return f.RetryAfter, nil
		}
		if f.Kind == fault.RateLimited {
			wait *= 20
		}
	}
	wait = min(wait<<(answer.Request.Attempt-1), c.options.MaxPause)
	wait = wait/2 + rand.N(wait/2+1)
	c.options.Log.Debug("The request is repeated after a pause.", "host", host(answer.Request.URL),
		"status", answer.StatusCode(), "attempt", answer.Request.Attempt, "pause", wait)
	return wait, nil
}

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
