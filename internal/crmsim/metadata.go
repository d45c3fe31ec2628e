package crmsim

import (
	"encoding/json"
	"strconv"
	"strings"
)

// fieldMetadata is a custom field as the Tooling API (JSON) and the Metadata API (XML) know it.
type fieldMetadata struct {
	FullName       string     `json:"fullName,omitempty" xml:"fullName,omitempty"`
	Label          string     `json:"label" xml:"label"`
	Type           string     `json:"type" xml:"type"`
	Description    string     `json:"description,omitempty" xml:"description,omitempty"`
	InlineHelpText string     `json:"inlineHelpText,omitempty" xml:"inlineHelpText,omitempty"`
	Precision      *int       `json:"precision,omitempty" xml:"precision"`
	Scale          *int       `json:"scale,omitempty" xml:"scale"`
	Length         *int       `json:"length,omitempty" xml:"length"`
	VisibleLines   *int       `json:"visibleLines,omitempty" xml:"visibleLines"`
	DefaultValue   *looseText `json:"defaultValue,omitempty" xml:"defaultValue"`
	Required       bool       `json:"required" xml:"required"`
	ExternalID     bool       `json:"externalId" xml:"externalId"`
	Unique         bool       `json:"unique" xml:"unique"`
	ValueSet       *valueSet  `json:"valueSet,omitempty" xml:"valueSet"`
}

type valueSet struct {
	Restricted bool `json:"restricted" xml:"restricted"`
	Definition struct {
		Sorted bool             `json:"sorted" xml:"sorted"`
		Values []valueOfPicking `json:"value" xml:"value"`
	} `json:"valueSetDefinition" xml:"valueSetDefinition"`
}

type valueOfPicking struct {
	FullName string `json:"fullName" xml:"fullName"`
	Label    string `json:"label" xml:"label"`
	Default  bool   `json:"default" xml:"default"`
}

// looseText is a text that JSON may give as a boolean or a number, too.
type looseText string

func (t *looseText) UnmarshalJSON(b []byte) error {
	var text string
	if json.Unmarshal(b, &text) != nil {
		text = string(b)
	}
	*t = looseText(text)
	return nil
}

// metadataTypes are the field types of the Metadata API, with the attributes that each must have.
var metadataTypes = map[string]struct {
	t     Type
	needs []string
}{
	"Number":       {Number, []string{"precision", "scale"}},
	"Percent":      {Percent, []string{"precision", "scale"}},
	"Currency":     {Currency, []string{"precision", "scale"}},
	"Text":         {Text, []string{"length"}},
	"TextArea":     {LongTextArea, nil},
	"LongTextArea": {LongTextArea, []string{"length", "visibleLines"}},
	"Checkbox":     {Checkbox, []string{"defaultValue"}},
	"Date":         {Date, nil},
	"DateTime":     {DateTime, nil},
	"Email":        {Email, nil},
	"Phone":        {Phone, nil},
	"Url":          {URL, nil},
	"Picklist":     {Picklist, []string{"valueSet"}},
}

// field makes a Field of it, or says what is wrong.
func (m *fieldMetadata) field(name string) (Field, *Error) {
	known, ok := metadataTypes[m.Type]
	if !ok {
		return Field{}, refuse("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", []string{"type"}, "Type: bad value for restricted picklist field: %s", m.Type)
	}
	number := func(p *int) int {
		if p == nil {
			return 0
		}
		return *p
	}
	given := map[string]bool{"precision": m.Precision != nil, "scale": m.Scale != nil, "length": m.Length != nil,
		"visibleLines": m.VisibleLines != nil, "defaultValue": m.DefaultValue != nil, "valueSet": m.ValueSet != nil}
	for _, attribute := range known.needs {
		if !given[attribute] {
			return Field{}, refuse("REQUIRED_FIELD_MISSING", []string{attribute}, "Must specify '%s' for a CustomField of type %s", attribute, m.Type)
		}
	}
	f := Field{Name: name, Label: m.Label, Type: known.t, Description: m.Description, Help: m.InlineHelpText,
		Precision: number(m.Precision), Scale: number(m.Scale), Length: number(m.Length), Lines: number(m.VisibleLines),
		Required: m.Required, ExternalID: m.ExternalID, Unique: m.Unique}
	if m.Label == "" {
		return Field{}, refuse("REQUIRED_FIELD_MISSING", []string{"label"}, "Required fields are missing: [MasterLabel]")
	}
	if m.DefaultValue != nil {
		f.Default = string(*m.DefaultValue)
	}
	if m.ValueSet != nil {
		f.Length, f.Restricted = 255, m.ValueSet.Restricted
		for _, v := range m.ValueSet.Definition.Values {
			f.Values = append(f.Values, v.FullName)
		}
	}
	if lengths := map[string]int{"TextArea": 255, "Email": 80, "Phone": 40, "Url": 255}; lengths[m.Type] > 0 {
		f.Length = lengths[m.Type]
	}
	limits := map[string][2]int{"Text": {1, 255}, "LongTextArea": {256, 131072}}
	if l, ok := limits[m.Type]; ok && (f.Length < l[0] || f.Length > l[1]) {
		return Field{}, refuse("FIELD_INTEGRITY_EXCEPTION", []string{"length"}, "Length: must be from %d to %d", l[0], l[1])
	}
	if err := f.check(); err != nil {
		return Field{}, refuse("FIELD_INTEGRITY_EXCEPTION", nil, "%s", err)
	}
	return f, nil
}

// metadata is the field the other way round.
func (f *Field) metadata() fieldMetadata {
	m := fieldMetadata{Label: f.Label, Description: f.Description, InlineHelpText: f.Help, Required: f.Required,
		ExternalID: f.ExternalID, Unique: f.Unique}
	for name, known := range metadataTypes {
		if known.t == f.Type && (name == "TextArea") == (f.Type == LongTextArea && f.Length == 255) {
			m.Type = name
		}
	}
	for _, attribute := range metadataTypes[m.Type].needs {
		switch attribute {
		case "precision":
			m.Precision = &f.Precision
		case "scale":
			m.Scale = &f.Scale
		case "length":
			m.Length = &f.Length
		case "visibleLines":
			lines := max(f.Lines, 3)
			m.VisibleLines = &lines
		case "defaultValue":
			v := looseText(strconv.FormatBool(f.Default == "true"))
			m.DefaultValue = &v
		case "valueSet":
			m.ValueSet = &valueSet{Restricted: f.Restricted}
			for _, v := range f.Values {
				m.ValueSet.Definition.Values = append(m.ValueSet.Definition.Values, valueOfPicking{v, v, false})
			}
		}
	}
	return m
}

// createField makes a custom field out of "Contact.Energy__c" and what it shall
// be. Nobody sees it before a permission set grants it. The caller holds s.mu.
func (s *Server) createField(fullName string, m fieldMetadata) (*record, error) {
	o, name, refused := s.namedField(fullName)
	if refused != nil {
		return nil, refused
	}
	f, refused := m.field(name)
	if refused != nil {
		return nil, refused
	}
	if _, old := o.field(name); old != nil {
		return nil, refuse("DUPLICATE_DEVELOPER_NAME", []string{"DeveloperName"}, "There is already a field named %s on %s.", strings.TrimSuffix(name, "__c"), o.label)
	}
	if err := s.addField(o.name, f); err != nil {
		return nil, err
	}
	return s.customField(o, name), s.keepField(o.name, f)
}

// namedField finds the object of "Contact.Energy__c".
func (s *Server) namedField(fullName string) (*object, string, *Error) {
	object, name, ok := strings.Cut(fullName, ".")
	o := s.objects[lower(object)]
	switch {
	case !ok || !fieldName.MatchString(name):
		return nil, "", refuse("INVALID_FULLNAME", []string{"FullName"}, "%s is not the full name of a custom field", fullName)
	case o == nil || o.system || o.view != nil || o.writes != "":
		return nil, "", refuse("INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", []string{"TableEnumOrId"}, "Entity Enumeration Or ID: bad value for restricted picklist field: %s", object)
	}
	return o, name, nil
}

// changeField gives a custom field another label, texts or more room. Its type stays.
func (s *Server) changeField(o *object, name string, m fieldMetadata) error {
	f, refused := m.field(name)
	if refused != nil {
		return refused
	}
	i, old := o.field(name)
	if f.narrows(old) {
		return refuse("FIELD_INTEGRITY_EXCEPTION", []string{"type"}, "%s: Cannot change the field so that it holds less", name)
	}
	s.redefine(o, i, f)
	return s.keepField(o.name, f)
}

// redefine puts another definition in the place of a custom field's.
func (s *Server) redefine(o *object, i int, f Field) {
	old := o.fields[i]
	f.access, f.granted, f.base = old.access, old.granted, old.base
	o.fields[i] = &f
	delete(s.granting, old)
	o.changed = s.now().Unix()
	s.noteField(o, &f)
	s.govern()
}
