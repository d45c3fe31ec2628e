package main

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"energyd/internal/crmsim"
	"energyd/internal/pipeline"
)

// TestRejects_ofTheCRM: what the CRM refused is listed with what to do, stays away when it is dropped, also
// with --resend, and is sent again when somebody says so; the journal has each.
func TestRejects_ofTheCRM(t *testing.T) {
	t.Parallel()
	w, config := world(t)
	mustRun(t, exitPartial, "pull", "--config", config)
	if err := w.CRM().Inject(crmsim.Fault{Name: "validation", Object: "Account", Field: "Energy__c", Bound: 10, Message: "温度は10以下です", Times: 4}); err != nil {
		t.Fatal(err)
	}
	mustRun(t, exitDone, "plan", "--config", config)
	mustRun(t, exitPartial, "apply", "--config", config)
	list := func(args ...string) []pipeline.Reject {
		t.Helper()
		var l struct {
			Count   int
			Rejects []pipeline.Reject
		}
		text := mustRun(t, exitDone, append([]string{"rejects", "list", "--source", "crm.Account", "--limit", "0", "--json", "--config", config}, args...)...)
		if err := json.Unmarshal([]byte(text), &l); err != nil || l.Count != len(l.Rejects) {
			t.Fatalf("%v: %s", err, text)
		}
		return l.Rejects
	}
	refused := list()
	if len(refused) != 4 {
		t.Fatalf("refused are %+v", refused)
	}
	if r := refused[0]; r.Class != "data" || r.WaitsFor != pipeline.Paused || !strings.Contains(r.ToDo, "let the rule pass") || !strings.Contains(r.Reason, "温度は10以下です") {
		t.Errorf("a refused change is told as %+v", r)
	}
	first, second := refused[0].Key, refused[1].Key
	if shown := mustRun(t, exitDone, "rejects", "show", "crm.Account", first, "--config", config); !regexp.MustCompile(`(?s)"field": "Energy__c",\s+"old": null`).MatchString(shown) {
		t.Errorf("show says\n%s", shown)
	}
	mustRun(t, exitDone, "rejects", "drop", "crm.Account", first, "--reason", "a test customer", "--config", config)
	mustRun(t, exitDone, "rejects", "retry", "crm.Account", second, "--reason", "the rule is mended", "--config", config)
	if dropped := list("--dropped"); len(dropped) != 1 || dropped[0].Key != first || dropped[0].WaitsFor != pipeline.Another {
		t.Errorf("dropped are %+v", dropped)
	}

	out := mustRun(t, exitDone, "plan", "--config", config)
	if !regexp.MustCompile(`(?m)1 records stay as they are`).MatchString(out) {
		t.Errorf("the plan says\n%s", out)
	}
	mustRun(t, exitDone, "apply", "--config", config)
	left := list()
	if len(left) != len(refused)-2 {
		t.Errorf("after one was dropped and one sent again, %d of %d are left", len(left), len(refused))
	}
	mustRun(t, exitDone, "plan", "--resend", "--config", config)
	mustRun(t, exitDone, "apply", "--config", config)
	if left := list(); len(left) != 0 {
		t.Errorf("after --resend these are left: %+v", left)
	}
	if dropped := list("--dropped"); len(dropped) != 1 || dropped[0].Key != first {
		t.Errorf("--resend sent what was dropped: %+v", dropped)
	}
	mustRun(t, exitDone, "rejects", "retry", "crm.Account", first, "--reason", "no test customer", "--config", config)
	if out := mustRun(t, exitDone, "sync", "--config", config); !strings.Contains(out, "1 planned = 1 written") {
		t.Errorf("a change that was dropped and is wanted again gives\n%s", out)
	}
	journal := mustRun(t, exitDone, "export", "journal", "--format", "csv", "--config", config)
	for _, want := range []string{"drop,,crm.Account " + first + ",a test customer", "retry,,crm.Account " + second + ",the rule is mended", osUser()} {
		if !strings.Contains(journal, want) {
			t.Errorf("the journal lacks %q:\n%s", want, journal)
		}
	}
}
