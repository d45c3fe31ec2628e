package crmsim

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// The file of an org is lines of JSON. Each line is one batch of changes as a
// whole, so that a killed process leaves a batch either there or not: a torn
// last line is dropped when the file is opened. A row in a line replaces the
// row of that id. Opening and closing rewrite the file to one line per row.

// entry is one line: a custom field, or rows as they are after a change.
type entry struct {
	Object string           `json:"object,omitempty"`
	Field  *Field           `json:"field,omitempty"`
	Rows   []map[string]any `json:"rows,omitempty"` // values in their stored form, null ones left out
	Gone   map[string]int64 `json:"gone,omitempty"` // ids of rows removed for good, and when, Unix seconds
}

func (r *record) entry() map[string]any {
	m := map[string]any{}
	for i, v := range r.written() {
		if f := r.obj.fields[i]; v != nil && !f.absent {
			m[f.Name] = v
		}
	}
	return m
}

func (e *entry) add(changes []change, now int64) {
	for _, c := range changes {
		if c.removed {
			if e.Gone == nil {
				e.Gone = map[string]int64{}
			}
			e.Gone[c.row.id()] = now
		} else {
			e.Rows = append(e.Rows, c.row.entry())
		}
		e.add(c.also, now)
	}
}

// keep appends one batch of changes to the file. When that fails it takes the
// batch back, so that memory never holds what the file does not.
func (s *Server) keep(changes []change) error {
	if s.tx != nil {
		s.tx.changes = append(s.tx.changes, changes...)
		return nil
	}
	if s.journal == nil || len(changes) == 0 {
		return nil
	}
	var e entry
	e.add(changes, s.now().Unix())
	if err := s.write(e); err != nil {
		s.undo(changes)
		return fmt.Errorf("the changes cannot be kept: %w", err)
	}
	return nil
}

func (s *Server) keepField(object string, f Field) error {
	if s.journal == nil {
		return nil
	}
	return s.write(entry{Object: object, Field: &f})
}

// write hands a line to the system but does not wait for the disk: a killed
// process loses nothing, and a power cut at most the last batches of a simulation.
func (s *Server) write(e entry) error {
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	written, err := s.journal.Write(append(line, '\n'))
	if err == nil {
		return nil
	}
	// A part of a line may stand at the end of the file only.
	at, seekErr := s.journal.Seek(int64(-written), io.SeekCurrent)
	if seekErr == nil {
		seekErr = s.journal.Truncate(at)
	}
	return errors.Join(err, seekErr)
}

// open reads the file, if there is one, and goes on writing to it.
func (s *Server) open(path string) error {
	f, err := os.Open(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
	case err != nil:
		return err
	default:
		err = s.load(f)
		f.Close()
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		s.govern() // rows that grant a field may have come before the field
	}
	return s.compact()
}

func (s *Server) load(from io.Reader) error {
	in := bufio.NewReader(from)
	for number := 1; ; number++ {
		line, err := in.ReadBytes('\n')
		if err == io.EOF {
			return nil // what stands after the last line feed is a torn batch
		}
		if err != nil {
			return err
		}
		if err := s.replay(line); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
}

func (s *Server) replay(line []byte) error {
	var e entry
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if err := d.Decode(&e); err != nil {
		return err
	}
	if e.Field != nil {
		if o := s.objects[lower(e.Object)]; o != nil {
			if i, old := o.field(e.Field.Name); old != nil && old.Type == e.Field.Type {
				s.redefine(o, i, *e.Field)
				return nil
			}
		}
		return s.addField(e.Object, *e.Field)
	}
	for _, values := range e.Rows {
		id, _ := values["Id"].(string)
		if id, ok := normalID(id); !ok || s.byPrefix[id[:3]] == nil {
			return fmt.Errorf("a row with the id %q", id)
		}
		if err := s.byPrefix[id[:3]].restore(id, values); err != nil {
			return err
		}
	}
	for id, at := range e.Gone {
		id, ok := normalID(id)
		o := s.byPrefix[id[:min(3, len(id))]]
		if !ok || o == nil {
			return fmt.Errorf("a row with the id %q is gone", id)
		}
		if r := o.byID[id]; r != nil {
			o.remove(r)
		}
		o.gone = append(o.gone, removal{id, at})
		o.last = max(o.last, idNumber(id))
	}
	return nil
}

// restore puts a row back as it was kept.
func (o *object) restore(id string, values map[string]any) error {
	row := make([]any, len(o.fields))
	for name, v := range values {
		i, f := o.field(name)
		if f == nil {
			return fmt.Errorf("%s has no field %s", o.name, name)
		}
		if n, ok := v.(json.Number); ok {
			var err error
			if f.Type == DateTime {
				v, err = n.Int64()
			} else {
				v, err = n.Float64()
			}
			if err != nil {
				return err
			}
		}
		row[i] = v
	}
	row[colID] = id
	if row[colDeleted] == nil {
		row[colDeleted] = false
	}
	r := o.byID[id]
	if r == nil {
		r = &record{obj: o}
		r.values = row
		o.insert(r)
		o.last = max(o.last, idNumber(id))
	}
	r.replace(row)
	return nil
}

// compact writes the whole org to a new file and puts it in the place of the old one.
func (s *Server) compact() error {
	path := s.opt.File
	tmp, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	// Windows renames no file that is open, and puts none in the place of one that is.
	if err := errors.Join(s.writeAll(tmp), tmp.Close()); err != nil {
		os.Remove(tmp.Name())
		return err
	}
	if s.journal != nil {
		s.journal.Close()
	}
	if err := os.Rename(tmp.Name(), path); err != nil {
		return err
	}
	s.journal, err = os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = s.journal.Seek(0, io.SeekEnd)
	return err
}

func (s *Server) writeAll(to *os.File) error {
	out := bufio.NewWriterSize(to, 1<<16)
	lines := json.NewEncoder(out)
	for _, o := range s.order {
		for _, f := range o.fields {
			if f.custom() {
				if err := lines.Encode(entry{Object: o.name, Field: f}); err != nil {
					return err
				}
			}
		}
		for _, r := range o.rows {
			if err := lines.Encode(entry{Rows: []map[string]any{r.entry()}}); err != nil {
				return err
			}
		}
		for _, g := range o.gone {
			if err := lines.Encode(entry{Gone: map[string]int64{g.id: g.at}}); err != nil {
				return err
			}
		}
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return to.Sync()
}
