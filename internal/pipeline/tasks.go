package pipeline

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"

	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/explain"
	"energyd/internal/fault"
	"energyd/sink"
)

// taskWriting is the Writing of alarms as to-dos in the CRM; nil when the configuration wants none.
func (p *Pipeline) taskWriting(ctx context.Context) (*sink.Writing, error) {
	name := p.cfg.Tasks.Connection
	if name == "" {
		return nil, nil
	}
	conn, err := p.conn(ctx, name)
	if err != nil {
		return nil, err
	}
	maker, ok := conn.(connectors.TaskMaker)
	if !ok {
		return nil, fault.New(fault.Config, name, "this kind of connection makes no tasks", "name a Salesforce connection under alarms.tasks, or leave the section out", nil)
	}
	w := sink.TaskWriting(name, maker)
	return &w, nil
}

// tasksFor is how many days ago an alarm was decided on at most that becomes a
// to-do: who switches them on is not given all that stand.
const tasksFor = 7

// taskSubject begins a to-do's subject. The mapping of the CRM's tasks skips
// what begins so: our own writes are no contacts.
const taskSubject = "[energyd] "

// wantedTasks gives the to-dos of alarms that people are told of, those of
// accounts and deals: a person's alarm is the account's owner's, who has its own.
func (p *Pipeline) wantedTasks(ctx context.Context) iter.Seq2[sink.Wanted, error] {
	return func(yield func(sink.Wanted, error) bool) {
		standing, err := p.store.Alarms(ctx)
		if err != nil {
			yield(sink.Wanted{}, err)
			return
		}
		x := &explain.Explainer{Points: p.points, Language: p.cfg.Language}
		for _, a := range standing {
			if a.State != engine.Fired || a.Rep == "" || a.Entity.Kind == engine.Contact || a.Told < p.AsOf()-tasksFor || !slices.Contains(p.cfg.Tasks.Alarms, a.Alarm.Kind.String()) {
				continue
			}
			profile, _, err := p.store.Profile(ctx, a.Entity)
			if err != nil {
				yield(sink.Wanted{}, err)
				return
			}
			name := cmp.Or(profile.Name, a.Entity.ID)
			label, text := explain.AlarmLabel(a.Alarm.Kind).In(p.cfg.Language), x.Alarm(a.Alarm)
			if link := p.link(profile.Source, a.Entity.ID); link != "" {
				text += "\n" + link
			}
			due := p.AsOf() + engine.Date(p.cfg.Tasks.DueDays)
			if !yield(sink.Task(a.Entity.ID, a.Alarm.Kind.String(), a.Alarm.Since, name, a.Rep, taskSubject+label+": "+name, text, due), nil) {
				return
			}
		}
	}
}

// checkTasks finds whether to-dos can be made.
func (p *Pipeline) checkTasks(ctx context.Context) Finding {
	f := Finding{What: "tasks of alarms"}
	w, err := p.taskWriting(ctx)
	if err != nil || w == nil {
		f.Err = err
		return f
	}
	problems, _, err := w.Check(ctx)
	if err == nil && len(problems) > 0 {
		var placed fault.Problems
		placed.Under("alarms.tasks", problems)
		err = p.cfg.Place(placed)
	}
	f.Err, f.Note = err, fmt.Sprintf("of %v, due after %d days", p.cfg.Tasks.Alarms, p.cfg.Tasks.DueDays)
	return f
}
