// Package testmail gives tests a real mail server: a Dovecot of their own, with
// nothing of the system's, as contracts/imap.md section 1 says. It lives in one
// temporary folder and ends with the test process, however that ends.
package testmail

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

const patience = 60 * time.Second // for the server to answer, on a busy machine

// Options change the server.
type Options struct {
	Listen   string // address; "" = 127.0.0.1
	Settings string // further lines of dovecot.conf
	TokenURL string // where access tokens are looked up ("http://127.0.0.1:…/i?token="); "" = no OAuth
	Sent     bool   // there is a folder 送信済みトレイ with the use \Sent
}

// Server is a running Dovecot with the users rep1, rep2 and shared.
type Server struct {
	Host      string
	Port, TLS int
	CAFile    string // PEM of its own certificate, for localhost and Host
	Dir       string
	tb        testing.TB
	cred      *account
	alive     *os.File
	shell     *exec.Cmd
	before    int // bytes of the log before the last start
}

// Passwords of the users.
var Passwords = map[string]string{"rep1": "pw1-" + secretPart, "rep2": "pw2-" + secretPart, "shared": "pw3-" + secretPart}

const secretPart = "S3cr3t"

// Start starts a server; it ends with the test.
func Start(tb testing.TB, o Options) *Server {
	tb.Helper()
	if o.Listen == "" {
		o.Listen = "127.0.0.1"
	}
	cred := credential(tb)
	// A short path that everybody may enter: Unix sockets end at 108 bytes.
	dir, err := os.MkdirTemp("", "edm")
	if err != nil {
		tb.Fatal(err)
	}
	s := &Server{Host: o.Listen, Dir: dir, CAFile: filepath.Join(dir, "cert.pem"), tb: tb, cred: cred}
	s.must(os.Chmod(dir, 0o755))
	for _, d := range []string{"run", "state", "mail"} {
		s.must(os.Mkdir(filepath.Join(dir, d), 0o755))
	}
	s.run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "30", "-subj", "/CN=localhost",
		"-addext", "subjectAltName=DNS:localhost,IP:"+o.Listen, "-keyout", s.path("key.pem"), "-out", s.CAFile)
	users := ""
	for name, password := range Passwords {
		users += name + ":{PLAIN}" + password + "::::::\n"
	}
	s.write("users", users)
	for attempt := 0; ; attempt++ {
		s.Port, s.TLS = freePort(tb, o.Listen), freePort(tb, o.Listen)
		s.write("dovecot.conf", s.config(o))
		s.own()
		s.serve()
		if s.answers() {
			break
		}
		if attempt == 2 {
			s.silent()
		}
		s.Stop() // somebody took the port: once more
		s.must(os.Remove(s.path("again")))
	}
	tb.Cleanup(func() { s.alive.Close() })
	return s
}

func (s *Server) path(name string) string { return filepath.Join(s.Dir, name) }

func (s *Server) must(err error) {
	s.tb.Helper()
	if err != nil {
		s.tb.Fatal(err)
	}
}

func (s *Server) write(name, text string) {
	s.tb.Helper()
	s.must(os.WriteFile(s.path(name), []byte(text), 0o644))
}

// own gives all files to the account that the server runs under.
func (s *Server) own() {
	s.tb.Helper()
	if s.cred == nil {
		return
	}
	s.must(filepath.WalkDir(s.Dir, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return nil // sockets come and go
		}
		return os.Lchown(path, int(s.cred.Uid), int(s.cred.Gid))
	}))
}

func (s *Server) config(o Options) string {
	uid, gid := os.Getuid(), os.Getgid()
	if s.cred != nil {
		uid, gid = int(s.cred.Uid), int(s.cred.Gid)
	}
	u, err := user.LookupId(strconv.Itoa(uid))
	s.must(err)
	g, err := user.LookupGroupId(strconv.Itoa(gid))
	s.must(err)
	mechanisms, oauth, sent := "plain login", "", ""
	if o.TokenURL != "" {
		mechanisms += " xoauth2 oauthbearer"
		oauth = "passdb {\n  driver = oauth2\n  mechanisms = xoauth2 oauthbearer\n  args = " + s.path("oauth2.ext") + "\n}\n"
		s.write("oauth2.ext", "introspection_mode = get\nintrospection_url = "+o.TokenURL+"\nusername_attribute = email\nactive_attribute = active\nactive_value = true\n")
	}
	if o.Sent {
		sent = "  mailbox \"送信済みトレイ\" {\n    auto = create\n    special_use = \\Sent\n  }\n"
	}
	return fmt.Sprintf(`base_dir = %[1]s/run
state_dir = %[1]s/state
instance_name = throwaway
log_path = %[1]s/log
protocols = imap
listen = %[2]s
default_internal_user = %[3]s
default_internal_group = %[4]s
default_login_user = %[3]s
mail_location = maildir:%[1]s/mail/%%u
mail_uid = %[3]s
mail_gid = %[4]s
first_valid_uid = 1
ssl = yes
ssl_cert = <%[1]s/cert.pem
ssl_key = <%[1]s/key.pem
disable_plaintext_auth = no
auth_mechanisms = %[5]s
auth_verbose = yes
mail_max_userip_connections = 20
mail_fsync = never
auth_failure_delay = 0
%[6]spassdb {
  driver = passwd-file
  args = %[1]s/users
}
userdb {
  driver = static
  args = uid=%[3]s gid=%[4]s home=%[1]s/mail/%%u
}
service anvil {
  chroot =
}
service imap-login {
  chroot =
  inet_listener imap {
    port = %[7]d
  }
  inet_listener imaps {
    port = %[8]d
  }
}
namespace inbox {
  inbox = yes
  separator = /
%[9]s}
%[10]s
`, s.Dir, o.Listen, u.Username, g.Name, mechanisms, oauth, s.Port, s.TLS, sent, o.Settings)
}

// serve starts the server under a shell that ends it when our end of the pipe closes.
func (s *Server) serve() {
	s.tb.Helper()
	daemon, err := exec.LookPath("dovecot")
	if err != nil {
		if daemon = "/usr/sbin/dovecot"; !exists(daemon) {
			s.tb.Fatal("dovecot is missing: install the Debian package dovecot-imapd")
		}
	}
	const script = `dir=$1; shift; "$@" & read -r _; kill $!; wait $!; [ -e "$dir/again" ] || { cd /; rm -rf "$dir"; }`
	c := exec.Command("/bin/sh", "-c", script, "sh", s.Dir, daemon, "-c", s.path("dovecot.conf"), "-F")
	c.Dir, c.SysProcAttr = s.Dir, ownGroup(s.cred)
	stdin, alive, err := os.Pipe()
	s.must(err)
	out, err := os.Create(s.path("out"))
	s.must(err)
	c.Stdin, c.Stdout, c.Stderr = stdin, out, out
	log, _ := os.ReadFile(s.path("log"))
	s.before = len(log)
	s.must(c.Start())
	_, _ = stdin.Close(), out.Close()
	s.alive, s.shell = alive, c
}

func (s *Server) silent() {
	s.tb.Helper()
	log, _ := os.ReadFile(s.path("log"))
	s.tb.Fatalf("dovecot does not answer\n%s", bytes.TrimSpace(log))
}

// Stop ends the server, with all connections, and keeps its mails.
func (s *Server) Stop() {
	s.tb.Helper()
	s.write("again", "")
	s.alive.Close()
	_ = s.shell.Wait()         // it was killed
	kill(-s.shell.Process.Pid) // sessions in the middle of a command would live on
}

// Again starts a stopped server at its old ports.
func (s *Server) Again() {
	s.tb.Helper()
	s.must(os.Remove(s.path("again")))
	s.serve()
	if !s.answers() {
		s.silent()
	}
}

// KillSessions kills the processes that serve signed-on connections, as a
// crash or the system's memory killer would.
func (s *Server) KillSessions() {
	s.tb.Helper()
	master, err := os.ReadFile(s.path("run/master.pid"))
	s.must(err)
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	s.must(err)
	for _, file := range stats {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// "PID (imap) STATE PARENT …"
		words := strings.Fields(string(stat))
		if len(words) > 3 && words[1] == "(imap)" && words[3] == strings.TrimSpace(string(master)) {
			pid, err := strconv.Atoi(words[0])
			s.must(err)
			kill(pid)
		}
	}
}

// answers waits until the server greets.
func (s *Server) answers() bool {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if c, err := net.Dial("tcp", s.Addr()); err == nil {
			_ = c.SetDeadline(time.Now().Add(patience))
			n, _ := c.Read(make([]byte, 100))
			c.Close()
			if n > 0 {
				return true
			}
		}
		if out, _ := os.ReadFile(s.path("log")); bytes.Contains(out[min(s.before, len(out)):], []byte("Address already in use")) {
			return false
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return false
		}
	}
}

// Addr is the "host:port" without TLS; TLSAddr that with it.
func (s *Server) Addr() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.Port)) }

// TLSAddr is the "host:port" of implicit TLS.
func (s *Server) TLSAddr() string { return net.JoinHostPort(s.Host, strconv.Itoa(s.TLS)) }

// Doveadm runs an administrator's command and gives what it says.
func (s *Server) Doveadm(args ...string) string {
	s.tb.Helper()
	return s.doveadm(nil, args...)
}

func (s *Server) doveadm(in []byte, args ...string) string {
	s.tb.Helper()
	c := s.command("doveadm", append([]string{"-c", s.path("dovecot.conf")}, args...)...)
	c.Stdin = bytes.NewReader(in)
	out, err := c.CombinedOutput()
	if err != nil {
		s.tb.Fatalf("doveadm %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}

// Save puts a mail into a user's folder.
func (s *Server) Save(user, folder string, mail []byte) {
	s.tb.Helper()
	s.doveadm(mail, "save", "-u", user, "-m", folder)
}

// Fill puts many mails into a user's INBOX at once, as files of its maildir: it
// must not have been opened yet. They are numbered in the order of arrived.
func (s *Server) Fill(user string, n int, mail func(i int) (text []byte, arrived time.Time)) {
	s.tb.Helper()
	dir := s.path("mail/" + user)
	for _, d := range []string{dir, dir + "/cur", dir + "/new", dir + "/tmp"} {
		s.must(os.MkdirAll(d, 0o755))
	}
	for i := range n {
		text, arrived := mail(i)
		name := fmt.Sprintf("%s/cur/%d.M%06dP1.x:2,", dir, arrived.Unix(), i)
		s.must(os.WriteFile(name, text, 0o644))
		s.must(os.Chtimes(name, arrived, arrived))
	}
	if s.cred != nil {
		s.must(filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Lchown(path, int(s.cred.Uid), int(s.cred.Gid))
		}))
	}
}

// Log gives the server's log so far.
func (s *Server) Log() string {
	s.tb.Helper()
	text, err := os.ReadFile(s.path("log"))
	s.must(err)
	return string(text)
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

func (s *Server) command(name string, args ...string) *exec.Cmd {
	c := exec.Command(name, args...)
	c.Dir = s.Dir
	c.SysProcAttr = ownGroup(s.cred)
	return c
}

func (s *Server) run(name string, args ...string) {
	s.tb.Helper()
	c := exec.Command(name, args...)
	c.Dir = s.Dir
	if out, err := c.CombinedOutput(); err != nil {
		_ = os.RemoveAll(s.Dir)
		s.tb.Fatalf("%s: %v\n%s", name, err, out)
	}
}

// freePort gives a port outside the range that the system hands to clients
// (32768 and up on Linux): none of theirs may sit on it while a server is away.
func freePort(tb testing.TB, host string) int {
	tb.Helper()
	for range 100 {
		port := 12000 + rand.IntN(20000)
		if l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(port))); err == nil {
			l.Close()
			return port
		}
	}
	tb.Fatal("there is no free port")
	return 0
}
