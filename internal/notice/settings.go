// Package notice tells people, who asked for it, of the daemon's alerts and of
// alarms: web hooks in the shapes of Slack and Teams or as plain JSON, and mail.
// It is the only importer of go-mail.
//
// settings.go is the section of the configuration, message.go what is said,
// webhook.go and mail.go how it is brought, sender.go when and to whom.
package notice

import (
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"time"

	"energyd/internal/fault"
	"energyd/internal/secret"
	"energyd/internal/telemetry"
)

// Settings are the section notices of energyd.yaml.
type Settings struct {
	At       string    `yaml:"at"` // when alarms are told, "07:30" in the configuration's timezone
	Webhooks []Webhook `yaml:"webhooks"`
	Mail     Mail      `yaml:"mail"`
}

// Webhook is an address that takes messages by POST.
type Webhook struct {
	Name   string        `yaml:"name"`
	URL    secret.Secret `yaml:"url"`   // who knows it may post
	Shape  Shape         `yaml:"shape"` // json when it says nothing
	Alerts bool          `yaml:"alerts"`
	Alarms bool          `yaml:"alarms"` // all of them, once a day
}

// Shape is the form of a web hook's body.
type Shape string

// The shapes.
const (
	Slack Shape = "slack"
	Teams Shape = "teams"
	JSON  Shape = "json"
)

// Mail is a server that takes mails, and who gets which.
type Mail struct {
	Server   string        `yaml:"server"`  // HOST:PORT; "" = no mails
	TLS      TLS           `yaml:"tls"`     // starttls when it says nothing
	CAFile   string        `yaml:"ca_file"` // PEM, relative to energyd.yaml; "" = the system's certificates
	User     string        `yaml:"user"`    // "" = without sign-on
	Password secret.Secret `yaml:"password"`
	From     string        `yaml:"from"`
	Alerts   []string      `yaml:"alerts_to"`
	Alarms   []string      `yaml:"alarms_to"` // all of them, once a day
	Owners   bool          `yaml:"owners"`    // sales people get those of their own customers, once a day
}

// TLS is how the way to a mail server is encrypted.
type TLS string

// The ways. Clear goes to this machine alone.
const (
	StartTLS TLS = "starttls"
	Implicit TLS = "tls"
	Clear    TLS = "none"
)

// Defaults are the settings of a configuration that says nothing: nobody is told.
func Defaults() Settings { return Settings{At: "07:30", Mail: Mail{TLS: StartTLS}} }

// Any tells whether anybody is told anything.
func (s Settings) Any() bool { return len(s.Webhooks) > 0 || s.Mail.Server != "" }

// Problems finds what is wrong in the section, by paths below "notices".
func (s Settings) Problems() fault.Problems {
	var ps fault.Problems
	if _, err := time.Parse(clock, s.At); err != nil {
		ps.Add("notices.at", "%q is no time of day; write it as 07:30", s.At)
	}
	names := map[string]bool{}
	for i, w := range s.Webhooks {
		path := fmt.Sprintf("notices.webhooks[%d]", i)
		switch {
		case w.Name == "":
			ps.Add(path, "%s.name is required: what status and the log call it", path)
		case names[w.Name]:
			ps.Add(path+".name", "there are two web hooks %q", w.Name)
		}
		names[w.Name] = true
		ps = append(ps, w.problems(path)...)
	}
	return append(ps, s.Mail.problems()...)
}

func (w Webhook) problems(path string) fault.Problems {
	var ps fault.Problems
	switch u, err := url.Parse(w.URL.Reveal()); {
	case w.URL.IsZero():
		ps = append(ps, fault.Problem{Path: path, Msg: path + ".url is required", Hint: "write the address into a file and name it as ${file:secrets/hook}: who knows it may post"})
	case err != nil || u.Host == "" || u.Scheme != "https" && !(u.Scheme == "http" && telemetry.Loopback(u.Hostname())):
		ps.Add(path+".url", "is no https address") // without the address: it is a secret
	}
	switch w.Shape {
	case "", Slack, Teams, JSON:
	default:
		ps.Add(path+".shape", "unknown shape %q%s; known are slack, teams and json", w.Shape, fault.DidYouMean(string(w.Shape), []string{string(Slack), string(Teams), string(JSON)}))
	}
	if !w.Alerts && !w.Alarms {
		ps.Add(path, "says of nothing: write alerts: true, alarms: true, or both")
	}
	return ps
}

func (m Mail) problems() fault.Problems {
	var ps fault.Problems
	wants := len(m.Alerts) > 0 || len(m.Alarms) > 0 || m.Owners
	if m.Server == "" {
		if wants {
			ps.Add("notices.mail", "notices.mail.server is required, as smtp.example.co.jp:587")
		}
		return ps
	}
	host, _, err := net.SplitHostPort(m.Server)
	if err != nil {
		ps.Add("notices.mail.server", "%q is no address; write HOST:PORT, as smtp.example.co.jp:587", m.Server)
	}
	switch m.TLS {
	case StartTLS, Implicit:
	case Clear:
		if !telemetry.Loopback(host) {
			ps.Add("notices.mail.tls", "without TLS mails go to this machine's own server alone")
		}
	default:
		ps.Add("notices.mail.tls", "unknown way %q; known are starttls (port 587), tls (port 465) and none", m.TLS)
	}
	if (m.User == "") != m.Password.IsZero() {
		ps.Add("notices.mail", "user and password go together")
	}
	if m.From == "" {
		ps.Add("notices.mail", "notices.mail.from is required: the address that mails come from")
	}
	if !wants {
		ps.Add("notices.mail", "nobody gets a mail: write alerts_to, alarms_to or owners")
	}
	addresses := map[string][]string{"notices.mail.from": {m.From}, "notices.mail.alerts_to": m.Alerts, "notices.mail.alarms_to": m.Alarms}
	for path, list := range addresses {
		for _, a := range list {
			if _, err := mail.ParseAddress(a); a != "" && err != nil {
				ps.Add(path, "%q is no mail address", a)
			}
		}
	}
	return ps
}

const clock = "15:04"
