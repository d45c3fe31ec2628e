package pipeline_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/connectors/imap"
	"energyd/connectors/imap/message"
	"energyd/engine"
	"energyd/internal/secret"
	"energyd/internal/testcpu"
	"energyd/internal/testmail"
)

// The mailbox of the benchmark: mails of some years with so many people of so many customers.
const (
	benchPeople    = 2000
	benchCustomers = 211
)

// benchMail is one of the mailbox's mails: three of four are plain text from
// customers, with the header that relays leave behind.
func benchMail(i int) ([]byte, time.Time) {
	at := time.Date(2023, 1, 1, 9, 0, 0, 0, time.UTC).Add(time.Duration(i) * 20 * time.Minute)
	person := i * 7919 % benchPeople
	from := fmt.Sprintf("=?UTF-8?B?5bGx55Sw6YOo6ZW3?= <person%d@cust%d.example>", person, person%benchCustomers)
	to := "Sato <rep1@our.example>, =?ISO-2022-JP?B?GyRCOjRGIxsoQg==?= <rep2@our.example>"
	if i%4 == 3 {
		from, to = "Sato <rep1@our.example>", from
	}
	head := "Return-Path: <x@relay.example>\r\nReceived: from a.example by b.example with ESMTPS id " + strconv.Itoa(i) + "; " + at.Format(time.RFC1123Z) +
		"\r\nReceived: from c.example by a.example with ESMTP; " + at.Format(time.RFC1123Z) +
		"\r\nMessage-ID: <" + strconv.Itoa(i) + ".b@cust.example>\r\nDate: " + at.Format(time.RFC1123Z) + "\r\nFrom: " + from + "\r\nTo: " + to +
		"\r\nSubject: =?ISO-2022-JP?B?GyRCOCtAUSRON28bKEI=?= " + strconv.Itoa(i) + "\r\nMIME-Version: 1.0\r\nX-Mailer: bench\r\nUser-Agent: bench/1.0\r\n" +
		"Content-Type: text/plain; charset=ISO-2022-JP\r\nContent-Transfer-Encoding: 7bit\r\nX-Spam-Status: No, score=-1.0\r\n"
	return []byte(head + "\r\n" + strings.Repeat("the text of a mail is never asked for\r\n", 40)), at
}

// BenchmarkMail is the first reading of a mailbox of 50,000 mails on a warm Dovecot,
// by the contract's measure (contracts/imap.md 67, 68): relative to one raw
// pipelined UID FETCH of the same items over a socket, both with TLS, medians of
// interleaved rounds. "read" is the connector alone, to records; "stored" is a pull
// of the whole pipeline into a store of its own, by the shipped
// mapping, until all is scored. MAILS changes the size, ROUNDS how often each is run.
func BenchmarkMail(b *testing.B) {
	mails, rounds := number(b, "MAILS", 50_000), number(b, "ROUNDS", 3)
	s := mailServer{testmail.Start(b, testmail.Options{}), b}
	s.Fill("rep1", mails, benchMail)
	s.raw(mails) // warms the server's caches
	direct := s.TLSAddr()

	var raw, read, stored []time.Duration
	var readPeak, storedPeak float64
	var readCPU, storedCPU, rawCPU time.Duration
	var file string
	for b.Loop() {
		for range rounds {
			t, cpu, _ := s.measure(func() { s.raw(mails) })
			raw, rawCPU = append(raw, t), cpu
			t, cpu, peak := s.measure(func() { s.read(direct, mails) })
			read, readCPU, readPeak = append(read, t), cpu, max(readPeak, peak)
			file = s.configure(direct)
			t, cpu, peak = s.measure(func() { s.pull(file, mails) })
			stored, storedCPU, storedPeak = append(stored, t), cpu, max(storedPeak, peak)
		}
	}
	far, _, _ := s.measure(func() { s.read(delayed(b, direct, 25*time.Millisecond), mails) })
	perMail := func(d time.Duration) float64 { return float64(d.Microseconds()) / float64(mails) }
	b.ReportMetric(float64(mails)/median(raw).Seconds(), "raw-mails/s")
	b.ReportMetric(float64(mails)/median(read).Seconds(), "read-mails/s")
	b.ReportMetric(float64(mails)/median(stored).Seconds(), "stored-mails/s")
	b.ReportMetric(median(raw).Seconds()/median(read).Seconds(), "read/raw")
	b.ReportMetric(median(raw).Seconds()/median(stored).Seconds(), "stored/raw")
	b.ReportMetric(median(read).Seconds()/far.Seconds(), "50ms/read")
	b.ReportMetric(perMail(rawCPU), "raw-cpu-µs/mail")
	b.ReportMetric(perMail(readCPU), "read-cpu-µs/mail")
	b.ReportMetric(perMail(storedCPU), "stored-cpu-µs/mail")
	b.ReportMetric(readPeak, "read-peak-MB")
	b.ReportMetric(storedPeak, "stored-peak-MB")

	const news = 50
	for i := range news {
		text, _ := benchMail(mails + i)
		s.Save("rep1", "INBOX", text)
	}
	before := len(s.Log())
	night, _, _ := s.measure(func() { s.pull(file, news) })
	b.ReportMetric(float64(night.Milliseconds()), "night-ms")
	b.ReportMetric(s.fetched(before, "hdr_count"), "night-headers")
	b.ReportMetric(s.fetched(before, "body_count"), "night-bodies")
	b.ReportMetric(0, "ns/op") // it says nothing here
}

type mailServer struct {
	*testmail.Server
	*testing.B
}

// measure runs do: how long it took, this process's CPU time, and the most memory that was resident meanwhile, in MB.
func (s mailServer) measure(do func()) (clock, cpu time.Duration, peak float64) {
	s.Helper()
	debug.FreeOSMemory()
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // the peak is counted from here
		s.Fatal(err)
	}
	began, before := time.Now(), testcpu.Used(s.B)
	do()
	return time.Since(began), testcpu.Used(s.B) - before, peakMB(s.B)
}

// raw reads the items by one pipelined UID FETCH and drops them.
func (s mailServer) raw(mails int) {
	s.Helper()
	pem, err := os.ReadFile(s.CAFile)
	if err != nil {
		s.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	c, err := tls.Dial("tcp", s.TLSAddr(), &tls.Config{RootCAs: roots, ServerName: "localhost", MinVersion: tls.VersionTLS12})
	if err != nil {
		s.Fatal(err)
	}
	defer c.Close()
	in := bufio.NewReaderSize(c, 64<<10)
	if _, err := fmt.Fprintf(c, "a LOGIN rep1 %s\r\nb EXAMINE INBOX\r\nc UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (%s)])\r\n",
		testmail.Passwords["rep1"], strings.Join(message.Fields, " ")); err != nil {
		s.Fatal(err)
	}
	for n := 0; ; {
		line, err := in.ReadSlice('\n')
		if err != nil {
			s.Fatal(err)
		}
		text := string(line)
		if strings.HasPrefix(text, "c ") {
			if n != mails {
				s.Fatalf("%d mails came raw: %s", n, text)
			}
			return
		}
		if i := strings.LastIndexByte(text, '{'); i >= 0 && strings.HasSuffix(text, "}\r\n") {
			size, err := strconv.Atoi(text[i+1 : len(text)-3])
			if err != nil {
				s.Fatal(err)
			}
			if _, err := io.CopyN(io.Discard, in, int64(size)); err != nil {
				s.Fatal(err)
			}
			n++
		}
	}
}

// read reads the mailbox by the connector alone.
func (s mailServer) read(addr string, mails int) {
	s.Helper()
	cfg := imap.Connector.NewConfig().(*imap.Config)
	host, port, _ := net.SplitHostPort(addr)
	cfg.Host, cfg.CAFile, cfg.InternalDomains = host, s.CAFile, []string{"our.example"}
	cfg.Port, _ = strconv.Atoi(port)
	cfg.Mailboxes = []imap.Mailbox{{User: "rep1", Owner: "rep1@our.example", Password: secret.New("${env:MAIL}", testmail.Passwords["rep1"])}}
	conn, err := imap.Connector.Open(s.Context(), cfg, connectors.Env{Name: "mail", Dir: s.TempDir(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		s.Fatal(err)
	}
	defer conn.Close()
	source, err := conn.Source(s.Context(), &imap.Stream{})
	if err != nil {
		s.Fatal(err)
	}
	defer source.Close()
	n := 0
	for cursor, more := connectors.Cursor(""), true; more; {
		batch, err := source.Read(s.Context(), cursor, 20_000)
		if err != nil {
			s.Fatal(err)
		}
		n, cursor, more = n+len(batch.Records), batch.Next, batch.More
	}
	if n != mails {
		s.Fatalf("%d records", n)
	}
}

// pull pulls into the store of a configuration, which must give so many activities anew.
func (s mailServer) pull(file string, mails int) {
	s.Helper()
	p := open(s.B, file, engine.DateOf(2026, time.October, 1))
	defer p.Close()
	r, err := p.Pull(s.Context(), "mail")
	if err != nil || len(r.Errors) > 0 {
		s.Fatal(err, r.Errors)
	}
	if sr := r.Sources[0]; sr.Stored != mails {
		s.Fatalf("the pull came to %+v", sr)
	}
}

// configure writes a configuration with a store of its own, in which the directory of customers stands already.
func (s mailServer) configure(addr string) string {
	s.Helper()
	dir := s.TempDir()
	db, err := sql.Open("sqlite", filepath.Join(dir, "crm.db"))
	if err != nil {
		s.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	must := func(statement string, args ...any) {
		if _, err := db.ExecContext(s.Context(), statement, args...); err != nil {
			s.Fatal(err)
		}
	}
	must(`CREATE TABLE account (id text PRIMARY KEY, name text, website text)`)
	must(`CREATE TABLE contact (id text PRIMARY KEY, account text, email text, title text)`)
	must(`CREATE TABLE rep (id text PRIMARY KEY, email text)`)
	must(`BEGIN`)
	must(`INSERT INTO rep VALUES ('005A', 'rep1@our.example'), ('005B', 'rep2@our.example')`)
	for i := range benchCustomers {
		must(`INSERT INTO account VALUES (?, ?, ?)`, fmt.Sprintf("001%d", i), fmt.Sprintf("customer %d", i), fmt.Sprintf("https://www.cust%d.example/", i))
	}
	for i := 0; i < benchPeople; i += 2 { // every second person is in the CRM
		must(`INSERT INTO contact VALUES (?, ?, ?, '部長')`, fmt.Sprintf("003%d", i), fmt.Sprintf("001%d", i%benchCustomers), fmt.Sprintf("person%d@cust%d.example", i, i%benchCustomers))
	}
	must(`COMMIT`)
	root, err := filepath.Abs(filepath.Join("..", ".."))
	if err != nil {
		s.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(addr)
	s.Setenv("BENCH_PASSWORD", testmail.Passwords["rep1"])
	for name, text := range map[string]string{
		"account.yaml": "profile: {kind: account, id: id, name: name, keys: {domain: domain(website)}}\n",
		"contact.yaml": "profile: {kind: contact, id: id, account: account, title: title, keys: {email: lower(email)}}\n",
		"rep.yaml":     "profile: {kind: rep, id: id, keys: {email: lower(email)}}\n",
		"energyd.yaml": fmt.Sprintf(`language: ja
store: sqlite:energyd.db
points: %[1]s/configs/points.yaml
titles: %[1]s/configs/titles.yaml
connections:
  crm: {type: sql, driver: sqlite, file: crm.db}
  mailboxes:
    type: imap
    host: %[2]s
    port: %[3]s
    ca_file: %[4]s
    internal_domains: [our.example]
    mailboxes: [{user: rep1, owner: rep1@our.example, password: "${env:BENCH_PASSWORD}"}]
sources:
  account: {connection: crm, table: account, key: [id], mapping: account.yaml}
  contact: {connection: crm, table: contact, key: [id], mapping: contact.yaml}
  rep: {connection: crm, table: rep, key: [id], mapping: rep.yaml}
  mail: {connection: mailboxes, mapping: %[1]s/configs/mappings/mail.yaml}
`, root, host, port, s.CAFile),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			s.Fatal(err)
		}
	}
	file := filepath.Join(dir, "energyd.yaml")
	p := open(s.B, file, engine.DateOf(2026, time.October, 1))
	defer p.Close()
	if r, err := p.Pull(s.Context(), "account", "contact", "rep"); err != nil || len(r.Errors) > 0 {
		s.Fatal(err, r.Errors)
	}
	return file
}

// fetched sums a count of the sessions that ended after that point of the server's log.
func (s mailServer) fetched(from int, what string) (sum float64) {
	s.Helper()
	ctx, cancel := context.WithTimeout(s.Context(), time.Minute)
	defer cancel()
	var counts [][]string
	for pattern := regexp.MustCompile(what + `=(\d+)`); len(counts) == 0 && ctx.Err() == nil; { // a session's end is logged when it has ended
		counts = pattern.FindAllStringSubmatch(s.Log()[from:], -1)
	}
	if len(counts) == 0 {
		s.Fatal("the server logged no session's end")
	}
	for _, c := range counts {
		n, _ := strconv.Atoi(c[1])
		sum += float64(n)
	}
	return sum
}

// delayed is a way to target that takes so long in each direction, at any rate.
func delayed(b *testing.B, target string, by time.Duration) (addr string) {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { l.Close() })
	type piece struct {
		bytes []byte
		due   time.Time
	}
	carry := func(to, from net.Conn, wait *sync.WaitGroup) {
		under := make(chan piece, 4096)
		wait.Go(func() {
			defer close(under)
			for {
				bytes := make([]byte, 16<<10)
				n, err := from.Read(bytes)
				if n > 0 {
					under <- piece{bytes[:n], time.Now().Add(by)}
				}
				if err != nil {
					return
				}
			}
		})
		wait.Go(func() {
			for p := range under {
				time.Sleep(time.Until(p.due))
				_, _ = to.Write(p.bytes)
			}
			to.Close()
		})
	}
	go func() {
		for {
			near, err := l.Accept()
			if err != nil {
				return
			}
			far, err := net.Dial("tcp", target)
			if err != nil {
				near.Close()
				continue
			}
			var wait sync.WaitGroup
			carry(far, near, &wait)
			carry(near, far, &wait)
		}
	}()
	return l.Addr().String()
}
