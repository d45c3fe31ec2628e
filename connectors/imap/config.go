package imap

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"energyd/connectors"
	"energyd/connectors/imap/message"
	"energyd/internal/fault"
	"energyd/internal/secret"
)

// How a connection is protected.
const (
	securityTLS      = "tls"
	securityStartTLS = "starttls"
	securityPlain    = "plain" // on this machine only
)

// longestPoll is how long IDLE goes on without being renewed [39].
const longestPoll = 9 * time.Minute

// How a mailbox signs on.
const (
	authPassword = "password"
	authOAuth2   = "oauth2"
)

// Config is a connection: one mail server and its mailboxes.
type Config struct {
	Provider              string              `yaml:"provider"` // microsoft365, google, "" = neither
	Host                  string              `yaml:"host"`
	Port                  int                 `yaml:"port"` // 0 = 993, or 143 without implicit TLS
	Security              string              `yaml:"security"`
	CAFile                string              `yaml:"ca_file"` // PEM, relative to energyd.yaml; "" = the system's certificates
	Timeout               connectors.Duration `yaml:"timeout"` // without a byte from the server
	Poll                  connectors.Duration `yaml:"poll"`    // between looks for new mails while watching
	Connections           int                 `yaml:"connections"`
	ConnectionsPerMailbox int                 `yaml:"connections_per_mailbox"`
	Auth                  string              `yaml:"auth"`
	OAuth                 OAuth               `yaml:"oauth"`
	Mailboxes             []Mailbox           `yaml:"mailboxes"`
	InternalDomains       []string            `yaml:"internal_domains"` // ours, with what is below them
	OptOut                []string            `yaml:"opt_out"`          // addresses of people who are never stored
	TaggedDomains         []string            `yaml:"tagged_domains"`   // taro+news@ is taro@ there
}

// OAuth is how access tokens are had: by each mailbox's refresh token, or, where
// it has none, by the application's own right (client credentials).
type OAuth struct {
	TokenURL     string        `yaml:"token_url"`
	ClientID     string        `yaml:"client_id"`
	ClientSecret secret.Secret `yaml:"client_secret"`
	Scope        string        `yaml:"scope"`
	Tenant       string        `yaml:"tenant"`    // of Microsoft 365
	TokenKey     secret.Secret `yaml:"token_key"` // encrypts what is in token_dir; zero = it stays in clear
	TokenDir     string        `yaml:"token_dir"` // where rotated refresh tokens are kept, relative to energyd.yaml; "" = CONNECTION.tokens
}

// Mailbox is one person's or team's mailbox.
type Mailbox struct {
	User         string        `yaml:"user"`
	Password     secret.Secret `yaml:"password"`
	RefreshToken secret.Secret `yaml:"refresh_token"`
	Owner        string        `yaml:"owner"`   // the rep's address; "" = user
	Folders      []string      `yaml:"folders"` // as Stream.Folders, for this mailbox
	Domains      []string      `yaml:"domains"` // outside domains that may be stored, with what is below them; nil = all
	Subject      *bool         `yaml:"subject"` // false: subjects are not stored; nil = true
}

func newConfig() *Config {
	return &Config{Security: securityTLS, Timeout: connectors.Duration(time.Minute), Poll: connectors.Duration(5 * time.Minute), Connections: 4, ConnectionsPerMailbox: 1, Auth: authPassword}
}

// presets are what a provider's name stands for. {tenant} is the configuration's.
var presets = map[string]struct{ host, tokenURL, scope string }{
	"microsoft365": {"outlook.office365.com", "https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token", "https://outlook.office365.com/.default"},
	"google":       {"imap.gmail.com", "https://oauth2.googleapis.com/token", ""},
}

// Validate reports what is missing or contradictory.
func (c *Config) Validate() error {
	var ps fault.Problems
	preset, known := presets[c.Provider]
	if c.Provider != "" && !known {
		names := []string{"google", "microsoft365"}
		ps.Add("provider", "%q is not one of %s%s", c.Provider, strings.Join(names, ", "), fault.DidYouMean(c.Provider, names))
	}
	if c.Host == "" && preset.host == "" {
		ps.Add("host", "is required: the name of the mail server, or a provider in its place")
	}
	if c.Port < 0 || c.Port > 65535 {
		ps.Add("port", "%d is not a port", c.Port)
	}
	oneOf(&ps, "security", c.Security, securityTLS, securityStartTLS, securityPlain)
	if c.Security == securityPlain && c.Host != "" && !loopback(c.Host) {
		ps.Add("security", "plain is for a server on this machine only: passwords and mails could be read on the way to %s; use tls or starttls", c.Host)
	}
	if time.Duration(c.Timeout) < time.Second {
		ps.Add("timeout", "must be 1s or more")
	}
	if poll := time.Duration(c.Poll); poll < 10*time.Second || poll > longestPoll {
		ps.Add("poll", "must be between 10s and 9m: servers and firewalls end connections on which nothing is said for longer")
	}
	if c.Connections < 1 {
		ps.Add("connections", "must be 1 or more")
	}
	if c.ConnectionsPerMailbox < 1 {
		ps.Add("connections_per_mailbox", "must be 1 or more")
	}
	oneOf(&ps, "auth", c.Auth, authPassword, authOAuth2)
	if c.Auth == authOAuth2 {
		c.validateOAuth(&ps)
	}
	if len(c.Mailboxes) == 0 {
		ps.Add("mailboxes", "is required: at least one mailbox, each with user and password (or refresh_token)")
	}
	users := map[string]bool{}
	for i := range c.Mailboxes {
		m, path := &c.Mailboxes[i], fmt.Sprintf("mailboxes[%d]", i)
		m.validate(&ps, path, c.Auth, c.Provider)
		if m.User != "" && users[m.User] {
			ps.Add(path+".user", "%q stands in the list twice", m.User)
		}
		users[m.User] = true
	}
	if len(c.InternalDomains) == 0 {
		ps.Add("internal_domains", "is required: the domains of your own company, so that its people are not taken for customers")
	}
	domains(&ps, "internal_domains", c.InternalDomains)
	domains(&ps, "tagged_domains", c.TaggedDomains)
	addresses(&ps, "opt_out", c.OptOut)
	return ps.Or()
}

func (c *Config) validateOAuth(ps *fault.Problems) {
	if c.OAuth.ClientID == "" {
		ps.Add("oauth.client_id", "is required with auth: oauth2")
	}
	if problem := secret.CheckKey(c.OAuth.TokenKey); problem != "" {
		ps.Add("oauth.token_key", "%s", problem)
	}
	switch u, err := url.Parse(c.tokenURL()); {
	case c.Provider == "microsoft365" && c.OAuth.TokenURL == "" && c.OAuth.Tenant == "":
		ps.Add("oauth.tenant", "is required with provider: microsoft365: the directory (tenant) id")
	case c.tokenURL() == "":
		ps.Add("oauth.token_url", "is required with auth: oauth2, or a provider in its place")
	case err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && loopback(u.Hostname())):
		ps.Add("oauth.token_url", "must be an https:// address")
	}
}

// Advice is connectors.Advisor's.
func (c *Config) Advice() string {
	renewed := func(m Mailbox) bool { return !m.RefreshToken.IsZero() }
	if !c.OAuth.TokenKey.IsZero() || !slices.ContainsFunc(c.Mailboxes, renewed) {
		return ""
	}
	return "refresh tokens that the service renews are kept in clear, in files for energyd's user alone: oauth.token_key encrypts them (docs/operations.md)"
}

func (m *Mailbox) validate(ps *fault.Problems, path, auth, provider string) {
	if m.User == "" {
		ps.Add(path+".user", "is required: the name that signs on, mostly the address")
	}
	switch {
	case auth == authPassword && m.Password.IsZero():
		ps.Add(path+".password", "is required")
	case auth == authPassword && !m.RefreshToken.IsZero():
		ps.Add(path+".refresh_token", "is for auth: oauth2")
	case auth == authOAuth2 && !m.Password.IsZero():
		ps.Add(path+".password", "is for auth: password")
	case auth == authOAuth2 && provider == "google" && m.RefreshToken.IsZero():
		ps.Add(path+".refresh_token", "is required with provider: google")
	}
	if m.Owner == "" && m.User != "" && !strings.Contains(m.User, "@") {
		ps.Add(path+".owner", "is required, since user is no address: the address of the rep or team")
	}
	if m.Owner != "" {
		addresses(ps, path+".owner", []string{m.Owner})
	}
	domains(ps, path+".domains", m.Domains)
	for i, f := range m.Folders {
		if strings.TrimSpace(f) == "" {
			ps.Add(fmt.Sprintf("%s.folders[%d]", path, i), "is empty")
		}
	}
}

func oneOf(ps *fault.Problems, path, value string, choices ...string) {
	if !slices.Contains(choices, value) {
		ps.Add(path, "%q is not one of %s%s", value, strings.Join(choices, ", "), fault.DidYouMean(value, choices))
	}
}

func domains(ps *fault.Problems, path string, list []string) {
	for i, d := range list {
		if !strings.Contains(d, ".") || strings.ContainsAny(d, "@ /*") {
			ps.Add(at(path, i, list), "%q is not a domain such as example.co.jp", d)
		}
	}
}

func addresses(ps *fault.Problems, path string, list []string) {
	for i, a := range list {
		if _, ok := message.ParseAddress(a); !ok {
			ps.Add(at(path, i, list), "%q is not an address such as taro@example.co.jp", a)
		}
	}
}

func at(path string, i int, list []string) string {
	if len(list) == 1 && strings.HasSuffix(path, ".owner") {
		return path
	}
	return fmt.Sprintf("%s[%d]", path, i)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func (c *Config) host() string {
	if c.Host == "" {
		return presets[c.Provider].host
	}
	return c.Host
}

// address is "host:port".
func (c *Config) address() string {
	port := c.Port
	if port == 0 {
		if port = 993; c.Security != securityTLS {
			port = 143
		}
	}
	return net.JoinHostPort(c.host(), strconv.Itoa(port))
}

func (c *Config) tokenURL() string {
	if c.OAuth.TokenURL != "" {
		return c.OAuth.TokenURL
	}
	return strings.ReplaceAll(presets[c.Provider].tokenURL, "{tenant}", url.PathEscape(c.OAuth.Tenant))
}

func (c *Config) scope(m *Mailbox) string {
	switch {
	case c.OAuth.Scope != "":
		return c.OAuth.Scope
	case c.Provider == "microsoft365" && !m.RefreshToken.IsZero():
		return "https://outlook.office.com/IMAP.AccessAsUser.All offline_access"
	}
	return presets[c.Provider].scope
}

func (c *Config) tlsConfig(dir string) (*tls.Config, error) {
	t := &tls.Config{ServerName: c.host(), MinVersion: tls.VersionTLS12}
	if c.CAFile == "" {
		return t, nil
	}
	file := c.CAFile
	if !filepath.IsAbs(file) {
		file = filepath.Join(dir, file)
	}
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	t.RootCAs = x509.NewCertPool()
	if !t.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no PEM certificate", c.CAFile)
	}
	return t, nil
}

// owner is the rep's address.
func (m *Mailbox) owner() string {
	owner := m.Owner
	if owner == "" {
		owner = m.User
	}
	if a, ok := message.ParseAddress(owner); ok {
		return a.Addr
	}
	return owner
}

func (m *Mailbox) subjects() bool { return m.Subject == nil || *m.Subject }

// Stream is the mails of all mailboxes of the connection.
type Stream struct {
	Folders     []string `yaml:"folders"`      // names, "name/*", or uses as \Sent; nil = all but drafts, trash and junk
	SkipFolders []string `yaml:"skip_folders"` // the same, of those that are not read
	Since       string   `yaml:"since"`        // "2026-01-01", UTC: older mails are passed over; "" = all
	Kinds       []string `yaml:"kinds"`        // nil = all
}

var kinds = []string{
	string(message.Ordinary), string(message.Invitation), string(message.Accepted), string(message.Declined), string(message.Tentative),
	string(message.Counter), string(message.Cancelled), string(message.CalendarOther), string(message.AutoReply), string(message.List),
	string(message.Bounce), string(message.DeliveryReport), string(message.ReadReceipt),
}

// Validate reports what is wrong.
func (s *Stream) Validate() error {
	var ps fault.Problems
	if _, err := s.since(); err != nil {
		ps.Add("since", "%q is not a date such as 2026-01-01", s.Since)
	}
	for i, k := range s.Kinds {
		if !slices.Contains(kinds, k) {
			ps.Add(fmt.Sprintf("kinds[%d]", i), "%q is not one of %s%s", k, strings.Join(kinds, ", "), fault.DidYouMean(k, kinds))
		}
	}
	for name, list := range map[string][]string{"folders": s.Folders, "skip_folders": s.SkipFolders} {
		for i, f := range list {
			if strings.TrimSpace(f) == "" {
				ps.Add(fmt.Sprintf("%s[%d]", name, i), "is empty")
			}
		}
	}
	return ps.Or()
}

// Vanishes makes a stream of mails connectors.Vanishing.
func (*Stream) Vanishes() bool { return true }

// since is zero for all mails.
func (s *Stream) since() (time.Time, error) {
	if s.Since == "" {
		return time.Time{}, nil
	}
	return time.Parse(time.DateOnly, s.Since)
}
