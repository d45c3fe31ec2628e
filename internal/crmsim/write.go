package crmsim

import (
	"fmt"
	"maps"
	"math"
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

// forbidden tells that the object is not to be written by this user.
func (s *Server) forbidden(o *object, by rights) *Error {
	if o.view != nil || !by.all && (o.readOnly || o.writes != "" && !s.rights[o.writes]) {
		return refuse("INSUFFICIENT_ACCESS_OR_READONLY", nil, "insufficient access rights on object id")
	}
	return nil
}

// moment is the stamp of a write, in Unix seconds: the same one for all rows of
// a chunk. The caller holds s.mu.
func (s *Server) moment() int64 {
	if s.chunkStamp != 0 {
		return s.chunkStamp
	}
	return s.now().Unix()
}

func (s *Server) insert(o *object, values map[string]any, by rights) (change, error) {
	if o.view != nil || o.system && !by.all {
		return change{}, refuse("CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", nil, "entity type cannot be inserted: %s", o.label)
	}
	if refused := s.forbidden(o, by); refused != nil {
		return change{}, refused
	}
	values, lists, refused := takeLists(o, values)
	if refused != nil {
		return change{}, refused
	}
	now := s.moment()
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
	s.derive(o, row, nil)
	return s.complete(s.enter(o, row), lists, by)
}

// complete adds what the org itself does after a change, or takes the change back.
func (s *Server) complete(c change, lists map[string][]string, by rights) (change, error) {
	also, err := s.follow(c, lists, by)
	c.also = append(c.also, also...)
	if err != nil {
		s.undo([]change{c})
		return change{}, err
	}
	return c, nil
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
	if refused := s.forbidden(o, by); refused != nil {
		return change{}, refused
	}
	if !by.all {
		if refused := s.control.lockedRow(r); refused != nil {
			return change{}, refused
		}
	}
	values, lists, refused := takeLists(o, values)
	if refused != nil {
		return change{}, refused
	}
	row := r.copy()
	s.touch(row, by)
	if err := s.assign(o, r, row, values, by); err != nil {
		return change{}, err
	}
	for i, f := range o.fields {
		if f.Required && row[i] == nil {
			return change{}, refuse("REQUIRED_FIELD_MISSING", []string{f.Name}, "Required fields are missing: [%s]", f.Name)
		}
	}
	s.derive(o, row, r.copy())
	if s.outcome("S66") == "keeps" && lists == nil && equalData(r, row) {
		return change{row: r, before: r.values}, nil
	}
	c := change{row: r, before: r.values}
	s.set(r, row)
	return s.complete(c, lists, by)
}

// equalData reports that nothing but the stamps would change.
func equalData(r *record, row []any) bool {
	for i := colStamp + 1; i < len(row); i++ {
		if was := r.value(i); row[i] != was && (rank(row[i]) > 1 || rank(was) > 1) {
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
		case f == nil, f.internal, !by.all && !f.visible():
			return refuse("INVALID_FIELD", []string{name}, "No such column '%s' on sobject of type %s", name, o.name)
		case !by.all && existing == nil && !f.creatable(), !by.all && existing != nil && !f.writable(), i == colID:
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
	r := to.byID[text]
	if r == nil {
		r = s.unseen(text)
	}
	if r == nil && text != s.admin && text != s.runAs {
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
		probability, _ := get("Probability").(float64)
		if value, ok := get("Amount").(float64); ok {
			set("ExpectedRevenue", math.Round(value*probability)/100)
		} else {
			set("ExpectedRevenue", nil)
		}
	case "Task", "Event":
		s.deriveActivity(o, get, set, row)
	case "TaskRelation", "EventRelation", "EmailMessageRelation":
		s.deriveRelation(o, get, set)
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
