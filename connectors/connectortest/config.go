package connectortest

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"energyd/connectors"
	"energyd/internal/fault"
)

// option is one leaf of a configuration struct, by its YAML path.
type option struct {
	path  string
	value reflect.Value
}

// options lists the leaves of cfg, a pointer to a struct with yaml tags.
func options(cfg connectors.Config) []option {
	return leaves("", reflect.ValueOf(cfg).Elem())
}

func leaves(prefix string, v reflect.Value) []option {
	var all []option
	for i := range v.NumField() {
		name, flags, _ := strings.Cut(v.Type().Field(i).Tag.Get("yaml"), ",")
		field := v.Field(i)
		path := strings.TrimPrefix(prefix+"."+name, ".")
		if flags == "inline" {
			path = prefix
		} else if name == "" || name == "-" {
			continue
		}
		if field.Kind() == reflect.Struct {
			if inner := leaves(path, field); len(inner) > 0 {
				all = append(all, inner...)
				continue
			}
		}
		all = append(all, option{path, field})
	}
	return all
}

// sampleComplete fails for every option that sample.yaml does not show, or shows
// with another value than its default. It reads lines, not YAML: yaml belongs
// to internal/config, which loads the samples in its own tests.
func sampleComplete(t *testing.T, c connectors.Connector) {
	t.Helper()
	for what, cfg := range map[string]connectors.Config{"connection": c.NewConfig(), "stream": c.NewStream()} {
		for _, o := range options(cfg) {
			key := o.path[strings.LastIndex(o.path, ".")+1:]
			line := regexp.MustCompile(`(?m)^[ \t#]*` + regexp.QuoteMeta(key) + `:[ \t]*([^\s#]*)`)
			shown := line.FindAllSubmatch(c.Sample, -1)
			if shown == nil {
				t.Errorf("sample.yaml does not show the %s option %q", what, o.path)
				continue
			}
			if o.value.IsZero() || o.value.Kind() == reflect.Slice || o.value.Kind() == reflect.Map {
				continue
			}
			want, found := fmt.Sprint(o.value.Interface()), false
			for _, m := range shown {
				found = found || strings.Trim(string(m[1]), `"'`) == want
			}
			if !found {
				t.Errorf("sample.yaml shows %s option %q not with its default %s", what, o.path, want)
			}
		}
	}
}

// required fails unless Validate names each of paths when cfg lacks it.
func required(t *testing.T, paths []string, cfg func() connectors.Config) {
	t.Helper()
	if err := cfg().Validate(); err != nil {
		t.Fatalf("the harness's own configuration is not valid: %v", err)
	}
	for _, path := range paths {
		c := cfg()
		found := false
		for _, o := range options(c) {
			if o.path == path {
				o.value.SetZero()
				found = true
			}
		}
		if !found {
			t.Errorf("there is no option %q", path)
			continue
		}
		var problems fault.Problems
		if !errors.As(c.Validate(), &problems) || !names(problems, path) {
			t.Errorf("Validate without %q gives %v; want a problem at that path", path, problems)
		}
	}
}

func names(problems fault.Problems, path string) bool {
	for _, p := range problems {
		if p.Path == path && p.Msg != "" {
			return true
		}
	}
	return false
}

// configHides fails when printing cfg in any of Go's ways shows secret.
func configHides(t *testing.T, secret string, cfg connectors.Config) {
	t.Helper()
	data, err := json.Marshal(cfg)
	if err != nil {
		t.Errorf("the configuration cannot be shown as JSON: %v", err)
	}
	for verb, text := range map[string]string{
		"%+v": fmt.Sprintf("%+v", cfg), "%#v": fmt.Sprintf("%#v", cfg), "JSON": string(data),
	} {
		if secret != "" && strings.Contains(text, secret) {
			t.Errorf("the configuration printed with %s shows the secret", verb)
		}
	}
}
