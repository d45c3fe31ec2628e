package crmsim

import (
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

// move gives a row the stamps of a write.
func (s *Server) move(r *record, by rights) change {
	row := r.copy()
	s.touch(row, by)
	return s.putRow(r, row)
}

// shared are the fields that a child event has of its parent.
var sharedFields = []string{"Subject", "Description", "Location", "StartDateTime", "EndDateTime", "ActivityDateTime", "ActivityDate", "EndDate",
	"DurationInMinutes", "IsAllDayEvent", "WhoId", "WhatId", "AccountId", "IsPrivate", "GroupEventType", "IsGroupEvent"}

// maxOccurrences bounds a series.
const maxOccurrences = 1000

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
