package imap

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/internal/fault"
	"energyd/internal/secret"
	"energyd/internal/testmail"
)

func Test01_CertificatesAreChecked(t *testing.T) {
	s := dovecot(t)
	cfg := config(s, s.TLSAddr(), "rep1")
	cfg.CAFile = ""
	err := newReader(t, cfg).conn.Check(t.Context())
	if fault.KindOf(err) != fault.Config || !strings.Contains(fault.HintOf(err), "ca_file") {
		t.Errorf("a certificate of nobody known gives %v", err)
	}
	if err := newReader(t, config(s, s.TLSAddr(), "rep1")).conn.Check(t.Context()); err != nil {
		t.Error(err)
	}
}

// relay passes connections to the address on to target: toServer and toClient copy the two directions.
func relay(t testing.TB, target string, toServer, toClient func(io.Writer, io.Reader)) (addr string) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				server, err := net.Dial("tcp", target)
				if err != nil {
					return
				}
				defer server.Close()
				go func() {
					toClient(c, server)
					c.Close()
				}()
				toServer(server, c)
			}()
		}
	}()
	return l.Addr().String()
}

func pass(w io.Writer, r io.Reader) { _, _ = io.Copy(w, r) }

// tap keeps what the client says.
func tap(t testing.TB, target string) (addr string, said *lines) {
	said = &lines{}
	return relay(t, target, func(w io.Writer, r io.Reader) { pass(w, io.TeeReader(r, said)) }, pass), said
}

func Test02_StartTLSComesBeforeTheCredential(t *testing.T) {
	s := dovecot(t)
	addr, said := tap(t, s.Addr())
	cfg := config(s, addr, "rep1")
	cfg.Security = securityStartTLS
	if err := newReader(t, cfg).conn.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	if text := said.String(); !strings.Contains(text, "STARTTLS") || strings.Contains(text, "LOGIN") || strings.Contains(text, "AUTHENTICATE") {
		t.Errorf("in plain text the client said %q", text)
	}
}

func Test02_AServerWithoutStartTLSIsRefused(t *testing.T) {
	for name, greeting := range map[string]string{"no STARTTLS": "* OK [CAPABILITY IMAP4rev1] hello", "PREAUTH": "* PREAUTH [CAPABILITY IMAP4rev1 STARTTLS] hello"} {
		f := newFake(t)
		f.greeting = greeting
		cfg := f.config()
		cfg.Security = securityStartTLS
		if err := newReader(t, cfg).conn.Check(t.Context()); err == nil {
			t.Errorf("%s: it is taken", name)
		}
		if text := f.said.String(); strings.Contains(text, "LOGIN") || strings.Contains(text, "AUTHENTICATE") {
			t.Errorf("%s: the client said %q", name, text)
		}
	}
}

func Test03_LoginDisabledIsHonoured(t *testing.T) {
	// From 127.0.0.1 to itself Dovecot takes plain text as secure.
	s := testmail.Start(t, testmail.Options{Listen: "127.0.0.2", Settings: "disable_plaintext_auth = yes\nssl = required"})
	addr, said := tap(t, s.Addr())
	cfg := config(s, addr, "rep1")
	cfg.Security = securityPlain
	err := newReader(t, cfg).conn.Check(t.Context())
	if fault.KindOf(err) != fault.Config || fault.HintOf(err) == "" {
		t.Errorf("got %v", err)
	}
	if text := said.String(); strings.Contains(text, "LOGIN") || strings.Contains(text, "AUTHENTICATE") {
		t.Errorf("the client said %q", text)
	}
}

// tokens is an OAuth service and the introspection of the mail server.
type tokens struct {
	*httptest.Server
	issued atomic.Int32
	good   func(token string) bool
}

func newTokens(t testing.TB, good func(string) bool) *tokens {
	k := &tokens{good: good}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		if r.FormValue("refresh_token") != "r3fresh" || r.FormValue("client_id") != "energyd" {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"error":"invalid_grant"}`)
			return
		}
		fmt.Fprintf(w, `{"access_token":"t0ken-%d","expires_in":3600}`, k.issued.Add(1))
	})
	mux.HandleFunc("GET /i", func(w http.ResponseWriter, r *http.Request) {
		active := k.good(r.FormValue("token"))
		_ = json.NewEncoder(w).Encode(map[string]string{"active": fmt.Sprint(active), "email": "rep1"})
	})
	k.Server = httptest.NewServer(mux)
	t.Cleanup(k.Close)
	return k
}

func (k *tokens) config(s *testmail.Server) *Config {
	cfg := config(s, s.TLSAddr(), "rep1")
	cfg.Auth, cfg.OAuth = authOAuth2, OAuth{TokenURL: k.URL + "/token", ClientID: "energyd", ClientSecret: secret.New("${env:S}", "cl1ent")}
	cfg.Mailboxes[0].Password, cfg.Mailboxes[0].RefreshToken = secret.Secret{}, secret.New("${env:T}", "r3fresh")
	return cfg
}

func Test04_AccessTokensSignOn(t *testing.T) {
	k := newTokens(t, func(token string) bool { return strings.HasPrefix(token, "t0ken-") })
	for _, mechanisms := range []string{"", "auth_mechanisms = plain xoauth2", "auth_mechanisms = plain oauthbearer"} {
		s := testmail.Start(t, testmail.Options{TokenURL: k.URL + "/i?token=", Settings: mechanisms})
		raw := text(1)
		s.Save("rep1", "INBOX", raw)
		r := newReader(t, k.config(s))
		got, _, _ := r.read(&Stream{}, "")
		r.want("by token", got, raw)
	}
}

func Test05_ARejectedTokenIsRenewedOnce(t *testing.T) {
	k := newTokens(t, func(token string) bool { return token == "t0ken-2" })
	s := testmail.Start(t, testmail.Options{TokenURL: k.URL + "/i?token="})
	if err := newReader(t, k.config(s)).conn.Check(t.Context()); err != nil || k.issued.Load() != 2 {
		t.Errorf("the second token was not used: %v, %d tokens", err, k.issued.Load())
	}
	k.good = func(string) bool { return false }
	k.issued.Store(0)
	r := newReader(t, k.config(testmail.Start(t, testmail.Options{TokenURL: k.URL + "/i?token="})))
	err := r.conn.Check(t.Context())
	if fault.KindOf(err) != fault.Auth || !strings.Contains(err.Error(), "AUTHENTICATIONFAILED") || k.issued.Load() != 2 {
		t.Errorf("got %v after %d tokens", err, k.issued.Load())
	}
	all := fmt.Sprint(err, fault.HintOf(err)) + r.log.String()
	for _, s := range []string{"t0ken", "r3fresh", "cl1ent", "Bearer"} {
		if strings.Contains(all, s) {
			t.Errorf("%s shows: %s", s, all)
		}
	}
}

func Test06_AWrongPasswordIsTriedOnce(t *testing.T) {
	s := dovecot(t)
	cfg := config(s, s.TLSAddr(), "rep1", "rep2")
	cfg.Mailboxes[0].Password = secret.New("${env:X}", "wr0ng-06")
	raw := text(1, "To: rep2@our.example")
	s.Save("rep2", "INBOX", raw)
	for range 3 { // three runs
		r := newReader(t, cfg)
		got, _, _, err := r.try(&Stream{}, "")
		if fault.KindOf(err) != fault.Auth {
			t.Errorf("got %v", err)
		}
		r.want("the other mailbox", got, raw)
		if all := fmt.Sprint(err) + r.log.String(); strings.Contains(all, "wr0ng") { // [8]
			t.Errorf("the password shows: %s", all)
		}
	}
	if n := strings.Count(s.Log(), "Password mismatch"); n != 1 {
		t.Errorf("%d sign-ons were tried:\n%s", n, s.Log())
	}
}

func Test07_LimitIsWaitedFor(t *testing.T) {
	s := testmail.Start(t, testmail.Options{Settings: "mail_max_userip_connections = 1"})
	raw := text(1)
	s.Save("rep1", "INBOX", raw)
	first := newReader(t, config(s, s.TLSAddr(), "rep1"))
	c := first.conn.(*conn)
	taken, _, err := c.pool.take(t.Context(), c.boxes[0])
	if err != nil {
		t.Fatal(err)
	}
	second := newReader(t, config(s, s.TLSAddr(), "rep1"))
	_, _, _, err = second.try(&Stream{}, "")
	if fault.KindOf(err) != fault.RateLimited {
		t.Errorf("with all connections taken: %v", err)
	}
	c.pool.put(taken, false)
	var got map[string]connectors.Record
	for deadline := time.Now().Add(20 * time.Second); ; { // the server notices when it does
		if got, _, _, err = second.try(&Stream{}, ""); err == nil || time.Now().After(deadline) {
			break
		}
	}
	second.want("after one became free", got, raw)
}

func Test07_ConnectionsStayWithinTheLimit(t *testing.T) {
	s := testmail.Start(t, testmail.Options{Settings: "protocol imap {\n  mail_max_userip_connections = 1\n}"})
	cfg := config(s, s.TLSAddr(), "rep1", "rep2", "shared")
	cfg.Connections = 2
	var raws [][]byte
	for i, user := range []string{"rep1", "rep2", "shared"} {
		for j := range 4 {
			raws = append(raws, text(i*10+j, "To: "+user+"@our.example"))
			s.Save(user, "INBOX", raws[len(raws)-1])
		}
	}
	r := newReader(t, cfg)
	got, _, _ := r.read(&Stream{}, "")
	r.want("three mailboxes", got, raws...)
	p := r.conn.(*conn).pool
	if p.all > 2 {
		t.Errorf("%d connections are open", p.all)
	}
}
