package main

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// lastRun is the run that ended last.
func lastRun(t *testing.T, config string) string {
	t.Helper()
	var status struct{ Runs []struct{ Run string } }
	if err := json.Unmarshal([]byte(mustRun(t, exitDone, "status", "--json", "--config", config)), &status); err != nil {
		t.Fatal(err)
	}
	return status.Runs[0].Run
}

// A session: look first, undo one record, then the rest; a person's edit stays, the journal tells, and an undo is taken back.
func TestUndo_session(t *testing.T) {
	t.Parallel()
	w, config := world(t)
	mustRun(t, exitPartial, "pull", "--config", config)
	hash := regexp.MustCompile(`energyd apply --plan (\w+)`).FindStringSubmatch(mustRun(t, exitDone, "plan", "--config", config))[1]
	mustRun(t, exitDone, "apply", "--plan", hash, "--config", config)
	applied := lastRun(t, config)
	account := func(i int) (id string, energy any) {
		rows, err := w.CRM().Rows("Account")
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprint(rows[i]["Id"]), rows[i]["Energy__c"]
	}
	says := saying(t, config)
	first, energy := account(0)
	if energy == nil {
		t.Fatal("the first account was not written")
	}
	says(exitDone, `(?s)RECORD +NAME +FIELD +OLD +NEW.*would restore \d+ fields of 1 records.*nothing was written`, "undo", applied, "--record", first, "--dry-run")
	says(exitDone, `(?s)plan \w+: 1 planned = 1 written.*: 1 records restored, 0 held their old values already; read back: (\d+) of `, "undo", applied, "--record", first)
	if _, energy := account(0); energy != nil {
		t.Errorf("the record holds %v", energy)
	}
	single := lastRun(t, config)
	says(exitDone, `(?s)held: undone: 1 records keep.*held: undone: crm.Account `+first+`.*by run `+single, "plan")

	second, _ := account(1)
	if err := w.CRM().Update("Account", second, map[string]any{"Energy_Band__c": "重要"}); err != nil {
		t.Fatal(err)
	}
	// The plan's hash names the same run.
	says(exitPartial, `(?s)kept: crm.Account `+second+`.*Energy_Band__c holds 重要 and was changed by somebody else since.*1 held their old values already`, "undo", hash)
	says(exitDone, `1 records restored`, "undo", single)
	if _, back := account(0); back != energy {
		t.Errorf("after the undo is undone the record holds %v, want %v", back, energy)
	}
	journal := says(exitDone, `"act":"undo"`, "export", "journal")
	if n := strings.Count(journal, `"act":"undo"`); n != 3 || !strings.Contains(journal, osUser()) || !strings.Contains(journal, applied) {
		t.Errorf("the journal has\n%s", journal)
	}
}

func TestUndo_refuses(t *testing.T) {
	t.Parallel()
	_, config := world(t)
	mustRun(t, exitPartial, "pull", "--config", config)
	for _, tt := range []struct{ run, want string }{
		{"20200101T000000-none", `there is no run "20200101T000000-none"`},
		{lastRun(t, config), "wrote nothing to the CRM"},
	} {
		var out, errs strings.Builder
		if code := run(t.Context(), []string{"undo", tt.run, "--config", config}, &out, &errs); code != exitUsage || !strings.Contains(errs.String(), tt.want) || !strings.Contains(errs.String(), "what to do:") {
			t.Errorf("undo %s: %d\n%s", tt.run, code, errs.String())
		}
	}
}
