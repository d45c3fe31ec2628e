package crmsim

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// decode reads a JSON body; numbers stay json.Number. Anything ill-formed is
// one error for the whole request.
func decode(body []byte, v any) *Error {
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	err := d.Decode(v)
	if err == nil {
		if _, err = d.Token(); errors.Is(err, io.EOF) {
			return nil
		}
		err = errors.New("unexpected text after the value")
	}
	return &Error{Code: illTyped, Message: fmt.Sprintf("%v at byte %d", err, d.InputOffset())}
}

// fieldsOf gives the fields of a record as sent: without attributes, and
// without its id, which is read from "id" or "Id".
func fieldsOf(record map[string]any) (fields map[string]any, id string) {
	fields = make(map[string]any, len(record))
	for name, v := range record {
		switch {
		case name == "attributes":
		case strings.EqualFold(name, "Id"):
			id, _ = v.(string)
		default:
			fields[name] = v
		}
	}
	return fields, id
}

type createdRow struct {
	ID      string     `json:"id"`
	Success bool       `json:"success"`
	Errors  []rowError `json:"errors"`
}

// createOne is POST /sobjects/X.
func (s *Server) createOne(c *call) reply {
	var record map[string]any
	if e := decode(c.body, &record); e != nil {
		return refusal(e)
	}
	fields, _ := fieldsOf(record)
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.seen(c.args[0])
	if o == nil {
		return notFound
	}
	ch, err := s.insert(o, fields, s.integrationRights())
	if err == nil {
		err = s.conclude(ch)
	}
	if err != nil {
		return refusal(err)
	}
	c.rows = 1
	a := answer(createdRow{ch.row.id(), true, []rowError{}})
	a.status = http.StatusCreated
	a.header = http.Header{"Location": {root(c) + "/sobjects/" + o.name + "/" + ch.row.id()}}
	return a
}

// conclude ends a transaction of one row.
func (s *Server) conclude(ch change) error {
	if e := s.control.triggered([]change{ch}); e != nil {
		s.undo([]change{ch})
		return e
	}
	return s.keep([]change{ch})
}

// readOne is GET /sobjects/X/id?fields=A,B.
func (s *Server) readOne(c *call) reply {
	s.mu.RLock()
	defer s.mu.RUnlock()
	o := s.seen(c.args[0])
	if o == nil {
		return notFound
	}
	r, missing := s.target(o, c.args[1])
	switch {
	case missing != nil:
		return notFound
	case r.deleted():
		return refusal(&Error{Code: "ENTITY_IS_DELETED", Message: "entity is deleted"})
	}
	var names []string
	if list := c.r.URL.Query().Get("fields"); list != "" {
		names = strings.Split(list, ",")
	}
	columns, err := o.columns(names)
	if err != nil {
		return refusal(err)
	}
	c.rows = 1
	return reply{status: http.StatusOK, body: s.appendRow(nil, root(c), o.name, columns, r, r)}
}

// columns finds fields by name; no names mean all of them.
func (o *object) columns(names []string) ([]column, error) {
	var columns []column
	for i, f := range o.fields {
		if names == nil && f.visible() {
			columns = append(columns, column{name: f.Name, get: getter{field: f, fixed: i}})
		}
	}
	for _, name := range names {
		i, f := o.visible(strings.TrimSpace(name))
		if f == nil {
			return nil, refuse("INVALID_FIELD", nil, "No such column '%s' on sobject of type %s", name, o.name)
		}
		columns = append(columns, column{name: f.Name, get: getter{field: f, fixed: i}})
	}
	return columns, nil
}

// updateOne is PATCH /sobjects/X/id: 204 and no body.
func (s *Server) updateOne(c *call) reply {
	var record map[string]any
	if e := decode(c.body, &record); e != nil {
		return refusal(e)
	}
	fields, id := fieldsOf(record)
	if id != "" {
		return refusal(refuse("INVALID_FIELD", []string{"Id"}, "The Id field should not be specified in the sobject data."))
	}
	return s.writeOne(c, func(o *object) (change, error) {
		return s.update(o, c.args[1], fields, s.integrationRights())
	})
}

func (s *Server) deleteOne(c *call) reply {
	return s.writeOne(c, func(o *object) (change, error) {
		return s.setDeleted(o, c.args[1], true, s.integrationRights())
	})
}

func (s *Server) writeOne(c *call, write func(*object) (change, error)) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	o := s.seen(c.args[0])
	if o == nil {
		return notFound
	}
	ch, err := write(o)
	if err == nil {
		err = s.conclude(ch)
	}
	if err != nil {
		return refusal(err)
	}
	c.rows = 1
	return reply{status: http.StatusNoContent}
}
