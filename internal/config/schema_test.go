package config

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v4"

	"energyd/configs"
	"energyd/connectors/all"
	"energyd/engine"
	"energyd/mapping"
	"energyd/mapping/freetext"
)

// compiled is the schema of a kind of file as an editor's validator has it.
func compiled(t *testing.T, name string) *jsonschema.Schema {
	t.Helper()
	text, err := Schema(name, all.Connectors)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource(name, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(name)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// shippedFiles are all configuration files of this repository, by kind.
func shippedFiles(t *testing.T) map[string]map[string][]byte {
	t.Helper()
	read := func(patterns ...string) map[string][]byte {
		out := map[string][]byte{}
		for _, p := range patterns {
			files, err := filepath.Glob(p)
			if err != nil || len(files) == 0 {
				t.Fatalf("%s: %d files, %v", p, len(files), err)
			}
			for _, f := range files {
				if out[f], err = os.ReadFile(f); err != nil {
					t.Fatal(err)
				}
			}
		}
		return out
	}
	config := read("../../connectors/*/sample.yaml")
	config["starter"] = configs.Energyd(configs.Starter{Driver: "postgres"})
	config["demo"] = configs.Energyd(configs.Starter{Driver: "sqlite", File: "x.db", MailPort: 1143, MailSecret: "${file:mail}", MailDomain: "us.example", Mailboxes: []string{"a@us.example"}})
	mappings := read("../../configs/mappings/*.yaml", "../../configs/samples/*.yaml", "../../mapping/testdata/*.yaml")
	return map[string]map[string][]byte{
		"config": config, "mapping": mappings, "points": read("../../configs/points.yaml"),
		"titles": read("../../configs/titles.yaml"), "phrases": read("../../configs/phrases.yaml"),
	}
}

// whole is a kind of file, read and checked whole.
func whole(kind string, doc *document) error {
	d := &document{file: doc.file, lines: doc.lines, root: doc.root}
	switch kind {
	case "config":
		_, err := loadDocument(d, "", all.Connectors, loader{atRest: true})
		return err
	case "points":
		var cfg engine.PointsConfig
		return d.into(&cfg, cfg.Validate)
	case "titles":
		var cfg mapping.TitlesConfig
		return d.into(&cfg, func() error { _, err := mapping.NewTitles(&cfg, nil); return err })
	case "phrases":
		var cfg freetext.Config
		return d.into(&cfg, func() error { _, err := freetext.New(&cfg, nil, nil); return err })
	}
	_, err := compileMapping(d, mapping.Env{File: "x"})
	return err
}

// structure is what the decoder alone refuses.
func structure(kind string, doc *document) error {
	cfg := map[string]any{"points": &engine.PointsConfig{}, "titles": &mapping.TitlesConfig{}, "phrases": &freetext.Config{}, "mapping": &mapping.Config{}}[kind]
	if cfg != nil {
		d := &document{file: doc.file, lines: doc.lines, root: doc.root}
		return d.into(cfg, func() error { return nil })
	}
	es, _ := whole(kind, doc).(Errors)
	return sorted(slices.DeleteFunc(es, func(p Problem) bool {
		return !strings.Contains(p.Msg, "unknown option") && !strings.Contains(p.Msg, ", and this is ")
	}))
}

// TestSchema_holds: the schemas accept every file that is shipped, and refuse a
// file that is broken in one place exactly when check refuses its structure.
func TestSchema_holds(t *testing.T) {
	t.Parallel()
	for kind, files := range shippedFiles(t) {
		s := compiled(t, kind)
		for file, text := range files {
			doc := parse(file, text)
			value := func() any { return (&decoder{doc: doc}).anything(doc.root) }
			if err := s.Validate(value()); err != nil {
				t.Errorf("%s: %v", file, err)
			}
			if strings.Contains(file, "/configs/") && !bytes.Contains(text, []byte("schemas/"+kind+".json")) {
				t.Errorf("%s does not name its schema; begin it as configs/mappings/mail.yaml", file)
			}
			if kind == "mapping" && !strings.Contains(file, "samples") || file == "demo" {
				continue // the samples have all options
			}
			broken := 0
			breakEach(doc.root, func(how string, line int) {
				refused, invalid := structure(kind, doc), s.Validate(value())
				if invalid != nil {
					broken++
				}
				switch {
				case invalid == nil && refused != nil:
					t.Errorf("%s:%d: %s: the schema takes it, check does not: %v", file, line, how, refused)
				case invalid != nil && refused == nil && whole(kind, doc) == nil:
					t.Errorf("%s:%d: %s: check takes it, the schema does not: %v", file, line, how, invalid)
				}
			})
			if broken < 5 {
				t.Errorf("%s: only %d broken files were refused", file, broken)
			}
		}
	}
}

// breakEach breaks one place of a tree after the other, calls try, and mends it. Of many
// like places it takes two.
func breakEach(n *yaml.Node, try func(how string, line int)) {
	with := func(target *yaml.Node, other yaml.Node, how string) {
		was := *target
		other.Line, other.Column = was.Line, was.Column
		*target = other
		try(how, was.Line)
		*target = was
	}
	word := yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: "nonsense"}
	list := yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq", Content: []*yaml.Node{{Kind: yaml.ScalarNode, Tag: "!!str", Value: "a", Line: 1, Column: 1}}}
	object := yaml.Node{Kind: yaml.MappingNode, Tag: "!!map", Content: []*yaml.Node{
		{Kind: yaml.ScalarNode, Tag: "!!str", Value: "nonsense", Line: 1, Column: 1}, {Kind: yaml.ScalarNode, Tag: "!!str", Value: "a", Line: 1, Column: 1}}}
	for i, c := range n.Content[:enough(n)] {
		if n.Kind == yaml.MappingNode && i%2 == 0 {
			key := *c
			key.Value += "x"
			with(c, key, "key "+key.Value)
			continue
		}
		if c.Kind == yaml.ScalarNode {
			with(c, word, "nonsense for "+c.Value)
		} else {
			with(c, word, "a text")
		}
		if c.Kind != yaml.SequenceNode {
			with(c, list, "a list for "+c.Value)
		}
		if c.Kind != yaml.MappingNode {
			with(c, object, "a mapping for "+c.Value)
		}
		breakEach(c, try)
	}
}

// enough is how many of a node's parts stand for all: two of a list, and of a mapping whose values look alike.
func enough(n *yaml.Node) int {
	most := len(n.Content)
	if n.Kind == yaml.SequenceNode {
		return min(most, 2)
	}
	alike := most > 8 && n.Content[1].Kind != yaml.ScalarNode
	for i := 3; i < most; i += 2 {
		alike = alike && n.Content[i].Kind == n.Content[1].Kind
	}
	if alike {
		return 4
	}
	return most
}

// TestSchema_words: every word that a schema allows is one that check takes.
func TestSchema_words(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		kind, file, path string
		in               reflect.Type
	}{
		{"points", "../../configs/points.yaml", "mode", reflect.TypeFor[engine.PointsConfig]()},
		{"points", "../../configs/points.yaml", "clock", reflect.TypeFor[engine.PointsConfig]()},
		{"points", "../../configs/points.yaml", "rank", reflect.TypeFor[engine.PointsConfig]()},
		{"points", "../../configs/points.yaml", "deals.split", reflect.TypeFor[engine.DealsConfig]()},
		{"phrases", "../../configs/phrases.yaml", "kinds[0].direction", reflect.TypeFor[freetext.KindWords]()},
		{"mapping", "../../configs/samples/profile.yaml", "profile.kind", reflect.TypeFor[mapping.ProfileRule]()},
		{"mapping", "../../configs/samples/activity.yaml", "tests[0].directory[0].kind", reflect.TypeFor[mapping.Entry]()},
		{"config", "starter", "language", reflect.TypeFor[top]()},
		{"config", "starter", "missed", reflect.TypeFor[top]()},
		{"config", "starter", "write[0].entity", reflect.TypeFor[writeTop]()},
	} {
		doc := parse(c.file, shippedFiles(t)[c.kind][c.file])
		_, node, found := locate(doc.root, c.path)
		if !found {
			t.Errorf("%s has no %s", c.file, c.path)
			continue
		}
		for _, word := range optionWords[c.in][c.path[strings.LastIndexByte(c.path, '.')+1:]] {
			node.Value = word
			es, _ := whole(c.kind, doc).(Errors)
			for _, p := range es {
				if p.Line == node.Line && p.Column == node.Column && !strings.Contains(p.Msg, "written already") {
					t.Errorf("%s: %s: %v", c.path, word, p)
				}
			}
		}
	}
}

// TestSchema_explains: editors have a word on every option of a mapping.
func TestSchema_explains(t *testing.T) {
	t.Parallel()
	text, err := Schema("mapping", nil)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	var missing []string
	unexplained("", doc, &missing)
	if len(missing) > 0 {
		t.Errorf("no word on %s", strings.Join(missing, ", "))
	}
}

func unexplained(path string, v any, out *[]string) {
	switch v := v.(type) {
	case map[string]any:
		if properties, ok := v["properties"].(map[string]any); ok && v["type"] != nil {
			for _, name := range slices.Sorted(maps.Keys(properties)) {
				if p, _ := properties[name].(map[string]any); p["description"] == nil {
					*out = append(*out, path+name)
				}
				unexplained(path+name+".", properties[name], out)
			}
		}
		for _, k := range []string{"additionalProperties", "items", "anyOf"} {
			unexplained(path, v[k], out)
		}
	case []any:
		for _, e := range v {
			unexplained(path, e, out)
		}
	}
}

// TestSamples_whole: the samples of mappings hold every option, and are mappings that work.
func TestSamples_whole(t *testing.T) {
	t.Parallel()
	roots := sample(configs.ActivitySample, configs.ProfileSample)
	missing(t, "", roots, reflect.TypeFor[mapping.Config]())
	titles, err := LoadTitles("", nil)
	if err != nil {
		t.Fatal(err)
	}
	phrases, err := LoadPhrases("", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range [][]byte{configs.ActivitySample, configs.ProfileSample} {
		m, err := compileMapping(parse("sample", text), mapping.Env{Titles: titles, Phrases: phrases})
		if err != nil {
			t.Error(err)
			continue
		}
		for _, r := range m.RunTests() {
			if r.Err != nil {
				t.Errorf("%s: %v", r.Name, r.Err)
			}
		}
	}
}

func missing(t *testing.T, path string, examples []*yaml.Node, in reflect.Type) {
	t.Helper()
	byName := map[string]reflect.Value{}
	fields(reflect.New(in).Elem(), byName)
	for name, field := range byName {
		found := lookUp(examples, name)
		if found.keys == nil {
			t.Errorf("the samples have no %s%s", path, name)
			continue
		}
		typ, values := field.Type(), found.values
		if typ.Kind() == reflect.Slice {
			typ, values = typ.Elem(), elements(values)
		}
		if typ.Kind() == reflect.Pointer {
			typ = typ.Elem()
		}
		if typ.Kind() == reflect.Struct {
			missing(t, path+name+".", values, typ)
		}
	}
}
