package imap

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"energyd/internal/fault"
)

// middle stands between client and server, and changes what the server says before TLS.
func middle(t *testing.T, target string, change func(said []byte) []byte) (addr string, heard *lines) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	heard = &lines{}
	var wait sync.WaitGroup
	t.Cleanup(func() {
		l.Close()
		wait.Wait()
	})
	copyTo := func(to, from net.Conn, change func([]byte) []byte) {
		buf := make([]byte, 64<<10)
		for {
			n, err := from.Read(buf)
			if n > 0 {
				if _, err := to.Write(change(buf[:n])); err != nil {
					break
				}
			}
			if err != nil {
				break
			}
		}
		to.Close()
		from.Close()
	}
	wait.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", target)
			if err != nil {
				c.Close()
				continue
			}
			wait.Go(func() { copyTo(c, server, change) })
			wait.Go(func() {
				copyTo(server, c, func(b []byte) []byte {
					_, _ = heard.Write(b)
					return b
				})
			})
		}
	})
	return l.Addr().String(), heard
}

// Test02_NothingSaidBeforeTLSCounts: somebody on the way can write into the plain part.
func Test02_NothingSaidBeforeTLSCounts(t *testing.T) {
	s := dovecot(t)
	s.Save("rep1", "INBOX", text(1))
	ok, end := []byte("S OK"), []byte("\r\n")
	for name, c := range map[string]struct {
		taken  bool
		change func(said []byte) []byte
	}{
		"a lie in the greeting": {true, func(b []byte) []byte {
			if bytes.HasPrefix(b, []byte("* OK")) {
				return []byte("* OK [CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED AUTH=X-EVIL] hello\r\n")
			}
			return b
		}},
		"a lie in the answer": {true, func(b []byte) []byte {
			if bytes.HasPrefix(b, ok) {
				return []byte("* CAPABILITY IMAP4rev1 LOGINDISABLED\r\n* LIST () \"/\" evil\r\nS OK [CAPABILITY IMAP4rev1 LOGINDISABLED] go\r\n")
			}
			return b
		}},
		"an answer slipped in behind": {false, func(b []byte) []byte {
			if bytes.HasPrefix(b, ok) {
				return append(bytes.Clone(b), "* CAPABILITY IMAP4rev1 LOGINDISABLED\r\nT1 OK done\r\n"...)
			}
			return b
		}},
		"no end": {false, func(b []byte) []byte {
			if bytes.HasPrefix(b, ok) {
				return bytes.Repeat([]byte("* OK "), 5000)
			}
			return b
		}},
		"a refusal": {false, func(b []byte) []byte {
			if bytes.HasPrefix(b, ok) {
				return append([]byte("S NO not today"), end...)
			}
			return b
		}},
	} {
		t.Run(name, func(t *testing.T) {
			addr, heard := middle(t, s.Addr(), c.change)
			cfg := config(s, addr, "rep1")
			cfg.Security = securityStartTLS
			r := newReader(t, cfg)
			err := r.conn.Check(t.Context())
			if (err == nil) != c.taken {
				t.Errorf("got %v", err)
			}
			if err != nil && fault.HintOf(err) == "" && name != "no end" {
				t.Errorf("%v gives no hint", err)
			}
			if !c.taken && (strings.Contains(heard.String(), "\x16\x03") || strings.Contains(heard.String(), "AUTH")) {
				t.Error("the client goes on")
			}
			if c.taken {
				if got, _, _ := r.read(&Stream{}, ""); len(got) != 1 {
					t.Errorf("%d records", len(got))
				}
			}
			r.conn.Close()
		})
	}
}

func Test16_ManyFoldersAndHostileNamesAreHarmless(t *testing.T) {
	for _, caps := range []string{"IMAP4rev1", "IMAP4rev1 LIST-EXTENDED LIST-STATUS"} {
		f := newFake(t)
		f.caps = caps
		var list strings.Builder
		add := func(name string, next int) {
			fmt.Fprintf(&list, "* LIST () \"/\" \"%s\"\r\n", name)
			if strings.Contains(caps, "LIST-STATUS") {
				fmt.Fprintf(&list, "* STATUS \"%s\" (UIDNEXT %d UIDVALIDITY 9)\r\n", name, next)
			}
		}
		for i := range 10_000 {
			add(fmt.Sprintf("box/%05d", i), 1)
		}
		hostile := []string{"../../etc/passwd", "a&AAo-b&ABs-[31mred", "C:\\\\windows\\\\x", "&IC4-gnp.exe", "%s%n*", "//", "."}
		for _, name := range hostile {
			add(name, 4)
		}
		add("INBOX", 4)
		f.list = list.String()
		f.status = "(UIDNEXT 1 UIDVALIDITY 9)"
		f.answer = func(tag, command string) (string, bool, bool) {
			words := strings.SplitN(command, " ", 3)
			if words[0] != "STATUS" || strings.HasPrefix(words[1], "box/") || strings.HasPrefix(words[1], `"box/`) {
				return "", false, false
			}
			name := command[len("STATUS "):strings.LastIndex(command, " (")]
			return "* STATUS " + name + " (UIDNEXT 4 UIDVALIDITY 9)\r\n" + tag + " OK done\r\n", true, false
		}
		r := newReader(t, f.config())
		got, next, rejects := r.read(&Stream{}, "")
		r.want("the mails", got, f.mails[1], f.mails[2], f.mails[3])
		if len(rejects) != 0 {
			t.Errorf("rejects: %v", rejects)
		}
		if n := strings.Count(f.said.String(), " EXAMINE "); n != len(hostile)+1 {
			t.Errorf("%d folders were opened", n)
		}
		if got, _, _ := r.read(&Stream{}, next); len(got) != 0 {
			t.Errorf("%d come again", len(got))
		}
	}
	f := folder{name: "a\nb\x1b[31mred\u202egnp"}
	if got := f.shown(); got != "a\ufffdb\ufffd[31mred\ufffdgnp" {
		t.Errorf("shown as %q", got)
	}
}
