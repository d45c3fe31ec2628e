package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/configs"
	"energyd/internal/store"
	"energyd/internal/testmail"
)

// mailConfig is a configuration that reads mailboxes by addr, with a store of its own.
func mailConfig(t *testing.T, addr string, passwords map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	if err := configs.Write(dir, configs.Starter{CRMURL: "https://crm.example", ClientID: "x", ClientSecret: "${env:X}", Driver: "sqlite", File: "none"}); err != nil {
		t.Fatal(err)
	}
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("mappings/any.yaml", `columns: [message_id, sent_at, direction, customer]
activity:
  id: message_id
  at: datetime(sent_at)
  kind: mail
  direction: direction
  account: domain(customer)
`)
	host, port, _ := net.SplitHostPort(addr)
	boxes := ""
	for user, password := range passwords {
		write(user, password)
		boxes += fmt.Sprintf("      - {user: %s, password: \"${file:%[1]s}\", owner: %[1]s@our.example}\n", user)
	}
	return write("energyd.yaml", fmt.Sprintf(`language: en
store: sqlite:energyd.db
points: points.yaml
titles: titles.yaml
timezone: Asia/Tokyo
connections:
  office:
    type: imap
    host: %s
    port: %s
    security: plain
    internal_domains: [our.example]
    mailboxes:
%ssources:
  mail: {connection: office, mapping: mappings/any.yaml}
`, host, port, boxes))
}

func rep1() map[string]string { return map[string]string{"rep1": testmail.Passwords["rep1"]} }

func aMail(i int) []byte {
	return fmt.Appendf(nil, "From: taro@cust%d.example\r\nTo: rep1@our.example\r\nDate: %s\r\nMessage-ID: <m%d@cust.example>\r\nSubject: offer %d\r\n\r\ntext\r\n",
		i%50, mailTime(i).Format(time.RFC1123Z), i, i)
}

func mailTime(i int) time.Time {
	return time.Date(2026, 10, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i) * time.Minute)
}

// events are what a configuration's store holds of mails, in their order.
func events(t *testing.T, config string) []string {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(mustRun(t, exitDone, "export", "activities", "--config", config)), "\n")
	slices.Sort(lines)
	return lines
}

// Test11_24: a large first reading that is told to end, and one that is killed
// again and again, come to what an undisturbed one comes to.
func Test11_24_ReadingsThatEndInTheMiddle(t *testing.T) {
	t.Parallel()
	const mails = 5000
	s := testmail.Start(t, testmail.Options{})
	s.Fill("rep1", mails, func(i int) ([]byte, time.Time) { return aMail(i), mailTime(i) })
	w := newLine(t, s.Addr())
	quiet := mailConfig(t, w.addr, rep1())
	w.when(0, nil)
	mustRun(t, exitDone, "pull", "--config", quiet)
	_, whole := w.talk()
	want := events(t, quiet)
	if len(want) != mails {
		t.Fatalf("%d events of %d mails", len(want), mails)
	}

	t.Run("11_SIGTERM", func(t *testing.T) {
		config := mailConfig(t, w.addr, rep1())
		cmd := process(t.Context(), t, "pull", "--config", config)
		held := make(chan struct{})
		w.when(whole*85/100, func() { // in the last batch
			w.hold()
			close(held)
		})
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		select {
		case <-held:
		case err := <-ended:
			t.Fatalf("it ended before it was told to: %v", err)
		}
		untilSaved(t, config)
		if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		select {
		case <-ended:
		case <-time.After(5 * time.Second): // the contract's limit
			_ = cmd.Process.Kill()
			t.Error("it does not end within 5 s")
			<-ended
		}
		w.release()
		if code := cmd.ProcessState.ExitCode(); code != exitFailed {
			t.Errorf("exit code %d", code)
		}
		w.when(0, nil)
		mustRun(t, exitDone, "pull", "--config", config)
		said, again := w.talk()
		if strings.Contains(said, "UID FETCH 1:") || again > whole*65/100 {
			t.Errorf("it did not go on from the last saved batch: %d of %d bytes were read again\n%s", again, whole, said)
		}
		if diff := cmp.Diff(want, events(t, config)); diff != "" {
			t.Errorf("events (-undisturbed +ended):\n%s", diff)
		}
	})

	t.Run("24_SIGKILL", func(t *testing.T) {
		for kills := 0; kills < 10; {
			config := mailConfig(t, w.addr, rep1())
			for here := 0; ; here++ {
				cmd := process(t.Context(), t, "pull", "--config", config)
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				if here < 8 { // or it might never come to its end
					after := time.Duration(rand.IntN(60)) * time.Millisecond // saving and folding have no bytes to go by
					w.when(rand.IntN(whole), func() { time.AfterFunc(after, func() { _ = cmd.Process.Kill() }) })
				} else {
					w.when(0, nil)
				}
				err := cmd.Wait()
				var exit *exec.ExitError
				if errors.As(err, &exit) && exit.Sys().(syscall.WaitStatus).Signaled() {
					kills++
					continue
				}
				if err != nil {
					t.Fatalf("after %d kills: %v", here, err)
				}
				break
			}
			w.when(0, nil)
			mustRun(t, exitDone, "pull", "--config", config)
			if diff := cmp.Diff(want, events(t, config)); diff != "" {
				t.Fatalf("events (-undisturbed +killed):\n%s", diff)
			}
		}
	})
}

// untilSaved waits until another process has saved a batch of mails.
func untilSaved(t *testing.T, config string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	st, err := store.Open(ctx, "sqlite:"+filepath.Join(filepath.Dir(config), "energyd.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		cursor, err := st.Cursor(ctx, "mail")
		if err != nil {
			t.Fatal(err)
		}
		if cursor != "" {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatal("no batch is saved while the next is read")
		}
	}
}

// Test19_20_22_23: what is known is no news, whatever is done to its folder, and costs nothing.
func Test19_20_22_23_NightsWithoutNews(t *testing.T) {
	t.Parallel()
	s := testmail.Start(t, testmail.Options{})
	s.Doveadm("mailbox", "create", "-u", "rep1", "Archive")
	for i := range 6 {
		s.Save("rep1", []string{"INBOX", "Archive"}[i%2], aMail(i))
	}
	w := newLine(t, s.Addr())
	config := mailConfig(t, w.addr, rep1())
	mustRun(t, exitDone, "pull", "--config", config)
	before := events(t, config)
	for _, night := range []struct {
		name  string
		do    func()
		reads bool // the folder is read again
	}{
		{"nothing", func() {}, false},
		{"flags", func() { s.Doveadm("flags", "add", "-u", "rep1", `\Flagged`, "mailbox", "INBOX", "all") }, false},
		{"expunged", func() { s.Doveadm("expunge", "-u", "rep1", "mailbox", "INBOX", "uid", "1") }, false},
		{"renamed", func() { s.Doveadm("mailbox", "rename", "-u", "rep1", "Archive", "保管") }, true},
		{"numbered anew", func() { s.Doveadm("mailbox", "update", "-u", "rep1", "--uid-validity", "777", "INBOX") }, true},
		{"moved", func() { s.Doveadm("move", "-u", "rep1", "保管", "mailbox", "INBOX", "uid", "2") }, true},
	} {
		night.do()
		w.when(0, nil)
		mustRun(t, exitDone, "pull", "--config", config)
		said, _ := w.talk()
		if fetched := strings.Contains(said, "FETCH"); fetched != night.reads || strings.Count(said, "STATUS") != 1 {
			t.Errorf("%s: the client said\n%s", night.name, said)
		}
		if diff := cmp.Diff(before, events(t, config)); diff != "" {
			t.Errorf("%s: events (-before +after):\n%s", night.name, diff)
		}
	}
	s.Save("rep1", "INBOX", aMail(10))
	w.when(0, nil)
	mustRun(t, exitDone, "pull", "--config", config)
	said, _ := w.talk()
	if now := events(t, config); len(now) != len(before)+1 || strings.Count(said, "UID FETCH 4 ") != 1 || strings.Count(said, "FETCH") != 1 {
		t.Errorf("%d events after %d and a new mail; the client said\n%s", len(now), len(before), said)
	}
}

// TestPull_OneMailboxOfThreeIsRefused: the others are read, and the run says which is missing.
func TestPull_OneMailboxOfThreeIsRefused(t *testing.T) {
	t.Parallel()
	s := testmail.Start(t, testmail.Options{})
	for i, user := range []string{"rep1", "rep2", "shared"} {
		s.Save(user, "INBOX", aMail(i))
	}
	config := mailConfig(t, s.Addr(), map[string]string{"rep1": testmail.Passwords["rep1"], "rep2": "wr0ng", "shared": testmail.Passwords["shared"]})
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"pull", "--config", config}, &out, &errs); code != exitPartial {
		t.Fatalf("exit code %d\n%s%s", code, &out, &errs)
	}
	if text := out.String() + errs.String(); !strings.Contains(text, "the sign-on of rep2") || !strings.Contains(text, "what to do: renew the password in ${file:rep2}") || !strings.Contains(text, ": partial") ||
		strings.Contains(text, "wr0ng") {
		t.Errorf("it says\n%s", text)
	}
	if got := events(t, config); len(got) != 2 || strings.Contains(strings.Join(got, ""), "m1@") {
		t.Errorf("events: %q", got)
	}
}

// Test39_PullWatch: a mail that comes while energyd watches is an event soon after.
func Test39_PullWatch(t *testing.T) {
	t.Parallel()
	s := testmail.Start(t, testmail.Options{})
	s.Save("rep1", "INBOX", aMail(1))
	config := mailConfig(t, s.Addr(), rep1())
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute) // for a machine that does much else
	defer cancel()
	cmd := process(ctx, t, "pull", "--watch", "--config", config)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	pulled := func() {
		t.Helper()
		for lines.Scan() {
			if strings.HasPrefix(lines.Text(), "run ") {
				return
			}
		}
		t.Fatalf("it ended: %v", errors.Join(lines.Err(), cmd.Wait()))
	}
	pulled() // what was there
	s.Save("rep1", "INBOX", aMail(2))
	pulled()
	if got := events(t, config); len(got) != 2 {
		t.Errorf("events: %q", got)
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, out)
	if err := cmd.Wait(); err != nil {
		t.Errorf("it does not end well: %v", err)
	}
}

func TestPull_WatchWithoutMailboxes(t *testing.T) {
	t.Parallel()
	_, config := world(t)
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"pull", "--watch", "accounts", "--config", config}, &out, &errs); code != exitUsage || !strings.Contains(errs.String(), "cannot be watched") {
		t.Errorf("exit code %d\n%s", code, &errs)
	}
}
