package salesforce

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"energyd/connectors"
	"energyd/internal/fault"
	"energyd/internal/secret"
)

// Config is a connection to one org. How it signs on is told by which secret it
// gives: private_key (JWT bearer), refresh_token, or client_secret alone.
type Config struct {
	URL          string              `yaml:"url"` // My Domain, "https://example.my.salesforce.com"
	ClientID     string              `yaml:"client_id"`
	ClientSecret secret.Secret       `yaml:"client_secret"`
	PrivateKey   secret.Secret       `yaml:"private_key"` // PEM
	Username     string              `yaml:"username"`    // of the run-as user, with private_key
	Audience     string              `yaml:"audience"`    // with private_key; "" = the login host that fits url
	RefreshToken secret.Secret       `yaml:"refresh_token"`
	TokenKey     secret.Secret       `yaml:"token_key"`   // encrypts token_file; zero = it stays in clear
	TokenFile    string              `yaml:"token_file"`  // where rotated refresh tokens are kept; "" = CONNECTION.refresh_token
	APIVersion   string              `yaml:"api_version"` // "v66.0"
	PageSize     int                 `yaml:"page_size"`   // rows, a wish
	BulkFrom     int                 `yaml:"bulk_from"`   // rows above which a bulk job reads; 0 = never
	Lag          connectors.Duration `yaml:"lag"`         // upper bound of reading = the org's clock minus this
	Lookback     connectors.Duration `yaml:"lookback"`    // lower bound of reading = last upper bound minus this
	Timeout      connectors.Duration `yaml:"timeout"`     // of one call
	Budget       connectors.Budget   `yaml:"budget"`
	BulkWrite    int                 `yaml:"write_bulk_from"` // more changes of one object than these go as a bulk job; 0 = never
}

// Stream is one object to read.
type Stream struct {
	Object         string   `yaml:"object"`
	Fields         []string `yaml:"fields"`
	Where          string   `yaml:"where"`
	IncludeDeleted bool     `yaml:"include_deleted"`
	Participants   bool     `yaml:"participants"` // false: the column Participants holds the Who alone

	never bool // it is never read completely: SetReread
}

func newConfig() connectors.Config {
	return &Config{
		APIVersion: "v66.0", PageSize: 2000, BulkFrom: 50_000,
		Lag: connectors.Duration(5 * time.Minute), Lookback: connectors.Duration(10 * time.Minute),
		Timeout:   connectors.Duration(150 * time.Second),
		Budget:    connectors.DefaultBudget,
		BulkWrite: 2000,
	}
}

func newStream() connectors.Config { return &Stream{IncludeDeleted: true, Participants: true} }

var (
	versionForm = regexp.MustCompile(`^v[0-9]{2,3}\.0$`)
	nameForm    = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)
	columnForm  = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*(\.[A-Za-z][A-Za-z0-9_]*)*$`)
)

// RecordLink is where a record stands in the org: My Domain leads from the id to the page of its object.
func (c *Config) RecordLink(id string) string {
	return strings.TrimRight(c.URL, "/") + "/" + url.PathEscape(id)
}

// Validate checks form, not reach.
func (c *Config) Validate() error {
	var ps fault.Problems
	u, err := url.Parse(c.URL)
	switch {
	case c.URL == "":
		ps.Add("url", "is required: the org's My Domain, as https://example.my.salesforce.com")
	case err != nil || u.Host == "" || (u.Scheme != "https" && u.Scheme != "http") || u.User != nil:
		ps.Add("url", "is not a web address as https://example.my.salesforce.com")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		ps.Add("url", "must begin with https://, or the secret would cross the network in the open")
	case strings.HasSuffix(u.Hostname(), ".lightning.force.com"):
		ps.Add("url", "is the address of the user interface; the API's ends in .my.salesforce.com")
	case c.flow() == credentials && (u.Hostname() == "login.salesforce.com" || u.Hostname() == "test.salesforce.com"):
		ps.Add("url", "must be the org's My Domain: %s does not take client credentials", u.Hostname())
	}
	if c.ClientID == "" {
		ps.Add("client_id", "is required: the consumer key of the external client app")
	}
	c.validateFlow(&ps)
	if !versionForm.MatchString(c.APIVersion) {
		ps.Add("api_version", "%q is not an API version as v66.0", c.APIVersion)
	}
	if c.PageSize < 200 || c.PageSize > 2000 {
		ps.Add("page_size", "must be 200 to 2000, not %d", c.PageSize)
	}
	if c.BulkFrom < 0 {
		ps.Add("bulk_from", "must be a number of rows, or 0 for never, not %d", c.BulkFrom)
	}
	if c.BulkWrite < 0 {
		ps.Add("write_bulk_from", "must be a number of records, or 0 for never, not %d", c.BulkWrite)
	}
	if c.Lag <= 0 {
		ps.Add("lag", "must be above zero: saves that are under way would be lost")
	}
	if c.Lookback <= 0 {
		ps.Add("lookback", "must be above zero: saves that took longer than lag would be lost")
	}
	if time.Duration(c.Timeout) < 130*time.Second {
		ps.Add("timeout", "must be 130s or more: the org itself works up to 120s on a query")
	}
	var budget fault.Problems
	if errors.As(c.Budget.Validate(), &budget) {
		ps.Under("budget", budget)
	}
	return ps.Or()
}

// validateFlow tells which options belong together.
func (c *Config) validateFlow(ps *fault.Problems) {
	key, refresh := !c.PrivateKey.IsZero(), !c.RefreshToken.IsZero()
	switch {
	case key && refresh:
		ps.Add("refresh_token", "is another way to sign on than private_key: keep one of them")
	case key && !c.ClientSecret.IsZero():
		ps.Add("client_secret", "is another way to sign on than private_key: keep one of them")
	case !key && !refresh && c.ClientSecret.IsZero():
		ps.Add("client_secret", "is required, as ${env:NAME} or ${file:path}: the consumer secret; or private_key and username, or refresh_token")
	}
	if key {
		if _, err := privateKey(c.PrivateKey.Reveal()); err != nil {
			ps.Add("private_key", "%v", err)
		}
		if c.Username == "" {
			ps.Add("username", "is required beside private_key: the run-as user's name, as energyd@example.com")
		}
		if u, err := url.Parse(c.Audience); c.Audience != "" && (err != nil || u.Scheme != "https" || u.Host == "") {
			ps.Add("audience", "is not a web address as https://login.salesforce.com")
		}
	} else {
		if c.Username != "" {
			ps.Add("username", "belongs to private_key, which is not given")
		}
		if c.Audience != "" {
			ps.Add("audience", "belongs to private_key, which is not given")
		}
	}
	if !refresh && c.TokenFile != "" {
		ps.Add("token_file", "belongs to refresh_token, which is not given")
	}
	if !refresh && !c.TokenKey.IsZero() {
		ps.Add("token_key", "belongs to refresh_token, which is not given")
	} else if problem := secret.CheckKey(c.TokenKey); problem != "" {
		ps.Add("token_key", "%s", problem)
	}
}

// Advice is connectors.Advisor's.
func (c *Config) Advice() string {
	if c.RefreshToken.IsZero() || !c.TokenKey.IsZero() {
		return ""
	}
	return "refresh tokens that the org renews are kept in clear, in a file for energyd's user alone: token_key encrypts it (docs/operations.md)"
}

func loopback(host string) bool {
	return host == "localhost" || host == "::1" || strings.HasPrefix(host, "127.")
}

// Validate checks form, not whether the org has such an object.
func (s *Stream) Validate() error {
	var ps fault.Problems
	if s.Object == "" {
		ps.Add("object", "is required: the API name of the object to read, as Task")
	} else if !nameForm.MatchString(s.Object) {
		ps.Add("object", "%q is not the API name of an object, as Task or Visit__c", s.Object)
	}
	for i, f := range s.Fields {
		if !columnForm.MatchString(f) {
			ps.Add(fmt.Sprintf("fields[%d]", i), "%q is not a field name as Subject, Score__c or Who.Title", f)
		}
	}
	return ps.Or()
}

// SelectColumns adds the columns that the mapping uses.
func (s *Stream) SelectColumns(names []string) {
	for _, n := range names {
		if !slices.ContainsFunc(s.Fields, func(f string) bool { return strings.EqualFold(f, n) }) {
			s.Fields = append(s.Fields, n)
		}
	}
}
