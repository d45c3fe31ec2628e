package salesforce

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"energyd/connectors"
	"energyd/internal/crmsim"
	"energyd/internal/fault"
)

func (o *org) accounts(n int) []connectors.Update {
	o.t.Helper()
	updates := make([]connectors.Update, n)
	for i := range updates {
		id := o.insert("Account", map[string]any{"Name": fmt.Sprintf("顧客 %d", i)})
		updates[i] = connectors.Update{ID: id, Values: map[string]any{"Energy__c": float64(i) + 0.5}}
	}
	return updates
}

// wantWritten compares the org's rows with the updates, but for the positions in except.
func (o *org) wantWritten(updates []connectors.Update, results []connectors.Result, except ...int) {
	o.t.Helper()
	skip := map[int]bool{}
	for _, i := range except {
		skip[i] = true
	}
	for i, u := range updates {
		row, _ := o.Get("Account", u.ID)
		if !skip[i] && (results[i].Outcome != connectors.Written || row["Energy__c"] != u.Values["Energy__c"]) {
			o.t.Errorf("update %d: %+v; the org holds %v", i, results[i], row["Energy__c"])
		}
	}
}

// C34: at most 200 rows of one object in a collection, five collections in a call.
func TestC34_a_collection_carries_200_rows(t *testing.T) {
	o := newOrg(t)
	updates := o.accounts(1401)
	var calls []string
	c := o.before(func(r *http.Request, body []byte) {
		var sizes []int
		for _, part := range bytes.Split(body, []byte(`"records":[`))[1:] {
			sizes = append(sizes, bytes.Count(part, []byte(`"attributes":{"type":"Account"}`)))
		}
		if sizes != nil {
			calls = append(calls, fmt.Sprint(r.Method, strings.TrimPrefix(r.URL.Path, dataPath), sizes))
		}
	})
	results, err := c.Write(t.Context(), "Account", updates)
	o.must(err)
	o.wantWritten(updates, results)
	if got, want := strings.Join(calls, " "), "POST/composite[200 200 200 200 200] POST/composite[200 200 1]"; got != want {
		t.Errorf("calls %s; want %s", got, want)
	}
	o.must(o.Server.Delete("Account", updates[300].ID))
	results, err = c.Write(t.Context(), "Account", updates)
	o.must(err)
	o.wantWritten(updates, results, 300)
	if results[300].Outcome != connectors.Rejected {
		t.Errorf("the deleted record: %+v", results[300])
	}
}

// An org that does not take collections together gets them one by one.
func TestWrite_without_composite(t *testing.T) {
	for name, f := range map[string]crmsim.Fault{
		"no such resource": {Status: 404, Body: `[{"errorCode":"NOT_FOUND","message":"The requested resource does not exist"}]`},
		"each part refused": {Status: 200, Body: `{"compositeResponse":[` +
			`{"body":[{"errorCode":"NOT_FOUND","message":"x"}],"httpHeaders":{},"httpStatusCode":404,"referenceId":"c0"},` +
			`{"body":[{"errorCode":"NOT_FOUND","message":"x"}],"httpHeaders":{},"httpStatusCode":404,"referenceId":"c1"},` +
			`{"body":[{"errorCode":"NOT_FOUND","message":"x"}],"httpHeaders":{},"httpStatusCode":404,"referenceId":"c2"}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			o := newOrg(t)
			updates := o.accounts(401)
			f.Name, f.Match = "status", "POST ^"+dataPath+"/composite$"
			o.inject(f)
			c := o.conn()
			for range 2 {
				results, err := c.Write(t.Context(), "Account", updates)
				o.must(err)
				o.wantWritten(updates, results)
			}
			if n := o.calls("POST", dataPath+"/composite"); n != 1 {
				t.Errorf("it was tried %d times", n)
			}
		})
	}
}

// One part of a call that fails takes the others not with it.
func TestWrite_a_part_that_fails(t *testing.T) {
	o := newOrg(t)
	o.inject(crmsim.Fault{Name: "status", Match: "POST ^" + dataPath + "/composite$", Status: 200, Times: 1, Body: `{"compositeResponse":[` +
		`{"body":[{"errorCode":"SERVER_UNAVAILABLE","message":"x"}],"httpHeaders":{},"httpStatusCode":503,"referenceId":"c1"},` +
		`{"body":[` + strings.Repeat(`{"success":true,"errors":[]},`, 199) + `{"success":true,"errors":[]}],"httpHeaders":{},"httpStatusCode":200,"referenceId":"c0"}]}`})
	updates := o.accounts(400)
	results, err := o.conn().Write(t.Context(), "Account", updates)
	o.must(err)
	for i, r := range results {
		if want := map[bool]connectors.Outcome{true: connectors.Written, false: connectors.Deferred}[i < 200]; r.Outcome != want || i >= 200 && fault.KindOf(r.Err) != fault.Unavailable {
			t.Fatalf("update %d: %+v; want %s", i, r, want)
		}
	}
}

func TestC40_locked_rows(t *testing.T) {
	t.Run("heal", func(t *testing.T) {
		o := newOrg(t)
		updates := o.accounts(5)
		o.inject(crmsim.Fault{Name: "lock", ID: updates[2].ID, Times: 4})
		results, err := o.conn().Write(t.Context(), "Account", updates)
		o.must(err)
		o.wantWritten(updates, results)
		if n := o.calls("PATCH", dataPath); n != 5 {
			t.Errorf("%d calls; want the first and 4 for the locked row", n)
		}
	})
	t.Run("are given up after five attempts", func(t *testing.T) {
		o := newOrg(t)
		updates := o.accounts(5)
		o.inject(crmsim.Fault{Name: "lock", ID: updates[2].ID})
		results, err := o.conn().Write(t.Context(), "Account", updates)
		o.must(err)
		o.wantWritten(updates, results, 2)
		if r := results[2]; r.Outcome != connectors.Deferred || !strings.Contains(r.Err.Error(), "UNABLE_TO_LOCK_ROW") || o.calls("PATCH", dataPath) != 5 {
			t.Errorf("%+v after %d calls", r, o.calls("PATCH", dataPath))
		}
	})
}

// C40: each attempt goes in smaller calls than the one before.
func TestC40_locked_rows_go_in_ever_smaller_calls(t *testing.T) {
	o := newOrg(t)
	updates := o.accounts(60)
	var sizes []int
	c := o.behind(func(w http.ResponseWriter, r *http.Request, body []byte) bool {
		if r.Method != http.MethodPatch {
			return false
		}
		n := bytes.Count(body, []byte(`"attributes"`))
		sizes = append(sizes, n)
		if len(sizes) > 3 { // the second attempt: 50 and 10
			return false
		}
		locked := strings.Repeat(`,{"success":false,"errors":[{"statusCode":"UNABLE_TO_LOCK_ROW","message":"unable to obtain exclusive access","fields":[]}]}`, n)
		fmt.Fprintf(w, "[%s]", locked[1:])
		return true
	})
	results, err := c.Write(t.Context(), "Account", updates)
	o.must(err)
	o.wantWritten(updates, results)
	if got, want := fmt.Sprint(sizes), "[60 50 10 12 12 12 12 12]"; got != want {
		t.Errorf("calls of %s rows; want %s", got, want)
	}
}

// before puts something before the simulator that sees each request.
func (o *org) before(see func(r *http.Request, body []byte)) *Conn {
	return o.behind(func(w http.ResponseWriter, r *http.Request, body []byte) bool {
		see(r, body)
		return false
	})
}

// behind gives a connection whose calls go by answer; those that it does not answer go to the org.
func (o *org) behind(answer func(w http.ResponseWriter, r *http.Request, body []byte) bool) *Conn {
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			o.t.Error(err)
		}
		if !answer(w, r, body) {
			r.Body = io.NopCloser(bytes.NewReader(body))
			o.ServeHTTP(w, r)
		}
	}))
	o.t.Cleanup(front.Close)
	c := newConn(*config(strings.TrimPrefix(front.URL, "http://")), quiet, time.Millisecond)
	o.t.Cleanup(func() { c.Close() })
	return c
}

// trigger gives a connection to an org whose automation fails every call with a
// certain record in it, as a broken trigger does; called is told the rows of each call.
func (o *org) trigger(guilty string, called func(rows int)) *Conn {
	c := o.behind(func(w http.ResponseWriter, r *http.Request, body []byte) bool {
		rows := bytes.Count(body, []byte(`"attributes"`))
		if r.Method == http.MethodPatch {
			called(rows)
		}
		if r.Method != http.MethodPatch || !bytes.Contains(body, []byte(guilty)) {
			return false
		}
		failed := strings.Repeat(`,{"success":false,"errors":[{"statusCode":"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY","message":"MyTrigger: null","fields":[]}]}`, rows)
		fmt.Fprintf(w, "[%s]", failed[1:])
		return true
	})
	c.singly.Store(true) // the automation knows single collections only
	return c
}

func TestC43_a_broken_trigger_costs_its_row_only(t *testing.T) {
	o := newOrg(t)
	updates := o.accounts(50)
	results, err := o.trigger(updates[33].ID, func(int) {}).Write(t.Context(), "Account", updates)
	o.must(err)
	o.wantWritten(updates, results, 33)
	if r := results[33]; r.Outcome != connectors.Rejected || !strings.Contains(r.Err.Error(), "MyTrigger") {
		t.Errorf("the guilty row: %+v", r)
	}
}

// Automation that fails on every record is not looked for record by record: that would cost two calls each.
func TestC43_a_trigger_that_is_broken_for_all_costs_few_calls(t *testing.T) {
	o := newOrg(t)
	updates := o.accounts(1000)
	calls := 0
	results, err := o.trigger("attributes", func(int) { calls++ }).Write(t.Context(), "Account", updates)
	o.must(err)
	if calls > 100 {
		t.Errorf("%d calls", calls)
	}
	rejected := 0
	for i, r := range results {
		if r.Outcome == connectors.Rejected {
			rejected++
		} else if r.Outcome != connectors.Deferred || fault.KindOf(r.Err) != fault.Unavailable || !strings.Contains(r.Err.Error(), "MyTrigger") {
			t.Fatalf("update %d: %+v", i, r)
		}
	}
	if rejected < guiltyInARow || rejected > 2*guiltyInARow {
		t.Errorf("%d records are rejected; want the few that failed alone", rejected)
	}
}

// The budget ends while a call that failed as a whole is narrowed down: of the
// rows that were not sent alone, nothing is known.
func TestC43_when_the_budget_ends_while_narrowing(t *testing.T) {
	for _, tt := range []struct{ rows, calls, written int }{
		{400, 3, 300}, // 200 written, 200 failed, 100 written, 100 failed or not sent
		{100, 2, 50},  // the very first call is narrowed down
		{100, 1, 0},   // nothing but the failure of all is known
	} {
		o := newOrg(t)
		updates := o.accounts(tt.rows)
		calls := 0
		results, err := o.trigger(updates[tt.rows-1].ID, func(int) {
			if calls++; calls > tt.calls {
				o.inject(crmsim.Fault{Name: "quota", Used: 10, Max: 10})
			}
		}).Write(t.Context(), "Account", updates)
		o.must(err)
		o.wantWritten(updates[:tt.written], results[:tt.written])
		for i, r := range results[tt.written:] {
			if r.Outcome != connectors.Deferred || fault.KindOf(r.Err) != fault.Quota {
				t.Fatalf("%+v, update %d: %+v; want deferred for the quota", tt, tt.written+i, r)
			}
		}
	}
}

func TestC44_cut_after_the_write(t *testing.T) {
	o := newOrg(t)
	updates := o.accounts(3)
	o.inject(crmsim.Fault{Name: "status", Match: "PATCH ^" + dataPath, Times: 1, Cut: "after"})
	results, err := o.conn().Write(t.Context(), "Account", updates)
	o.must(err)
	o.wantWritten(updates, results)
}

func TestC46_only_updates_leave(t *testing.T) {
	o := newOrg(t)
	updates := o.accounts(3)
	c := o.conn()
	_, err := c.Write(t.Context(), "Account", updates)
	o.must(err)
	_, err = c.Current(t.Context(), "Account", []string{updates[0].ID}, []string{"Energy__c"})
	o.must(err)
	for _, r := range o.Log() {
		path := strings.TrimPrefix(r.Path, dataPath)
		switch r.Method + " " + path {
		case "POST " + tokenPath, "PATCH /composite/sobjects", "POST /composite", "POST /composite/sobjects/Account":
		default:
			t.Errorf("%s %s was sent", r.Method, r.Path)
		}
	}
}

func TestC53_a_record_comes_once_in_a_collection(t *testing.T) {
	o := newOrg(t)
	o.inject(crmsim.Fault{Name: "known", Line: "S74", Outcome: "refused"})
	first := o.accounts(1)[0]
	second := connectors.Update{ID: first.ID[:15], Values: map[string]any{"Energy__c": 99.0}}
	results, err := o.conn().Write(t.Context(), "Account", []connectors.Update{first, second})
	o.must(err)
	o.wantWritten([]connectors.Update{second}, results[1:])
	if results[0].Outcome != connectors.Written {
		t.Errorf("%+v", results)
	}
}

func TestWrite_when_the_budget_ends_between_calls(t *testing.T) {
	o := newOrg(t)
	c := o.conn()
	c.singly.Store(true)
	updates := o.accounts(250)
	o.inject(crmsim.Fault{Name: "quota", Used: 9, Max: 10})
	results, err := c.Write(t.Context(), "Account", updates)
	o.must(err)
	o.wantWritten(updates[:200], results[:200])
	for i, r := range results[200:] {
		if r.Outcome != connectors.Deferred || fault.KindOf(r.Err) != fault.Quota {
			t.Fatalf("update %d: %+v; want deferred for the quota", 200+i, r)
		}
	}
	if _, err := c.Write(t.Context(), "Account", updates); fault.KindOf(err) != fault.Quota {
		t.Errorf("a call that fails as a whole gives %v", err)
	}
}

func TestWrite_no_id(t *testing.T) {
	o := newOrg(t)
	results, err := o.conn().Write(t.Context(), "Account", []connectors.Update{{ID: "K0001", Values: map[string]any{"Energy__c": 1.0}}})
	o.must(err)
	if results[0].Outcome != connectors.Rejected || len(o.Log()) != 0 {
		t.Errorf("%+v after %d calls", results, len(o.Log()))
	}
}

// The table of salesforce.md section 14: what heals, what one record meets, and what all of them would.
func TestJudge(t *testing.T) {
	type class struct {
		outcome connectors.Outcome
		kind    fault.Kind
	}
	later, reject := class{connectors.Deferred, fault.Unavailable}, class{connectors.Rejected, fault.Rejected}
	for code, want := range map[string]class{
		"UNABLE_TO_LOCK_ROW": later, "ENTITY_IS_LOCKED": later, "UNKNOWN_EXCEPTION": later, "REQUEST_RUNNING_TOO_LONG": later, "TOO_MANY_APEX_REQUESTS": later,
		"ENTITY_IS_DELETED": reject, "INVALID_CROSS_REFERENCE_KEY": reject, "MALFORMED_ID": reject, "FIELD_CUSTOM_VALIDATION_EXCEPTION": reject,
		"CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": reject, "INSUFFICIENT_ACCESS_OR_READONLY": reject, "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": reject,
		"STRING_TOO_LONG": reject, "NUMBER_OUTSIDE_VALID_RANGE": reject, "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": reject, "INVALID_TYPE_ON_FIELD_IN_RECORD": reject,
		"DUPLICATE_VALUE": reject, "DUPLICATES_DETECTED": reject, "DUPLICATE_EXTERNAL_ID": reject, "REQUIRED_FIELD_MISSING": reject,
		"INVALID_PERSON_ACCOUNT_OPERATION": reject, "SOMETHING_NEW": reject,
		"INVALID_FIELD_FOR_INSERT_UPDATE": {connectors.Deferred, fault.Auth}, "API_DISABLED_FOR_ORG": {connectors.Deferred, fault.Auth},
		"FUNCTIONALITY_NOT_ENABLED": {connectors.Deferred, fault.Auth}, "TXN_SECURITY_METERING_ERROR": {connectors.Deferred, fault.Auth},
		"INVALID_FIELD": {connectors.Deferred, fault.Config}, "REQUEST_LIMIT_EXCEEDED": {connectors.Deferred, fault.Quota},
	} {
		var said apiError
		if err := json.Unmarshal(fmt.Appendf(nil, `{"statusCode":%q,"message":"言葉","fields":["Energy__c"]}`, code), &said); err != nil {
			t.Fatal(err)
		}
		// A bulk job tells the same by one text.
		for how, said := range map[string]*apiError{"collections": &said, "bulk": rowError(code + ":言葉:Energy__c --")} {
			got := judge("Account", said)
			var f *fault.Error
			if (class{got.Outcome, fault.KindOf(got.Err)}) != want || !errors.As(got.Err, &f) || !strings.Contains(f.Error(), code+": 言葉 (Energy__c)") {
				t.Errorf("%s by %s: %+v", code, how, got)
			}
		}
	}
}

// One record without access is its own trouble; 200 of 200 are the user's.
func TestWrite_a_right_that_is_missing_altogether_stops(t *testing.T) {
	for _, denied := range []int{1, 200} {
		o := newOrg(t)
		updates := o.accounts(400)
		calls := 0
		c := o.behind(func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
			if r.Method != http.MethodPatch {
				return false
			}
			calls++
			var rows []string
			for i := range 200 {
				row := `{"success":true,"errors":[]}`
				if i < denied {
					row = `{"success":false,"errors":[{"statusCode":"INSUFFICIENT_ACCESS_OR_READONLY","message":"insufficient access rights on object id","fields":[]}]}`
				}
				rows = append(rows, row)
			}
			fmt.Fprintf(w, "[%s]", strings.Join(rows, ","))
			return true
		})
		c.singly.Store(true)
		results, err := c.Write(t.Context(), "Account", updates)
		o.must(err)
		if denied == 1 {
			if results[0].Outcome != connectors.Rejected || results[1].Outcome != connectors.Written || calls != 2 {
				t.Errorf("one of 200: %+v after %d calls", results[:2], calls)
			}
			continue
		}
		for i, r := range results {
			if r.Outcome != connectors.Deferred || fault.KindOf(r.Err) != fault.Auth {
				t.Fatalf("all of 200, update %d: %+v", i, r)
			}
		}
		if calls != 1 {
			t.Errorf("%d calls although the first said it all", calls)
		}
	}
}

// C40: locked rows go in ever smaller calls, but somebody who holds a large account must not cost a day's calls.
func TestC40_locked_rows_cost_few_calls(t *testing.T) {
	o := newOrg(t)
	updates := o.accounts(300)
	for _, u := range updates {
		o.inject(crmsim.Fault{Name: "lock", ID: u.ID})
	}
	results, err := o.conn().Write(t.Context(), "Account", updates)
	o.must(err)
	for i, r := range results {
		if r.Outcome != connectors.Deferred {
			t.Fatalf("update %d: %+v", i, r)
		}
	}
	if calls := o.calls("PATCH", dataPath) + o.calls("POST", dataPath); calls > 2+(lockAttempts-1)*lockCalls {
		t.Errorf("%d calls for 300 locked rows", calls)
	}
}
