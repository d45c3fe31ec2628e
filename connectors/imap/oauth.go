package imap

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"energyd/internal/fault"
	"energyd/internal/httpclient"
	"energyd/internal/secret"
	"energyd/internal/wholefile"
)

// accessToken is a mailbox's access token.
type accessToken struct {
	mu      sync.Mutex
	token   string
	until   time.Time
	refresh string // the last refresh token that the service gave; "" = none of this process
}

// token gives an access token for b; not is one that the mail server refused.
func (c *conn) token(ctx context.Context, b *box, not string) (string, error) {
	a := &b.access
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token != "" && a.token != not && time.Now().Before(a.until) {
		return a.token, nil
	}
	if b.RefreshToken.IsZero() {
		_, err := c.ask(ctx, b, "")
		return a.token, err
	}
	// The kept one goes before the configuration's, which is the first one, or a new
	// one of an admin. Another process may keep a newer one meanwhile.
	var refused error
	tried := map[string]bool{}
	for {
		refresh, err := c.kept(b)
		if err != nil {
			return "", err
		}
		if refresh == "" || tried[refresh] {
			refresh = b.RefreshToken.Reveal()
		}
		if tried[refresh] {
			return "", refused
		}
		tried[refresh] = true
		gone, err := c.ask(ctx, b, refresh)
		switch {
		case err == nil:
			return a.token, nil
		case !gone:
			return "", err
		}
		refused = err
	}
}

const tokenOp = "ask for an access token"

// ask asks the token service, by a refresh token or, without one, by the
// application's own right. gone tells that the refresh token is worth nothing any more.
func (c *conn) ask(ctx context.Context, b *box, refresh string) (gone bool, err error) {
	form := url.Values{"grant_type": {"client_credentials"}, "client_id": {c.cfg.OAuth.ClientID}}
	if refresh != "" {
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
	answer, err := c.http.Do(ctx, httpclient.Request{
		Op: tokenOp, Method: http.MethodPost, URL: c.cfg.tokenURL(), Body: []byte(form.Encode()),
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
		if body.Error == "" { // invalid_grant and the like come with status 400
			return false, err
		}
		gone = body.Error == "invalid_grant"
		hint := "check client_id and client_secret, and that the application was given the right to read mail by IMAP"
		if gone {
			hint = "the refresh token has expired or was withdrawn: sign on once more as this mailbox's user, put the new one where refresh_token points to, and delete " + c.tokenFile(b)
		}
		return gone, fault.New(fault.Auth, tokenOp, "the token service refused: "+word(body.Error), hint, nil)
	}
	if malformed != nil || body.Token == "" {
		return false, fault.New(fault.Config, tokenOp, "the answer holds no token", "check token_url", nil)
	}
	c.http.Hide(body.Token)
	if body.Refresh != "" && body.Refresh != refresh && refresh != "" {
		c.keep(b, body.Refresh) // first: the one in use may be dead now
	}
	b.access.token, b.access.until = body.Token, time.Now().Add(time.Duration(max(body.Seconds-60, 30))*time.Second)
	return false, nil
}

// tokenFile is where a mailbox's last refresh token is kept. It is made when the
// service gives one, and holds nothing else.
func (c *conn) tokenFile(b *box) string {
	dir := c.cfg.OAuth.TokenDir
	if dir == "" {
		dir = c.env.Name + ".tokens"
	}
	if !filepath.IsAbs(dir) {
		dir = filepath.Join(c.env.Dir, dir)
	}
	return filepath.Join(dir, url.PathEscape(b.User)+".token")
}

// kept gives the last refresh token that the service gave for b, to whatever process; "" for none. One that does not open
// is an error, since writing a new one over it might lose it. One that lies in clear is encrypted, if there is a key.
func (c *conn) kept(b *box) (string, error) {
	file := c.tokenFile(b)
	data, err := os.ReadFile(file)
	if err != nil {
		return b.access.refresh, nil
	}
	token, inClear, err := c.seal(b).Open(file, data)
	if err != nil {
		return "", err
	}
	if inClear {
		if err := c.write(b, token); err != nil {
			c.env.Log.Warn("The kept refresh token cannot be encrypted and stays in clear. Let energyd's user write the folder of the file.",
				"mailbox", b.User, "file", file, "error", err)
		}
	}
	if token == "" {
		return b.access.refresh, nil
	}
	return token, nil
}

// keep puts a refresh token where the next process finds it. One that cannot be
// kept does not stop the reading, but an admin must know.
func (c *conn) keep(b *box, token string) {
	c.http.Hide(token)
	b.access.refresh = token
	if err := c.write(b, token); err != nil {
		c.env.Log.Warn("The token service gave another refresh token, which cannot be kept: after a restart the mailbox may be closed to energyd. "+
			"Let energyd's user write the folder of the file, or name another in oauth.token_dir.", "mailbox", b.User, "file", c.tokenFile(b), "error", err)
	}
}

// write puts a token into b's file, in a folder for our own user alone.
func (c *conn) write(b *box, token string) error {
	file := c.tokenFile(b)
	data, err := c.seal(b).Close(token)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	return wholefile.Write(file, data)
}

// seal is b's own: a file that lies under another mailbox's name does not open.
func (c *conn) seal(b *box) secret.Seal {
	return secret.NewSeal(c.cfg.OAuth.TokenKey, c.env.Name+"/"+b.User)
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
