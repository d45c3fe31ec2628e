package salesforce

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"io"
	"slices"
	"strings"
	"time"
)

// shape is the object's fields with their types, small enough for a cursor:
// some hundred fields make some hundred bytes.
func (o *sobject) shape() string {
	lines := make([]string, len(o.Fields))
	for i, f := range o.Fields {
		lines[i] = f.Name + " " + f.Type
	}
	slices.Sort(lines)
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err == nil {
		_, err = io.WriteString(w, strings.Join(lines, "\n"))
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		panic(err) // the level is a known one, and a Buffer takes all
	}
	return base64.RawStdEncoding.EncodeToString(b.Bytes())
}

// fieldsOf reads a shape: field to type. Nil when it is none.
func fieldsOf(shape string) map[string]string {
	packed, err := base64.RawStdEncoding.DecodeString(shape)
	if err != nil {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), 1<<20))
	if err != nil || len(text) == 0 {
		return nil
	}
	fields := map[string]string{}
	for line := range strings.SplitSeq(string(text), "\n") {
		name, typ, _ := strings.Cut(line, " ")
		fields[name] = typ
	}
	return fields
}

// noteDrift warns of fields that came, went or changed their type since the
// last round, whose shape is given (C20).
func (s *source) noteDrift(last string) {
	if last == "" || last == s.shape {
		return
	}
	before, now := fieldsOf(last), fieldsOf(s.shape)
	if before == nil {
		return
	}
	var came, went, changed []string
	for name, typ := range now {
		if was, ok := before[name]; !ok {
			came = append(came, name)
		} else if was != typ {
			changed = append(changed, name+" ("+was+" to "+typ+")")
		}
	}
	for name := range before {
		if _, ok := now[name]; !ok {
			went = append(went, name)
		}
	}
	for _, names := range [][]string{came, went, changed} {
		slices.Sort(names)
	}
	s.conn.log.Warn("The object's fields are not those of the last reading.", "object", s.object,
		"new", came, "gone or hidden", went, "other type", changed)
}

// SetReread tells how often the stream is read completely; 0 is never.
func (s *Stream) SetReread(every time.Duration) { s.never = every == 0 }

// warnOfFormulas names the columns whose values change without a change time,
// of a stream that is never read completely (C27).
func (s *source) warnOfFormulas(o *sobject, stream *Stream) {
	if !stream.never {
		return
	}
	var names []string
	for _, i := range s.selected {
		if f, ok := o.field(s.columns[i].soql()); ok && f.Calculated {
			names = append(names, f.Name)
		}
	}
	if len(names) > 0 {
		s.conn.log.Warn("These columns are calculated: they change without a change time, and such changes are only seen when the stream is read completely, which reread: 0 forbids.",
			"object", s.object, "columns", names)
	}
}
