package imap

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/connectors/imap/message"
	"energyd/internal/fault"
	"energyd/internal/secret"
	"energyd/internal/testmail"
)

func keyOf(raw []byte) string { return message.ReadHeader(raw).Key() }

// reader opens a server as energyd does, and keeps its log.
type reader struct {
	t    testing.TB
	conn connectors.Conn
	log  *lines
}

// lines is a log for several goroutines.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

func newReader(t testing.TB, cfg *Config) *reader {
	t.Helper()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	log := &lines{}
	conn, err := open(cfg, connectors.Env{Name: "mail", Dir: t.TempDir(),
		Log: slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))}, quickClock())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &reader{t, conn, log}
}

// read reads to the end, in small steps, and gives the records by key.
func (r *reader) read(stream *Stream, after connectors.Cursor) (map[string]connectors.Record, connectors.Cursor, []connectors.Reject) {
	r.t.Helper()
	records, next, rejects, err := r.try(stream, after)
	if err != nil {
		r.t.Fatalf("read: %v", err)
	}
	return records, next, rejects
}

func (r *reader) try(stream *Stream, after connectors.Cursor) (map[string]connectors.Record, connectors.Cursor, []connectors.Reject, error) {
	r.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	source, err := r.conn.Source(ctx, stream)
	if err != nil {
		r.t.Fatal(err)
	}
	defer source.Close()
	records := map[string]connectors.Record{}
	var rejects []connectors.Reject
	for more := true; more; {
		b, err := source.Read(ctx, after, 50)
		if err != nil {
			return records, after, rejects, err
		}
		for _, rec := range b.Records {
			records[rec.Key] = rec
		}
		rejects = append(rejects, b.Rejects...)
		after, more = b.Next, b.More
	}
	return records, after, rejects, nil
}

func (r *reader) want(what string, got map[string]connectors.Record, raws ...[]byte) {
	r.t.Helper()
	var want []string
	for _, raw := range raws {
		want = append(want, keyOf(raw))
	}
	slices.Sort(want)
	var keys []string
	for k := range got {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	if !slices.Equal(keys, slices.Compact(want)) {
		r.t.Errorf("%s: got %q, want %q", what, keys, want)
	}
}

// fields shows a record's columns for comparison.
func fields(t testing.TB, rec connectors.Record, names ...string) string {
	t.Helper()
	var out []string
	for _, n := range names {
		if rec.Columns.Index(n) < 0 {
			t.Fatalf("there is no column %s", n)
		}
		out = append(out, fmt.Sprint(rec.Value(n)))
	}
	return strings.Join(out, " | ")
}

func one(t testing.TB, records map[string]connectors.Record, raw []byte) connectors.Record {
	t.Helper()
	rec, ok := records[keyOf(raw)]
	if !ok {
		t.Fatalf("no record of %s", keyOf(raw))
	}
	return rec
}

func dovecot(t testing.TB) *testmail.Server {
	t.Helper()
	return testmail.Start(t, testmail.Options{Sent: true})
}

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

// tap passes a connection on and keeps what the client says.
func tap(t testing.TB, target string) (addr string, said *lines) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	said = &lines{}
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
					_, _ = io.Copy(c, server)
					c.Close()
				}()
				_, _ = io.Copy(server, io.TeeReader(c, said))
			}()
		}
	}()
	return l.Addr().String(), said
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

func Test13_FoldersBySpecialUseAndName(t *testing.T) {
	if got := choose([]folder{{name: "INBOX"}, {name: "A/送信済みトレイ", delim: "/"}}, []string{`\Sent`}, nil); len(got) != 0 {
		t.Errorf("a use that nobody told is guessed in choose: %v", got)
	}
	for name, use := range map[string]string{"Sent": `\Sent`, "INBOX.Sent": `\Sent`, "ＳＥＮＴ ｉｔｅｍｓ": `\Sent`, "送信済みｱｲﾃﾑ": `\Sent`, "下書き": `\Drafts`, "ｺﾞﾐ箱": `\Trash`, "迷惑メール": `\Junk`, "取引先": ""} {
		if got := usual[plainName(lastPart(folder{name: name, delim: "."}))]; got != use {
			t.Errorf("%s is %q, want %q", name, got, use)
		}
	}
	s := dovecot(t)
	sent := text(1, "From: Sato <rep1@our.example>", "To: 山田 <yamada@cust.example>")
	s.Save("rep1", "送信済みトレイ", sent)
	s.Save("rep1", "INBOX", text(2))
	r := newReader(t, config(s, s.TLSAddr(), "rep1"))
	got, _, _ := r.read(&Stream{Folders: []string{`\Sent`}}, "")
	r.want(`\Sent alone`, got, sent)
	if f := fields(t, one(t, got, sent), "direction", "customer", "folder", "owner"); f != "outbound | yamada@cust.example | 送信済みトレイ | rep1@our.example" {
		t.Error(f)
	}
}

func Test14_15_NamesAndWhatIsPassedOver(t *testing.T) {
	s := dovecot(t)
	for _, f := range []string{"取引先/2026年", "Drafts", "Trash", "Junk", "A & B"} {
		s.Doveadm("mailbox", "create", "-u", "rep1", f)
	}
	kept, amp := text(1), text(2)
	s.Save("rep1", "取引先/2026年", kept)
	s.Save("rep1", "A & B", amp)
	for i, f := range []string{"Drafts", "Trash", "Junk"} {
		s.Save("rep1", f, text(10+i))
	}
	r := newReader(t, config(s, s.TLSAddr(), "rep1"))
	got, _, _ := r.read(&Stream{}, "")
	r.want("all but drafts, trash and junk", got, kept, amp)
	if f := fields(t, one(t, got, kept), "folder"); f != "取引先/2026年" {
		t.Error(f)
	}
	got, _, _ = r.read(&Stream{Folders: []string{"取引先/*", "Junk"}}, "")
	r.want("what the admin names", got, kept, text(12))
}

func Test15_AFolderThatVanishesIsAWarning(t *testing.T) {
	s := dovecot(t)
	s.Doveadm("mailbox", "create", "-u", "rep1", "AAA")
	s.Save("rep1", "AAA", text(1))
	kept := text(2)
	s.Save("rep1", "INBOX", kept)
	r := newReader(t, config(s, s.TLSAddr(), "rep1"))
	source, err := r.conn.Source(t.Context(), &Stream{})
	if err != nil {
		t.Fatal(err)
	}
	c := source.(*sourceOf).parse("")
	if err := source.(*sourceOf).aim(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	s.Doveadm("mailbox", "delete", "-u", "rep1", "AAA")
	got, _, _ := r.read(&Stream{}, c.text())
	r.want("what is left", got, kept)
	if !strings.Contains(r.log.String(), "vanished") {
		t.Error("nothing warns")
	}
}

type sourceOf = source

func Test18_NothingIsChanged(t *testing.T) {
	s := dovecot(t)
	for i := range 5 {
		s.Save("rep1", "INBOX", text(i, "References: <x@cust.example>"))
	}
	before := s.Doveadm("fetch", "-u", "rep1", "uid flags modseq", "mailbox", "INBOX")
	addr, said := tap(t, s.Addr())
	cfg := config(s, addr, "rep1")
	cfg.Security = securityPlain
	r := newReader(t, cfg)
	if got, _, _ := r.read(&Stream{}, ""); len(got) != 5 {
		t.Fatalf("%d records", len(got))
	}
	if after := s.Doveadm("fetch", "-u", "rep1", "uid flags modseq", "mailbox", "INBOX"); after != before {
		t.Errorf("before %s\nafter %s", before, after)
	}
	for _, verb := range []string{" SELECT", "STORE", "COPY", "MOVE", "EXPUNGE", "APPEND", " BODY[", "RFC822"} {
		if strings.Contains(said.String(), verb) {
			t.Errorf("the client said%s:\n%s", verb, said)
		}
	}
	if !strings.Contains(said.String(), "EXAMINE") || !strings.Contains(said.String(), ` ID ("name"`) { // [12]
		t.Errorf("the client said\n%s", said)
	}
}

func Test21_SinceIsHonoured(t *testing.T) {
	s := dovecot(t)
	s.Save("rep1", "INBOX", text(1, "Date: Fri, 01 May 2026 09:00:00 +0900"))
	kept := text(2)
	s.Save("rep1", "INBOX", kept)
	r := newReader(t, config(s, s.TLSAddr(), "rep1"))
	got, next, _ := r.read(&Stream{Since: "2026-11-01"}, "")
	r.want("since", got, kept)
	if again, _, _ := r.read(&Stream{Since: "2026-11-01"}, next); len(again) != 0 {
		t.Errorf("older mail is not recorded as seen: %v", again)
	}
}

func Test20_22_23_OnlyNewsIsFetched(t *testing.T) {
	s := dovecot(t)
	addr, said := tap(t, s.Addr())
	cfg := config(s, addr, "rep1")
	cfg.Security = securityPlain
	for i := range 4 {
		s.Save("rep1", "INBOX", text(i))
	}
	r := newReader(t, cfg)
	_, next, _ := r.read(&Stream{}, "")
	for _, word := range []string{`"i":`, `"u":5`, `"m":`} { // UIDVALIDITY, the next UID, MODSEQ [20]
		if !strings.Contains(string(next), word) {
			t.Errorf("the cursor %s has no %s", next, word)
		}
	}
	quiet := len(said.String())
	got, same, _ := r.read(&Stream{}, next)
	if talk := said.String()[quiet:]; len(got) != 0 || strings.Contains(talk, "UID ") || strings.Contains(talk, "EXAMINE") || strings.Count(talk, "STATUS") != 1 || same != next {
		t.Errorf("without news the client said %q, and the cursor went to %s", talk, same)
	}
	raw := text(9)
	s.Save("rep1", "INBOX", raw)
	before := len(said.String())
	got, _, _ = r.read(&Stream{}, next)
	r.want("one new mail", got, raw)
	if talk := said.String()[before:]; !strings.Contains(talk, "UID FETCH 5 ") || strings.Count(talk, "FETCH") != 1 {
		t.Errorf("the client said %q", talk)
	}
}

func Test19_25_26_27_28_29_WhatIsKnownIsNoNews(t *testing.T) {
	s := dovecot(t)
	s.Doveadm("mailbox", "create", "-u", "rep1", "Archive")
	var raws [][]byte
	for i := range 4 {
		raws = append(raws, text(i))
		s.Save("rep1", "INBOX", raws[i])
	}
	r := newReader(t, config(s, s.TLSAddr(), "rep1"))
	first, next, _ := r.read(&Stream{}, "")
	r.want("first reading", first, raws...)
	// Whatever comes again must be the same in all but its place, so that the store takes it as known.
	known := func(what string, got map[string]connectors.Record) {
		t.Helper()
		for key, rec := range got {
			was, ok := first[key]
			if !ok {
				t.Errorf("%s: %s is new", what, key)
				continue
			}
			a, b := was.Fields(), rec.Fields()
			delete(a, "folder")
			delete(b, "folder")
			if fmt.Sprint(a) != fmt.Sprint(b) || !was.ChangedAt.Equal(rec.ChangedAt) || rec.Deleted {
				t.Errorf("%s: %s changed: %v, %v", what, key, a, b)
			}
		}
	}
	var got map[string]connectors.Record
	steps := []struct {
		what  string
		again int // records that are read again
		do    func()
	}{
		{"flags", 0, func() { s.Doveadm("flags", "add", "-u", "rep1", `\Seen`, "mailbox", "INBOX", "uid", "1") }},
		{"copy", 1, func() { s.Doveadm("copy", "-u", "rep1", "Archive", "mailbox", "INBOX", "uid", "1") }},
		{"move", 1, func() { s.Doveadm("move", "-u", "rep1", "Archive", "mailbox", "INBOX", "uid", "2") }},
		{"expunge", 0, func() { s.Doveadm("expunge", "-u", "rep1", "mailbox", "INBOX", "uid", "3") }},
		{"rename", 2, func() { s.Doveadm("mailbox", "rename", "-u", "rep1", "Archive", "保管") }},
		{"uidvalidity", 2, func() { s.Doveadm("mailbox", "update", "-u", "rep1", "--uid-validity", "777", "INBOX") }},
		{"recreated", 2, func() {
			s.Doveadm("mailbox", "delete", "-u", "rep1", "保管")
			s.Doveadm("mailbox", "create", "-u", "rep1", "保管")
			s.Save("rep1", "保管", raws[0])
			s.Save("rep1", "保管", raws[1])
		}},
	}
	for _, step := range steps {
		step.do()
		got, next, _ = r.read(&Stream{}, next)
		known(step.what, got)
		if len(got) != step.again {
			t.Errorf("%s: %d records came again, want %d", step.what, len(got), step.again)
		}
	}
	raw := text(20)
	s.Save("rep1", "INBOX", raw)
	s.Doveadm("mailbox", "update", "-u", "rep1", "--uid-validity", "778", "INBOX")
	got, _, _ = r.read(&Stream{}, next)
	if one(t, got, raw); len(got) != 3 {
		t.Errorf("renumbered with a new mail: %d records", len(got))
	}
}

func Test30_31_OneMailInManyBoxesIsOneRecord(t *testing.T) {
	s := dovecot(t)
	in := text(1, "To: rep1@our.example, rep2@our.example, shared@our.example")
	for _, user := range []string{"shared", "rep1", "rep2"} {
		s.Save(user, "INBOX", in)
	}
	out := text(2, "From: Sato <rep1@our.example>", "To: yamada@cust.example", "Cc: rep2@our.example")
	s.Save("rep1", "送信済みトレイ", out)
	s.Save("rep2", "INBOX", append([]byte("Received: from a by b; Mon, 02 Nov 2026 09:00:01 +0000\r\n"), out...))
	cfg := config(s, s.TLSAddr(), "rep1", "rep2", "shared")
	r := newReader(t, cfg)
	got, _, _ := r.read(&Stream{}, "")
	r.want("two mails", got, in, out)
	if people := one(t, got, in).Value("participants").([]any); len(people) != 4 {
		t.Errorf("participants: %v", people)
	}
	if f := fields(t, one(t, got, out), "direction", "customer", "from"); f != "outbound | yamada@cust.example | rep1@our.example" {
		t.Error(f)
	}
}

func Test32_33_Identity(t *testing.T) {
	s := dovecot(t)
	first := text(1, "Message-ID: <same@cust.example>")
	other := text(50, "Message-ID: <same@cust.example>", "From: suzuki@cust.example", "Subject: something else")
	listed := append([]byte("Received: from x by y; Mon, 02 Nov 2026 09:00:09 +0000\r\n"), bytes.Replace(first, []byte("Subject: "), []byte("Subject: [ML] "), 1)...)
	bare := text(3, "Message-ID: none")
	s.Save("rep1", "INBOX", first)
	s.Save("rep1", "INBOX", other)
	s.Save("rep1", "INBOX", listed)
	s.Save("rep1", "INBOX", bare)
	s.Save("rep2", "INBOX", bare)
	r := newReader(t, config(s, s.TLSAddr(), "rep1", "rep2"))
	got, _, _ := r.read(&Stream{}, "")
	r.want("identities", got, first, other, bare)
	if f := fields(t, one(t, got, other), "id_reused", "message_id"); f != "true | same@cust.example" {
		t.Error(f)
	}
	if f := fields(t, one(t, got, first), "id_reused"); f != "false" {
		t.Error(f)
	}
	if f := fields(t, one(t, got, bare), "message_id"); !strings.HasPrefix(f, "digest:") {
		t.Error(f)
	}
}

func Test37_APoisonMailIsARecordAndStopsNoOther(t *testing.T) {
	s := dovecot(t)
	var raws [][]byte
	for i := range 20 {
		lines := []string{"Content-Type: multipart/mixed; boundary=b", "\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n"}
		if i == 13 {
			lines[1] = "\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\nContent-Type: message/global\r\n\r\nSubject: =?UTF-8?B?44GC?=\r\n\r\nx\r\n--b--\r\n"
		}
		raws = append(raws, text(i, lines...))
		s.Save("rep1", "INBOX", raws[i])
	}
	r := newReader(t, config(s, s.TLSAddr(), "rep1"))
	got, _, rejects := r.read(&Stream{}, "")
	r.want("all mails", got, raws...)
	if len(rejects) != 0 {
		t.Errorf("rejects: %v", rejects)
	}
}

func Test43_TheServersStampStandsInForABadDate(t *testing.T) {
	s := dovecot(t)
	bad := map[string][]byte{
		"missing": text(1, "Date:"), "unparsable": text(2, "Date: yesterday"), "future": text(3, "Date: Mon, 02 Nov 2099 09:00:00 +0900"),
		"old": text(4, "Date: Thu, 01 Jan 1970 00:00:00 +0000"),
	}
	good := text(5)
	s.Save("rep1", "INBOX", good)
	for _, raw := range bad {
		s.Save("rep1", "INBOX", raw)
	}
	r := newReader(t, config(s, s.TLSAddr(), "rep1"))
	got, _, _ := r.read(&Stream{}, "")
	for what, raw := range bad {
		rec := one(t, got, raw)
		if age := time.Since(rec.Value("sent_at").(time.Time)); fields(t, rec, "date_source") != "internal" || age > time.Hour || age < -time.Hour {
			t.Errorf("%s: %s", what, fields(t, rec, "date_source", "sent_at"))
		}
	}
	if f := fields(t, one(t, got, good), "date_source"); f != "header" {
		t.Error(f)
	}
}

func Test50_ReportsMeetingsAndQuestions(t *testing.T) {
	s := dovecot(t)
	part := func(kind, body string) string { return "--b\r\nContent-Type: " + kind + "\r\n\r\n" + body + "\r\n" }
	bounce := text(1, "From: MAILER-DAEMON@mx.our.example", "Return-Path: <>", "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
		"\n"+part("text/plain", "sorry")+part("message/delivery-status", "Reporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; tanaka@cust.example\r\nAction: failed\r\nStatus: 5.1.1")+
			part("message/rfc822", "Message-ID: <ours@our.example>\r\nSubject: x\r\n\r\ncanary")+"--b--\r\n")
	receipt := text(2, "Content-Type: multipart/report; report-type=disposition-notification; boundary=b",
		"\n"+part("text/plain", "read")+part("message/disposition-notification", "Final-Recipient: rfc822; yamada@cust.example\r\nOriginal-Message-ID: <ours@our.example>\r\nDisposition: manual-action/MDN-sent-manually; displayed")+"--b--\r\n")
	accepted := text(3, "From: secretary@cust.example", "Content-Type: multipart/alternative; boundary=b",
		"\n"+part("text/plain", "ok")+part("text/calendar; method=REPLY", "BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nUID:u1\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:yamada@cust.example\r\nEND:VEVENT\r\nEND:VCALENDAR")+"--b--\r\n")
	question := text(4, "In-Reply-To: <ours@our.example>", "References: <root@our.example> <ours@our.example>", "Subject: Re: offer",
		"Content-Type: text/plain; charset=iso-2022-jp", "Content-Transfer-Encoding: base64", "\nGyRCJCQkRCQ0JG0kSyRKJGokXiQ5JCsbKEI=\r\n")
	quoted := text(5, "In-Reply-To: <ours@our.example>", "Subject: Re: offer", "\nthanks\r\n> when will it be?\r\n")
	said := text(6, "Subject: Accepted: meeting")
	ordinary := text(7)
	for _, raw := range [][]byte{bounce, receipt, accepted, question, quoted, said, ordinary} {
		s.Save("rep1", "INBOX", raw)
	}
	r := newReader(t, config(s, s.TLSAddr(), "rep1"))
	got, _, rejects := r.read(&Stream{}, "")
	if len(rejects) > 0 {
		t.Errorf("rejects: %v", rejects)
	}
	for _, c := range []struct {
		raw   []byte
		names []string
		want  string
	}{
		{bounce, []string{"kind", "direction", "bounced", "original_id", "customer", "from"}, "bounce | inbound | tanaka@cust.example | ours@our.example | tanaka@cust.example | "},
		{receipt, []string{"kind", "disposition", "original_id", "customer", "automatic"}, "read_receipt | displayed | ours@our.example | yamada@cust.example | true"},
		{accepted, []string{"kind", "calendar_method", "partstat", "attendee", "customer", "calendar_uid"}, "accepted | REPLY | ACCEPTED | yamada@cust.example | yamada@cust.example | u1"},
		{question, []string{"kind", "reply", "question", "thread", "base_subject"}, "ordinary | true | true | root@our.example | offer"},
		{quoted, []string{"reply", "question", "thread"}, "true | false | ours@our.example"},
		{said, []string{"kind", "calendar_method"}, "ordinary | "},
		{ordinary, []string{"kind", "from", "from_name", "from_title", "customer", "thread"}, "ordinary | yamada@cust.example | 山田 | 部長 | yamada@cust.example | m7@cust.example"},
	} {
		if f := fields(t, one(t, got, c.raw), c.names...); f != c.want {
			t.Errorf("got %s\nwant %s", f, c.want)
		}
	}
}

func Test58_PrivacyIsKept(t *testing.T) {
	s := dovecot(t)
	allowed := text(1, "Cc: boss@other.example, left@cust.example, staff@our.example", "Subject: 秘密の件")
	form := text(6, "From: web@our.example", "To: rep1@our.example", "Reply-To: visitor@cust.example")
	for _, raw := range [][]byte{
		allowed, form,
		text(2, "From: staff@our.example"),                                 // internal
		text(3, "From: x@other.example"),                                   // not on the list
		text(4, "From: Left <Left@cust.example>"),                          // opted out
		text(5, "From: rep1@our.example", "To: x@other.example"),           // to nobody on the list
		text(7, "From: left+tag@cust.example", "To: shared@our.example"),   // opted out, with a tag
		text(8, "From:", "To: rep1@our.example", "Message-ID: <nobody@x>"), // a reject
	} {
		s.Save("rep1", "INBOX", raw)
	}
	cfg := config(s, s.TLSAddr(), "rep1")
	no := false
	cfg.Mailboxes[0].Domains, cfg.Mailboxes[0].Subject = []string{"cust.example"}, &no
	cfg.OptOut, cfg.TaggedDomains = []string{"left@cust.example"}, []string{"cust.example"}
	r := newReader(t, cfg)
	got, _, rejects := r.read(&Stream{}, "")
	r.want("records", got, allowed, form)
	all := fmt.Sprint(one(t, got, allowed).Fields())
	for _, hidden := range []string{"other.example", "left@", "秘密"} {
		if strings.Contains(all, hidden) {
			t.Errorf("%s is stored: %s", hidden, all)
		}
	}
	if f := fields(t, one(t, got, form), "direction", "from", "customer"); f != "inbound | visitor@cust.example | visitor@cust.example" {
		t.Error(f)
	}
	if len(rejects) != 1 || rejects[0].Code != "no_sender" || rejects[0].Fields != nil {
		t.Errorf("rejects: %v", rejects)
	}
	log := r.log.String()
	if !strings.Contains(log, "internal=1") || !strings.Contains(log, "not_allowed=4") || strings.Contains(log, "cust.example") {
		t.Errorf("the log says %s", log)
	}
}

func Test62_63_64_HeadersOnly(t *testing.T) {
	s := dovecot(t)
	attached := "\n--b\r\nContent-Type: text/plain\r\n\r\nnew text, is it?\r\n--b\r\nContent-Type: text/calendar; name=x.ics\r\nContent-Disposition: attachment; filename=x.ics\r\n\r\nBEGIN:VCALENDAR\r\n" +
		"END:VCALENDAR\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n" + strings.Repeat("Y2FuYXJ5\r\n", 2000) + "--b--\r\n"
	for i := range 10 {
		s.Save("rep1", "INBOX", text(i, "Subject: hello"))
	}
	r := newReader(t, config(s, s.TLSAddr(), "rep1"))
	got, next, _ := r.read(&Stream{}, "")
	r.conn.Close()
	stat := func() string {
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
			if i := strings.LastIndex(s.Log(), "hdr_count="); i >= 0 {
				return strings.TrimSpace(s.Log()[i:])
			}
		}
		t.Fatal("the server did not log the session's end")
		return ""
	}
	if line := stat(); !strings.Contains(line, "body_count=0 body_bytes=0") || !strings.Contains(line, "hdr_count=10 ") {
		t.Errorf("bulk pass: %s", line)
	}
	raw := text(11, "References: <r@our.example>", "Content-Type: multipart/mixed; boundary=b", attached)
	s.Save("rep1", "INBOX", raw)
	addr, said := tap(t, s.Addr())
	cfg := config(s, addr, "rep1")
	cfg.Security = securityPlain
	r = newReader(t, cfg)
	more, next, _ := r.read(&Stream{}, next)
	for _, line := range strings.Split(said.String(), "\n") {
		if strings.Contains(line, "BODY.PEEK[3") || strings.Contains(line, "BODY.PEEK[]") {
			t.Errorf("an attachment is fetched: %s", line)
		}
	}
	parts := regexp.MustCompile(`BODY\.PEEK\[\d[^\]]*\](<[^>]*>)?`).FindAllStringSubmatch(said.String(), -1)
	if len(parts) == 0 || slices.ContainsFunc(parts, func(p []string) bool { return p[1] != "<0.65536>" }) {
		t.Errorf("more than 64 kB of a part may come: %v", parts)
	}
	if f := fields(t, one(t, more, raw), "question"); f != "true" {
		t.Error("the text was not looked at")
	}
	for _, rec := range got {
		more[rec.Key] = rec
	}
	if all := fmt.Sprint(more, next, r.log); strings.Contains(all, "canary") || strings.Contains(all, "new text") {
		t.Errorf("text of a mail leaves the package: %s", all)
	}
}

func TestSamplesThroughTheServer(t *testing.T) { // [40–61], as far as records show it
	files, err := filepath.Glob("../../../shared/mail-samples/*.eml")
	if err != nil || len(files) < 40 {
		files, err = filepath.Glob("../../../shared/mail-samples/*/*.eml")
	}
	if err != nil || len(files) < 40 {
		t.Fatalf("%d samples, %v", len(files), err)
	}
	s := dovecot(t)
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		s.Save("rep1", "INBOX", raw)
	}
	r := newReader(t, config(s, s.TLSAddr(), "rep1"))
	got, _, rejects := r.read(&Stream{}, "")
	for _, j := range rejects {
		if j.Code != dropNobody {
			t.Errorf("reject: %+v", j)
		}
	}
	for _, f := range files {
		raw, _ := os.ReadFile(f)
		whole := message.Read(raw)
		rec, ok := got[whole.Key()]
		if !ok {
			continue // internal
		}
		if kind := rec.Value("kind"); kind != string(whole.Kind) {
			t.Errorf("%s: %v from the server, %s from the file", filepath.Base(f), kind, whole.Kind)
		}
		if subject := rec.Value("base_subject"); subject != whole.BaseSubject() {
			t.Errorf("%s: subject %q from the server, %q from the file", filepath.Base(f), subject, whole.BaseSubject())
		}
	}
	if len(got) < len(files)/2 {
		t.Errorf("%d records of %d samples", len(got), len(files))
	}
}
