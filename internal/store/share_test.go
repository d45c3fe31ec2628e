package store_test

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/engine"
	"energyd/internal/fault"
	"energyd/internal/store"
	"energyd/internal/testdb"
)

// watched is flat, and calls look before each account that it scores.
type watched struct {
	flat
	look func()
}

func (w watched) Contributions(acts []engine.Activity, emit func(int, engine.Contribution)) {
	w.look()
	w.flat.Contributions(acts, emit)
}

// large saves what is worth sharing, some of which moves between accounts, into two stores of PostgreSQL. It gives
// one in which it was folded at once, and the url of the other, where it waits.
func large(t *testing.T) (want contents, n int, url string) {
	t.Helper()
	batches := slices.Collect(slices.Chunk(newGenerator(0, 7).take(3600), 600))
	batches = append(batches, tangled(rand.New(rand.NewPCG(5, 6)), 600), newGenerator(2000, 8).take(20)) // which were at other accounts
	whole := open(t, testdb.Postgres(t))
	url = testdb.Postgres(t)
	shared := open(t, url)
	for _, batch := range batches {
		saveAll(t, whole, batch)
		saveAll(t, shared, batch)
	}
	fold(t, whole)
	return read(t, whole), counts(t, whole).Read, url
}

func sharing(t *testing.T, url string) *store.Store {
	t.Helper()
	s := open(t, url)
	s.Share()
	return s
}

// TestFold_shared: others take part in a large fold, also one whose process is killed in the middle of a job; and the
// store ends as if one had done it in one go.
func TestFold_shared(t *testing.T) {
	want, n, url := large(t)
	one, other := sharing(t, url), sharing(t, url)
	stats, err := one.Fold(t.Context(), watched{flat{1}, sync.OnceFunc(func() {
		killAtWork(t, url)
		if n, err := other.Help(t.Context(), flat{1}); n == 0 || err != nil {
			t.Errorf("the other did %d jobs; %v", n, err)
		}
	})}, asOf)
	if err != nil {
		t.Fatal(err)
	}
	if stats.Jobs < 3 || stats.Helped == 0 || stats.Helped >= stats.Jobs {
		t.Errorf("%+v", stats)
	}
	if diff := cmp.Diff(want, read(t, one)); diff != "" {
		t.Error(diff)
	}
	if got := counts(t, one); !got.Balanced() || got.Read != n || stats.Stored != got.Stored || stats.Arrived != n {
		t.Errorf("its sums are %+v, and the fold's %+v, of %d", got, stats, n)
	}
	nothingOffered(t, url)
}

// toHelp is, in the environment of a process of this test that helps until it is killed, the url of the store.
const toHelp = "ENERGYD_TEST_HELP"

func TestMain(m *testing.M) {
	url := os.Getenv(toHelp)
	if url == "" {
		os.Exit(m.Run())
	}
	s, err := store.Open(context.Background(), url)
	if err == nil {
		s.Share()
		_, err = s.Help(context.Background(), watched{flat{1}, func() { fmt.Println("at work"); time.Sleep(time.Hour) }})
	}
	fmt.Println("it was not killed:", err)
	os.Exit(1)
}

// killAtWork kills a process in the middle of the first job that it does.
func killAtWork(t *testing.T, url string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := exec.CommandContext(t.Context(), self)
	p.Env = append(os.Environ(), toHelp+"="+url)
	out, err := p.StdoutPipe()
	if err == nil {
		err = p.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	said, err := bufio.NewReader(out).ReadString('\n')
	if said != "at work\n" {
		t.Errorf("it said %q; %v", said, err)
	}
	_ = p.Process.Kill() // it may have ended
	_ = p.Wait()         // killed
}

// nothingOffered: what jobs leave is gone with them.
func nothingOffered(t *testing.T, url string) {
	t.Helper()
	db := raw(t, url)
	defer db.Close()
	var left int
	if err := db.Get(&left, "SELECT (SELECT COUNT(*) FROM ledger_job) + (SELECT COUNT(*) FROM ledger_sum) + (SELECT COUNT(*) FROM arrival)"); err != nil || left > 0 {
		t.Errorf("%d rows are left; %v", left, err)
	}
}

// TestFold_sharedStopped: whoever folds may end at any moment, however many jobs are done by then; the next fold goes on.
func TestFold_sharedStopped(t *testing.T) {
	want, n, url := large(t)
	stopped := 0
	for after := int32(1); ; after *= 3 {
		s := sharing(t, url)
		ctx, cancel := context.WithCancel(t.Context())
		var scored atomic.Int32
		_, err := s.Fold(ctx, watched{flat{1}, func() {
			if scored.Add(1) == after {
				cancel()
			}
		}}, asOf)
		cancel()
		if err == nil {
			break
		}
		stopped++
	}
	if stopped < 3 {
		t.Errorf("stopped %d times", stopped)
	}
	s := open(t, url)
	if diff := cmp.Diff(want, read(t, s)); diff != "" {
		t.Error(diff)
	}
	if got := counts(t, s); !got.Balanced() || got.Read != n {
		t.Errorf("its sums are %+v, of %d", got, n)
	}
	nothingOffered(t, url)
}

// TestRebuild_shared: others score parts of what is stored anew, by the same points only.
func TestRebuild_shared(t *testing.T) {
	_, _, url := large(t)
	one, other, stranger := sharing(t, url), sharing(t, url), sharing(t, url)
	fold(t, one)
	if err := open(t, url).Rebuild(t.Context(), flat{2}, asOf); err != nil {
		t.Fatal(err)
	}
	want := read(t, one)
	fold(t, one) // by flat{1} again

	helped := make(chan struct{})
	stats, err := one.Fold(t.Context(), watched{flat{2}, sync.OnceFunc(func() {
		if n, err := stranger.Help(t.Context(), flat{3}); n > 0 || err != nil {
			t.Errorf("other points did %d jobs; %v", n, err)
		}
		go func() {
			defer close(helped)
			if n, err := other.Help(t.Context(), flat{2}); n == 0 || err != nil {
				t.Errorf("it did %d jobs; %v", n, err)
			}
		}()
		<-helped
	})}, asOf)
	if err != nil || !stats.Rebuilt || stats.Helped == 0 || stats.Jobs <= stats.Helped {
		t.Errorf("%+v %v", stats, err)
	}
	if diff := cmp.Diff(want, read(t, one)); diff != "" {
		t.Error(diff)
	}
	nothingOffered(t, url)
}

// TestFold_jobsKeepOthersAway: while somebody is at a job, nobody else writes activities; jobs that nobody is at keep
// nobody away, and a process that folds does no job besides.
func TestFold_jobsKeepOthersAway(t *testing.T) {
	_, _, url := large(t)
	one, other, third := sharing(t, url), sharing(t, url), sharing(t, url)
	rerank := func() error {
		_, err := third.Rerank(t.Context(), flat{1}, asOf, "x", func(a *engine.Activity) *engine.Activity { return a })
		return err
	}
	ctx, cancel := context.WithCancel(t.Context())
	_, err := one.Fold(ctx, watched{flat{1}, sync.OnceFunc(func() {
		if n, err := one.Help(ctx, flat{1}); n > 0 || err != nil {
			t.Errorf("beside its fold it did %d jobs; %v", n, err)
		}
		at, done := make(chan struct{}), make(chan struct{})
		var leave sync.WaitGroup
		leave.Add(1)
		go func() {
			defer close(done)
			stop, cancel := context.WithTimeout(ctx, time.Minute)
			defer cancel()
			_, _ = other.Help(stop, watched{flat{1}, sync.OnceFunc(func() { close(at); leave.Wait(); cancel() })})
		}()
		<-at
		if err := rerank(); fault.KindOf(err) != fault.Conflict {
			t.Errorf("beside two jobs it gave %v", err)
		}
		leave.Done()
		<-done
		cancel()
	})}, asOf)
	if err == nil {
		t.Error("the fold was not stopped")
	}
	until := time.Now().Add(time.Minute) // the server may not have noticed yet that they were broken off
	for err = rerank(); err != nil && time.Now().Before(until); err = rerank() {
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		t.Errorf("jobs that nobody is at: %v", err)
	}
}
