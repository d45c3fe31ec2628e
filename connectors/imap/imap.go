// Package imap reads mailboxes: who wrote to whom, when, and what kind of mail
// it was. It only reads (EXAMINE, BODY.PEEK), fetches headers, and of few mails
// the structure and small parts of the body, which it looks at and drops.
//
// One connection is one mail server with several mailboxes; a stream is their
// mails as records. The reader of mails is package message below this one. The
// library's traps, and which behaviour of contracts/imap.md is meant where a
// number stands in brackets: decision 0051.
//
//	config.go            what the admin writes
//	cursor.go, source.go, turn.go: how far each folder was read; one Read
//	folders.go           which folders are read
//	names.go             folder names that the library cannot read
//	pool.go, session.go  connections, TLS, sign-on
//	waits.go             what is tried again, and for how long
//	starttls.go          from plain text to TLS
//	oauth.go             access tokens
//	watch.go             what is new between readings
//	fetch.go, echo.go    headers in bulk
//	body.go              the parts that tell more of few mails
//	record.go, people.go mail → record, and who is left out
package imap

import (
	"context"
	"crypto/tls"
	_ "embed" // for the sample
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"energyd/connectors"
	"energyd/connectors/imap/message"
	"energyd/internal/fault"
	"energyd/internal/httpclient"
)

//go:embed sample.yaml
var sample []byte

// Connector is the registry's entry.
var Connector = connectors.Connector{
	Name:      "imap",
	Title:     "Mailboxes (IMAP)",
	Sample:    sample,
	NewConfig: func() connectors.Config { return newConfig() },
	NewStream: func() connectors.Config { return &Stream{} },
	Open: func(_ context.Context, c connectors.Config, env connectors.Env) (connectors.Conn, error) {
		return open(c, env, wall)
	},
	Reads: true,
}

// conn is one mail server.
type conn struct {
	cfg    *Config
	env    connectors.Env
	pool   *pool
	http   *httpclient.Client // of the token service
	tls    *tls.Config
	clock  clock
	outage outage
	boxes  []*box
	seen   identities
	people people

	internal, tagged []string // domains, as message.Domain gives them

	readers sync.Pool // *message.Reader
}

// box is one mailbox of the server.
type box struct {
	*Mailbox
	rep     string   // the address of whose it is
	domains []string // Domains, as message.Domain gives them
	access  accessToken
	// badNames says that the server lists folders with names that the library cannot read.
	badNames atomic.Bool
}

func open(c connectors.Config, env connectors.Env, clock clock) (connectors.Conn, error) {
	cfg, ok := c.(*Config)
	if !ok {
		return nil, fault.New(fault.Internal, env.Name, fmt.Sprintf("configuration of type %T", c), "", nil)
	}
	tlsConfig, err := cfg.tlsConfig(env.Dir)
	if err != nil {
		return nil, fault.New(fault.Config, env.Name, "cannot use ca_file", "name a PEM file that energyd may read", err)
	}
	conn := &conn{cfg: cfg, env: env, tls: tlsConfig, clock: clock, readers: sync.Pool{New: func() any { return new(message.Reader) }}}
	conn.http = httpclient.New(httpclient.Options{Log: env.Log, Timeout: time.Duration(cfg.Timeout)})
	conn.internal, conn.tagged = normalized(cfg.InternalDomains), normalized(cfg.TaggedDomains)
	conn.leaveOut(cfg.OptOut)
	for i := range cfg.Mailboxes {
		m := &cfg.Mailboxes[i]
		conn.boxes = append(conn.boxes, &box{Mailbox: m, rep: m.owner(), domains: normalized(m.Domains)})
	}
	conn.pool = newPool(cfg.Connections, cfg.ConnectionsPerMailbox, func(ctx context.Context, b *box) (*session, error) {
		return conn.dial(ctx, b, conn.tls)
	})
	return conn, nil
}

// normalized gives domains as those of addresses are compared with.
func normalized(domains []string) []string {
	list := make([]string, len(domains))
	for i, d := range domains {
		list[i] = message.Domain(d)
	}
	return list
}

// Check signs on to every mailbox and lists its folders.
func (c *conn) Check(ctx context.Context) error {
	var t troubles
	c.each(c.boxes, func(b *box) {
		list := func(s *session) error {
			_, err := s.list(ctx)
			return err
		}
		err := c.once(ctx, b, list)
		if errors.Is(err, errUnreadable) && b.badNames.CompareAndSwap(false, true) {
			err = c.once(ctx, b, list)
		}
		t.add(b, err)
	})
	return t.err(c.env.Name, len(c.boxes))
}

func (c *conn) Close() error {
	c.pool.close()
	c.http.Close()
	return nil
}
