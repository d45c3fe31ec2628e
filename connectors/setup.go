package connectors

import (
	"context"
	"fmt"
	"slices"
)

// FieldMaker is an optional ability of a Target: to prepare the CRM for what
// will be written into it. It is the only part that changes a CRM's set-up, it
// does so only when an admin says so, and it only adds: fields that are there
// stay as they are.
type FieldMaker interface {
	// PlanFields compares what is wanted with what the CRM has and the signed-on user may. It changes nothing.
	PlanFields(ctx context.Context, want SetUp) (FieldPlan, error)
	// MakeFields makes what is missing, lets the signed-on user read and edit it, waits until the CRM
	// shows it, and tells what it then finds. When a field is Unfit (fault config) or a right is missing
	// (fault auth) nothing is changed at all. Killed on the way, a second call finishes.
	MakeFields(ctx context.Context, want SetUp) (FieldPlan, error)
	// PackageFields writes files below dir that the CRM's admin can deploy instead, and gives their
	// names relative to dir. Fields that found shows as existing are left out, so that deploying
	// does not change them. Same input, same bytes.
	PackageFields(dir string, want SetUp, found FieldPlan) (files []string, err error)
}

// SetUp is what a CRM shall be prepared with. Lists and Reports are for
// people; only a package holds them.
type SetUp struct {
	Language string // "ja" or "en", of all texts
	Fields   []NewField
	Lists    []NewList
	Reports  []NewReport
}

// NewField is a field that an object of the CRM shall have.
type NewField struct {
	Object    string    `json:"object"` // "Account"
	Name      string    `json:"field"`  // "Energy__c"
	Type      FieldType `json:"type"`
	Length    int       `json:"length,omitempty"`    // of Text
	Precision int       `json:"precision,omitempty"` // of Number: digits in all
	Scale     int       `json:"scale,omitempty"`     // of Number: digits after the point
	Label     string    `json:"label"`
	Help      string    `json:"help"` // one sentence for who sees the field
	// Confidential fields, those about people of our own, are granted to nobody but the
	// signed-on user and stand on no page.
	Confidential bool `json:"confidential,omitempty"`
}

// Shape is the field's type and size, as people write it: "number(12, 3)".
func (f NewField) Shape() string { return Shape(f.Type, f.Length, f.Precision, f.Scale) }

// Shape writes a type and its size: "text(255)", "number(12, 3)", "date".
func Shape(t FieldType, length, precision, scale int) string {
	switch {
	case t == Text && length > 0:
		return fmt.Sprintf("%s(%d)", t, length)
	case t == Number:
		return fmt.Sprintf("%s(%d, %d)", t, precision, scale)
	}
	return string(t)
}

// NewList is a list of an object's records that people can open: those in
// which one field holds a text, or a date until some days from now.
type NewList struct {
	Object, Name, Label string
	Columns             []string // fields; the record's own name comes before them
	Field               string   // the condition's field
	Equals              string   // it holds this text
	WithinDays          int      // or, when above 0, a date up to so many days from today
}

// NewReport is a report over all records of an object.
type NewReport struct {
	Object, Name, Label, Help string
	Columns                   []string // fields; the record's own name comes before them
	Group                     string   // field by whose values the records are grouped; "" = not
	Sort                      string   // field by which they are sorted, largest first
}

// FieldPlan is how a CRM stands to what is wanted of it.
type FieldPlan struct {
	Fields []FieldState `json:"fields"` // in the order of SetUp.Fields
	Access []Access     `json:"access"` // to be given, or given by MakeFields; empty when nothing is
	Rights []Right      `json:"missing_rights"`
	Notes  []string     `json:"notes,omitempty"` // sentences on what could not be found out
	Calls  int          `json:"calls"`           // API calls that MakeFields needs, about; 0 = there is nothing to make
}

// Right tells whether all wanted fields can be used as they are.
func (p FieldPlan) Right() bool {
	return !slices.ContainsFunc(p.Fields, func(f FieldState) bool { return f.Standing != FieldRight })
}

// FieldState says how a wanted field stands in the CRM.
type FieldState struct {
	NewField
	Standing FieldStanding `json:"state"`
	Made     bool          `json:"made,omitempty"`    // by this call of MakeFields
	Found    string        `json:"found,omitempty"`   // the Shape that it has, when it is there and can be looked at
	Problem  string        `json:"problem,omitempty"` // why it cannot be made or used; "" when nothing stands against it
}

// FieldStanding is a wanted field's standing.
type FieldStanding string

// The standings of a field.
const (
	FieldRight    FieldStanding = "right"     // there, large enough, and the signed-on user can edit it
	FieldMissing  FieldStanding = "missing"   // not there
	FieldReadOnly FieldStanding = "read_only" // there, but the signed-on user cannot edit it
	FieldHidden   FieldStanding = "hidden"    // there, but the signed-on user cannot see it
	FieldUnseen   FieldStanding = "unseen"    // missing or hidden: the signed-on user may not look
	FieldUnfit    FieldStanding = "unfit"     // there, but of another type, or too small; or its name cannot be had
)

// Access is a bundle of rights (a permission set) that gets grants on fields.
type Access struct {
	Name   string `json:"name"`
	For    string `json:"for"`    // one phrase: who has it, and what it lets them do
	New    bool   `json:"new"`    // it will be made
	Grants int    `json:"grants"` // fields that will be added to it
	Assign bool   `json:"assign"` // it will be given to the signed-on user
}

// Right is a right of the signed-on user that is missing.
type Right struct {
	Name string `json:"name"` // as the CRM's own pages call it
	For  string `json:"for"`  // what it is needed for
}
