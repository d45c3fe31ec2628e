package imap

import (
	"bufio"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/internal/secret"
)

// fake is a scripted mail server for what Dovecot never does.
type fake struct {
	t        testing.TB
	addr     string
	greeting string
	caps     string
	list     string // lines of LIST
	status   string
	examine  string // untagged lines of EXAMINE
	mails    map[int][]byte
	// answer is asked first; handled tells that out is all that is sent (cut: then the connection ends).
	answer   func(tag, command string) (out string, handled, cut bool)
	said     lines
	mu       sync.Mutex // of all above while it serves
	conns    []net.Conn
	listener net.Listener
	start    sync.Once
}

func newFake(t testing.TB) *fake {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{t: t, addr: l.Addr().String(), greeting: "* OK hello", caps: "IMAP4rev1", list: "* LIST () \"/\" INBOX\r\n",
		status: "(UIDNEXT 4 UIDVALIDITY 9)", examine: "* 3 EXISTS\r\n* OK [UIDVALIDITY 9] ok\r\n* OK [UIDNEXT 4] ok\r\n",
		mails: map[int][]byte{1: text(1), 2: text(2), 3: text(3)}}
	t.Cleanup(func() {
		l.Close()
		f.mu.Lock()
		defer f.mu.Unlock()
		for _, c := range f.conns {
			c.Close()
		}
	})
	f.listener = l
	return f
}

// config reaches the server, which begins to serve at the first call.
func (f *fake) config() *Config {
	f.start.Do(func() { go f.accept() })
	cfg := newConfig()
	host, port, _ := net.SplitHostPort(f.addr)
	cfg.Host, cfg.Security, cfg.InternalDomains = host, securityPlain, []string{"our.example"}
	cfg.Port, _ = strconv.Atoi(port)
	cfg.Mailboxes = []Mailbox{{User: "rep1", Owner: "rep1@our.example", Password: secret.New("${env:X}", "pw-"+f.addr)}}
	return cfg
}

func (f *fake) accept() {
	for {
		c, err := f.listener.Accept()
		if err != nil {
			return
		}
		f.mu.Lock()
		f.conns = append(f.conns, c)
		f.mu.Unlock()
		go f.serve(c)
	}
}

// edit changes the server while it serves.
func (f *fake) edit(change func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	change()
}

func (f *fake) serve(c net.Conn) {
	defer c.Close()
	fmt.Fprint(c, f.greeting+"\r\n")
	in := bufio.NewReader(c)
	for {
		line, err := in.ReadString('\n')
		if err != nil {
			return
		}
		fmt.Fprint(&f.said, line)
		tag, command, _ := strings.Cut(strings.TrimSpace(line), " ")
		if command == "STARTTLS" {
			fmt.Fprint(c, tag+" BAD not here\r\n")
			continue
		}
		out, handled, cut := "", false, false
		f.edit(func() {
			if f.answer != nil {
				out, handled, cut = f.answer(tag, command)
			}
			if !handled {
				out = f.usual(command) + tag + " OK done\r\n"
			}
		})
		fmt.Fprint(c, out)
		if cut {
			return
		}
	}
}

func (f *fake) usual(command string) string {
	words := strings.Fields(command)
	switch words[0] {
	case "CAPABILITY":
		return "* CAPABILITY " + f.caps + "\r\n"
	case "LIST":
		return f.list
	case "STATUS":
		return "* STATUS " + words[1] + " " + f.status + "\r\n"
	case "EXAMINE":
		return f.examine
	case "UID":
		var uids []int
		for u := range f.mails {
			set := words[2]
			if words[1] == "SEARCH" {
				set = words[3]
			}
			if inSet(set, u) {
				uids = append(uids, u)
			}
		}
		slices.Sort(uids)
		out := ""
		if words[1] == "SEARCH" {
			out = "* SEARCH"
			for _, u := range uids {
				out += " " + strconv.Itoa(u)
			}
			return out + "\r\n"
		}
		for _, u := range uids {
			out += f.fetched(u)
		}
		return out
	}
	return ""
}

// fetched is one line of FETCH with the header of a mail.
func (f *fake) fetched(u int) string {
	head, _, _ := strings.Cut(string(f.mails[u]), "\r\n\r\n")
	head += "\r\n\r\n"
	return fmt.Sprintf("* %d FETCH (UID %d INTERNALDATE \"02-Nov-2026 09:00:00 +0000\" BODY[HEADER.FIELDS (X)] {%d}\r\n%s)\r\n", u, u, len(head), head)
}

func inSet(set string, u int) bool {
	for _, r := range strings.Split(set, ",") {
		from, to, ok := strings.Cut(r, ":")
		if !ok {
			to = from
		}
		a, _ := strconv.Atoi(from)
		b, _ := strconv.Atoi(to)
		if a <= u && u <= b {
			return true
		}
	}
	return false
}

func Test17_AllMailAloneIsRead(t *testing.T) {
	f := newFake(t)
	f.list = "* LIST () \"/\" INBOX\r\n* LIST (\\All) \"/\" \"[Gmail]/&MFkweTBmMG4w4TD8MOs-\"\r\n* LIST () \"/\" Label\r\n"
	r := newReader(t, f.config())
	got, _, _ := r.read(&Stream{}, "")
	r.want("each once", got, f.mails[1], f.mails[2], f.mails[3])
	if n := strings.Count(f.said.String(), "EXAMINE"); n != 1 || strings.Contains(f.said.String(), "EXAMINE INBOX") {
		t.Errorf("the client said\n%s", f.said.String())
	}
}

func Test34_NumbersThatGoBack(t *testing.T) {
	f := newFake(t)
	r := newReader(t, f.config())
	first, next, _ := r.read(&Stream{}, "")
	f.edit(func() {
		f.status = "(UIDNEXT 3 UIDVALIDITY 9)"
		delete(f.mails, 3)
	})
	again, _, _ := r.read(&Stream{}, next)
	r.want("read again", again, f.mails[1], f.mails[2])
	for key := range again {
		if _, ok := first[key]; !ok {
			t.Errorf("%s is new", key)
		}
	}
	if !strings.Contains(r.log.String(), "UIDNEXT") {
		t.Error("nothing warns")
	}
}

func Test35_WithoutUIDValidity(t *testing.T) {
	f := newFake(t)
	f.examine, f.status = "* 3 EXISTS\r\n* OK [NOMODSEQ] none\r\n", "(MESSAGES 3)"
	r := newReader(t, f.config())
	got, next, _ := r.read(&Stream{}, "")
	r.want("all", got, f.mails[1], f.mails[2], f.mails[3])
	f.edit(func() { f.mails[4] = text(4) })
	got, _, _ = r.read(&Stream{}, next)
	r.want("the new one", got, f.mails[4])
}

func Test36_WhatDoesNotComeIsAskedForAgain(t *testing.T) {
	f := newFake(t)
	asked := 0
	f.answer = func(tag, command string) (string, bool, bool) {
		switch {
		case strings.HasPrefix(command, "UID FETCH 1:3"):
			return f.fetched(1) + f.fetched(3) + tag + " OK done\r\n", true, false // 2 is missing
		case strings.HasPrefix(command, "UID FETCH 2 "):
			asked++
			return strings.Replace(f.fetched(2), "UID 2 ", "", 1) + tag + " OK done\r\n", true, false // never with its UID
		}
		return "", false, false
	}
	r := newReader(t, f.config())
	got, _, rejects := r.read(&Stream{}, "")
	r.want("the others", got, f.mails[1], f.mails[3])
	if len(rejects) != 1 || rejects[0].Code != "unreadable" || rejects[0].Reason == "" || asked == 0 {
		t.Errorf("asked again %d times; rejects %v", asked, rejects)
	}
}

func Test38_ACutInTheMiddleRepeatsTheBatch(t *testing.T) {
	f := newFake(t)
	whole := f.fetched(2)
	cuts := []string{f.fetched(1) + whole[:60], f.fetched(1) + "* BYE shutting down\r\n", f.fetched(1)[:90], f.fetched(1) + whole[:len(whole)-20], whole[:len(whole)-30]}
	f.answer = func(_, command string) (string, bool, bool) {
		if strings.HasPrefix(command, "UID FETCH") && len(cuts) > 0 {
			out := cuts[0]
			cuts = cuts[1:]
			return out, true, true
		}
		return "", false, false
	}
	r := newReader(t, f.config())
	source, err := r.conn.Source(t.Context(), &Stream{})
	if err != nil {
		t.Fatal(err)
	}
	b, err := source.Read(t.Context(), "", 50)
	if err != nil || len(b.Records) != 3 || len(cuts) != 0 {
		t.Errorf("%d records, %d cuts left, %v", len(b.Records), len(cuts), err)
	}
}

func Test09_ASilentServerIsGivenUpAndAskedAgain(t *testing.T) {
	f := newFake(t)
	silent := true
	f.answer = func(_, command string) (string, bool, bool) {
		if strings.HasPrefix(command, "UID FETCH") && silent {
			silent = false
			return f.fetched(1)[:50], true, false // and then nothing
		}
		return "", false, false
	}
	cfg := f.config()
	cfg.Timeout = connectors.Duration(time.Second)
	r := newReader(t, cfg)
	got, _, _ := r.read(&Stream{}, "")
	r.want("all", got, f.mails[1], f.mails[2], f.mails[3])
}

func Test48_AGiantLiteralIsRefused(t *testing.T) {
	f := newFake(t)
	f.answer = func(tag, command string) (string, bool, bool) {
		if !strings.HasPrefix(command, "UID FETCH") {
			return "", false, false
		}
		out := ""
		for u := 1; u <= 3; u++ {
			if inSet(strings.Fields(command)[2], u) {
				if u == 2 {
					return out + "* 2 FETCH (UID 2 BODY[HEADER.FIELDS (X)] {3000000000}\r\nabc", true, false
				}
				out += f.fetched(u)
			}
		}
		return out + tag + " OK done\r\n", true, false
	}
	r := newReader(t, f.config())
	got, _, rejects := r.read(&Stream{}, "")
	r.want("the others", got, f.mails[1], f.mails[3])
	if len(rejects) != 1 {
		t.Errorf("rejects: %v", rejects)
	}
}

func Test16_AnUndecodableNameStopsNoOther(t *testing.T) {
	f := newFake(t)
	raw := "取\x82\xa0"
	f.list = "* LIST () \"/\" INBOX\r\n* LIST () \"/\" \"A & B\"\r\n* LIST () \"/\" {" + strconv.Itoa(len(raw)) + "}\r\n" + raw + "\r\n* LIST () NIL \"\x83\x81\"\r\n* LIST () \"/\" &U9ZfFVFI-\r\n"
	for _, check := range []bool{true, false} {
		r := newReader(t, f.config())
		if check {
			if err := r.conn.Check(t.Context()); err != nil {
				t.Error(err)
			}
			continue
		}
		got, next, _ := r.read(&Stream{}, "")
		r.want("the others", got, f.mails[1], f.mails[2], f.mails[3])
		if !strings.Contains(string(next), "取引先") || strings.Count(r.log.String(), "breaks the standard") != 3 {
			t.Errorf("cursor %s\n%s", next, r.log)
		}
	}
}
