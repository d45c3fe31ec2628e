package imap

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"energyd/connectors"
)

// Test47: hostile mails are cut and flagged, and neither they nor their neighbours are lost.
func Test47_GiantMailsAreCut(t *testing.T) {
	const lines = 8000
	references, recipients, parts, deep := &strings.Builder{}, &strings.Builder{}, &strings.Builder{}, &strings.Builder{}
	references.WriteString("References:")
	recipients.WriteString("Cc:")
	for i := range lines {
		fmt.Fprintf(references, "\r\n <r%d@cust.example>", i)
		fmt.Fprintf(recipients, "\r\n =?UTF-8?B?5bGx55Sw6YOo6ZW3?= <p%d@cust.example>,", i)
	}
	parts.WriteString("\n")
	for range 500 {
		parts.WriteString("--b\r\nContent-Type: application/pdf; name=a.pdf\r\n\r\nx\r\n")
	}
	parts.WriteString("--b--\r\n")
	for i := range 60 {
		fmt.Fprintf(deep, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i+1, i+1)
	}
	kinds := map[string][]string{
		"references": {references.String(), "X-Junk: " + strings.Repeat("junk ", 10_000)},
		"recipients": {recipients.String() + " z@cust.example"},
		"subject":    {"Subject: " + strings.Repeat("long ", 60_000)},
		"parts":      {"In-Reply-To: <q@our.example>", "Content-Type: multipart/mixed; boundary=b", parts.String()},
		"depth":      {"In-Reply-To: <q@our.example>", "Content-Type: multipart/mixed; boundary=b0", "\n--b0\r\n" + deep.String()},
		"usual":      {"Subject: hello"},
	}
	s := dovecot(t)
	n := 0
	var raws [][]byte
	subject := map[string]int{}
	for kind, head := range kinds {
		for range 5 {
			raw := text(n, head...)
			raws = append(raws, raw)
			s.Save("rep1", "INBOX", raw)
			subject[kind]++
			n++
		}
	}
	r := newReader(t, config(s, s.TLSAddr(), "rep1"))
	before := heap()
	got, _, rejects := r.read(&Stream{}, "")
	if len(rejects) > 0 {
		t.Errorf("rejects: %v", rejects)
	}
	if len(got) != len(raws) {
		t.Errorf("%d records of %d mails", len(got), len(raws))
	}
	cut := 0
	for _, rec := range got {
		if people := rec.Value("participants").([]any); len(people) > 201 {
			t.Errorf("%d participants are kept", len(people))
		}
		if len([]rune(rec.Value("subject").(string))) > 2000 {
			t.Error("a subject is longer than 2,000 characters")
		}
		if rec.Value("cut").(bool) {
			cut++
		}
	}
	if want := len(raws) - subject["usual"] - subject["parts"] - subject["depth"]; cut < want {
		t.Errorf("%d records are flagged as cut, at least %d should be", cut, want)
	}
	if kept := heap() - before; kept > 64<<20 {
		t.Errorf("%d MB are held", kept>>20)
	}
	runtime.KeepAlive(got)
}

// heap is what is held now, in bytes.
func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Test63: only a customer's answer is looked into; what our people answered is not.
func Test63_OurOwnAnswersAreNotLookedInto(t *testing.T) {
	s := dovecot(t)
	ours := text(1, "From: rep1@our.example", "To: yamada@cust.example", "In-Reply-To: <q@cust.example>", "\nwhen will you decide?\r\n")
	mixed := text(2, "From: rep1@our.example", "To: yamada@cust.example", "In-Reply-To: <q@cust.example>", "Content-Type: multipart/alternative; boundary=b",
		"\n--b\r\nContent-Type: text/plain\r\n\r\nwhen will you decide?\r\n--b--\r\n")
	s.Save("rep1", "INBOX", ours)
	s.Save("rep1", "INBOX", mixed)
	addr, said := tap(t, s.Addr())
	cfg := config(s, addr, "rep1")
	cfg.Security = securityPlain
	r := newReader(t, cfg)
	got, next, _ := r.read(&Stream{}, "")
	r.want("our answers", got, ours, mixed)
	if strings.Contains(said.String(), "BODY.PEEK[1]") {
		t.Errorf("our own text is fetched: %s", said)
	}
	theirs := text(3, "In-Reply-To: <q@our.example>", "\nwhen will it come?\r\n")
	s.Save("rep1", "INBOX", theirs)
	got, _, _ = r.read(&Stream{}, next)
	if f := fields(t, one(t, got, theirs), "question"); f != "true" || !strings.Contains(said.String(), "BODY.PEEK[1]") {
		t.Errorf("the customer's question is %s", f)
	}
}

// Test69: a reading without news costs at most one command for each folder, with LIST-STATUS one in all.
func Test69_AReadingWithoutNewsCostsOneCommandPerFolder(t *testing.T) {
	s := dovecot(t)
	folders := []string{"INBOX"}
	for i := range 5 {
		folders = append(folders, fmt.Sprintf("F%d", i))
		s.Doveadm("mailbox", "create", "-u", "rep1", folders[len(folders)-1])
	}
	for i, f := range folders {
		s.Save("rep1", f, text(i))
	}
	addr, said := tap(t, s.Addr())
	cfg := config(s, addr, "rep1")
	cfg.Security = securityPlain
	r := newReader(t, cfg)
	_, next, _ := r.read(&Stream{}, "")
	for range 3 {
		before := len(said.String())
		var got map[string]connectors.Record
		got, next, _ = r.read(&Stream{}, next)
		var commands []string
		for line := range strings.Lines(said.String()[before:]) {
			if words := strings.Fields(line); len(words) > 1 && strings.HasPrefix(words[0], "T") && !slices.Contains([]string{"CAPABILITY", "AUTHENTICATE", "LOGIN", "ID", "LOGOUT"}, words[1]) {
				commands = append(commands, line)
			}
		}
		if len(got) != 0 || len(commands) == 0 || len(commands) > len(folders) {
			t.Errorf("%d folders without news: %d records, commands %q", len(folders), len(got), commands)
		}
	}
}

// TestAFolderIsSearchedOnce: a long reading asks once which mails there are, also when many vanished meanwhile.
func TestAFolderIsSearchedOnce(t *testing.T) {
	s := dovecot(t)
	s.Fill("rep1", 300, func(i int) ([]byte, time.Time) { return text(i), time.Date(2026, 11, 2, 9, 0, i, 0, time.UTC) })
	addr, said := tap(t, s.Addr())
	cfg := config(s, addr, "rep1")
	cfg.Security = securityPlain
	r := newReader(t, cfg)
	source, err := r.conn.Source(t.Context(), &Stream{})
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	read := 0
	for cursor, more := connectors.Cursor(""), true; more; {
		batch, err := source.Read(t.Context(), cursor, 100)
		if err != nil {
			t.Fatal(err)
		}
		if read == 0 {
			s.Doveadm("expunge", "-u", "rep1", "mailbox", "INBOX", "uid", "101:280")
		}
		read, cursor, more = read+len(batch.Records), batch.Next, batch.More
		if len(batch.Rejects) > 0 {
			t.Errorf("%d mails that are gone are rejects: %v", len(batch.Rejects), batch.Rejects[0])
		}
	}
	// Once for the folder, and once for each Read that missed mails. The second hundred was under way when they vanished.
	if n := strings.Count(said.String(), "SEARCH"); read < 120 || read > 220 || n > 3 {
		t.Errorf("%d mails were read with %d searches", read, n)
	}
}
