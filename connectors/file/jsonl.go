package file

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"energyd/connectors"
)

// jsonReader reads JSON Lines: an object a line.
type jsonReader struct {
	io.Closer
	lines    *lines
	file     string
	period   period
	columns  *connectors.Columns // of the last object, or those that are needed
	fixed    bool                // the columns are the needed ones
	position position
}

func openJSONLines(_ context.Context, f fileHandle, cfg *Stream, name string, need []string, from position) (reader, error) {
	l, err := newLines(f, cfg.Encoding)
	if err != nil {
		return nil, err
	}
	r := &jsonReader{Closer: f, lines: l, file: name, position: from}
	if cfg.Period == "name" {
		r.period = periodIn(path.Base(name))
	}
	if need != nil {
		r.columns, r.fixed = connectors.NewColumns(need), true
	}
	if from.Row > 0 {
		return r, l.seek(from.Offset, from.Row)
	}
	return r, nil
}

func (r *jsonReader) at() position { return r.position }

func (r *jsonReader) next(ctx context.Context) (item, error) {
	for {
		l, err := r.lines.next(ctx)
		if err != nil {
			return item{}, err
		}
		r.position = position{Row: l.number, Offset: r.lines.offset}
		if l.bad == "" && strings.TrimSpace(l.text) == "" {
			continue
		}
		it := item{row: l.number, place: r.file + ":" + strconv.Itoa(l.number), period: r.period}
		if l.bad != "" {
			it.code, it.reason = "encoding", l.bad
			return it, nil
		}
		object, err := parseObject(l.text)
		if err != nil {
			it.code, it.reason = "json", "the line is no JSON object ("+err.Error()+"); repair it in the file"
			return it, nil
		}
		it.columns, it.values = r.values(object, l.number)
		return it, nil
	}
}

var errNoObject = errors.New("it does not begin with {, or more follows behind }")

// maxDepth bounds how deep objects stand in each other.
const maxDepth = 100

func parseObject(text string) (map[string]any, error) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	object, ok := v.(map[string]any)
	if _, err := d.Token(); !ok || !errors.Is(err, io.EOF) {
		return nil, errNoObject
	}
	plain, err := plainValue(object, 0)
	if err != nil {
		return nil, err
	}
	return plain.(map[string]any), nil
}

var errDeep = errors.New("its objects stand too deep in each other")

// plainValue makes the values of records of what JSON holds. A number that int64
// and float64 cannot hold exactly stays the text that it is.
func plainValue(v any, depth int) (any, error) {
	if depth > maxDepth {
		return nil, errDeep
	}
	switch v := v.(type) {
	case json.Number:
		return exact(v.String()), nil
	case map[string]any:
		for name, e := range v {
			p, err := plainValue(e, depth+1)
			if err != nil {
				return nil, err
			}
			v[name] = p
		}
	case []any:
		for i, e := range v {
			p, err := plainValue(e, depth+1)
			if err != nil {
				return nil, err
			}
			v[i] = p
		}
	}
	return v, nil
}

// exact reads a number; one of more digits than float64 keeps stays text.
func exact(text string) any {
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n
	}
	digits := 0
	mantissa, _, _ := strings.Cut(strings.ToLower(text), "e")
	for _, c := range strings.TrimLeft(mantissa, "-0.") {
		if c >= '0' && c <= '9' {
			digits++
		}
	}
	if f, err := strconv.ParseFloat(text, 64); err == nil && digits <= 15 {
		return f
	}
	return text
}

// values gives an object's values: of the needed columns, or of all that it has.
func (r *jsonReader) values(object map[string]any, row int) (*connectors.Columns, []any) {
	if !r.fixed {
		flat := map[string]any{}
		flatten(flat, "", object)
		names := slices.Sorted(maps.Keys(flat))
		if r.columns == nil || !slices.Equal(r.columns.Names, names) {
			r.columns = connectors.NewColumns(names)
		}
		values := make([]any, len(names))
		for i, name := range names {
			values[i] = flat[name]
		}
		return r.columns, values
	}
	values := make([]any, len(r.columns.Names))
	for i, name := range r.columns.Names {
		v, ok := reach(object, name)
		if !ok {
			switch name {
			case "_file":
				v = r.file
			case "_sheet":
				v = ""
			case "_row":
				v = int64(row)
			case "_period":
				v = r.period.String()
			}
		}
		values[i] = v
	}
	return r.columns, values
}

// reach finds "customer.name": a field of that name, else the field name of the object customer.
func reach(object map[string]any, name string) (any, bool) {
	if v, ok := object[name]; ok {
		return v, true
	}
	for i := 0; i < len(name); i++ {
		if name[i] != '.' {
			continue
		}
		if inner, ok := object[name[:i]].(map[string]any); ok {
			if v, ok := reach(inner, name[i+1:]); ok {
				return v, true
			}
		}
	}
	return nil, false
}

// flatten names the fields of objects inside objects with dots.
func flatten(into map[string]any, prefix string, object map[string]any) {
	for name, v := range object {
		if inner, ok := v.(map[string]any); ok && len(inner) > 0 {
			flatten(into, prefix+name+".", inner)
			continue
		}
		into[prefix+name] = v
	}
}
