package main

import (
	"bytes"
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"energyd/internal/crmsim"
	"energyd/internal/demo"
)

// TestCheck breaks one thing after the other in a working company: check names
// each with its place and what to do, and shows no secret.
func TestCheck(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		breaks func(t *testing.T, w *demo.World, config string)
		code   int
		say    []string
	}{
		{"all is well", func(*testing.T, *demo.World, string) {}, exitDone,
			[]string{"ok    connection crm", "ok    source daily_report", "ok    write to crm.Account: 8 fields", "tests pass", "next run", "checks passed"}},
		{"wrong secret", func(t *testing.T, _ *demo.World, config string) {
			write(t, filepath.Join(filepath.Dir(config), "crm-secret"), "planted-wrong-secret")
		}, exitFailed, []string{"FAIL  connection crm", "what to do:", "ok    connection reports"}},
		{"missing secret", func(t *testing.T, _ *demo.World, config string) {
			edit(t, config, "${file:crm-secret}", "${file:gone}")
		}, exitUsage, []string{"energyd.yaml:", "gone", "client_secret"}},
		{"missing key file", func(t *testing.T, _ *demo.World, config string) {
			edit(t, config, "client_secret: ${file:crm-secret}", "private_key: ${file:gone.key}\n    username: energyd@example.com")
		}, exitUsage, []string{"the file gone.key cannot be read"}},
		{"tokens kept in clear", func(t *testing.T, _ *demo.World, config string) {
			edit(t, config, "client_secret: ${file:crm-secret}", "refresh_token: ${file:crm-secret}")
		}, exitFailed, []string{"ok    connection crm: advice: ", "token_key"}},
		{"unknown time zone", func(t *testing.T, _ *demo.World, config string) {
			edit(t, config, "timezone: Asia/Tokyo  ", "timezone: Asia/Tokio  ")
		}, exitUsage, []string{"energyd.yaml:15:11:", `unknown time zone "Asia/Tokio"`, "what to do:"}},
		{"CRM that answers with a web page", func(t *testing.T, w *demo.World, _ string) {
			if err := w.CRM().Inject(crmsim.Fault{Name: "status", Status: 200, Body: "<html>Down for maintenance</html>", ContentType: "text/html"}); err != nil {
				t.Fatal(err)
			}
		}, exitFailed, []string{"FAIL  connection crm", "the answer is not JSON\n", "what to do: open the org in a browser", "details: <html>Down for maintenance</html>"}},
		{"CRM that nobody serves", func(t *testing.T, w *demo.World, config string) {
			edit(t, config, w.URL, "http://127.0.0.1:1")
		}, exitFailed, []string{"FAIL  connection crm", "127.0.0.1:1", "what to do:"}},
		{"field hidden by field-level security", func(t *testing.T, w *demo.World, _ string) {
			if err := w.CRM().HideField("Account", "Energy__c"); err != nil {
				t.Fatal(err)
			}
		}, exitUsage, []string{"FAIL  write to crm.Account", "energyd.yaml:", `no field "Energy__c" on Account`, "field-level security", "ok    write to crm.Contact"}},
		{"read-only field", func(t *testing.T, w *demo.World, _ string) {
			if err := w.CRM().ReadOnlyField("Contact", "Energy__c"); err != nil {
				t.Fatal(err)
			}
		}, exitUsage, []string{"FAIL  write to crm.Contact", "may not edit Contact.Energy__c"}},
		{"field of the wrong type", func(t *testing.T, _ *demo.World, config string) {
			edit(t, config, "      band_until: Energy_Band_Until__c   # Date\n", "")
			edit(t, config, "energy_now: Energy__c              #", "energy_now: Energy_Band_Until__c #")
		}, exitUsage, []string{"FAIL  write to crm.Account", "is a date field; energy_now needs number or text"}},
		{"missing table", func(t *testing.T, _ *demo.World, config string) {
			edit(t, config, "table: daily_report", "table: dayly_report")
		}, exitUsage, []string{"FAIL  source daily_report", "dayly_report", `did you mean "daily_report"?`}},
		{"missing database file", func(t *testing.T, _ *demo.World, config string) {
			edit(t, config, "file: daily_report.db", "file: nowhere.db")
		}, exitUsage, []string{"FAIL  connection reports", "nowhere.db"}},
		{"unknown CRM object", func(t *testing.T, _ *demo.World, config string) {
			edit(t, config, "object: Task", "object: Taks")
		}, exitUsage, []string{"FAIL  source tasks", "Taks", `did you mean "Task"?`}},
		{"mapping whose own test fails", func(t *testing.T, _ *demo.World, config string) {
			edit(t, filepath.Join(filepath.Dir(config), "mappings", "daily_report.yaml"), "expect: {kind: attempt,", "expect: {kind: visit,")
		}, exitFailed, []string{"FAIL  mapping mappings/daily_report.yaml", `test "nobody answered"`, "attempt"}},
		{"schedule that never comes", func(t *testing.T, _ *demo.World, config string) {
			edit(t, config, "0 2 * * *", "0 0 31 2 *")
		}, exitUsage, []string{"never comes", "energyd.yaml:"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w, config := world(t)
			c.breaks(t, w, config)
			var out, errs bytes.Buffer
			code := run(t.Context(), []string{"check", "--config", config}, &out, &errs)
			text := out.String() + errs.String()
			if code != c.code {
				t.Errorf("exit code %d, want %d\n%s", code, c.code, text)
			}
			for _, s := range c.say {
				if !strings.Contains(text, s) {
					t.Errorf("check does not say %q:\n%s", s, text)
				}
			}
			for _, s := range []string{"planted", "demo-secret", "goroutine", "is required", "is not given"} {
				if strings.Contains(text, s) {
					t.Errorf("check shows %q:\n%s", s, text)
				}
			}
		})
	}
}

// TestJSON reads each command's --json as a program would.
func TestJSON(t *testing.T) {
	t.Parallel()
	_, config := world(t)
	for _, c := range []struct {
		args []string
		code int
		keys []string // of the first value printed
	}{
		{[]string{"pull"}, exitPartial, []string{"run", "state", "sources"}},
		{[]string{"plan"}, exitDone, []string{"plan", "records", "fields", "calls", "changes"}},
		{[]string{"apply"}, exitDone, []string{"plan", "planned", "written"}},
		{[]string{"sync"}, exitDone, []string{"run", "plan", "outcome"}},
		{[]string{"status"}, exitDone, []string{"runs", "sources", "starts"}},
		{[]string{"explain", "K0001"}, exitDone, []string{"entity", "id", "name", "temperature", "parts"}},
		{[]string{"export", "rejects"}, exitDone, []string{"source", "key", "code", "reason"}},
		{[]string{"version"}, exitDone, []string{"version", "go"}},
	} {
		out := mustRun(t, c.code, append(c.args, "--json", "--config", config)...)
		var first map[string]any
		if err := json.NewDecoder(strings.NewReader(out)).Decode(&first); err != nil {
			t.Errorf("%v: %v", c.args, err)
		}
		for _, k := range c.keys {
			if _, ok := first[k]; !ok {
				t.Errorf("%v: no %q among %v", c.args, k, slices.Sorted(maps.Keys(first)))
			}
		}
	}
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// edit replaces the first occurrence of old in a file, and fails when there is none.
func edit(t *testing.T, file, old, new string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), old) {
		t.Fatalf("%s does not hold %q", file, old)
	}
	write(t, file, strings.Replace(string(text), old, new, 1))
}
