package crmsim

import (
	"crypto/rand"
	"crypto/subtle"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// grant is a way to get an access token; it may give a new refresh token, too.
type grant func(s *Server, c *call, form url.Values) (refresh string, refused *tokenError)

// grants are the flows by grant_type. All of them sign on the integration user.
var grants = map[string]grant{
	"client_credentials": (*Server).byCredentials,
	"refresh_token":      (*Server).byRefreshToken,
	"password":           (*Server).byPassword,
	"urn:ietf:params:oauth:grant-type:jwt-bearer": (*Server).byAssertion,
}

type tokenError struct {
	Error       string `json:"error"`
	Description string `json:"error_description"`
}

// reply: unlike all others, the errors of the token endpoint are objects.
func (e tokenError) reply() reply {
	r := answer(e)
	r.status = http.StatusBadRequest
	return r
}

var (
	unknownClient = &tokenError{"invalid_client_id", "client identifier invalid"}
	wrongSecret   = &tokenError{"invalid_client", "invalid client credentials"}
	wrongPassword = &tokenError{"invalid_grant", "authentication failure"}
	deadRefresh   = &tokenError{"invalid_grant", "expired access/refresh token"}
)

type tokenAnswer struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token,omitempty"` // only when it is a new one
	Signature    string `json:"signature"`
	Scope        string `json:"scope"`
	InstanceURL  string `json:"instance_url"`
	ID           string `json:"id"`
	TokenType    string `json:"token_type"`
	IssuedAt     string `json:"issued_at"` // Unix milliseconds
}

// token is POST /services/oauth2/token.
func (s *Server) token(c *call) reply {
	form, err := url.ParseQuery(string(c.body))
	if err != nil {
		return tokenError{"invalid_request", "the body is no form"}.reply()
	}
	by := grants[form.Get("grant_type")]
	if by == nil {
		return tokenError{"unsupported_grant_type", "grant type not supported"}.reply()
	}
	refresh, refused := by(s, c, form)
	if refused != nil {
		return refused.reply()
	}
	return answer(tokenAnswer{
		AccessToken: s.issue(), RefreshToken: refresh, Signature: rand.Text(), Scope: "api", TokenType: "Bearer",
		InstanceURL: origin(c), ID: s.identityURL(c),
		IssuedAt: strconv.FormatInt(s.now().UnixMilli(), 10),
	})
}

// issue makes an access token, which lives as long as Options.TokenLife says.
func (s *Server) issue() string {
	token := s.orgID[:15] + "!AQ." + rand.Text()
	s.control.mu.Lock()
	defer s.control.mu.Unlock()
	s.control.tokens[token] = s.now().Add(s.opt.TokenLife)
	return token
}

// client checks the app's id and secret, from the form or from HTTP Basic.
func (s *Server) client(c *call, form url.Values, needsSecret bool) *tokenError {
	id, secret := form.Get("client_id"), form.Get("client_secret")
	if user, password, ok := c.r.BasicAuth(); ok {
		id, secret = user, password
	}
	switch {
	case id != s.opt.ClientID:
		return unknownClient
	case (needsSecret || secret != "") && !equal(secret, s.opt.ClientSecret):
		return wrongSecret
	}
	return nil
}

func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (s *Server) byCredentials(c *call, form url.Values) (string, *tokenError) {
	return "", s.client(c, form, true)
}

func (s *Server) byPassword(c *call, form url.Values) (string, *tokenError) {
	if refused := s.client(c, form, true); refused != nil {
		return "", refused
	}
	if !s.mayEnter(form.Get("username"), form.Get("password")) {
		return "", wrongPassword
	}
	return "", nil
}

func (s *Server) mayEnter(user, password string) bool {
	return strings.EqualFold(user, s.opt.User) && equal(password, s.opt.Password)
}

// byRefreshToken takes a refresh token; with the fault rotate it gives a new
// one, and the old one is dead from the answer on.
func (s *Server) byRefreshToken(c *call, form url.Values) (string, *tokenError) {
	if refused := s.client(c, form, false); refused != nil {
		return "", refused
	}
	old := form.Get("refresh_token")
	s.control.mu.Lock()
	alive := s.control.refresh[old]
	s.control.mu.Unlock()
	if !alive {
		return "", deadRefresh
	}
	if s.control.fire(func(*armed) bool { return true }, "rotate") == nil {
		return "", nil
	}
	fresh := "5Aep" + rand.Text()
	s.control.mu.Lock()
	defer s.control.mu.Unlock()
	delete(s.control.refresh, old)
	s.control.refresh[fresh] = true
	return fresh, nil
}

// revoke is POST /services/oauth2/revoke with the token, of either kind, in a form or in the query.
func (s *Server) revoke(c *call) reply {
	form, _ := url.ParseQuery(string(c.body)) // what cannot be read holds no token
	token := form.Get("token")
	if token == "" {
		token = c.r.URL.Query().Get("token")
	}
	s.control.mu.Lock()
	defer s.control.mu.Unlock()
	_, access := s.control.tokens[token]
	if !access && !s.control.refresh[token] {
		return tokenError{"invalid_token", "the token is invalid"}.reply()
	}
	delete(s.control.tokens, token)
	delete(s.control.refresh, token)
	return reply{status: http.StatusOK}
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
	return s.control.alive(token, s.now())
}

// alive tells whether an access token is good at this moment, and counts its use for the fault expire.
func (c *control) alive(token string, now time.Time) bool {
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
