package salesforce

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"energyd/internal/fault"
	"energyd/internal/httpclient"
)

// session is one access token and the address that its calls go to.
type session struct{ token, instance string }

// sessions holds the connection's session. However many calls find it dead, one of them renews it.
type sessions struct {
	current atomic.Pointer[session]
	gate    chan struct{} // of size 1: a mutex that honours contexts
}

// get gives a session other than stale, signing on if need be.
func (s *sessions) get(ctx context.Context, c *Conn, stale *session) (*session, error) {
	if now := s.current.Load(); now != nil && now != stale {
		return now, nil
	}
	select {
	case s.gate <- struct{}{}:
	case <-ctx.Done():
		return nil, fault.New(fault.Unavailable, "sign on to Salesforce", "stopped before the answer came", "", ctx.Err())
	}
	defer func() { <-s.gate }()
	if now := s.current.Load(); now != nil && now != stale {
		return now, nil
	}
	fresh, err := c.signOn(ctx)
	if err != nil {
		return nil, err
	}
	s.current.Store(fresh)
	return fresh, nil
}

// signOn takes the client credentials flow, which only the org's My Domain serves.
func (c *Conn) signOn(ctx context.Context) (*session, error) {
	const op = "sign on to Salesforce"
	form := url.Values{
		"grant_type": {"client_credentials"}, "client_id": {c.cfg.ClientID}, "client_secret": {c.cfg.ClientSecret.Reveal()},
	}
	answer, err := c.http.Do(ctx, httpclient.Request{
		Op: op, Method: http.MethodPost, URL: c.cfg.URL + "/services/oauth2/token", Body: []byte(form.Encode()),
		Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
	})
	if err != nil {
		return nil, err
	}
	var granted struct {
		Token    string `json:"access_token"`
		Instance string `json:"instance_url"`
	}
	if err := json.Unmarshal(answer.Body, &granted); err != nil || granted.Token == "" {
		return nil, fault.New(fault.Config, op, "the answer holds no token", "check that url is the org's My Domain", nil)
	}
	instance, err := url.Parse(granted.Instance)
	if err != nil || instance.Host == "" || (instance.Scheme != "https" && !loopback(instance.Hostname())) {
		return nil, fault.New(fault.Config, op, "the answer holds no safe instance_url", "check that url is the org's My Domain", nil)
	}
	c.http.Hide(granted.Token)
	return &session{token: granted.Token, instance: strings.TrimRight(granted.Instance, "/")}, nil
}
