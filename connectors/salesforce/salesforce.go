// Package salesforce reads objects of a Salesforce org and writes fields of its
// records: SOQL and bulk queries for reading (source.go, bulk.go), sObject
// collections and bulk jobs for writing (target.go, ingest*.go). It makes the
// fields that are written (fields*.go), or a package with them (package.go). All
// calls go through Conn.call, which knows the session (session.go) and what the
// org's errors mean (faults.go).
package salesforce

import (
	"context"
	_ "embed" // for the sample
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"energyd/connectors"
	"energyd/internal/fault"
	"energyd/internal/httpclient"
	"energyd/internal/secret"
)

//go:embed sample.yaml
var sample []byte

// Connector is the registry's entry.
var Connector = connectors.Connector{
	Name: "salesforce", Title: "Salesforce", Sample: sample,
	NewConfig: newConfig, NewStream: newStream, Open: open,
	Reads: true, Writes: true,
}

// Conn is one org. It implements connectors.Conn, Target and Budgeter.
type Conn struct {
	cfg      Config
	name     string // in energyd.yaml
	log      *slog.Logger
	say      func(en, ja string, args ...any) string // a remark in the language of people
	pause    time.Duration                           // the first pause before something is tried again
	http     *httpclient.Client
	sessions sessions
	tokens   string // file of refresh tokens
	meter    *connectors.Meter
	lanes    *lanes
	prepared prepared
	jobBytes int         // of one bulk upload
	singly   atomic.Bool // the org does not take several collections in one call
}

var (
	_ connectors.Target       = (*Conn)(nil)
	_ connectors.JobTarget    = (*Conn)(nil)
	_ connectors.ChangeReader = (*Conn)(nil)
	_ connectors.Budgeter     = (*Conn)(nil)
)

func open(_ context.Context, cfg connectors.Config, env connectors.Env) (connectors.Conn, error) {
	return newConn(*cfg.(*Config), env, time.Second), nil
}

// Pausing is the connector with another pause than a second before its second attempt, for tests that live
// through many outages.
func Pausing(pause time.Duration) connectors.Connector {
	c := Connector
	c.Open = func(_ context.Context, cfg connectors.Config, env connectors.Env) (connectors.Conn, error) {
		return newConn(*cfg.(*Config), env, pause), nil
	}
	return c
}

func newConn(cfg Config, env connectors.Env, pause time.Duration) *Conn {
	cfg.URL = strings.TrimRight(cfg.URL, "/")
	c := &Conn{cfg: cfg, name: env.Name, log: env.Log, say: env.Say, pause: pause, jobBytes: jobBytes, lanes: newLanes(maxLanes),
		meter: connectors.NewMeter(cfg.Budget, env.Calls, time.Now)}
	c.http = httpclient.New(httpclient.Options{
		Log: env.Log, Timeout: time.Duration(cfg.Timeout), Pause: pause, MaxPause: 120 * pause, Classify: c.classify,
	})
	for _, s := range []secret.Secret{cfg.ClientSecret, cfg.PrivateKey, cfg.RefreshToken, cfg.TokenKey} {
		c.http.Hide(s.Reveal())
	}
	if c.tokens = cfg.TokenFile; c.tokens == "" {
		c.tokens = env.Name + ".refresh_token"
	}
	if !filepath.IsAbs(c.tokens) {
		c.tokens = filepath.Join(env.Dir, c.tokens)
	}
	c.sessions.gate = make(chan struct{}, 1)
	return c
}

// Close drops the connections; the org lets the session expire.
func (c *Conn) Close() error {
	c.http.Close()
	return nil
}

// Check signs on and asks for the configured API version.
func (c *Conn) Check(ctx context.Context) error {
	const op = "check Salesforce"
	if _, err := c.sessions.get(ctx, c, nil); err != nil {
		return err
	}
	var resources map[string]any
	err := c.call(ctx, call{op: op, method: http.MethodGet, path: ""}, &resources)
	if !hasCode(err, "NOT_FOUND", "UNSUPPORTED_API_VERSION") { // not yet, or no longer (S26)
		return err
	}
	versions, _, listErr := c.versions(ctx)
	if listErr != nil {
		return listErr
	}
	return fault.New(fault.Config, op, fmt.Sprintf("the org does not know API version %s", c.cfg.APIVersion),
		fmt.Sprintf("set api_version to one of the org's; its newest is %s", versions[len(versions)-1]), err)
}

// versions asks for the org's API versions ("v66.0") and its clock, UTC. It
// needs no session and does not count against the limit of calls.
func (c *Conn) versions(ctx context.Context) ([]string, time.Time, error) {
	const op = "ask Salesforce for its clock"
	s, err := c.sessions.get(ctx, c, nil)
	if err != nil {
		return nil, time.Time{}, err
	}
	answer, err := c.http.Do(ctx, httpclient.Request{Op: op, Method: http.MethodGet, URL: s.instance + "/services/data"})
	if err != nil {
		return nil, time.Time{}, err
	}
	var listed []struct{ Version string }
	now, dateErr := http.ParseTime(answer.Header.Get("Date"))
	if err := json.Unmarshal(answer.Body, &listed); err != nil || len(listed) == 0 || dateErr != nil {
		return nil, time.Time{}, fault.New(fault.Unavailable, op, "the answer has no versions or no Date header", "check that url is the org's My Domain and no proxy rewrites its answers", err)
	}
	names := make([]string, len(listed))
	for i, v := range listed {
		names[i] = "v" + v.Version
	}
	return names, now.UTC(), nil
}

// call is one request below /services/data/vXX.X, or to a path that the org gave itself.
type call struct {
	op, method string
	path       string // "/sobjects"; a path from the org begins with "/services/"
	query      url.Values
	header     map[string]string
	body       any // sent as JSON when not nil
	// content is sent instead of body, as it is read: a bulk file. It is opened for each
	// attempt, and header names its Content-Type. Its errors come back as they are.
	content func() (io.ReadCloser, error)
	// once sends it again only where the org surely did nothing: it makes records.
	once bool
}

// unrepeated lets one attempt through.
func (c *Conn) unrepeated(op string) func() error {
	tried := false
	return func() error {
		if tried {
			return fault.New(fault.Unavailable, op, "the org broke off, so that nobody knows whether it did it", "nothing: the next run asks the org, and goes on", nil)
		}
		tried = true
		return c.meter.Spend(op)
	}
}

// call sends what, renews a dead session once, and decodes the answer into out;
// nil when none is expected.
func (c *Conn) call(ctx context.Context, what call, out any) error {
	var answer httpclient.Response
	err := c.signedOn(ctx, what, func(r httpclient.Request) (err error) {
		answer, err = c.http.Do(ctx, r)
		return err
	})
	if err != nil || out == nil {
		return err
	}
	if err := json.Unmarshal(answer.Body, out); err != nil {
		return fault.New(fault.Unavailable, what.op, "the answer has not the form that Salesforce documents", "", err)
	}
	return nil
}

// stream is call for an answer too large to hold: a bulk result. The body comes
// unzipped, belongs to the caller, who closes it, and is bound to ctx. Its
// read errors are faults; a cut is none that is repeated here.
func (c *Conn) stream(ctx context.Context, what call) (http.Header, io.ReadCloser, error) {
	var (
		answer httpclient.Response
		body   io.ReadCloser
	)
	err := c.signedOn(ctx, what, func(r httpclient.Request) (err error) {
		answer, body, err = c.http.Stream(ctx, r)
		return err
	})
	return answer.Header, body, err
}

// signedOn makes the request of what and has it sent with a live session: one that
// is found dead is renewed, once.
func (c *Conn) signedOn(ctx context.Context, what call, send func(httpclient.Request) error) error {
	request := httpclient.Request{Op: what.op, Method: what.method, Content: what.content,
		Before: func() error { return c.meter.Spend(what.op) }, Header: map[string]string{"Accept": "application/json"}}
	maps.Copy(request.Header, what.header)
	if what.body != nil {
		body, err := json.Marshal(what.body)
		if err != nil {
			return fault.New(fault.Internal, what.op, "the request cannot be written as JSON", "", err)
		}
		request.Body = body
		request.Header["Content-Type"] = "application/json"
	}
	path := what.path
	if !strings.HasPrefix(path, "/services/") {
		path = "/services/data/" + c.cfg.APIVersion + path
	}
	if len(what.query) > 0 {
		path += "?" + encode(what.query)
	}
	if len(path) > maxURI {
		return fault.New(fault.Config, what.op,
			fmt.Sprintf("the query is %d bytes long; Salesforce takes %d", len(path), maxURI),
			"name fewer fields, or use a shorter where", nil)
	}
	if err := c.lanes.enter(ctx, what.op); err != nil {
		return err
	}
	defer c.lanes.leave()
	var stale *session
	for {
		s, err := c.sessions.get(ctx, c, stale)
		if err != nil {
			return err
		}
		if what.once {
			request.Before = c.unrepeated(what.op)
		}
		request.URL = s.instance + path
		request.Header["Authorization"] = "Bearer " + s.token
		if err = send(request); stale == nil && renewable(err) {
			stale = s
			continue
		}
		return err
	}
}

// encode writes blanks as %20: some edges between here and the org read + as +.
func encode(query url.Values) string { return strings.ReplaceAll(query.Encode(), "+", "%20") }

// maxURI leaves room for the headers within the 16,384 bytes of URI and headers
// together; access tokens may be JWTs of some thousand bytes.
const maxURI = 12_000

// classify reads what each answer says besides: how much of the day's calls is used, and that too many are made at once.
func (c *Conn) classify(r httpclient.Response) error {
	c.noteUsage(r.Header)
	err := classify(r)
	if hasCode(err, limitCode) && fault.KindOf(err) == fault.RateLimited {
		if left, narrowed := c.lanes.narrow(time.Now(), 30*c.pause); narrowed {
			c.log.Warn("Too many long calls run in the org at once; energyd makes fewer.", "at_once", left)
		}
	}
	return err
}

// noteUsage takes what Sforce-Limit-Info says: calls of the last 24 hours, by all
// programs and, where the admin bounds it, by our app. It comes in at least four forms
// ("api-usage=25/5000; per-app-api-usage=17/250(appName=x)"), so it is read by key (C55).
func (c *Conn) noteUsage(h http.Header) {
	for part := range strings.SplitSeq(h.Get("Sforce-Limit-Info"), ";") {
		key, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		value, _, _ = strings.Cut(value, "(")
		usedText, limitText, _ := strings.Cut(value, "/")
		used, err1 := strconv.Atoi(usedText)
		limit, err2 := strconv.Atoi(limitText)
		if err1 != nil || err2 != nil || limit <= 0 {
			continue
		}
		switch key {
		case "api-usage":
			c.meter.Told(used, limit)
		case "per-app-api-usage":
			c.meter.ToldApp(used, limit)
		}
	}
}

// Usage tells how the connection stands with its budget of calls.
func (c *Conn) Usage() connectors.Usage { return c.meter.Usage() }
