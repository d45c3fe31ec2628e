package signon

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"energyd/internal/fault"
	"energyd/internal/secret"
)

// Settings is the section dashboard of energyd.yaml: who may look. Without users
// the dashboard is shown on this machine alone, to everybody there, and nobody can act.
type Settings struct {
	// URL is how readers' browsers reach the dashboard where a proxy or OpenID is in between: https://energyd.example.co.jp
	URL          string        `yaml:"url"`
	Users        []User        `yaml:"users"`
	OwnCustomers bool          `yaml:"own_customers"` // viewers see only the customers that they own
	Session      time.Duration `yaml:"session"`       // after which a reader signs on again
	OpenID       OpenID        `yaml:"openid"`
}

// User is one who may sign on.
type User struct {
	Name string `yaml:"name"` // as they sign on; with OpenID what its claim says
	Role Role   `yaml:"role"`
	Rep  string `yaml:"rep"` // id of their user in the CRM; "" = they own no customers
	// Password is what energyd password printed. Who has one signs on by it, who has none by OpenID.
	Password secret.Secret `yaml:"password"`
}

// OpenID is the company's own sign-on (OpenID Connect, authorization code with PKCE).
type OpenID struct {
	Issuer       string        `yaml:"issuer"` // "" = none
	ClientID     string        `yaml:"client_id"`
	ClientSecret secret.Secret `yaml:"client_secret"`
	Claim        string        `yaml:"claim"`  // of the ID token, that names the user: email, preferred_username, …
	Others       Role          `yaml:"others"` // of who is not among users; nobody = refused
}

// Defaults are those of a configuration without the section.
func Defaults() Settings {
	return Settings{Session: 12 * time.Hour, OpenID: OpenID{Claim: "email"}}
}

// Required tells whether readers sign on at all.
func (s *Settings) Required() bool { return len(s.Users) > 0 || s.OpenID.Issuer != "" }

// Problems finds what is wrong in the section, by paths below "dashboard".
func (s *Settings) Problems() fault.Problems {
	var ps fault.Problems
	base, err := url.Parse(s.URL)
	if err != nil || s.URL != "" && (base.Scheme != "https" && base.Scheme != "http" || base.Host == "" || strings.Trim(base.Path, "/") != "" || base.RawQuery != "") {
		ps.Add("dashboard.url", "%q is no address of a dashboard: write https://HOST, without a path", s.URL)
	}
	if s.Session < time.Minute {
		ps.Add("dashboard.session", "a session lasts a minute at least")
	}
	seen := map[string]bool{}
	for i, u := range s.Users {
		path := fmt.Sprintf("dashboard.users[%d]", i)
		switch {
		case u.Name == "":
			ps.Add(path+".name", "the user has no name")
		case seen[folded(u.Name)]:
			ps.Add(path+".name", "there are two users %q", u.Name)
		}
		seen[folded(u.Name)] = true
		if u.Role == Nobody {
			ps.Add(path+".role", "the user has no role: viewer, manager or admin")
		}
		switch {
		case u.Password.IsZero():
			if s.OpenID.Issuer == "" {
				ps = append(ps, fault.Problem{Path: path + ".password", Msg: fmt.Sprintf("%s has no password", u.Name),
					Hint: "make one with energyd password, keep what it prints in a file, and refer to it: ${file:secrets/NAME}; or configure openid"})
			}
		case !wellHashed(u.Password.Reveal()):
			ps = append(ps, fault.Problem{Path: path + ".password", Msg: "this is not what energyd password prints",
				Hint: "the file has to hold the line that begins with $argon2id$, never the password itself"})
		}
	}
	if o := s.OpenID; o.Issuer != "" {
		if u, err := url.Parse(o.Issuer); err != nil || u.Host == "" || u.Scheme != "https" && !loopback(u.Hostname()) {
			ps.Add("dashboard.openid.issuer", "%q is no https:// address", o.Issuer)
		}
		if o.ClientID == "" {
			ps.Add("dashboard.openid.client_id", "the sign-on service knows energyd by a client_id")
		}
		if s.URL == "" {
			ps.Add("dashboard.url", "the sign-on service sends readers back: say how they reach the dashboard; %s is what it has to allow", callback)
		}
	}
	return ps
}
