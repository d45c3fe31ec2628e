package imap

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"sync"
	"time"

	"energyd/internal/fault"
	"energyd/internal/httpclient"
)

// accessToken is a mailbox's access token.
type accessToken struct {
	mu      sync.Mutex
	token   string
	until   time.Time
	refresh string // the newest refresh token, when the service gave another; "" = the configuration's
}

// token gives an access token for b; not is one that the mail server refused.
func (c *conn) token(ctx context.Context, b *box, not string) (string, error) {
	a := &b.access
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token != "" && a.token != not && time.Now().Before(a.until) {
		return a.token, nil
	}
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.cfg.OAuth.ClientID}}
	if !b.RefreshToken.IsZero() {
		refresh := a.refresh
		if refresh == "" {
			refresh = b.RefreshToken.Reveal()
		}
		c.http.Hide(refresh)
		form.Set("grant_type", "refresh_token")
		form.Set("refresh_token", refresh)
	}
	if !c.cfg.OAuth.ClientSecret.IsZero() {
		c.http.Hide(c.cfg.OAuth.ClientSecret.Reveal())
		form.Set("client_secret", c.cfg.OAuth.ClientSecret.Reveal())
	}
	if scope := c.cfg.scope(b.Mailbox); scope != "" {
		form.Set("scope", scope)
	}
	const op = "ask for an access token"
	answer, err := c.http.Do(ctx, httpclient.Request{
		Op: op, Method: http.MethodPost, URL: c.cfg.tokenURL(), Body: []byte(form.Encode()),
		Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
	})
	var body struct {
		Token   string `json:"access_token"`
		Refresh string `json:"refresh_token"`
		Seconds int    `json:"expires_in"`
		Error   string `json:"error"`
	}
	malformed := json.Unmarshal(answer.Body, &body) // an error's answer may be anything
	if err != nil {
		if body.Error != "" { // invalid_grant and the like come with status 400
			hint := "check client_id and client_secret, and that the application was given the right to read mail by IMAP"
			if body.Error == "invalid_grant" {
				hint = "the refresh token has expired or was withdrawn: sign on once more as this mailbox's user and keep the new one"
			}
			return "", fault.New(fault.Auth, op, "the token service refused: "+word(body.Error), hint, nil)
		}
		return "", err
	}
	if malformed != nil || body.Token == "" {
		return "", fault.New(fault.Config, op, "the answer holds no token", "check token_url", nil)
	}
	c.http.Hide(body.Token)
	a.token, a.until = body.Token, time.Now().Add(time.Duration(max(body.Seconds-60, 30))*time.Second)
	if body.Refresh != "" {
		a.refresh = body.Refresh
	}
	return a.token, nil
}

// word cuts a service's error code down to what is one.
func word(s string) string {
	if len(s) > 60 {
		return s[:60]
	}
	return s
}

// bearer is the SASL client of both mechanisms that carry a token.
type bearer struct{ mechanism, user, token, host, port string }

func (b bearer) Start() (mechanism string, first []byte, err error) {
	if b.mechanism == "XOAUTH2" {
		return b.mechanism, []byte("user=" + b.user + "\x01auth=Bearer " + b.token + "\x01\x01"), nil
	}
	return b.mechanism, []byte("n,a=" + b.user + ",\x01host=" + b.host + "\x01port=" + b.port + "\x01auth=Bearer " + b.token + "\x01\x01"), nil
}

// Next answers the challenge in which a server says why it refuses: by one
// 0x01, so that the refusal comes instead of "BAD invalid base64" [5].
func (b bearer) Next([]byte) ([]byte, error) { return []byte{1}, nil }
