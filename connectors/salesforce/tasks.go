package salesforce

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"energyd/connectors"
	"energyd/internal/fault"
)

// tasks are to-dos as a Target. A to-do is known by the last line of its
// description: what names a record uniquely would be a field of our own on
// Activity, which an org's admin had to make and grant first (decisions/0115).
type tasks struct{ *Conn }

var _ connectors.TaskMaker = (*Conn)(nil)

// Tasks gives to-dos about accounts and opportunities. One call reads those of 100 records, one makes or deletes 200.
func (c *Conn) Tasks() connectors.Target { return tasks{c} }

// taskColumns are the org's fields by ours; what a to-do's state is, is computed.
var taskColumns = map[string]string{
	connectors.TaskSubject: "Subject", connectors.TaskText: "Description", connectors.TaskDue: "ActivityDate", connectors.TaskOwner: "OwnerId",
}

// made is a to-do as the org holds it.
type made struct {
	ID          string `json:"Id"`
	WhatID      string `json:"WhatId"`
	Subject     string
	Description string
	Due         string `json:"ActivityDate"`
	Owner       string `json:"OwnerId"`
	Closed      bool   `json:"IsClosed"`
	Creator     string `json:"CreatedById"`
	Editor      string `json:"LastModifiedById"`
}

// mark is the line by which a to-do is known.
func mark(key string) string { return "energyd: " + key }

// WriteSize is what one collection carries.
func (t tasks) WriteSize() int { return writeSize }

// Describe gives our names for the fields of the org's Task.
func (t tasks) Describe(ctx context.Context, object string) ([]connectors.Field, error) {
	all, err := t.Conn.Describe(ctx, object)
	if err != nil {
		return nil, err
	}
	fields := []connectors.Field{{Name: connectors.TaskState, Label: "Status", Type: connectors.Text, Updateable: true}}
	for ours, theirs := range taskColumns {
		for _, f := range all {
			if f.Name == theirs {
				f.Name = ours
				if f.Type == connectors.Other { // the owner: a reference
					f.Type = connectors.Text
				}
				if ours == connectors.TaskText {
					f.Length -= len(mark("")) + 100
				}
				fields = append(fields, f)
			}
		}
	}
	return fields, nil
}

// Current reads to-dos by their ids.
func (t tasks) Current(ctx context.Context, _ string, ids, fields []string) ([]connectors.Row, error) {
	held, err := t.find(ctx, ids)
	if err != nil {
		return nil, err
	}
	rows := make([]connectors.Row, len(ids))
	for i, id := range ids {
		rows[i] = connectors.Row{ID: id, Values: map[string]any{}}
		for _, f := range fields {
			rows[i].Values[f] = nil
			if m, ok := held[id]; ok {
				rows[i].Values[f] = m.value(id, f)
			}
		}
	}
	return rows, nil
}

func (m made) value(id, field string) any {
	text := ""
	switch field {
	case connectors.TaskSubject:
		text = m.Subject
	case connectors.TaskText:
		text = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(m.Description), mark(id)))
	case connectors.TaskDue:
		text = m.Due
	case connectors.TaskOwner:
		text = longID(m.Owner)
	case connectors.TaskState:
		switch {
		case m.Closed:
			text = "closed"
		case m.Editor != m.Creator:
			text = "edited"
		default:
			text = connectors.TaskOpen
		}
	}
	if text == "" {
		return nil
	}
	return text
}

// find gives the to-dos that are there, by their ids. Of two the older one is it.
func (t tasks) find(ctx context.Context, ids []string) (map[string]made, error) {
	const records = 100 // in one statement
	about := map[string][]string{}
	for _, id := range ids {
		record, _, _ := strings.Cut(id, "/")
		if record = longID(record); record != "" {
			about[record] = append(about[record], id)
		}
	}
	if len(about) == 0 {
		return nil, nil
	}
	s, err := t.sessions.get(ctx, t.Conn, nil) // it tells whose to-dos are ours
	if err != nil {
		return nil, err
	}
	found := map[string]made{}
	for some := range slices.Chunk(slices.Sorted(maps.Keys(about)), records) {
		where := fmt.Sprintf("WhatId IN (%s)", quoteAll(some))
		if s.user != "" {
			where += " AND CreatedById = " + quote(s.user)
		}
		list, err := t.query(ctx, where)
		if err != nil {
			return nil, err
		}
		for _, m := range list {
			m.Description = strings.ReplaceAll(m.Description, "\r\n", "\n")
			for _, id := range about[longID(m.WhatID)] {
				if _, twice := found[id]; !twice && slices.Contains(strings.Split(m.Description, "\n"), mark(id)) {
					found[id] = m
				}
			}
		}
	}
	return found, nil
}

func (t tasks) query(ctx context.Context, where string) (all []made, err error) {
	path := "/query"
	query := url.Values{"q": {"SELECT Id,WhatId,Subject,Description,ActivityDate,OwnerId,IsClosed,CreatedById,LastModifiedById FROM Task WHERE " + where + " ORDER BY CreatedDate,Id"}}
	for path != "" {
		var page struct {
			Records []made `json:"records"`
			Next    string `json:"nextRecordsUrl"`
		}
		if err := t.call(ctx, call{op: "look for tasks", method: http.MethodGet, path: path, query: query}, &page); err != nil {
			return nil, err
		}
		all, path, query = append(all, page.Records...), page.Next, nil
	}
	return all, nil
}

// Write makes and deletes to-dos. It looks first what is there, so that what a call before it did is not done twice.
func (t tasks) Write(ctx context.Context, _ string, updates []connectors.Update) ([]connectors.Result, error) {
	ids := make([]string, len(updates))
	for i, u := range updates {
		ids[i] = u.ID
	}
	held, err := t.find(ctx, ids)
	if err != nil {
		return nil, err
	}
	results := make([]connectors.Result, len(updates))
	var create, remove []int
	for i, u := range updates {
		m, there := held[u.ID]
		record, _, _ := strings.Cut(u.ID, "/")
		switch want := wants(u); {
		case longID(record) == "":
			results[i] = neverSent("Task", fmt.Sprintf("%q does not begin with a record's id", u.ID))
		case want && there && !m.holds(u):
			results[i] = connectors.Result{Outcome: connectors.Rejected, Err: fault.New(fault.Rejected, "make a task", "it is there already, and somebody changed it", "nothing: it stays as it is", nil)}
		case want == there:
			results[i] = connectors.Result{Outcome: connectors.Written}
		case want:
			create = append(create, i)
		default:
			remove = append(remove, i)
		}
		if results[i].Outcome == "" {
			results[i] = connectors.Result{Outcome: connectors.Unsent}
		}
	}
	for some := range slices.Chunk(create, writeSize) {
		if err := t.create(ctx, updates, some, results); err != nil {
			return nil, err
		}
	}
	for some := range slices.Chunk(remove, writeSize) {
		if err := t.remove(ctx, held, updates, some, results); err != nil {
			return nil, err
		}
	}
	return results, nil
}

// wants tells whether an update wants a to-do to be there.
func wants(u connectors.Update) bool {
	for _, v := range u.Values {
		if v != nil {
			return true
		}
	}
	return false
}

func (m made) holds(u connectors.Update) bool {
	for field, v := range u.Values {
		if text, ok := v.(string); ok && field == connectors.TaskOwner {
			v = longID(text)
		}
		if m.value(u.ID, field) != v {
			return false
		}
	}
	return true
}

// create makes to-dos by one call, which is not repeated: what becomes of one that broke off, the next look tells.
func (t tasks) create(ctx context.Context, updates []connectors.Update, some []int, results []connectors.Result) error {
	records := make([]map[string]any, len(some))
	for n, i := range some {
		record, _, _ := strings.Cut(updates[i].ID, "/")
		records[n] = map[string]any{"attributes": map[string]string{"type": "Task"}, "WhatId": longID(record)}
		for field, v := range updates[i].Values {
			if column, ok := taskColumns[field]; ok {
				records[n][column] = v
			}
		}
		text, _ := updates[i].Values[connectors.TaskText].(string)
		records[n]["Description"] = strings.TrimSpace(text + "\n\n" + mark(updates[i].ID))
	}
	var answer []rowResult
	err := t.call(ctx, call{op: "make tasks", method: http.MethodPost, path: collections, body: map[string]any{"allOrNone": false, "records": records}, once: true}, &answer)
	if err != nil {
		return err
	}
	return judgeTasks(some, answer, results)
}

// remove deletes to-dos by one call.
func (t tasks) remove(ctx context.Context, held map[string]made, updates []connectors.Update, some []int, results []connectors.Result) error {
	ids := make([]string, len(some))
	for n, i := range some {
		ids[n] = held[updates[i].ID].ID
	}
	var answer []rowResult
	err := t.call(ctx, call{op: "delete tasks", method: http.MethodDelete, path: collections, query: url.Values{"ids": {strings.Join(ids, ",")}, "allOrNone": {"false"}}}, &answer)
	if err != nil {
		return err
	}
	for n := range answer { // an attempt before this one did it
		if len(answer[n].Errors) > 0 && answer[n].Errors[0].code() == "ENTITY_IS_DELETED" {
			answer[n] = rowResult{Success: true}
		}
	}
	return judgeTasks(some, answer, results)
}

// judgeTasks gives the results of the updates at these positions.
func judgeTasks(some []int, answer []rowResult, results []connectors.Result) error {
	if len(answer) != len(some) {
		return fault.New(fault.Unavailable, "write Task", fmt.Sprintf("the org answered %d results for %d rows", len(answer), len(some)), "", nil)
	}
	for n, i := range some {
		switch {
		case answer[n].Success:
			results[i] = connectors.Result{Outcome: connectors.Written}
		case len(answer[n].Errors) == 0:
			results[i] = judge("Task", &apiError{StatusCode: "UNKNOWN_EXCEPTION", Message: "the org gave no reason"})
		default:
			results[i] = judge("Task", &answer[n].Errors[0])
		}
	}
	return nil
}
