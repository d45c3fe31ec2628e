package config

import (
	"context"
	"log/slog"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"energyd/connectors"
	"energyd/connectors/imap"
	"energyd/engine"
	"energyd/internal/secret"
	"energyd/internal/testmail"
	"energyd/mapping"
	"energyd/mapping/matching"
)

// directory knows one customer with one person, and one of our sales people.
type directory struct{ *matching.Matcher }

func (directory) Find(kind engine.EntityKind, key, value string) (string, bool) {
	id, ok := map[string]string{"domain yamada.example": "001Y", "email taro@yamada.example": "003T", "email rep1@our.example": "005S"}[key+" "+value]
	return id, ok && strings.HasPrefix(id, map[engine.EntityKind]string{engine.Account: "001", engine.Contact: "003", engine.Rep: "005"}[kind])
}

func (directory) Contact(string) (account, title string) { return "001Y", "購買部長" }

// TestMail reads two mailboxes of a real server and maps what comes: what the
// connector gives is what the shipped mapping wants.
func TestMail(t *testing.T) {
	titles, err := LoadTitles("", nil)
	if err != nil {
		t.Fatal(err)
	}
	m, err := LoadMapping(filepath.Join(examples, "mappings", "mail.yaml"), mapping.Env{Titles: titles})
	if err != nil {
		t.Fatal(err)
	}
	server := testmail.Start(t, testmail.Options{})
	save := func(user string, lines ...string) {
		server.Save(user, "INBOX", []byte(strings.Join(lines, "\r\n")+"\r\n"))
	}
	const taro, rep, noon, later = "From: =?UTF-8?B?5bGx55Sw?= <taro@yamada.example>", "To: rep1@our.example", "Date: Mon, 2 Nov 2026 12:00:00 +0900", "Date: Mon, 2 Nov 2026 13:00:00 +0900"
	for _, user := range []string{"rep1", "rep2"} { // the same mail in two mailboxes
		save(user, taro, rep, "Cc: rep2@our.example, stranger@elsewhere.example", noon, "Message-ID: <m1@yamada.example>", "Subject: x", "", "x")
	}
	save("rep1", "From: rep1@our.example", "To: taro@yamada.example", noon, "Message-ID: <m2@our.example>", "In-Reply-To: <m1@yamada.example>", "", "x")
	save("rep1", taro, rep, later, "Message-ID: <m3@yamada.example>", "In-Reply-To: <m2@our.example>", "References: <m1@yamada.example> <m2@our.example>",
		"Content-Type: text/plain; charset=utf-8", "", "納期はいつですか。")
	save("rep1", taro, rep, later, "Message-ID: <a1@yamada.example>", "References: <m1@yamada.example>", "Auto-Submitted: auto-replied", "", "x")
	save("rep1", "From: who@elsewhere.example", rep, noon, "Message-ID: <s1@elsewhere.example>", "", "x")
	save("rep1", taro, rep, noon, "Message-ID: <c1@yamada.example>", "Content-Type: multipart/alternative; boundary=b", "", "--b", "Content-Type: text/plain", "", "", "--b",
		"Content-Type: text/calendar; method=REPLY", "", "BEGIN:VCALENDAR", "METHOD:REPLY", "BEGIN:VEVENT", "UID:u1", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:taro@yamada.example", "END:VEVENT", "END:VCALENDAR", "--b--")

	cfg := imap.Connector.NewConfig().(*imap.Config)
	host, port, _ := net.SplitHostPort(server.TLSAddr())
	cfg.Host, cfg.CAFile, cfg.InternalDomains = host, server.CAFile, []string{"our.example"}
	if cfg.Port, err = strconv.Atoi(port); err != nil {
		t.Fatal(err)
	}
	for _, user := range []string{"rep1", "rep2"} {
		cfg.Mailboxes = append(cfg.Mailboxes, imap.Mailbox{User: user, Owner: user + "@our.example", Password: secret.New("${env:MAIL}", testmail.Passwords[user])})
	}
	ctx := t.Context()
	conn, err := imap.Connector.Open(ctx, cfg, connectors.Env{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	activities, skips := map[string]*engine.Activity{}, map[string]int{}
	for _, r := range readAll(ctx, t, conn) {
		res, err := m.Apply(r, directory{})
		if err != nil {
			t.Fatalf("%s: %v", r.Key, err)
		}
		if res.Skip != "" {
			skips[res.Skip+" "+res.Unfound]++
			if a := res.Activity; a != nil && activities[a.ID] != nil {
				t.Errorf("%s would take back the contact %s", r.Key, a.ID)
			}
			continue
		}
		if stands := activities[res.Activity.ID]; stands == nil || engine.Supersedes(res.Activity, stands) {
			activities[res.Activity.ID] = res.Activity
		}
	}
	if diff := cmp.Diff(map[string]int{"auto_reply ": 1, "unknown_person account elsewhere.example": 1}, skips); diff != "" {
		t.Errorf("skips (-want +got):\n%s", diff)
	}
	const first, copied, ours, second, answer = "m1@yamada.example/2026-11-02T03:00:00Z/005S", "m1@yamada.example/2026-11-02T03:00:00Z/",
		"m2@our.example/2026-11-02T03:00:00Z/005S", "m3@yamada.example/2026-11-02T04:00:00Z/005S", "answer/u1/003T"
	if diff := cmp.Diff([]string{answer, copied, first, ours, second}, slices.Sorted(maps.Keys(activities))); diff != "" {
		t.Fatalf("activities (-want +got):\n%s", diff)
	}
	person := []engine.Participant{{Contact: "003T", Role: engine.Sender}}
	a := activities[second]
	if diff := cmp.Diff(person, a.People) + cmp.Diff([]string{"question"}, a.Cues) + cmp.Diff([]engine.Share{{ID: "005S"}}, a.Reps) +
		cmp.Diff(&engine.Link{Message: "m3@yamada.example", Thread: "m1@yamada.example", Answers: "m2@our.example"}, a.Link); diff != "" || a.At.Hour() != 4 {
		t.Errorf("the customer's answer, %v:\n%s", a.At, diff)
	}
	if a := activities[answer]; a.Kind != "meeting_accepted" || cmp.Diff(person, a.People) != "" {
		t.Errorf("the answer to the invitation: %+v", a)
	}
}

func readAll(ctx context.Context, t *testing.T, conn connectors.Conn) (all []connectors.Record) {
	t.Helper()
	source, err := conn.Source(ctx, imap.Connector.NewStream())
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	for cursor := connectors.Cursor(""); ; {
		b, err := source.Read(ctx, cursor, 1000)
		if err != nil {
			t.Fatal(err)
		}
		if len(b.Rejects) > 0 {
			t.Fatalf("rejects: %+v", b.Rejects)
		}
		all, cursor = append(all, b.Records...), b.Next
		if !b.More {
			return all
		}
	}
}
