package adversity

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	_ "github.com/lib/pq" // driver "postgres"
	_ "modernc.org/sqlite"

	"github.com/google/go-cmp/cmp"

	"energyd/connectors/connectortest"
	"energyd/engine"
	"energyd/internal/config"
	"energyd/internal/daemon"
	"energyd/internal/demo"
	"energyd/internal/pipeline"
	"energyd/internal/store"
	"energyd/internal/telemetry"
	"energyd/internal/testdb"
	"energyd/internal/testmail"
)

// office is a company on real servers: the simulated CRM, daily reports and energyd's store in PostgreSQL, mails in
// Dovecot, each behind a proxy.
type office struct {
	company
	clock    atomic.Int64 // the CRM's and energyd's, Unix seconds
	random   *rand.Rand
	reports  *sql.DB
	mail     *testmail.Server
	owner    string                 // whose the mailbox is
	contacts []map[string]any       // with addresses
	proxies  []*connectortest.Proxy // of the CRM, the reports, the mails and the store
	direct   string                 // the same configuration without proxies, and over an empty store
	letters  int
}

func newOffice(t *testing.T, random *rand.Rand) *office {
	t.Helper()
	o := &office{company: company{T: t, dir: t.TempDir()}, random: random, mail: testmail.Start(t, testmail.Options{})}
	o.clock.Store(time.Now().Truncate(time.Hour).AddDate(0, 0, -60).Unix()) // a source has no records of days to come
	var err error
	if o.world, err = demo.Start(t.Context(), o.dir, o.now); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(o.sleep)
	reports, kept := testdb.Postgres(t), testdb.Postgres(t)
	o.moveReports(reports)
	rows, err := o.world.CRM().Rows("Contact")
	if err != nil {
		t.Fatal(err)
	}
	o.contacts = slices.DeleteFunc(rows, func(r map[string]any) bool { return r["Email"] == nil })
	crm, err := url.Parse(o.world.URL)
	if err != nil {
		t.Fatal(err)
	}
	for _, target := range []string{crm.Host, socket(t, reports), o.mail.Addr(), socket(t, kept)} {
		o.proxies = append(o.proxies, connectortest.NewProxy(t, target))
	}
	o.write("mail-secret", testmail.Passwords["rep1"])
	o.write("reports-secret", "none")
	text, err := os.ReadFile(o.world.Config)
	if err != nil {
		t.Fatal(err)
	}
	o.owner = regexp.MustCompile(`- \{user: ([^,]*),`).FindStringSubmatch(string(text))[1]
	o.direct = filepath.Join(o.dir, "direct.yaml")
	o.rewrite(string(text), o.direct, "sqlite:direct.db", crm.Host, o.mail.Addr(), address(t, reports))
	tcp := func(i int, db string) string {
		host, port, _ := net.SplitHostPort(o.proxies[i].Addr())
		return "host: " + host + "\n    port: " + port + "\n    database: " + database(t, db)
	}
	o.rewrite(string(text), o.world.Config, "postgres://energyd@"+o.proxies[3].Addr()+"/"+database(t, kept)+"?sslmode=disable",
		o.proxies[0].Addr(), o.proxies[2].Addr(), tcp(1, reports))
	return o
}

func (o *office) now() time.Time { return time.Unix(o.clock.Load(), 0).UTC() }

func parsed(t *testing.T, dsn string) *url.URL {
	t.Helper()
	u, err := url.Parse(dsn)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func database(t *testing.T, dsn string) string { return strings.TrimPrefix(parsed(t, dsn).Path, "/") }

func socket(t *testing.T, dsn string) string {
	return filepath.Join(parsed(t, dsn).Query().Get("host"), ".s.PGSQL.5432")
}

func address(t *testing.T, dsn string) string {
	return "host: " + parsed(t, dsn).Query().Get("host") + "\n    database: " + database(t, dsn)
}

// rewrite writes the demo's configuration anew: where its systems are, each hour, and without brakes, since whole
// days of work come in at once after an outage.
func (o *office) rewrite(text, file, stored, crm, mail, reports string) {
	o.Helper()
	host, port, _ := net.SplitHostPort(mail)
	for _, e := range [][2]string{
		{`(?m)^store: \S+`, "store: " + stored},
		{`(?m)^schedule: .*`, "schedule: every 1h"},
		{`(?m)^http: .*`, "http: {listen: off}"},
		{`(?m)^(    url: http://).*`, "${1}" + crm},
		{`(?m)^    host: 127.0.0.1\n    port: \d+`, "    host: " + host + "\n    port: " + port},
		{`(?m)^    driver: sqlite\n    file: .*`, "    driver: postgres\n    user: energyd\n    password: $${file:reports-secret}\n    tls: off\n    " + reports},
		{`(?m)(^      - \{user: .*\n)+`, "      - {user: rep1, password: \"$${file:mail-secret}\", owner: " + o.owner + "}\n"},
		{`(?m)^  (changed|emptied|jump|rejects|stale|first): \d+h?`, "  ${1}: 0"},
	} {
		form := regexp.MustCompile(e[0])
		if !form.MatchString(text) {
			o.Fatalf("the configuration has nothing like %s", e[0])
		}
		text = form.ReplaceAllString(text, e[1])
	}
	o.write(filepath.Base(file), text)
}

// moveReports brings the demo's daily reports into PostgreSQL.
func (o *office) moveReports(dsn string) {
	o.Helper()
	from, err := sql.Open("sqlite", filepath.Join(o.dir, "daily_report.db"))
	if err != nil {
		o.Fatal(err)
	}
	defer from.Close()
	if o.reports, err = sql.Open("postgres", dsn); err != nil {
		o.Fatal(err)
	}
	o.Cleanup(func() { o.reports.Close() })
	columns := "report_date, start_time, rep_code, account_code, contact_code, contact_name, contact_title, deal_code, activity, minutes, result, memo, source, ext_key"
	o.exec(`CREATE TABLE daily_report (report_id SERIAL PRIMARY KEY, ` + strings.ReplaceAll(strings.Replace(columns, "minutes,", "", 1), ",", " TEXT,") +
		` TEXT, minutes INTEGER, updated_at TIMESTAMPTZ NOT NULL)`)
	rows, err := from.QueryContext(o.Context(), "SELECT "+columns+", updated_at FROM daily_report ORDER BY report_id")
	if err != nil {
		o.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		values := make([]any, 15)
		into := make([]any, len(values))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			o.Fatal(err)
		}
		o.exec("INSERT INTO daily_report ("+columns+", updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)", values...)
	}
	if err := rows.Err(); err != nil {
		o.Fatal(err)
	}
}

func (o *office) exec(statement string, values ...any) {
	o.Helper()
	if _, err := o.reports.ExecContext(o.Context(), statement, values...); err != nil {
		o.Fatal(err)
	}
}

// work is an hour of people's work in all systems.
func (o *office) work() {
	o.Helper()
	crm, day := o.world.CRM(), o.now().Format(time.DateOnly)
	contact := o.contacts[o.random.IntN(len(o.contacts))]
	o.letters++
	o.exec("INSERT INTO daily_report (report_date, account_code, activity, source, ext_key, updated_at) VALUES ($1, $2, '訪問', 'nippo', $3, now() - interval '2 minutes')",
		day, fmt.Sprintf("K%04d", 1+o.random.IntN(16)), fmt.Sprintf("soak/%d", o.letters))
	o.exec("UPDATE daily_report SET memo = $1, updated_at = now() - interval '2 minutes' WHERE report_id = $2", day, 1+o.random.IntN(100))
	task, err := crm.Insert("Task", map[string]any{"Subject": "電話", "TaskSubtype": "Call", "CallType": "Inbound", "Status": "Completed", "ActivityDate": day, "WhoId": contact["Id"]})
	if err != nil {
		o.Fatal(err)
	}
	if o.letters%5 == 0 {
		if err := crm.Delete("Task", task); err != nil {
			o.Fatal(err)
		}
	}
	o.mail.Save("rep1", "INBOX", fmt.Appendf(nil, "From: <%s>\r\nTo: <%s>\r\nSubject: Re: %d\r\nDate: %s\r\nMessage-ID: <soak%d@customer.example>\r\n\r\nx\r\n",
		contact["Email"], o.owner, o.letters, o.now().Format(time.RFC1123Z), o.letters))
}

// disturb does something to each connection: nothing, latency, resets, answers cut short, or half-open silence.
func (o *office) disturb() {
	for _, p := range o.proxies {
		switch o.random.IntN(8) {
		case 0:
			p.Delay(time.Duration(o.random.IntN(5)) * time.Millisecond)
		case 1:
			p.CutAfter(int64(o.random.IntN(40_000)))
		case 2:
			p.Refuse()
		case 3:
			p.Hang()
		default:
			p.Heal()
		}
	}
}

func (o *office) heal() {
	for _, p := range o.proxies {
		p.Heal()
	}
}

// openFile opens a pipeline over a configuration.
func (o *office) openFile(ctx context.Context, file string) (*pipeline.Pipeline, error) {
	cfg, err := config.Load(file, impatient())
	if err != nil {
		return nil, err
	}
	return pipeline.Open(ctx, cfg, pipeline.Options{Log: slog.New(slog.DiscardHandler), Now: o.now, AsOf: engine.NoDate})
}

// watched is a daemon's work that tells when a run ended.
type watched struct {
	daemon.Work
	ended chan<- daemon.Result
}

func (w watched) Do(ctx context.Context, order daemon.Order) daemon.Result {
	r := w.Work.Do(ctx, order)
	select {
	case w.ended <- r:
	default: // nobody waits any more
	}
	return r
}

// TestSoak runs the daemon hour after hour on real servers while connections break at random. In the end nothing is
// lost or doubled, the CRM is up to date, and neither memory nor goroutines have grown. SOAK_HOURS says how long: of
// simulated time, in each of which people work in all systems.
func TestSoak(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	hours := number(t, "SOAK_HOURS", 4)
	o := newOffice(t, rand.New(rand.NewPCG(seed, 0)))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ready, again, ended, over := make(chan struct{}), make(chan struct{}), make(chan daemon.Result, 1), make(chan error, 1)
	go func() {
		over <- daemon.Run(ctx, daemon.Options{
			Log: slog.New(slog.DiscardHandler), Now: o.now, Ready: func() { close(ready) }, Reload: again, Metrics: telemetry.NewMetrics("test"), Health: telemetry.NewHealth(),
			Open: func(ctx context.Context) (daemon.Work, error) {
				p, err := o.openFile(ctx, o.world.Config)
				if err != nil {
					return nil, err
				}
				w, err := daemon.Pipeline(ctx, p)
				return watched{w, ended}, err
			},
		})
	}()
	select {
	case <-ready:
	case err := <-over:
		t.Fatalf("the daemon ended: %v", err)
	}
	// An hour passes: the daemon looks at its clock and at its configuration.
	hour := func(patience time.Duration) (r daemon.Result, ok bool) {
		o.clock.Add(3600)
		select {
		case again <- struct{}{}:
		case err := <-over:
			t.Fatalf("the daemon ended: %v", err)
		case <-time.After(patience): // the store is silent
			o.heal()
			again <- struct{}{}
		}
		select {
		case r = <-ended:
			return r, true
		case <-time.After(patience): // what hangs comes back
			o.heal()
		}
		select {
		case r = <-ended:
			return r, true
		case <-time.After(patience): // the run had not begun
			return r, false
		}
	}
	if r, ok := hour(time.Minute); !ok || r.Err != nil {
		t.Fatalf("the first hour: %v, %v", ok, r.Err)
	}
	states := map[store.RunState]int{}
	var use usage
	for range hours {
		o.work()
		o.disturb()
		if r, ok := hour(2 * time.Second); ok {
			states[r.Report.State]++
		} else {
			states["none"]++
		}
		use.look()
	}
	o.heal()
	for tries := 0; ; tries++ {
		if r, ok := hour(time.Minute); ok && r.Err == nil && (r.Report.State == store.OK || r.Report.State == store.Partial) && len(r.Report.Errors) == 0 {
			break
		} else if tries == 5 {
			t.Fatalf("after the faults the run is %s: %v %q", r.Report.State, r.Err, r.Report.Notes)
		}
	}
	cancel()
	if err := <-over; err != nil {
		t.Errorf("the daemon ended with %v", err)
	}
	t.Logf("%d hours, %d letters: runs %v; %s", hours, o.letters, states, use)
	use.flat(t)
	o.compare()
}

var revision = regexp.MustCompile(`"Revision":\d+,`)

// compare holds the store to one that read everything in one go, and that nothing is left to write.
func (o *office) compare() {
	o.Helper()
	o.clock.Add(600) // what was saved just now is not read yet, and the day is the same
	read := func(file string, pull bool) state {
		p, err := o.openFile(o.Context(), file)
		if err != nil {
			o.Fatal(err)
		}
		c := &company{T: o.T, Pipeline: p, world: o.world}
		defer func() { _ = p.Close() }()
		if pull {
			c.mustEnd(p.Pull(o.Context()))
		} else if _, sum, _, err := p.Sync(o.Context()); err != nil || sum.Records != 0 {
			o.Errorf("a further night writes %d records: %v", sum.Records, err)
		}
		c.balanced()
		s := c.state()
		// The systems tell no deletions of long ago, and a daemon has read everything anew each week.
		s.Activities = slices.DeleteFunc(s.Activities, func(a string) bool { return strings.Contains(a, `"Deleted":true`) })
		for i, a := range s.Activities {
			s.Activities[i] = revision.ReplaceAllString(a, "")
		}
		return s
	}
	if diff := cmp.Diff(read(o.direct, true), read(o.world.Config, false)); diff != "" {
		o.Errorf("what the daemon has differs from what the systems hold (-systems +daemon):\n%s", diff)
	}
}

// usage is what a process uses, look by look.
type usage struct{ heap, goroutines []int }

func (u *usage) look() {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	u.heap, u.goroutines = append(u.heap, int(m.HeapAlloc>>10)), append(u.goroutines, runtime.NumGoroutine())
}

// halves gives the medians of the second and of the last quarter.
func halves(all []int) (early, late int) {
	n := len(all) / 4
	middle := func(part []int) int { return slices.Sorted(slices.Values(part))[len(part)/2] }
	return middle(all[n : 2*n+1]), middle(all[len(all)-n-1:])
}

func (u usage) String() string {
	h1, h2 := halves(u.heap)
	g1, g2 := halves(u.goroutines)
	return fmt.Sprintf("heap %d KB in the second quarter, %d KB in the last; goroutines %d and %d, at most %d", h1, h2, g1, g2, slices.Max(u.goroutines))
}

// flat holds that the last quarter uses no more than the second. What the simulated systems hold grows with each hour.
func (u usage) flat(t *testing.T) {
	t.Helper()
	h1, h2 := halves(u.heap)
	g1, g2 := halves(u.goroutines)
	if h2 > h1+h1/4+16<<10 || g2 > g1+20 {
		t.Errorf("it grows: %s", u)
	}
}
