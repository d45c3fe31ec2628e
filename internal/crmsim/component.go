package crmsim

import (
	"encoding/xml"
	"slices"
	"strings"
)

// component is a part of an org's set-up as the Metadata API sends it: a custom
// field or a permission set, by its type.
type component struct {
	Kind string `xml:"http://www.w3.org/2001/XMLSchema-instance type,attr"`
	fieldMetadata
	permissionMetadata
}

// permissionMetadata is what a permission set says beside its name, label and description.
type permissionMetadata struct {
	FieldPermissions []struct {
		Editable bool   `xml:"editable"`
		Field    string `xml:"field"`
		Readable bool   `xml:"readable"`
	} `xml:"fieldPermissions"`
	ObjectPermissions []struct {
		Create    bool   `xml:"allowCreate"`
		Delete    bool   `xml:"allowDelete"`
		Edit      bool   `xml:"allowEdit"`
		Read      bool   `xml:"allowRead"`
		ModifyAll bool   `xml:"modifyAllRecords"`
		Object    string `xml:"object"`
		ViewAll   bool   `xml:"viewAllRecords"`
	} `xml:"objectPermissions"`
	UserPermissions []struct {
		Enabled bool   `xml:"enabled"`
		Name    string `xml:"name"`
	} `xml:"userPermissions"`
}

// saving says what a component may do: be new, replace what is there, or neither, which only checks.
type saving struct{ create, change, check bool }

// save makes or changes a component, or says why not. coming are the full names
// of fields that the same deployment brings. The caller holds s.mu.
func (s *Server) save(c *component, may saving, coming map[string]bool) (created bool, err error) {
	switch c.Kind {
	case "CustomField":
		return s.saveField(c, may)
	case "PermissionSet":
		return s.savePermissionSet(c, may, coming)
	}
	return false, refuse("INVALID_TYPE", nil, "Unknown type name %q specified for metadata", c.Kind)
}

func (s *Server) saveField(c *component, may saving) (created bool, err error) {
	o, name, refused := s.namedField(c.FullName)
	if refused != nil {
		return false, refused
	}
	f, refused := c.field(name)
	if refused != nil {
		return false, refused
	}
	_, old := o.field(name)
	switch {
	case old == nil && !may.create:
		return false, refuse("INVALID_CROSS_REFERENCE_KEY", nil, "no CustomField named %s found", c.FullName)
	case old != nil && !may.change:
		return false, refuse("DUPLICATE_DEVELOPER_NAME", nil, "There is already a field named %s on %s.", strings.TrimSuffix(name, "__c"), o.label)
	case old != nil && f.narrows(old):
		return false, refuse("FIELD_INTEGRITY_EXCEPTION", nil, "%s: Cannot change the field so that it holds less", name)
	case may.check:
		return old == nil, nil
	case old != nil:
		return false, s.changeField(o, name, c.fieldMetadata)
	}
	_, err = s.createField(c.FullName, c.fieldMetadata)
	return true, err
}

// narrows tells of a definition that could not hold what the old one held.
func (f *Field) narrows(old *Field) bool {
	return f.Type != old.Type || f.Unique != old.Unique || f.Precision-f.Scale < old.Precision-old.Scale || f.Scale < old.Scale || f.Length < old.Length
}

// savePermissionSet makes the set grant what the component says; other grants of it stay.
func (s *Server) savePermissionSet(c *component, may saving, coming map[string]bool) (created bool, err error) {
	sets := s.objects["permissionset"]
	i := slices.IndexFunc(sets.rows, func(r *record) bool { return strings.EqualFold(r.text("Name"), c.FullName) })
	switch {
	case c.FullName == "" || c.Label == "":
		return false, refuse("REQUIRED_FIELD_MISSING", nil, "Required field is missing: label")
	case i < 0 && !may.create:
		return false, refuse("INVALID_CROSS_REFERENCE_KEY", nil, "no PermissionSet named %s found", c.FullName)
	case i >= 0 && !may.change:
		return false, refuse("DUPLICATE_DEVELOPER_NAME", nil, "The name %q already exists.", c.FullName)
	}
	for _, p := range c.FieldPermissions {
		object, name, _ := strings.Cut(p.Field, ".")
		var f *Field
		if o := s.objects[lower(object)]; o != nil {
			_, f = o.field(name)
		}
		switch {
		case coming[lower(p.Field)]:
		case f == nil:
			return false, refuse("INVALID_CROSS_REFERENCE_KEY", nil, "In field: field - no CustomField named %s found", p.Field)
		case !f.permissionable():
			return false, refuse("FIELD_INTEGRITY_EXCEPTION", nil, "You cannot deploy to a required field: %s", p.Field)
		}
	}
	values := map[string]any{"Name": c.FullName, "Label": c.Label, "Description": c.Description}
	for _, p := range c.UserPermissions {
		if slices.Contains(userRights, p.Name) {
			values["Permissions"+p.Name] = p.Enabled
		}
	}
	for _, p := range c.ObjectPermissions {
		if s.objects[lower(p.Object)] == nil {
			return false, refuse("INVALID_CROSS_REFERENCE_KEY", nil, "In field: field - no CustomObject named %s found", p.Object)
		}
	}
	if may.check {
		return i < 0, nil
	}
	var set change
	if i < 0 {
		set, err = s.insert(sets, values, s.adminRights())
	} else {
		set, err = s.update(sets, sets.rows[i].id(), values, s.adminRights())
	}
	if err != nil {
		return false, err
	}
	changes := []change{set}
	give := func(object, key, name string, values map[string]any) {
		if err != nil {
			return
		}
		o := s.objects[object]
		values["ParentId"], values[key] = set.row.id(), name
		var c change
		if at := slices.IndexFunc(o.rows, func(r *record) bool {
			return r.text("ParentId") == set.row.id() && strings.EqualFold(r.text(key), name)
		}); at >= 0 {
			c, err = s.update(o, o.rows[at].id(), values, s.adminRights())
		} else {
			c, err = s.insert(o, values, s.adminRights())
		}
		if err == nil {
			changes = append(changes, c)
		}
	}
	for _, p := range c.FieldPermissions {
		object, _, _ := strings.Cut(p.Field, ".")
		give("fieldpermissions", "Field", p.Field, map[string]any{"SobjectType": object, "PermissionsRead": p.Readable, "PermissionsEdit": p.Editable})
	}
	for _, p := range c.ObjectPermissions {
		give("objectpermissions", "SobjectType", p.Object, map[string]any{"PermissionsCreate": p.Create, "PermissionsRead": p.Read, "PermissionsEdit": p.Edit,
			"PermissionsDelete": p.Delete, "PermissionsViewAllRecords": p.ViewAll, "PermissionsModifyAllRecords": p.ModifyAll})
	}
	if err != nil {
		s.undo(changes)
		return false, err
	}
	return i < 0, s.keep(changes)
}

// Metadata API by SOAP: POST /services/Soap/m/NN.N with createMetadata,
// updateMetadata, upsertMetadata or readMetadata.

type metadataRequest struct {
	SessionID string        `xml:"Header>SessionHeader>sessionId"`
	Create    *metadataCall `xml:"Body>createMetadata"`
	Update    *metadataCall `xml:"Body>updateMetadata"`
	Upsert    *metadataCall `xml:"Body>upsertMetadata"`
	Read      *struct {
		Type      string   `xml:"type"`
		FullNames []string `xml:"fullNames"`
	} `xml:"Body>readMetadata"`
}

type metadataCall struct {
	Metadata []component `xml:"metadata"`
}

// maxComponents are the components of one call.
const maxComponents = 10

type metadataAnswer struct {
	XMLName  xml.Name             `xml:"soapenv:Envelope"`
	Soap     string               `xml:"xmlns:soapenv,attr"`
	Metadata string               `xml:"xmlns,attr"`
	Instance string               `xml:"xmlns:xsi,attr"`
	Body     struct{ Answer any } `xml:"soapenv:Body"`
}

type saveAnswer struct {
	XMLName xml.Name
	Results []saveResult `xml:"result"`
}

type saveResult struct {
	Created  *bool           `xml:"created"` // of an upsert
	Errors   []metadataError `xml:"errors"`
	FullName string          `xml:"fullName"`
	Success  bool            `xml:"success"`
}

type metadataError struct {
	Message string `xml:"message"`
	Code    string `xml:"statusCode"`
}

type readAnswer struct {
	XMLName xml.Name     `xml:"readMetadataResponse"`
	Records []readRecord `xml:"result>records"`
}

type readRecord struct {
	Kind string `xml:"xsi:type,attr,omitempty"`
	Nil  string `xml:"xsi:nil,attr,omitempty"`
	*fieldMetadata
}

func (s *Server) soapMetadata(c *call) reply {
	var in metadataRequest
	if err := xml.Unmarshal(c.body, &in); err != nil {
		return soapFailure("UNKNOWN_EXCEPTION", "the body is no SOAP envelope")
	}
	if !s.control.alive(in.SessionID, s.now()) {
		return soapFailure("INVALID_SESSION_ID", "Invalid Session ID found in SessionHeader: Illegal Session")
	}
	if !s.control.count(s.now()) {
		return soapFailure("REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.rights["ModifyMetadata"] || !s.rights["CustomizeApplication"] {
		return soapFailure("INSUFFICIENT_ACCESS", "use of the Metadata API requires a user with the ModifyAllData or ModifyMetadata permissions")
	}
	switch {
	case in.Create != nil:
		return s.saveAll("createMetadataResponse", in.Create, saving{create: true})
	case in.Update != nil:
		return s.saveAll("updateMetadataResponse", in.Update, saving{change: true})
	case in.Upsert != nil:
		return s.saveAll("upsertMetadataResponse", in.Upsert, saving{create: true, change: true})
	case in.Read != nil:
		return s.readComponents(in.Read.Type, in.Read.FullNames)
	}
	return soapFailure("UNKNOWN_EXCEPTION", "only createMetadata, updateMetadata, upsertMetadata and readMetadata are spoken here")
}

func (s *Server) saveAll(name string, call *metadataCall, may saving) reply {
	if len(call.Metadata) > maxComponents {
		return soapFailure("LIMIT_EXCEEDED", "record limit reached. cannot submit more than 10 records into this call")
	}
	a := saveAnswer{XMLName: xml.Name{Local: name}}
	for i := range call.Metadata {
		c := &call.Metadata[i]
		created, err := s.save(c, may, nil)
		result := saveResult{FullName: c.FullName, Success: err == nil}
		if may.create && may.change {
			result.Created = &created
		}
		if err != nil {
			e := asError(err)
			result.Errors = []metadataError{{e.Message, e.Code}}
		}
		a.Results = append(a.Results, result)
	}
	return metadataReply(a)
}

func (s *Server) readComponents(kind string, names []string) reply {
	if kind != "CustomField" {
		return soapFailure("INVALID_TYPE", "only components of type CustomField are read here")
	}
	var a readAnswer
	for _, name := range names {
		object, field, _ := strings.Cut(name, ".")
		var f *Field
		if o := s.objects[lower(object)]; o != nil {
			_, f = o.field(field)
		}
		if f == nil || !f.custom() {
			a.Records = append(a.Records, readRecord{Nil: "true"})
			continue
		}
		m := f.metadata()
		m.FullName = name
		a.Records = append(a.Records, readRecord{Kind: kind, fieldMetadata: &m})
	}
	return metadataReply(a)
}

func metadataReply(body any) reply {
	a := metadataAnswer{Soap: "http://schemas.xmlsoap.org/soap/envelope/", Metadata: "http://soap.sforce.com/2006/04/metadata",
		Instance: "http://www.w3.org/2001/XMLSchema-instance"}
	a.Body.Answer = body
	text, _ := xml.Marshal(a) // the types here all marshal
	return reply{status: 200, contentType: "text/xml;charset=UTF-8", body: append([]byte(xml.Header), text...)}
}
