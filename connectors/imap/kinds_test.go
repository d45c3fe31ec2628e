package imap

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"energyd/connectors/imap/message"
)

func Test43_TheServersStampStandsInForABadDate(t *testing.T) {
	s := dovecot(t)
	bad := map[string][]byte{
		"missing": text(1, "Date:"), "unparsable": text(2, "Date: yesterday"), "future": text(3, "Date: Mon, 02 Nov 2099 09:00:00 +0900"),
		"old": text(4, "Date: Thu, 01 Jan 1970 00:00:00 +0000"),
	}
	good := text(5)
	s.Save("rep1", "INBOX", good)
	for _, raw := range bad {
		s.Save("rep1", "INBOX", raw)
	}
	r := newReader(t, config(s, s.TLSAddr(), "rep1"))
	got, _, _ := r.read(&Stream{}, "")
	for what, raw := range bad {
		rec := one(t, got, raw)
		if age := time.Since(rec.Value("sent_at").(time.Time)); fields(t, rec, "date_source") != "internal" || age > time.Hour || age < -time.Hour {
			t.Errorf("%s: %s", what, fields(t, rec, "date_source", "sent_at"))
		}
	}
	if f := fields(t, one(t, got, good), "date_source"); f != "header" {
		t.Error(f)
	}
}

func Test50_ReportsMeetingsAndQuestions(t *testing.T) {
	s := dovecot(t)
	part := func(kind, body string) string { return "--b\r\nContent-Type: " + kind + "\r\n\r\n" + body + "\r\n" }
	bounce := text(1, "From: MAILER-DAEMON@mx.our.example", "Return-Path: <>", "Content-Type: multipart/report; report-type=delivery-status; boundary=b",
		"\n"+part("text/plain", "sorry")+part("message/delivery-status", "Reporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; tanaka@cust.example\r\nAction: failed\r\nStatus: 5.1.1")+
			part("message/rfc822", "Message-ID: <ours@our.example>\r\nSubject: x\r\n\r\ncanary")+"--b--\r\n")
	receipt := text(2, "Content-Type: multipart/report; report-type=disposition-notification; boundary=b",
		"\n"+part("text/plain", "read")+part("message/disposition-notification", "Final-Recipient: rfc822; yamada@cust.example\r\nOriginal-Message-ID: <ours@our.example>\r\nDisposition: manual-action/MDN-sent-manually; displayed")+"--b--\r\n")
	accepted := text(3, "From: secretary@cust.example", "Content-Type: multipart/alternative; boundary=b",
		"\n"+part("text/plain", "ok")+part("text/calendar; method=REPLY", "BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nUID:u1\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:yamada@cust.example\r\nEND:VEVENT\r\nEND:VCALENDAR")+"--b--\r\n")
	question := text(4, "In-Reply-To: <ours@our.example>", "References: <root@our.example> <ours@our.example>", "Subject: Re: offer",
		"Content-Type: text/plain; charset=iso-2022-jp", "Content-Transfer-Encoding: base64", "\nGyRCJCQkRCQ0JG0kSyRKJGokXiQ5JCsbKEI=\r\n")
	quoted := text(5, "In-Reply-To: <ours@our.example>", "Subject: Re: offer", "\nthanks\r\n> when will it be?\r\n")
	said := text(6, "Subject: Accepted: meeting")
	ordinary := text(7)
	for _, raw := range [][]byte{bounce, receipt, accepted, question, quoted, said, ordinary} {
		s.Save("rep1", "INBOX", raw)
	}
	r := newReader(t, config(s, s.TLSAddr(), "rep1"))
	got, _, rejects := r.read(&Stream{}, "")
	if len(rejects) > 0 {
		t.Errorf("rejects: %v", rejects)
	}
	for _, c := range []struct {
		raw   []byte
		names []string
		want  string
	}{
		{bounce, []string{"kind", "direction", "bounced", "original_id", "customer", "from"}, "bounce | inbound | tanaka@cust.example | ours@our.example | tanaka@cust.example | "},
		{receipt, []string{"kind", "disposition", "original_id", "customer", "automatic"}, "read_receipt | displayed | ours@our.example | yamada@cust.example | true"},
		{accepted, []string{"kind", "calendar_method", "partstat", "attendee", "customer", "calendar_uid"}, "accepted | REPLY | ACCEPTED | yamada@cust.example | yamada@cust.example | u1"},
		{question, []string{"kind", "reply", "question", "thread", "base_subject"}, "ordinary | true | true | root@our.example | offer"},
		{quoted, []string{"reply", "question", "thread"}, "true | false | ours@our.example"},
		{said, []string{"kind", "calendar_method"}, "ordinary | "},
		{ordinary, []string{"kind", "from", "from_name", "from_title", "customer", "thread"}, "ordinary | yamada@cust.example | 山田 | 部長 | yamada@cust.example | m7@cust.example"},
	} {
		if f := fields(t, one(t, got, c.raw), c.names...); f != c.want {
			t.Errorf("got %s\nwant %s", f, c.want)
		}
	}
}

func Test58_PrivacyIsKept(t *testing.T) {
	s := dovecot(t)
	allowed := text(1, "Cc: boss@other.example, left@cust.example, staff@our.example", "Subject: 秘密の件")
	form := text(6, "From: web@our.example", "To: rep1@our.example", "Reply-To: visitor@cust.example")
	for _, raw := range [][]byte{
		allowed, form,
		text(2, "From: staff@our.example"),                                 // internal
		text(3, "From: x@other.example"),                                   // not on the list
		text(4, "From: Left <Left@cust.example>"),                          // opted out
		text(5, "From: rep1@our.example", "To: x@other.example"),           // to nobody on the list
		text(7, "From: left+tag@cust.example", "To: shared@our.example"),   // opted out, with a tag
		text(8, "From:", "To: rep1@our.example", "Message-ID: <nobody@x>"), // a reject
	} {
		s.Save("rep1", "INBOX", raw)
	}
	cfg := config(s, s.TLSAddr(), "rep1")
	no := false
	cfg.Mailboxes[0].Domains, cfg.Mailboxes[0].Subject = []string{"cust.example"}, &no
	cfg.OptOut, cfg.TaggedDomains = []string{"left@cust.example"}, []string{"cust.example"}
	r := newReader(t, cfg)
	got, _, rejects := r.read(&Stream{}, "")
	r.want("records", got, allowed, form)
	all := fmt.Sprint(one(t, got, allowed).Fields())
	for _, hidden := range []string{"other.example", "left@", "秘密"} {
		if strings.Contains(all, hidden) {
			t.Errorf("%s is stored: %s", hidden, all)
		}
	}
	if f := fields(t, one(t, got, form), "direction", "from", "customer"); f != "inbound | visitor@cust.example | visitor@cust.example" {
		t.Error(f)
	}
	if len(rejects) != 1 || rejects[0].Code != "no_sender" || rejects[0].Fields != nil {
		t.Errorf("rejects: %v", rejects)
	}
	log := r.log.String()
	if !strings.Contains(log, "internal=1") || !strings.Contains(log, "not_allowed=4") || strings.Contains(log, "cust.example") {
		t.Errorf("the log says %s", log)
	}
}

func Test62_63_64_HeadersOnly(t *testing.T) {
	s := dovecot(t)
	attached := "\n--b\r\nContent-Type: text/plain\r\n\r\nnew text, is it?\r\n--b\r\nContent-Type: text/calendar; name=x.ics\r\nContent-Disposition: attachment; filename=x.ics\r\n\r\nBEGIN:VCALENDAR\r\n" +
		"END:VCALENDAR\r\n--b\r\nContent-Type: application/pdf; name=a.pdf\r\nContent-Disposition: attachment\r\nContent-Transfer-Encoding: base64\r\n\r\n" + strings.Repeat("Y2FuYXJ5\r\n", 2000) + "--b--\r\n"
	for i := range 10 {
		s.Save("rep1", "INBOX", text(i, "Subject: hello"))
	}
	r := newReader(t, config(s, s.TLSAddr(), "rep1"))
	got, next, _ := r.read(&Stream{}, "")
	r.conn.Close()
	stat := func() string {
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); {
			if i := strings.LastIndex(s.Log(), "hdr_count="); i >= 0 {
				return strings.TrimSpace(s.Log()[i:])
			}
		}
		t.Fatal("the server did not log the session's end")
		return ""
	}
	if line := stat(); !strings.Contains(line, "body_count=0 body_bytes=0") || !strings.Contains(line, "hdr_count=10 ") {
		t.Errorf("bulk pass: %s", line)
	}
	raw := text(11, "References: <r@our.example>", "Content-Type: multipart/mixed; boundary=b", attached)
	s.Save("rep1", "INBOX", raw)
	addr, said := tap(t, s.Addr())
	cfg := config(s, addr, "rep1")
	cfg.Security = securityPlain
	r = newReader(t, cfg)
	more, next, _ := r.read(&Stream{}, next)
	for _, line := range strings.Split(said.String(), "\n") {
		if strings.Contains(line, "BODY.PEEK[3") || strings.Contains(line, "BODY.PEEK[]") {
			t.Errorf("an attachment is fetched: %s", line)
		}
	}
	parts := regexp.MustCompile(`BODY\.PEEK\[\d[^\]]*\](<[^>]*>)?`).FindAllStringSubmatch(said.String(), -1)
	if len(parts) == 0 || slices.ContainsFunc(parts, func(p []string) bool { return p[1] != "<0.65536>" }) {
		t.Errorf("more than 64 kB of a part may come: %v", parts)
	}
	if f := fields(t, one(t, more, raw), "question"); f != "true" {
		t.Error("the text was not looked at")
	}
	for _, rec := range got {
		more[rec.Key] = rec
	}
	if all := fmt.Sprint(more, next, r.log); strings.Contains(all, "canary") || strings.Contains(all, "new text") {
		t.Errorf("text of a mail leaves the package: %s", all)
	}
}

func TestSamplesThroughTheServer(t *testing.T) { // [40–61], as far as records show it
	files, err := filepath.Glob("../../../shared/mail-samples/*.eml")
	if err != nil || len(files) < 40 {
		files, err = filepath.Glob("../../../shared/mail-samples/*/*.eml")
	}
	if err != nil || len(files) < 40 {
		t.Fatalf("%d samples, %v", len(files), err)
	}
	s := dovecot(t)
	for _, f := range files {
		raw, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		s.Save("rep1", "INBOX", raw)
	}
	r := newReader(t, config(s, s.TLSAddr(), "rep1"))
	got, _, rejects := r.read(&Stream{}, "")
	for _, j := range rejects {
		if j.Code != dropNobody {
			t.Errorf("reject: %+v", j)
		}
	}
	for _, f := range files {
		raw, _ := os.ReadFile(f)
		whole := message.Read(raw)
		rec, ok := got[whole.Key()]
		if !ok {
			continue // internal
		}
		if kind := rec.Value("kind"); kind != string(whole.Kind) {
			t.Errorf("%s: %v from the server, %s from the file", filepath.Base(f), kind, whole.Kind)
		}
		if subject := rec.Value("base_subject"); subject != whole.BaseSubject() {
			t.Errorf("%s: subject %q from the server, %q from the file", filepath.Base(f), subject, whole.BaseSubject())
		}
	}
	if len(got) < len(files)/2 {
		t.Errorf("%d records of %d samples", len(got), len(files))
	}
}
