package crmsim

import (
	"slices"
	"strings"
)

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
