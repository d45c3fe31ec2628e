package imap

import (
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/internal/fault"
	"energyd/internal/secret"
)

// testClock is a clock whose waits take no time.
type testClock struct {
	mu    sync.Mutex
	t     time.Time
	waits []time.Duration
	on    func(n int, d time.Duration) // called at the nth wait, from 1; nil: nothing
}

func (k *testClock) now() time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.t
}

func (k *testClock) after(d time.Duration) <-chan time.Time {
	k.mu.Lock()
	k.t = k.t.Add(d)
	k.waits = append(k.waits, d)
	n, on := len(k.waits), k.on
	k.mu.Unlock()
	if on != nil {
		on(n, d)
	}
	return time.After(time.Millisecond)
}

func (k *testClock) clock() clock { return clock{k.now, k.after} }

func (k *testClock) waited() []time.Duration {
	k.mu.Lock()
	defer k.mu.Unlock()
	return append([]time.Duration(nil), k.waits...)
}

func quickClock() clock { return (&testClock{t: time.Unix(0, 0)}).clock() }

// newReaderAt is newReader with a clock of the test's.
func newReaderAt(t testing.TB, cfg *Config, k *testClock) *reader {
	r := newReader(t, cfg)
	r.conn.(*conn).clock = k.clock()
	return r
}

func Test10_WaitsGrowToFiveMinutesAndEnd(t *testing.T) {
	for n := range 40 {
		for range 50 {
			d := growing(n, nil)
			low, high := min(time.Second<<min(n, 20), mostWait/2), min(firstWait<<min(n, 20), mostWait)
			if d < low || d > high {
				t.Fatalf("wait %d is %s, not between %s and %s", n, d, low, high)
			}
		}
	}
	if growing(0, fault.New(fault.RateLimited, "", "", "", nil)) < limitWait/2 {
		t.Error("a server that asks to slow down is asked again at once")
	}
}

// counting tells of all bytes that the server has sent, before each piece is passed on.
func counting(t testing.TB, target string, on func(sent int)) (addr string) {
	var sent atomic.Int64
	return relay(t, target, pass, func(w io.Writer, r io.Reader) {
		pass(w, io.TeeReader(r, writerFunc(func(p []byte) { on(int(sent.Add(int64(len(p))))) })))
	})
}

type writerFunc func([]byte)

func (f writerFunc) Write(p []byte) (int, error) {
	f(p)
	return len(p), nil
}

func Test10_ARestartedServerAndKilledChildrenLoseNothing(t *testing.T) {
	s := dovecot(t)
	const n = 600
	s.Fill("rep1", n, func(i int) ([]byte, time.Time) { return text(i), time.Unix(1_780_000_000+int64(i), 0) })
	var mu sync.Mutex // of all below while it reads
	killed, stopped, away := 0, false, 0
	addr := counting(t, s.Addr(), func(sent int) {
		mu.Lock()
		defer mu.Unlock()
		switch {
		case killed < 3 && sent > 20_000*(killed+1):
			killed++
			s.KillSessions()
		case killed == 3 && !stopped && sent > 100_000:
			stopped = true
			s.Stop()
		}
	})
	k := &testClock{t: time.Unix(0, 0)}
	k.on = func(int, time.Duration) {
		mu.Lock()
		defer mu.Unlock()
		if stopped {
			if away++; away == 4 {
				s.Again()
			}
		}
	}
	cfg := config(s, addr, "rep1")
	cfg.Security = securityPlain
	r := newReaderAt(t, cfg, k)
	got, next, rejects := r.read(&Stream{}, "")
	if killed != 3 || !stopped || away < 4 {
		t.Fatalf("%d children were killed, stopped: %v, %d waits meanwhile: nothing is proven", killed, stopped, away)
	}
	if len(got) != n || len(rejects) != 0 {
		t.Errorf("%d records of %d mails, %d rejects", len(got), n, len(rejects))
	}
	if again, _, _ := r.read(&Stream{}, next); len(again) != 0 {
		t.Errorf("%d come again", len(again))
	}
	waits := k.waited()
	tail := waits[len(waits)-4:]
	for i := 1; i < len(tail); i++ {
		if tail[i] < tail[i-1] {
			t.Errorf("the waits for the restart do not grow: %v", tail)
		}
	}
}

func Test10_AServerThatStaysAwayIsGivenUpOnceForAllMailboxes(t *testing.T) {
	f := newFake(t)
	cfg := f.config()
	cfg.Connections = 1
	for _, user := range []string{"rep2", "shared"} {
		cfg.Mailboxes = append(cfg.Mailboxes, Mailbox{User: user, Owner: user + "@our.example", Password: secret.New("${env:X}", "pw")})
	}
	k := &testClock{t: time.Unix(0, 0)}
	r := newReaderAt(t, cfg, k)
	if err := r.conn.Check(t.Context()); err != nil {
		t.Fatal(err)
	}
	f.listener.Close()
	f.edit(func() {
		for _, c := range f.conns {
			c.Close()
		}
	})
	_, _, _, err := r.try(&Stream{}, "")
	if fault.KindOf(err) != fault.Unavailable {
		t.Errorf("got %v", err)
	}
	// The test's clock adds up waits that two mailboxes begin at the same time, so it may be one wait too long.
	if away := k.now().Sub(time.Unix(0, 0)); away < long/2 || away > long+mostWait {
		t.Errorf("it was given up after %s, want up to %s for all mailboxes together", away, long)
	}
}

// Test10_AServerThatWasNeverThereIsGivenUpSoon: somebody may be waiting, and a wrong host does not heal.
func Test10_AServerThatWasNeverThereIsGivenUpSoon(t *testing.T) {
	f := newFake(t)
	cfg := f.config()
	f.listener.Close()
	k := &testClock{t: time.Unix(0, 0)}
	_, _, _, err := newReaderAt(t, cfg, k).try(&Stream{}, "")
	if away := k.now().Sub(time.Unix(0, 0)); fault.KindOf(err) != fault.Unavailable || away > brief || len(k.waited()) < 2 {
		t.Errorf("given up after %s and %d waits: %v", away, len(k.waited()), err)
	}
}

// silentFor makes a fake server say nothing when these users sign on.
func silentFor(users ...string) func(string, string) (string, bool, bool) {
	return func(_, command string) (string, bool, bool) {
		for _, u := range users {
			if strings.HasPrefix(command, "LOGIN "+u+" ") || strings.HasPrefix(command, `LOGIN "`+u+`" `) {
				return "", true, false
			}
		}
		return "", false, false
	}
}

func Test09_AMailboxThatHangsStopsNoOther(t *testing.T) {
	f := newFake(t)
	f.answer = silentFor("rep2")
	cfg := f.config()
	cfg.Timeout, cfg.Connections = connectors.Duration(time.Second), 1
	for _, user := range []string{"rep2", "shared"} {
		cfg.Mailboxes = append(cfg.Mailboxes, Mailbox{User: user, Owner: user + "@our.example", Password: secret.New("${env:X}", "pw")})
	}
	r := newReader(t, cfg)
	got, next, _, err := r.try(&Stream{}, "")
	r.want("the others", got, f.mails[1], f.mails[2], f.mails[3])
	var part *connectors.PartError
	if !errors.As(err, &part) || !strings.Contains(err.Error(), "rep2") || fault.HintOf(err) == "" {
		t.Errorf("got %v", err)
	}
	f.edit(func() {
		f.answer = silentFor("rep1", "rep2", "shared")
	})
	cfg.Connections = 3
	if _, _, _, err = newReader(t, cfg).try(&Stream{}, next); err == nil || errors.As(err, &part) {
		t.Errorf("with all of them silent: %v", err)
	}
}

// TestAMailboxThatDiesHalfWayStopsNoOtherInLaterRuns: its goals stay behind in the cursor.
func TestAMailboxThatDiesHalfWayStopsNoOtherInLaterRuns(t *testing.T) {
	s := dovecot(t)
	for i := range 6 {
		s.Save("rep1", "INBOX", text(i))
	}
	cfg := config(s, s.TLSAddr(), "rep1", "rep2")
	r := newReader(t, cfg)
	source, err := r.conn.Source(t.Context(), &Stream{})
	if err != nil {
		t.Fatal(err)
	}
	half, err := source.Read(t.Context(), "", 3)
	if err != nil || !half.More {
		t.Fatal(half.More, err)
	}
	cfg.Mailboxes[0].Password = secret.New("${env:X}", "wr0ng-half")
	news := text(50, "To: rep2@our.example")
	s.Save("rep2", "INBOX", news)
	r = newReader(t, cfg)
	got, next, _, err := r.try(&Stream{}, half.Next)
	r.want("the other mailbox", got, news)
	var part *connectors.PartError
	if !errors.As(err, &part) || fault.KindOf(err) != fault.Auth {
		t.Errorf("got %v", err)
	}
	r = newReader(t, config(s, s.TLSAddr(), "rep1", "rep2"))
	rest, _, _ := r.read(&Stream{}, next)
	if len(rest)+len(half.Records) != 6 {
		t.Errorf("%d and %d mails of 6", len(half.Records), len(rest))
	}
}
