package salesforce

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"energyd/connectors"
	"energyd/internal/crmsim"
	"energyd/internal/fault"
)

// circle is an org with some people.
type circle struct {
	*org
	account, tanaka, suzuki, sato, lead, user string
}

func newCircle(t *testing.T, o *org) circle {
	c := circle{org: o, account: o.insert("Account", map[string]any{"Name": "東海精密"})}
	contact := func(name, title string) string {
		return o.insert("Contact", map[string]any{"LastName": name, "Title": title, "Email": name + "@example.jp", "AccountId": c.account})
	}
	c.tanaka, c.suzuki, c.sato = contact("田中", "部長"), contact("鈴木", "課長"), contact("佐藤", "")
	c.lead = o.insert("Lead", map[string]any{"LastName": "高橋", "Company": "新規"})
	c.user = o.insert("User", map[string]any{"Username": "eigyo@example.jp", "LastName": "営業", "Email": "eigyo@example.jp"})
	return c
}

// said gives the people of a record as "Role Type Name Title Status".
func said(t testing.TB, r connectors.Record) []string {
	t.Helper()
	list, ok := r.Value("Participants").([]any)
	if !ok {
		t.Fatalf("%s: Participants is %T %v", r.Key, r.Value("Participants"), r.Value("Participants"))
	}
	lines := []string{}
	for _, p := range list {
		m := p.(map[string]any)
		line := ""
		for _, key := range []string{"Role", "Type", "Name", "Title", "Status"} {
			if m[key] != nil {
				line += " " + fmt.Sprint(m[key])
			}
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	return lines
}

func TestC25_all_people_of_an_activity(t *testing.T) {
	c := newCircle(t, newOrg(t))
	alone := c.insert("Task", map[string]any{"Subject": "電話", "WhoId": c.tanaka, "WhatId": c.account})
	nobody := c.insert("Task", map[string]any{"Subject": "準備", "WhatId": c.account})
	three := c.insert("Task", map[string]any{"Subject": "会食", "WhoId": c.suzuki, "TaskWhoIds": []string{c.tanaka, c.suzuki, c.sato}, "WhatId": c.account})
	toLead := c.insert("Task", map[string]any{"Subject": "電話", "WhoId": c.lead})
	deleted := c.insert("Task", map[string]any{"Subject": "消した", "TaskWhoIds": []string{c.tanaka, c.suzuki}})
	c.must(c.Server.Delete("Task", deleted))
	start := time.Date(2026, 11, 20, 1, 0, 0, 0, time.UTC)
	meeting := c.insert("Event", map[string]any{"Subject": "定例", "WhoId": c.tanaka, "WhatId": c.account, "StartDateTime": start, "EndDateTime": start.Add(time.Hour)})
	for id, status := range map[string]string{c.user: "Accepted", c.suzuki: "Declined"} {
		c.insert("EventRelation", map[string]any{"EventId": meeting, "RelationId": id, "IsInvitee": true, "Status": status})
	}
	mail := c.insert("EmailMessage", map[string]any{"Subject": "見積", "Status": "3", "ToIds": []string{c.tanaka}, "CcIds": []string{c.suzuki}, "RelatedToId": c.account,
		"FromAddress": "eigyo@example.jp", "ToAddress": "tanaka@example.jp"})
	c.settled()
	conn := c.conn()
	tasks := c.reader(conn, stream("Task", "Subject", "Participants"))
	tasks.round(3, nil)
	for id, want := range map[string][]string{
		alone:   {"who Contact 田中 部長"},
		nobody:  {},
		three:   {"who Contact 田中 部長", "who Contact 鈴木 課長", "who Contact 佐藤"},
		toLead:  {"who Lead 高橋"},
		deleted: {"who Contact 田中 部長"},
	} {
		got := said(t, record(tasks, id))
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("task %v: %q; want %q", tasks.seen[id].Value("Subject"), got, want)
		}
	}
	if n := c.calls("GET", dataPath+"/queryAll?q=SELECT%20Id%2CSystemModstamp%2CTaskId"); n != 0 {
		t.Errorf("the first round asked %d times for changed relations", n)
	}
	events := c.reader(conn, stream("Event", "Subject", "IsChild", "Participants"))
	events.round(10, nil)
	got := said(t, record(events, meeting))
	slices.Sort(got)
	if want := []string{"invitee Contact 鈴木 課長 Declined", "invitee User 営業 Accepted", "who Contact 田中 部長"}; !slices.Equal(got, want) {
		t.Errorf("event: %q; want %q", got, want)
	}
	children := 0
	for _, e := range events.seen {
		if e.Value("IsChild") == true {
			children++
		}
	}
	if children == 0 {
		t.Error("the meeting has no child events, which the mapping would skip")
	}
	mails := c.reader(conn, stream("EmailMessage", "Subject", "Participants"))
	mails.round(10, nil)
	got = said(t, record(mails, mail))
	slices.Sort(got)
	if want := []string{"cc Contact 鈴木 課長", "to Contact 田中 部長"}; !slices.Equal(got, want) {
		t.Errorf("mail: %q; want %q", got, want)
	}
	for _, p := range record(mails, mail).Value("Participants").([]any) {
		if m := p.(map[string]any); len(m) != 7 || m["Id"] != c.tanaka && m["Id"] != c.suzuki || !strings.HasSuffix(fmt.Sprint(m["Email"]), "@example.jp") {
			t.Errorf("a participant is %v", m)
		}
	}
}

func record(r *reader, id string) connectors.Record {
	r.t.Helper()
	got, ok := r.seen[id]
	if !ok {
		r.t.Fatalf("%s was not read", id)
	}
	return got
}

// A relation that is added leaves its activity's change time: S119.
func TestS119_a_new_relation_brings_its_activity_again(t *testing.T) {
	for _, hourly := range []int{1, 1000} {
		c := newCircle(t, newOrg(t))
		var tasks []string
		for range 5 {
			tasks = append(tasks, c.insert("Task", map[string]any{"Subject": "電話", "WhoId": c.tanaka, "WhatId": c.account}))
		}
		start := time.Date(2026, 11, 20, 1, 0, 0, 0, time.UTC)
		meeting := c.insert("Event", map[string]any{"Subject": "定例", "WhoId": c.tanaka, "StartDateTime": start, "EndDateTime": start.Add(time.Hour)})
		c.advance(time.Hour) // beyond the lookback's reach
		conn := c.conn()
		t1 := c.reader(conn, stream("Task", "Subject", "Participants"))
		t1.round(hourly, nil)
		e1 := c.reader(conn, stream("Event", "Subject", "Participants"))
		e1.round(hourly, nil)
		c.advance(time.Hour)
		before := map[string]time.Time{}
		for _, id := range tasks[1:4] {
			row, _ := c.Get("Task", id)
			before[id] = row["SystemModstamp"].(time.Time)
			c.insert("TaskRelation", map[string]any{"TaskId": id, "RelationId": c.suzuki})
		}
		c.insert("EventRelation", map[string]any{"EventId": meeting, "RelationId": c.user, "IsInvitee": true, "Status": "New"})
		young := c.insert("Task", map[string]any{"Subject": "会食", "TaskWhoIds": []string{c.suzuki, c.sato}})
		c.advance(time.Hour) // beyond the lookback's reach
		t1.seen, e1.seen = map[string]connectors.Record{}, map[string]connectors.Record{}
		t1.round(hourly, nil)
		e1.round(hourly, nil)
		if len(t1.seen) != 4 || len(e1.seen) == 0 {
			t.Errorf("%d tasks of 4, %d events", len(t1.seen), len(e1.seen))
		}
		for id, stamp := range before {
			row, _ := c.Get("Task", id)
			if got := record(t1, id); !row["SystemModstamp"].(time.Time).Equal(stamp) || !got.ChangedAt.After(stamp.Add(50*time.Minute)) || len(said(t, got)) != 2 {
				t.Errorf("task changed at %v comes with %v, people %q", stamp, got.ChangedAt, said(t, got))
			}
		}
		if got := said(t, record(t1, young)); len(got) != 2 {
			t.Errorf("the new task has %q", got)
		}
		if got := said(t, record(e1, meeting)); !slices.Contains(got, "invitee User 営業 New") {
			t.Errorf("the meeting has %q", got)
		}
		// Nothing more happened: nothing more comes, after the lookback is over.
		c.advance(time.Hour)
		t1.seen = map[string]connectors.Record{}
		t1.round(hourly, nil)
		if len(t1.seen) != 0 {
			t.Errorf("an idle round gave %d tasks", len(t1.seen))
		}
		// A complete reading gives the same versions.
		again := c.reader(conn, stream("Task", "Subject", "Participants"))
		again.round(hourly, nil)
		for id, stamp := range before {
			if got := record(again, id); !got.ChangedAt.After(stamp.Add(50 * time.Minute)) {
				t.Errorf("read anew, the task has the version %v", got.ChangedAt)
			}
		}
	}
}

func TestParticipants_without_shared_activities(t *testing.T) {
	sim, err := crmsim.New(crmsim.Options{ClientSecret: plantedSecret, NoSharedActivities: true})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(sim)
	t.Cleanup(server.Close)
	c := newCircle(t, &org{sim, t, server.URL})
	id := c.insert("Task", map[string]any{"Subject": "電話", "WhoId": c.tanaka})
	start := time.Date(2026, 11, 20, 1, 0, 0, 0, time.UTC)
	meeting := c.insert("Event", map[string]any{"Subject": "定例", "WhoId": c.tanaka, "StartDateTime": start, "EndDateTime": start.Add(time.Hour)})
	c.insert("EventRelation", map[string]any{"EventId": meeting, "RelationId": c.user, "IsInvitee": true, "Status": "Accepted"})
	c.settled()
	r := c.reader(c.conn(), stream("Task", "Subject", "Participants"))
	r.round(10, nil)
	if got := said(t, record(r, id)); !slices.Equal(got, []string{"who Contact 田中 部長"}) {
		t.Errorf("task: %q", got)
	}
	c.advance(time.Hour)
	r.round(10, nil)
	e := c.reader(c.conn(), stream("Event", "Subject", "Participants"))
	e.round(10, nil)
	if got := said(t, record(e, meeting)); !slices.Equal(got, []string{"who Contact 田中 部長", "invitee User 営業 Accepted"}) {
		t.Errorf("event: %q", got)
	}
}

func TestParticipants_the_who_alone(t *testing.T) {
	c := newCircle(t, newOrg(t))
	id := c.insert("Task", map[string]any{"Subject": "会食", "TaskWhoIds": []string{c.tanaka, c.suzuki}})
	c.settled()
	s := stream("Task", "Subject", "Participants")
	s.Participants = false
	r := c.reader(c.conn(), s)
	r.round(10, nil)
	if got := said(t, record(r, id)); len(got) != 1 || c.calls("GET", dataPath+"/sobjects/TaskRelation") != 0 {
		t.Errorf("%q, %d looks at TaskRelation", got, c.calls("GET", dataPath+"/sobjects/TaskRelation"))
	}
	// Turned on, all is read anew.
	s.Participants = true
	again := c.reader(c.conn(), s)
	again.cursor = r.cursor
	again.round(10, nil)
	if got := said(t, record(again, id)); len(got) != 2 {
		t.Errorf("turned on: %q", got)
	}
	// Without the column nobody asks.
	plain := c.reader(c.conn(), stream("Task", "Subject"))
	plain.round(10, nil)
	if i := plain.seen[id].Columns.Index("Participants"); i >= 0 || len(plain.seen[id].Values) != 1 {
		t.Errorf("the column is at %d of %v", i, plain.seen[id].Columns.Names)
	}
}

// Many at once: relations are asked for by the hundred, and by a job as well.
func TestParticipants_of_many(t *testing.T) {
	c := newCircle(t, newOrg(t))
	for i := range 1300 {
		values := map[string]any{"Subject": fmt.Sprint(i)}
		if i%2 == 0 {
			values["TaskWhoIds"] = []string{c.tanaka, c.suzuki, c.sato}
		}
		c.insert("Task", values)
	}
	c.settled()
	byREST := c.reader(c.conn(), stream("Task", "Subject", "Participants"))
	byREST.round(1000, nil)
	if n, m := c.calls("POST", dataPath+"/composite"), c.calls("GET", dataPath+"/queryAll?q=SELECT%20Id%2CTaskId"); n != 1 || m != 1 {
		t.Errorf("%d calls of several queries and %d of one for the relations of 500 and 150 tasks", n, m)
	}
	byBulk := c.reader(c.bulkConn(nil), stream("Task", "Subject", "Participants"))
	byBulk.round(1000, nil)
	if diff := cmp.Diff(byREST.records(), byBulk.records()); diff != "" || len(byBulk.seen) != 1300 {
		t.Errorf("-REST +bulk:\n%.2000s", diff)
	}
	c.inject(crmsim.Fault{Name: "page_max", Rows: 37})
	inPages := c.reader(c.conn(), stream("Task", "Subject", "Participants"))
	inPages.round(1000, nil)
	if diff := cmp.Diff(byREST.records(), inPages.records()); diff != "" {
		t.Errorf("pages of 37:\n%.2000s", diff)
	}
	for name, f := range map[string]crmsim.Fault{
		"as a whole": {Status: 400, Body: `[{"errorCode":"INVALID_INPUT","message":"no"}]`},
		"in parts":   {Status: 200, Body: `{"compositeResponse":[{"body":[{"errorCode":"QUERY_TIMEOUT","message":"too long"}],"httpHeaders":{},"httpStatusCode":400,"referenceId":"p0"}]}`},
	} {
		f.Name, f.Match, f.ContentType, f.Times = "status", "POST .*/composite$", "application/json", 2
		c.inject(f)
		singly := c.reader(c.conn(), stream("Task", "Subject", "Participants"))
		singly.round(1000, nil)
		if diff := cmp.Diff(byREST.records(), singly.records()); diff != "" {
			t.Errorf("refused %s:\n%.2000s", name, diff)
		}
	}
}

// changedRelations gives a connection whose question for changed relations goes to answer.
func (o *org) changedRelations(answer func(w http.ResponseWriter, r *http.Request)) *Conn {
	return o.behind(func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
		mine := strings.Contains(r.URL.Query().Get("q"), "FROM TaskRelation WHERE SystemModstamp")
		if mine {
			answer(w, r)
		}
		return mine
	})
}

func TestParticipants_relations_without_id_or_stamp(t *testing.T) {
	for _, row := range []string{`{"SystemModstamp":"2026-11-21T00:00:00.000+0000"}`, `{"Id":"0RT000000000001AAA"}`} {
		c := newCircle(t, newOrg(t))
		c.insert("Task", map[string]any{"Subject": "電話", "WhoId": c.tanaka})
		c.settled()
		conn := c.changedRelations(func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintf(w, `{"totalSize":1,"done":true,"records":[%s]}`, row)
		})
		r := c.reader(conn, stream("Task", "Subject", "Participants"))
		r.round(10, nil)
		c.settled()
		batch, err := connectors.Batch{Next: r.cursor, More: true}, error(nil)
		for batch.More && err == nil {
			batch, err = r.source.Read(t.Context(), batch.Next, 10)
		}
		if fault.KindOf(err) != fault.Unavailable {
			t.Errorf("%s: %v; the cursor is %q", row, err, batch.Next)
		}
	}
}

func TestParticipants_an_empty_page_of_relations_is_passed_over(t *testing.T) {
	c := newCircle(t, newOrg(t))
	id := c.insert("Task", map[string]any{"Subject": "電話", "WhoId": c.tanaka})
	c.advance(time.Hour)
	empty := 0
	conn := c.changedRelations(func(w http.ResponseWriter, r *http.Request) {
		if empty++; empty > 1 {
			c.ServeHTTP(w, r)
			return
		}
		fmt.Fprintf(w, `{"totalSize":1,"done":false,"nextRecordsUrl":"/services/data/v66.0/queryAll?%s","records":[]}`, r.URL.RawQuery)
	})
	r := c.reader(conn, stream("Task", "Subject", "Participants"))
	r.round(10, nil)
	c.insert("TaskRelation", map[string]any{"TaskId": id, "RelationId": c.suzuki})
	c.advance(time.Hour)
	r.round(10, nil)
	if got := said(t, record(r, id)); len(got) != 2 || empty != 2 {
		t.Errorf("the task has %q after %d pages", got, empty)
	}
}
