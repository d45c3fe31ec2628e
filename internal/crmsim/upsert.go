package crmsim

import (
	"net/http"
	"strings"
)

// externalID finds the field that rows may be named by: an external id that the client may see.
func (o *object) externalID(name string) (int, *Field) {
	if i, f := o.visible(name); f != nil && f.ExternalID {
		return i, f
	}
	return -1, nil
}

// named gives the live rows whose external id in a column is v, a stored value.
func (o *object) named(column int, v any) []*record {
	if index, text := o.unique[column], v; index != nil {
		if text, ok := text.(string); ok {
			if r := index[lower(text)]; r != nil {
				return []*record{r}
			}
			return nil
		}
	}
	var found []*record
	for _, r := range o.rows {
		if !r.deleted() && r.value(column) != nil && compareValues(o.fields[column], r.value(column), v) == 0 {
			found = append(found, r)
		}
	}
	return found
}

// upsert updates the row whose external id is key, or makes it. fields do not
// hold the external id itself.
func (s *Server) upsert(o *object, column int, key any, fields map[string]any, by rights) (change, error) {
	f := o.fields[column]
	v, refused := s.stored(f, key)
	if refused != nil {
		return change{}, refused
	}
	if v == nil {
		return change{}, refuse("MISSING_ARGUMENT", []string{f.Name}, "%s not specified", f.Name)
	}
	switch found := o.named(column, v); len(found) {
	case 0:
		fields[f.Name] = key
		return s.insert(o, fields, by)
	case 1:
		return s.update(o, found[0].id(), fields, by)
	default:
		return change{}, ambiguous(f, found)
	}
}

func ambiguous(f *Field, found []*record) *Error {
	ids := make([]string, len(found))
	for i, r := range found {
		ids[i] = r.id()
	}
	return refuse("DUPLICATE_EXTERNAL_ID", []string{f.Name}, "%s: more than one record found for external id field: [%s]", f.Name, strings.Join(ids, ", "))
}

// upsertMany is PATCH /composite/sobjects/X/Ext__c.
func (s *Server) upsertMany(c *call) reply {
	var body collection
	if e := decode(c.body, &body); e != nil {
		return refusal(e)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.seen(c.args[0])
	if o == nil {
		return notFound
	}
	column, f := o.externalID(c.args[1])
	if f == nil {
		return noExternalID(c.args[1])
	}
	objects, e := s.types(body.Records)
	if e != nil {
		return refusal(e)
	}
	for _, other := range objects {
		if other != o {
			return refusal(refuse("INVALID_TYPE", nil, "all records must be of type %s", o.name))
		}
	}
	once := s.once()
	results, err := s.writeChunk(len(objects), body.AllOrNone, func(i int) (change, error) {
		fields, key, id := externalOf(body.Records[i], f.Name)
		if id != "" {
			return change{}, refuse("INVALID_FIELD_FOR_INSERT_UPDATE", []string{"Id"}, "cannot specify Id in an upsert by %s", f.Name)
		}
		if text, ok := key.(string); ok {
			if e := once(lower(text)); e != nil {
				return change{}, e
			}
		}
		return s.upsert(o, column, key, fields, s.integrationRights())
	})
	if err != nil {
		return refusal(err)
	}
	for i := range results {
		results[i].Created = &results[i].isNew
	}
	c.rows = len(results)
	return answer(results)
}

func noExternalID(name string) reply {
	return fail(http.StatusNotFound, refuse("NOT_FOUND", nil, "Provided external ID field does not exist or is not accessible: %s", name))
}

// externalOf takes the external id and the id out of a record.
func externalOf(record map[string]any, name string) (fields map[string]any, key any, id string) {
	fields, id = fieldsOf(record)
	for field, v := range fields {
		if strings.EqualFold(field, name) {
			key = v
			delete(fields, field)
		}
	}
	return fields, key, id
}

// once gives a check that refuses a key that comes again in the same chunk, when S74 is so chosen.
func (s *Server) once() func(key string) *Error {
	seen := map[string]bool{}
	return func(key string) *Error {
		if seen[key] && s.outcome("S74") == "refused" {
			return refuse("DUPLICATE_VALUE", []string{"Id"}, "duplicate id specified: %s", key)
		}
		seen[key] = true
		return nil
	}
}

// upsertOne is PATCH /sobjects/X/Ext__c/value.
func (s *Server) upsertOne(c *call) reply {
	var record map[string]any
	if e := decode(c.body, &record); e != nil {
		return refusal(e)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.seen(c.args[0])
	if o == nil {
		return notFound
	}
	column, f := o.externalID(c.args[1])
	if f == nil {
		return noExternalID(c.args[1])
	}
	fields, given, id := externalOf(record, f.Name)
	if given != nil || id != "" {
		return refusal(refuse("INVALID_FIELD", []string{f.Name}, "The %s field should not be specified in the sobject data.", f.Name))
	}
	v, refused := s.stored(f, c.args[2])
	if refused != nil {
		return refusal(refused)
	}
	found := o.named(column, v)
	switch {
	case len(found) > 1:
		urls := make([]string, len(found))
		for i, r := range found {
			urls[i] = root(c) + "/sobjects/" + o.name + "/" + r.id()
		}
		a := answer(urls)
		a.status = http.StatusMultipleChoices
		return a
	case len(found) == 0 && c.r.URL.Query().Get("updateOnly") == "true":
		return fail(http.StatusNotFound, &Error{Code: "NOT_FOUND", Message: "The requested resource does not exist"})
	}
	ch, err := s.upsert(o, column, c.args[2], fields, s.integrationRights())
	if err == nil {
		err = s.keep([]change{ch})
	}
	if err != nil {
		return refusal(err)
	}
	c.rows = 1
	created := ch.before == nil
	if !created && s.outcome("S79") == "204" {
		return reply{status: http.StatusNoContent}
	}
	a := answer(rowResult{ID: ch.row.id(), Success: true, Errors: []rowError{}, Created: &created})
	if created {
		a.status = http.StatusCreated
		a.header = http.Header{"Location": {root(c) + "/sobjects/" + o.name + "/" + ch.row.id()}}
	}
	return a
}

// readByExternalID is GET /sobjects/X/Ext__c/value.
func (s *Server) readByExternalID(c *call) reply {
	s.mu.RLock()
	o := s.seen(c.args[0])
	if o == nil {
		s.mu.RUnlock()
		return notFound
	}
	column, f := o.externalID(c.args[1])
	if f == nil {
		s.mu.RUnlock()
		return noExternalID(c.args[1])
	}
	v, refused := s.stored(f, c.args[2])
	var found []*record
	if refused == nil && v != nil {
		found = o.named(column, v)
	}
	s.mu.RUnlock()
	if len(found) != 1 {
		return notFound
	}
	c.args = []string{o.name, found[0].id()}
	return s.readOne(c)
}
