package imap

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/connectors/imap/message"
	"energyd/internal/testmail"
)

// benchMail is one of a mailbox's mails: three of four are plain text from
// customers, with the header that relays leave behind.
func benchMail(i int) ([]byte, time.Time) {
	at := time.Date(2024, 1, 1, 9, 0, 0, 0, time.UTC).Add(time.Duration(i) * 20 * time.Minute)
	from := fmt.Sprintf("=?UTF-8?B?5bGx55Sw6YOo6ZW3?= <person%d@cust%d.example>", i%997, i%211)
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

// BenchmarkHeaders reads 50,000 mails of a warm Dovecot over TLS, classified and
// as records, and tells the rate relative to one raw pipelined UID FETCH of the
// same items in the same run (contracts/imap.md 67): at least 0.35 is asked.
func BenchmarkHeaders(b *testing.B) {
	const mails = 50_000
	s := testmail.Start(b, testmail.Options{})
	s.Fill("rep1", mails, benchMail)
	raw(b, s, mails) // warms the server's caches
	var rawTime, ours time.Duration
	var peak uint64
	var cpu time.Duration
	for b.Loop() {
		rawTime += raw(b, s, mails)
		began, before := time.Now(), spent(b)
		r := newReader(b, config(s, s.TLSAddr(), "rep1"))
		source, err := r.conn.Source(context.Background(), &Stream{})
		if err != nil {
			b.Fatal(err)
		}
		n := 0
		for cursor, more := connectors.Cursor(""), true; more; {
			batch, err := source.Read(context.Background(), cursor, 5000)
			if err != nil {
				b.Fatal(err)
			}
			n, cursor, more = n+len(batch.Records), batch.Next, batch.More
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, m.HeapInuse+m.StackInuse)
		}
		ours += time.Since(began)
		cpu += spent(b) - before
		if n != mails {
			b.Fatalf("%d records", n)
		}
		if err := source.Close(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*mails/ours.Seconds(), "mails/s")
	b.ReportMetric(rawTime.Seconds()/ours.Seconds(), "of-raw")
	b.ReportMetric(float64(cpu.Microseconds())/float64(b.N)/mails, "cpu-µs/mail")
	b.ReportMetric(float64(peak)/(1<<20), "MB-heap")
}

// spent is the CPU time of this process, which other programs do not change as they do the clock's.
func spent(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// raw reads the same items by one pipelined UID FETCH and drops them.
func raw(b *testing.B, s *testmail.Server, mails int) time.Duration {
	b.Helper()
	began := time.Now()
	cfg := config(s, s.TLSAddr(), "rep1")
	t, err := cfg.tlsConfig("")
	if err != nil {
		b.Fatal(err)
	}
	t.ServerName = "localhost"
	c, err := tls.Dial("tcp", s.TLSAddr(), t)
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	in := bufio.NewReaderSize(c, readBuffer)
	if _, err := fmt.Fprintf(c, "a LOGIN rep1 %s\r\nb EXAMINE INBOX\r\nc UID FETCH 1:* (UID FLAGS INTERNALDATE RFC822.SIZE BODY.PEEK[HEADER.FIELDS (%s)])\r\n",
		testmail.Passwords["rep1"], strings.Join(message.Fields, " ")); err != nil {
		b.Fatal(err)
	}
	for n := 0; ; {
		line, err := in.ReadSlice('\n')
		if err != nil {
			b.Fatal(err)
		}
		text := string(line)
		if strings.HasPrefix(text, "c ") {
			if n != mails {
				b.Fatalf("%d mails came raw: %s", n, text)
			}
			return time.Since(began)
		}
		if i := strings.LastIndexByte(text, '{'); i >= 0 && strings.HasSuffix(text, "}\r\n") {
			size, err := strconv.Atoi(text[i+1 : len(text)-3])
			if err != nil {
				b.Fatal(err)
			}
			if _, err := io.CopyN(io.Discard, in, int64(size)); err != nil {
				b.Fatal(err)
			}
			n++
		}
	}
}
