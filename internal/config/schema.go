package config

import (
	"encoding"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"energyd/configs"
	"energyd/connectors"
	"energyd/engine"
	"energyd/internal/fault"
	"energyd/internal/schedule"
	"energyd/mapping"
	"energyd/mapping/freetext"
)

// SchemaNames are the kinds of files that Schema knows, sorted.
var SchemaNames = []string{"config", "mapping", "phrases", "points", "titles"}

// Schema gives the JSON Schema (draft-07, which editors know) of a kind of
// file. It is made of the structs that the decoder fills, so it refuses what
// the decoder refuses: unknown options and values of another shape. What the
// values mean is for energyd check alone. The descriptions are the comments of
// the shipped files. Faults: config (no such name).
func Schema(name string, reg connectors.Registry) ([]byte, error) {
	var s schema
	switch name {
	case "config":
		s = configSchema(reg)
	case "mapping":
		s = schemaMaker{}.object(sample(configs.ActivitySample, configs.ProfileSample), reflect.TypeFor[mapping.Config]())
	case "phrases":
		s = schemaMaker{}.object(sample(configs.Phrases), reflect.TypeFor[freetext.Config]())
	case "points":
		s = schemaMaker{}.object(sample(configs.Points), reflect.TypeFor[engine.PointsConfig]())
	case "titles":
		s = schemaMaker{}.object(sample(configs.Titles), reflect.TypeFor[mapping.TitlesConfig]())
	default:
		return nil, fault.New(fault.Config, "schema", fmt.Sprintf("there is no schema %q%s", name, fault.DidYouMean(name, SchemaNames)),
			"there are "+strings.Join(SchemaNames, ", "), nil)
	}
	s["$schema"] = "http://json-schema.org/draft-07/schema#"
	s["title"] = "energyd " + name
	text, err := json.MarshalIndent(s, "", " ")
	return append(text, '\n'), err
}

// WriteSchemas puts all schemas into the folder schemas below dir, which the
// files that energyd init writes point to. Those that are there are written anew.
func WriteSchemas(dir string, reg connectors.Registry) error {
	dir = filepath.Join(dir, "schemas")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fault.New(fault.Config, "schema", "cannot make the folder for the schemas", "name a folder that you may write to", err)
	}
	for _, name := range SchemaNames {
		text, err := Schema(name, reg)
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name+".json"), text, 0o600); err != nil {
			return fault.New(fault.Config, "schema", "cannot write a schema", "name a folder that you may write to", err)
		}
	}
	return nil
}

// schema is a JSON Schema.
type schema map[string]any

// schemaMaker makes schemas of what the decoder decodes into.
type schemaMaker struct {
	references bool // ${…} may stand in place of any value
}

// optionWords are what options take that are no free texts.
var optionWords = map[reflect.Type]map[string][]string{
	reflect.TypeFor[top]():                 {"language": {"ja", "en"}, "missed": {string(schedule.Once), string(schedule.Skip)}},
	reflect.TypeFor[sourceTop]():           {"missed": {string(schedule.Once), string(schedule.Skip)}},
	reflect.TypeFor[writeTop]():            {"entity": entities},
	reflect.TypeFor[mapping.ProfileRule](): {"kind": append(slices.Clone(kinds), engine.Stage.String())},
	reflect.TypeFor[mapping.Entry]():       {"kind": kinds},
	reflect.TypeFor[engine.PointsConfig](): {"mode": {"multiply", "add", "flat"}, "clock": {"calendar", "business"}, "rank": {"contact", "today"}},
	reflect.TypeFor[engine.GroupConfig]():  {"decay": {"exp", "grace_exp", "step", "linear", "none"}},
	reflect.TypeFor[engine.DealsConfig]():  {"split": {"equal", "full"}},
	reflect.TypeFor[freetext.KindWords]():  {"direction": {"inbound", "outbound", "mutual"}},
}

var textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()

// of gives the schema of a type, in the order in which decode looks at types. examples are nodes of it.
func (m schemaMaker) of(t reflect.Type, examples []*yaml.Node) schema {
	switch {
	case t == secretType:
		return schema{"type": []string{"string", "null"}, "pattern": `^\$\{(env|file):[^}]+\}$`}
	case t == durationType:
		return schema{"type": []string{"string", "integer", "null"}}
	case reflect.PointerTo(t).Implements(textUnmarshaler):
		if t.Kind() == reflect.Struct {
			return schema{"anyOf": []schema{m.text(), m.object(examples, t)}}
		}
		return m.text()
	}
	switch t.Kind() {
	case reflect.Pointer:
		return m.of(t.Elem(), examples)
	case reflect.Struct:
		return m.object(examples, t)
	case reflect.Map:
		return schema{"type": []string{"object", "null"}, "additionalProperties": m.of(t.Elem(), elements(examples))}
	case reflect.Slice:
		return schema{"type": []string{"array", "null"}, "items": m.of(t.Elem(), elements(examples))}
	case reflect.Interface:
		return schema{}
	case reflect.String:
		return m.text()
	case reflect.Bool:
		return m.orText(schema{"type": []string{"boolean", "null"}}, "^(true|false)$")
	case reflect.Float64:
		return m.orText(schema{"type": []string{"number", "null"}}, `^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$`)
	}
	return m.orText(schema{"type": []string{"integer", "null"}}, `^[-+]?\d[\d_]*$`)
}

// text is any scalar: 2026 is a text where one is wanted.
func (schemaMaker) text() schema {
	return schema{"type": []string{"string", "number", "boolean", "null"}}
}

// orText lets a value be written as a text of this form too, or as a reference where there are some.
func (m schemaMaker) orText(s schema, pattern string) schema {
	if m.references {
		pattern += `|\$\{`
	}
	return schema{"anyOf": []schema{s, {"type": "string", "pattern": pattern}}}
}

// object is a mapping with the options of one or several structs.
func (m schemaMaker) object(examples []*yaml.Node, structs ...reflect.Type) schema {
	properties := schema{}
	for _, t := range structs {
		byName := map[string]reflect.Value{}
		fields(reflect.New(t).Elem(), byName)
		for name, field := range byName {
			in := lookUp(examples, name)
			s := m.of(field.Type(), in.values)
			if w := optionWords[t][name]; w != nil {
				s = schema{"enum": append([]any{nil, ""}, anyWords(w)...)}
			}
			if about := in.comment(); about != "" {
				s["description"] = about
			}
			properties[name] = s
		}
	}
	return schema{"type": []string{"object", "null"}, "properties": properties, "additionalProperties": false}
}

// configSchema is that of energyd.yaml. What a connection may hold depends on its
// type. What a source may hold depends on its connection's, which a schema cannot
// follow: the options of one of the connectors.
func configSchema(reg connectors.Registry) schema {
	m := schemaMaker{references: true}
	s := m.object(sample(configs.Energyd(configs.Starter{Driver: "postgres"})), reflect.TypeFor[top]())
	connection := schema{"type": "object", "required": []string{"type"}, "properties": schema{"type": schema{"enum": reg.Names()}}}
	var byType, sources []schema
	for _, c := range reg {
		example := sample(c.Sample)
		conn, source := elements(lookUp(example, "connections").values), elements(lookUp(example, "sources").values)
		byType = append(byType, schema{
			"if":   schema{"properties": schema{"type": schema{"const": c.Name}}},
			"then": m.object(conn, reflect.TypeFor[connectionTop](), reflect.TypeOf(c.NewConfig()).Elem()),
		})
		if c.Reads {
			stream := m.object(source, reflect.TypeFor[sourceTop](), reflect.TypeOf(c.NewStream()).Elem())
			stream["title"], stream["type"], stream["required"] = c.Title, "object", []string{"connection"}
			sources = append(sources, stream)
		}
	}
	connection["allOf"] = byType
	properties := s["properties"].(schema)
	for name, of := range map[string]schema{"connections": connection, "sources": {"anyOf": sources}} {
		section := schema{"type": []string{"object", "null"}, "additionalProperties": of}
		if about := properties[name].(schema)["description"]; about != nil {
			section["description"] = about
		}
		properties[name] = section
	}
	return s
}

// sample gives the trees of files that are shipped.
func sample(files ...[]byte) []*yaml.Node {
	var roots []*yaml.Node
	for _, f := range files {
		roots = append(roots, parse("", f).root)
	}
	return roots
}

// found is where examples have an option.
type found struct{ keys, values []*yaml.Node }

// lookUp finds an option in examples.
func lookUp(examples []*yaml.Node, name string) found {
	var f found
	for _, n := range examples {
		if n.Kind != yaml.MappingNode {
			continue
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Content[i].Value == name {
				f.keys, f.values = append(f.keys, n.Content[i]), append(f.values, n.Content[i+1])
			}
		}
	}
	return f
}

// elements are the values of lists and mappings.
func elements(examples []*yaml.Node) []*yaml.Node {
	var out []*yaml.Node
	for _, n := range examples {
		for i, c := range n.Content {
			if n.Kind == yaml.SequenceNode || n.Kind == yaml.MappingNode && i%2 == 1 {
				out = append(out, c)
			}
		}
	}
	return out
}

// comment is what the shipped files say of an option: behind it, else right above it.
func (f found) comment() string {
	for i, key := range f.keys {
		for _, c := range []string{f.values[i].LineComment, key.LineComment} {
			if c != "" {
				return strings.TrimSpace(strings.TrimLeft(c, "# "))
			}
		}
		paragraphs := strings.Split(key.HeadComment, "\n\n")
		var lines []string
		for line := range strings.Lines(paragraphs[len(paragraphs)-1]) {
			line = strings.TrimSpace(strings.TrimLeft(line, "#"))
			if !strings.HasPrefix(line, "----") && !strings.HasPrefix(line, "yaml-language-server") {
				lines = append(lines, line)
			}
		}
		if about := strings.TrimSpace(strings.Join(lines, "\n")); about != "" {
			return about
		}
	}
	return ""
}

func anyWords(list []string) []any {
	out := make([]any, len(list))
	for i, w := range slices.Sorted(slices.Values(list)) {
		out[i] = w
	}
	return out
}
