package imap

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"energyd/connectors"
)

func Test13_FoldersBySpecialUseAndName(t *testing.T) {
	if got := choose([]folder{{name: "INBOX"}, {name: "A/送信済みトレイ", delim: "/"}}, []string{`\Sent`}, nil); len(got) != 0 {
		t.Errorf("a use that nobody told is guessed in choose: %v", got)
	}
	for name, use := range map[string]string{"Sent": `\Sent`, "INBOX.Sent": `\Sent`, "ＳＥＮＴ ｉｔｅｍｓ": `\Sent`, "送信済みｱｲﾃﾑ": `\Sent`, "下書き": `\Drafts`, "ｺﾞﾐ箱": `\Trash`, "迷惑メール": `\Junk`, "取引先": ""} {
		if got := usual[plainName(lastPart(folder{name: name, delim: "."}))]; got != use {
			t.Errorf("%s is %q, want %q", name, got, use)
		}
	}
	s := dovecot(t)
	sent := text(1, "From: Sato <rep1@our.example>", "To: 山田 <yamada@cust.example>")
	s.Save("rep1", "送信済みトレイ", sent)
	s.Save("rep1", "INBOX", text(2))
	r := newReader(t, config(s, s.TLSAddr(), "rep1"))
	got, _, _ := r.read(&Stream{Folders: []string{`\Sent`}}, "")
	r.want(`\Sent alone`, got, sent)
	if f := fields(t, one(t, got, sent), "direction", "customer", "folder", "owner"); f != "outbound | yamada@cust.example | 送信済みトレイ | rep1@our.example" {
		t.Error(f)
	}
}

func Test14_15_NamesAndWhatIsPassedOver(t *testing.T) {
	s := dovecot(t)
	for _, f := range []string{"取引先/2026年", "Drafts", "Trash", "Junk", "A & B"} {
		s.Doveadm("mailbox", "create", "-u", "rep1", f)
	}
	kept, amp := text(1), text(2)
	s.Save("rep1", "取引先/2026年", kept)
	s.Save("rep1", "A & B", amp)
	for i, f := range []string{"Drafts", "Trash", "Junk"} {
		s.Save("rep1", f, text(10+i))
	}
	r := newReader(t, config(s, s.TLSAddr(), "rep1"))
	got, _, _ := r.read(&Stream{}, "")
	r.want("all but drafts, trash and junk", got, kept, amp)
	if f := fields(t, one(t, got, kept), "folder"); f != "取引先/2026年" {
		t.Error(f)
	}
	got, _, _ = r.read(&Stream{Folders: []string{"取引先/*", "Junk"}}, "")
	r.want("what the admin names", got, kept, text(12))
}

func Test15_AFolderThatVanishesIsAWarning(t *testing.T) {
	s := dovecot(t)
	s.Doveadm("mailbox", "create", "-u", "rep1", "AAA")
	s.Save("rep1", "AAA", text(1))
	kept := text(2)
	s.Save("rep1", "INBOX", kept)
	r := newReader(t, config(s, s.TLSAddr(), "rep1"))
	source, err := r.conn.Source(t.Context(), &Stream{})
	if err != nil {
		t.Fatal(err)
	}
	c := source.(*sourceOf).parse("")
	if err := source.(*sourceOf).aim(t.Context(), &c); err != nil {
		t.Fatal(err)
	}
	s.Doveadm("mailbox", "delete", "-u", "rep1", "AAA")
	got, _, _ := r.read(&Stream{}, c.text())
	r.want("what is left", got, kept)
	if !strings.Contains(r.log.String(), "vanished") {
		t.Error("nothing warns")
	}
}

type sourceOf = source

func Test18_NothingIsChanged(t *testing.T) {
	s := dovecot(t)
	for i := range 5 {
		s.Save("rep1", "INBOX", text(i, "References: <x@cust.example>"))
	}
	before := s.Doveadm("fetch", "-u", "rep1", "uid flags modseq", "mailbox", "INBOX")
	addr, said := tap(t, s.Addr())
	cfg := config(s, addr, "rep1")
	cfg.Security = securityPlain
	r := newReader(t, cfg)
	if got, _, _ := r.read(&Stream{}, ""); len(got) != 5 {
		t.Fatalf("%d records", len(got))
	}
	if after := s.Doveadm("fetch", "-u", "rep1", "uid flags modseq", "mailbox", "INBOX"); after != before {
		t.Errorf("before %s\nafter %s", before, after)
	}
	for _, verb := range []string{" SELECT", "STORE", "COPY", "MOVE", "EXPUNGE", "APPEND", " BODY[", "RFC822"} {
		if strings.Contains(said.String(), verb) {
			t.Errorf("the client said%s:\n%s", verb, said)
		}
	}
	if !strings.Contains(said.String(), "EXAMINE") || !strings.Contains(said.String(), ` ID ("name"`) { // [12]
		t.Errorf("the client said\n%s", said)
	}
}

func Test21_SinceIsHonoured(t *testing.T) {
	s := dovecot(t)
	s.Save("rep1", "INBOX", text(1, "Date: Fri, 01 May 2026 09:00:00 +0900"))
	kept := text(2)
	s.Save("rep1", "INBOX", kept)
	r := newReader(t, config(s, s.TLSAddr(), "rep1"))
	got, next, _ := r.read(&Stream{Since: "2026-11-01"}, "")
	r.want("since", got, kept)
	if again, _, _ := r.read(&Stream{Since: "2026-11-01"}, next); len(again) != 0 {
		t.Errorf("older mail is not recorded as seen: %v", again)
	}
}

func Test20_22_23_OnlyNewsIsFetched(t *testing.T) {
	s := dovecot(t)
	addr, said := tap(t, s.Addr())
	cfg := config(s, addr, "rep1")
	cfg.Security = securityPlain
	for i := range 4 {
		s.Save("rep1", "INBOX", text(i))
	}
	r := newReader(t, cfg)
	_, next, _ := r.read(&Stream{}, "")
	for _, word := range []string{`"i":`, `"u":5`, `"m":`} { // UIDVALIDITY, the next UID, MODSEQ [20]
		if !strings.Contains(string(next), word) {
			t.Errorf("the cursor %s has no %s", next, word)
		}
	}
	quiet := len(said.String())
	got, same, _ := r.read(&Stream{}, next)
	if talk := said.String()[quiet:]; len(got) != 0 || strings.Contains(talk, "UID ") || strings.Contains(talk, "EXAMINE") || strings.Count(talk, "STATUS") != 1 || same != next {
		t.Errorf("without news the client said %q, and the cursor went to %s", talk, same)
	}
	raw := text(9)
	s.Save("rep1", "INBOX", raw)
	before := len(said.String())
	got, _, _ = r.read(&Stream{}, next)
	r.want("one new mail", got, raw)
	if talk := said.String()[before:]; !strings.Contains(talk, "UID FETCH 5 ") || strings.Count(talk, "FETCH") != 1 {
		t.Errorf("the client said %q", talk)
	}
}

func Test19_25_26_27_28_29_WhatIsKnownIsNoNews(t *testing.T) {
	s := dovecot(t)
	s.Doveadm("mailbox", "create", "-u", "rep1", "Archive")
	var raws [][]byte
	for i := range 4 {
		raws = append(raws, text(i))
		s.Save("rep1", "INBOX", raws[i])
	}
	r := newReader(t, config(s, s.TLSAddr(), "rep1"))
	first, next, _ := r.read(&Stream{}, "")
	r.want("first reading", first, raws...)
	// Whatever comes again must be the same in all but its place, so that the store takes it as known.
	known := func(what string, got map[string]connectors.Record) {
		t.Helper()
		for key, rec := range got {
			was, ok := first[key]
			if !ok {
				t.Errorf("%s: %s is new", what, key)
				continue
			}
			a, b := was.Fields(), rec.Fields()
			delete(a, "folder")
			delete(b, "folder")
			if fmt.Sprint(a) != fmt.Sprint(b) || !was.ChangedAt.Equal(rec.ChangedAt) || rec.Deleted {
				t.Errorf("%s: %s changed: %v, %v", what, key, a, b)
			}
		}
	}
	var got map[string]connectors.Record
	steps := []struct {
		what  string
		again int // records that are read again
		do    func()
	}{
		{"flags", 0, func() { s.Doveadm("flags", "add", "-u", "rep1", `\Seen`, "mailbox", "INBOX", "uid", "1") }},
		{"copy", 1, func() { s.Doveadm("copy", "-u", "rep1", "Archive", "mailbox", "INBOX", "uid", "1") }},
		{"move", 1, func() { s.Doveadm("move", "-u", "rep1", "Archive", "mailbox", "INBOX", "uid", "2") }},
		{"expunge", 0, func() { s.Doveadm("expunge", "-u", "rep1", "mailbox", "INBOX", "uid", "3") }},
		{"rename", 2, func() { s.Doveadm("mailbox", "rename", "-u", "rep1", "Archive", "保管") }},
		{"uidvalidity", 2, func() { s.Doveadm("mailbox", "update", "-u", "rep1", "--uid-validity", "777", "INBOX") }},
		{"recreated", 2, func() {
			s.Doveadm("mailbox", "delete", "-u", "rep1", "保管")
			s.Doveadm("mailbox", "create", "-u", "rep1", "保管")
			s.Save("rep1", "保管", raws[0])
			s.Save("rep1", "保管", raws[1])
		}},
	}
	for _, step := range steps {
		step.do()
		got, next, _ = r.read(&Stream{}, next)
		known(step.what, got)
		if len(got) != step.again {
			t.Errorf("%s: %d records came again, want %d", step.what, len(got), step.again)
		}
	}
	raw := text(20)
	s.Save("rep1", "INBOX", raw)
	s.Doveadm("mailbox", "update", "-u", "rep1", "--uid-validity", "778", "INBOX")
	got, _, _ = r.read(&Stream{}, next)
	if one(t, got, raw); len(got) != 3 {
		t.Errorf("renumbered with a new mail: %d records", len(got))
	}
}

func Test30_31_OneMailInManyBoxesIsOneRecord(t *testing.T) {
	s := dovecot(t)
	in := text(1, "To: rep1@our.example, rep2@our.example, shared@our.example")
	for _, user := range []string{"shared", "rep1", "rep2"} {
		s.Save(user, "INBOX", in)
	}
	out := text(2, "From: Sato <rep1@our.example>", "To: yamada@cust.example", "Cc: rep2@our.example")
	s.Save("rep1", "送信済みトレイ", out)
	s.Save("rep2", "INBOX", append([]byte("Received: from a by b; Mon, 02 Nov 2026 09:00:01 +0000\r\n"), out...))
	cfg := config(s, s.TLSAddr(), "rep1", "rep2", "shared")
	r := newReader(t, cfg)
	got, _, _ := r.read(&Stream{}, "")
	r.want("two mails", got, in, out)
	if people := one(t, got, in).Value("participants").([]any); len(people) != 4 {
		t.Errorf("participants: %v", people)
	}
	if f := fields(t, one(t, got, out), "direction", "customer", "from"); f != "outbound | yamada@cust.example | rep1@our.example" {
		t.Error(f)
	}
}

func Test32_33_Identity(t *testing.T) {
	s := dovecot(t)
	first := text(1, "Message-ID: <same@cust.example>")
	other := text(50, "Message-ID: <same@cust.example>", "From: suzuki@cust.example", "Subject: something else")
	listed := append([]byte("Received: from x by y; Mon, 02 Nov 2026 09:00:09 +0000\r\n"), bytes.Replace(first, []byte("Subject: "), []byte("Subject: [ML] "), 1)...)
	bare := text(3, "Message-ID: none")
	s.Save("rep1", "INBOX", first)
	s.Save("rep1", "INBOX", other)
	s.Save("rep1", "INBOX", listed)
	s.Save("rep1", "INBOX", bare)
	s.Save("rep2", "INBOX", bare)
	r := newReader(t, config(s, s.TLSAddr(), "rep1", "rep2"))
	got, _, _ := r.read(&Stream{}, "")
	r.want("identities", got, first, other, bare)
	if f := fields(t, one(t, got, other), "id_reused", "message_id"); f != "true | same@cust.example" {
		t.Error(f)
	}
	if f := fields(t, one(t, got, first), "id_reused"); f != "false" {
		t.Error(f)
	}
	if f := fields(t, one(t, got, bare), "message_id"); !strings.HasPrefix(f, "digest:") {
		t.Error(f)
	}
}

func Test37_APoisonMailIsARecordAndStopsNoOther(t *testing.T) {
	s := dovecot(t)
	var raws [][]byte
	for i := range 20 {
		lines := []string{"Content-Type: multipart/mixed; boundary=b", "\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n"}
		if i == 13 {
			lines[1] = "\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b\r\nContent-Type: message/global\r\n\r\nSubject: =?UTF-8?B?44GC?=\r\n\r\nx\r\n--b--\r\n"
		}
		raws = append(raws, text(i, lines...))
		s.Save("rep1", "INBOX", raws[i])
	}
	r := newReader(t, config(s, s.TLSAddr(), "rep1"))
	got, _, rejects := r.read(&Stream{}, "")
	r.want("all mails", got, raws...)
	if len(rejects) != 0 {
		t.Errorf("rejects: %v", rejects)
	}
}
