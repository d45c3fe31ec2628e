package imap

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strings"

	"energyd/internal/fault"
)

// startTLS asks for TLS in plain text and brings it up. The plain part is not
// the library's to read: whoever sits on the way can write into it, so nothing
// of it may count afterwards, and nothing may follow its last line [2].
func (s *session) startTLS(ctx context.Context, cfg *tls.Config) (net.Conn, error) {
	const most = 100 // lines of a server that talks much
	r := bufio.NewReader(s.wire)
	line := func() (string, error) {
		text, err := r.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			err = errUnreadable
		}
		return strings.ToUpper(string(text)), err
	}
	greeting, err := line()
	switch {
	case err != nil:
		return nil, err
	case strings.HasPrefix(greeting, "* BYE"):
		return nil, io.ErrUnexpectedEOF
	case !strings.HasPrefix(greeting, "* OK"):
		return nil, fault.New(fault.Config, "", "the server lets anybody in before TLS is up", "use security: tls (port 993), or ask who runs the server", nil)
	}
	if _, err := io.WriteString(s.wire, "S STARTTLS\r\n"); err != nil {
		return nil, err
	}
	for range most {
		text, err := line()
		switch {
		case err != nil:
			return nil, err
		case !strings.HasPrefix(text, "S "):
			continue
		case !strings.HasPrefix(text, "S OK"):
			return nil, fault.New(fault.Config, "", "the server offers no STARTTLS", "use security: tls (port 993), or ask who runs the server", nil)
		case r.Buffered() > 0:
			return nil, fault.New(fault.Config, "", "something was slipped in before TLS was up", "use security: tls (port 993); somebody on the way may be tampering with the connection", nil)
		}
		t := tls.Client(s.wire, cfg)
		return t, t.HandshakeContext(ctx)
	}
	return nil, errUnreadable
}

// greeted is a connection on which the server was met before: the library
// expects a greeting, and asks what the server can do when that does not tell.
type greeted struct {
	net.Conn
	greeting io.Reader
}

func newGreeted(c net.Conn) net.Conn { return &greeted{c, strings.NewReader("* OK\r\n")} }

func (g *greeted) Read(p []byte) (int, error) {
	if n, err := g.greeting.Read(p); err == nil {
		return n, nil
	}
	return g.Conn.Read(p)
}
