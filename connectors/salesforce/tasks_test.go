package salesforce

import (
	"net/http"
	"strings"
	"testing"

	"energyd/connectors"
	"energyd/internal/crmsim"
	"energyd/internal/fault"
)

// alarmed is an account with an owner, and the to-do that the owner shall have.
func (o *org) alarmed() (account string, u connectors.Update) {
	o.t.Helper()
	account = o.insert("Account", map[string]any{"Name": "㈱青葉精機"})
	return account, connectors.Update{ID: account + "/surge/2026-11-19", Values: map[string]any{
		connectors.TaskSubject: "[energyd] 急上昇: ㈱青葉精機", connectors.TaskText: "14日間で4回\nhttps://crm.example/1", connectors.TaskDue: "2026-11-23",
		connectors.TaskOwner: o.runAs(), connectors.TaskState: connectors.TaskOpen}}
}

// live are the org's tasks that are not deleted.
func (o *org) live() (list []map[string]any) {
	o.t.Helper()
	rows, err := o.Rows("Task")
	o.must(err)
	for _, r := range rows {
		if r["IsDeleted"] != true {
			list = append(list, r)
		}
	}
	return list
}

// nothing is the update that takes a to-do back.
func nothing(u connectors.Update) connectors.Update {
	empty := connectors.Update{ID: u.ID, Values: map[string]any{}}
	for f := range u.Values {
		empty.Values[f] = nil
	}
	return empty
}

func outcomes(t *testing.T, target connectors.Target, want connectors.Outcome, updates ...connectors.Update) {
	t.Helper()
	results, err := target.Write(t.Context(), "Task", updates)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if r.Outcome != want {
			t.Errorf("%s: %+v, want %s", updates[i].ID, r, want)
		}
	}
}

// TestTasks: a to-do is made once however often it is written, is read as it was written, and taken back when nobody touched it.
func TestTasks(t *testing.T) {
	o := newOrg(t)
	account, u := o.alarmed()
	other := connectors.Update{ID: account + "/cooling/2026-11-19", Values: u.Values}
	target := o.conn().Tasks()
	outcomes(t, target, connectors.Written, u, other)
	outcomes(t, target, connectors.Written, u)
	if live := o.live(); len(live) != 2 || live[0]["WhatId"] != account || live[0]["OwnerId"] != o.runAs() || live[0]["ActivityDate"] != "2026-11-23" || live[0]["IsClosed"] != false ||
		!strings.HasSuffix(live[0]["Description"].(string), "\n\nenergyd: "+u.ID) {
		t.Fatalf("the org holds %v", live)
	}
	fields := []string{connectors.TaskSubject, connectors.TaskText, connectors.TaskDue, connectors.TaskOwner, connectors.TaskState}
	rows, err := target.Current(t.Context(), "Task", []string{u.ID, "001000000000000AAA/surge/2026-11-19", "nonsense"}, fields)
	o.must(err)
	for _, f := range fields {
		if rows[0].Values[f] != u.Values[f] || rows[1].Values[f] != nil || rows[2].Values[f] != nil || rows[1].Missing {
			t.Errorf("%s reads %v and %v, want %v", f, rows[0].Values[f], rows[1].Values[f], u.Values[f])
		}
	}
	outcomes(t, target, connectors.Written, nothing(u))
	outcomes(t, target, connectors.Written, nothing(u))
	if live := o.live(); len(live) != 1 || !strings.HasSuffix(live[0]["Description"].(string), other.ID) {
		t.Errorf("the org holds %v", live)
	}
	outcomes(t, target, connectors.Rejected, connectors.Update{ID: "no id", Values: u.Values})
}

// TestTasks_brokenOff: the org made the to-do and its answer was lost. The call is not repeated, and the next one finds what is there.
func TestTasks_brokenOff(t *testing.T) {
	for name, cut := range map[string]int{"before": 0, "middle": 1, "after": 1} {
		t.Run(name, func(t *testing.T) {
			o := newOrg(t)
			_, u := o.alarmed()
			target := o.conn().Tasks()
			o.inject(crmsim.Fault{Name: "status", Match: "POST /composite/sobjects", Times: 1, Cut: name, Status: http.StatusOK})
			if _, err := target.Write(t.Context(), "Task", []connectors.Update{u}); fault.KindOf(err) != fault.Unavailable {
				t.Fatalf("got %v", err)
			}
			if live := o.live(); len(live) != cut {
				t.Fatalf("the org holds %v", live)
			}
			outcomes(t, target, connectors.Written, u)
			if live := o.live(); len(live) != 1 {
				t.Errorf("the org holds %v", live)
			}
		})
	}
}

// TestTasks_ofOthers: what somebody else made is nobody's of ours, though it was copied with the mark, also at a connection's first call.
func TestTasks_ofOthers(t *testing.T) {
	o := newOrg(t)
	account, u := o.alarmed()
	o.insert("Task", map[string]any{"WhatId": account, "Subject": "copied", "Description": "mine\n\n" + mark(u.ID), "CreatedById": o.insert("User", map[string]any{
		"Username": "sato@aoba.example", "LastName": "佐藤", "Alias": "sato", "Email": "sato@aoba.example"})})
	outcomes(t, o.conn().Tasks(), connectors.Written, nothing(u))
	if live := o.live(); len(live) != 1 {
		t.Errorf("the org holds %v", live)
	}
}

// TestTasks_touched: what somebody worked on reads otherwise, and is not made anew.
func TestTasks_touched(t *testing.T) {
	for want, change := range map[string]map[string]any{
		"closed": {"Status": "Completed"},
		"edited": {"Priority": "High"},
	} {
		t.Run(want, func(t *testing.T) {
			o := newOrg(t)
			_, u := o.alarmed()
			target := o.conn().Tasks()
			outcomes(t, target, connectors.Written, u)
			o.inject(crmsim.Fault{Name: "edit", Change: "update", Object: "Task", ID: o.live()[0]["Id"].(string), Values: change})
			rows, err := target.Current(t.Context(), "Task", []string{u.ID}, []string{connectors.TaskState})
			o.must(err)
			if rows[0].Values[connectors.TaskState] != want {
				t.Errorf("its state is %v, want %s", rows[0].Values, want)
			}
			outcomes(t, target, connectors.Rejected, u)
		})
	}
}

// TestTasks_refused: the org's words on one to-do stop no other, and a user who may not make any is told before.
func TestTasks_refused(t *testing.T) {
	o := newOrg(t)
	_, u := o.alarmed()
	_, bad := o.alarmed()
	bad.Values = map[string]any{connectors.TaskSubject: "x", connectors.TaskOwner: "005000000000000AAA"}
	results, err := o.conn().Tasks().Write(t.Context(), "Task", []connectors.Update{bad, u})
	o.must(err)
	if results[0].Outcome != connectors.Rejected || results[1].Outcome != connectors.Written {
		t.Errorf("%+v", results)
	}
	fields, err := o.conn().Tasks().Describe(t.Context(), "Task")
	o.must(err)
	if len(fields) != 5 {
		t.Errorf("%+v", fields)
	}
	for _, f := range fields {
		if !f.Updateable || f.Type == connectors.Other {
			t.Errorf("%+v", f)
		}
	}
}
