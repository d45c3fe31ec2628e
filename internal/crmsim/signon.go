package crmsim

import (
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

type tokenError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	Signature   string `json:"signature"`
	Scope       string `json:"scope"`
	InstanceURL string `json:"instance_url"`
	ID          string `json:"id"`
	TokenType   string `json:"token_type"`
	IssuedAt    string `json:"issued_at"` // Unix milliseconds
}

// token is POST /services/oauth2/token. Its errors are objects, unlike all others.
func (s *Server) token(c *call) reply {
	refused := func(code, description string) reply {
		r := answer(tokenError{code, description})
		r.status = http.StatusBadRequest
		return r
	}
	form, err := url.ParseQuery(string(c.body))
	if err != nil {
		return refused("invalid_request", "the body is no form")
	}
	if form.Get("grant_type") != "client_credentials" {
		return refused("unsupported_grant_type", "grant type not supported")
	}
	id, secret := form.Get("client_id"), form.Get("client_secret")
	if user, password, ok := c.r.BasicAuth(); ok {
		id, secret = user, password
	}
	if id != s.opt.ClientID {
		return refused("invalid_client_id", "client identifier invalid")
	}
	if subtle.ConstantTimeCompare([]byte(secret), []byte(s.opt.ClientSecret)) != 1 {
		return refused("invalid_client", "invalid client credentials")
	}
	now, token := s.now(), s.orgID[:15]+"!AQ."+rand.Text()
	s.control.mu.Lock()
	s.control.tokens[token] = now.Add(s.opt.TokenLife)
	s.control.mu.Unlock()
	return answer(tokenAnswer{
		AccessToken: token, Signature: rand.Text(), Scope: "api", TokenType: "Bearer",
		InstanceURL: origin(c), ID: s.identityURL(c),
		IssuedAt: strconv.FormatInt(now.UnixMilli(), 10),
	})
}

// origin is the address that the client used, without a trailing slash.
func origin(c *call) string {
	if c.r.TLS != nil {
		return "https://" + c.r.Host
	}
	return "http://" + c.r.Host
}

func (s *Server) identityURL(c *call) string { return origin(c) + "/id/" + s.orgID + "/" + s.runAs }

// identity tells who is signed on. It alone takes the token in the query, too.
func (s *Server) identity(c *call) reply {
	if token := c.r.URL.Query().Get("oauth_token"); token != "" {
		c.r.Header.Set("Authorization", "Bearer "+token)
	}
	if !s.signedOn(c.r) {
		return deadToken
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	user := s.find(s.runAs)
	return answer(map[string]string{
		"id": s.identityURL(c), "organization_id": s.orgID, "user_id": s.runAs,
		"username": user.text("Username"), "display_name": user.text("Name"), "email": user.text("Email"),
	})
}

// signedOn tells whether the request carries a live access token.
func (s *Server) signedOn(r *http.Request) bool {
	prefix, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(prefix, "Bearer") && !strings.EqualFold(prefix, "OAuth") {
		return false
	}
	now := s.now()
	c := &s.control
	c.mu.Lock()
	defer c.mu.Unlock()
	end, known := c.tokens[token]
	if !known || !now.Before(end) {
		delete(c.tokens, token)
		return false
	}
	if c.expireIn == 0 {
		c.expireNow()
		return false
	}
	if c.expireIn > 0 {
		c.expireIn--
	}
	return true
}

// expireNow kills all tokens. The caller holds c.mu.
func (c *control) expireNow() {
	clear(c.tokens)
	c.expireIn = -1
}

var deadToken = fail(http.StatusUnauthorized, &Error{Code: "INVALID_SESSION_ID", Message: "Session expired or invalid"})
