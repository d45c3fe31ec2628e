package main

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"energyd/internal/testmail"
)

// TestStarter_mailboxes takes the "# " away from the starter's mailboxes, as its
// comment says, names a real mail server, and reads it.
func TestStarter_mailboxes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "company")
	mustRun(t, exitDone, "init", dir, "--reports", "sqlite")
	config := filepath.Join(dir, "energyd.yaml")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	begin, end := "  # mailboxes:\n", "are left out\n"
	from := strings.Index(string(text), begin)
	length := strings.Index(string(text[from:]), end) + len(end)
	block := string(text[from : from+length])
	edit(t, config, block, strings.ReplaceAll(block, "  # ", "  "))
	edit(t, config, "  # mail:  ", "  mail:  ")

	server := testmail.Start(t, testmail.Options{})
	server.Save("rep1", "INBOX", []byte("From: who@elsewhere.example\r\nTo: rep1@our.example\r\nDate: Mon, 2 Nov 2026 12:00:00 +0900\r\nMessage-ID: <m1@elsewhere.example>\r\n\r\nx\r\n"))
	host, port, _ := net.SplitHostPort(server.TLSAddr())
	edit(t, config, "host: imap.example.co.jp", "host: "+host+"\n    port: "+port+"\n    ca_file: "+server.CAFile)
	edit(t, config, "{user: sato@example.co.jp,", "{user: rep1, owner: rep1@our.example,")
	edit(t, config, "[example.co.jp]", "[our.example]")
	t.Setenv("CRM_CLIENT_SECRET", "planted")
	t.Setenv("MAIL_SATO", testmail.Passwords["rep1"])
	var out, errs bytes.Buffer
	run(t.Context(), []string{"check", "--config", config}, &out, &errs) // the CRM that it names is not there
	for _, want := range []string{"ok    connection mailboxes", "ok    source mail", "mappings/mail.yaml"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("check does not say %q:\n%s%s", want, out.String(), errs.String())
		}
	}
}
