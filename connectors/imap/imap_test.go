package imap

import (
	"context"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/connectors/connectortest"
	"energyd/internal/secret"
	"energyd/internal/testmail"
)

// quick is the connector with pauses that tests can wait for.
func quick() connectors.Connector {
	c := Connector
	c.Open = func(_ context.Context, cfg connectors.Config, env connectors.Env) (connectors.Conn, error) {
		return open(cfg, env, quickClock())
	}
	return c
}

// config reaches a test server at addr with TLS, as the given users.
func config(s *testmail.Server, addr string, users ...string) *Config {
	cfg := newConfig()
	host, port, _ := net.SplitHostPort(addr)
	cfg.Host = host
	_, _ = fmt.Sscan(port, &cfg.Port)
	cfg.CAFile = s.CAFile
	cfg.InternalDomains = []string{"our.example"}
	for _, u := range users {
		cfg.Mailboxes = append(cfg.Mailboxes, Mailbox{User: u, Owner: u + "@our.example", Password: secret.New("${env:MAIL}", testmail.Passwords[u])})
	}
	return cfg
}

// text is a mail of a customer to rep1, with lines of the header that replace or extend the usual.
func text(n int, lines ...string) []byte {
	at := time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC).Add(time.Duration(n/2) * time.Minute)
	head := []string{
		fmt.Sprintf("Message-ID: <m%d@cust.example>", n), "Date: " + at.Format(time.RFC1123Z),
		"From: =?UTF-8?B?5bGx55Sw6YOo6ZW3?= <yamada@cust.example>", "To: Sato <rep1@our.example>",
		fmt.Sprintf("Subject: offer %d", n), "MIME-Version: 1.0", "Content-Type: text/plain; charset=utf-8",
	}
	body := "the canary sings\r\n"
	for _, l := range lines {
		if rest, ok := strings.CutPrefix(l, "\n"); ok {
			body = rest
			continue
		}
		name, _, _ := strings.Cut(l, ":")
		replaced := false
		for i, h := range head {
			if strings.HasPrefix(h, name+":") {
				head[i], replaced = l, true
			}
		}
		if !replaced {
			head = append(head, l)
		}
	}
	return []byte(strings.Join(head, "\r\n") + "\r\n\r\n" + body)
}

func TestSource(t *testing.T) {
	connectortest.RunSource(t, connectortest.SourceHarness{
		Connector:      quick(),
		ConnRequired:   []string{"host", "mailboxes", "internal_domains", "auth", "security"},
		StreamRequired: nil,
		Start: func(t *testing.T) connectortest.SourceSystem {
			server := testmail.Start(t, testmail.Options{})
			server.Doveadm("mailbox", "create", "-u", "rep1", "取引先")
			n := 0
			return connectortest.SourceSystem{
				System: connectortest.System{
					Addr: server.TLSAddr(),
					Conn: func(addr string) connectors.Config { return config(server, addr, "rep1") },
					WrongLogin: func(cfg connectors.Config) {
						cfg.(*Config).Mailboxes[0].Password = secret.New("${env:MAIL}", "wrong")
					},
					Secret: testmail.Passwords["rep1"],
				},
				Stream: func() connectors.Config { return &Stream{} },
				Insert: func(count int) []string {
					var keys []string
					for range count {
						raw := text(n)
						server.Save("rep1", "INBOX", raw)
						keys = append(keys, keyOf(raw))
						n++
					}
					return keys
				},
				Change: func(key string) { // of a mail only its folder changes
					id, _, _ := strings.Cut(key, "#")
					server.Doveadm("move", "-u", "rep1", "取引先", "mailbox", "INBOX", "header", "Message-ID", id)
				},
				WrongStream: func(cfg connectors.Config) { cfg.(*Stream).Folders = []string{"無いフォルダ"} },
			}
		},
	})
}
