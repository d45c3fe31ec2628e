package crmsim

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
)

// toolingObjects are the objects of the Tooling API: what admins build, as rows.
func toolingObjects() map[string]*object {
	o := newObject("CustomField", "Custom Fields", "00N",
		text("DeveloperName", 80), text("TableEnumOrId", 40), text("EntityDefinitionId", 40), text("NamespacePrefix", 15),
		text("ManageableState", 40), text("FullName", 255), typed("Metadata", Complex), text("Description", 1000), text("InlineHelpText", 510),
		amount("Length", Integer, 9, 0), amount("Precision", Integer, 9, 0), amount("Scale", Integer, 9, 0)).
		lacking("IsDeleted")
	o.sees, o.writes = "ViewSetup", "CustomizeApplication"
	return map[string]*object{lower(o.name): o}
}

// noteField keeps the row that the Tooling API shows of a custom field.
func (s *Server) noteField(o *object, f *Field) {
	fields := s.tooling["customfield"]
	metadata, _ := json.Marshal(f.metadata()) // always marshals
	r := s.customField(o, f.Name)
	row := make([]any, len(fields.fields))
	now := any(s.now().Unix())
	row[colDeleted], row[colCreated], row[colCreatedBy] = false, now, s.admin
	if r != nil {
		row = r.copy()
	}
	row[colModified], row[colStamp], row[colModifiedBy] = now, now, s.admin
	for name, v := range map[string]any{"DeveloperName": strings.TrimSuffix(f.Name, "__c"), "TableEnumOrId": o.name, "EntityDefinitionId": o.name,
		"ManageableState": "unmanaged", "FullName": o.name + "." + f.Name, "Metadata": json.RawMessage(metadata), "Description": nilIfEmpty(f.Description),
		"InlineHelpText": nilIfEmpty(f.Help), "Length": count(f.Length), "Precision": count(f.Precision), "Scale": count(f.Scale)} {
		i, _ := fields.field(name)
		row[i] = v
	}
	if r != nil {
		r.replace(row)
		return
	}
	fields.last++
	row[colID] = newID(fields.prefix, fields.last)
	r = &record{obj: fields}
	r.replace(row)
	fields.insert(r)
}

func nilIfEmpty(text string) any {
	if text == "" {
		return nil
	}
	return text
}

// customField finds the row of a custom field.
func (s *Server) customField(o *object, name string) *record {
	for _, r := range s.tooling["customfield"].rows {
		if strings.EqualFold(r.text("FullName"), o.name+"."+name) {
			return r
		}
	}
	return nil
}

// toolingObject finds an object of the Tooling API that the integration user may see.
func (s *Server) toolingObject(name string) *object {
	if o := s.tooling[lower(name)]; o != nil && s.rights[o.sees] {
		return o
	}
	return nil
}

var insufficientAccess = fail(http.StatusForbidden, &Error{Code: "INSUFFICIENT_ACCESS", Message: "insufficient access rights on object id"})

// toolingQuery is GET /tooling/query?q=. Full names and metadata come for one row at a time.
func (s *Server) toolingQuery(c *call) reply {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p, err := s.compileAmong(s.toolingObject, c.r.URL.Query().Get("q"))
	if err != nil {
		return queryError(err)
	}
	rows := s.ordered(p, s.matching(p, false))
	for _, column := range p.columns {
		if (column.name == "FullName" || column.name == "Metadata") && len(rows) > 1 {
			return refusal(refuse("MALFORMED_QUERY", nil, "When retrieving results with Metadata or FullName fields, the query qualifications must specify "+
				"no more than one row for retrieval. Result size: %d", len(rows)))
		}
	}
	b := append([]byte(nil), `{"size":`...)
	b = append(strconv.AppendInt(b, int64(len(rows)), 10), `,"totalSize":`...)
	b = append(strconv.AppendInt(b, int64(len(rows)), 10), `,"done":true,"queryLocator":null,"entityTypeName":"`+p.obj.name+`","records":[`...)
	if p.q.Count {
		return reply{status: http.StatusOK, body: append(b, "]}"...)}
	}
	for i, r := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = s.appendRow(b, root(c)+"/tooling", p.obj.name, p.columns, r, r)
	}
	c.rows = len(rows)
	return reply{status: http.StatusOK, body: append(b, "]}"...)}
}

func (s *Server) toolingList(c *call) reply {
	s.mu.RLock()
	defer s.mu.RUnlock()
	list := []objectInfo{}
	for _, o := range s.tooling {
		if s.rights[o.sees] {
			list = append(list, o.info(c))
		}
	}
	return answer(map[string]any{"encoding": "UTF-8", "maxBatchSize": maxCollection, "sobjects": list})
}

func (s *Server) toolingDescribe(c *call) reply {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o := s.toolingObject(c.args[0])
	if o == nil {
		return notFound
	}
	return s.describeObject(c, o)
}

// toolingCreated is the answer to a create: it also has warnings and infos.
type toolingCreated struct {
	createdRow
	Warnings []string `json:"warnings"`
	Infos    []string `json:"infos"`
}

func (s *Server) toolingCreate(c *call) reply {
	var body struct {
		FullName string
		Metadata fieldMetadata
	}
	if e := decode(c.body, &body); e != nil {
		return refusal(e)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.tooling[lower(c.args[0])]
	switch {
	case o == nil:
		return notFound
	case !s.rights[o.writes]:
		return insufficientAccess
	}
	r, err := s.createField(body.FullName, body.Metadata)
	if err != nil {
		return refusal(err)
	}
	c.rows = 1
	a := answer(toolingCreated{createdRow{r.id(), true, []rowError{}}, []string{}, []string{}})
	a.status = http.StatusCreated
	return a
}

// toolingRow finds the custom field that a path names.
func (s *Server) toolingRow(c *call) *record {
	id, ok := normalID(c.args[1])
	if o := s.toolingObject(c.args[0]); ok && o != nil {
		return o.byID[id]
	}
	return nil
}

func (s *Server) toolingRead(c *call) reply {
	s.mu.RLock()
	defer s.mu.RUnlock()
	r := s.toolingRow(c)
	if r == nil {
		return notFound
	}
	columns, err := r.obj.columns(nil)
	if err != nil {
		return refusal(err)
	}
	c.rows = 1
	return reply{status: http.StatusOK, body: s.appendRow(nil, root(c)+"/tooling", r.obj.name, columns, r, r)}
}

func (s *Server) toolingUpdate(c *call) reply {
	var body struct{ Metadata fieldMetadata }
	if e := decode(c.body, &body); e != nil {
		return refusal(e)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.toolingRow(c)
	switch {
	case r == nil:
		return notFound
	case !s.rights[r.obj.writes]:
		return insufficientAccess
	}
	object, name, _ := strings.Cut(r.text("FullName"), ".")
	if err := s.changeField(s.objects[lower(object)], name, body.Metadata); err != nil {
		return refusal(err)
	}
	c.rows = 1
	return reply{status: http.StatusNoContent}
}
