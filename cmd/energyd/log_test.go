package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"energyd/internal/crmsim"
	"energyd/internal/testmail"
)

// TestLog_65_names_nobody: logs of pull, plan, apply and status on CRM, mailbox and reports hold no
// address, subject or name, also of mailboxes that fail; at debug level no secret either.
func TestLog_65_names_nobody(t *testing.T) {
	w, config := world(t)
	server := testmail.Start(t, testmail.Options{})
	edit(t, config, "  reports:\n    type: sql", fmt.Sprintf(`  post:
    type: imap
    host: %s
    port: %d
    security: plain
    mailboxes:
      - {user: rep1, password: "${env:CANARY_PASSWORD}", owner: owner.canary@our.example}
      - {user: nobody.canary@our.example, password: "${env:CANARY_PASSWORD}"}
    internal_domains: [our.example]
  reports:
    type: sql`, server.Host, server.Port))
	edit(t, config, "  daily_report:\n", "  post: {connection: post, mapping: mappings/mail.yaml}\n  daily_report:\n")
	t.Setenv("CANARY_PASSWORD", testmail.Passwords["rep1"])
	server.Doveadm("mailbox", "create", "-u", "rep1", "Customers/Suzume Canary")
	for i, from := range []string{"Suzume Canary <suzume.canary@cust.example>", "broken canary", "owner.canary@our.example"} {
		server.Save("rep1", "Customers/Suzume Canary", fmt.Appendf(nil, "From: %s\r\nTo: owner.canary@our.example\r\nSubject: secret subject\r\nDate: %s\r\nMessage-ID: <id%d.canary@cust.example>\r\n\r\nx\r\n",
			from, time.Now().Add(-time.Hour).Format(time.RFC1123Z), i))
	}
	if err := w.CRM().Inject(crmsim.Fault{Name: "status", Status: 503, Times: 1}); err != nil {
		t.Fatal(err)
	}
	names := []string{"canary", "secret subject", "Suzume", "energyd.example"}
	for _, object := range []string{"Contact", "User", "Account"} {
		rows, err := w.CRM().Rows(object)
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows {
			for _, field := range []string{"Name", "Email"} {
				if text, _ := row[field].(string); len(text) > 3 {
					names = append(names, text)
				}
			}
		}
	}
	for _, level := range []string{"-v", "-vv"} {
		logged := 0
		for _, command := range []string{"pull", "plan", "apply", "status"} {
			var errs bytes.Buffer
			run(t.Context(), []string{command, level, "--config", config}, &bytes.Buffer{}, &errs)
			for line := range strings.Lines(errs.String()) {
				if !strings.HasPrefix(line, "time=") {
					continue // what is said to the person at the screen
				}
				logged++
				for _, name := range names {
					if strings.Contains(line, name) {
						t.Errorf("energyd %s %s logs %q:\n%s", command, level, name, line)
					}
				}
			}
			if strings.Contains(errs.String(), testmail.Passwords["rep1"]) {
				t.Errorf("energyd %s %s shows a password", command, level)
			}
			if command == "pull" && !strings.Contains(errs.String(), "mailbox=#") {
				t.Errorf("no mailbox failed, so little is proved:\n%s", errs.String())
			}
		}
		if logged < 6 {
			t.Errorf("%s logs only %d lines", level, logged)
		}
	}
	if _, err := os.Stat(filepath.Join(filepath.Dir(config), "energyd.db")); err != nil {
		t.Fatal(err)
	}
}
