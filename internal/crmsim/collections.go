package crmsim

import (
	"errors"
	"net/http"
	"strings"
)

const (
	maxCollection = 200  // rows of one collection call
	maxRetrieve   = 2000 // rows of one retrieve call
	maxRuns       = 10   // runs of equal type in one collection
)

// collection is the body of a collection call.
type collection struct {
	AllOrNone bool             `json:"allOrNone"`
	Records   []map[string]any `json:"records"`
}

// rowResult is the answer to one row: its error key is statusCode, not errorCode.
type rowResult struct {
	ID      string     `json:"id,omitempty"`
	Success bool       `json:"success"`
	Errors  []rowError `json:"errors"`
	Created *bool      `json:"created,omitempty"` // of an upsert

	isNew bool // the row was made
}

type rowError struct {
	Code    string   `json:"statusCode"`
	Message string   `json:"message"`
	Fields  []string `json:"fields"`
}

func failed(e *Error) rowResult {
	fields := e.Fields
	if fields == nil {
		fields = []string{}
	}
	return rowResult{Errors: []rowError{{e.Code, e.Message, fields}}}
}

func (s *Server) createMany(c *call) reply {
	return s.writeRecords(c, func(o *object, fields map[string]any, id string) (change, error) {
		if id != "" {
			return change{}, refuse("INVALID_FIELD_FOR_INSERT_UPDATE", []string{"Id"}, "cannot specify Id in an insert call")
		}
		return s.insert(o, fields, s.integrationRights())
	})
}

func (s *Server) updateMany(c *call) reply {
	seen := map[string]bool{}
	return s.writeRecords(c, func(o *object, fields map[string]any, id string) (change, error) {
		if id == "" {
			return change{}, refuse("MISSING_ARGUMENT", []string{"Id"}, "Id not specified in an update call")
		}
		full, _ := normalID(id)
		if seen[full] && s.outcome("S74") == "refused" {
			return change{}, refuse("DUPLICATE_VALUE", []string{"Id"}, "duplicate id specified: %s", id)
		}
		seen[full] = true
		return s.update(o, id, fields, s.integrationRights())
	})
}

// writeRecords reads a collection and writes its rows in order.
func (s *Server) writeRecords(c *call, write func(o *object, fields map[string]any, id string) (change, error)) reply {
	var body collection
	if e := decode(c.body, &body); e != nil {
		return refusal(e)
	}
	if spelling := s.outcome("S64"); spelling != "both" {
		for _, record := range body.Records {
			for name := range record {
				if strings.EqualFold(name, "Id") && name != spelling {
					delete(record, name)
				}
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	objects, e := s.types(body.Records)
	if e != nil {
		return refusal(e)
	}
	return s.writeRows(c, len(body.Records), body.AllOrNone, func(i int) (change, error) {
		fields, id := fieldsOf(body.Records[i])
		return write(objects[i], fields, id)
	})
}

// types finds the object of each record, within the limits of a collection.
func (s *Server) types(records []map[string]any) ([]*object, *Error) {
	if len(records) > maxCollection {
		return nil, tooMany(maxCollection)
	}
	objects, runs := make([]*object, len(records)), 0
	for i, record := range records {
		attributes, _ := record["attributes"].(map[string]any)
		name, _ := attributes["type"].(string)
		if objects[i] = s.seen(name); objects[i] == nil {
			return nil, refuse("INVALID_TYPE", nil, "sObject type '%s' is not supported.", name)
		}
		if i == 0 || objects[i] != objects[i-1] {
			runs++
		}
	}
	if runs > maxRuns {
		return nil, refuse("EXCEEDED_MAX_TYPES_LIMIT", nil, "record types limit reached. cannot submit more than %d record types into this call", maxRuns)
	}
	return objects, nil
}

func tooMany(limit int) *Error {
	return refuse("EXCEEDED_ID_LIMIT", nil, "record limit reached. cannot submit more than %d records into this call", limit)
}

// writeRows answers with one result per row. The caller holds s.mu.
func (s *Server) writeRows(c *call, n int, allOrNone bool, write func(int) (change, error)) reply {
	results, err := s.writeChunk(n, allOrNone, write)
	if err != nil {
		return refusal(err)
	}
	c.rows = n
	return answer(results)
}

// writeChunk writes n rows as one chunk of a transaction, one result for each
// in order. A value that its field cannot parse refuses the chunk as a whole.
// The caller holds s.mu.
func (s *Server) writeChunk(n int, allOrNone bool, write func(int) (change, error)) ([]rowResult, error) {
	s.chunkStamp = s.now().Unix()
	defer func() { s.chunkStamp = 0 }()
	results, changes := make([]rowResult, n), make([]change, 0, n)
	for i := range results {
		ch, err := write(i)
		var e *Error
		switch {
		case err == nil:
			changes = append(changes, ch)
			results[i] = rowResult{ID: ch.row.id(), Success: true, Errors: []rowError{}, isNew: ch.before == nil}
		case errors.As(err, &e) && e.Code != illTyped:
			results[i] = failed(e)
		default:
			s.undo(changes)
			return nil, err
		}
	}
	if e := s.control.triggered(changes); e != nil {
		s.undo(changes)
		changes = nil
		for i, r := range results {
			if r.Success {
				results[i] = failed(e)
			}
		}
		return results, nil
	}
	if allOrNone && len(changes) < n {
		s.undo(changes)
		changes = nil
		for i, r := range results {
			if r.Success {
				results[i] = failed(refuse("ALL_OR_NONE_OPERATION_ROLLED_BACK", nil,
					"Record rolled back because not all records were valid and the request was using AllOrNone header"))
				results[i].ID = r.ID
			}
		}
	}
	return results, s.keep(changes)
}

// deleteMany is DELETE /composite/sobjects?ids=a,b&allOrNone=true.
func (s *Server) deleteMany(c *call) reply {
	q := c.r.URL.Query()
	ids := strings.Split(q.Get("ids"), ",")
	if len(ids) > maxCollection {
		return refusal(tooMany(maxCollection))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.writeRows(c, len(ids), q.Get("allOrNone") == "true", func(i int) (change, error) {
		id, ok := normalID(ids[i])
		if !ok || s.byPrefix[id[:3]] == nil {
			return change{}, refuse("MALFORMED_ID", []string{"Id"}, "malformed id %s", ids[i])
		}
		return s.setDeleted(s.byPrefix[id[:3]], id, true, s.integrationRights())
	})
}

// readMany is POST /composite/sobjects/X with ids and fields, or GET with both
// in the query: an array aligned with the ids, null for those that are missing.
func (s *Server) readMany(c *call) reply {
	q := c.r.URL.Query()
	wanted := struct{ IDs, Fields []string }{strings.Split(q.Get("ids"), ","), strings.Split(q.Get("fields"), ",")}
	if c.r.Method == http.MethodPost {
		if e := decode(c.body, &wanted); e != nil {
			return refusal(e)
		}
	}
	if len(wanted.IDs) > maxRetrieve {
		return refusal(tooMany(maxRetrieve))
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	o := s.seen(c.args[0])
	if o == nil {
		return notFound
	}
	if len(wanted.Fields) == 0 {
		return refusal(refuse("MISSING_ARGUMENT", nil, "fields not specified"))
	}
	columns, err := o.columns(wanted.Fields)
	if err != nil {
		return refusal(err)
	}
	b := []byte("[")
	for _, id := range wanted.IDs {
		r, e := s.target(o, id)
		if e != nil && e.Code == "MALFORMED_ID" {
			return refusal(e)
		}
		missing := e != nil || r.deleted()
		if missing && s.outcome("S76") == "left_out" {
			continue
		}
		if len(b) > 1 {
			b = append(b, ',')
		}
		if missing {
			b = append(b, "null"...)
			continue
		}
		b = s.appendRow(b, root(c), o.name, columns, r, r)
		c.rows++
	}
	return reply{status: http.StatusOK, body: append(b, ']')}
}
