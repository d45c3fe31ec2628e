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
	Calculated         bool     `json:"calculated"` // a formula, or a roll-up
	RestrictedPicklist bool     `json:"restrictedPicklist"`
	RelationshipName   string   `json:"relationshipName"`
	ReferenceTo        []string `json:"referenceTo"`
}

// describe asks anew each time: fields appear and vanish between runs.
func (c *Conn) describe(ctx context.Context, object string) (*sobject, error) {
	op := "describe " + object
	found, err := c.find(ctx, object)
	if found != nil || err != nil {
		return found, err
	}
	var all struct{ Sobjects []struct{ Name string } }
	if err := c.call(ctx, call{op: op, method: http.MethodGet, path: "/sobjects"}, &all); err != nil {
		return nil, err
	}
	names := make([]string, len(all.Sobjects))
	for i, o := range all.Sobjects {
		names[i] = o.Name
	}
	return nil, fault.New(fault.Config, op,
		fmt.Sprintf("the org has no object %q, or hides it from the run-as user%s", object, fault.DidYouMean(object, names)),
		"check the spelling, and that a permission set of the run-as user grants Read for the object", nil)
}

// find is describe for an object that may be missing: nil then.
func (c *Conn) find(ctx context.Context, object string) (*sobject, error) {
	var found sobject
	err := c.call(ctx, call{op: "describe " + object, method: http.MethodGet, path: "/sobjects/" + url.PathEscape(object) + "/describe"}, &found)
	if hasCode(err, "NOT_FOUND", "INVALID_TYPE") {
		return nil, nil
	} else if err != nil {
		return nil, err
	}
	return &found, nil
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

// ofAnybody tells whether the column is one of those texts that the people and
// things behind Who, What and Owner have, whatever they are.
func (c column) ofAnybody() bool {
	switch strings.ToLower(c.path[len(c.path)-1]) {
	case "id", "name", "type", "title", "email", "phone", "firstname", "lastname", "alias", "username":
		return len(c.path) > 1
	}
	return false
}

// readable names the fields that are read where none is asked for.
func (o *sobject) readable() []string {
	var names []string
	for _, f := range o.Fields {
		// Compounds repeat what their parts say; base64 needs a call for each row.
		if f.Type != "address" && f.Type != "location" && f.Type != "base64" && f.Type != "complexvalue" {
			names = append(names, f.Name)
		}
	}
	return names
}

// columns resolves the asked names against describe, following parents. All
// names that the org does not know come in one fault.
func (l look) columns(ctx context.Context, o *sobject, asked []string) ([]column, error) {
	parents := map[string]*sobject{o.Name: o}
	var all []column
	var unknown []missing
	for _, name := range asked {
		if _, ok := activities[o.Name]; ok && strings.EqualFold(name, participants) {
			all = append(all, column{asked: name}) // people.go makes it
			continue
		}
		col, lacks, err := l.column(ctx, o, name, parents)
		if err != nil {
			return nil, err
		}
		if lacks != nil {
			unknown = append(unknown, *lacks)
		}
		all = append(all, col)
	}
	if len(unknown) > 0 {
		return nil, l.conn.missing(ctx, o.Name, unknown)
	}
	return all, nil
}

// missing is a column that the run-as user does not see: a field, or a parent.
type missing struct {
	object, field string
	text          string // the sentence where nothing more is known
}

// missing says of all columns at once why they cannot be read. Describe does not
// tell a field that is hidden from one that is not there; the Tooling API does,
// for fields that the org made itself and a user who may look at its set-up.
func (c *Conn) missing(ctx context.Context, object string, unknown []missing) error {
	made := map[string]map[string]bool{} // object to its custom fields; nil when that is not told
	said := make([]string, len(unknown))
	for i, m := range unknown {
		said[i] = m.text
		name, custom := strings.CutSuffix(m.field, "__c")
		if !custom || strings.HasSuffix(m.object, "__c") { // whose fields are listed under an id
			continue
		}
		if _, ok := made[m.object]; !ok {
			made[m.object] = c.customFields(ctx, m.object)
		}
		if made[m.object][strings.ToLower(name)] {
			said[i] = fmt.Sprintf("%s has the field %q, but hides it from the run-as user by field-level security", m.object, m.field)
		} else if made[m.object] != nil {
			said[i] = strings.Replace(m.text, ", or hides it from the run-as user", "", 1)
		}
	}
	return fault.New(fault.Config, "describe "+object, strings.Join(said, "; "),
		"check the spelling in the mapping, and that a permission set of the run-as user grants field-level security for it; what the org does not have is taken out of the mapping and its tests", nil)
}

// customFields names the fields of a standard object that the org or a package
// made, without __c and in small letters; nil when the run-as user may not know.
func (c *Conn) customFields(ctx context.Context, object string) map[string]bool {
	var answer struct {
		Records []struct{ DeveloperName, NamespacePrefix string }
	}
	err := c.call(ctx, call{op: "list fields of " + object, method: http.MethodGet, path: "/tooling/query", query: url.Values{
		"q": {"SELECT DeveloperName, NamespacePrefix FROM CustomField WHERE TableEnumOrId = " + quote(object)},
	}}, &answer)
	if err != nil {
		c.log.Debug("The org does not tell which fields are hidden.", "object", object, "error", err)
		return nil
	}
	names := map[string]bool{}
	for _, f := range answer.Records {
		name := f.DeveloperName
		if f.NamespacePrefix != "" {
			name = f.NamespacePrefix + "__" + name
		}
		names[strings.ToLower(name)] = true
	}
	return names
}

// column resolves one name; lacks says what of it the org does not know.
func (l look) column(ctx context.Context, o *sobject, name string, parents map[string]*sobject) (col column, lacks *missing, err error) {
	col.asked = name
	steps := strings.Split(name, ".")
	for _, step := range steps[:len(steps)-1] {
		parent, ok := o.relation(step)
		if !ok {
			return col, &missing{text: fmt.Sprintf("%s has no parent %q for %q%s", o.Name, step, name, fault.DidYouMean(step, o.relations()))}, nil
		}
		col.path = append(col.path, parent.RelationshipName)
		if len(parent.ReferenceTo) != 1 {
			// Who and What may be of several objects: only the org knows which fields all have.
			col.path = append(col.path, steps[len(col.path):]...)
			return col, nil, nil
		}
		target := parent.ReferenceTo[0]
		if parents[target] == nil {
			if parents[target], err = l.object(ctx, target); err != nil {
				return col, nil, err
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
		text := fmt.Sprintf("%s has no field %q, or hides it from the run-as user%s", o.Name, last, fault.DidYouMean(last, names))
		return col, &missing{o.Name, last, text}, nil
	}
	col.path, col.typ = append(col.path, f.Name), f.Type
	return col, nil, nil
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
			Precision: max(f.Precision, f.Digits), Scale: f.Scale, Updateable: f.Updateable, Custom: f.Custom, Restricted: f.RestrictedPicklist,
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
