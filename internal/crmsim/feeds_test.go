package crmsim

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
)

// feed reads a change feed of Contact; from and to are relative to the org's clock.
func (o *org) feed(which string, from, to time.Duration) got {
	o.t.Helper()
	at := func(d time.Duration) string { return o.now().Add(d).Format("2006-01-02T15:04:05-07:00") }
	return o.send("GET", api+"/sobjects/Contact/"+which+"?"+url.Values{"start": {at(from)}, "end": {at(to)}}.Encode(), "")
}

func (g got) ids() (ids []string) {
	g.t.Helper()
	var a struct {
		IDs     []string
		Records []deletedRow `json:"deletedRecords"`
	}
	g.decode(&a)
	for _, r := range a.Records {
		a.IDs = append(a.IDs, r.ID)
	}
	return a.IDs
}

// S54: the feeds' paths and shapes.
func TestS54_feeds(t *testing.T) {
	o := newOrg(t, Options{})
	before := o.insert("Contact", map[string]any{"LastName": "前"})
	*o.clock = o.clock.Add(10 * time.Minute)
	changed, gone, back := o.insert("Contact", map[string]any{"LastName": "田中"}), o.insert("Contact", map[string]any{"LastName": "佐藤"}), o.insert("Contact", map[string]any{"LastName": "山田"})
	*o.clock = o.clock.Add(time.Minute)
	for _, id := range []string{gone, back} {
		if err := o.Delete("Contact", id); err != nil {
			t.Fatal(err)
		}
	}
	deletedAt := stamp(o.clock.Unix())
	*o.clock = o.clock.Add(time.Minute)
	if err := o.Undelete("Contact", back); err != nil {
		t.Fatal(err)
	}
	*o.clock = o.clock.Add(time.Minute + 30*time.Second)

	for _, path := range []string{"updated", "updated/"} {
		a := o.feed(path, -5*time.Minute, time.Minute)
		if ids := a.ids(); !slices.Equal(ids, []string{changed, back}) {
			t.Errorf("%s: %v, want %s and %s, not %s", path, ids, changed, back, before)
		}
		if m := a.object(); m["latestDateCovered"] != "2026-04-01T09:13:00.000+0000" || len(m) != 2 {
			t.Errorf("%s: %s", path, a.body)
		}
	}
	for _, path := range []string{"deleted", "deleted/"} {
		a := o.feed(path, -5*time.Minute, -time.Minute)
		want := `{"deletedRecords":[{"id":"` + gone + `","deletedDate":"` + deletedAt + `"}],` +
			`"earliestDateAvailable":"2026-03-17T09:13:00.000+0000","latestDateCovered":"2026-04-01T09:12:00.000+0000"}`
		if a.body != want {
			t.Errorf("%s: got\n%s\nwant\n%s", path, a.body, want)
		}
	}
	// Also as jsforce writes times, and with nothing in the span.
	a := o.send("GET", api+"/sobjects/Contact/updated?start=2026-04-01T07%3A00%3A00Z&end=2026-04-01T07%3A30%3A00%2B0000", "")
	if a.body != `{"ids":[],"latestDateCovered":"2026-04-01T07:30:00.000+0000"}` {
		t.Error(a.body)
	}
	// A wish for the object's record of that name is none for its feed.
	o.send("GET", api+"/sobjects/Nope__c/updated?start=2026-04-01T07%3A00%3A00Z&end=2026-04-01T07%3A30%3A00Z", "").refused(404, "NOT_FOUND")
}

// S55: the feed is held back to the beginning of an open transaction.
func TestS55_feed_is_held_back(t *testing.T) {
	o := newOrg(t, Options{})
	began := stamp(o.clock.Unix())
	o.inject(Fault{Name: "commit_delay", DelayMS: 180_000})
	late := o.insert("Contact", map[string]any{"LastName": "遅い"})
	*o.clock = o.clock.Add(2 * time.Minute)
	a := o.feed("updated", -5*time.Minute, 0)
	if ids := a.ids(); len(ids) != 0 {
		t.Errorf("an open transaction is seen: %v", ids)
	}
	if m := a.object(); m["latestDateCovered"] != began {
		t.Errorf("covered until %v, but a transaction is open since %s", m["latestDateCovered"], began)
	}
	*o.clock = o.clock.Add(time.Minute)
	a = o.feed("updated", -5*time.Minute, 0)
	if m := a.object(); !slices.Equal(a.ids(), []string{late}) || m["latestDateCovered"] != "2026-04-01T09:03:00.000+0000" {
		t.Errorf("after the commit: %s", a.body)
	}
}

// S56: spans that the feeds refuse.
func TestS56_feed_spans(t *testing.T) {
	o := newOrg(t, Options{})
	const day = 24 * time.Hour
	for _, tc := range []struct {
		feed     string
		from, to time.Duration
		refused  bool
	}{
		{"updated", -30*day + time.Minute, 0, false},
		{"updated", -30*day - time.Minute, 0, true},
		{"deleted", -15*day + time.Minute, 0, false},
		{"deleted", -15*day - time.Minute, 0, true},
		{"updated", -time.Minute, 0, false},
		{"updated", -59 * time.Second, 0, false}, // seconds do not count
		{"updated", 0, 59 * time.Second, true},
		{"deleted", time.Minute, 0, true},
	} {
		a := o.feed(tc.feed, tc.from, tc.to)
		switch {
		case tc.refused:
			a.refused(400, "INVALID_REPLICATION_DATE")
		case a.status != 200:
			t.Errorf("%s from %v to %v: %d %s", tc.feed, tc.from, tc.to, a.status, a.body)
		}
	}
	o.send("GET", api+"/sobjects/Contact/updated?start=now&end=then", "").refused(400, "INVALID_REPLICATION_DATE")
	o.send("GET", api+"/sobjects/Contact/updated?start=2026-04-01T08%3A00%3A00Z", "").refused(400, "MISSING_ARGUMENT")
}

// S57: what is removed for good is in the feed of deleted rows only, and after the purge in none.
func TestS57_hard_deletes(t *testing.T) {
	o := newOrg(t, Options{})
	id, binned := o.insert("Contact", map[string]any{"LastName": "消"}), o.insert("Contact", map[string]any{"LastName": "箱"})
	if err := o.Delete("Contact", binned); err != nil {
		t.Fatal(err)
	}
	for _, each := range []string{id, binned} {
		if err := o.HardDelete("Contact", each); err != nil {
			t.Fatal(err)
		}
	}
	*o.clock = o.clock.Add(time.Minute)
	if n := o.send("GET", api+"/queryAll?q="+url.QueryEscape("SELECT Id FROM Contact"), "").object()["totalSize"]; n != 0.0 {
		t.Errorf("queryAll shows %v rows", n)
	}
	o.send("GET", api+"/sobjects/Contact/"+id, "").refused(404, "NOT_FOUND")
	if ids := o.feed("updated", -time.Hour, 0).ids(); len(ids) != 0 {
		t.Errorf("updated: %v", ids)
	}
	if ids := o.feed("deleted", -time.Hour, 0).ids(); !slices.Equal(ids, []string{id, binned}) {
		t.Errorf("deleted before the purge: %v", ids)
	}
	if err := o.PurgeDeleteLog(); err != nil {
		t.Fatal(err)
	}
	if ids := o.feed("deleted", -time.Hour, 0).ids(); len(ids) != 0 {
		t.Errorf("deleted after the purge: %v", ids)
	}
	if next := o.insert("Contact", map[string]any{"LastName": "次"}); next <= binned {
		t.Errorf("the id %s is given again", next)
	}
}

// S51: a late commit keeps its early stamp, and is seen by nobody before it is due.
func TestS51_commit_delay(t *testing.T) {
	o := newOrg(t, Options{})
	old := o.insert("Account", map[string]any{"Name": "旧", "Phone": "1"})
	bin := o.insert("Account", map[string]any{"Name": "箱"})
	*o.clock = o.clock.Add(time.Minute)
	o.inject(Fault{Name: "commit_delay", DelayMS: 120_000})
	if codes := o.patch(false, row("Account", old, "Phone", "2")).rowCodes(); codes != "ok" {
		t.Fatal(codes)
	}
	a := o.send("POST", api+"/sobjects/Account", `{"Name":"新"}`)
	if a.status != 201 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	fresh := a.object()["id"].(string)
	if err := o.Delete("Account", bin); err != nil {
		t.Fatal(err)
	}
	o.inject(Fault{Name: "commit_delay"})
	o.insert("Account", map[string]any{"Name": "あと"}) // a younger row that is seen at once

	all := "SELECT Name, Phone, SystemModstamp FROM Account ORDER BY Id"
	names := func() string {
		var list []string
		for _, r := range o.query(all).records() {
			list = append(list, fmt.Sprint(r["Name"], r["Phone"], " ", strings.TrimPrefix(r["SystemModstamp"].(string), "2026-04-01T")))
		}
		return strings.Join(list, ", ")
	}
	want := "旧1 09:00:00.000+0000, 箱<nil> 09:00:00.000+0000, あと<nil> 09:01:00.000+0000"
	if got := names(); got != want {
		t.Errorf("before the commit: %s, want %s", got, want)
	}
	o.send("GET", api+"/sobjects/Account/"+fresh, "").refused(404, "NOT_FOUND")
	if codes := o.patch(false, row("Account", old, "Phone", "3")).rowCodes(); codes != "UNABLE_TO_LOCK_ROW" {
		t.Errorf("a row that an open transaction holds: %s", codes)
	}
	*o.clock = o.clock.Add(2*time.Minute - time.Second)
	if got := names(); got != want {
		t.Errorf("a second before the commit: %s", got)
	}
	*o.clock = o.clock.Add(time.Second)
	if got, want := names(), "旧2 09:01:00.000+0000, 新<nil> 09:01:00.000+0000, あと<nil> 09:01:00.000+0000"; got != want {
		t.Errorf("after the commit: %s, want %s", got, want)
	}
	if r, _ := o.Get("Account", fresh); r["SystemModstamp"] != time.Date(2026, 4, 1, 9, 1, 0, 0, time.UTC) {
		t.Errorf("the late row: %v", r)
	}
}

// What the org notes without a stamp, such as the day of the last activity, holds no row and no feed back.
func TestS51_S55_late_activity(t *testing.T) {
	o := newOrg(t, Options{})
	c := o.customer("東海")
	*o.clock = o.clock.Add(10 * time.Minute)
	o.inject(Fault{Name: "commit_delay", DelayMS: 120_000})
	began := stamp(o.clock.Unix())
	task := o.insert("Task", map[string]any{"Subject": "spät", "Status": "Completed", "ActivityDate": "2026-04-01", "WhoId": c.contact, "WhatId": c.account})
	if codes := o.patch(false, row("Contact", c.contact, "Title", "部長")).rowCodes(); codes != "ok" {
		t.Errorf("the person of a late task: %s", codes)
	}
	if n := len(o.all("SELECT Id FROM Task WHERE Id = '"+task+"'")) + len(o.all("SELECT Id FROM TaskRelation WHERE TaskId = '"+task+"'")); n != 0 {
		t.Errorf("%d rows of an open transaction are seen", n)
	}
	*o.clock = o.clock.Add(time.Minute)
	if got := o.feed("updated", -5*time.Minute, 0).object()["latestDateCovered"]; got != began {
		t.Errorf("covered until %v, a transaction is open since %s", got, began)
	}
	// A further late write that is taken back leaves the first one as it was.
	body := `{"allOrNone":true,"records":[{"attributes":{"type":"Task"},"Subject":"x","Status":"Completed","ActivityDate":"2026-05-01","WhoId":"` + c.contact + `"},{"attributes":{"type":"Account"}}]}`
	if codes := o.send("POST", api+"/composite/sobjects", body).rowCodes(); !strings.HasPrefix(codes, "ALL_OR_NONE") {
		t.Fatal(codes)
	}
	*o.clock = o.clock.Add(time.Minute)
	if n := len(o.query("SELECT Id FROM TaskRelation WHERE TaskId = '" + task + "'").records()); n != 2 {
		t.Errorf("%d relations after the commit", n)
	}
	if day := o.value("Contact", c.contact, "LastActivityDate"); day != "2026-04-01" {
		t.Errorf("the last activity is of %v", day)
	}
}

// S57: a relation that is deleted by itself is in the feed of deleted rows, and nowhere else.
func TestS57_deleted_relation(t *testing.T) {
	o := newOrg(t, Options{})
	a, b := o.customer("東海"), o.customer("北陸")
	task := o.insert("Task", map[string]any{"Subject": "zu zweit", "TaskWhoIds": []string{a.contact, b.contact}})
	var relation string
	for _, r := range o.all("SELECT Id, RelationId FROM TaskRelation WHERE TaskId = '" + task + "'") {
		if r["RelationId"] == b.contact {
			relation = r["Id"].(string)
		}
	}
	*o.clock = o.clock.Add(5 * time.Minute)
	if a := o.send("DELETE", api+"/sobjects/TaskRelation/"+relation, ""); a.status != 204 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	*o.clock = o.clock.Add(time.Minute)
	if rows := o.all("SELECT Id FROM TaskRelation WHERE Id = '" + relation + "'"); len(rows) != 0 {
		t.Errorf("queryAll shows %v", rows)
	}
	span := "?start=2026-04-01T09%3A02%3A00Z&end=2026-04-01T09%3A06%3A00Z"
	if ids := o.send("GET", api+"/sobjects/TaskRelation/deleted"+span, "").ids(); !slices.Equal(ids, []string{relation}) {
		t.Errorf("deleted: %v", ids)
	}
	for _, object := range []string{"TaskRelation", "Task"} {
		if ids := o.send("GET", api+"/sobjects/"+object+"/updated"+span, "").ids(); len(ids) != 0 {
			t.Errorf("updated %s: %v", object, ids)
		}
	}
}

// A batch that is rolled back leaves nothing behind, late or not.
func TestS51_commit_delay_rolled_back(t *testing.T) {
	o := newOrg(t, Options{})
	id := o.insert("Account", map[string]any{"Name": "旧", "Phone": "1"})
	o.inject(Fault{Name: "commit_delay", DelayMS: 60_000})
	body := `{"allOrNone":true,"records":[{"attributes":{"type":"Account"},"Name":"新"},{"attributes":{"type":"Account"}}]}`
	if codes := o.send("POST", api+"/composite/sobjects", body).rowCodes(); codes != "ALL_OR_NONE_OPERATION_ROLLED_BACK REQUIRED_FIELD_MISSING" {
		t.Fatal(codes)
	}
	if codes := o.patch(true, row("Account", id, "Phone", "2"), row("Account", id, "Name", nil)).rowCodes(); !strings.HasPrefix(codes, "ALL_OR_NONE") {
		t.Fatal(codes)
	}
	*o.clock = o.clock.Add(time.Hour)
	if r := o.query("SELECT Phone FROM Account").records(); len(r) != 1 || r[0]["Phone"] != "1" {
		t.Errorf("%v", r)
	}
	if next := o.insert("Account", map[string]any{"Name": "次"}); next != newID("001", 2) {
		t.Errorf("next id %s", next)
	}
}
