package crmsim

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// scored is an org with three accounts (the third deleted) and custom fields of every type.
func scored(t testing.TB) (o *org, live, second, gone string) {
	o = newOrg(t, Options{Fields: map[string][]Field{"Account": {
		{Name: "Energy__c", Label: "獲得エネルギー", Type: Number, Precision: 6, Scale: 2},
		{Name: "Reason__c", Label: "理由", Type: Text, Length: 10},
		{Name: "Band__c", Label: "温度帯", Type: Picklist, Length: 255, Values: []string{"高", "低"}, Restricted: true},
		{Name: "Alarm__c", Label: "アラーム", Type: Checkbox},
		{Name: "AsOf__c", Label: "基準日", Type: Date},
		{Name: "At__c", Label: "時刻", Type: DateTime},
		{Name: "Code__c", Label: "コード", Type: Text, Length: 8, Unique: true},
		{Name: "Twice__c", Label: "式", Type: Number, Precision: 6, Scale: 2, Calculated: true},
	}}})
	live = o.insert("Account", map[string]any{"Name": "東海精密", "Code__c": "A1", "Energy__c": 1})
	second = o.insert("Account", map[string]any{"Name": "みなとフーズ"})
	gone = o.insert("Account", map[string]any{"Name": "消滅"})
	if err := o.Delete("Account", gone); err != nil {
		t.Fatal(err)
	}
	return o, live, second, gone
}

// row is a record of a collection: fields come in pairs after the id.
func row(object, id string, fields ...any) map[string]any {
	m := map[string]any{"attributes": map[string]any{"type": object}}
	if id != "" {
		m["id"] = id
	}
	for i := 0; i < len(fields); i += 2 {
		m[fields[i].(string)] = fields[i+1]
	}
	return m
}

func (o *org) patch(allOrNone bool, rows ...map[string]any) got {
	o.t.Helper()
	return o.send("PATCH", api+"/composite/sobjects", marshal(o.t, map[string]any{"allOrNone": allOrNone, "records": rows}))
}

// S58 to S60, S67, S69, S70: a result per row, in order, with its own code.
func TestS58_to_S60_S67_S69_S70_row_errors(t *testing.T) {
	o, live, second, gone := scored(t)
	if err := o.ReadOnlyField("Account", "Phone"); err != nil {
		t.Fatal(err)
	}
	if err := o.HideField("Account", "Website"); err != nil {
		t.Fatal(err)
	}
	contact := o.insert("Contact", map[string]any{"LastName": "田中"})
	unknown := newID("001", 999)
	for _, tc := range []struct {
		name   string
		row    map[string]any
		code   string
		fields []string
	}{
		{"deleted", row("Account", gone, "Energy__c", 1), "ENTITY_IS_DELETED", []string{}},
		{"unknown id", row("Account", unknown, "Energy__c", 1), "INVALID_CROSS_REFERENCE_KEY", []string{}},
		{"ill-formed id", row("Account", "001xyz", "Energy__c", 1), "MALFORMED_ID", []string{"Id"}},
		{"wrong checksum", row("Account", live[:15]+"AAB", "Energy__c", 1), "MALFORMED_ID", []string{"Id"}},
		{"id of another object", row("Account", contact, "Energy__c", 1), "MALFORMED_ID", []string{"Id"}},
		{"no id", row("Account", "", "Energy__c", 1), "MISSING_ARGUMENT", []string{"Id"}},
		{"long text", row("Account", live, "Reason__c", "あいうえおかきくけこさ"), "STRING_TOO_LONG", []string{"Reason__c"}},
		{"too many digits", row("Account", live, "Energy__c", 10000), "NUMBER_OUTSIDE_VALID_RANGE", []string{"Energy__c"}},
		{"picklist", row("Account", live, "Band__c", "中"), "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST", []string{"Band__c"}},
		{"read-only by rights", row("Account", live, "Phone", "1"), "INVALID_FIELD_FOR_INSERT_UPDATE", []string{"Phone"}},
		{"read-only by nature", row("Account", live, "SystemModstamp", "2026-01-01T00:00:00Z"), "INVALID_FIELD_FOR_INSERT_UPDATE", []string{"SystemModstamp"}},
		{"formula", row("Account", live, "Twice__c", 1), "INVALID_FIELD_FOR_INSERT_UPDATE", []string{"Twice__c"}},
		{"hidden", row("Account", live, "Website", "https://x.example"), "INVALID_FIELD", []string{"Website"}},
		{"unknown field", row("Account", live, "Nope__c", 1), "INVALID_FIELD", []string{"Nope__c"}},
		{"required", row("Account", live, "Name", nil), "REQUIRED_FIELD_MISSING", []string{"Name"}},
		{"reference to nothing", row("Account", live, "ParentId", unknown), "INVALID_CROSS_REFERENCE_KEY", []string{"ParentId"}},
		{"reference to the wrong object", row("Account", live, "ParentId", contact), "MALFORMED_ID", []string{"ParentId"}},
		{"not unique", row("Account", second, "Code__c", "a1"), "DUPLICATE_VALUE", []string{"Code__c"}},
	} {
		a := o.patch(false, tc.row)
		var results []rowResult
		a.decode(&results)
		if a.status != 200 || len(results) != 1 || results[0].Success || results[0].ID != "" {
			t.Errorf("%s: %d %s", tc.name, a.status, a.body)
			continue
		}
		if e := results[0].Errors[0]; e.Code != tc.code || e.Message == "" || !cmp.Equal(e.Fields, tc.fields) {
			t.Errorf("%s: got %+v, want %s %v", tc.name, e, tc.code, tc.fields)
		}
	}
	a := o.patch(false, row("Account", live, "Energy__c", 3.14), row("Account", gone, "Energy__c", 1), row("Account", second[:15], "Reason__c", "あいうえおかきくけこ"))
	if got := a.rowCodes(); got != "ok ENTITY_IS_DELETED ok" {
		t.Errorf("order: %s", got)
	}
	if !strings.HasPrefix(a.body, `[{"id":"`+live+`","success":true,"errors":[]},{"success":false,"errors":[{"statusCode":"ENTITY_IS_DELETED","message":"entity is deleted","fields":[]}]}`) {
		t.Errorf("bytes: %s", a.body)
	}
	if got := o.value("Account", live, "Energy__c"); got != 3.14 {
		t.Errorf("written: %v", got)
	}
}

// S61: all or none.
func TestS61_all_or_none(t *testing.T) {
	o, live, second, gone := scored(t)
	before, _ := o.Rows("Account")
	*o.clock = o.clock.Add(time.Minute)
	a := o.patch(true, row("Account", live, "Energy__c", 9, "Code__c", "B1"), row("Account", gone, "Energy__c", 9), row("Account", second, "Energy__c", 9))
	if got := a.rowCodes(); got != "ALL_OR_NONE_OPERATION_ROLLED_BACK ENTITY_IS_DELETED ALL_OR_NONE_OPERATION_ROLLED_BACK" {
		t.Errorf("%s", got)
	}
	if r := a.array(); r[0]["id"] != live || r[1]["id"] != nil {
		t.Errorf("ids: %s", a.body)
	}
	after, _ := o.Rows("Account")
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("something was stored: %s", diff)
	}
	// The unique value that was rolled back is free again, the old one is not.
	if got := o.patch(false, row("Account", second, "Code__c", "A1"), row("Account", second, "Code__c", "B1")).rowCodes(); got != "DUPLICATE_VALUE ok" {
		t.Errorf("unique values after the rollback: %s", got)
	}
}

// S62, S63: too many rows, too many runs of types; and unknown types.
func TestS62_S63_request_limits(t *testing.T) {
	o, live, _, _ := scored(t)
	contact := o.insert("Contact", map[string]any{"LastName": "田中"})
	var rows []map[string]any
	for range 201 {
		rows = append(rows, row("Account", live, "Energy__c", 9))
	}
	o.patch(false, rows...).refused(400, "EXCEEDED_ID_LIMIT")
	var mixed []map[string]any
	for range 5 {
		mixed = append(mixed, row("Account", live, "Energy__c", 9), row("Contact", contact, "Title", "部長"))
	}
	o.patch(false, append(mixed, row("Account", live, "Energy__c", 9))...).refused(400, "EXCEEDED_MAX_TYPES_LIMIT")
	o.patch(false, row("Account", live, "Energy__c", 9), row("Nope__c", live)).refused(400, "INVALID_TYPE")
	// A text in a number field refuses everything, also the rows before it.
	o.patch(false, row("Account", live, "Energy__c", 9), row("Account", live, "Energy__c", "hot")).refused(400, "JSON_PARSER_ERROR")
	if got := o.value("Account", live, "Energy__c"); got != 1.0 {
		t.Errorf("a refused request stored %v", got)
	}
	if got := o.patch(false, mixed...).rowCodes(); strings.Contains(got, "_") {
		t.Errorf("10 runs: %s", got)
	}
	if got := len(o.patch(false, rows[:200]...).array()); got != 200 {
		t.Errorf("200 rows: %d results", got)
	}
}

// S64, S65, S50, S66: what a write changes.
func TestS50_S64_S65_S66_effects(t *testing.T) {
	o, live, second, _ := scored(t)
	*o.clock = o.clock.Add(90*time.Second + 300*time.Millisecond)
	now := o.clock.Truncate(time.Second)
	values := row("Account", "", "Id", live, "Energy__c", nil, "Reason__c", "訪問3回", "Alarm__c", true, "AsOf__c", "2026-04-01", "At__c", "2026-04-01T18:00:00.000+0900", "Band__c", "高")
	if got := o.patch(false, values, row("Account", second, "Energy__c", 5)).rowCodes(); got != "ok ok" {
		t.Fatal(got)
	}
	r, _ := o.Get("Account", live)
	for field, want := range map[string]any{"Name": "東海精密", "Energy__c": nil, "Reason__c": "訪問3回", "Alarm__c": true, "AsOf__c": "2026-04-01",
		"At__c": time.Date(2026, 4, 1, 9, 0, 0, 0, time.UTC), "SystemModstamp": now, "LastModifiedDate": now, "LastModifiedById": o.runAs, "CreatedById": o.admin, "CreatedDate": now.Add(-90 * time.Second)} {
		if r[field] != want {
			t.Errorf("%s is %v, want %v", field, r[field], want)
		}
	}
	if got := o.value("Account", second, "SystemModstamp"); got != now {
		t.Errorf("S50: the second row's stamp is %v", got)
	}
	o.patch(false, row("Account", live, "Alarm__c", nil, "Reason__c", "  "))
	if r, _ := o.Get("Account", live); r["Alarm__c"] != false || r["Reason__c"] != nil {
		t.Errorf("null checkbox %v, blank text %v", r["Alarm__c"], r["Reason__c"])
	}
	for i, moves := range []bool{true, false} {
		o.inject(Fault{Name: "known", Line: "S66", Outcome: Outcomes["S66"][i]})
		before := o.value("Account", second, "SystemModstamp")
		*o.clock = o.clock.Add(time.Minute)
		o.patch(false, row("Account", second, "Energy__c", 5))
		if moved := o.value("Account", second, "SystemModstamp") != before; moved != moves {
			t.Errorf("S66 %s: moved %v", Outcomes["S66"][i], moved)
		}
	}
}

// S68, S74: both settings of what is not known for certain.
func TestS68_S74_known(t *testing.T) {
	o, live, _, _ := scored(t)
	for _, tc := range []struct {
		outcome, codes string
		want           any
	}{{"rounded", "ok", 1.24}, {"kept", "ok", 1.235001}, {"refused", "NUMBER_OUTSIDE_VALID_RANGE", 1.235001}} {
		o.inject(Fault{Name: "known", Line: "S68", Outcome: tc.outcome})
		if got := o.patch(false, row("Account", live, "Energy__c", 1.235001)).rowCodes(); got != tc.codes || o.value("Account", live, "Energy__c") != tc.want {
			t.Errorf("S68 %s: %s %v", tc.outcome, got, o.value("Account", live, "Energy__c"))
		}
	}
	for _, tc := range []struct {
		outcome, codes string
		want           any
	}{{"last", "ok ok", 3.0}, {"refused", "ok DUPLICATE_VALUE", 2.0}} {
		o.inject(Fault{Name: "known", Line: "S74", Outcome: tc.outcome})
		if got := o.patch(false, row("Account", live, "Energy__c", 2), row("Account", live[:15], "Energy__c", 3)).rowCodes(); got != tc.codes || o.value("Account", live, "Energy__c") != tc.want {
			t.Errorf("S74 %s: %s %v", tc.outcome, got, o.value("Account", live, "Energy__c"))
		}
	}
}

// S71, S72, S31: rules, locks and rights on the object.
func TestS71_S72_S31_row_faults(t *testing.T) {
	o, live, second, _ := scored(t)
	child := o.insert("Contact", map[string]any{"LastName": "田中", "AccountId": live})
	o.inject(Fault{Name: "validation", Object: "Account", Field: "Energy__c", Bound: 100, Message: "100を超えられません"})
	a := o.patch(false, row("Account", live, "Energy__c", 100), row("Account", live, "Energy__c", 100.5))
	if a.rowCodes() != "ok FIELD_CUSTOM_VALIDATION_EXCEPTION" || !strings.Contains(a.body, "100を超えられません") {
		t.Errorf("S71: %s", a.body)
	}
	o.inject(Fault{Name: "lock", ID: live, Times: 2})
	a = o.patch(false, row("Contact", child, "Title", "a"), row("Account", second, "Phone", "1"), row("Account", live, "Phone", "1"), row("Contact", child, "Title", "b"))
	if got := a.rowCodes(); got != "UNABLE_TO_LOCK_ROW ok UNABLE_TO_LOCK_ROW ok" {
		t.Errorf("S72: %s", got)
	}
	o.inject(Fault{Name: "fls", Object: "Account", Access: "readonly"})
	if got := o.patch(false, row("Account", live, "Phone", "2")).rowCodes(); got != "INSUFFICIENT_ACCESS_OR_READONLY" {
		t.Errorf("S31: %s", got)
	}
	if d := o.send("GET", api+"/sobjects/Account/describe", "").object(); d["updateable"] != false {
		t.Errorf("S31: updateable %v", d["updateable"])
	}
}

// S76: retrieve is aligned with its ids; delete works on collections.
func TestS76_retrieve_and_delete(t *testing.T) {
	o, live, second, gone := scored(t)
	body := marshal(t, map[string]any{"ids": []string{second, gone, live[:15], newID("001", 99)}, "fields": []string{"name", "Energy__c"}})
	a := o.send("POST", api+"/composite/sobjects/Account", body)
	want := fmt.Sprintf(`[{"attributes":{"type":"Account","url":"%[1]s/sobjects/Account/%[2]s"},"Name":"みなとフーズ","Energy__c":null},null,`+
		`{"attributes":{"type":"Account","url":"%[1]s/sobjects/Account/%[3]s"},"Name":"東海精密","Energy__c":1.0},null]`, api, second, live)
	if diff := cmp.Diff(want, a.body); diff != "" {
		t.Error(diff)
	}
	if b := o.send("GET", api+"/composite/sobjects/Account?ids="+second+","+gone+","+live+","+newID("001", 99)+"&fields=Name,Energy__c", ""); b.body != a.body {
		t.Errorf("by GET: %s", b.body)
	}
	o.send("POST", api+"/composite/sobjects/Account", `{"ids":["`+live+`"],"fields":["Nope__c"]}`).refused(400, "INVALID_FIELD")
	o.send("POST", api+"/composite/sobjects/Account", `{"ids":["xyz"],"fields":["Id"]}`).refused(400, "MALFORMED_ID")
	if got := o.send("DELETE", api+"/composite/sobjects?ids="+gone+","+live, "").rowCodes(); got != "ENTITY_IS_DELETED ok" {
		t.Errorf("delete: %s", got)
	}
}

// S77, S78: single records.
func TestS77_S78_single_records(t *testing.T) {
	o, live, _, gone := scored(t)
	a := o.send("POST", api+"/sobjects/Contact", `{"LastName":"佐藤","AccountId":"`+live+`"}`)
	id, _ := a.object()["id"].(string)
	if a.status != 201 || a.header.Get("Location") != api+"/sobjects/Contact/"+id || a.body != `{"id":"`+id+`","success":true,"errors":[]}` {
		t.Errorf("S78: %d %v %s", a.status, a.header, a.body)
	}
	o.send("POST", api+"/sobjects/Contact", `{"FirstName":"x"}`).refused(400, "REQUIRED_FIELD_MISSING")
	path := api + "/sobjects/Contact/" + id
	if a := o.send("PATCH", path, `{"Title":"課長"}`); a.status != 204 || a.body != "" || a.header.Get("Content-Type") != "" {
		t.Errorf("S77: %d %q", a.status, a.body)
	}
	if r := o.send("GET", path+"?fields=Title,AccountId", "").object(); r["Title"] != "課長" || r["AccountId"] != live || len(r) != 3 {
		t.Errorf("read: %v", r)
	}
	if r := o.send("GET", path, "").object(); r["Name"] != "佐藤" || r["CreatedById"] != o.runAs {
		t.Errorf("read all: %v", r)
	}
	bad := o.send("PATCH", path, `{"LastName":"`+strings.Repeat("x", 300)+`"}`)
	bad.refused(400, "STRING_TOO_LONG")
	if !strings.Contains(bad.body, `"fields":["LastName"]`) {
		t.Errorf("S77: %s", bad.body)
	}
	o.send("PATCH", api+"/sobjects/Account/"+gone, `{"Phone":"1"}`).refused(404, "ENTITY_IS_DELETED")
	o.send("GET", api+"/sobjects/Account/"+gone, "").refused(404, "ENTITY_IS_DELETED")
	o.send("GET", api+"/sobjects/Account/"+newID("001", 99), "").refused(404, "NOT_FOUND")
	if a := o.send("DELETE", path, ""); a.status != 204 {
		t.Errorf("delete: %d", a.status)
	}
	if err := o.Undelete("Contact", id); err != nil {
		t.Error(err)
	}
	if a := o.send("GET", path, ""); a.status != 200 {
		t.Errorf("S121: after undelete %d", a.status)
	}
}

func TestCreateMany(t *testing.T) {
	o, live, _, _ := scored(t)
	a := o.send("POST", api+"/composite/sobjects", marshal(t, collection{true, []map[string]any{
		row("Contact", "", "LastName", "一"), row("Contact", "", "Title", "no name"), row("Contact", live, "LastName", "二")}}))
	if got := a.rowCodes(); got != "ALL_OR_NONE_OPERATION_ROLLED_BACK REQUIRED_FIELD_MISSING INVALID_FIELD_FOR_INSERT_UPDATE" {
		t.Errorf("%s", got)
	}
	if rows, _ := o.Rows("Contact"); len(rows) != 0 {
		t.Errorf("stored: %v", rows)
	}
	a = o.send("POST", api+"/composite/sobjects", marshal(t, collection{false, []map[string]any{row("Contact", "", "LastName", "一")}}))
	if a.array()[0]["id"] != newID("003", 1) {
		t.Errorf("the number of a rolled back row was not given back: %s", a.body)
	}
}

// The values of a number field survive the way in and out.
func TestNumbersKeepTheirDigits(t *testing.T) {
	o := newOrg(t, Options{Fields: map[string][]Field{"Account": {{Name: "N__c", Type: Number, Precision: 18, Scale: 4}}}})
	id := o.insert("Account", map[string]any{"Name": "x"})
	for sent, want := range map[string]string{"0.1": "0.1", "-0.00005": "-0.0001", "12345678901.1234": "12345678901.1234", "3": "3.0", "1e3": "1000.0", `"2.5"`: "2.5"} {
		o.send("PATCH", api+"/sobjects/Account/"+id, `{"N__c":`+sent+`}`)
		var r struct {
			N json.Number `json:"N__c"`
		}
		o.send("GET", api+"/sobjects/Account/"+id+"?fields=N__c", "").decode(&r)
		if r.N.String() != want {
			t.Errorf("sent %s, got %s, want %s", sent, r.N, want)
		}
	}
}
