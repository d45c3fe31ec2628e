package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"energyd/internal/crmsim"
)

// A session: the points table is wrong, so the night's run waits; status says why, a person looks
// and says so, and the next night goes on by itself.
func TestBrakes_session(t *testing.T) {
	t.Parallel()
	w, config := world(t)
	says := saying(t, config)
	says(exitDone, `brakes: .*50 % of the energies move, 10 % fall to zero.*fewer than 20 records never brake`, "check")
	says(exitPartial, `plan \w+: \d+ planned = \d+ written`, "sync")
	before, err := w.CRM().Rows("Contact")
	if err != nil {
		t.Fatal(err)
	}

	points := filepath.Join(filepath.Dir(config), "points.yaml")
	text, err := os.ReadFile(points)
	if err != nil {
		t.Fatal(err)
	}
	slip := regexp.MustCompile(`points: (\d+)`).ReplaceAll(text, []byte("points: ${1}0"))
	if err := os.WriteFile(points, slip, 0o600); err != nil {
		t.Fatal(err)
	}
	parked := says(exitParked, `(?s)brake changed: crm.Contact: the energy of \d+ of \d+ records would move.*what to do: .*is not sent by itself`, "sync")
	hash := regexp.MustCompile(`energyd apply --plan (\w+) --override "the reason"`).FindStringSubmatch(parked)[1]
	says(exitDone, `(?s)sync +parked .*brake changed.*plan `+hash+` is parked.*energyd apply --plan `+hash+` --override`, "status")
	says(exitDone, `(?s)RECORD +NAME +FIELD +OLD +NEW +WHY.*energy_now.*… and \d+ more records`, "plan", "--show", hash)
	for _, args := range [][]string{{"apply"}, {"apply", "--plan", hash}} {
		says(exitParked, ``, args...)
	}
	says(exitUsage, ``, "apply", "--override", "looked at it")
	says(exitUsage, ``, "apply", "--plan", hash, "--override", " ")
	after, err := w.CRM().Rows("Contact")
	if err != nil {
		t.Fatal(err)
	}
	for i := range before {
		if before[i]["Energy__c"] != after[i]["Energy__c"] {
			t.Errorf("%v holds %v, and held %v", after[i]["Id"], after[i]["Energy__c"], before[i]["Energy__c"])
		}
	}

	says(exitDone, `plan `+hash+`: (\d+) planned = (\d+) written`, "apply", "--plan", hash, "--override", "new table, agreed with sales")
	says(exitDone, `"act":"override".*"reason":"new table, agreed with sales".*"who":"`+osUser()+`"`, "export", "journal")
	says(exitDone, `nothing to write`, "sync")
}

// A plan is one JSON value and one page, whatever the names in it are.
func TestPlan_listings(t *testing.T) {
	t.Parallel()
	w, config := world(t)
	rows, err := w.CRM().Rows("Account")
	if err != nil {
		t.Fatal(err)
	}
	const name = `<script>alert("社")</script>`
	clock := func(hours int) { // what is being saved just now is left to the next reading
		t.Helper()
		if err := w.CRM().Inject(crmsim.Fault{Name: "clock", AdvanceS: hours * 3600}); err != nil {
			t.Fatal(err)
		}
	}
	clock(-24)
	if err := w.CRM().Update("Account", rows[0]["Id"].(string), map[string]any{"Name": name}); err != nil {
		t.Fatal(err)
	}
	clock(24)
	mustRun(t, exitPartial, "pull", "--config", config)
	page := filepath.Join(t.TempDir(), "plan.html")
	var plan struct {
		Plan    string
		Records int
		Fields  int
		Changes []struct {
			Name   string
			Fields []struct{ Field string }
		}
	}
	out := mustRun(t, exitDone, "plan", "--json", "--html", page, "--config", config)
	if err := json.Unmarshal([]byte(out), &plan); err != nil || plan.Records == 0 || len(plan.Changes) != plan.Records {
		t.Fatalf("%d of %d records listed, %v", len(plan.Changes), plan.Records, err)
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	html := string(text)
	if strings.Contains(html, "<script>alert") || !strings.Contains(html, "&lt;script&gt;alert") {
		t.Errorf("the page holds a name as it is, or lacks it:\n%.3000s", html[strings.Index(html, "<tbody>"):])
	}
	if got := strings.Count(html, "</tr>"); got != plan.Fields+1 {
		t.Errorf("the page has %d rows, want %d and a head", got, plan.Fields)
	}
	for _, want := range []string{"反映の計画 " + plan.Plan, "温度（Energy__c）", "初回", "API 呼び出し"} {
		if !strings.Contains(html, want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	if again := mustRun(t, exitDone, "plan", "--show", "--json", "--config", config); !strings.Contains(again, `"plan":"`+plan.Plan+`"`) {
		t.Errorf("shown again it is %s", again)
	}
	mustRun(t, exitUsage, "plan", "--show", "000000000000", "--config", config)
	mustRun(t, exitUsage, "plan", plan.Plan, "--config", config)
}
