package imap

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	imap "github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"

	"energyd/internal/fault"
)

// session is one signed-on connection of a mailbox. One goroutine at a time uses it.
type session struct {
	box    *box
	wire   *wire
	client *imapclient.Client
	caps   imap.CapSet
	folder string        // examined now; "" = none
	listed atomic.Bool   // folders were looked at: no line needs to be held against its name
	heard  chan struct{} // there is a new mail in the open folder
	early  *early        // what was asked for beforehand; nil = nothing
	conn   *conn
}

// dial connects and signs on.
func (c *conn) dial(ctx context.Context, b *box, tlsConfig *tls.Config) (*session, error) {
	if err := c.refused(b); err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: time.Duration(c.cfg.Timeout)}
	raw, err := dialer.DialContext(ctx, "tcp", c.cfg.address())
	if err != nil {
		return nil, c.fault(ctx, b, nil, err)
	}
	s := &session{box: b, wire: newWire(raw, time.Duration(c.cfg.Timeout)), heard: make(chan struct{}, 1), conn: c}
	stop := context.AfterFunc(ctx, s.wire.kill)
	defer stop()
	if err := s.greet(ctx, tlsConfig); err != nil {
		s.close()
		return nil, c.fault(ctx, b, s.wire, err)
	}
	if err := s.signOn(ctx); err != nil {
		s.close()
		return nil, c.fault(ctx, b, s.wire, err)
	}
	if s.caps.Has(imap.CapID) { // some hosts want to know who asks; whatever they say is fine [12]
		_, _ = s.client.ID(&imap.IDData{Name: "energyd", Version: "1"}).Wait()
	}
	return s, nil
}

// greet brings TLS up and reads the capabilities.
func (s *session) greet(ctx context.Context, tlsConfig *tls.Config) error {
	options := &imapclient.Options{UnilateralDataHandler: &imapclient.UnilateralDataHandler{Mailbox: s.hear}}
	switch s.conn.cfg.Security {
	case securityTLS:
		t := tls.Client(s.wire, tlsConfig)
		if err := t.HandshakeContext(ctx); err != nil {
			return err
		}
		s.client = imapclient.New(s.reading(t), options)
	case securityStartTLS:
		t, err := s.startTLS(ctx, tlsConfig)
		if err != nil {
			return err
		}
		s.client = imapclient.New(newGreeted(s.reading(t)), options)
	default:
		if host, _, _ := net.SplitHostPort(s.wire.RemoteAddr().String()); !loopback(host) {
			return fault.New(fault.Config, "", "security: plain is for a server on this machine only", "use tls or starttls", nil)
		}
		s.client = imapclient.New(s.reading(s.wire), options)
	}
	if err := s.client.WaitGreeting(); err != nil {
		return err
	}
	if s.caps = s.client.Caps(); s.caps == nil {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// hear takes what the server tells of the open folder without being asked.
func (s *session) hear(d *imapclient.UnilateralDataMailbox) {
	if d.NumMessages == nil {
		return // flags
	}
	select {
	case s.heard <- struct{}{}:
	default: // it was told, and nobody has looked yet
	}
}

// reading makes a connection one that is read in large pieces, without unreadable names where those are known.
func (s *session) reading(c net.Conn) net.Conn {
	r := bufio.NewReaderSize(c, readBuffer)
	c = &writing{c, s}
	if !s.box.badNames.Load() {
		return &shortened{Conn: c, r: r}
	}
	return &listed{Conn: c, r: r, off: &s.listed, lost: func() {
		s.conn.env.Log.Warn("A folder's name breaks the standard; the folder is left out. Rename it in a mail program.", "mailbox", s.box.User)
	}}
}

// writing fails only when the library has stopped reading: else it would end its
// commands while their answers still come.
type writing struct {
	net.Conn
	session *session
}

func (w *writing) Write(p []byte) (int, error) {
	n, err := w.Conn.Write(p)
	if err != nil {
		w.session.wire.kill()
		if w.session.client != nil {
			<-w.session.client.Closed()
		}
	}
	return n, err
}

// signOn proves who we are. What the server refuses is not tried again [6]; a
// token that it refuses is renewed once [5].
func (s *session) signOn(ctx context.Context) error {
	b, cfg := s.box, s.conn.cfg
	if cfg.Auth == authPassword {
		err := s.byPassword(b.User, b.Password.Reveal())
		s.caps = s.client.Caps()
		return s.conn.judge(b, err)
	}
	mechanism := ""
	for _, m := range []string{"OAUTHBEARER", "XOAUTH2"} {
		if s.caps.Has(imap.AuthCap(m)) {
			mechanism = m
			break
		}
	}
	if mechanism == "" {
		return fault.New(fault.Config, "", "the server takes no access tokens", "use auth: password for this server", nil)
	}
	host, port, _ := net.SplitHostPort(cfg.address())
	refused := ""
	for {
		token, err := s.conn.token(ctx, b, refused)
		if err != nil {
			return err
		}
		err = s.client.Authenticate(bearer{mechanism, b.User, token, host, port})
		if err == nil || refused != "" || !isRefusal(err) {
			s.caps = s.client.Caps()
			return s.conn.judge(b, err)
		}
		refused = token
	}
}

func (s *session) byPassword(user, password string) error {
	switch {
	case s.caps.Has(imap.AuthCap("PLAIN")):
		return s.client.Authenticate(plain{user, password})
	case s.caps.Has(imap.CapLoginDisabled): // [3]
		return fault.New(fault.Config, "", "the server takes no password on this connection", "use security: tls or starttls; where that is set, the server wants OAuth: auth: oauth2", nil)
	}
	return s.client.Login(user, password).Wait()
}

// plain is the SASL client of RFC 4616: unlike LOGIN it says in which charset a password is.
type plain struct{ user, password string }

func (p plain) Start() (mechanism string, first []byte, err error) {
	return "PLAIN", []byte("\x00" + p.user + "\x00" + p.password), nil
}

func (p plain) Next([]byte) ([]byte, error) {
	return nil, errors.New("the server asks more than PLAIN tells")
}

// close ends the connection without a goodbye: nothing is left open at the
// server. The wire goes first, since the library waits for unread answers else.
func (s *session) close() {
	s.wire.kill()
	if s.client != nil {
		_ = s.client.Close()
	}
}

// refusals remembers for an hour, over all connections of this process, who was
// refused: some servers lock a mailbox after a few wrong passwords [6].
var refusals sync.Map // [32]byte → time.Time

const refusalHolds = time.Hour

func (c *conn) credential(b *box) [32]byte {
	return sha256.Sum256([]byte(c.cfg.address() + "\x00" + b.User + "\x00" + b.Password.Reveal() + "\x00" + b.RefreshToken.Reveal() + "\x00" + c.cfg.OAuth.ClientSecret.Reveal()))
}

func (c *conn) refused(b *box) error {
	at, ok := refusals.Load(c.credential(b))
	if !ok || time.Since(at.(time.Time)) > refusalHolds {
		return nil
	}
	return fault.New(fault.Auth, "", "the server refused the sign-on of "+b.User+" less than an hour ago; it is not tried again yet", c.signOnHint(b), nil)
}

func (c *conn) signOnHint(b *box) string {
	if c.cfg.Auth == authOAuth2 {
		return "check that the application may read this mailbox by IMAP, and that IMAP is switched on for it"
	}
	return "renew the password in " + b.Password.Reference() + "; Gmail and others want an app password, Microsoft 365 wants OAuth; then start energyd again"
}

// throttles tells an answer that will be another one later.
func throttles(answer *imap.Error) bool {
	switch answer.Code {
	case imap.ResponseCodeLimit, imap.ResponseCodeUnavailable, imap.ResponseCodeInUse, imap.ResponseCodeServerBug:
		return true
	}
	return false
}

func isRefusal(err error) bool {
	var answer *imap.Error
	if !errors.As(err, &answer) || throttles(answer) {
		return false
	}
	return answer.Type == imap.StatusResponseTypeNo || answer.Type == imap.StatusResponseTypeBad
}

// judge turns the answer to a sign-on into a fault.
func (c *conn) judge(b *box, err error) error {
	var answer *imap.Error
	switch {
	case isRefusal(err):
		refusals.Store(c.credential(b), time.Now())
		errors.As(err, &answer)
		return fault.New(fault.Auth, "", "the server refused the sign-on of "+b.User, c.signOnHint(b), said(answer))
	case errors.As(err, &answer):
		c.pool.fewer()
		return fault.New(fault.RateLimited, "", "the server wants fewer connections", "lower connections, or close other mail programs of this mailbox", said(answer))
	}
	return err
}

// said is a server's answer by its class alone: its text may repeat what we sent [8].
func said(answer *imap.Error) error {
	text := "imap: " + string(answer.Type)
	if answer.Code != "" {
		text += " [" + string(answer.Code) + "]"
	}
	if answer.Type == imap.StatusResponseTypeBye {
		return errors.New(text)
	}
	return serverSays(text)
}

// serverSays is what a server said that works, and that it will hardly say otherwise a moment later.
type serverSays string

func (a serverSays) Error() string { return string(a) }

// errUnreadable is the library's giving up on an answer that it cannot parse: the
// connection is gone, but the network is not to blame.
var errUnreadable = errors.New("the answer cannot be read")

// fault turns an error of the wire or the library into one for people.
func (c *conn) fault(ctx context.Context, b *box, w *wire, err error) error {
	op := c.env.Name
	if b != nil {
		op += ": " + b.User
	}
	where := c.cfg.address()
	is := func(kind fault.Kind, msg, hint string, cause error) error {
		return fault.New(kind, op, msg, hint, cause)
	}
	var (
		f       *fault.Error
		answer  *imap.Error
		unknown x509.UnknownAuthorityError
		name    x509.HostnameError
		invalid x509.CertificateInvalidError
		notTLS  tls.RecordHeaderError
		dns     *net.DNSError
		network net.Error
	)
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return is(fault.Unavailable, "stopped while waiting for "+where, "", ctx.Err())
	case errors.As(err, &f):
		if f.Op == "" {
			placed := *f
			placed.Op = op
			return &placed
		}
		return err
	case errors.Is(err, errUnreadable):
		return is(fault.Unavailable, "an answer of "+where+" cannot be read", "", err)
	case errors.As(err, &answer):
		if throttles(answer) {
			return is(fault.RateLimited, "the server asks to slow down", "lower connections, or leave more time between readings", said(answer))
		}
		if answer.Type == imap.StatusResponseTypeBye {
			return is(fault.Unavailable, "the server says goodbye", "if this stays, ask who runs it", said(answer))
		}
		return is(fault.Unavailable, "the server cannot do what it was asked", "if this stays, ask who runs it", said(answer))
	case errors.As(err, &unknown):
		return is(fault.Config, "the certificate of "+where+" was issued by somebody this machine does not know",
			"name the file of your own certificate authority in ca_file", err)
	case errors.As(err, &name):
		return is(fault.Config, "the certificate of "+where+" is for another name", "use the host name that stands in the certificate", err)
	case errors.As(err, &invalid):
		return is(fault.Config, "the certificate of "+where+" is not valid now", "have the certificate renewed, and check this machine's clock", err)
	case errors.As(err, &notTLS):
		return is(fault.Config, where+" does not speak TLS", "check port and security: tls is for port 993, starttls for 143", err)
	case errors.As(err, &dns):
		return is(fault.Unavailable, "the name "+c.cfg.host()+" cannot be looked up", "check the spelling of host, and this machine's DNS", err)
	case errors.Is(err, syscall.ECONNREFUSED):
		return is(fault.Unavailable, "nothing listens at "+where, "check host and port, and that the server runs", err)
	case w != nil && w.silent.Load():
		return is(fault.Unavailable, fmt.Sprintf("%s did not answer within %s", where, c.cfg.Timeout), "if this stays, check firewalls between this machine and the server", nil)
	case w != nil && !w.broken.Load() && !errors.As(err, &network) && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, net.ErrClosed):
		return is(fault.Unavailable, "an answer of "+where+" cannot be read", "", errUnreadable)
	}
	return is(fault.Unavailable, where+" cut the connection", "if this stays, look for a firewall or proxy that ends connections", nil)
}

// readBuffer is what is asked of the network at once; the library's own buffer is 4 kB.
const readBuffer = 64 << 10

// wire watches a connection: a server that is silent for too long is given up,
// for good [9]. Deadlines of the library, which has none between answers, are passed over.
type wire struct {
	net.Conn
	timeout time.Duration
	mu      sync.Mutex    // of the read deadline
	quiet   time.Duration // silence that is allowed for now; 0 = timeout
	silent  atomic.Bool   // given up, since nothing came
	broken  atomic.Bool   // the network failed, or the other side closed
	once    sync.Once
}

func newWire(c net.Conn, timeout time.Duration) *wire { return &wire{Conn: c, timeout: timeout} }

func (w *wire) Read(p []byte) (int, error) {
	if w.silent.Load() {
		return 0, net.ErrClosed
	}
	if err := w.patience(); err != nil {
		return 0, err
	}
	n, err := w.Conn.Read(p)
	w.note(err)
	return n, err
}

func (w *wire) Write(p []byte) (int, error) {
	if err := w.Conn.SetWriteDeadline(time.Now().Add(w.timeout)); err != nil {
		return 0, err
	}
	n, err := w.Conn.Write(p)
	w.note(err)
	return n, err
}

// allow sets how long the server may be silent from now on; 0 is the usual.
func (w *wire) allow(quiet time.Duration) {
	w.mu.Lock()
	w.quiet = quiet
	w.mu.Unlock()
	_ = w.patience() // also of a Read that waits already; a closed connection tells by itself
}

func (w *wire) patience() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	d := w.quiet
	if d == 0 {
		d = w.timeout
	}
	return w.Conn.SetReadDeadline(time.Now().Add(d))
}

func (w *wire) note(err error) {
	var network net.Error
	switch {
	case err == nil:
	case errors.As(err, &network) && network.Timeout():
		w.silent.Store(true)
		w.kill()
	case !errors.Is(err, net.ErrClosed):
		w.broken.Store(true)
	}
}

func (w *wire) SetDeadline(time.Time) error      { return nil }
func (w *wire) SetReadDeadline(time.Time) error  { return nil }
func (w *wire) SetWriteDeadline(time.Time) error { return nil }

// Close is the library's way to end; kill is ours.
func (w *wire) Close() error { return w.Conn.Close() }

func (w *wire) kill() { w.once.Do(func() { _ = w.Conn.Close() }) }
