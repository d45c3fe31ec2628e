package salesforce

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"energyd/connectors"
	"energyd/internal/fault"
)

// participants is the column that holds the people of an activity: a list of
// maps of Id, Type, Name, Title, Email, Role and Status. Decision 0035.
const participants = "Participants"

// activities are the objects whose rows have people, with the objects that
// relate them: salesforce.md section 15.
var activities = map[string]struct{ relation, key string }{
	"Task":         {"TaskRelation", "TaskId"},
	"Event":        {"EventRelation", "EventId"},
	"EmailMessage": {"EmailMessageRelation", "EmailMessageId"},
}

// wantsPeople tells whether more than the Who is asked for.
func (s *Stream) wantsPeople() bool {
	return s.Participants && (len(s.Fields) == 0 ||
		slices.ContainsFunc(s.Fields, func(name string) bool { return strings.EqualFold(name, participants) }))
}

// people finds the people of a stream's activities.
type people struct {
	source *source
	at     int  // position of the column
	all    bool // as configured: not the Who alone

	whoID, whoType, whoName, whoTitle, whoEmail int // positions; -1 where the object has none
	count, group                                int // of WhoCount and IsGroupEvent
	relation                                    *relation
}

// relation is the object that relates activities to people, as far as the org has it.
type relation struct {
	object, key, stamp string
	columns            []string // of a person
	filter             string
	activity           string // relationship to the activity; "" when the org tells none
}

func newPeople(ctx context.Context, s *source, o *sobject, l look, at int, all bool) (*people, error) {
	p := &people{source: s, at: at, all: all}
	p.whoID = s.need(o, "WhoId")
	p.whoType, p.whoName = s.need(o, "Who.Type"), s.need(o, "Who.Name")
	p.whoTitle, p.whoEmail = s.need(o, "Who.Title"), s.need(o, "Who.Email")
	if !all {
		return p, nil
	}
	p.count, p.group = s.need(o, "WhoCount"), s.need(o, "IsGroupEvent")
	a := activities[o.Name]
	related, err := l.optional(ctx, a.relation)
	if related == nil || err != nil {
		return p, err // without Shared Activities there are no relations: each task has but its Who
	}
	r := &relation{object: related.Name, key: a.key, stamp: "SystemModstamp", columns: []string{"Id", a.key, "SystemModstamp"}}
	for _, name := range []string{"RelationId", "Status", "IsInvitee", "IsOrganizer", "RelationObjectType", "RelationType", "RelationAddress"} {
		if _, ok := related.field(name); ok {
			r.columns = append(r.columns, name)
		}
	}
	if f, ok := related.field("RelationId"); ok && f.RelationshipName != "" {
		for _, name := range []string{"Type", "Name", "Title", "Email"} {
			r.columns = append(r.columns, f.RelationshipName+"."+name)
		}
	}
	if _, ok := related.field("IsWhat"); ok {
		r.filter = " AND IsWhat = false"
	}
	if _, ok := related.field("IsDeleted"); ok {
		r.filter += " AND IsDeleted = false"
	}
	if f, ok := related.field(a.key); ok {
		r.activity = f.RelationshipName
	}
	p.relation = r
	return p, nil
}

// fingerprint tells streams apart that give other people.
func (p *people) fingerprint() string {
	switch {
	case p == nil:
		return ""
	case p.all:
		return " people"
	}
	return " who"
}

// follow tells whether relations change apart from their activities.
func (p *people) follow() bool { return p != nil && p.relation != nil }

// several tells whether an activity may have people besides its Who.
func (p *people) several(row []any) bool {
	if p.relation == nil {
		return false
	}
	if p.count < 0 && p.group < 0 {
		return true
	}
	if p.group >= 0 && row[p.group] == true {
		return true
	}
	count, ok := int64(2), true
	if p.count >= 0 {
		count, ok = row[p.count].(int64)
	}
	return ok && count > 1
}

// peopleAtOnce is how many activities one query asks the relations of, and
// queriesAtOnce how many queries the org takes in one call.
const (
	peopleAtOnce  = 300
	queriesAtOnce = 5
)

// join gives records, whose rows are those of the same index, their people. What
// the relations say is part of the record: it is as new as the newest of them.
func (p *people) join(ctx context.Context, records []connectors.Record, rows [][]any) error {
	var ids []string
	for i, row := range rows {
		row[p.at] = p.who(row)
		if p.several(row) && !records[i].Deleted {
			ids = append(ids, records[i].Key)
		}
	}
	found := map[string]*related{}
	for some := range slices.Chunk(ids, queriesAtOnce*peopleAtOnce) {
		if err := p.ask(ctx, some, found); err != nil {
			return err
		}
	}
	for i, row := range rows {
		r := found[records[i].Key]
		if r == nil {
			continue
		}
		row[p.at] = merged(row[p.at].([]any), r.people)
		if r.changed.After(records[i].ChangedAt) {
			records[i].ChangedAt = r.changed
		}
	}
	return nil
}

// who gives the list of the Who alone, which is empty where there is none.
func (p *people) who(row []any) []any {
	value := func(at int) any {
		if at < 0 {
			return nil
		}
		return row[at]
	}
	id, _ := value(p.whoID).(string)
	if id == "" {
		return []any{}
	}
	return []any{person(id, value(p.whoType), value(p.whoName), value(p.whoTitle), value(p.whoEmail), "who", nil)}
}

func person(id, typ, name, title, email, role, status any) map[string]any {
	if text, _ := id.(string); typ == nil && len(text) > 3 {
		typ = map[string]any{"003": "Contact", "00Q": "Lead", "001": "Account", "005": "User", "00G": "Group", "023": "Calendar"}[text[:3]]
	}
	return map[string]any{"Id": id, "Type": typ, "Name": name, "Title": title, "Email": email, "Role": role, "Status": status}
}

// merged puts the Who before the related ones, unless it is among them: without
// Shared Activities the relations of an event are its invitees.
func merged(who, related []any) []any {
	for _, w := range who {
		if !slices.ContainsFunc(related, func(r any) bool { return r.(map[string]any)["Id"] == w.(map[string]any)["Id"] }) {
			related = append([]any{w}, related...)
		}
	}
	return related
}

// related is who an activity is related to.
type related struct {
	people  []any
	changed time.Time // of the newest relation
}

// ask reads the relations of activities: what needs several queries, by one
// call of them, and what that does not answer by one call for each.
func (p *people) ask(ctx context.Context, ids []string, found map[string]*related) error {
	r, op := p.relation, "read "+p.relation.object
	var queries []url.Values
	for some := range slices.Chunk(ids, peopleAtOnce) {
		queries = append(queries, url.Values{"q": {fmt.Sprintf("SELECT %s FROM %s WHERE %s IN (%s)%s ORDER BY Id",
			strings.Join(r.columns, ","), r.object, r.key, quoteAll(some), r.filter)}})
	}
	answers := make([]relations, len(queries))
	if len(queries) > 1 {
		paths := make([]string, len(queries))
		for i, query := range queries {
			paths[i] = "/queryAll?" + encode(query)
		}
		parts, err := p.source.conn.together(ctx, op, paths)
		if err != nil && fault.KindOf(err) != fault.Config {
			return err
		}
		for i, part := range parts {
			var answer relations
			if part.Status == http.StatusOK && json.Unmarshal(part.Body, &answer) == nil {
				answers[i], queries[i] = answer, nil
			}
		}
	}
	for i, query := range queries {
		answer, path := answers[i], answers[i].NextRecordsURL
		if query != nil {
			path = "/queryAll"
		}
		for {
			for _, row := range answer.Records {
				id, _ := entry(row, r.key).(string)
				if found[id] == nil {
					found[id] = &related{}
				}
				found[id].add(row, r.stamp)
			}
			if path == "" {
				break
			}
			answer = relations{}
			if err := p.source.conn.call(ctx, call{op: op, method: http.MethodGet, path: path, query: query}, &answer); err != nil {
				return err
			}
			path, query = answer.NextRecordsURL, nil
		}
	}
	return nil
}

type relations struct {
	Records        []map[string]any `json:"records"`
	NextRecordsURL string           `json:"nextRecordsUrl"`
}

func (r *related) add(row map[string]any, stamp string) {
	of := func(path ...string) any { return descend(row, path) }
	typ := of("RelationObjectType")
	if typ == nil {
		typ = of("Relation", "Type")
	}
	email := of("RelationAddress")
	if email == nil {
		email = of("Relation", "Email")
	}
	role := "who"
	switch {
	case of("RelationType") != nil:
		// "ToAddress"
		role = strings.ToLower(strings.TrimSuffix(fmt.Sprint(of("RelationType")), "Address"))
	case of("IsOrganizer") == true:
		role = "organizer"
	case of("IsInvitee") == true:
		role = "invitee"
	}
	r.people = append(r.people, person(of("RelationId"), typ, of("Relation", "Name"), of("Relation", "Title"), email, role, of("Status")))
	if text, ok := of(stamp).(string); ok {
		if at, err := parseStamp(text); err == nil && at.After(r.changed) {
			r.changed = at
		}
	}
}

// readRelations gives the activities whose relations changed in the open window
// without themselves: their own change time lies before this round. Activities
// that the round has read already, have the relations of now.
func (r *reading) readRelations(ctx context.Context) error {
	w, rel := r.cur.Open, r.people.relation
	if rel == nil { // the org had Shared Activities when the round began
		r.finish()
		return r.done(ctx)
	}
	columns := "Id," + rel.stamp + "," + rel.key
	if rel.activity != "" {
		columns += "," + rel.activity + "." + r.stamp
	}
	var answer relations
	for path := "/queryAll"; ; {
		what := call{op: "read " + rel.object, method: http.MethodGet, path: path,
			header: map[string]string{"Sforce-Query-Options": fmt.Sprintf("batchSize=%d", r.conn.cfg.PageSize)}}
		if path == "/queryAll" {
			what.query = url.Values{"q": {fmt.Sprintf("SELECT %s FROM %s WHERE %s%s ORDER BY %s, Id", columns, rel.object, w.condition(rel.stamp), rel.filter, rel.stamp)}}
		}
		answer = relations{}
		err := r.conn.call(ctx, what, &answer)
		if hasCode(err, "QUERY_TIMEOUT", "OPERATION_TOO_LARGE") && w.halve() {
			path = "/queryAll"
			continue
		} else if err != nil {
			return err
		}
		if path = answer.NextRecordsURL; path == "" || len(answer.Records) > 0 {
			break // empty pages that have a successor are passed over
		}
	}
	more := answer.NextRecordsURL != ""
	var ids []string
	for _, row := range answer.Records {
		if len(ids) >= r.limit {
			more = true
			break
		}
		id, _ := entry(row, "Id").(string)
		activity, _ := entry(row, rel.key).(string)
		at, err := stampOf(row, rel.stamp)
		if err != nil || id == "" {
			return nameless(rel.object)
		}
		w.Last = &position{at, id}
		if rel.activity != "" {
			if own, err := stampOf(row, rel.activity, r.stamp); err == nil && !own.Before(w.Since) {
				continue
			}
		}
		if activity != "" && !slices.Contains(ids, activity) {
			ids = append(ids, activity)
		}
	}
	rows, err := r.whole(ctx, ids)
	if err != nil {
		return err
	}
	for _, p := range rows {
		if r.people.several(p.row) { // else its people are in its own columns
			if err := r.give(p.row); err != nil {
				return err
			}
		}
	}
	if !more {
		r.finish()
	}
	return r.done(ctx)
}

// stampOf gives the change time of an answer's row, or of a parent in it.
func stampOf(row map[string]any, path ...string) (time.Time, error) {
	text, _ := descend(row, path).(string)
	return parseStamp(text)
}
