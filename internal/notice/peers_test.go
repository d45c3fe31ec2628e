package notice

import (
	"bytes"
	"context"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-sasl"
	"github.com/emersion/go-smtp"
	"go.uber.org/goleak"

	"energyd/internal/secret"
	"energyd/internal/store"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	password = "hunter2-すごい秘密"
	owner    = "suzuki@our.example"
)

// post is a mail server that keeps what it gets, with TLS and sign-on.
type post struct {
	address, ca string
	mu          sync.Mutex
	mails       []letter
	refuse      error // of DATA
	cut         bool  // the connection, in place of an answer to DATA
}

type letter struct {
	from, to string
	message  *mail.Message
	body     string
}

func newPost(t *testing.T) *post {
	t.Helper()
	web := httptest.NewTLSServer(nil) // for its certificate
	t.Cleanup(web.Close)
	p := &post{ca: filepath.Join(t.TempDir(), "ca.pem")}
	block := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: web.Certificate().Raw})
	if err := os.WriteFile(p.ca, block, 0o600); err != nil {
		t.Fatal(err)
	}
	server := smtp.NewServer(smtp.BackendFunc(func(c *smtp.Conn) (smtp.Session, error) { return &session{post: p, conn: c}, nil }))
	server.Domain, server.TLSConfig = "mail.example", web.TLS.Clone()
	server.TLSConfig.NextProtos = nil
	server.ErrorLog = silent{}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p.address = listener.Addr().String()
	done := make(chan error, 1)
	go func() { done <- server.Serve(listener) }()
	t.Cleanup(func() {
		_ = server.Close()
		_ = listener.Close() // which Close knows nothing of when Serve has not come that far
		<-done
	})
	return p
}

type silent struct{}

func (silent) Printf(string, ...any) {}
func (silent) Println(...any)        {}

type session struct {
	*post
	conn     *smtp.Conn
	signedOn bool
	got      letter
}

func (s *session) AuthMechanisms() []string { return []string{sasl.Plain} }

func (s *session) Auth(string) (sasl.Server, error) {
	return sasl.NewPlainServer(func(_, user, word string) error {
		if _, encrypted := s.conn.TLSConnectionState(); !encrypted || user != "energyd" || word != password {
			return smtp.ErrAuthFailed
		}
		s.signedOn = true
		return nil
	}), nil
}

func (s *session) Mail(from string, _ *smtp.MailOptions) error {
	if !s.signedOn {
		return smtp.ErrAuthRequired
	}
	s.got = letter{from: from}
	return nil
}

func (s *session) Rcpt(to string, _ *smtp.RcptOptions) error {
	if strings.HasPrefix(to, "gone@") {
		return &smtp.SMTPError{Code: 550, EnhancedCode: smtp.EnhancedCode{5, 1, 1}, Message: "<" + to + ">: no such user"}
	}
	s.got.to = to
	return nil
}

func (s *session) Data(r io.Reader) error {
	message, err := mail.ReadMessage(r)
	if err != nil {
		return err
	}
	body, err := io.ReadAll(message.Body)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.refuse != nil {
		return s.refuse
	}
	s.got.message, s.got.body = message, decoded(body)
	s.mails = append(s.mails, s.got)
	if s.cut {
		_ = s.conn.Conn().Close()
		return errors.New("cut")
	}
	return nil
}

func (s *session) Reset()        {}
func (s *session) Logout() error { return nil }

// arrived takes the mails that came, as "to: subject", sorted.
func (p *post) arrived(t *testing.T) (list []string, mails []letter) {
	t.Helper()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.mails {
		subject, err := new(mime.WordDecoder).DecodeHeader(l.message.Header.Get("Subject"))
		if err != nil {
			t.Error(err)
		}
		list = append(list, l.to+": "+subject)
	}
	mails, p.mails = p.mails, nil
	slices.Sort(list)
	return list, mails
}

func (p *post) set(refuse error, cut bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse, p.cut = refuse, cut
}

// chat is a chat service's web hook.
type chat struct {
	url    string
	mu     sync.Mutex
	bodies []string
	status int
}

func newChat(t *testing.T) *chat {
	t.Helper()
	c := &chat{status: http.StatusOK}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.status == http.StatusOK && err == nil && r.Header.Get("Content-Type") == "application/json" {
			c.bodies = append(c.bodies, string(body))
		}
		w.WriteHeader(c.status)
	}))
	t.Cleanup(server.Close)
	c.url = server.URL + "/secret-token"
	return c
}

func (c *chat) got() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	got := c.bodies
	c.bodies = nil
	return got
}

func (c *chat) answer(status int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status = status
}

// office is a Sender with its peers.
type office struct {
	*testing.T
	*Sender
	post *post
	chat *chat
	st   *store.Store
	log  bytes.Buffer
	now  time.Time
	list []Alarm
}

func newOffice(t *testing.T, language string) *office {
	t.Helper()
	zone, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	st, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	o := &office{T: t, post: newPost(t), chat: newChat(t), st: st, now: time.Date(2026, 11, 20, 8, 0, 0, 0, zone)}
	o.list = []Alarm{
		{ID: "001A", Customer: "㈱青葉精機", Rep: "005S", RepName: "鈴木 美咲", Kind: "surge", Label: "急上昇（きざし）", Sentence: "14日間でお客様から4回", Since: "2026-11-19", Link: "https://crm.example/001A"},
		{ID: "001B", Customer: "A*B <株>", Rep: "005G", Kind: "cooling", Label: "温度低下", Sentence: "warmから下がりました", Since: "2026-11-18"},
	}
	s := Defaults()
	s.Webhooks = []Webhook{{Name: "it", URL: secret.New("${file:hook}", o.chat.url), Alerts: true}}
	s.Mail = Mail{Server: o.post.address, TLS: StartTLS, CAFile: o.post.ca, User: "energyd", Password: secret.New("${file:smtp}", password),
		From: "energyd@our.example", Alerts: []string{"it@our.example"}, Alarms: []string{"head@our.example"}, Owners: true}
	if problems := s.Problems(); len(problems) > 0 {
		t.Fatal(problems)
	}
	o.restart(s, language)
	return o
}

// restart is a new process on the same store.
func (o *office) restart(settings Settings, language string) {
	o.Sender = &Sender{Settings: settings, Store: o.st, Log: slog.New(slog.NewTextHandler(&o.log, nil)), Now: func() time.Time { return o.now }, Zone: o.now.Location(), Language: language,
		Alarms: func(context.Context) ([]Alarm, error) { return o.list, nil },
		Address: func(_ context.Context, rep string) (string, error) {
			return map[string]string{"005S": owner, "005G": "gone@our.example"}[rep], nil
		}}
}

// alerted keeps an alert in the store, as the daemon does.
func (o *office) alerted(what, state string) {
	o.Helper()
	if err := o.st.SetAlert(o.Context(), store.Alert{What: what, State: state, Since: o.now, Because: "imap: cannot log in as mori@our.example", ToDo: "renew the password"}); err != nil {
		o.Fatal(err)
	}
}

// sends runs a pass, and holds what came by mail.
func (o *office) sends(want ...string) (mails []letter, err error) {
	o.Helper()
	_, err = o.Send(o.Context())
	got, mails := o.post.arrived(o.T)
	if !slices.Equal(got, want) {
		o.Errorf("mails %q, want %q; %v", got, want, err)
	}
	if err != nil && (strings.Contains(err.Error(), "@") || strings.Contains(err.Error(), "secret-token") || strings.Contains(err.Error(), password)) {
		o.Errorf("the error names what it must not: %v", err)
	}
	return mails, err
}
