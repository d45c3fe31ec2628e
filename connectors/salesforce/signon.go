package salesforce

import (
	"context"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"energyd/internal/fault"
	"energyd/internal/httpclient"
	"energyd/internal/secret"
	"energyd/internal/wholefile"
)

// flow is a way to sign on without a person: salesforce.md section 2.
type flow int

const (
	credentials flow = iota // client credentials
	assertion               // JWT bearer
	refreshing              // refresh token
)

// flow is told by which secret the configuration gives.
func (c *Config) flow() flow {
	switch {
	case !c.PrivateKey.IsZero():
		return assertion
	case !c.RefreshToken.IsZero():
		return refreshing
	}
	return credentials
}

const signOnOp = "sign on to Salesforce"

// signOn asks for an access token. What the org refuses is not asked twice (C07).
func (c *Conn) signOn(ctx context.Context) (*session, error) {
	switch c.cfg.flow() {
	case assertion:
		return c.byAssertion(ctx)
	case refreshing:
		return c.byRefreshToken(ctx)
	}
	granted, _, err := c.grant(ctx, url.Values{"grant_type": {"client_credentials"},
		"client_id": {c.cfg.ClientID}, "client_secret": {c.cfg.ClientSecret.Reveal()}})
	return granted.session, hint(err, map[string]string{
		"invalid_client": "copy consumer key and secret again from the external client app; a new app works after about 10 minutes",
		"":               "in the external client app enable the client credentials flow, and name an active run-as user whom the app's policies admit",
	})
}

// granted is a good answer of the token endpoint.
type granted struct {
	session *session
	refresh string // the new refresh token, when they rotate
}

// grant posts form to the token endpoint. now is the org's clock, zero when it did not tell.
func (c *Conn) grant(ctx context.Context, form url.Values) (g granted, now time.Time, err error) {
	answer, err := c.http.Do(ctx, httpclient.Request{
		Op: signOnOp, Method: http.MethodPost, URL: c.cfg.URL + "/services/oauth2/token", Body: []byte(form.Encode()),
		Header: map[string]string{"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
	})
	now, _ = http.ParseTime(answer.Header.Get("Date"))
	if err != nil {
		return g, now, err
	}
	var body struct {
		Token    string `json:"access_token"`
		Instance string `json:"instance_url"`
		Refresh  string `json:"refresh_token"`
		Identity string `json:"id"` // a URL that ends in the run-as user's id
	}
	if err := json.Unmarshal(answer.Body, &body); err != nil || body.Token == "" {
		return g, now, fault.New(fault.Config, signOnOp, "the answer holds no token", "check that url is the org's My Domain", nil)
	}
	c.http.Hide(body.Token)
	c.http.Hide(body.Refresh)
	instance, err := url.Parse(body.Instance)
	if err != nil || instance.Host == "" || (instance.Scheme != "https" && !loopback(instance.Hostname())) {
		return g, now, fault.New(fault.Config, signOnOp, "the answer holds no safe instance_url", "check that url is the org's My Domain", nil)
	}
	fresh := &session{token: body.Token, instance: strings.TrimRight(body.Instance, "/"), user: longID(path.Base(body.Identity))}
	return granted{fresh, body.Refresh}, now, nil
}

// hint says what to do about a refusal, by the org's code; "" is for all others.
func hint(err error, hints map[string]string) error {
	var said *apiError
	var f *fault.Error
	if !errors.As(err, &f) || f.Kind != fault.Auth || !errors.As(err, &said) {
		return err
	}
	text, ok := hints[said.code()]
	if !ok {
		text = hints[""]
	}
	hinted := *f
	hinted.Hint = text
	return &hinted
}

// assertionLife is how long an assertion may be used; the org takes three minutes from anybody.
const assertionLife = 180 * time.Second

// byAssertion takes the JWT bearer flow. An assertion that came too late by a
// clock of ours that is slow is made once more by the org's clock.
func (c *Conn) byAssertion(ctx context.Context) (*session, error) {
	key, err := privateKey(c.cfg.PrivateKey.Reveal())
	if err != nil {
		return nil, fault.New(fault.Config, signOnOp, "private_key "+err.Error(), "", nil)
	}
	ours := time.Now()
	g, orgs, err := c.assert(ctx, key, ours)
	if hasCode(err, "invalid_grant") && orgs.Sub(ours) > assertionLife-30*time.Second {
		c.log.Warn("This machine's clock is slow; signing on by the org's.", "slow_by", orgs.Sub(ours).Round(time.Second))
		g, _, err = c.assert(ctx, key, orgs)
	}
	return g.session, hint(err, map[string]string{
		"invalid_client_id": "copy the consumer key of the external client app to client_id; a new app works after about 10 minutes",
		"": fmt.Sprintf("see that the app holds the certificate of private_key, that its policies admit the user %s beforehand "+
			"(permitted users: admin-approved, with a permission set of that user), and that audience is right: %s", c.cfg.Username, c.cfg.audience()),
	})
}

func (c *Conn) assert(ctx context.Context, key *rsa.PrivateKey, now time.Time) (granted, time.Time, error) {
	token, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.MapClaims{
		"iss": c.cfg.ClientID, "sub": c.cfg.Username, "aud": c.cfg.audience(), "exp": now.Add(assertionLife).Unix(),
	}).SignedString(key)
	if err != nil {
		return granted{}, time.Time{}, fault.New(fault.Internal, signOnOp, "the assertion cannot be signed", "", err)
	}
	c.http.Hide(token)
	return c.grant(ctx, url.Values{"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {token}})
}

// privateKey reads a PEM. Its error continues the option's name, and shows nothing of the key.
func privateKey(text string) (*rsa.PrivateKey, error) {
	if !strings.Contains(text, "\n") {
		text = strings.ReplaceAll(text, `\n`, "\n") // as it travels in environment variables
	}
	key, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(text))
	switch {
	case err == nil && key.N.BitLen() < 2048:
		return nil, fmt.Errorf("has %d bits; Salesforce takes 2048 or more", key.N.BitLen())
	case err == nil:
		return key, nil
	case strings.Contains(text, "ENCRYPTED"):
		return nil, errors.New("is protected by a password; write it without one: openssl pkey -in FILE -out NEW")
	case strings.Contains(text, "BEGIN CERTIFICATE"):
		return nil, errors.New("is the certificate, which belongs into the app; the key is the other file")
	}
	return nil, errors.New(`is no RSA key in PEM form ("-----BEGIN PRIVATE KEY-----")`)
}

// audience is whom an assertion is for: a login host, also when it goes to My Domain.
func (c *Config) audience() string {
	if c.Audience != "" {
		return c.Audience
	}
	u, err := url.Parse(c.URL)
	if err == nil && sandbox(u.Hostname()) {
		return "https://test.salesforce.com"
	}
	return "https://login.salesforce.com"
}

// sandbox tells by its address that an org is for tests: "acme--uat.sandbox.my.salesforce.com".
func sandbox(host string) bool {
	return host == "test.salesforce.com" || strings.Contains(host, "--") ||
		strings.Contains(host, ".sandbox.") || strings.Contains(host, ".scratch.")
}

// byRefreshToken takes the refresh token flow. Where tokens rotate, each is good
// for one sign-on: the last one is in token_file, and the configured one is only the first.
func (c *Conn) byRefreshToken(ctx context.Context) (*session, error) {
	file, err := openTokens(c.tokens, secret.NewSeal(c.cfg.TokenKey, c.name))
	if err != nil {
		return nil, err
	}
	defer file.close()
	tried := map[string]bool{"": true}
	refused := error(nil)
	for {
		// Read each time: another energyd may have signed on in between.
		token, err := file.read()
		if err != nil {
			return nil, err
		}
		if tried[token] {
			token = strings.TrimSpace(c.cfg.RefreshToken.Reveal())
		}
		if tried[token] {
			return nil, refused
		}
		tried[token] = true
		c.http.Hide(token)
		form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}, "client_id": {c.cfg.ClientID}}
		if !c.cfg.ClientSecret.IsZero() {
			form.Set("client_secret", c.cfg.ClientSecret.Reveal())
		}
		g, _, err := c.grant(ctx, form)
		switch {
		case hasCode(err, "invalid_grant"):
			refused = hint(err, map[string]string{"": "the refresh token is used up, has expired or was revoked: authorise energyd again, " +
				"put the new token where refresh_token points to, and delete " + c.tokens})
			continue
		case err != nil:
			return nil, hint(err, map[string]string{"": "copy consumer key and secret again from the external client app"})
		case g.refresh != "":
			// The one in use is dead now: C06.
			if err := file.write(g.refresh); err != nil {
				return nil, err
			}
		}
		return g.session, nil
	}
}

// tokens is token_file. It holds the last refresh token and nothing else, sealed if there is a key.
type tokens struct {
	path string
	seal secret.Seal
	next *wholefile.File // takes its place
}

// openTokens makes the next file before a token is spent whose successor it has to hold.
func openTokens(path string, seal secret.Seal) (tokens, error) {
	next, err := wholefile.Create(path)
	if err != nil {
		return tokens{}, fault.New(fault.Config, signOnOp, fmt.Sprintf("token_file %s cannot be written", path),
			"let energyd's user write its folder: the org may change the refresh token at each sign-on", err)
	}
	f := tokens{path, seal, next}
	token, inClear, err := f.open()
	if err == nil && inClear { // it was written before there was a key
		err = f.rewrite(token)
	}
	if err != nil {
		return tokens{}, errors.Join(err, next.Close())
	}
	return f, nil
}

// close takes the next file back if it was not needed.
func (f tokens) close() { _ = f.next.Close() }

func (f tokens) rewrite(token string) error {
	data, err := f.seal.Close(token)
	if err != nil {
		return err
	}
	if err := wholefile.Write(f.path, data); err != nil {
		return fault.New(fault.Config, signOnOp, fmt.Sprintf("token_file %s cannot be encrypted", f.path),
			"let energyd's user write its folder; the file is as it was", err)
	}
	return nil
}

// read reads the token, which another process may have written since; "" for none.
func (f tokens) read() (string, error) {
	token, _, err := f.open()
	return token, err
}

// open also tells whether the token lies in clear where it should not.
func (f tokens) open() (token string, inClear bool, err error) {
	const most = 64 << 10
	file, err := os.Open(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return "", false, nil
	}
	if err != nil {
		return "", false, fault.New(fault.Config, signOnOp, fmt.Sprintf("token_file %s cannot be read", f.path), "let energyd's user read it", err)
	}
	text, err := io.ReadAll(io.LimitReader(file, most))
	if err = errors.Join(err, file.Close()); err != nil || len(text) == most {
		return "", false, fault.New(fault.Config, signOnOp, fmt.Sprintf("token_file %s is no refresh token", f.path), "name another file", err)
	}
	return f.seal.Open(f.path, text)
}

// write puts token on disk, by another file and a renaming: a machine that stops
// meanwhile leaves one of both, whole. The one before is void by now, so that a
// file that cannot be replaced, such as one that is mounted by itself, is written over.
func (f tokens) write(token string) error {
	data, err := f.seal.Close(token)
	if err != nil {
		return err
	}
	_, err = f.next.Write(data)
	if err == nil {
		err = f.next.Keep()
	}
	if err != nil && os.WriteFile(f.path, data, 0o600) != nil {
		return fault.New(fault.Config, signOnOp, fmt.Sprintf("token_file %s cannot be written", f.path),
			"see that its disk has room; then authorise energyd again, and put the new token where refresh_token points to", err)
	}
	return nil
}
