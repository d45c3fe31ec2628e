package salesforce

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"energyd/connectors"
	"energyd/internal/fault"
)

// sobject is what describe says of an object, as the run-as user sees it:
// fields hidden by field-level security are absent.
type sobject struct {
	Name       string  `json:"name"`
	Updateable bool    `json:"updateable"`
	Fields     []field `json:"fields"`
}

type field struct {
	Name               string   `json:"name"`
	Label              string   `json:"label"`
	Type               string   `json:"type"`
	Length             int      `json:"length"`
	Precision          int      `json:"precision"`
	Scale              int      `json:"scale"`
	Digits             int      `json:"digits"` // of int fields
	Updateable         bool     `json:"updateable"`
	Custom             bool     `json:"custom"`
	Calculated         bool     `json:"calculated"`
	RestrictedPicklist bool     `json:"restrictedPicklist"`
	RelationshipName   string   `json:"relationshipName"`
	ReferenceTo        []string `json:"referenceTo"`
}

// describe asks anew each time: fields appear and vanish between runs.
func (c *Conn) describe(ctx context.Context, object string) (*sobject, error) {
	op := "describe " + object
	var found sobject
	err := c.call(ctx, call{op: op, method: http.MethodGet, path: "/sobjects/" + url.PathEscape(object) + "/describe"}, &found)
	if !hasCode(err, "NOT_FOUND", "INVALID_TYPE") {
		return &found, err
	}
	var all struct{ Sobjects []struct{ Name string } }
	if listErr := c.call(ctx, call{op: op, method: http.MethodGet, path: "/sobjects"}, &all); listErr != nil {
		return nil, listErr
	}
	names := make([]string, len(all.Sobjects))
	for i, o := range all.Sobjects {
		names[i] = o.Name
	}
	return nil, fault.New(fault.Config, op,
		fmt.Sprintf("the org has no object %q, or hides it from the run-as user%s", object, fault.DidYouMean(object, names)),
		"check the spelling, and that a permission set of the run-as user grants Read for the object", err)
}

// field finds a field by name, in any case as the org does.
func (o *sobject) field(name string) (field, bool) {
	for _, f := range o.Fields {
		if strings.EqualFold(f.Name, name) {
			return f, true
		}
	}
	return field{}, false
}

// column is one column of a stream: a field of the object, or of a parent of it.
type column struct {
	asked string   // as the configuration writes it: the record's column name
	path  []string // as the org writes it: ["Who", "Title"]
	typ   string   // describe's type of the last one; "" when it depends on the record
}

func (c column) soql() string { return strings.Join(c.path, ".") }

// columns resolves the asked names against describe, following parents. All
// names that the org does not know come in one fault.
func (c *Conn) columns(ctx context.Context, o *sobject, asked []string) ([]column, error) {
	if len(asked) == 0 {
		for _, f := range o.Fields {
			// Compounds repeat what their parts say; base64 needs a call for each row.
			if f.Type != "address" && f.Type != "location" && f.Type != "base64" && f.Type != "complexvalue" {
				asked = append(asked, f.Name)
			}
		}
	}
	parents := map[string]*sobject{o.Name: o}
	var all []column
	var unknown []string
	for _, name := range asked {
		col, complaint, err := c.column(ctx, o, name, parents)
		if err != nil {
			return nil, err
		}
		if complaint != "" {
			unknown = append(unknown, complaint)
		}
		all = append(all, col)
	}
	if len(unknown) > 0 {
		return nil, fault.New(fault.Config, "describe "+o.Name, strings.Join(unknown, "; "), hintFLS, nil)
	}
	return all, nil
}

// column resolves one name; complaint says what of it the org does not know.
func (c *Conn) column(ctx context.Context, o *sobject, name string, parents map[string]*sobject) (col column, complaint string, err error) {
	col.asked = name
	steps := strings.Split(name, ".")
	for _, step := range steps[:len(steps)-1] {
		parent, ok := o.relation(step)
		if !ok {
			return col, fmt.Sprintf("%s has no parent %q for %q%s", o.Name, step, name, fault.DidYouMean(step, o.relations())), nil
		}
		col.path = append(col.path, parent.RelationshipName)
		if len(parent.ReferenceTo) != 1 {
			// Who and What may be of several objects: only the org knows which fields all have.
			col.path = append(col.path, steps[len(col.path):]...)
			return col, "", nil
		}
		target := parent.ReferenceTo[0]
		if parents[target] == nil {
			if parents[target], err = c.describe(ctx, target); err != nil {
				return col, "", err
			}
		}
		o = parents[target]
	}
	last := steps[len(steps)-1]
	f, ok := o.field(last)
	if !ok {
		names := make([]string, len(o.Fields))
		for i, f := range o.Fields {
			names[i] = f.Name
		}
		return col, fmt.Sprintf("%s has no field %q, or hides it from the run-as user%s", o.Name, last, fault.DidYouMean(last, names)), nil
	}
	col.path, col.typ = append(col.path, f.Name), f.Type
	return col, "", nil
}

func (o *sobject) relation(name string) (field, bool) {
	for _, f := range o.Fields {
		if f.RelationshipName != "" && strings.EqualFold(f.RelationshipName, name) {
			return f, true
		}
	}
	return field{}, false
}

func (o *sobject) relations() []string {
	var names []string
	for _, f := range o.Fields {
		if f.RelationshipName != "" {
			names = append(names, f.RelationshipName)
		}
	}
	return names
}

// Describe lists the fields of object as the run-as user sees them.
func (c *Conn) Describe(ctx context.Context, object string) ([]connectors.Field, error) {
	o, err := c.describe(ctx, object)
	if err != nil {
		return nil, err
	}
	fields := make([]connectors.Field, len(o.Fields))
	for i, f := range o.Fields {
		fields[i] = connectors.Field{
			Name: f.Name, Label: f.Label, Type: fieldType(f.Type), Length: f.Length,
			Precision: max(f.Precision, f.Digits), Scale: f.Scale, Updateable: f.Updateable, Custom: f.Custom,
		}
	}
	return fields, nil
}

func fieldType(described string) connectors.FieldType {
	switch described {
	case "string", "textarea", "phone", "email", "url", "combobox":
		return connectors.Text
	case "double", "currency", "percent", "int", "long":
		return connectors.Number
	case "boolean":
		return connectors.Boolean
	case "date":
		return connectors.Day
	case "datetime":
		return connectors.Datetime
	case "picklist":
		return connectors.Picklist
	}
	return connectors.Other
}
