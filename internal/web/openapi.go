package web

import (
	_ "embed"
	"net/http"

	"energyd/internal/web/signon"
)

// openapi describes the pages as JSON (OpenAPI 3.1). openapi_schema_test.go makes it of the page
// table and of what the views return; a test refuses one that is not what they give.
//
//go:embed openapi.json
var openapi []byte

// describe answers with the description of the API.
func (v *visit) describe(w http.ResponseWriter) error {
	if err := v.may(signon.Viewer); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	_, _ = w.Write(openapi) // whoever asked is gone
	return nil
}
