package crmsim

import (
	"fmt"
	"slices"
	"strings"
)

// record is one row. Its values are replaced as a whole, never changed in
// place, so that a kept slice is the row as it was.
type record struct {
	obj    *object
	values []any      // by column; ends with the last that is neither null nor false
	late   *lateWrite // of a transaction that is still open; nil nearly always
	owned  []*record  // rows of other objects that belong to this one
}

func (r *record) value(column int) any {
	if column >= 0 && column < len(r.values) {
		return r.values[column]
	}
	return nil
}

func (r *record) id() string    { return r.values[colID].(string) }
func (r *record) deleted() bool { return r.values[colDeleted] == true }
func (r *record) text(field string) string {
	i, _ := r.obj.field(field)
	text, _ := r.value(i).(string)
	return text
}

func lower(s string) string { return strings.ToLower(s) }

// change is one row before and after.
type change struct {
	row     *record
	before  []any    // nil for a new row
	joined  []any    // what an open transaction held before it took this in; nil otherwise
	removed bool     // the row is gone without a trace
	also    []change // what the org changed of itself because of this one, in order
}

// replace puts new values into a row and keeps the indexes right.
func (r *record) replace(values []any) {
	for column, index := range r.obj.unique {
		if old, ok := r.value(column).(string); ok && index[lower(old)] == r {
			delete(index, lower(old))
		}
	}
	owner := r.owner()
	r.values = trimmed(values)
	if now := r.owner(); now != owner && r.obj.byID[r.id()] == r {
		r.leave(owner)
		r.join(now)
	}
	for column, index := range r.obj.unique {
		if text, ok := r.value(column).(string); ok && !r.deleted() {
			index[lower(text)] = r
		}
	}
	if r.obj.changes != nil {
		r.obj.changes()
	}
}

// trimmed leaves out the nulls and unticked boxes at the end, which most rows have many of.
func trimmed(values []any) []any {
	n := len(values)
	for n > colStamp+1 && (values[n-1] == nil || values[n-1] == false) {
		n--
	}
	if n == cap(values) {
		return values
	}
	return append(make([]any, 0, n), values[:n]...)
}

// copy gives the row's values with a place for each column, as they are or will
// be when its transaction ends.
func (r *record) copy() []any {
	row := make([]any, len(r.obj.fields))
	copy(row, r.written())
	return row
}

// latest gives a value as written, also by a transaction that is still open;
// nil where the object has no such field.
func (r *record) latest(field string) any {
	i, f := r.obj.field(field)
	if values := r.written(); f != nil && i < len(values) {
		return values[i]
	}
	return nil
}

func (r *record) latestText(field string) string {
	text, _ := r.latest(field).(string)
	return text
}

// put replaces values of a row by name; its stamps stay. That is never late by
// itself, and holds the row for nobody.
func (s *Server) put(r *record, values map[string]any) change {
	row := r.copy()
	for name, v := range values {
		i, _ := r.obj.field(name)
		row[i] = v
	}
	if r.late != nil {
		return s.putRow(r, row)
	}
	c := change{row: r, before: r.values}
	r.replace(row)
	return c
}

// putRow replaces a row's values as a whole; a transaction that is open takes them in.
func (s *Server) putRow(r *record, row []any) change {
	c := change{row: r, before: r.values}
	if r.late != nil {
		c.joined, r.late.values = r.late.values, row
	} else {
		s.set(r, row)
	}
	return c
}

// enter makes a row out of finished values.
func (s *Server) enter(o *object, row []any) change {
	o.last++
	row[colID] = newID(o.prefix, o.last)
	r := &record{obj: o}
	s.set(r, row)
	return change{row: r}
}

// owner is the row that this one belongs to, nil when there is none.
func (r *record) owner() *record {
	if r.obj.owner == 0 {
		return nil
	}
	id, _ := r.value(r.obj.owner).(string)
	return r.obj.find(id)
}

func (r *record) join(owner *record) {
	if owner != nil {
		owner.owned = append(owner.owned, r)
	}
}

func (r *record) leave(owner *record) {
	if owner != nil {
		owner.owned = slices.DeleteFunc(slices.Clone(owner.owned), func(other *record) bool { return other == r })
	}
}

// undo takes changes back, newest first.
func (s *Server) undo(changes []change) {
	for _, c := range slices.Backward(changes) {
		s.undo(c.also)
		r := c.row
		if c.joined != nil {
			r.late.values = c.joined
			continue
		}
		switch {
		case c.removed:
			r.obj.insert(r)
			r.replace(c.before)
			r.obj.gone = r.obj.gone[:len(r.obj.gone)-1]
		case c.before == nil:
			r.obj.remove(r)
			r.obj.last-- // ids are given in turn, and taken back in reverse
		case r.late == nil:
			r.replace(c.before)
		}
		if r.late != nil {
			s.takeBack(r)
		}
	}
}

// find gives the row of any object by its 18-character id, nil when there is none.
func (s *Server) find(id string) *record {
	if len(id) < 3 {
		return nil
	}
	if o := s.byPrefix[id[:3]]; o != nil {
		return o.byID[id]
	}
	return nil
}

func (s *Server) object(name string) (*object, error) {
	if o := s.objects[lower(name)]; o != nil {
		return o, nil
	}
	return nil, refuse("INVALID_TYPE", nil, "sObject type '%s' is not supported.", name)
}

// change runs one batch of the Go API under the lock, and keeps it.
func (s *Server) change(write func() (change, error)) error {
	s.alone.RLock()
	defer s.alone.RUnlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commitDue()
	c, err := write()
	if err != nil {
		return err
	}
	return s.keep([]change{c})
}

// Insert adds a row as the administrator would, and gives its id. Values may
// also be those of read-only fields (CreatedDate, IsArchived, a formula);
// stamps not given are the clock's. Errors are *Error.
func (s *Server) Insert(object string, values map[string]any) (id string, err error) {
	err = s.change(func() (change, error) {
		o, err := s.object(object)
		if err != nil {
			return change{}, err
		}
		c, err := s.insert(o, values, s.adminRights())
		if err == nil {
			id = c.row.id()
		}
		return c, err
	})
	return id, err
}

// Update changes a row as the administrator would; nil clears a field.
func (s *Server) Update(object, id string, values map[string]any) error {
	return s.change(func() (change, error) {
		o, err := s.object(object)
		if err != nil {
			return change{}, err
		}
		return s.update(o, id, values, s.adminRights())
	})
}

// Delete puts a row into the bin: queryAll shows it, query does not.
func (s *Server) Delete(object, id string) error { return s.bin(object, id, true) }

// Undelete takes a row out of the bin, with a new stamp.
func (s *Server) Undelete(object, id string) error { return s.bin(object, id, false) }

func (s *Server) bin(object, id string, deleted bool) error {
	return s.change(func() (change, error) {
		o, err := s.object(object)
		if err != nil {
			return change{}, err
		}
		return s.setDeleted(o, id, deleted, s.adminRights())
	})
}

// Get gives one row with all its fields, also when it is deleted; ok tells whether there is one.
// Values are string (dates as 2006-01-02), float64, bool, time.Time in UTC, or nil.
func (s *Server) Get(object, id string) (row map[string]any, ok bool) {
	s.settle()
	s.mu.RLock()
	defer s.mu.RUnlock()
	id, _ = normalID(id)
	r := s.find(id)
	if r == nil || !strings.EqualFold(r.obj.name, object) {
		return nil, false
	}
	return r.fields(), true
}

// Rows gives all rows of an object in the order of their ids, deleted ones too.
func (s *Server) Rows(object string) ([]map[string]any, error) {
	s.settle()
	s.mu.RLock()
	defer s.mu.RUnlock()
	o, err := s.object(object)
	if err != nil {
		return nil, err
	}
	rows := make([]map[string]any, len(o.rows))
	for i, r := range o.rows {
		rows[i] = r.fields()
	}
	return rows, nil
}

func (r *record) fields() map[string]any {
	m := make(map[string]any, len(r.obj.fields))
	for i, f := range r.obj.fields {
		if !f.absent {
			m[f.Name] = shown(r.value(i))
			if f.Type == Checkbox && m[f.Name] == nil {
				m[f.Name] = false
			}
		}
	}
	return m
}

// AddField adds a custom field; the integration user may read and write it.
// A field that is there already is left alone if it is the same, refused if not.
func (s *Server) AddField(object string, f Field) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, err := s.object(object)
	if err != nil {
		return err
	}
	if _, old := o.field(f.Name); old != nil {
		return s.addField(object, f) // the same one, or refused
	}
	if err := s.addField(object, f); err != nil {
		return err
	}
	if err := s.keepField(object, f); err != nil {
		return err
	}
	return s.setAccessOf(o, f.Name, editable)
}

func (s *Server) addField(object string, f Field) error {
	o, err := s.object(object)
	if err != nil {
		return err
	}
	if err := f.check(); err != nil {
		return err
	}
	if _, old := o.field(f.Name); old != nil {
		if old.Type == f.Type && old.Length == f.Length && old.Precision == f.Precision && old.Scale == f.Scale {
			return nil
		}
		return fmt.Errorf("there is already a field named %s on %s, of another type", f.Name, o.name)
	}
	if !f.Required {
		f.base, f.access, f.granted = hidden, hidden, hidden // until a permission set grants it
	}
	o.add(&f)
	o.changed = s.now().Unix()
	if f.Unique {
		o.unique[len(o.fields)-1] = map[string]*record{}
	}
	s.noteField(o, &f)
	return nil
}

// HideField takes a field out of the integration user's sight.
func (s *Server) HideField(object, field string) error { return s.setAccess(object, field, hidden) }

// ReadOnlyField lets the integration user read a field, but not write it.
func (s *Server) ReadOnlyField(object, field string) error {
	return s.setAccess(object, field, readable)
}

// GrantField lets the integration user read and write a field again.
func (s *Server) GrantField(object, field string) error { return s.setAccess(object, field, editable) }

// setAccess sets the rights on a field, or on the object when field is "".
func (s *Server) setAccess(object, field string, a access) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	o, err := s.object(object)
	if err != nil {
		return err
	}
	if field == "" {
		o.denied, o.changed = a != editable, s.now().Unix()
		s.govern()
		return nil
	}
	return s.setAccessOf(o, field, a)
}

func (s *Server) setAccessOf(o *object, field string, a access) error {
	_, f := o.field(field)
	if f == nil {
		return fmt.Errorf("%s has no field %s", o.name, field)
	}
	changes, err := s.grant(o, f, a)
	if err != nil {
		return err
	}
	return s.keep(changes)
}

// seen finds an object that the integration user may see.
func (s *Server) seen(name string) *object {
	if o := s.objects[lower(name)]; o != nil && (o.sees == "" || s.rights[o.sees]) {
		return o
	}
	return nil
}
