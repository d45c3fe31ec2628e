package crmsim

import (
	"fmt"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// customer plants an account with a person, a deal and activities of each kind.
type customer struct{ account, contact, deal, role, aboutDeal, withPerson, withBoth, event string }

func (o *org) customer(name string) (c customer) {
	o.t.Helper()
	c.account = o.insert("Account", map[string]any{"Name": name})
	c.contact = o.insert("Contact", map[string]any{"LastName": name, "AccountId": c.account})
	c.deal = o.insert("Opportunity", map[string]any{"Name": name, "AccountId": c.account, "StageName": "Proposal", "CloseDate": "2026-06-01"})
	c.role = o.insert("OpportunityContactRole", map[string]any{"OpportunityId": c.deal, "ContactId": c.contact})
	c.aboutDeal = o.insert("Task", map[string]any{"Subject": "deal", "WhatId": c.deal})
	c.withPerson = o.insert("Task", map[string]any{"Subject": "person", "WhoId": c.contact})
	c.withBoth = o.insert("Task", map[string]any{"Subject": "both", "WhoId": c.contact, "WhatId": c.account})
	c.event = o.insert("Event", map[string]any{"Subject": "visit", "WhatId": c.account, "StartDateTime": o.now(), "EndDateTime": o.now()})
	return c
}

// all asks queryAll, and gives the rows in the order of their ids.
func (o *org) all(soql string) []map[string]any {
	o.t.Helper()
	a := o.send("GET", api+"/queryAll?q="+url.QueryEscape(soql+" ORDER BY Id"), "")
	if a.status != 200 {
		o.t.Fatalf("%s: %d %s", soql, a.status, a.body)
	}
	return a.records()
}

// deleted tells which of these rows are in the bin.
func (o *org) deleted(ids map[string]string) (names []string) {
	o.t.Helper()
	for name, id := range ids {
		r, ok := o.Get(o.byPrefix[id[:3]].name, id)
		if !ok {
			o.t.Fatalf("%s is gone", name)
		}
		if r["IsDeleted"] == true {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// S47, S121: a row in the bin takes along what belongs to it, and comes back with it.
func TestS121_delete_and_undelete_with_belongings(t *testing.T) {
	for _, tc := range []struct {
		deleted string
		with    []string
	}{
		{"account", []string{"aboutDeal", "account", "contact", "deal", "event", "role", "withBoth", "withPerson"}},
		{"contact", []string{"contact", "role", "withPerson"}},
		{"deal", []string{"aboutDeal", "deal", "role"}},
		{"event", []string{"event"}},
	} {
		t.Run(tc.deleted, func(t *testing.T) {
			o := newOrg(t, Options{})
			c, other := o.customer("東海"), o.customer("北陸")
			ids := map[string]string{"account": c.account, "contact": c.contact, "deal": c.deal, "role": c.role,
				"aboutDeal": c.aboutDeal, "withPerson": c.withPerson, "withBoth": c.withBoth, "event": c.event}
			object := o.byPrefix[ids[tc.deleted][:3]].name
			*o.clock = o.clock.Add(time.Minute)
			if a := o.send("DELETE", api+"/sobjects/"+object+"/"+ids[tc.deleted], ""); a.status != 204 {
				t.Fatalf("%d %s", a.status, a.body)
			}
			if got := o.deleted(ids); !slices.Equal(got, tc.with) {
				t.Errorf("deleted are %v, want %v", got, tc.with)
			}
			for _, name := range tc.with {
				r, _ := o.Get(o.byPrefix[ids[name][:3]].name, ids[name])
				if !r["SystemModstamp"].(time.Time).Equal(*o.clock) {
					t.Errorf("%s has the stamp %v", name, r["SystemModstamp"])
				}
			}
			if got := o.deleted(map[string]string{"account": other.account, "contact": other.contact, "role": other.role, "both": other.withBoth}); got != nil {
				t.Errorf("another customer lost %v", got)
			}
			*o.clock = o.clock.Add(time.Minute)
			o.inject(Fault{Name: "edit", Change: "undelete", Object: object, ID: ids[tc.deleted]})
			if got := o.deleted(ids); got != nil {
				t.Errorf("still deleted: %v", got)
			}
			if at := o.value(object, ids[tc.deleted], "SystemModstamp"); !at.(time.Time).Equal(*o.clock) {
				t.Errorf("S121: the stamp is %v", at)
			}
		})
	}
}

// S121: in the other setting an undelete moves no stamp. What was deleted before stays in the bin.
func TestS121_undelete_keeps(t *testing.T) {
	o := newOrg(t, Options{})
	c := o.customer("東海")
	o.inject(Fault{Name: "known", Line: "S121", Outcome: "keeps"})
	if err := o.Delete("Contact", c.contact); err != nil {
		t.Fatal(err)
	}
	*o.clock = o.clock.Add(time.Minute)
	if err := o.Delete("Account", c.account); err != nil {
		t.Fatal(err)
	}
	deleted := *o.clock
	*o.clock = o.clock.Add(time.Minute)
	if err := o.Undelete("Account", c.account); err != nil {
		t.Fatal(err)
	}
	if at := o.value("Account", c.account, "SystemModstamp"); !at.(time.Time).Equal(deleted) {
		t.Errorf("the stamp is %v", at)
	}
	if got := o.deleted(map[string]string{"contact": c.contact, "deal": c.deal, "account": c.account}); !slices.Equal(got, []string{"contact"}) {
		t.Errorf("deleted are %v", got)
	}
	if err := o.Undelete("Account", c.account); err == nil {
		t.Error("a live row was undeleted")
	}
	// Nor does it come back with a later undelete of what it once went with.
	alone := o.insert("Account", map[string]any{"Name": "北陸"})
	only := o.insert("Contact", map[string]any{"LastName": "山田", "AccountId": alone})
	for _, step := range []error{o.Delete("Account", alone), o.Undelete("Account", alone), o.Delete("Contact", only), o.Delete("Account", alone), o.Undelete("Account", alone)} {
		if step != nil {
			t.Fatal(step)
		}
	}
	if got := o.deleted(map[string]string{"contact": only, "account": alone}); !slices.Equal(got, []string{"contact"}) {
		t.Errorf("deleted are %v", got)
	}
}

// What is removed for good takes its belongings along, stays away when the org
// is opened again, and is in the feed then, too.
func TestHardDelete_and_file(t *testing.T) {
	opt := Options{File: filepath.Join(t.TempDir(), "org.jsonl")}
	o := newOrg(t, opt)
	c := o.customer("東海")
	kept := o.customer("北陸")
	if err := o.HardDelete("Account", c.account); err != nil {
		t.Fatal(err)
	}
	counts := func(o *org) string {
		var list []string
		for _, name := range []string{"Account", "Contact", "Opportunity", "OpportunityContactRole", "Task", "Event"} {
			list = append(list, fmt.Sprint(len(o.all("SELECT Id FROM "+name))))
		}
		return strings.Join(list, " ")
	}
	if got, want := counts(o), "1 1 1 1 3 1"; got != want {
		t.Errorf("rows left: %s, want %s", got, want)
	}
	*o.clock = o.clock.Add(time.Minute)
	again := newOrg(t, opt)
	*again.clock = again.clock.Add(time.Minute)
	if got, want := counts(again), "1 1 1 1 3 1"; got != want {
		t.Errorf("rows left after opening again: %s, want %s", got, want)
	}
	if ids := again.feed("deleted", -time.Hour, 0).ids(); !slices.Equal(ids, []string{c.contact}) {
		t.Errorf("the feed after opening again: %v", ids)
	}
	if next := again.insert("Account", map[string]any{"Name": "次"}); next <= kept.account {
		t.Errorf("the id %s is given again", next)
	}
	if err := again.PurgeDeleteLog(); err != nil {
		t.Fatal(err)
	}
	third := newOrg(t, opt)
	*third.clock = third.clock.Add(time.Minute)
	if ids := third.feed("deleted", -time.Hour, 0).ids(); len(ids) != 0 {
		t.Errorf("after the purge: %v", ids)
	}
}

// S120: merges, in both settings of the children's stamps.
func TestS120_merge(t *testing.T) {
	for outcome, moves := range map[string]bool{"moves": true, "keeps": false} {
		t.Run(outcome, func(t *testing.T) {
			o := newOrg(t, Options{})
			o.inject(Fault{Name: "known", Line: "S120", Outcome: outcome})
			master, loser := o.customer("東海"), o.customer("東海(旧)")
			early := *o.clock
			*o.clock = o.clock.Add(time.Minute)
			o.inject(Fault{Name: "edit", Change: "merge", Object: "Account", ID: master.account, Losers: []string{loser.account}})

			lost := o.all("SELECT Id, IsDeleted, MasterRecordId, SystemModstamp FROM Account WHERE Id = '" + loser.account + "'")[0]
			if lost["IsDeleted"] != true || lost["MasterRecordId"] != master.account || lost["SystemModstamp"] != stamp(o.clock.Unix()) {
				t.Errorf("the loser: %v", lost)
			}
			if r := o.query("SELECT Id, MasterRecordId FROM Account").records(); len(r) != 1 || r[0]["MasterRecordId"] != nil {
				t.Errorf("live accounts: %v", r)
			}
			want := early
			if moves {
				want = *o.clock
			}
			for id, field := range map[string]string{loser.contact: "AccountId", loser.deal: "AccountId", loser.withBoth: "WhatId", loser.event: "WhatId", loser.withPerson: "AccountId"} {
				r, _ := o.Get(o.byPrefix[id[:3]].name, id)
				if r[field] != master.account || r["IsDeleted"] != false || !r["SystemModstamp"].(time.Time).Equal(want) {
					t.Errorf("%s %v: %s %v, stamp %v", id, r["Subject"], field, r[field], r["SystemModstamp"])
				}
			}
			if at := o.value("Account", master.account, "SystemModstamp"); !at.(time.Time).Equal(*o.clock) {
				t.Errorf("the master's stamp: %v", at)
			}
			// The people are merged next; one task has both of them.
			shared := o.insert("Task", map[string]any{"Subject": "zu zweit", "WhoId": loser.contact, "TaskWhoIds": []string{loser.contact, master.contact}})
			if err := o.Merge("Contact", master.contact, loser.contact); err != nil {
				t.Fatal(err)
			}
			if r, _ := o.Get("Task", shared); r["WhoId"] != master.contact || r["WhoCount"] != 1.0 {
				t.Errorf("the shared task: %v %v", r["WhoId"], r["WhoCount"])
			}
			if r := o.query("SELECT RelationId FROM TaskRelation WHERE IsWhat = false AND TaskId = '" + shared + "'").records(); len(r) != 1 || r[0]["RelationId"] != master.contact {
				t.Errorf("its relations: %v", r)
			}
			// Undeleting the loser makes it a row of its own again, without its former children.
			if err := o.Undelete("Account", loser.account); err != nil {
				t.Fatal(err)
			}
			if r, _ := o.Get("Account", loser.account); r["MasterRecordId"] != nil || r["IsDeleted"] != false {
				t.Errorf("the loser, undeleted: %v", r)
			}
		})
	}
}

// Merges that make no sense change nothing.
func TestMerge_refused(t *testing.T) {
	o := newOrg(t, Options{})
	a, b := o.customer("東海"), o.customer("北陸")
	gone := o.insert("Account", map[string]any{"Name": "消"})
	if err := o.Delete("Account", gone); err != nil {
		t.Fatal(err)
	}
	before := o.all("SELECT Id, IsDeleted, MasterRecordId, SystemModstamp FROM Account")
	*o.clock = o.clock.Add(time.Minute)
	for name, err := range map[string]error{
		"itself":         o.Merge("Account", a.account, a.account),
		"a deleted one":  o.Merge("Account", a.account, b.account, gone),
		"into a deleted": o.Merge("Account", gone, a.account),
		"another object": o.Merge("Account", a.account, b.contact),
		"tasks":          o.Merge("Task", a.withBoth, b.withBoth),
		"no object":      o.Merge("Nope", a.account, b.account),
	} {
		if err == nil {
			t.Errorf("merged: %s", name)
		}
	}
	if diff := cmp.Diff(before, o.all("SELECT Id, IsDeleted, MasterRecordId, SystemModstamp FROM Account")); diff != "" {
		t.Error(diff)
	}
	if r, _ := o.Get("Contact", b.contact); r["AccountId"] != b.account {
		t.Errorf("a refused merge moved a contact: %v", r["AccountId"])
	}
}

// A converted lead becomes three rows, and its activities move.
func TestConvert(t *testing.T) {
	o := newOrg(t, Options{})
	lead := o.insert("Lead", map[string]any{"LastName": "田中", "FirstName": "一郎", "Company": "東海精密", "Email": "t@customer.example", "Title": "部長"})
	open := o.insert("Task", map[string]any{"Subject": "open", "WhoId": lead})
	done := o.insert("Task", map[string]any{"Subject": "done", "WhoId": lead, "Status": "Completed"})
	*o.clock = o.clock.Add(time.Minute)
	o.inject(Fault{Name: "edit", Change: "convert", ID: lead})
	r, _ := o.Get("Lead", lead)
	account, contact, deal := r["ConvertedAccountId"].(string), r["ConvertedContactId"].(string), r["ConvertedOpportunityId"].(string)
	if r["IsConverted"] != true || r["ConvertedDate"] != "2026-04-01" || !r["SystemModstamp"].(time.Time).Equal(*o.clock) {
		t.Errorf("the lead: %v", r)
	}
	if a, _ := o.Get("Account", account); a["Name"] != "東海精密" {
		t.Errorf("the account: %v", a)
	}
	if c, _ := o.Get("Contact", contact); c["LastName"] != "田中" || c["Title"] != "部長" || c["Email"] != "t@customer.example" || c["AccountId"] != account {
		t.Errorf("the contact: %v", c)
	}
	if d, _ := o.Get("Opportunity", deal); d["AccountId"] != account {
		t.Errorf("the deal: %v", d)
	}
	for _, id := range []string{open, done} {
		if task, _ := o.Get("Task", id); task["WhoId"] != contact || task["AccountId"] != account || !task["SystemModstamp"].(time.Time).Equal(*o.clock) {
			t.Errorf("the task %v: %v %v %v", task["Subject"], task["WhoId"], task["AccountId"], task["SystemModstamp"])
		}
	}
	if rel := o.query("SELECT RelationId, Relation.Type FROM TaskRelation WHERE TaskId = '" + open + "'").records(); len(rel) != 1 || rel[0]["RelationId"] != contact {
		t.Errorf("its relations: %v", rel)
	}
	if _, err := o.Convert(lead, Conversion{}); err == nil {
		t.Error("a lead was converted twice")
	}
	second := o.insert("Lead", map[string]any{"LastName": "鈴木", "Company": "東海精密"})
	got, err := o.Convert(second, Conversion{Account: account, NoOpportunity: true})
	if err != nil || got.Account != account || got.Contact == contact || got.Opportunity != "" {
		t.Errorf("into an account that is there: %+v %v", got, err)
	}
	if n := len(o.all("SELECT Id FROM Account")); n != 1 {
		t.Errorf("%d accounts", n)
	}
	// In a late transaction nothing of it is seen before it is due.
	third := o.insert("Lead", map[string]any{"LastName": "佐藤", "Company": "北陸"})
	o.inject(Fault{Name: "commit_delay", DelayMS: 60_000})
	if _, err := o.Convert(third, Conversion{}); err != nil {
		t.Fatal(err)
	}
	if n := len(o.all("SELECT Id FROM Account")); n != 1 {
		t.Errorf("%d accounts before the commit", n)
	}
	*o.clock = o.clock.Add(time.Minute)
	if n := len(o.all("SELECT Id FROM Account")); n != 2 {
		t.Errorf("%d accounts after the commit", n)
	}
}

// Section 15: the job takes closed tasks and events of more than a year ago; query hides them, queryAll does not.
func TestArchive(t *testing.T) {
	o := newOrg(t, Options{})
	day := func(ago int) string { return o.now().AddDate(0, 0, -ago).Format(time.DateOnly) }
	made := o.now().AddDate(0, 0, -400)
	for subject, values := range map[string]map[string]any{
		"old":          {"Status": "Completed", "ActivityDate": day(366)},
		"a year":       {"Status": "Completed", "ActivityDate": day(365)},
		"young":        {"Status": "Completed", "ActivityDate": day(364)},
		"old but open": {"ActivityDate": day(500)},
		"old, no day":  {"Status": "Completed", "CreatedDate": made, "LastModifiedDate": made, "SystemModstamp": made},
	} {
		values["Subject"] = subject
		o.insert("Task", values)
	}
	o.insert("Event", map[string]any{"Subject": "old", "StartDateTime": o.now().AddDate(0, 0, -380), "EndDateTime": o.now().AddDate(0, 0, -380)})
	o.insert("Event", map[string]any{"Subject": "young", "StartDateTime": o.now(), "EndDateTime": o.now()})
	*o.clock = o.clock.Add(time.Minute)
	o.inject(Fault{Name: "edit", Change: "archive"})
	subjects := func(rows []map[string]any) (list []string) {
		for _, r := range rows {
			list = append(list, r["Subject"].(string))
		}
		slices.Sort(list)
		return list
	}
	if got := subjects(o.query("SELECT Subject FROM Task").records()); !slices.Equal(got, []string{"old but open", "young"}) {
		t.Errorf("live tasks: %v", got)
	}
	if got := subjects(o.query("SELECT Subject FROM Task WHERE IsArchived = true").records()); got != nil {
		t.Errorf("S47: query shows archived tasks: %v", got)
	}
	if got := subjects(o.all("SELECT Subject FROM Task WHERE IsArchived = true AND SystemModstamp < 2026-04-01T09:00:01Z")); !slices.Equal(got, []string{"a year", "old", "old, no day"}) {
		t.Errorf("archived tasks with unmoved stamps: %v", got)
	}
	if got := subjects(o.all("SELECT Subject FROM Event WHERE IsArchived = true")); !slices.Equal(got, []string{"old"}) {
		t.Errorf("archived events: %v", got)
	}
	if n, err := o.Archive(); n != 0 || err != nil {
		t.Errorf("a second time: %d %v", n, err)
	}
}
