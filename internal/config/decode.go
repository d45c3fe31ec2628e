package config

import (
	"encoding"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"

	"energyd/internal/fault"
	"energyd/internal/secret"
)

// decoder fills Go values from a document's tree, strictly: what does not fit
// is a problem at its place, and the others go on. Of the tags of struct
// fields it knows `yaml:"name"`, `yaml:",inline"` and `yaml:",line"` (an int
// that gets the line of the mapping).
type decoder struct {
	doc        *document
	dir        string // folder that ${file:…} is relative to
	references bool   // resolve ${…}; only energyd.yaml has references
	unresolved bool   // what a reference stands for need not be there
	nodes      int    // decoded so far
}

// maxNodes bounds the work on a document whose aliases repeat each other.
const maxNodes = 200_000

// section is a mapping whose entries are decoded later, in the order of the file.
type section []entry

type entry struct {
	name  string
	value *yaml.Node
}

var (
	secretType   = reflect.TypeFor[secret.Secret]()
	sectionType  = reflect.TypeFor[section]()
	durationType = reflect.TypeFor[time.Duration]()
)

// exhausted counts a node, and tells whether there were too many; the first of those is noted.
func (d *decoder) exhausted(n *yaml.Node) bool {
	d.nodes++
	if d.nodes == maxNodes+1 {
		d.doc.at(n, "the file is too large when its aliases are followed", "")
	}
	return d.nodes > maxNodes
}

// decode fills v from n. A null leaves v as it is: the default.
func (d *decoder) decode(n *yaml.Node, v reflect.Value) {
	if d.exhausted(n) {
		return
	}
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return
	}
	switch v.Type() {
	case secretType:
		d.secret(n, v)
		return
	case sectionType:
		d.section(n, v)
		return
	case durationType:
		if s, ok := d.text(n, "a duration as 30s or 5m"); ok {
			t, err := time.ParseDuration(s)
			if err != nil {
				d.doc.at(n, fmt.Sprintf("%q is not a duration as 90s, 5m or 1h30m", s), "")
				return
			}
			v.SetInt(int64(t))
		}
		return
	}
	// A struct that can be read from a text may be written as a mapping too.
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok && (v.Kind() != reflect.Struct || n.Kind != yaml.MappingNode) {
		if s, ok := d.text(n, "a text"); ok {
			if err := u.UnmarshalText([]byte(s)); err != nil {
				d.doc.at(n, err.Error(), "")
			}
		}
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		target := reflect.New(v.Type().Elem())
		if !v.IsNil() {
			target.Elem().Set(v.Elem())
		}
		d.decode(n, target.Elem())
		v.Set(target)
	case reflect.Struct:
		d.structs(n, v)
	case reflect.Map:
		d.mapping(n, v)
	case reflect.Slice:
		d.list(n, v)
	case reflect.Interface:
		if value := d.anything(n); value != nil {
			v.Set(reflect.ValueOf(value))
		}
	default:
		d.scalar(n, v)
	}
}

// text gives a scalar's text as written, with references resolved.
func (d *decoder) text(n *yaml.Node, want string) (string, bool) {
	if n.Kind != yaml.ScalarNode {
		d.mismatch(n, want)
		return "", false
	}
	if !d.references || !strings.Contains(n.Value, "${") {
		return n.Value, true
	}
	return d.resolve(n)
}

func (d *decoder) mismatch(n *yaml.Node, want string) {
	d.doc.at(n, fmt.Sprintf("needs %s, and this is %s", want, kindOf(n)), "")
}

func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a mapping (key: value)"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!int", n.Tag == "!!float":
		return "the number " + n.Value
	case n.Tag == "!!bool":
		return n.Value
	}
	return strconv.Quote(n.Value)
}

func (d *decoder) secret(n *yaml.Node, v reflect.Value) {
	if match := reference.FindString(n.Value); match == "" || match != n.Value {
		// The excerpt would show the secret, so the line is named without it.
		d.doc.problems = append(d.doc.problems, Problem{File: d.doc.file, Line: n.Line, Column: n.Column,
			Msg: "a secret is never written into a configuration file", Hint: referenceHint + " instead, and change the secret: it was in a file"})
		return
	}
	value, ok := d.resolve(n)
	if !ok {
		value = "" // given, though what it is cannot be known: "required" would be wrong
	}
	v.Set(reflect.ValueOf(secret.New(n.Value, value)))
}

func (d *decoder) section(n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.mismatch(n, "a mapping (name: …)")
		return
	}
	var s section
	for i := 0; i+1 < len(n.Content); i += 2 {
		value := n.Content[i+1]
		if value.Kind == yaml.AliasNode {
			value = value.Alias
		}
		s = append(s, entry{n.Content[i].Value, value})
	}
	v.Set(reflect.ValueOf(s))
}

// fields gathers the struct's fields by YAML name, and the one that takes the line.
func fields(v reflect.Value, byName map[string]reflect.Value) (line reflect.Value) {
	for i := range v.NumField() {
		name, option, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		switch {
		case option == "inline":
			fields(v.Field(i), byName)
		case option == "line":
			line = v.Field(i)
		case name != "" && name != "-":
			byName[name] = v.Field(i)
		}
	}
	return line
}

// structs fills the fields of one or several structs from one mapping.
func (d *decoder) structs(n *yaml.Node, targets ...reflect.Value) {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind != yaml.MappingNode {
		d.mismatch(n, "a mapping (key: value)")
		return
	}
	byName := map[string]reflect.Value{}
	for _, v := range targets {
		if line := fields(v, byName); line.IsValid() {
			line.SetInt(int64(n.Line))
		}
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		field, known := byName[key.Value]
		if !known {
			names := make([]string, 0, len(byName))
			for name := range byName {
				names = append(names, name)
			}
			slices.Sort(names)
			d.doc.at(key, fmt.Sprintf("unknown option %q%s", key.Value, fault.DidYouMean(key.Value, names)), "")
			continue
		}
		d.decode(value, field)
		// The line of a rule is where its key stands; its mapping may begin below.
		if line := lineField(field); line.IsValid() {
			line.SetInt(int64(key.Line))
		}
	}
}

// lineField is the field of a struct, or of the struct behind a pointer, that takes the line.
func lineField(v reflect.Value) reflect.Value {
	if v.Kind() == reflect.Pointer {
		v = v.Elem()
	}
	if v.Kind() != reflect.Struct || v.Type() == secretType {
		return reflect.Value{}
	}
	return fields(v, map[string]reflect.Value{})
}

func (d *decoder) mapping(n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.MappingNode {
		d.mismatch(n, "a mapping (key: value)")
		return
	}
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		item := reflect.New(v.Type().Elem()).Elem()
		d.decode(n.Content[i+1], item)
		v.SetMapIndex(reflect.ValueOf(n.Content[i].Value).Convert(v.Type().Key()), item)
	}
}

func (d *decoder) list(n *yaml.Node, v reflect.Value) {
	if n.Kind != yaml.SequenceNode {
		d.doc.at(n, fmt.Sprintf("needs a list, and this is %s", kindOf(n)), "begin each element on a line of its own with a dash: - …")
		return
	}
	items := reflect.MakeSlice(v.Type(), len(n.Content), len(n.Content))
	for i, c := range n.Content {
		d.decode(c, items.Index(i))
	}
	v.Set(items)
}

func (d *decoder) scalar(n *yaml.Node, v reflect.Value) {
	switch v.Kind() {
	case reflect.String:
		if s, ok := d.text(n, "a text"); ok {
			v.SetString(s)
		}
	case reflect.Bool:
		s, ok := d.text(n, "true or false")
		if !ok {
			return
		}
		b, err := strconv.ParseBool(s)
		if err != nil || s != "true" && s != "false" {
			d.mismatch(n, "true or false")
			return
		}
		v.SetBool(b)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		s, ok := d.text(n, "a whole number")
		if !ok {
			return
		}
		i, err := strconv.ParseInt(strings.ReplaceAll(s, "_", ""), 10, 64)
		switch {
		case err != nil:
			d.mismatch(n, "a whole number")
		case v.OverflowInt(i):
			d.doc.at(n, fmt.Sprintf("%s is too large", s), "")
		default:
			v.SetInt(i)
		}
	case reflect.Float64:
		s, ok := d.text(n, "a number")
		if !ok {
			return
		}
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
			d.mismatch(n, "a number")
			return
		}
		v.SetFloat(f)
	default:
		d.doc.at(n, fmt.Sprintf("a value of type %s cannot be configured", v.Type()), "this is a bug of energyd")
	}
}

// anything gives a node as string, int64, float64, bool, nil, []any or map[string]any; dates stay texts.
func (d *decoder) anything(n *yaml.Node) any {
	if d.exhausted(n) {
		return nil
	}
	switch n.Kind {
	case yaml.AliasNode:
		return d.anything(n.Alias)
	case yaml.SequenceNode:
		list := make([]any, len(n.Content))
		for i, c := range n.Content {
			list[i] = d.anything(c)
		}
		return list
	case yaml.MappingNode:
		m := make(map[string]any, len(n.Content)/2)
		for i := 0; i+1 < len(n.Content); i += 2 {
			m[n.Content[i].Value] = d.anything(n.Content[i+1])
		}
		return m
	}
	switch n.Tag {
	case "!!null":
		return nil
	case "!!bool":
		return n.Value == "true"
	case "!!int":
		if i, err := strconv.ParseInt(n.Value, 10, 64); err == nil {
			return i
		}
	case "!!float":
		if f, err := strconv.ParseFloat(n.Value, 64); err == nil && !math.IsInf(f, 0) && !math.IsNaN(f) {
			return f
		}
	}
	return n.Value
}

// reason is an error of the file system without the path, which the message names already.
func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}
