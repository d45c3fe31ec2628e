package salesforce

import (
	"context"
	"net/http"
	"net/url"
	"strings"

	"energyd/connectors"
)

// customField is a row of the Tooling API's CustomField.
type customField struct {
	ID            string `json:"Id"`
	DeveloperName string
	TableEnumOrID string `json:"TableEnumOrId"` // "Account"; the id of a custom object
}

// definition finds want among rows and reads what it is; nil when it is not among them.
func (c *Conn) definition(ctx context.Context, rows []customField, want connectors.NewField) (*fieldMetadata, error) {
	for _, r := range rows {
		if !strings.EqualFold(r.DeveloperName, developerName(want.Name)) {
			continue
		}
		custom := strings.HasPrefix(r.TableEnumOrID, "01I")
		if !custom && !strings.EqualFold(r.TableEnumOrID, want.Object) || custom && !strings.HasSuffix(want.Object, "__c") {
			continue
		}
		var found struct {
			FullName string
			Metadata fieldMetadata
		}
		if err := c.call(ctx, call{op: "look at " + want.Object + "." + want.Name, method: http.MethodGet,
			path: "/tooling/sobjects/CustomField/" + url.PathEscape(r.ID)}, &found); err != nil {
			return nil, err
		}
		if !custom || strings.EqualFold(found.FullName, want.Object+"."+want.Name) {
			return &found.Metadata, nil
		}
	}
	return nil, nil
}

// fieldMetadata is a custom field as Tooling and Metadata API say it, in the order in which files have it.
type fieldMetadata struct {
	FullName    string `json:"-" xml:"fullName,omitempty"`
	Description string `json:"description,omitempty" xml:"description"`
	Formula     string `json:"formula,omitempty" xml:"-"`
	HelpText    string `json:"inlineHelpText,omitempty" xml:"inlineHelpText"`
	Label       string `json:"label" xml:"label"`
	Length      int    `json:"length,omitempty" xml:"length,omitempty"`
	Precision   int    `json:"precision,omitempty" xml:"precision,omitempty"`
	Required    bool   `json:"required" xml:"required"`
	Scale       *int   `json:"scale,omitempty" xml:"scale"`
	Type        string `json:"type" xml:"type"`
	ValueSet    *struct {
		Restricted bool `json:"restricted"`
	} `json:"valueSet,omitempty" xml:"-"` // of picklists
}

// metadata is what f shall be.
func metadata(f connectors.NewField, language string) fieldMetadata {
	m := fieldMetadata{Description: f.Help + " " + ours[language], HelpText: f.Help, Label: f.Label, Type: metadataTypes[f.Type]}
	switch f.Type {
	case connectors.Text:
		m.Length = f.Length
	case connectors.Number:
		m.Precision, m.Scale = f.Precision, &f.Scale
	}
	return m
}

func (m fieldMetadata) described() string {
	if m.Formula != "" {
		return "formula"
	}
	for t, name := range metadataTypes {
		if name == m.Type {
			scale := 0
			if m.Scale != nil {
				scale = *m.Scale
			}
			return connectors.Shape(t, m.Length, m.Precision, scale)
		}
	}
	return strings.ToLower(m.Type)
}

// misfit is that of what describe will show of the field.
func (m fieldMetadata) misfit(want connectors.NewField) string {
	f := field{Length: m.Length, Precision: m.Precision, Calculated: m.Formula != "",
		RestrictedPicklist: m.ValueSet != nil && m.ValueSet.Restricted}
	if m.Scale != nil {
		f.Scale = *m.Scale
	}
	f.Type = map[string]string{"Text": "string", "LongTextArea": "textarea", "TextArea": "textarea", "Html": "textarea", "Number": "double"}[m.Type]
	if f.Type == "" {
		f.Type = strings.ToLower(m.Type)
	}
	return misfit(want, f)
}
