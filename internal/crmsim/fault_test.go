package crmsim

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// S53: queries that look at too many rows take too long, whatever their LIMIT.
func TestS53_query_timeout(t *testing.T) {
	o := newOrg(t, Options{})
	for i := range 10 {
		o.insert("Account", map[string]any{"Name": fmt.Sprint(i), "NumberOfEmployees": i})
	}
	o.inject(Fault{Name: "query_timeout", Rows: 5})
	for _, soql := range []string{"SELECT Id FROM Account", "SELECT COUNT() FROM Account", "SELECT Id FROM Account WHERE NumberOfEmployees > 3 LIMIT 1"} {
		o.query(soql).refused(400, "QUERY_TIMEOUT")
	}
	if n := len(o.query("SELECT Id FROM Account WHERE NumberOfEmployees > 4").records()); n != 5 {
		t.Errorf("five rows: %d", n)
	}
	o.inject(Fault{Name: "query_timeout"})
	if n := len(o.query("SELECT Id FROM Account").records()); n != 10 {
		t.Errorf("after the fault: %d", n)
	}
}

// S73: code of the org that fails takes all rows of its chunk down.
func TestS73_trigger(t *testing.T) {
	o := newOrg(t, Options{})
	var ids []string
	for i := range 4 {
		ids = append(ids, o.insert("Account", map[string]any{"Name": fmt.Sprint(i), "Phone": "0"}))
	}
	phones := func() (all string) {
		for _, id := range ids {
			all += fmt.Sprint(o.value("Account", id, "Phone"))
		}
		return all
	}
	o.inject(Fault{Name: "trigger", ID: ids[2], Message: "Scores: execution of AfterUpdate caused by: UNABLE_TO_LOCK_ROW"})
	all := []map[string]any{row("Account", ids[0], "Phone", "1"), row("Account", ids[1], "Name", nil), row("Account", ids[2], "Phone", "1")}
	const trigger = "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
	for _, allOrNone := range []bool{false, true} {
		a := o.patch(allOrNone, all...)
		if got, want := a.rowCodes(), trigger+" REQUIRED_FIELD_MISSING "+trigger; got != want {
			t.Errorf("allOrNone %v: got %s, want %s", allOrNone, got, want)
		}
		if !strings.Contains(a.body, "UNABLE_TO_LOCK_ROW") {
			t.Errorf("the message is lost: %s", a.body)
		}
	}
	o.send("PATCH", api+"/sobjects/Account/"+ids[2], `{"Phone":"1"}`).refused(400, trigger)
	if got := phones(); got != "0000" {
		t.Errorf("stored: %s", got)
	}
	if got := o.patch(false, row("Account", ids[0], "Phone", "1"), row("Account", ids[3], "Phone", "1")).rowCodes(); got != "ok ok" {
		t.Errorf("a chunk without the row: %s", got)
	}
	if got := phones(); got != "1001" {
		t.Errorf("stored: %s", got)
	}
	o.inject(Fault{Name: "trigger", Times: 1})
	o.send("POST", api+"/sobjects/Account", `{"Name":"新"}`).refused(400, trigger)
	if a := o.send("POST", api+"/sobjects/Account", `{"Name":"新"}`); a.status != 201 || a.object()["id"] != newID("001", 5) {
		t.Errorf("after the fault: %d %s", a.status, a.body)
	}
}

// S108, S110: the day is the last 24 hours, to the minute; and the forms of the header.
func TestS108_S110_rolling_day(t *testing.T) {
	o := newOrg(t, Options{DailyCalls: 4, TokenLife: 100 * time.Hour})
	call := func() string {
		t.Helper()
		a := o.send("GET", api+"/limits", "")
		return fmt.Sprint(a.status, " ", a.header.Get("Sforce-Limit-Info"))
	}
	for i, step := range []struct {
		wait time.Duration
		want string
	}{
		{0, "200 api-usage=1/4"},
		{12 * time.Hour, "200 api-usage=2/4"},
		{0, "200 api-usage=3/4"},
		{time.Hour, "200 api-usage=4/4"},
		{0, "403 api-usage=4/4"},
		{11*time.Hour - time.Minute, "403 api-usage=4/4"},
		{time.Minute, "200 api-usage=4/4"}, // the first call is a day old
		{0, "403 api-usage=4/4"},
		{12 * time.Hour, "200 api-usage=3/4"},
		{36 * time.Hour, "200 api-usage=1/4"},
	} {
		*o.clock = o.clock.Add(step.wait)
		if got := call(); got != step.want {
			t.Errorf("step %d: got %s, want %s", i, got, step.want)
		}
	}
	for _, tc := range []struct {
		fault Fault
		want  string
	}{
		{Fault{Used: 17, Max: 5000}, "200 api-usage=18/5000"},
		{Fault{Used: 24, App: "energy", AppUsed: 16, AppMax: 250}, "200 api-usage=25/5000; per-app-api-usage=17/250(appName=energy)"},
		{Fault{Used: 10017, Max: 100000, Bursts: "api-bursts=1/750"}, "200 api-usage=10018/100000; api-bursts=1/750"},
		{Fault{Used: 1, App: "energy", AppMax: 9, Bursts: "nonsense=;"}, "200 api-usage=2/100000; per-app-api-usage=1/9(appName=energy); nonsense=;"},
	} {
		tc.fault.Name = "quota"
		o.inject(tc.fault)
		if got := call(); got != tc.want {
			t.Errorf("got %s, want %s", got, tc.want)
		}
	}
}

// Other users' edits come by the fault edit as by the Go API.
func TestEdit(t *testing.T) {
	o := newOrg(t, Options{})
	o.inject(Fault{Name: "edit", Change: "insert", Object: "Account", Values: map[string]any{"Name": "東海"}})
	id := newID("001", 1)
	for _, step := range []struct {
		change  string
		in, bin int // rows that query and queryAll show then
	}{{"update", 1, 1}, {"delete", 0, 1}, {"undelete", 1, 1}, {"hard_delete", 0, 0}} {
		o.inject(Fault{Name: "edit", Change: step.change, Object: "Account", ID: id, Values: map[string]any{"Name": "東海精密"}})
		live, all := len(o.query("SELECT Id FROM Account WHERE Name = '東海精密'").records()), len(o.all("SELECT Id FROM Account"))
		if live != step.in || all != step.bin {
			t.Errorf("after %s: %d live of %d", step.change, live, all)
		}
	}
	*o.clock = o.clock.Add(time.Minute)
	o.inject(Fault{Name: "edit", Change: "purge"})
	if a := o.send("GET", api+"/sobjects/Account/deleted?start=2026-04-01T08%3A00%3A00Z&end=2026-04-01T10%3A00%3A00Z", ""); len(a.ids()) != 0 {
		t.Errorf("after purge: %s", a.body)
	}
	for _, f := range []Fault{{Change: "update", Object: "Account", ID: id}, {Change: "hard_delete", Object: "Account", ID: id}, {Change: "convert", ID: id}, {Change: "dance"}} {
		f.Name = "edit"
		if err := o.Inject(f); err == nil {
			t.Errorf("%+v was taken", f)
		}
	}
}
