package crmsim

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// rights say who writes and what they may.
type rights struct {
	user string // id of the User
	all  bool   // also read-only and hidden fields, as the org itself does
}

func (s *Server) adminRights() rights       { return rights{s.admin, true} }
func (s *Server) integrationRights() rights { return rights{s.runAs, false} }

// target finds the row that a write names, or says why it cannot be written.
func (s *Server) target(o *object, id string) (*record, *Error) {
	full, ok := normalID(id)
	if !ok || full[:3] != o.prefix {
		return nil, refuse("MALFORMED_ID", []string{"Id"}, "%s ID: id value of incorrect type: %s", o.label, id)
	}
	r := o.byID[full]
	if r == nil {
		return nil, refuse("INVALID_CROSS_REFERENCE_KEY", nil, "invalid cross reference id")
	}
	return r, nil
}

func (s *Server) insert(o *object, values map[string]any, by rights) (change, error) {
	now := s.now().Unix()
	row := make([]any, len(o.fields))
	row[colDeleted] = false
	row[colCreated], row[colModified], row[colStamp] = now, now, now
	row[colCreatedBy], row[colModifiedBy] = by.user, by.user
	for i, f := range o.fields {
		if f.Type == Checkbox {
			row[i] = false
		}
	}
	if i, f := o.field("OwnerId"); f != nil {
		row[i] = by.user
	}
	if err := s.assign(o, nil, row, values, by); err != nil {
		return change{}, err
	}
	var missing []string
	for i, f := range o.fields {
		if f.Required && row[i] == nil {
			missing = append(missing, f.Name)
		}
	}
	if missing != nil {
		return change{}, refuse("REQUIRED_FIELD_MISSING", missing, "Required fields are missing: [%s]", strings.Join(missing, ", "))
	}
	o.last++
	row[colID] = newID(o.prefix, o.last)
	r := &record{obj: o}
	s.derive(o, row, nil)
	s.set(r, row)
	return change{row: r}, nil
}

func (s *Server) update(o *object, id string, values map[string]any, by rights) (change, error) {
	r, refused := s.target(o, id)
	if refused != nil {
		return change{}, refused
	}
	if r.deleted() {
		return change{}, refuse("ENTITY_IS_DELETED", nil, "entity is deleted")
	}
	if refused := r.openElsewhere(); refused != nil {
		return change{}, refused
	}
	if !by.all && o.readOnly {
		return change{}, refuse("INSUFFICIENT_ACCESS_OR_READONLY", nil, "insufficient access rights on object id")
	}
	if !by.all {
		if refused := s.control.lockedRow(r); refused != nil {
			return change{}, refused
		}
	}
	row := make([]any, len(o.fields))
	copy(row, r.values)
	s.touch(row, by)
	if err := s.assign(o, r, row, values, by); err != nil {
		return change{}, err
	}
	for i, f := range o.fields {
		if f.Required && row[i] == nil {
			return change{}, refuse("REQUIRED_FIELD_MISSING", []string{f.Name}, "Required fields are missing: [%s]", f.Name)
		}
	}
	s.derive(o, row, r.values)
	if s.outcome("S66") == "keeps" && equalData(r, row) {
		return change{row: r, before: r.values}, nil
	}
	c := change{row: r, before: r.values}
	s.set(r, row)
	return c, nil
}

// equalData reports that nothing but the stamps would change.
func equalData(r *record, row []any) bool {
	for i := colStamp + 1; i < len(row); i++ {
		if row[i] != r.value(i) {
			return false
		}
	}
	return true
}

// assign checks values and puts them into row. It changes nothing else.
func (s *Server) assign(o *object, existing *record, row []any, values map[string]any, by rights) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		i, f := o.field(name)
		switch {
		case f == nil, !by.all && !f.visible():
			return refuse("INVALID_FIELD", []string{name}, "No such column '%s' on sobject of type %s", name, o.name)
		case !by.all && !f.writable(), i == colID:
			return refuse("INVALID_FIELD_FOR_INSERT_UPDATE", []string{f.Name}, "Unable to create/update fields: %s. "+
				"Please check the security settings of this field and verify that it is read/write for your profile or permission set.", f.Name)
		}
		v, refused := s.stored(f, values[name])
		if refused == nil {
			refused = s.crossCheck(o, existing, i, v)
		}
		if refused == nil && !by.all {
			refused = s.control.invalid(o, f, v)
		}
		if refused != nil {
			return refused
		}
		row[i] = v
	}
	return nil
}

// crossCheck holds a value against other rows: references lead somewhere, unique values are.
func (s *Server) crossCheck(o *object, existing *record, column int, v any) *Error {
	text, ok := v.(string)
	if !ok {
		return nil
	}
	f := o.fields[column]
	if index := o.unique[column]; index != nil {
		if other := index[lower(text)]; other != nil && other != existing {
			return refuse("DUPLICATE_VALUE", []string{f.Name}, "duplicate value found: %s duplicates value on record with id: %s", f.Name, other.id()[:15])
		}
	}
	if f.Type != Reference || column < colStamp { // the first users create themselves
		return nil
	}
	to := s.byPrefix[text[:3]]
	if to == nil || !slices.Contains(f.ReferenceTo, to.name) {
		return refuse("MALFORMED_ID", []string{f.Name}, "%s: id value of incorrect type: %s", f.Label, text)
	}
	if r := to.byID[text]; r == nil && text != s.admin && text != s.runAs {
		return refuse("INVALID_CROSS_REFERENCE_KEY", []string{f.Name}, "invalid cross reference id")
	} else if r != nil && r.deleted() {
		return refuse("ENTITY_IS_DELETED", []string{f.Name}, "entity is deleted")
	}
	return nil
}

// derive sets the fields that the org computes itself. before is nil for a new row.
func (s *Server) derive(o *object, row, before []any) {
	get := func(name string) any { i, _ := o.field(name); return row[i] }
	set := func(name string, v any) { i, _ := o.field(name); row[i] = v }
	switch o.name {
	case "Contact", "Lead", "User":
		set("Name", personName(get("LastName"), get("FirstName")))
	case "Opportunity":
		stage := fmt.Sprint(get("StageName"))
		set("IsWon", stage == "Closed Won")
		set("IsClosed", strings.HasPrefix(stage, "Closed"))
		if i, _ := o.field("StageName"); before != nil && before[i] != row[i] {
			set("LastStageChangeDate", row[colModified])
		}
	case "Task", "Event":
		s.deriveActivity(get, set)
		if o.name == "Task" {
			s.deriveTask(get, set, row)
		} else if start, ok := get("StartDateTime").(int64); ok {
			set("ActivityDateTime", start)
			set("ActivityDate", stamp(start)[:len("2006-01-02")])
			if end, ok := get("EndDateTime").(int64); ok {
				set("DurationInMinutes", float64((end-start)/60))
			}
		}
	}
}

// deriveActivity counts people and things, and finds the account as the object
// reference tells: by What if that is an account or has one, else by Who.
func (s *Server) deriveActivity(get func(string) any, set func(string, any)) {
	for _, of := range []string{"Who", "What"} {
		n := 0.0
		if get(of+"Id") != nil {
			n = 1
		}
		set(of+"Count", n)
	}
	set("AccountId", nil)
	for _, key := range []string{"WhatId", "WhoId"} {
		id, _ := get(key).(string)
		r := s.find(id)
		if r == nil {
			continue
		}
		account := r.id()
		if r.obj.name != "Account" {
			account = ""
			if _, f := r.obj.field("AccountId"); f != nil {
				account = r.text("AccountId")
			}
		}
		if account != "" {
			set("AccountId", account)
			return
		}
	}
}

func (s *Server) deriveTask(get func(string) any, set func(string, any), row []any) {
	closed := get("Status") == "Completed"
	set("IsClosed", closed)
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

// personName puts the family name first where names are not written in ASCII.
func personName(last, first any) any {
	l, _ := last.(string)
	f, _ := first.(string)
	if strings.IndexFunc(l, func(r rune) bool { return r > 127 }) >= 0 {
		l, f = f, l
	}
	return strings.TrimSpace(f + " " + l)
}
