package pipeline_test

import (
	"strings"
	"testing"

	"energyd/connectors"
	"energyd/internal/crmsim"
	"energyd/internal/pipeline"
	"energyd/sink"
)

// newTaskedCompany is the demo's company, whose alarms become tasks.
func newTaskedCompany(t *testing.T) company {
	t.Helper()
	return newCompanyWith(t, func(config []byte) []byte {
		return append(config, "\nalarms:\n  tasks: {connection: crm, alarms: [surge, cooling, silence], due_days: 5}\n"...)
	})
}

// alarmTasks are the CRM's live tasks that energyd made.
func (c company) alarmTasks() (list []map[string]any) {
	c.Helper()
	rows, err := c.world.CRM().Rows("Task")
	if err != nil {
		c.Fatal(err)
	}
	for _, r := range rows {
		if subject, _ := r["Subject"].(string); strings.HasPrefix(subject, "[energyd] ") && r["IsDeleted"] != true {
			list = append(list, r)
		}
	}
	return list
}

// lately are the alarms that a task is made of.
func (c company) lately() map[string]pipeline.Raised {
	c.Helper()
	told, err := c.Alarms(c.Context(), false)
	if err != nil {
		c.Fatal(err)
	}
	found := map[string]pipeline.Raised{}
	for _, a := range told {
		if a.Rep != "" && a.Entity != "contact" && strings.Contains("surge cooling silence", a.Kind) {
			found["energyd: "+a.ID+"/"+a.Kind+"/"+a.Since] = a
		}
	}
	if len(found) < 3 {
		c.Fatalf("the demo's company has only %d such alarms", len(found))
	}
	return found
}

// TestTasks: each alarm becomes one task of the owner, shown by the plan, never read as a contact; an undo takes back those that nobody touched.
func TestTasks(t *testing.T) {
	t.Parallel()
	c := newTaskedCompany(t)
	plan := c.planned()
	if live := c.alarmTasks(); len(live) != 0 {
		t.Fatalf("a plan made tasks: %v", live)
	}
	alarms, planned := c.lately(), 0
	for change, err := range c.Changes(t.Context(), plan.Run) {
		if err != nil {
			t.Fatal(err)
		}
		if change.Writing == sink.TaskWritingName("crm") {
			planned++
		}
	}
	_, out, err := c.Apply(t.Context(), plan.Plan)
	if err != nil || !out.Whole() {
		t.Fatalf("%+v, %v", out, err)
	}
	live := c.alarmTasks()
	if planned != len(alarms) || len(live) != len(alarms) {
		t.Fatalf("%d alarms, %d planned, %d tasks", len(alarms), planned, len(live))
	}
	for _, task := range live {
		lines := strings.Split(task["Description"].(string), "\n")
		a, ok := alarms[lines[len(lines)-1]]
		if !ok || lines[0] != a.Sentence || task["OwnerId"] != a.Rep || task["WhatId"] != a.ID || task["ActivityDate"] != (c.AsOf()+5).String() || task["IsClosed"] != false {
			t.Errorf("task %v of alarm %+v", task, a)
		}
	}
	c.inject(crmsim.Fault{Name: "clock", AdvanceS: 3600}) // sources read up to some minutes ago
	r, _, _ := c.sync()
	if again := c.alarmTasks(); len(again) != len(live) {
		t.Errorf("%d tasks after another night, %d before", len(again), len(live))
	}
	skipped := 0
	for _, s := range r.Sources {
		skipped += s.Skips["alarm_task"]
	}
	if skipped != len(live) {
		t.Errorf("%d of %d tasks were read and skipped", skipped, len(live))
	}
	c.inject(crmsim.Fault{Name: "edit", Change: "update", Object: "Task", ID: live[0]["Id"].(string), Values: map[string]any{"Status": "Completed"}})
	_, undone, err := c.Undo(t.Context(), plan.Plan, "")
	if err != nil {
		t.Fatal(err)
	}
	if left := c.alarmTasks(); len(left) != 1 || left[0]["Id"] != live[0]["Id"] {
		t.Errorf("after the undo %d tasks are left", len(left))
	}
	told := false
	for _, k := range undone.Plan.Kept {
		told = told || k.Writing == sink.TaskWritingName("crm") && k.Field == connectors.TaskState && k.Theirs == "closed"
	}
	if !told {
		t.Errorf("nobody is told why a task stays: %+v", undone.Plan.Kept)
	}
	if c.sync(); len(c.alarmTasks()) != 1 {
		t.Errorf("the night after made %d tasks anew", len(c.alarmTasks())-1)
	}
}

// TestTasks_answerLost: the CRM made the tasks and its answer was lost: the next run finds them and makes none twice.
func TestTasks_answerLost(t *testing.T) {
	t.Parallel()
	c := newTaskedCompany(t)
	plan := c.planned()
	c.inject(crmsim.Fault{Name: "status", Match: "POST /composite/sobjects$", Times: 1, Cut: "after"})
	if _, _, err := c.Apply(t.Context(), plan.Plan); err == nil {
		t.Fatal("no error")
	}
	made := len(c.alarmTasks())
	if made == 0 {
		t.Fatal("nothing was cut")
	}
	r, _, _ := c.sync()
	if live := c.alarmTasks(); len(live) != made || made != len(c.lately()) {
		t.Errorf("%d tasks, %d before; run %s %v", len(live), made, r.State, r.Notes)
	}
}
