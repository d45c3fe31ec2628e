package pipeline_test

import (
	"testing"
	"time"

	"energyd/internal/crmsim"
	"energyd/internal/store"
)

// TestC22_Undelete: an activity that comes back out of the bin counts again, at
// the latest with the next complete reading: not every org need move its change time (S121).
func TestC22_Undelete(t *testing.T) {
	for _, outcome := range crmsim.Outcomes["S121"] {
		t.Run(outcome, func(t *testing.T) {
			n := newNights(t)
			n.inject(crmsim.Fault{Name: "known", Line: "S121", Outcome: outcome})
			crm := n.world.CRM()
			task := n.crm("Task", map[string]any{"Subject": "電話", "TaskSubtype": "Call", "CallType": "Inbound", "Status": "Completed",
				"ActivityDate": time.Unix(n.clock.Load(), 0).UTC().AddDate(0, 0, -2).Format(time.DateOnly), "WhatId": n.account("K0001")["Id"]})
			n.later(time.Hour)
			n.night()
			with := n.explained("K0001")["tasks"]
			n.later(day)
			if err := crm.Delete("Task", task); err != nil {
				t.Fatal(err)
			}
			n.later(time.Hour)
			n.night()
			if got := n.explained("K0001")["tasks"]; got != with-1 {
				t.Fatalf("deleted, %d tasks count of %d", got, with)
			}
			n.later(day)
			if err := crm.Undelete("Task", task); err != nil {
				t.Fatal(err)
			}
			n.later(6 * day)
			if _, sources := n.night(); sources["tasks"].Reread != store.Periodic {
				t.Fatalf("tasks: %+v", sources["tasks"])
			}
			if got := n.explained("K0001")["tasks"]; got != with {
				t.Errorf("undeleted, %d tasks count of %d", got, with)
			}
		})
	}
}
