package adversity

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/internal/crmsim"
	"energyd/internal/pipeline"
)

// moment is a point of a bulk job at which something happens to energyd: at the
// nth request that matches.
type moment struct {
	name  string
	match string // "METHOD path"
	nth   int
	when  when
	polls int // that find the job in progress
}

type when string

const (
	asked    when = "asked"    // the request has come, the org has not seen it
	halfway  when = "halfway"  // half of the request has come
	done     when = "done"     // the org has done it, the answer is on its way
	answered when = "answered" // the answer has come
)

const (
	jobOf   = "/jobs/ingest/[^/]+$"
	fileOf  = "/jobs/ingest/[^/]+/"
	queryOf = "/jobs/query/[^/]+$"
	pageOf  = "/jobs/query/[^/]+/results$"
)

var moments = []moment{
	{name: "while the job is opened", match: "POST /jobs/ingest$", nth: 1, when: done},
	{name: "after it is opened", match: "PUT " + fileOf, nth: 1, when: asked},
	{name: "during the upload", match: "PUT " + fileOf, nth: 1, when: halfway},
	{name: "after the upload", match: "PUT " + fileOf, nth: 1, when: done},
	{name: "after it is closed", match: "PATCH " + jobOf, nth: 1, when: done},
	{name: "between polls", match: "GET " + jobOf, nth: 2, when: asked, polls: 1},
	{name: "before its results", match: "GET " + fileOf + "failedResults", nth: 1, when: asked},
	{name: "with its results at hand", match: "GET " + fileOf + "failedResults", nth: 1, when: answered},
	{name: "before it is removed", match: "DELETE " + jobOf, nth: 1, when: asked},
	{name: "after it is removed", match: "DELETE " + jobOf, nth: 1, when: done},
	// Reading: 30 rows a page.
	{name: "while a query job is worked off", match: "GET " + queryOf, nth: 2, when: asked, polls: 1},
	{name: "before its rows", match: "GET " + pageOf, nth: 1, when: asked},
	{name: "between pages of rows", match: "GET " + pageOf, nth: 4, when: asked},
	{name: "with a page of rows", match: "GET " + pageOf, nth: 4, when: answered},
	{name: "before the query job is removed", match: "DELETE " + queryOf, nth: 2, when: asked},
	{name: "after the query job is removed", match: "DELETE " + queryOf, nth: 2, when: done},
}

// gate stands before the org and calls strike at a moment.
func (m moment) gate(c *company, strike func()) *httptest.Server {
	c.Helper()
	org, err := url.Parse(c.world.URL)
	if err != nil {
		c.Fatal(err)
	}
	forward := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = org.Scheme, org.Host, r.In.Host
		},
	}
	method, path, _ := strings.Cut(m.match, " ")
	form := regexp.MustCompile(path)
	var mu sync.Mutex
	seen := 0
	server := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		mu.Lock()
		hit := false
		if r.Method == method && form.MatchString(r.URL.Path) {
			seen++
			hit = seen == m.nth
		}
		mu.Unlock()
		if !hit {
			forward.ServeHTTP(rw, r)
			return
		}
		switch m.when {
		case asked:
			strike()
		case halfway:
			if _, err := io.CopyN(io.Discard, r.Body, 200); err != nil {
				c.Errorf("the upload is no 200 bytes long: %v", err)
			}
			strike()
		case done:
			forward.ServeHTTP(httptest.NewRecorder(), r)
			strike()
		case answered:
			forward.ServeHTTP(rw, r)
			if err := http.NewResponseController(rw).Flush(); err != nil {
				c.Error(err)
			}
			strike()
		}
	}))
	c.Cleanup(server.Close)
	return server
}

// refusing is a company before its first night, whose CRM refuses some values, so that jobs have failures to tell of.
func refusing(t *testing.T, polls int) *company {
	t.Helper()
	c := standing(t, fresh)
	c.start()
	c.inject(crmsim.Fault{Name: "validation", Object: "Account", Field: "Energy__c", Bound: 100, Message: "温度は100以下です"},
		crmsim.Fault{Name: "bulk", Polls: polls}, crmsim.Fault{Name: "page_max", Rows: 30})
	return c
}

// TestKillJob kills energyd with SIGKILL at each step of a bulk job, runs it
// again, and compares with a world where nothing went wrong: nothing may be
// lost, sent in vain, half written or left in the org.
func TestKillJob(t *testing.T) {
	t.Parallel()
	struckJob(t, moments, func(cmd *exec.Cmd) { _ = cmd.Process.Kill() }) // it may have ended by itself
}

// TestStopJob does the same with SIGTERM, after which energyd has ten seconds (C63).
func TestStopJob(t *testing.T) {
	t.Parallel()
	struckJob(t, slices.DeleteFunc(slices.Clone(moments), func(m moment) bool { return m.when == done }),
		func(cmd *exec.Cmd) { _ = cmd.Process.Signal(syscall.SIGTERM) })
}

func struckJob(t *testing.T, moments []moment, strike func(*exec.Cmd)) {
	calm := refusing(t, 0)
	calm.open(pipeline.Options{AsOf: kept.asOf}, byJobs)
	r, _, _, err := calm.Sync(t.Context())
	calm.mustEnd(r, err)
	want := calm.state()
	if len(calm.world.CRM().Jobs()) > 0 || len(want.Rejects) < 4 {
		t.Fatalf("the calm world has jobs %v and rejects %q", calm.world.CRM().Jobs(), want.Rejects)
	}
	for _, m := range moments {
		t.Run(m.name, func(t *testing.T) {
			t.Parallel()
			c := refusing(t, m.polls)
			started, ended := make(chan struct{}), make(chan struct{})
			var cmd *exec.Cmd
			var late *time.Timer
			g := m.gate(c, func() {
				<-started
				late = time.AfterFunc(10*time.Second, func() { _ = cmd.Process.Kill() })
				strike(cmd)
				<-ended // the answer, if it is one, comes too late
			})
			c.configure(byJobs, edit{c.world.URL, g.URL})
			cmd = c.command("sync", "--as-of", kept.asOf.String())
			var said bytes.Buffer
			cmd.Stdout, cmd.Stderr = &said, &said
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			close(started)
			err := cmd.Wait()
			close(ended)
			g.Close() // from here on late is ours
			var exit *exec.ExitError
			if late == nil || !late.Stop() || !errors.As(err, &exit) {
				t.Fatalf("struck %v, and it did not end at once: %v:\n%s", late != nil, err, said.String())
			}
			c.open(pipeline.Options{AsOf: kept.asOf}, edit{g.URL, c.world.URL})
			// Partial or done: the struck run may have come to the refused records already, which are told once.
			r, _, _, err := c.Sync(t.Context())
			c.mustEnd(r, err)
			if diff := cmp.Diff(want, c.state()); diff != "" {
				t.Fatalf("the world differs (-calm +struck):\n%s", diff)
			}
			c.balanced()
			if left := c.world.CRM().Jobs(); len(left) > 0 {
				t.Errorf("the org has %v left", left)
			}
			before := len(c.world.CRM().Log())
			r, _, _, err = c.Sync(t.Context())
			c.mustEnd(r, err)
			for _, r := range c.world.CRM().Log()[before:] {
				if r.Method == http.MethodPut {
					t.Errorf("a sync after the last one still writes: %s %s", r.Method, r.Path)
				}
			}
		})
	}
}
