package crmsim

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
	"time"
)

// activityObjects are tasks, events and mails with the rows that tie them to
// people and things, and the histories of opportunities.
func activityObjects(shared bool) []*object {
	owner := func() *Field { return reference("OwnerId", "Owner", "User") }
	activity := func() []*Field {
		return []*Field{
			reference("WhoId", "Who", "Contact", "Lead"), reference("WhatId", "What", "Account", "Opportunity"),
			readOnly(amount("WhoCount", Integer, 9, 0)), readOnly(amount("WhatCount", Integer, 9, 0)),
			readOnly(reference("AccountId", "Account", "Account")), owner(),
			pick("Subject", Combobox, "Call", "Email", "Meeting"), typed("Description", LongTextArea), typed("ActivityDate", Date),
		}
	}
	// What a series says of itself; last, since few rows have it.
	series := func(object string) []*Field {
		return []*Field{
			readOnly(typed("IsArchived", Checkbox)), createOnly(typed("IsRecurrence", Checkbox)),
			readOnly(reference("RecurrenceActivityId", "RecurrenceActivity", object)), typed("IsReminderSet", Checkbox), typed("ReminderDateTime", DateTime),
			pick("RecurrenceType", Picklist, "RecursDaily", "RecursEveryWeekday", "RecursWeekly", "RecursMonthly"),
			amount("RecurrenceInterval", Integer, 9, 0), amount("RecurrenceDayOfWeekMask", Integer, 9, 0), amount("RecurrenceDayOfMonth", Integer, 9, 0),
			typed("RecurrenceEndDateOnly", Date), text("RecurrenceTimeZoneSidKey", 40),
		}
	}
	task := append(activity(),
		pick("Status", Picklist, "Not Started", "In Progress", "Completed", "Deferred"), readOnly(typed("IsClosed", Checkbox)),
		pick("Priority", Picklist, "High", "Normal", "Low"), readOnly(typed("IsHighPriority", Checkbox)),
		createOnly(pick("TaskSubtype", Picklist, "Task", "Email", "Call", "Cadence", "ListEmail", "LinkedIn")),
		pick("CallType", Picklist, "Inbound", "Outbound", "Internal"), amount("CallDurationInSeconds", Integer, 8, 0), text("CallDisposition", 255),
		text("CallObject", 255), readOnly(typed("CompletedDateTime", DateTime)))
	event := append(activity(),
		typed("StartDateTime", DateTime), typed("EndDateTime", DateTime), typed("ActivityDateTime", DateTime),
		amount("DurationInMinutes", Integer, 8, 0), typed("IsAllDayEvent", Checkbox), text("Location", 255),
		readOnly(typed("IsGroupEvent", Checkbox)), readOnly(pick("GroupEventType", Picklist, "0", "1", "2", "3")),
		readOnly(typed("IsChild", Checkbox)), typed("IsPrivate", Checkbox),
		readOnly(pick("EventSubtype", Picklist, "Event")), pick("ShowAs", Picklist, "Busy", "OutOfOffice", "Free"), readOnly(typed("EndDate", Date)))
	mail := []string{"ToAddress", "CcAddress", "BccAddress", "FromAddress"}
	objects := []*object{
		newObject("Task", "Tasks", "00T", append(append(task, series("Task")...), typed("RecurrenceStartDateOnly", Date),
			readOnly(pick("RecurrenceRegeneratedType", Picklist, "RecurrenceRegenerateAfterDueDate", "RecurrenceRegenerateAfterToday", "RecurrenceRegenerated")))...),
		newObject("Event", "Events", "00U", append(append(event, series("Event")...), typed("RecurrenceStartDateTime", DateTime),
			readOnly(typed("IsRecurrence2", Checkbox)), readOnly(typed("IsRecurrence2Exclusion", Checkbox)), readOnly(typed("IsRecurrence2Exception", Checkbox)),
			readOnly(text("Recurrence2PatternText", 512)), readOnly(typed("Recurrence2PatternStartDate", DateTime)),
			internal(reference("ParentEventId", "", "Event")))...).ownedBy("ParentEventId"),
		newObject("EventRelation", "Event Relations", "0RE",
			required(createOnly(reference("EventId", "Event", "Event"))), required(createOnly(reference("RelationId", "Relation", "Contact", "Lead", "User", "Account", "Opportunity"))),
			readOnly(typed("IsWhat", Checkbox)), typed("IsInvitee", Checkbox), readOnly(typed("IsOrganizer", Checkbox)), typed("IsParent", Checkbox),
			readOnly(reference("AccountId", "Account", "Account")), pick("Status", Picklist, "New", "Accepted", "Declined", "Uninvited", "Maybe"),
			typed("RespondedDate", DateTime), text("Response", 255), internal(text("Type", 40))).ownedBy("EventId"),
		newObject("EmailMessage", "Email Messages", "02s",
			reference("ParentId", "", "Case"), createOnly(reference("ActivityId", "Activity", "Task")), reference("RelatedToId", "RelatedTo", "Account", "Opportunity"),
			typed("Incoming", Checkbox), pick("Status", Picklist, "0", "1", "2", "3", "4", "5"), typed("MessageDate", DateTime), text("Subject", 3000),
			text("FromAddress", 1000), text("FromName", 1000), text("ToAddress", 4000), text("CcAddress", 4000), text("BccAddress", 4000),
			typed("TextBody", LongTextArea), &Field{Name: "HtmlBody", Type: LongTextArea, Length: 131072},
			text("ThreadIdentifier", 1000), text("MessageIdentifier", 1000), typed("IsExternallyVisible", Checkbox), typed("IsBounced", Checkbox),
			typed("HasAttachment", Checkbox)),
		// The key prefix of this object stands in no public list.
		newObject("EmailMessageRelation", "Email Message Relations", "0Oe",
			required(createOnly(reference("EmailMessageId", "EmailMessage", "EmailMessage"))), createOnly(reference("RelationId", "Relation", "Contact", "Lead", "User")),
			readOnly(pick("RelationObjectType", Picklist, "Contact", "Lead", "User")), createOnly(pick("RelationType", Picklist, mail...)),
			createOnly(text("RelationAddress", 320))).ownedBy("EmailMessageId"),
		newObject("AccountContactRelation", "Account Contact Relations", "07k",
			required(createOnly(reference("AccountId", "Account", "Account"))), required(createOnly(reference("ContactId", "Contact", "Contact"))),
			readOnly(typed("IsDirect", Checkbox)), typed("IsActive", Checkbox), text("Roles", 4099), typed("StartDate", Date), typed("EndDate", Date)).ownedBy("ContactId"),
	}
	if shared {
		relation := func(name, plural string) *object {
			return newObject(name, plural, "0RT",
				required(createOnly(reference("TaskId", "Task", "Task"))), required(createOnly(reference("RelationId", "Relation", "Contact", "Lead", "Account", "Opportunity"))),
				readOnly(typed("IsWhat", Checkbox)), readOnly(reference("AccountId", "Account", "Account")), internal(text("Type", 40)))
		}
		rows, people := relation("TaskRelation", "Task Relations").ownedBy("TaskId"), relation("TaskWhoRelation", "Task Who Relations")
		what, _ := rows.field("IsWhat")
		people.readOnly, people.view = true, &selection{of: rows, shows: func(r *record) bool { return r.value(what) != true }}
		for _, name := range []string{"IsWhat", "Type"} {
			_, f := people.field(name)
			f.internal = !f.internal
		}
		objects = append(objects, rows, people)
	}
	return append(objects, historyObjects()...)
}

// listKeys are the keys of a write that hold several ids, by object. They make rows of the object's relation.
var listKeys = map[string][]string{
	"Task": {"TaskWhoIds"}, "Event": {"EventWhoIds"}, "EmailMessage": {"ToIds", "CcIds", "BccIds"},
}

// takeLists takes the lists of ids out of the values of a write; nil when there are none.
func takeLists(o *object, values map[string]any) (rest map[string]any, lists map[string][]string, refused *Error) {
	rest = values
	for name, v := range values {
		i := slices.IndexFunc(listKeys[o.name], func(key string) bool { return strings.EqualFold(key, name) })
		if i < 0 {
			continue
		}
		if lists == nil {
			lists, rest = map[string][]string{}, map[string]any{}
		}
		ids, ok := v.([]string)
		given, isArray := v.([]any)
		ok = ok || isArray || v == nil
		for _, id := range given {
			text, isText := id.(string)
			ids, ok = append(ids, text), ok && isText
		}
		key := listKeys[o.name][i]
		lists[key] = make([]string, len(ids))
		for n, id := range ids {
			full, isID := normalID(id)
			lists[key][n], ok = full, ok && isID
		}
		if !ok {
			return nil, nil, refuse("MALFORMED_ID", []string{key}, "%s: a list of ids is expected: %v", key, v)
		}
	}
	if lists != nil {
		for name, v := range values {
			if !slices.ContainsFunc(listKeys[o.name], func(key string) bool { return strings.EqualFold(key, name) }) {
				rest[name] = v
			}
		}
	}
	return rest, lists, nil
}

// follow does what the org itself does after a row was made or changed. An
// error comes with the changes made until then.
func (s *Server) follow(c change, lists map[string][]string, by rights) ([]change, error) {
	switch c.row.obj.name {
	case "Task", "Event":
		return s.followActivity(c, lists, by)
	case "TaskRelation", "EventRelation":
		return s.followRelation(c, by)
	case "EmailMessage":
		return s.followMail(c, lists, by)
	case "Contact":
		return s.followContact(c, by)
	case "Opportunity":
		return s.followOpportunity(c), nil
	}
	if c.row.obj.writes != "" {
		return nil, s.followPermission(c)
	}
	return nil, nil
}

// followDelete does what the org itself does after a row went into the bin or came out.
func (s *Server) followDelete(r *record) []change {
	if n := r.obj.name; n != "Task" && n != "Event" {
		return nil
	}
	if r.deleted() {
		return s.forgetActivity(r)
	}
	return s.lastActivity(r)
}

// whole are small numbers in stored form: what most rows hold costs no memory of its own.
var whole = func() (list [100]any) {
	for i := range list {
		list[i] = float64(i)
	}
	return list
}()

func count(n int) any {
	if n < len(whole) {
		return whole[n]
	}
	return float64(n)
}

// deriveActivity sets what the org computes of a task or event. The account is
// that of What, else of Who.
func (s *Server) deriveActivity(o *object, get func(string) any, set func(string, any), row []any) {
	if row[colID] == nil {
		for _, of := range []string{"Who", "What"} {
			n := 0
			if get(of+"Id") != nil {
				n = 1
			}
			set(of+"Count", count(n))
		}
	}
	account := s.accountOf(get("WhatId"))
	if account == nil {
		account = s.accountOf(get("WhoId"))
	}
	set("AccountId", account)
	if o.name == "Task" {
		deriveTask(get, set, row)
		return
	}
	start, ok := get("StartDateTime").(int64)
	if !ok {
		return
	}
	set("ActivityDateTime", get("StartDateTime"))
	set("ActivityDate", stamp(start)[:len(time.DateOnly)])
	if end, ok := get("EndDateTime").(int64); ok {
		set("DurationInMinutes", float64((end-start)/60))
		set("EndDate", stamp(end)[:len(time.DateOnly)])
	}
}

func deriveTask(get func(string) any, set func(string, any), row []any) {
	closed := get("Status") == "Completed"
	set("IsClosed", closed)
	set("IsHighPriority", get("Priority") == "High")
	switch {
	case !closed:
		set("CompletedDateTime", nil)
	case get("CompletedDateTime") == nil:
		set("CompletedDateTime", row[colModified])
	}
	if get("TaskSubtype") == nil {
		set("TaskSubtype", "Task")
	}
}

// accountOf gives the account that a record of any object is or has, nil when there is none.
func (s *Server) accountOf(id any) any {
	text, _ := id.(string)
	r := s.find(text)
	switch {
	case r == nil:
		return nil
	case r.obj.name == "Account":
		return r.value(colID)
	}
	return r.latest("AccountId")
}

// deriveRelation sets what a relation says of the record that it leads to.
func (s *Server) deriveRelation(o *object, get func(string) any, set func(string, any)) {
	id, _ := get("RelationId").(string)
	r := s.find(id)
	if r == nil {
		return
	}
	if o.name == "EmailMessageRelation" {
		set("RelationObjectType", r.obj.name)
		if get("RelationAddress") == nil {
			set("RelationAddress", r.latest("Email"))
		}
		return
	}
	set("Type", r.obj.name)
	set("IsWhat", r.obj.name == "Account" || r.obj.name == "Opportunity")
	set("AccountId", s.accountOf(id))
}

// relation tells of objects whose rows are deleted without going through the bin.
func relation(o *object) bool { return o.name == "TaskRelation" || o.name == "EventRelation" }

// relations gives the object of an activity's relations; nil when the feature is off.
func (s *Server) relations(activity *record) *object {
	if s.opt.NoSharedActivities || activity.latest("IsChild") == true {
		return nil
	}
	return s.objects[lower(activity.obj.name)+"relation"]
}

// followActivity keeps the rows around a task or event right.
func (s *Server) followActivity(c change, lists map[string][]string, by rights) (also []change, err error) {
	r, made := c.row, c.before == nil
	if made && r.latest("IsRecurrence") == true {
		if also, err = s.occurrences(r, lists, by); err != nil {
			return also, err
		}
	}
	if rel := s.relations(r); rel != nil {
		related, err := s.relate(c, rel, lists[r.obj.name+"WhoIds"], by)
		also = append(also, related...)
		if err != nil {
			return also, err
		}
	}
	if !made {
		also = append(also, s.alignChildren(r)...)
	}
	return append(also, s.lastActivity(r)...), nil
}

// relate makes the relations of an activity those that WhoId, WhatId and the
// list of people say. Without a list the others stay who they are.
func (s *Server) relate(c change, rel *object, people []string, by rights) (also []change, err error) {
	r := c.row
	old := &record{obj: r.obj, values: c.before}
	who, what, oldWho, oldWhat := r.latestText("WhoId"), r.latestText("WhatId"), old.latestText("WhoId"), old.latestText("WhatId")
	if c.before != nil && who == oldWho && what == oldWhat && people == nil {
		return nil, nil
	}
	if people == nil {
		people = r.others(rel, false, oldWho)
	} else if who != "" && who == oldWho && c.before != nil && !slices.Contains(people, who) {
		who = "" // the list says who is first
	}
	people = distinct(who, people)
	for _, id := range people {
		if p := s.find(id); p == nil || p.deleted() || p.obj.name != "Contact" && p.obj.name != "Lead" {
			return nil, refuse("INVALID_CROSS_REFERENCE_KEY", []string{r.obj.name + "WhoIds"}, "invalid cross reference id")
		}
	}
	things := distinct(what, r.others(rel, true, oldWhat))
	counts := map[string]any{"WhoCount": count(len(people)), "WhatCount": count(len(things))}
	if len(people) > 0 && people[0] != who {
		also = append(also, s.setWho(r, people[0]))
	}
	also = append(also, s.put(r, counts))
	for _, kind := range []struct {
		things bool
		ids    []string
	}{{false, people}, {true, things}} {
		related := r.related(rel, kind.things)
		for _, other := range related {
			if !slices.Contains(kind.ids, other.text("RelationId")) {
				also = append(also, s.drop(other))
			}
		}
		for _, id := range kind.ids {
			if !slices.ContainsFunc(related, func(other *record) bool { return other.text("RelationId") == id }) {
				also = append(also, s.addRelation(r, rel, id, kind.things, c.before == nil, by))
			}
		}
	}
	return also, nil
}

// others are the people, or the things, that an activity is related to beside one.
func (r *record) others(rel *object, things bool, but string) (ids []string) {
	for _, other := range r.related(rel, things) {
		if id := other.text("RelationId"); id != but {
			ids = append(ids, id)
		}
	}
	return ids
}

// distinct puts first before the others, each id once and none empty.
func distinct(first string, others []string) (ids []string) {
	for _, id := range append([]string{first}, others...) {
		if id != "" && !slices.Contains(ids, id) {
			ids = append(ids, id)
		}
	}
	return ids
}

// related gives the activity's relations to people, or to things; not its mere invitees.
func (r *record) related(rel *object, things bool) (list []*record) {
	what, _ := rel.field("IsWhat")
	for _, other := range r.owned {
		if other.obj == rel && !other.deleted() && (other.value(what) == true) == things && !other.invitee() {
			list = append(list, other)
		}
	}
	return list
}

// invitee tells of a relation that invites a user, and says nothing else.
func (r *record) invitee() bool { return strings.HasPrefix(r.latestText("RelationId"), "005") }

// addRelation makes a row that says what the activity says already; of a new
// activity it has the stamps.
func (s *Server) addRelation(r *record, rel *object, id string, isWhat, made bool, by rights) change {
	row := make([]any, len(rel.fields))
	copy(row, r.written()[:colStamp+1])
	if !made {
		s.touch(row, by)
		row[colCreated], row[colCreatedBy] = row[colModified], row[colModifiedBy]
	}
	row[colDeleted] = false
	row[rel.owner] = r.value(colID)
	set := func(name string, v any) { i, _ := rel.field(name); row[i] = v }
	if to := s.find(id); to != nil {
		set("RelationId", to.value(colID))
		set("Type", to.obj.name)
		set("AccountId", s.accountOf(id))
	}
	set("IsWhat", isWhat)
	if rel.name == "EventRelation" {
		set("IsParent", true)
	}
	return s.enter(rel, row)
}

// recount sets how many people and things an activity has; that moves no stamp.
func (s *Server) recount(r *record, rel *object) change {
	return s.put(r, map[string]any{"WhoCount": count(len(r.related(rel, false))), "WhatCount": count(len(r.related(rel, true)))})
}

// setWho makes another person the first one; "" = nobody.
func (s *Server) setWho(r *record, id string) change {
	row := r.copy()
	i, _ := r.obj.field("WhoId")
	row[i] = nil
	if p := s.find(id); p != nil {
		row[i] = p.value(colID)
	}
	s.derive(r.obj, row, r.copy())
	return s.putRow(r, row)
}

// move gives a row the stamps of a write.
func (s *Server) move(r *record, by rights) change {
	row := r.copy()
	s.touch(row, by)
	return s.putRow(r, row)
}

// followRelation lets an activity know a relation that was made by itself.
func (s *Server) followRelation(c change, by rights) (also []change, err error) {
	r := c.row
	activity := r.owner()
	if c.before != nil || activity == nil {
		return nil, nil
	}
	if activity.latest("IsChild") == true {
		return nil, refuse("FIELD_INTEGRITY_EXCEPTION", []string{"EventId"}, "child events have no relations")
	}
	if r.invitee() {
		return s.invite(activity, r, by), nil
	}
	if s.opt.NoSharedActivities && r.latest("IsInvitee") != true {
		return nil, refuse("FIELD_INTEGRITY_EXCEPTION", []string{"RelationId"}, "Shared Activities is not enabled")
	}
	same := func(other *record) bool {
		return other != r && other.latestText("RelationId") == r.latestText("RelationId")
	}
	if slices.ContainsFunc(activity.related(r.obj, r.latest("IsWhat") == true), same) {
		return nil, refuse("DUPLICATE_VALUE", []string{"RelationId"}, "the relation exists already")
	}
	if r.latest("IsWhat") != true && activity.latest("WhoId") == nil {
		also = append(also, s.setWho(activity, r.latestText("RelationId")), s.move(activity, by))
	}
	return append(also, s.changedRelations(activity, r.obj, by)...), nil
}

// changedRelations counts anew, and moves the activity's stamp where the org is said to.
func (s *Server) changedRelations(activity *record, rel *object, by rights) []change {
	also := []change{s.recount(activity, rel)}
	if s.outcome("S119") == "moves" {
		also = append(also, s.move(activity, by))
	}
	return also
}

// unrelate deletes a relation: no bin keeps it. Was it the first person, another one becomes that.
func (s *Server) unrelate(r *record, by rights) change {
	activity, what := r.owner(), r.latest("IsWhat") == true
	c := s.drop(r)
	if activity == nil {
		return c
	}
	id, _ := c.before[slices.IndexFunc(r.obj.fields, func(f *Field) bool { return f.Name == "RelationId" })].(string)
	switch {
	case strings.HasPrefix(id, "005"):
		for _, child := range slices.Clone(activity.owned) {
			if child.obj == activity.obj && child.latestText("OwnerId") == id && !child.deleted() {
				c.also = append(c.also, s.mark(child, true, by))
			}
		}
		return c
	case what && activity.latestText("WhatId") == id:
		c.also = append(c.also, s.put(activity, map[string]any{"WhatId": nil}), s.setWho(activity, activity.latestText("WhoId")), s.move(activity, by))
	case !what && activity.latestText("WhoId") == id:
		next := ""
		if others := activity.related(r.obj, false); len(others) > 0 {
			next = others[0].latestText("RelationId")
		}
		c.also = append(c.also, s.setWho(activity, next), s.move(activity, by))
	}
	c.also = append(c.also, s.changedRelations(activity, r.obj, by)...)
	return c
}

// shared are the fields that a child event has of its parent.
var sharedFields = []string{"Subject", "Description", "Location", "StartDateTime", "EndDateTime", "ActivityDateTime", "ActivityDate", "EndDate",
	"DurationInMinutes", "IsAllDayEvent", "WhoId", "WhatId", "AccountId", "IsPrivate", "GroupEventType", "IsGroupEvent"}

// invite gives the invited user a row of the event, the child.
func (s *Server) invite(event, relation *record, by rights) (also []change) {
	if event.latest("IsGroupEvent") != true {
		also = append(also, s.put(event, map[string]any{"IsGroupEvent": true, "GroupEventType": "1"}))
	}
	child := event.copy()
	s.touch(child, by)
	child[colCreated], child[colCreatedBy] = child[colModified], child[colModifiedBy]
	set := func(name string, v any) { i, _ := event.obj.field(name); child[i] = v }
	set("OwnerId", relation.latest("RelationId"))
	set("IsChild", true)
	set("ParentEventId", event.value(colID))
	also = append(also, s.enter(event.obj, child))
	if relation.latest("IsInvitee") != true {
		also = append(also, s.put(relation, map[string]any{"IsInvitee": true}))
	}
	return also
}

// alignChildren makes the child rows of an event say what it says.
func (s *Server) alignChildren(event *record) (also []change) {
	for _, child := range event.owned {
		if child.obj != event.obj || child.deleted() {
			continue
		}
		row := child.copy()
		copy(row[colModified:colStamp+1], event.written()[colModified:colStamp+1])
		for _, name := range sharedFields {
			i, _ := event.obj.field(name)
			row[i] = event.latest(name)
		}
		also = append(also, s.putRow(child, row))
	}
	return also
}

// maxOccurrences bounds a series.
const maxOccurrences = 1000

// occurrences makes the rows of a series out of its template.
func (s *Server) occurrences(template *record, lists map[string][]string, by rights) (also []change, err error) {
	also = append(also, s.put(template, map[string]any{"RecurrenceActivityId": template.value(colID)}))
	kind := template.latestText("RecurrenceType")
	if kind == "" {
		return also, nil // the occurrences are made one by one
	}
	if template.obj.name == "Task" && template.latest("ActivityDate") != nil {
		return also, refuse("FIELD_INTEGRITY_EXCEPTION", []string{"ActivityDate"}, "a recurring task has no due date of its own")
	}
	from, clock := template.latestText("RecurrenceStartDateOnly"), time.Duration(0)
	length := time.Duration(0)
	if template.obj.name == "Event" {
		first, _ := template.latest("RecurrenceStartDateTime").(int64)
		at := time.Unix(first, 0).UTC()
		from, clock = at.Format(time.DateOnly), at.Sub(at.Truncate(24*time.Hour))
		minutes, _ := template.latest("DurationInMinutes").(float64)
		length = time.Duration(minutes) * time.Minute
	}
	day, err := time.Parse(time.DateOnly, from)
	end, endErr := time.Parse(time.DateOnly, template.latestText("RecurrenceEndDateOnly"))
	if err != nil || endErr != nil || end.Before(day) {
		return also, refuse("FIELD_INTEGRITY_EXCEPTION", []string{"RecurrenceEndDateOnly"}, "a series needs its first and its last day")
	}
	values := map[string]any{"RecurrenceActivityId": template.id(), "CreatedDate": shown(template.latest("CreatedDate")),
		"LastModifiedDate": shown(template.latest("LastModifiedDate")), "SystemModstamp": shown(template.latest("SystemModstamp"))}
	for _, name := range []string{"WhoId", "WhatId", "OwnerId", "Subject", "Description", "Status", "Priority", "TaskSubtype", "CallType", "Location", "ShowAs", "IsPrivate"} {
		if v := template.latest(name); v != nil {
			values[name] = v
		}
	}
	start := day
	for n := 0; !day.After(end); day = day.AddDate(0, 0, 1) {
		if !recurs(kind, template, start, day) {
			continue
		}
		if n++; n > maxOccurrences {
			return also, refuse("FIELD_INTEGRITY_EXCEPTION", []string{"RecurrenceEndDateOnly"}, "a series has at most %d occurrences", maxOccurrences)
		}
		if template.obj.name == "Task" {
			values["ActivityDate"] = day
		} else {
			values["StartDateTime"], values["EndDateTime"] = day.Add(clock), day.Add(clock+length)
		}
		given := map[string]any{}
		for name, v := range values {
			given[name] = v
		}
		for name, ids := range lists {
			given[name] = ids
		}
		c, err := s.insert(template.obj, given, rights{by.user, true})
		if err != nil {
			return also, fmt.Errorf("an occurrence of %s: %w", day.Format(time.DateOnly), err)
		}
		also = append(also, c)
	}
	return also, nil
}

// recurs tells whether a series that begins on start has an occurrence on a day.
func recurs(kind string, template *record, start, day time.Time) bool {
	number := func(name string, otherwise int) int {
		if n, ok := template.latest(name).(float64); ok && n >= 1 {
			return int(n)
		}
		return otherwise
	}
	every := number("RecurrenceInterval", 1)
	days := int(day.Sub(start).Hours() / 24)
	switch kind {
	case "RecursDaily":
		return days%every == 0
	case "RecursEveryWeekday":
		return day.Weekday() != time.Saturday && day.Weekday() != time.Sunday
	case "RecursWeekly":
		mask := uint(number("RecurrenceDayOfWeekMask", 1<<start.Weekday())) // Sunday is 1, Monday 2, Tuesday 4 …
		week := (days + int(start.Weekday())) / 7
		return bits.OnesCount(mask&(1<<day.Weekday())) == 1 && week%every == 0
	case "RecursMonthly":
		months := 12*(day.Year()-start.Year()) + int(day.Month()) - int(start.Month())
		return day.Day() == number("RecurrenceDayOfMonth", start.Day()) && months%every == 0
	}
	return false
}

// activityDay is the day that counts as the last activity of those concerned; "" when none does.
func activityDay(r *record) string {
	if r.deleted() || r.latest("IsRecurrence") == true || r.obj.name == "Task" && r.latest("IsClosed") != true {
		return ""
	}
	return r.latestText("ActivityDate")
}

// concerned are the records whose LastActivityDate an activity can move.
func (s *Server) concerned(r *record) (list []*record) {
	ids := []string{r.latestText("AccountId"), r.latestText("WhatId"), r.latestText("WhoId")}
	for _, other := range r.owned {
		if relation(other.obj) {
			ids = append(ids, other.latestText("RelationId"))
		}
	}
	for _, id := range ids {
		if to := s.find(id); to != nil && !slices.Contains(list, to) {
			if _, f := to.obj.field("LastActivityDate"); f != nil {
				list = append(list, to)
			}
		}
	}
	return list
}

// lastActivity moves LastActivityDate of those concerned forward; their stamps stay.
func (s *Server) lastActivity(r *record) (also []change) {
	day := activityDay(r)
	if day == "" {
		return nil
	}
	for _, to := range s.concerned(r) {
		if to.latestText("LastActivityDate") < day {
			also = append(also, s.put(to, map[string]any{"LastActivityDate": day}))
		}
	}
	return also
}

// forgetActivity finds the last activity anew for those whose last one was deleted.
func (s *Server) forgetActivity(gone *record) (also []change) {
	last := map[*record]string{}
	for _, to := range s.concerned(gone) {
		if to.latestText("LastActivityDate") == gone.latestText("ActivityDate") {
			last[to] = ""
		}
	}
	if len(last) == 0 {
		return nil
	}
	for _, name := range []string{"task", "event"} {
		for _, r := range s.objects[name].rows {
			day := activityDay(r)
			if day == "" {
				continue
			}
			for _, to := range s.concerned(r) {
				if before, asked := last[to]; asked && before < day {
					last[to] = day
				}
			}
		}
	}
	for to, day := range last {
		var v any
		if day != "" {
			v = day
		}
		also = append(also, s.put(to, map[string]any{"LastActivityDate": v}))
	}
	return also
}

// followMail relates a mail to the people that are named with it, and logs it as a task.
func (s *Server) followMail(c change, lists map[string][]string, by rights) (also []change, err error) {
	r := c.row
	if c.before != nil || r.latestText("Status") == "5" {
		return nil, nil
	}
	var people []string
	for _, key := range listKeys["EmailMessage"] {
		for _, id := range lists[key] {
			made, err := s.insert(s.objects["emailmessagerelation"], map[string]any{"EmailMessageId": r.id(), "RelationId": id,
				"RelationType": strings.TrimSuffix(key, "Ids") + "Address"}, rights{by.user, true})
			if err != nil {
				return also, err
			}
			also = append(also, made)
			if !strings.HasPrefix(id, "005") && !slices.Contains(people, id) {
				people = append(people, id)
			}
		}
	}
	if r.latest("ActivityId") != nil || people == nil && r.latest("RelatedToId") == nil {
		return also, nil
	}
	at := r.latest("MessageDate")
	if at == nil {
		at = r.latest("CreatedDate")
	}
	values := map[string]any{"Subject": "Email: " + r.latestText("Subject"), "TaskSubtype": "Email", "Status": "Completed", "Priority": "Normal",
		"Description": r.latest("TextBody"), "ActivityDate": shown(at), "CompletedDateTime": shown(at), "WhatId": r.latest("RelatedToId"), "OwnerId": by.user,
		"CreatedDate": shown(r.latest("CreatedDate")), "LastModifiedDate": shown(r.latest("LastModifiedDate")), "SystemModstamp": shown(r.latest("SystemModstamp"))}
	if people != nil {
		values["WhoId"] = people[0]
		values["TaskWhoIds"] = people
	}
	task, err := s.insert(s.objects["task"], values, rights{by.user, true})
	if err != nil {
		return also, err
	}
	return append(also, task, s.put(r, map[string]any{"ActivityId": task.row.value(colID)})), nil
}

// followContact keeps the row that ties a contact to its account.
func (s *Server) followContact(c change, by rights) (also []change, err error) {
	r, rel := c.row, s.objects["accountcontactrelation"]
	old := &record{obj: r.obj, values: c.before}
	account := r.latest("AccountId")
	if account == old.latest("AccountId") {
		return nil, nil
	}
	there := false
	for _, other := range slices.Clone(r.owned) {
		switch {
		case other.obj != rel || other.deleted():
		case other.latest("AccountId") == account:
			there = true
			also = append(also, s.put(other, map[string]any{"IsDirect": true}), s.move(other, by))
		case other.latest("IsDirect") == true:
			also = append(also, s.drop(other))
		}
	}
	if there || account == nil {
		return also, nil
	}
	row := make([]any, len(rel.fields))
	copy(row, r.written()[:colStamp+1])
	row[colCreated], row[colCreatedBy], row[rel.owner] = row[colModified], row[colModifiedBy], r.value(colID)
	for name, v := range map[string]any{"AccountId": account, "IsDirect": true, "IsActive": true} {
		i, _ := rel.field(name)
		row[i] = v
	}
	return append(also, s.enter(rel, row)), nil
}
