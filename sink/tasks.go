package sink

import (
	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/fault"
)

// AlarmTasks is the section alarms.tasks of energyd.yaml: alarms that become to-dos in the CRM (decisions/0115).
type AlarmTasks struct {
	Connection string   `yaml:"connection"` // "" = none do
	Alarms     []string `yaml:"alarms"`     // kinds; surge and cooling when it says nothing
	DueDays    int      `yaml:"due_days"`   // from the day of the plan
}

// DefaultAlarmTasks are those of a configuration that says nothing.
func DefaultAlarmTasks() AlarmTasks {
	return AlarmTasks{Alarms: []string{engine.Surge.String(), engine.Cooling.String()}, DueDays: 3}
}

// Problems finds what is wrong in the section, by paths below "alarms.tasks".
func (t AlarmTasks) Problems() fault.Problems {
	var ps fault.Problems
	if t.Connection == "" {
		return nil
	}
	if t.DueDays < 0 || t.DueDays > 365 {
		ps.Add("alarms.tasks.due_days", "takes 0 to 365 days")
	}
	if len(t.Alarms) == 0 {
		ps.Add("alarms.tasks.alarms", "names no alarm: write [surge, cooling]")
	}
	for _, name := range t.Alarms {
		if _, ok := engine.ParseAlarmKind(name); !ok {
			ps.Add("alarms.tasks.alarms", "there is no alarm %q%s", name, fault.DidYouMean(name, engine.AlarmKinds()))
		}
	}
	return ps
}

// taskFields are all that a to-do holds, in the order in which people read it.
var taskFields = []FieldOf{{connectors.TaskOwner, connectors.TaskOwner}, {connectors.TaskSubject, connectors.TaskSubject}, {connectors.TaskText, connectors.TaskText},
	{connectors.TaskDue, connectors.TaskDue}, {connectors.TaskState, connectors.TaskState}}

// TaskWriting is the Writing of to-dos in the CRM of a connection.
func TaskWriting(connection string, maker connectors.TaskMaker) Writing {
	// No score is settled by a to-do: its ids are no accounts'.
	return Writing{Name: TaskWritingName(connection), Object: "Task", Kind: engine.Account, Target: maker.Tasks(), Fields: taskFields, Once: true}
}

// TaskWritingName is what plans and journals call the to-dos in the CRM of a connection.
func TaskWritingName(connection string) string { return connection + " tasks" }

// Task is a to-do that somebody shall have: about a record of the CRM, once for each alarm.
func Task(record, alarm string, since engine.Date, name, owner, subject, text string, due engine.Date) Wanted {
	return Wanted{ID: record + "/" + alarm + "/" + since.String(), Name: name, Parent: record, Values: map[string]any{
		connectors.TaskOwner: owner, connectors.TaskSubject: subject, connectors.TaskText: text, connectors.TaskDue: due.String(), connectors.TaskState: connectors.TaskOpen}}
}
