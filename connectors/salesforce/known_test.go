package salesforce

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/internal/crmsim"
	"energyd/internal/fault"
)

// Lines marked K in conformance.md: what no public source settles. Whichever
// way an org decides, the same is read from it and the same is in it afterwards.
func TestKnown_whatever_the_org_does(t *testing.T) {
	for line, outcomes := range crmsim.Outcomes {
		for _, outcome := range outcomes {
			t.Run(line+" "+outcome, func(t *testing.T) {
				c := newCircle(t, newOrg(t))
				c.inject(crmsim.Fault{Name: "known", Line: line, Outcome: outcome})
				for name, bulkFrom := range map[string]int{"pages": 0, "jobs": 1} {
					c.readsAll(name, bulkFrom)
				}
				c.countsAll()
				c.writesAll()
				c.makesFields()
				c.saysWhatIsWrong()
			})
		}
	}
}

// countsAll counts what the org has.
func (c circle) countsAll() {
	c.t.Helper()
	source, err := c.conn().Source(c.t.Context(), stream("Contact", "LastName"))
	c.must(err)
	rows, err := c.Rows("Contact")
	c.must(err)
	if n, err := source.(connectors.Counter).Count(c.t.Context(), connectors.Interval{To: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)}); err != nil || n != len(rows) || n < 2 {
		c.t.Errorf("%d contacts counted, %v; want %d", n, err, len(rows))
	}
}

// readsAll reads, lets people work, reads what changed, and compares with the org's true rows.
func (c circle) readsAll(how string, bulkFrom int) {
	c.t.Helper()
	conn := c.conn()
	conn.cfg.BulkFrom = bulkFrom
	var tasks []string
	for i := range 16 {
		tasks = append(tasks, c.insert("Task", map[string]any{"Subject": fmt.Sprintf("訪問 O'Neil %d", i), "WhoId": c.suzuki, "WhatId": c.account}))
	}
	double := c.insert("Contact", map[string]any{"LastName": "田中 重複", "AccountId": c.account})
	c.insert("Task", map[string]any{"Subject": "電話", "WhoId": double})
	c.must(c.Server.Delete("Task", tasks[0]))
	c.advance(time.Hour)
	c.inject(crmsim.Fault{Name: "page_max", Rows: 7})
	defer c.inject(crmsim.Fault{Name: "page_max"})
	readers := map[string]*reader{}
	for object, columns := range map[string][]string{"Task": {"Subject", "WhoId", "Who.Name", "Participants"}, "Contact": {"LastName", "MasterRecordId"}} {
		s := stream(object, columns...)
		s.Where = "Id != " + quote(c.sato) + " AND CreatedDate > 2001-01-01T00:00:00Z"
		readers[object] = c.reader(conn, s)
		readers[object].round(10, nil)
	}
	c.must(c.Update("Task", tasks[1], map[string]any{"Subject": "変更"}))
	c.must(c.Server.Delete("Task", tasks[2]))
	c.must(c.Undelete("Task", tasks[0]))
	c.must(c.Merge("Contact", c.tanaka, double))
	c.insert("TaskRelation", map[string]any{"TaskId": tasks[3], "RelationId": c.tanaka})
	c.advance(time.Hour)
	for object, r := range readers {
		r.round(10, nil)
		// A change that moves no stamp is found when all is read again, as it is each week.
		again := c.reader(conn, stream(object, r.source.(*source).names.Names...))
		again.round(10, nil)
		rows, err := c.Rows(object)
		c.must(err)
		for _, row := range rows {
			id := row["Id"].(string)
			if id == c.sato {
				continue
			}
			for kind, seen := range map[string]map[string]connectors.Record{"changes": r.seen, "all again": again.seen} {
				got, ok := seen[id]
				stale := kind == "changes" && !got.ChangedAt.Before(row["SystemModstamp"].(time.Time))
				for _, column := range []string{"Subject", "WhoId", "LastName"} {
					if want := row[column]; !ok || got.Columns.Index(column) >= 0 && got.Value(column) != want && !stale {
						c.t.Errorf("by %s, %s: %s %s has %v for %s; the org holds %v", how, kind, object, id, got.Value(column), column, want)
					}
				}
				if got.Deleted != row["IsDeleted"] && !stale {
					c.t.Errorf("by %s, %s: %s %s is deleted: %v", how, kind, object, id, got.Deleted)
				}
			}
		}
		if object == "Task" && (len(said(c.t, record(r, tasks[3]))) != 2 || record(r, tasks[1]).Value("Subject") != "変更") {
			c.t.Errorf("by %s: the new person did not come: %q", how, said(c.t, record(r, tasks[3])))
		}
	}
}

// writesAll writes by collections and by a job, with all that an org may take amiss.
func (c circle) writesAll() {
	c.t.Helper()
	conn := c.conn()
	updates := c.accounts(201)
	at, err := conn.Clock(c.t.Context())
	c.must(err)
	gone := c.accounts(1)[0].ID
	c.must(c.Server.Delete("Account", gone))
	unknown := "001zzzzzzzzzzzz"
	twice := connectors.Update{ID: updates[0].ID[:15], Values: map[string]any{"Energy__c": 77.0}}
	all := append(append(updates[:201:201], twice), connectors.Update{ID: gone, Values: map[string]any{"Energy__c": 1.0}})
	results, err := conn.Write(c.t.Context(), "Account", all)
	c.must(err)
	c.wantWritten(updates, results, 0)
	c.wantWritten([]connectors.Update{twice}, results[201:202])
	if results[0].Outcome != connectors.Written || results[202].Outcome != connectors.Rejected {
		c.t.Errorf("the first of two: %+v; the deleted one: %+v", results[0], results[202])
	}
	rows, err := conn.Current(c.t.Context(), "Account", []string{unknown, updates[5].ID, gone, updates[6].ID[:15]}, []string{"Energy__c"})
	c.must(err)
	if len(rows) != 4 || !rows[0].Missing || rows[1].Values["Energy__c"] != 5.5 || !rows[2].Missing || rows[3].Values["Energy__c"] != 6.5 {
		c.t.Errorf("it holds %+v", rows)
	}
	changed := 0
	for row, err := range conn.ChangedSince(c.t.Context(), "Account", at, []string{"Energy__c"}, 1000) {
		c.must(err)
		if row.Values["Energy__c"] != nil && len(row.ID) == 18 { // each comes by its short id, too
			changed++
		}
	}
	if changed != 201 {
		c.t.Errorf("%d records of 201 were changed since", changed)
	}
	for i := range updates {
		updates[i].Values = map[string]any{"Energy__c": nil}
	}
	c.wantWritten(updates, c.asJob(conn, updates))
	c.noJobs(conn)
}

// makesFields makes what is missing.
func (c circle) makesFields() {
	c.t.Helper()
	made, err := c.maker().MakeFields(c.t.Context(), wanted())
	c.must(err)
	for _, f := range made.Fields {
		if f.Standing != connectors.FieldRight {
			c.t.Errorf("%s.%s is %s", f.Object, f.Name, f.Standing)
		}
	}
}

// saysWhatIsWrong meets an API version that is not there, and the end of the day's calls.
func (c circle) saysWhatIsWrong() {
	c.t.Helper()
	old := c.conn()
	old.cfg.APIVersion = "v12.0"
	if err := old.Check(c.t.Context()); fault.KindOf(err) != fault.Config || !strings.Contains(err.Error()+fault.HintOf(err), "newest") {
		c.t.Errorf("an unknown API version: %v; hint %q", err, fault.HintOf(err))
	}
	conn := c.conn()
	c.inject(crmsim.Fault{Name: "quota", Used: 100, Max: 100})
	before := c.calls("GET", dataPath)
	_, err := conn.Describe(c.t.Context(), "Account")
	if n := c.calls("GET", dataPath) - before; fault.KindOf(err) != fault.Quota || n != 1 {
		c.t.Errorf("no calls left: %v after %d calls", err, n)
	}
}
