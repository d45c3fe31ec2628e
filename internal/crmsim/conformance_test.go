package crmsim

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Section 2: what the seed "conformance" holds.
func TestSeedConformance(t *testing.T) {
	o := newOrg(t, Options{})
	if err := o.Reset("conformance"); err != nil {
		t.Fatal(err)
	}
	o.signOn()
	if at := o.now(); !at.Equal(conformanceClock) {
		t.Errorf("the clock stands at %v", at)
	}
	count := func(path, soql string) int {
		t.Helper()
		a := o.send("GET", api+path+"?q="+url.QueryEscape("SELECT COUNT() FROM "+soql), "")
		if a.status != 200 {
			t.Fatalf("%s: %d %s", soql, a.status, a.body)
		}
		return int(a.object()["totalSize"].(float64))
	}
	for _, tc := range []struct {
		path, soql string
		min, max   int
	}{
		{"/query", "Contact", 1500, 1600},
		{"/queryAll", "Contact WHERE IsDeleted = true", 5, 6},
		{"/queryAll", "Contact WHERE MasterRecordId != null AND IsDeleted = true", 1, 1},
		{"/query", "Contact WHERE Email = null", 500, 520},
		{"/query", "Contact WHERE Energy_Score__c = null", 700, 800},
		{"/query", "Contact WHERE Ext__c IN ('E0', 'E1')", 2, 2},
		{"/query", "Contact WHERE Account.Name = '第01精密工業株式会社'", 300, 300},
		{"/query", `Contact WHERE LastName = 'O\'Neil \\ \"x\"'`, 1, 1},
		{"/query", "Task WHERE IsClosed = false AND IsRecurrence = false", 1, 4},
		{"/query", "Task WHERE IsClosed = true", 2, 5},
		{"/queryAll", "Task WHERE IsArchived = true", 1, 1},
		{"/query", "Task WHERE IsRecurrence = true", 1, 1},
		{"/query", "Task WHERE IsRecurrence = false AND RecurrenceActivityId != null", 3, 3},
		{"/query", "Task WHERE WhoCount = 3", 1, 1},
		{"/query", "TaskRelation WHERE Task.WhoCount = 3 AND IsWhat = false", 3, 3},
		{"/query", "Event WHERE IsGroupEvent = true AND IsChild = false", 1, 1},
		{"/query", "Event WHERE IsChild = true", 2, 2},
		{"/query", "EventRelation WHERE IsInvitee = true", 2, 2},
		{"/query", "EmailMessageRelation WHERE RelationType = 'ToAddress'", 1, 1},
		{"/query", "EmailMessageRelation WHERE RelationType = 'CcAddress'", 1, 1},
		{"/query", "OpportunityContactRole", 2, 2},
		{"/query", "OpportunityHistory", 2, 9},
	} {
		if n := count(tc.path, tc.soql); n < tc.min || n > tc.max {
			t.Errorf("%s: %d rows, want %d to %d", tc.soql, n, tc.min, tc.max)
		}
	}
	ties := map[any]int{}
	for path := api + "/query?q=" + url.QueryEscape("SELECT SystemModstamp FROM Contact ORDER BY Id"); path != ""; {
		page := o.send("GET", path, "")
		for _, r := range page.records() {
			ties[r["SystemModstamp"]]++
		}
		path, _ = page.object()["nextRecordsUrl"].(string)
	}
	large := 0
	for _, n := range ties {
		if n >= 500 {
			large++
		}
	}
	if large < 3 {
		t.Errorf("%d groups of 500 equal stamps", large)
	}
	if id := o.query("SELECT Id FROM Contact ORDER BY Id LIMIT 1").records()[0]["Id"]; id != newID("003", 1) {
		t.Errorf("the first contact is %v", id)
	}
}

// S122: same seed, same requests, same clock: the same answers to the byte.
func TestS122_determinism(t *testing.T) {
	requests := []struct{ method, path, body string }{
		{"GET", "/sobjects", ""},
		{"GET", "/sobjects/Contact/describe", ""},
		{"GET", "/query?q=" + url.QueryEscape("SELECT Id, Name FROM Contact"), ""},
		{"GET", "/query?q=" + url.QueryEscape("SELECT Id, Subject, Who.Name, SystemModstamp FROM Task ORDER BY Subject"), ""},
		{"GET", "/queryAll?q=" + url.QueryEscape("SELECT FIELDS(ALL) FROM Event LIMIT 200"), ""},
		{"GET", "/queryAll?q=" + url.QueryEscape("SELECT FIELDS(ALL) FROM OpportunityHistory LIMIT 200"), ""},
		{"POST", "/sobjects/Account", `{"Name":"新規"}`},
		{"PATCH", "/composite/sobjects", `{"records":[{"attributes":{"type":"Contact"},"id":"` + newID("003", 3) + `","Title":"部長"}]}`},
		{"DELETE", "/sobjects/Account/" + newID("001", 2), ""},
		{"GET", "/queryAll?q=" + url.QueryEscape("SELECT Id, IsDeleted, SystemModstamp, LastActivityDate FROM Contact WHERE Title != null ORDER BY Id"), ""},
		{"GET", "/sobjects/Contact/updated?start=2026-03-01T00%3A00%3A00Z&end=2026-03-03T00%3A00%3A00Z", ""},
		{"GET", "/sobjects/Contact/deleted?start=2026-03-01T00%3A00%3A00Z&end=2026-03-03T00%3A00%3A00Z", ""},
		{"GET", "/limits", ""},
	}
	var runs [2][]string
	for i := range runs {
		// As the program runs it, with a clock that goes; but another day.
		o := newOrg(t, Options{Control: true, Now: func() time.Time { return time.Now().AddDate(0, 0, i) }})
		if a := o.send("POST", "/__sim/reset", `{"seed":"conformance"}`); a.status != 200 {
			t.Fatal(a.body)
		}
		if a := o.send("POST", "/__sim/fault", `{"name":"clock","set":"2026-03-02T10:00:00Z","stop":true}`); a.status != 200 {
			t.Fatal(a.body)
		}
		o.signOn()
		for _, r := range requests {
			a := o.send(r.method, api+r.path, r.body)
			a.header.Del("X-Sfdc-Request-Id")
			runs[i] = append(runs[i], strings.ReplaceAll(fmt.Sprint(r.path, a.status, a.header, a.body), o.url, ""))
		}
		for _, object := range o.order {
			rows, err := o.Rows(object.name)
			if err != nil {
				t.Fatal(err)
			}
			runs[i] = append(runs[i], fmt.Sprint(object.name, rows))
		}
	}
	for i, answer := range runs[0] {
		if runs[1][i] != answer {
			t.Errorf("two runs differ in answer %d: %.200s", i, answer)
		}
	}
}

// A clock that stands still goes on where it stood.
func TestClock_stops(t *testing.T) {
	o := newOrg(t, Options{})
	start := o.now()
	o.inject(Fault{Name: "clock", AdvanceS: 60, Stop: true})
	*o.clock = o.clock.Add(time.Hour)
	if got := o.now().Sub(start); got != time.Minute {
		t.Errorf("stopped after %v", got)
	}
	o.inject(Fault{Name: "clock", AdvanceS: 30})
	*o.clock = o.clock.Add(time.Second)
	if got := o.now().Sub(start); got != 91*time.Second {
		t.Errorf("going on after %v", got)
	}
	o.inject(Fault{Name: "clock", Set: start})
	if got := o.now(); !got.Equal(start) {
		t.Errorf("set to %v", got)
	}
}
