package imap

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/internal/testmail"
)

// tickClock is a clock whose ticks the test gives.
type tickClock struct {
	asked chan time.Duration // each wait that somebody begins
	tick  chan time.Time
}

func newTickClock() *tickClock {
	return &tickClock{make(chan time.Duration, 100), make(chan time.Time)}
}

func (k *tickClock) clock() clock {
	return clock{time.Now, func(d time.Duration) <-chan time.Time {
		k.asked <- d
		return k.tick
	}}
}

// watch watches a mailbox until the test ends, and tells of each news.
func watch(t *testing.T, cfg *Config, k *tickClock, streams ...connectors.Config) <-chan struct{} {
	t.Helper()
	r := newReader(t, cfg)
	r.conn.(*conn).clock = k.clock()
	told := make(chan struct{}, 100)
	ctx, stop := context.WithCancel(t.Context())
	var wait sync.WaitGroup
	wait.Go(func() {
		if err := r.conn.(connectors.Watcher).Watch(ctx, streams, func() { told <- struct{}{} }); ctx.Err() == nil {
			t.Errorf("watching ended: %v", err)
		}
	})
	t.Cleanup(func() {
		stop()
		wait.Wait()
	})
	return told
}

// soon waits for what must come; the limit is for a machine that does much else.
func soon[T any](t *testing.T, what string, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(time.Minute):
		t.Fatalf("%s did not come", what)
		panic("unreachable")
	}
}

func none[T any](t *testing.T, what string, c <-chan T) {
	t.Helper()
	select {
	case <-c:
		t.Errorf("%s came", what)
	default:
	}
}

func Test39_IdleTellsOfANewMail(t *testing.T) {
	s := dovecot(t)
	s.Save("rep1", "INBOX", text(1))
	s.Doveadm("mailbox", "create", "-u", "rep1", "取引先")
	addr, said := tap(t, s.Addr())
	cfg := config(s, addr, "rep1")
	cfg.Security = securityPlain
	k := newTickClock()
	told := watch(t, cfg, k, &Stream{})
	soon(t, "the first news", told)
	if d := soon(t, "the first wait", k.asked); d > 9*time.Minute {
		t.Errorf("IDLE goes on for %s", d)
	}
	s.Save("rep1", "INBOX", text(2))
	soon(t, "news of a mail in INBOX", told)

	k.tick <- time.Time{} // renewed; nothing has come in other folders
	soon(t, "the second wait", k.asked)
	none(t, "news without news", told)
	s.Save("rep1", "取引先", text(3))
	k.tick <- time.Time{}
	soon(t, "news of a mail in another folder", told)
	soon(t, "the third wait", k.asked)
	if n := strings.Count(said.String(), " IDLE\r\n"); n < 3 || strings.Count(said.String(), "DONE\r\n") < 2 {
		t.Errorf("IDLE is not renewed: %s", said)
	}
}

// Test69: an interval costs one command for each folder at most, IDLE included.
func Test69_AnIdleAccountCostsOneCommandPerFolderAndInterval(t *testing.T) {
	const noIdle, bare = "imap_capability = IMAP4rev1 SASL-IR LIST-EXTENDED LIST-STATUS SPECIAL-USE UNSELECT", "imap_capability = IMAP4rev1 IDLE"
	for name, c := range map[string]struct {
		settings string
		folders  []string
		stream   *Stream
	}{
		"IDLE, INBOX alone":      {"", nil, &Stream{Folders: []string{"INBOX"}}},
		"IDLE, three folders":    {"", []string{"a", "b"}, &Stream{}},
		"IDLE, no LIST-STATUS":   {bare, []string{"a", "b"}, &Stream{}},
		"no IDLE, INBOX alone":   {noIdle, nil, &Stream{}},
		"no IDLE, three folders": {noIdle, []string{"a", "b"}, &Stream{}},
	} {
		t.Run(name, func(t *testing.T) {
			s := testmail.Start(t, testmail.Options{Settings: c.settings})
			for _, f := range c.folders {
				s.Doveadm("mailbox", "create", "-u", "rep1", f)
			}
			s.Save("rep1", "INBOX", text(1))
			addr, said := tap(t, s.Addr())
			cfg := config(s, addr, "rep1")
			cfg.Security = securityPlain
			k := newTickClock()
			told := watch(t, cfg, k, c.stream)
			soon(t, "the first news", told)
			soon(t, "the first wait", k.asked)
			k.tick <- time.Time{}
			soon(t, "the second wait", k.asked)
			before := len(said.String())
			const intervals = 4
			for range intervals {
				k.tick <- time.Time{}
				soon(t, "the next wait", k.asked)
			}
			talk := said.String()[before:]
			commands := strings.Count(talk, "\r\n") - strings.Count(talk, "DONE\r\n") // DONE ends a command
			if most := intervals * (1 + len(c.folders)); commands > most || commands < intervals-1 {
				t.Errorf("%d intervals cost %d commands:\n%s", intervals, commands, talk)
			}
			none(t, "news without news", told)
			if strings.Contains(talk, "FETCH") || strings.Contains(talk, "SEARCH") {
				t.Errorf("the client said %s", talk)
			}
		})
	}
}

func Test39_PollingTellsWhereIdleIsMissing(t *testing.T) {
	s := testmail.Start(t, testmail.Options{Settings: "imap_capability = IMAP4rev1 SASL-IR"})
	s.Save("rep1", "INBOX", text(1))
	addr, said := tap(t, s.Addr())
	cfg := config(s, addr, "rep1")
	cfg.Security = securityPlain
	k := newTickClock()
	told := watch(t, cfg, k, &Stream{})
	soon(t, "the first news", told)
	soon(t, "the first wait", k.asked)
	s.Save("rep1", "INBOX", text(2))
	k.tick <- time.Time{}
	soon(t, "news of a mail", told)
	if strings.Contains(said.String(), "IDLE") {
		t.Errorf("the client said %s", said)
	}
}

// Test39_ALostConnectionIsWatchedAgain: what came meanwhile is told of, too.
func Test39_ALostConnectionIsWatchedAgain(t *testing.T) {
	s := dovecot(t)
	k := newTickClock()
	told := watch(t, config(s, s.TLSAddr(), "rep1"), k, &Stream{})
	soon(t, "the first news", told)
	soon(t, "the first wait", k.asked)
	s.KillSessions()
	if d := soon(t, "the wait for a new connection", k.asked); d > 2*time.Second {
		t.Errorf("it waits for %s", d)
	}
	k.tick <- time.Time{}
	soon(t, "news of the new connection", told)
}

// TestAWatchedMailboxThatIsRefusedStopsNoOther: it is left alone for an hour.
func TestAWatchedMailboxThatIsRefusedStopsNoOther(t *testing.T) {
	s := dovecot(t)
	cfg := config(s, s.TLSAddr(), "rep1", "rep2")
	cfg.Mailboxes[0].Password = cfg.Mailboxes[1].Password
	k := newTickClock()
	told := watch(t, cfg, k, &Stream{})
	soon(t, "the other's first news", told)
	waits := []time.Duration{soon(t, "a wait", k.asked), soon(t, "another wait", k.asked)}
	if max(waits[0], waits[1]) != refusalHolds {
		t.Errorf("it waits for %v", waits)
	}
	s.Save("rep2", "INBOX", text(1))
	soon(t, "news of the other", told)
}

// Test07_WatchingTakesOneConnectionMore: the contract's default is one, plus one for IDLE.
func Test07_WatchingTakesOneConnectionMore(t *testing.T) {
	s := testmail.Start(t, testmail.Options{Settings: "protocol imap {\n  mail_max_userip_connections = 2\n}"})
	raw := text(1)
	s.Save("rep1", "INBOX", raw)
	s.Doveadm("mailbox", "create", "-u", "rep1", "取引先")
	k := newTickClock()
	told := watch(t, config(s, s.TLSAddr(), "rep1"), k, &Stream{})
	soon(t, "the first news", told)
	soon(t, "the first wait", k.asked)
	r := newReader(t, config(s, s.TLSAddr(), "rep1"))
	for range 3 {
		got, _, _ := r.read(&Stream{}, "")
		r.want("while it is watched", got, raw)
	}
	none(t, "a wait for a place", k.asked)
}
