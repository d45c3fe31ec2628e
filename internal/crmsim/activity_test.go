package crmsim

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// office is an org with an account, a deal and some people.
type office struct {
	*org
	account, deal string
	people        []string // contacts of the account
	lead          string
}

func newOffice(t *testing.T, opt Options) office {
	o := office{org: newOrg(t, opt)}
	o.account = o.insert("Account", map[string]any{"Name": "Tokai"})
	for i := range 4 {
		o.people = append(o.people, o.insert("Contact", map[string]any{"AccountId": o.account, "LastName": fmt.Sprintf("c%d", i),
			"Email": fmt.Sprintf("c%d@customer.example", i), "Title": "部長"}))
	}
	o.deal = o.insert("Opportunity", map[string]any{"AccountId": o.account, "Name": "Deal", "StageName": "Proposal", "CloseDate": "2026-05-01", "Amount": 100})
	o.lead = o.insert("Lead", map[string]any{"LastName": "lead", "Company": "L"})
	o.later()
	return o
}

func (o office) later() { *o.clock = o.clock.Add(20 * time.Minute) }

// relations are the rows of an activity's relation, as "id:IsWhat" in the order of their ids.
func (o office) relations(object, key, id string) (list []string) {
	for _, r := range o.query("SELECT RelationId, IsWhat FROM " + object + " WHERE " + key + " = '" + id + "' ORDER BY Id").records() {
		list = append(list, fmt.Sprint(r["RelationId"], ":", r["IsWhat"]))
	}
	return list
}

func (o office) same(what string, got, want any) {
	o.t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		o.t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestS117_all_people_of_a_task(t *testing.T) {
	o := newOffice(t, Options{})
	task := o.create("Task", marshal(t, map[string]any{"Subject": "x", "WhoId": o.people[0], "WhatId": o.deal, "TaskWhoIds": o.people[:3]}))
	o.same("relations", o.relations("TaskRelation", "TaskId", task),
		[]string{o.people[0] + ":false", o.people[1] + ":false", o.people[2] + ":false", o.deal + ":true"})
	row := o.query("SELECT WhoId, WhoCount, WhatCount, AccountId FROM Task").records()[0]
	delete(row, "attributes")
	o.same("the task", row, map[string]any{"WhoId": o.people[0], "WhoCount": 3.0, "WhatCount": 1.0, "AccountId": o.account})

	people := o.query("SELECT RelationId, Type, Relation.Name, Relation.Title, Relation.Email FROM TaskWhoRelation WHERE TaskId = '" + task + "' ORDER BY Id").records()
	if len(people) != 3 || people[1]["RelationId"] != o.people[1] || people[1]["Type"] != "Contact" ||
		people[1]["Relation"].(map[string]any)["Email"] != "c1@customer.example" || people[1]["attributes"].(map[string]any)["type"] != "TaskWhoRelation" {
		t.Errorf("TaskWhoRelation: %v", people)
	}
	o.send("POST", api+"/sobjects/TaskWhoRelation", `{}`).refused(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY")
	if o.describes("TaskRelation", "Type") != nil || o.describes("TaskWhoRelation", "IsWhat") != nil {
		t.Error("the two objects have fields of each other")
	}

	// Another first person takes the place of the old one; the others stay.
	o.later()
	o.send("PATCH", api+"/sobjects/Task/"+task, `{"WhoId":"`+o.people[3]+`"}`)
	got := o.relations("TaskRelation", "TaskId", task)
	slices.Sort(got)
	want := []string{o.people[1] + ":false", o.people[2] + ":false", o.people[3] + ":false", o.deal + ":true"}
	slices.Sort(want)
	o.same("after a change of WhoId", got, want)
	// A list says who they all are; an empty What leaves no relation.
	o.send("PATCH", api+"/sobjects/Task/"+task, `{"WhatId":null,"TaskWhoIds":["`+o.people[2]+`"]}`)
	o.same("after a list", o.relations("TaskRelation", "TaskId", task)[1:], []string{})
	if w := o.value("Task", task, "WhoId"); w != o.people[2] {
		t.Errorf("the first of the list is not WhoId: %v", w)
	}
	if n := o.value("Task", task, "WhoCount"); n != 1.0 {
		t.Errorf("WhoCount %v", n)
	}
}

func TestS117_without_shared_activities(t *testing.T) {
	o := newOffice(t, Options{NoSharedActivities: true})
	task := o.create("Task", marshal(t, map[string]any{"WhoId": o.people[0], "WhatId": o.deal}))
	if n := o.value("Task", task, "WhoCount"); n != 1.0 {
		t.Errorf("WhoCount %v", n)
	}
	o.query("SELECT Id FROM TaskRelation").refused(400, "INVALID_TYPE")
	event := o.create("Event", marshal(t, map[string]any{"WhoId": o.people[0], "StartDateTime": "2026-04-01T09:00:00Z", "EndDateTime": "2026-04-01T10:00:00Z"}))
	if rows := o.relations("EventRelation", "EventId", event); rows != nil {
		t.Errorf("EventRelation lists more than invitees: %v", rows)
	}
	o.create("EventRelation", marshal(t, map[string]any{"EventId": event, "RelationId": o.runAs, "Status": "New"}))
}

func TestS117_series(t *testing.T) {
	o := newOffice(t, Options{})
	for _, c := range []struct {
		name   string
		values map[string]any
		days   []string
	}{
		{"every other day", map[string]any{"RecurrenceType": "RecursDaily", "RecurrenceInterval": 2, "RecurrenceStartDateOnly": "2026-04-01", "RecurrenceEndDateOnly": "2026-04-06"},
			[]string{"2026-04-01", "2026-04-03", "2026-04-05"}},
		{"every weekday", map[string]any{"RecurrenceType": "RecursEveryWeekday", "RecurrenceStartDateOnly": "2026-04-03", "RecurrenceEndDateOnly": "2026-04-07"},
			[]string{"2026-04-03", "2026-04-06", "2026-04-07"}},
		{"Mondays and Wednesdays", map[string]any{"RecurrenceType": "RecursWeekly", "RecurrenceInterval": 1, "RecurrenceDayOfWeekMask": 2 + 8, "RecurrenceStartDateOnly": "2026-04-01", "RecurrenceEndDateOnly": "2026-04-08"},
			[]string{"2026-04-01", "2026-04-06", "2026-04-08"}},
		{"the tenth of each month", map[string]any{"RecurrenceType": "RecursMonthly", "RecurrenceInterval": 1, "RecurrenceDayOfMonth": 10, "RecurrenceStartDateOnly": "2026-04-01", "RecurrenceEndDateOnly": "2026-06-30"},
			[]string{"2026-04-10", "2026-05-10", "2026-06-10"}},
	} {
		values := map[string]any{"IsRecurrence": true, "WhoId": o.people[0], "TaskWhoIds": o.people[:2], "Subject": c.name}
		for name, v := range c.values {
			values[name] = v
		}
		template := o.create("Task", marshal(t, values))
		var days []string
		for _, r := range o.query("SELECT ActivityDate, IsRecurrence, WhoCount, Subject FROM Task WHERE RecurrenceActivityId = '" + template + "' AND Id != '" + template + "' ORDER BY ActivityDate").records() {
			days = append(days, r["ActivityDate"].(string))
			if r["IsRecurrence"] != false || r["WhoCount"] != 2.0 || r["Subject"] != c.name {
				t.Errorf("%s: an occurrence is %v", c.name, r)
			}
		}
		o.same(c.name, days, c.days)
		if o.value("Task", template, "IsRecurrence") != true || o.value("Task", template, "ActivityDate") != nil {
			t.Errorf("%s: the template has a day of its own", c.name)
		}
	}
	series := `{"IsRecurrence":true,"RecurrenceType":"RecursDaily","RecurrenceStartDateOnly":"2026-04-01"`
	before, _ := o.Rows("Task")
	for _, bad := range []string{`,"RecurrenceEndDateOnly":"2026-04-05","ActivityDate":"2026-04-01"}`, `}`, `,"RecurrenceEndDateOnly":"2036-04-05"}`} {
		o.send("POST", api+"/sobjects/Task", series+bad).refused(400, "FIELD_INTEGRITY_EXCEPTION")
	}
	if after, _ := o.Rows("Task"); len(after) != len(before) {
		t.Errorf("refused series left %d tasks behind", len(after)-len(before))
	}
	o.send("PATCH", api+"/sobjects/Task/"+o.create("Task", `{}`), `{"IsRecurrence":true}`).refused(400, "INVALID_FIELD_FOR_INSERT_UPDATE")

	meeting := o.create("Event", marshal(t, map[string]any{"IsRecurrence": true, "RecurrenceType": "RecursDaily", "RecurrenceStartDateTime": "2026-04-01T23:30:00Z",
		"RecurrenceEndDateOnly": "2026-04-02", "DurationInMinutes": 45}))
	events := o.query("SELECT StartDateTime, EndDateTime FROM Event WHERE RecurrenceActivityId = '" + meeting + "' AND IsRecurrence = false ORDER BY StartDateTime").records()
	if len(events) != 2 || events[1]["StartDateTime"] != "2026-04-02T23:30:00.000+0000" || events[1]["EndDateTime"] != "2026-04-03T00:15:00.000+0000" {
		t.Errorf("occurrences of a meeting: %v", events)
	}
}

func TestS118_group_events(t *testing.T) {
	o := newOffice(t, Options{})
	rep := o.insert("User", map[string]any{"LastName": "Ito", "Username": "ito@ourcompany.example", "Email": "ito@ourcompany.example"})
	event := o.create("Event", marshal(t, map[string]any{"Subject": "訪問", "WhoId": o.people[0], "WhatId": o.deal, "EventWhoIds": o.people[:2],
		"StartDateTime": "2026-04-02T01:00:00Z", "EndDateTime": "2026-04-02T02:00:00Z"}))
	o.same("relations", o.relations("EventRelation", "EventId", event), []string{o.people[0] + ":false", o.people[1] + ":false", o.deal + ":true"})
	o.later()
	invited := o.create("EventRelation", marshal(t, map[string]any{"EventId": event, "RelationId": rep, "Status": "New"}))

	children := o.query("SELECT Id, OwnerId, Subject, IsGroupEvent, WhoId, AccountId FROM Event WHERE IsChild = true").records()
	if len(children) != 1 || children[0]["OwnerId"] != rep || children[0]["Subject"] != "訪問" || children[0]["AccountId"] != o.account {
		t.Fatalf("children: %v", children)
	}
	child := children[0]["Id"].(string)
	if o.value("Event", event, "IsGroupEvent") != true || o.value("Event", event, "IsChild") != false || o.value("Event", event, "WhoCount") != 2.0 {
		t.Error("the parent is no group event of two people")
	}
	if rows := o.relations("EventRelation", "EventId", child); rows != nil {
		t.Errorf("the child has relations: %v", rows)
	}
	o.send("POST", api+"/sobjects/EventRelation", marshal(t, map[string]any{"EventId": child, "RelationId": o.people[3]})).refused(400, "FIELD_INTEGRITY_EXCEPTION")
	if o.describes("Event", "ParentEventId") != nil {
		t.Error("describe shows how children are tied to their parent")
	}

	// An answer moves the relation alone.
	stamps := func() [2]any {
		return [2]any{o.value("Event", event, "SystemModstamp"), o.value("EventRelation", invited, "SystemModstamp")}
	}
	before := stamps()
	o.later()
	if a := o.send("PATCH", api+"/sobjects/EventRelation/"+invited, `{"Status":"Accepted","Response":"ok","RespondedDate":"2026-04-01T12:00:00Z"}`); a.status != 204 {
		t.Errorf("an answer: %s", a.body)
	}
	if after := stamps(); after[0] != before[0] || after[1] == before[1] {
		t.Errorf("stamps of event and relation: %v, then %v", before, after)
	}
	// What the parent says the child says.
	o.send("PATCH", api+"/sobjects/Event/"+event, `{"Subject":"Web会議","StartDateTime":"2026-04-03T01:00:00Z","EndDateTime":"2026-04-03T02:00:00Z"}`)
	if o.value("Event", child, "Subject") != "Web会議" || o.value("Event", child, "ActivityDate") != "2026-04-03" {
		t.Error("the child does not follow its parent")
	}
	gone := func(want bool, when string) {
		t.Helper()
		if o.value("Event", child, "IsDeleted") != want {
			t.Errorf("%s the child is deleted: %v", when, !want)
		}
	}
	o.send("DELETE", api+"/sobjects/Event/"+event, "")
	gone(true, "with its parent in the bin")
	if err := o.Undelete("Event", event); err != nil {
		t.Fatal(err)
	}
	gone(false, "with its parent back")
	o.send("DELETE", api+"/sobjects/EventRelation/"+invited, "")
	gone(true, "without the invitation")
}

func TestS119_relations_move_by_themselves(t *testing.T) {
	for _, outcome := range Outcomes["S119"] {
		t.Run(outcome, func(t *testing.T) {
			o := newOffice(t, Options{})
			o.inject(Fault{Name: "known", Line: "S119", Outcome: outcome})
			task := o.create("Task", marshal(t, map[string]any{"WhoId": o.people[0], "ActivityDate": "2026-04-02"}))
			if d := o.query("SELECT ActivityDate FROM Task").records()[0]["ActivityDate"]; d != "2026-04-02" {
				t.Errorf("ActivityDate is %v", d)
			}
			stamp := o.value("Task", task, "SystemModstamp")
			o.later()
			added := o.create("TaskRelation", marshal(t, map[string]any{"TaskId": task, "RelationId": o.people[1]}))
			moved := o.value("Task", task, "SystemModstamp") != stamp
			if moved != (outcome == "moves") || o.value("TaskRelation", added, "SystemModstamp") == stamp || o.value("Task", task, "WhoCount") != 2.0 {
				t.Errorf("the task's stamp moved: %v", moved)
			}
			o.send("POST", api+"/sobjects/TaskRelation", marshal(t, map[string]any{"TaskId": task, "RelationId": o.people[1]})).refused(400, "DUPLICATE_VALUE")
			o.send("POST", api+"/sobjects/TaskRelation", marshal(t, map[string]any{"TaskId": task, "RelationId": o.runAs})).refused(400, "MALFORMED_ID")
		})
	}
}

func TestS57_a_deleted_relation_is_only_in_the_feed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "org")
	o := newOffice(t, Options{File: file})
	task := o.create("Task", marshal(t, map[string]any{"WhoId": o.people[0], "TaskWhoIds": o.people[:3]}))
	ids := o.query("SELECT Id, RelationId FROM TaskRelation WHERE TaskId = '" + task + "' ORDER BY Id").records()
	o.later()
	o.send("DELETE", api+"/sobjects/TaskRelation/"+ids[2]["Id"].(string), "")
	if o.value("Task", task, "WhoId") != o.people[0] || o.value("Task", task, "WhoCount") != 2.0 {
		t.Error("another person than the first one was taken away, and the first one changed")
	}
	o.send("DELETE", api+"/sobjects/TaskRelation/"+ids[0]["Id"].(string), "") // the first person
	if o.value("Task", task, "WhoId") != o.people[1] || o.value("Task", task, "WhoCount") != 1.0 {
		t.Errorf("nobody took the place of the first person: %v", o.value("Task", task, "WhoId"))
	}
	gone := func(o *org) (list []string) {
		if all := o.send("GET", api+"/queryAll?q=SELECT+Id+FROM+TaskRelation+WHERE+IsDeleted+%3D+true", "").records(); len(all) != 0 {
			t.Errorf("queryAll shows deleted relations: %v", all)
		}
		feed := o.send("GET", api+"/sobjects/TaskRelation/deleted?start=2026-04-01T09:00:00Z&end=2026-04-01T13:00:00Z", "").object()
		for _, r := range feed["deletedRecords"].([]any) {
			list = append(list, r.(map[string]any)["id"].(string))
		}
		slices.Sort(list)
		return list
	}
	want := []string{ids[0]["Id"].(string), ids[2]["Id"].(string)}
	o.same("the feed", gone(o.org), want)

	// All of this outlives the process, and a new relation gets a new id.
	if err := o.Close(); err != nil {
		t.Fatal(err)
	}
	again := newOrg(t, Options{File: file, Now: func() time.Time { return *o.clock }})
	o.same("the feed after a restart", gone(again), want)
	added := again.create("TaskRelation", marshal(t, map[string]any{"TaskId": task, "RelationId": o.people[3]}))
	if slices.Contains(want, added) || again.value("Task", task, "WhoCount") != 2.0 {
		t.Errorf("after a restart: %s, %v people", added, again.value("Task", task, "WhoCount"))
	}
}

func TestS119_a_delete_takes_relations_along(t *testing.T) {
	o := newOffice(t, Options{})
	task := o.create("Task", marshal(t, map[string]any{"WhoId": o.people[0], "TaskWhoIds": o.people[:2]}))
	live := func() int { return len(o.relations("TaskRelation", "TaskId", task)) }
	o.send("DELETE", api+"/sobjects/Task/"+task, "")
	if n := live(); n != 0 {
		t.Errorf("%d relations of a deleted task", n)
	}
	if err := o.Undelete("Task", task); err != nil || live() != 2 {
		t.Errorf("%d relations after it came back: %v", live(), err)
	}
}

func TestLastActivityDate(t *testing.T) {
	o := newOffice(t, Options{})
	stamp := o.value("Account", o.account, "SystemModstamp")
	last := func(want any, who ...string) {
		t.Helper()
		for _, id := range who {
			for object, prefix := range map[string]string{"Account": "001", "Contact": "003", "Opportunity": "006"} {
				if strings.HasPrefix(id, prefix) && o.value(object, id, "LastActivityDate") != want {
					t.Errorf("%s %s: %v, want %v", object, id, o.value(object, id, "LastActivityDate"), want)
				}
			}
		}
	}
	task := o.create("Task", marshal(t, map[string]any{"WhoId": o.people[0], "TaskWhoIds": o.people[:2], "WhatId": o.deal, "ActivityDate": "2026-03-20"}))
	last(nil, o.account, o.people[0], o.deal) // an open task is no activity yet
	o.send("PATCH", api+"/sobjects/Task/"+task, `{"Status":"Completed"}`)
	last("2026-03-20", o.account, o.people[0], o.people[1], o.deal)
	last(nil, o.people[2])
	event := o.create("Event", marshal(t, map[string]any{"WhoId": o.people[0], "StartDateTime": "2026-03-25T01:00:00Z", "EndDateTime": "2026-03-25T02:00:00Z"}))
	last("2026-03-25", o.account, o.people[0])
	last("2026-03-20", o.deal, o.people[1])
	if o.value("Account", o.account, "SystemModstamp") != stamp {
		t.Error("a derived date moved the account's stamp")
	}
	o.send("DELETE", api+"/sobjects/Event/"+event, "")
	last("2026-03-20", o.account, o.people[0])
	if err := o.Undelete("Event", event); err != nil {
		t.Fatal(err)
	}
	last("2026-03-25", o.account, o.people[0])
}

func TestEmailMessage(t *testing.T) {
	o := newOffice(t, Options{})
	mail := o.create("EmailMessage", marshal(t, map[string]any{"Subject": "見積", "TextBody": "x", "Status": "3", "MessageDate": "2026-03-30T05:00:00Z", "RelatedToId": o.deal,
		"FromAddress": "rep@ourcompany.example", "ToIds": o.people[:1], "CcIds": []string{o.people[2], o.runAs}}))
	var got []string
	for _, r := range o.query("SELECT RelationId, RelationType, RelationObjectType, RelationAddress FROM EmailMessageRelation WHERE EmailMessageId = '" + mail + "' ORDER BY Id").records() {
		got = append(got, fmt.Sprintln(r["RelationId"], r["RelationType"], r["RelationObjectType"], r["RelationAddress"]))
	}
	o.same("relations", got, []string{fmt.Sprintln(o.people[0], "ToAddress", "Contact", "c0@customer.example"),
		fmt.Sprintln(o.people[2], "CcAddress", "Contact", "c2@customer.example"), fmt.Sprintln(o.runAs, "CcAddress", "User", "integration@crm.example")})
	task := o.query("SELECT Id, Subject, TaskSubtype, Status, ActivityDate, WhoId, WhatId, WhoCount FROM Task").records()
	if len(task) != 1 || task[0]["Id"] != o.value("EmailMessage", mail, "ActivityId") || task[0]["TaskSubtype"] != "Email" || task[0]["ActivityDate"] != "2026-03-30" ||
		task[0]["WhoId"] != o.people[0] || task[0]["WhatId"] != o.deal || task[0]["WhoCount"] != 2.0 {
		t.Errorf("the task of the mail: %v", task)
	}
	o.create("EmailMessage", marshal(t, map[string]any{"Subject": "draft", "Status": "5", "ToIds": o.people[:1]}))
	if tasks, _ := o.Rows("Task"); len(tasks) != 1 {
		t.Error("a draft was logged")
	}
	o.send("POST", api+"/sobjects/EmailMessage", `{"ToIds":"nobody"}`).refused(400, "MALFORMED_ID")
	o.send("POST", api+"/sobjects/EmailMessage", `{"Status":"3","ToIds":["`+o.account+`"]}`).refused(400, "MALFORMED_ID")
	if mails, _ := o.Rows("EmailMessage"); len(mails) != 2 {
		t.Errorf("a refused mail stayed: %d", len(mails))
	}
}

func TestOpportunityHistories(t *testing.T) {
	o := newOffice(t, Options{})
	o.later()
	o.send("PATCH", api+"/sobjects/Opportunity/"+o.deal, `{"StageName":"Negotiation","Probability":50,"Amount":200}`)
	o.later()
	o.send("PATCH", api+"/sobjects/Opportunity/"+o.deal, `{"NextStep":"call"}`)
	o.send("PATCH", api+"/sobjects/Opportunity/"+o.deal, `{"CloseDate":"2026-06-01"}`)
	var stages []string
	for _, r := range o.query("SELECT StageName, Amount, ExpectedRevenue, CloseDate, Probability, CreatedDate, CreatedById FROM OpportunityHistory ORDER BY CreatedDate, Id").records() {
		stages = append(stages, fmt.Sprint(r["StageName"], " ", r["Amount"], " ", r["ExpectedRevenue"], " ", r["CloseDate"], " ", r["Probability"], " ", r["CreatedDate"], " ", r["CreatedById"] == o.runAs))
	}
	o.same("OpportunityHistory", stages, []string{
		"Proposal 100 0 2026-05-01 <nil> 2026-04-01T09:00:00.000+0000 false",
		"Negotiation 200 100 2026-05-01 50 2026-04-01T09:40:00.000+0000 true",
		"Negotiation 200 100 2026-06-01 50 2026-04-01T10:00:00.000+0000 true"})
	var fields []string
	for _, r := range o.query("SELECT Field, DataType, OldValue, NewValue FROM OpportunityFieldHistory ORDER BY CreatedDate, Field").records() {
		fields = append(fields, fmt.Sprint(r["Field"], " ", r["DataType"], " ", r["OldValue"], " ", r["NewValue"]))
	}
	o.same("OpportunityFieldHistory", fields, []string{"created Text <nil> <nil>", "Amount Currency 100 200", "StageName Text Proposal Negotiation", "CloseDate DateOnly 2026-05-01 2026-06-01"})
	o.query("SELECT SystemModstamp FROM OpportunityHistory").refused(400, "INVALID_FIELD")
	o.query("SELECT Id FROM OpportunityFieldHistory WHERE OldValue = 'x'").refused(400, "INVALID_FIELD")
	o.send("POST", api+"/sobjects/OpportunityHistory", `{}`).refused(400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY")
	history := o.query("SELECT Id FROM OpportunityHistory LIMIT 1").records()[0]["Id"].(string)
	o.send("PATCH", api+"/sobjects/OpportunityHistory/"+history, `{"StageName":"x"}`).refused(400, "INSUFFICIENT_ACCESS_OR_READONLY")
	// A write that is taken back leaves no history.
	o.send("PATCH", api+"/composite/sobjects", `{"allOrNone":true,"records":[{"attributes":{"type":"Opportunity"},"id":"`+o.deal+`","StageName":"Closed Won"},
		{"attributes":{"type":"Opportunity"},"id":"`+o.deal+`","Name":null}]}`)
	if n := len(o.query("SELECT Id FROM OpportunityHistory").records()); n != 3 {
		t.Errorf("%d rows of history after a write that was rolled back", n)
	}
}

func TestAccountContactRelation(t *testing.T) {
	o := newOffice(t, Options{})
	other := o.insert("Account", map[string]any{"Name": "Other"})
	rows := func() (list []string) {
		for _, r := range o.query("SELECT AccountId, IsDirect FROM AccountContactRelation WHERE ContactId = '" + o.people[0] + "' ORDER BY Id").records() {
			list = append(list, fmt.Sprint(r["AccountId"], r["IsDirect"]))
		}
		return list
	}
	o.same("its own account", rows(), []string{o.account + "true"})
	o.create("AccountContactRelation", marshal(t, map[string]any{"AccountId": other, "ContactId": o.people[0], "Roles": "Adviser"}))
	o.same("another one beside it", rows(), []string{o.account + "true", other + "false"})
	o.send("PATCH", api+"/sobjects/Contact/"+o.people[0], `{"AccountId":"`+other+`"}`)
	o.same("moved there", rows(), []string{other + "true"})
}

// A late commit holds back what the org makes of it, too.
func TestS51_late_activities(t *testing.T) {
	o := newOffice(t, Options{})
	o.inject(Fault{Name: "commit_delay", DelayMS: 60_000})
	task := o.create("Task", marshal(t, map[string]any{"WhoId": o.people[0], "TaskWhoIds": o.people[:3], "WhatId": o.deal}))
	if n := len(o.query("SELECT Id FROM TaskRelation").records()); n != 0 {
		t.Errorf("%d relations show before the commit", n)
	}
	*o.clock = o.clock.Add(time.Minute)
	if n := len(o.relations("TaskRelation", "TaskId", task)); n != 4 || o.value("Task", task, "WhoCount") != 3.0 {
		t.Errorf("%d relations show after the commit, of %v people", n, o.value("Task", task, "WhoCount"))
	}
}
