package main

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"energyd/internal/store"
)

// TestStatus_Interrupted: a run whose process was killed is not said to be running.
func TestStatus_Interrupted(t *testing.T) {
	_, config := world(t)
	mustRun(t, exitDone, "status", "--config", config)
	s, err := store.Open(t.Context(), "sqlite:"+strings.TrimSuffix(config, "energyd.yaml")+"energyd.db")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	hold, err := s.Lock(t.Context(), store.Scores)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.BeginRun(t.Context(), "pull", time.Now()); err != nil {
		t.Fatal(err)
	}
	if out := mustRun(t, exitDone, "status", "--config", config); !strings.Contains(out, " running ") || strings.Contains(out, "interrupted") {
		t.Errorf("while it runs:\n%s", out)
	}
	if err := hold.Leave(); err != nil {
		t.Fatal(err)
	}
	if out := mustRun(t, exitDone, "status", "--config", config); !strings.Contains(out, " interrupted ") || strings.Contains(out, "running") {
		t.Errorf("after its process was killed:\n%s", out)
	}
	if out := mustRun(t, exitDone, "status", "--json", "--config", config); !strings.Contains(out, `"state":"interrupted"`) {
		t.Errorf("as JSON: %s", out)
	}
}

// TestStoreCopy_warnsOfARun: what a run at work stores meanwhile is not in the copy.
func TestStoreCopy_warnsOfARun(t *testing.T) {
	_, config := world(t)
	mustRun(t, exitDone, "status", "--config", config)
	dir := strings.TrimSuffix(config, "energyd.yaml")
	s, err := store.Open(t.Context(), "sqlite:"+dir+"energyd.db")
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	hold, err := s.Lock(t.Context(), "mail")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.BeginRun(t.Context(), "pull", time.Now(), hold.Lanes()...); err != nil {
		t.Fatal(err)
	}
	warns := func(to string) bool {
		t.Helper()
		var out, stderr bytes.Buffer
		if code := run(t.Context(), []string{"store", "copy", "--to", "sqlite:" + dir + to, "--config", config}, &out, &stderr); code != exitDone {
			t.Fatalf("exit code %d: %s", code, stderr.String())
		}
		return strings.Contains(stderr.String(), "a run is at work")
	}
	if !warns("one.db") {
		t.Error("while a run is at work nothing is said")
	}
	if err := hold.Leave(); err != nil {
		t.Fatal(err)
	}
	if warns("two.db") {
		t.Error("after its process ended, a run is said to be at work")
	}
}

// TestApply_NamesEditedRecords: ten of them in text, all in JSON.
func TestApply_NamesEditedRecords(t *testing.T) {
	for _, asJSON := range []bool{false, true} {
		w, config := world(t)
		mustRun(t, exitPartial, "pull", "--config", config)
		mustRun(t, exitDone, "plan", "--config", config)
		rows, err := w.CRM().Rows("Account")
		if err != nil {
			t.Fatal(err)
		}
		for _, row := range rows[:12] {
			if err := w.CRM().Update("Account", row["Id"].(string), map[string]any{"Energy_Band__c": "重要"}); err != nil {
				t.Fatal(err)
			}
		}
		if asJSON {
			var out struct {
				Edited  int
				Records []struct{ Writing, ID, Name string } `json:"edited_records"`
			}
			if err := json.Unmarshal([]byte(mustRun(t, exitPartial, "apply", "--json", "--config", config)), &out); err != nil {
				t.Fatal(err)
			}
			if out.Edited < 10 || len(out.Records) != out.Edited || out.Records[0].Writing != "crm.Account" || out.Records[0].Name == "" {
				t.Errorf("the outcome is %+v", out)
			}
			continue
		}
		text := mustRun(t, exitPartial, "apply", "--config", config)
		if strings.Count(text, "edited meanwhile: crm.Account 001") != 10 || !strings.Contains(text, "more; --json names all") {
			t.Errorf("apply says\n%s", text)
		}
	}
}

// TestPlan_JSONOfNothing: a list stays a list.
func TestPlan_JSONOfNothing(t *testing.T) {
	_, config := world(t)
	if out := mustRun(t, exitDone, "plan", "--json", "--config", config); !strings.Contains(out, `"changes":[]`) {
		t.Errorf("a plan of nothing is %s", out)
	}
}

// TestExplain_NearNames: an unknown name is answered by the names that are like it.
func TestExplain_NearNames(t *testing.T) {
	_, config := world(t)
	mustRun(t, exitPartial, "pull", "--config", config)
	for typed, want := range map[string]string{
		"山田製作": "(株式会社山田製作所, K0001)",
		"山田製作所ホールディングス・株式会社山田製作所": "(株式会社山田製作所, K0001)",
		"Pacific Tradng Co., Ltd.": "Pacific Trading Co., Ltd.",
	} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), []string{"explain", typed, "--config", config}, &out, &errs); code != exitUsage {
			t.Errorf("%s: exit code %d\n%s", typed, code, out.String())
		}
		if !strings.Contains(errs.String(), "did you mean") || !strings.Contains(errs.String(), want) {
			t.Errorf("%s: it says\n%s", typed, errs.String())
		}
	}
}
