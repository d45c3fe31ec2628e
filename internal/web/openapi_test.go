package web

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// TestOpenAPI: openapi.json is what the page table and the views give. UPDATE=1 writes it.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	want, err := described()
	if err != nil {
		t.Fatal(err)
	}
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile("openapi.json", want, 0o644); err != nil {
			t.Fatal(err)
		}
	} else if !bytes.Equal(openapi, want) {
		t.Error("openapi.json is not what the pages show: write it by UPDATE=1 go test -run TestOpenAPI ./internal/web")
	}
	for name := range queries {
		known := false
		for i := range pages {
			known = known || pages[i].name == name
		}
		if !known {
			t.Errorf("queries has parameters of %q, which is no page", name)
		}
	}
}

// TestAnswersAreAsDescribed: what pages tell as JSON, problems too, has the properties that openapi.json names, and no others.
func TestAnswersAreAsDescribed(t *testing.T) {
	t.Parallel()
	d := dashboard(t, company(t))
	w := get(t, d, api+"/openapi.json", "en")
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" {
		t.Fatalf("%d %s", w.Code, w.Header().Get("Content-Type"))
	}
	doc, err := jsonschema.UnmarshalJSON(w.Body)
	if err != nil {
		t.Fatal(err)
	}
	strict(doc)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("openapi.json", doc); err != nil {
		t.Fatal(err)
	}
	holds := func(t *testing.T, address, at string, status int) {
		t.Helper()
		schema, err := c.Compile("openapi.json" + at)
		if err != nil {
			t.Fatal(err)
		}
		w := get(t, d, api+address, "ja")
		if w.Code != status {
			t.Fatalf("%s: %d\n%s", address, w.Code, w.Body)
		}
		answer, err := jsonschema.UnmarshalJSON(w.Body)
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(answer); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
	all := addresses(t, d)
	for i := range pages {
		p := &pages[i]
		t.Run(p.name, func(t *testing.T) { holds(t, all[p.name], pointer(p), http.StatusOK) })
	}
	t.Run("problem", func(t *testing.T) {
		holds(t, "/customers/nobody", "#/components/responses/problem/content/application~1problem+json/schema", http.StatusNotFound)
	})
}

// TestQueries: each query parameter that openapi.json names is read. One that is read but not named reaches no view.
func TestQueries(t *testing.T) {
	t.Parallel()
	d := dashboard(t, company(t))
	all := addresses(t, d)
	for i := range pages {
		p := &pages[i]
		for _, name := range queries[p.name] {
			t.Run(p.name+"/"+name, func(t *testing.T) {
				address, asked, _ := strings.Cut(api+all[p.name], "?")
				query, err := url.ParseQuery(asked)
				if err != nil {
					t.Fatal(err)
				}
				switch name {
				case "order":
					query.Set("sort", columnOf(t, d, address))
				case "dropped":
					query.Del("key") // one that is named is found in either list
				}
				answer := func() string { return get(t, d, address+"?"+query.Encode(), "en").Body.String() }
				before := answer()
				for _, value := range []string{"strange", "9000000000000000000", descending} { // some are read leniently
					query.Set(name, value)
					if answer() != before {
						return
					}
				}
				t.Errorf("%s: nothing differs by it", address)
			})
		}
	}
}

// columnOf is the key of the first column of a page's table.
func columnOf(t *testing.T, d *Dashboard, address string) string {
	t.Helper()
	var shown table
	if err := json.Unmarshal(get(t, d, address, "en").Body.Bytes(), &shown); err != nil || len(shown.Columns) == 0 {
		t.Fatalf("%s: %d columns, %v", address, len(shown.Columns), err)
	}
	return shown.Columns[0].Key
}
