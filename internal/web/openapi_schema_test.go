package web

import (
	"cmp"
	"encoding"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// object is an object of JSON; its keys are written in order.
type object = map[string]any

// described makes what openapi.json has to be.
func described() ([]byte, error) {
	s := schemas{}
	failure := object{
		"description": "A problem (RFC 9457): " + statusList(),
		"content":     object{"application/problem+json": object{"schema": s.of(reflect.TypeFor[problem]())}},
	}
	paths := object{}
	for i := range pages {
		p := &pages[i]
		paths[p.path] = object{"get": object{
			"operationId": p.name,
			"summary":     p.Title("en"),
			"description": "Role: " + p.role.String() + ".",
			"parameters":  parameters(p),
			"responses": object{
				"200":     object{"description": "What the page shows.", "content": object{"application/json": object{"schema": s.of(p.view.shown)}}},
				"default": object{"$ref": "#/components/responses/problem"},
			},
		}}
	}
	text, err := json.MarshalIndent(object{
		"openapi": "3.1.1",
		"info": object{
			"title": "energyd dashboard", "version": strings.TrimPrefix(api, "/api/"),
			"description": "What the pages of the dashboard show. Properties may be added within a version; none is taken away or changes its meaning.",
		},
		"servers":  []any{object{"url": api}},
		"security": []any{object{"session": []any{}}, object{}},
		"paths":    paths,
		"components": object{
			"schemas":   s,
			"responses": object{"problem": failure},
			"securitySchemes": object{"session": object{"type": "apiKey", "in": "cookie", "name": "__Host-energyd",
				"description": "Of a sign-on; without TLS its name is energyd. Where no users are configured there is none, and answers are given on the machine itself alone."}},
		},
	}, "", "  ")
	return append(text, '\n'), err
}

// statusList tells the statuses of problems.
func statusList() string {
	var list []string
	for status := http.StatusBadRequest; status < 600; status++ {
		if t, ok := titles[status]; ok {
			list = append(list, fmt.Sprintf("%d %s", status, t.En))
		}
	}
	return strings.Join(list, ", ") + "."
}

var inPath = regexp.MustCompile(`\{(\w+)\}`)

// parameters are those of a page's path and query.
func parameters(p *page) []any {
	list := []any{}
	for _, m := range inPath.FindAllStringSubmatch(p.path, -1) {
		list = append(list, object{"name": m[1], "in": "path", "required": true, "schema": object{"type": "string"}})
	}
	for _, name := range queries[p.name] {
		list = append(list, object{"name": name, "in": "query", "schema": querySchemas(name)})
	}
	return list
}

// querySchemas tell what a query parameter may be.
func querySchemas(name string) object {
	switch name {
	case "page":
		return object{"type": "integer", "minimum": 1}
	case "months":
		return object{"type": "integer", "enum": spans}
	case "order":
		return object{"type": "string", "enum": []string{ascending, descending}}
	case "only":
		return object{"type": "array", "items": object{"type": "string", "enum": []string{"important", "low", "halved"}}}
	case "since":
		return object{"type": "string", "format": "date"}
	}
	return object{"type": "string"}
}

// schemas are those of Go's named structs, as encoding/json writes them.
type schemas map[string]any

var (
	marshals = reflect.TypeFor[json.Marshaler]()
	texts    = reflect.TypeFor[encoding.TextMarshaler]()
)

// of is the schema of a type, by reference where it is a struct with a name.
func (s schemas) of(t reflect.Type) object {
	switch {
	case t == reflect.TypeFor[time.Time]():
		return object{"type": "string", "format": "date-time"}
	case t.Kind() == reflect.Pointer:
		return nullable(s.of(t.Elem()))
	case t.Implements(marshals): // it has its own form
		return object{}
	case t.Implements(texts):
		return object{"type": "string"}
	}
	switch t.Kind() {
	case reflect.Bool:
		return object{"type": "boolean"}
	case reflect.String:
		return object{"type": "string"}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return object{"type": "integer"}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return object{"type": "integer", "minimum": 0}
	case reflect.Float32, reflect.Float64:
		return object{"type": "number"}
	case reflect.Interface:
		return object{}
	case reflect.Array:
		return object{"type": "array", "items": s.of(t.Elem()), "minItems": t.Len(), "maxItems": t.Len()}
	case reflect.Slice:
		if t.Elem().Kind() == reflect.Uint8 {
			return nullable(object{"type": "string", "contentEncoding": "base64"})
		}
		return nullable(object{"type": "array", "items": s.of(t.Elem())})
	case reflect.Map:
		return nullable(object{"type": "object", "additionalProperties": s.of(t.Elem())})
	case reflect.Struct:
		if t.Name() == "" {
			return s.structure(t)
		}
		name := strings.TrimPrefix(t.String(), "web.")
		if _, known := s[name]; !known {
			s[name] = nil // it may hold itself
			s[name] = s.structure(t)
		}
		return object{"$ref": "#/components/schemas/" + name}
	}
	panic("nothing of JSON is like " + t.String())
}

// nullable allows null beside what a schema allows.
func nullable(of object) object {
	if kind, ok := of["type"].(string); ok {
		of["type"] = []any{kind, "null"}
		return of
	}
	if of["$ref"] == nil { // it allows everything, or null already
		return of
	}
	return object{"anyOf": []any{of, object{"type": "null"}}}
}

// never takes null away from what a field with omitempty can be.
func never(of object) object {
	if kinds, ok := of["type"].([]any); ok {
		of["type"] = kinds[0]
	}
	if either, ok := of["anyOf"].([]any); ok {
		return either[0].(object)
	}
	return of
}

// structure is the schema of a struct's fields.
func (s schemas) structure(t reflect.Type) object {
	properties, required := object{}, []string{}
	for _, f := range written(t, map[string]bool{}) {
		property := s.of(f.of)
		if f.always {
			required = append(required, f.name)
		} else {
			property = never(property)
		}
		properties[f.name] = property
	}
	return object{"type": "object", "properties": properties, "required": required}
}

// field is a field as JSON has it.
type field struct {
	name   string
	of     reflect.Type
	always bool // also when it is empty
}

// written are the fields of a struct, and those of its embedded ones that no outer one of the same JSON name hides.
// reflect.VisibleFields hides by Go's names, which are others.
func written(t reflect.Type, outer map[string]bool) (fields []field) {
	var embedded []reflect.Type
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Pointer: // never nil in what a view returns
			embedded = append(embedded, f.Type.Elem())
			continue
		case f.Anonymous && name == "" && f.Type.Kind() == reflect.Struct:
			embedded = append(embedded, f.Type)
			continue
		case name == "-" || !f.IsExported():
			continue
		}
		name = cmp.Or(name, f.Name)
		if outer[name] {
			continue
		}
		outer[name] = true
		fields = append(fields, field{name, f.Type, !strings.Contains(options, "omitempty") && !strings.Contains(options, "omitzero")})
	}
	for _, e := range embedded {
		fields = append(fields, written(e, outer)...)
	}
	return fields
}

// strict is a schema that allows no properties but those that it names: an answer may have no others.
func strict(schema any) {
	switch schema := schema.(type) {
	case object:
		if _, is := schema["properties"]; is && schema["type"] == "object" {
			schema["additionalProperties"] = false
		}
		for _, part := range schema {
			strict(part)
		}
	case []any:
		for _, part := range schema {
			strict(part)
		}
	}
}

// pointer is where a page's answer is described.
func pointer(p *page) string {
	escaped := strings.NewReplacer("~", "~0", "/", "~1", "{", "%7B", "}", "%7D").Replace(p.path)
	return "#/paths/" + escaped + "/get/responses/" + strconv.Itoa(http.StatusOK) + "/content/application~1json/schema"
}
