package imap

import (
	"strings"
	"testing"

	"energyd/connectors/imap/message"
)

// [51, 52, 56] as mail systems without standards send them, through a real server: what
// the header does not tell is looked up in the text, whoever it came from.
func Test51_52_56_NoticesOfOldMailSystems(t *testing.T) {
	s := dovecot(t)
	answer := func(attendee string) string {
		return "\n--b\r\nContent-Type: text/calendar; method=REPLY\r\n\r\nBEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nUID:u1\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:" + attendee + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n--b--\r\n"
	}
	nameless := text(1, "From: MAILER-DAEMON (Mail Delivery Subsystem)", "Subject: From your mail system", "\nUser unknown\r\n  gone@cust.example\r\n------ This is a copy of the message ------\r\nMessage-ID:\r\n  <ours@our.example>\r\n")
	late := text(2, "From: MAILER-DAEMON@mx.cust.example", "Subject: Warning: message 1a delayed 24 hours", "\nslow@cust.example\r\n")
	left := text(3, "From: secretary@cust.example", "Content-Type: multipart/alternative; boundary=b", answer("left@cust.example"))
	own := text(4, "From: secretary@cust.example", "Content-Type: multipart/alternative; boundary=b", answer("rep2@our.example"))
	for _, raw := range [][]byte{nameless, late, left, own} {
		s.Save("rep1", "INBOX", raw)
	}
	cfg := config(s, s.TLSAddr(), "rep1")
	cfg.OptOut = []string{"left@cust.example"}
	r := newReader(t, cfg)
	got, _, rejects := r.read(&Stream{}, "")
	if len(rejects) > 0 {
		t.Errorf("rejects: %v", rejects)
	}
	for _, c := range []struct {
		raw   []byte
		names []string
		want  string
	}{
		{nameless, []string{"kind", "bounced", "original_id"}, "bounce | gone@cust.example | ours@our.example"},
		{late, []string{"kind", "bounced"}, "delivery_report | slow@cust.example"},
		// The answer is its attendee's: of one who is not stored, it is nobody's.
		{left, []string{"kind", "attendee", "customer"}, "accepted |  | "},
		{own, []string{"kind", "attendee", "customer"}, "accepted | rep2@our.example | "},
	} {
		rec := one(t, got, c.raw)
		if f := fields(t, rec, c.names...); f != c.want {
			t.Errorf("got %s\nwant %s", f, c.want)
		}
		for name, value := range rec.Fields() {
			if text, ok := value.(string); ok && strings.Contains(text, "left@") {
				t.Errorf("%s tells of somebody who asked not to be stored: %s", name, text)
			}
		}
	}
}

// [46, 58] Domains are compared as the network knows them, however the configuration writes them.
func Test46_58_DomainsInJapaneseAreOurs(t *testing.T) {
	s := dovecot(t)
	internal := text(1, "From: boss@xn--wgv71a119e.jp")
	customer := text(2, "From: taro@\u5c71\u7530.example")
	for _, raw := range [][]byte{internal, customer, text(3, "From: x@cust.example")} {
		s.Save("rep1", "INBOX", raw)
	}
	cfg := config(s, s.TLSAddr(), "rep1")
	cfg.InternalDomains = append(cfg.InternalDomains, "\u65e5\u672c\u8a9e.JP.")
	cfg.Mailboxes[0].Domains = []string{"\u5c71\u7530.Example"}
	r := newReader(t, cfg)
	got, _, _ := r.read(&Stream{}, "")
	r.want("of the customer alone", got, customer)
}

// [32] What relays and lists change is no other mail: writer, time and subject differ in one that is.
func Test32_OnlyAnotherMailReusesAnID(t *testing.T) {
	const first = "From: taro@cust.example\r\nDate: Mon, 2 Nov 2026 10:15:30 +0900\r\nSubject: offer\r\nMessage-ID: <same@cust.example>\r\n\r\n"
	for change, want := range map[string]bool{
		"":                                    false,
		"offer|[sales:12] Re: offer":          false,
		"offer|order":                         false,
		"taro|hanako":                         false,
		"10:15|10:16":                         false,
		"taro|hanako,offer|order":             false,
		"taro|hanako,10:15|10:16":             false,
		"taro|hanako,10:15|11:00,offer|order": true,
	} {
		var seen identities
		m := message.ReadHeader([]byte(first))
		seen.reused(m, m.BaseSubject())
		raw := first
		for _, c := range strings.Split(change, ",") {
			was, is, _ := strings.Cut(c, "|")
			raw = strings.Replace(raw, was, is, 1)
		}
		m = message.ReadHeader([]byte(raw))
		if got := seen.reused(m, m.BaseSubject()); got != want {
			t.Errorf("%s: %v", change, got)
		}
	}
}
