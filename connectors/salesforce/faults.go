package salesforce

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"energyd/internal/fault"
	"energyd/internal/httpclient"
)

// apiError is what the org itself says: of a request (errorCode), of a row
// (statusCode), or of a sign-on (error).
type apiError struct {
	Code       string   `json:"errorCode"`
	StatusCode string   `json:"statusCode"`
	Message    string   `json:"message"`
	Fields     []string `json:"fields"`
}

func (e *apiError) code() string {
	if e.Code != "" {
		return e.Code
	}
	return e.StatusCode
}

// Error gives "CODE: message" on one line; query errors quote the statement over several.
func (e *apiError) Error() string {
	text := strings.Join(strings.Fields(e.Message), " ")
	if len(e.Fields) > 0 {
		text += " (" + strings.Join(e.Fields, ", ") + ")"
	}
	return e.code() + ": " + text
}

// hasCode tells whether the org gave one of codes as the reason of err.
func hasCode(err error, codes ...string) bool {
	var e *apiError
	if errors.As(err, &e) {
		for _, c := range codes {
			if e.code() == c {
				return true
			}
		}
	}
	return false
}

// renewable tells whether a new session can heal err. Two kinds of 401 never heal so.
func renewable(err error) bool {
	var e *apiError
	return hasCode(err, "INVALID_SESSION_ID") && errors.As(err, &e) &&
		!strings.Contains(e.Message, "Connected app is not attached to Agent") &&
		!strings.Contains(e.Message, "This session is not valid for use with the REST API")
}

// classify is the table of request-level errors: salesforce.md section 14.
// Codes decide before the status; the status where there is no code.
func classify(r httpclient.Response) error {
	if r.Status >= 200 && r.Status < 300 {
		empty := len(r.Body) == 0 && (r.Status == http.StatusNoContent || r.Status == http.StatusCreated) // an upload's
		switch {
		case r.Streamed && strings.HasPrefix(r.Header.Get("Content-Type"), "text/html"):
			return fault.New(fault.Unavailable, "", "the answer is a web page, not data", hintPage, nil)
		case !r.Streamed && !empty && !json.Valid(r.Body):
			return fault.New(fault.Unavailable, "", "the answer is not JSON", hintPage, errors.New(beginning(r.Body)))
		}
		return nil
	}
	said := reason(r.Body)
	if said == nil {
		return byStatus(r)
	}
	is := func(kind fault.Kind, msg, hint string) error { return fault.New(kind, "", msg, hint, said) }
	switch code := said.code(); code {
	case "INVALID_SESSION_ID":
		return is(fault.Auth, "the org refused the session", "see that the run-as user is active and no other program logs it out")
	case limitCode:
		// The one place where only the text tells: too many at once, or too many today.
		if strings.Contains(said.Message, "Concurrent") {
			return is(fault.RateLimited, "too many long calls run in the org at once", hintBusy)
		}
		return is(fault.Quota, "the org's API calls of these 24 hours are used up", "wait, or ask Salesforce for more; Setup → System Overview shows who uses them")
	case "API_DISABLED_FOR_ORG", "API_CURRENTLY_DISABLED", "FUNCTIONALITY_NOT_ENABLED":
		return is(fault.Auth, "the org does not allow API calls", "the org's edition needs API access, and the run-as user the permission \"API Enabled\"")
	case "INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY":
		return is(fault.Auth, "the run-as user lacks a right", "give it the permission set that README.md of this connector lists")
	case "TXN_SECURITY_METERING_ERROR":
		return is(fault.Auth, "a transaction security policy stops the run-as user", "give it \"Exempt from Transaction Security\"")
	case "INVALID_FIELD":
		return is(fault.Config, "the org does not know a field, or hides it from the run-as user", hintFLS)
	case "INVALID_TYPE":
		return is(fault.Config, "the org does not know the object, or hides it from the run-as user", hintFLS)
	case "MALFORMED_QUERY":
		return is(fault.Config, "the org does not understand the query", "check the source's option where")
	case "QUERY_TIMEOUT", "OPERATION_TOO_LARGE":
		return is(fault.Config, "the query is too large for the org", "name fewer fields, add a where on an indexed field, or give the run-as user \"View All Data\"")
	case "INVALID_QUERY_LOCATOR":
		return is(fault.Conflict, "the org has dropped the open query", "")
	case "invalid_client_id", "invalid_client":
		return is(fault.Auth, "the org does not know the app", "")
	case "invalid_grant":
		return is(fault.Auth, "the org refused the sign-on", "")
	case "invalid_app_access":
		return is(fault.Auth, "the user may not use the app", "")
	case "unsupported_grant_type":
		return is(fault.Auth, "the app does not allow this way to sign on", "")
	}
	var f *fault.Error
	if errors.As(byStatus(r), &f) {
		f.Err = said
	}
	return f
}

const limitCode = "REQUEST_LIMIT_EXCEEDED"

const hintPage = "open the org in a browser: it may be under maintenance (status.salesforce.com); else see that url is its My Domain, and that no proxy answers in its place"

const hintBusy = "it heals by itself; if it comes back night after night, look which programs make long calls at that time, and move the schedule"

const hintFLS = "check the spelling, and that a permission set of the run-as user grants field-level security (and the object) for it"

// byStatus judges an answer that names no code we know.
func byStatus(r httpclient.Response) error {
	is := func(kind fault.Kind, msg, hint string) error { return fault.New(kind, "", msg, hint, nil) }
	text := fmt.Sprintf("Salesforce answered %d", r.Status)
	switch s := r.Status; {
	case s == http.StatusTooManyRequests:
		return is(fault.RateLimited, text, hintBusy)
	case httpclient.Transient(s):
		return fault.New(fault.Unavailable, "", text, hintPage, errors.New(beginning(r.Body)))
	case s == http.StatusUnauthorized, s == http.StatusForbidden:
		return is(fault.Auth, text, "check the rights of the run-as user, and the org's IP restrictions")
	case s >= 300 && s < 400:
		return is(fault.Config, text+": the address has moved", "write the org's present My Domain into url")
	case s == http.StatusRequestURITooLong, s == http.StatusRequestHeaderFieldsTooLarge:
		return is(fault.Config, text+": the query is too long", "name fewer fields")
	case s == http.StatusNotFound:
		return is(fault.Config, text+": there is no such resource", "check url (the org's My Domain) and api_version")
	}
	return is(fault.Config, text, "")
}

// reason reads the org's own words: an array of requests' errors, an object of
// a sign-on's, or nil for HTML, nothing and anything else.
func reason(body []byte) *apiError {
	var list []apiError
	if json.Unmarshal(body, &list) == nil && len(list) > 0 && list[0].code() != "" {
		return &list[0]
	}
	var oauth struct {
		Error       string `json:"error"`
		Description string `json:"error_description"`
	}
	if json.Unmarshal(body, &oauth) == nil && oauth.Error != "" {
		return &apiError{Code: oauth.Error, Message: oauth.Description}
	}
	return nil
}

// beginning gives the first characters of a body on one line, for details.
func beginning(body []byte) string {
	text := string(bytes.Join(bytes.Fields(body[:min(len(body), 400)]), []byte(" ")))
	if text == "" {
		return "nothing"
	}
	if len(text) > 80 {
		text = text[:80] + "…"
	}
	return strings.ToValidUTF8(text, "")
}
